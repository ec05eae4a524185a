"""Word by word, what one sentence has that another has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Change = Literal["same", "added", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Words in a row that share their fate.

    Args:
        change: ``"same"``: both have them; ``"added"``: only the sentence; ``"missing"``: only the reference.
        words: of the sentence, or of the reference where they are missing.
    """

    change: Change
    words: tuple[str, ...]


def word_diff(words: Sequence[str], reference: Sequence[str]) -> tuple[Span, ...]:
    """What must be left out and put in to make the reference of a sentence.

    Args:
        words: of the sentence.
        reference: of that which it is compared with.

    Returns:
        The spans in the order of the sentence; where words are replaced, the missing ones come first. Without the
        missing ones they are the sentence, without the added ones the reference.

    Source:
        Ratcliff and Metzener 1988, as difflib has it.
    """
    spans: list[Span] = []
    matcher = SequenceMatcher(a=list(reference), b=list(words), autojunk=False)
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            spans.append(Span(change="same", words=tuple(words[first:last])))
            continue
        if end > start:
            spans.append(Span(change="missing", words=tuple(reference[start:end])))
        if last > first:
            spans.append(Span(change="added", words=tuple(words[first:last])))
    return tuple(spans)


def nearest(words: Sequence[str], references: Sequence[Sequence[str]]) -> int:
    """Place of the reference that shares the most words in order; the first of equals."""
    ratios = [SequenceMatcher(a=list(one), b=list(words), autojunk=False).ratio() for one in references]
    return ratios.index(max(ratios))
