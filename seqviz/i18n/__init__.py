"""Languages of the product: gettext catalogues, read from their .po files.

A ``Translator`` turns an English message id into a sentence of the reader's language. Functions that make text for
people take one as ``t`` and fill parameters in afterwards: ``t("{count} steps").format(count=3)``.
"""

from __future__ import annotations

from collections.abc import Callable

Translator = Callable[[str], str]


def english(message: str) -> str:
    """The translator of the source language: message ids are the English sentences."""
    return message
