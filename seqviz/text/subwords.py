"""Hashed character n-grams of a word (Bojanowski et al. 2017, section 3.2)."""

from __future__ import annotations

import re
from functools import lru_cache

SHORTEST, LONGEST = 2, 4
_FNV_OFFSET, _FNV_PRIME = 2166136261, 16777619


@lru_cache(maxsize=65_536)
def subword_buckets(word: str, buckets: int) -> tuple[int, ...]:
    """The rows of the n-gram table that belong to a word, as it was written.

    Args:
        word: any text; its case counts.
        buckets: rows of the table; row 0 is padding and never returned.

    Returns:
        one row in 1 .. buckets for each n-gram of ``<word>`` with 2 to 4 characters and one for the word's shape.
    """
    framed = f"<{word}>"
    grams = [
        framed[start : start + size]
        for size in range(SHORTEST, LONGEST + 1)
        for start in range(len(framed) - size + 1)
        if framed[start : start + size] != framed
    ]
    return tuple(1 + _fnv1a(gram) % buckets for gram in [*grams, f"shape {word_shape(word)}"])


def word_shape(word: str) -> str:
    """Runs of capitals as X, small letters as x, digits as 0: ``McDonald's`` -> ``XxXx'x``."""
    shape = "".join("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word)
    return re.sub(r"(.)\1+", r"\1", shape)


def _fnv1a(text: str) -> int:
    value = _FNV_OFFSET
    for byte in text.encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value
