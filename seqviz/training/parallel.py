"""Sentence pairs: reading, substitution of names and the like, references grouped by source."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from seqviz.errors import DataFormatError, InvalidInputError, unknown_name
from seqviz.training.datasets import lines

Pair = tuple[str, str]
"""(source sentence, target sentence)"""


def read_pairs(path: Path, *, source_column: int, target_column: int) -> list[Pair]:
    """Two columns, counted from 1, of a table with a sentence a line, columns divided by TAB; .gz is unpacked."""
    rows = []
    needed = max(source_column, target_column)
    for number, line in lines(path):
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) < needed or not columns[source_column - 1] or not columns[target_column - 1]:
            raise DataFormatError(
                "{path}, line {number}: expected {count} columns divided by TAB, none empty, found {line!r}.",
                path=path.name,
                number=number,
                count=needed,
                line=line[:60],
            )
        rows.append((columns[source_column - 1], columns[target_column - 1]))
    return rows


def by_source(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """All references of each source, in the order of the file."""
    references: dict[str, list[str]] = {}
    for source, target in pairs:
        known = references.setdefault(source, [])
        if target not in known:
            known.append(target)
    return references


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Words that may stand for each other, each with its translation: months, names of women, ...

    Args:
        entries: (source, target).
        probability: of being replaced, each time that one occurs once on both sides.
        find: entries that are looked for but never put in, more common ones as a rule.
        made_up: share of replacements that are invented names, the same on both sides.
        elide: "de" and "que" before a vowel become "d'" and "qu'" (French names).
        copies: how often a pair with such a word stands in an epoch; rare kinds more often than once.
        one_way: only what is in ``find`` is replaced; the entries stay where a pair has them by itself.
    """

    entries: tuple[Pair, ...]
    probability: float
    find: tuple[Pair, ...] = ()
    made_up: float = 0.0
    elide: bool = False
    copies: int = 1
    one_way: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a pair that can be substituted."""

    source: str
    target: str
    group: int


class Substitutions:
    """Replaces names, months, countries ... on both sides of a pair by others of their group.

    A rare word is so seen in many sentences, and a name in so many forms that a model learns to copy it.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = tuple(groups)
        self._slots: dict[str, list[Slot]] = {}
        for index, group in enumerate(groups):
            found = group.find if group.one_way else (*group.find, *group.entries)
            for source, target in dict.fromkeys(found):
                self._slots.setdefault(source, []).append(Slot(source, target, index))
        words = sorted(self._slots, key=len, reverse=True)
        # Most sentences hold none of the words: a look at their own words is much cheaper than the pattern.
        self._signs = frozenset(_signs(" ".join(re.split(r"\W", word)[0] for word in words)))
        self._pattern = re.compile("|".join(_whole(word) for word in words) or r"(?!)")

    @classmethod
    def load(cls, name: str) -> Self:
        """Reads ``seqviz/training/lexicons/<name>.toml``."""
        folder = resources.files("seqviz.training") / "lexicons"
        file = folder / f"{name}.toml"
        if not file.is_file():
            known = sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
            raise unknown_name("Lexicon", name, known)
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return cls([_group(values) for values in raw["group"]])

    def slots(self, pair: Pair) -> tuple[Slot, ...]:
        """What can be replaced: words that stand once on the source side, with their translation once on the other."""
        source, target = pair
        if self._signs.isdisjoint(_signs(source)):
            return ()
        found = self._pattern.findall(source)
        words = (word for word in dict.fromkeys(found) if found.count(word) == 1)
        possible = ([s for s in self._slots[word] if len(_compiled(s.target).findall(target)) == 1] for word in words)
        return tuple(slots[0] for slots in possible if slots)

    def copies(self, slots: Sequence[Slot]) -> int:
        """How often a pair with these slots stands in an epoch."""
        return max((self._groups[slot.group].copies for slot in slots), default=1)

    def apply(self, pair: Pair, slots: Sequence[Slot], chance: random.Random) -> Pair:
        """The pair with each slot replaced with its group's probability."""
        source, target = pair
        for slot in slots:
            group = self._groups[slot.group]
            if chance.random() >= group.probability:
                continue
            invented = chance.random() < group.made_up
            new = (made_up_name(chance),) * 2 if invented else chance.choice(group.entries)
            source, target = (
                _replaced(source, slot.source, new[0], group),
                _replaced(target, slot.target, new[1], group),
            )
        return source, target


def _group(values: dict[str, Any]) -> Group:
    return Group(
        entries=tuple(_pair(entry) for entry in values["entries"]),
        probability=values["probability"],
        find=tuple(_pair(entry) for entry in values.get("find", ())),
        made_up=values.get("made_up", 0.0),
        elide=values.get("elide", False),
        copies=values.get("copies", 1),
        one_way=values.get("one_way", False),
    )


def _pair(entry: str | list[str]) -> Pair:
    # One word stands for itself in both languages.
    if isinstance(entry, str):
        return entry, entry
    if len(entry) != 2:
        raise InvalidInputError("{entry!r} is not a pair of words.", entry=entry)
    return entry[0], entry[1]


def _signs(text: str) -> list[str]:
    """The words of a text; of Chinese, which has no blanks, the characters."""
    return re.findall(r"[\u2e80-\u9fff]|[^\W\u2e80-\u9fff]+", text)


def _whole(word: str) -> str:
    return re.escape(word) if word[0] >= "\u2e80" else rf"(?<!\w){re.escape(word)}(?!\w)"


@cache
def _compiled(word: str) -> re.Pattern[str]:
    return re.compile(_whole(word))


def _replaced(text: str, old: str, new: str, group: Group) -> str:
    text = _compiled(old).sub(lambda _: new, text, count=1)
    if group.elide and new[0] in _VOWELS:
        text = re.sub(rf"\b([Dd]|[Qq]u|[Ll]orsqu|[Pp]uisqu|[Jj]usqu)e {re.escape(new)}", rf"\1'{new}", text)
    return text


_VOWELS = frozenset("AEIOUÉÈÊÎÔaeiouéèêîô")
_ONSETS = tuple("b br c ch cl d dr f fl g gr h j k kl l m n p pr r s sh st t th tr v w y z".split())  # noqa: SIM905
_NUCLEI = tuple("a a e e i o u ai ee ia io ou".split())  # noqa: SIM905
_CODAS = ("", "", "", *"l n r s t m k ck nd rt ll x".split())  # noqa: SIM905


def made_up_name(chance: random.Random) -> str:
    """A name that nobody bears: one to three syllables with a capital."""
    syllables = chance.choice((1, 2, 2, 3))
    parts = [chance.choice(_ONSETS) + chance.choice(_NUCLEI) for _ in range(syllables)]
    return ("".join(parts) + chance.choice(_CODAS)).capitalize()


def hastily_typed(source: str, chance: random.Random, share: float) -> str:
    """With probability ``share`` each: no blank before a mark, no full stop, a small first letter."""
    if chance.random() < share:
        source = re.sub(r" ([?!;:])", r"\1", source)
    if chance.random() < share:
        source = source.removesuffix(".").removesuffix("。")
    if chance.random() < share:
        source = source[:1].lower() + source[1:]
    return source
