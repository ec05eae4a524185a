"""Edits of attention as a text: the form that links, the command and the library share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seqviz.attention import AttentionEdit
from seqviz.errors import InvalidInputError

EDIT_PATTERN = r"([1-9]\d{0,2})(?:f([1-9]\d{0,2})|(z)|w(\d{1,4}(?:-\d{1,4}){0,199}))"
"""One edit: the step, then the word that is forced, ``z`` for frozen, or the weights in thousandths."""


def edits_text(edits: Sequence[AttentionEdit]) -> str:
    """``"5f6"``: step 5 forced to word 6; ``"5z"``: frozen at step 5; ``"5w0-250-750"``: weights; joined by dots."""
    parts = []
    for edit in edits:
        if edit.kind == "force":
            parts.append(f"{edit.step + 1}f{edit.word + 1}")
        elif edit.kind == "freeze":
            parts.append(f"{edit.step + 1}z")
        else:
            parts.append(f"{edit.step + 1}w" + "-".join(str(round(1000 * weight)) for weight in edit.weights))
    return ".".join(parts)


def parse_edits(text: str) -> tuple[AttentionEdit, ...]:
    """The edits of a text in the form of ``edits_text``.

    Raises:
        InvalidInputError: the text has another form.
    """
    found = []
    for part in text.split("."):
        match = re.fullmatch(EDIT_PATTERN, part)
        if match is None:
            raise InvalidInputError(
                "{text!r} is no edit of attention; one is written as 5f6, 5z or 5w0-1-3.", text=part
            )
        step, word, frozen, weights = int(match[1]) - 1, match[2], match[3], match[4]
        if word:
            found.append(AttentionEdit(step=step, kind="force", word=int(word) - 1))
        elif frozen:
            found.append(AttentionEdit(step=step, kind="freeze"))
        else:
            shares = tuple(int(share) / 1000 for share in weights.split("-"))
            found.append(AttentionEdit(step=step, kind="set", weights=shares))
    return tuple(found)
