"""The pieces of a translation model as people read them: blanks, glue and bytes of the tokenizer made plain."""

from __future__ import annotations

import re

from seqviz.charts.svg import clean
from seqviz.translations import PieceText

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_MARKS = str.maketrans("", "", "▁‿")
CONTINUES = "·"
"""Stands before a piece that goes on with a word."""
_CJK = "\u2e80"


def piece_label(piece: str, *, continues: bool | None = None) -> str:
    """One piece: ``▁Afri`` -> ``Afri``, ``que`` -> ``·que``, ``▁l'‿`` -> ``l'``, a byte -> ``0xF0``.

    Args:
        piece: the vocabulary's entry.
        continues: whether it goes on with the word before it. None where that is not known: letters without a blank
            before them go on; Chinese characters, digits and marks stand alone.
    """
    if found := _BYTE.fullmatch(piece):
        return f"0x{found[1]}"
    bare = clean(piece.translate(_MARKS))
    if continues is None:
        special = piece.startswith("<") and piece.endswith(">")
        continues = not piece.startswith("▁") and not special and bare[:1].isalpha() and bare[0] < _CJK
    return f"{CONTINUES if continues else ''}{bare}" if bare else "␣"


def piece_labels(text: PieceText) -> tuple[str, ...]:
    """All pieces of a text; ``CONTINUES`` before those that are not the first of their word."""
    starts = {start for start, _ in text.words}
    return tuple(piece_label(piece, continues=index not in starts) for index, piece in enumerate(text.pieces))


def long_words(text: PieceText) -> tuple[tuple[int, int, str], ...]:
    """Words of several pieces: half-open range and the word as people write it."""
    words = zip(text.words, text.labels, strict=True)
    return tuple((start, end, clean(label)) for (start, end), label in words if end - start > 1)
