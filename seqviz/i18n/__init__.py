"""Languages of the product: gettext catalogues, read from their .po files.

A ``Translator`` turns an English message id into a sentence of the reader's language. Functions that make text for
people take one as ``t`` and fill parameters in afterwards: ``t("{count} steps").format(count=3)``. A sentence that
stands in a table and is translated elsewhere is marked with ``msgid("...")``, so that the extraction finds it.
``python -m seqviz.i18n.extract`` brings the catalogues up to date with the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from seqviz.errors import SeqvizError, unknown_name

Translator = Callable[[str], str]

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "zh_CN": "简体中文"})
"""Languages of the product, each with its own name for itself."""

SOURCE_LANGUAGE = "en"


def english(message: str) -> str:
    """The translator of the source language: message ids are the English sentences."""
    return message


def msgid(message: str) -> str:
    """Marks a sentence for the catalogues where it is written down; it is translated where it is shown."""
    return message


def catalogue_path(language: str) -> Path:
    """The .po file of a language other than English."""
    return Path(__file__).parent / "locales" / language / "LC_MESSAGES" / "seqviz.po"


@lru_cache(maxsize=len(LANGUAGES))
def translator(language: str) -> Translator:
    """The translator into a language; its catalogue is read once.

    Args:
        language: a key of ``LANGUAGES``.

    Returns:
        A function from English to the language; a sentence that the catalogue lacks stays English.

    Raises:
        UnknownNameError: the language is none of ``LANGUAGES``.
    """
    if language not in LANGUAGES:
        raise unknown_name("language", language, LANGUAGES)
    if language == SOURCE_LANGUAGE:
        return english
    from babel.messages.pofile import read_po  # only readers of another language pay for Babel

    with catalogue_path(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    sentences = {str(message.id): str(message.string) for message in catalogue if message.id and message.string}

    def translate(message: str) -> str:
        return sentences.get(message, message)

    return translate


def best_language(accept: str | None) -> str:
    """The language of the product that suits a reader best.

    Args:
        accept: a browser's locale (``"zh-CN"``) or its Accept-Language header (``"zh-CN,zh;q=0.9,en;q=0.8"``);
            None if unknown.

    Returns:
        The first language of ``LANGUAGES`` in the reader's order of preference, English if there is none.
    """
    if not accept:
        return SOURCE_LANGUAGE
    wishes = [_wish(part) for part in accept.split(",")]
    for quality, language in sorted(wishes, key=lambda wish: -wish[0]):
        primary = language.replace("_", "-").split("-")[0]
        if quality > 0 and primary in ("en", "zh"):
            # One Chinese catalogue so far: readers of traditional characters are nearer to it than to English.
            return "zh_CN" if primary == "zh" else "en"
    return SOURCE_LANGUAGE


def _wish(part: str) -> tuple[float, str]:
    """``"zh;q=0.9"`` -> (0.9, "zh"); a quality that is no number counts as 0."""
    language, _, quality = part.strip().lower().partition(";q=")
    try:
        return float(quality or 1.0), language
    except ValueError:
        return 0.0, language


def translate_error(error: SeqvizError, t: Translator) -> str:
    """The sentence of an error in the reader's language: the template is translated, then filled in.

    Errors among the parameters, and the name of a field where it is a phrase, are translated as well.
    """
    if not error.parameters:
        return t(error.template)
    parameters = {name: _translated(name, value, t) for name, value in error.parameters.items()}
    return t(error.template).format(**parameters)


def _translated(name: str, value: object, t: Translator) -> object:
    if isinstance(value, SeqvizError):
        return translate_error(value, t)
    return t(value) if name == "field" and isinstance(value, str) else value
