"""Sentence pairs of our own writing, aligned word by word by hand, to measure what a reading of the model finds."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from seqviz.attention import AlignedPair


@lru_cache(maxsize=4)
def aligned_pairs(name: str) -> tuple[AlignedPair, ...]:
    """The pairs of ``"fra-eng"``, or of another pair of languages; none if nobody has aligned any."""
    file = files("seqviz.alignments") / f"{name}.json"
    if not file.is_file():
        return ()
    return tuple(_pair(entry) for entry in json.loads(file.read_text("utf-8"))["pairs"])


def aligned_name(family: str) -> str:
    """The file's name for a family of models: ``"tatoeba-fra-eng"`` -> ``"fra-eng"``."""
    return "-".join(family.split("-")[-2:])


def _pair(entry: dict[str, str | list[str]]) -> AlignedPair:
    sure, possible = set(), set()
    for link in str(entry["links"]).split():
        source, target = map(int, link.replace("?", "-").split("-"))
        possible.add((target, source))
        if "?" not in link:
            sure.add((target, source))
    return AlignedPair(
        text=str(entry["source"]),
        translation=str(entry["target"]),
        source=tuple(entry["source_words"]),
        target=tuple(entry["target_words"]),
        sure=frozenset(sure),
        possible=frozenset(possible),
    )
