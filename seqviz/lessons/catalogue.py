"""The lessons as they stand in this folder's files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from seqviz.errors import DataFormatError, unknown_name
from seqviz.i18n import LANGUAGES

FILES = ("recurrent", "time", "gates", "sequences", "attention")
"""The chapters, in the order of the course."""

Words = Mapping[str, str]
"""A sentence by language; every language of the product is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One possible answer."""

    id: str
    text: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A guided scene.

    Args:
        id: of the syllabus, with a letter where one entry has several lessons.
        title, scene, question: what is shown first.
        choices: the possible answers.
        answer: id of the choice that ``because`` explains. What is right is what ``claim`` finds.
        claim, parameters: which check decides, and on what.
        found: the sentence with the numbers; it holds whatever they are.
        because: why it is so.
        next: what to try next.
        page, query: the view that shows it, and its exact state.
    """

    id: str
    title: Words
    scene: Words
    question: Words
    choices: tuple[Choice, ...]
    answer: str
    claim: str
    parameters: Mapping[str, Any]
    found: Words
    because: Words
    next: Words
    page: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """The lessons of one part of the syllabus."""

    id: str
    title: Words
    lessons: tuple[Lesson, ...]


@lru_cache(maxsize=1)
def chapters() -> tuple[Chapter, ...]:
    """All chapters in the order of the course; the files are read once."""
    folder = files("seqviz.lessons")
    return tuple(read_chapter(folder.joinpath(f"{name}.toml").read_text("utf-8"), name=name) for name in FILES)


def all_lessons() -> tuple[Lesson, ...]:
    """All lessons in the order of the course."""
    return tuple(lesson for chapter in chapters() for lesson in chapter.lessons)


def find_lesson(lesson_id: str) -> Lesson:
    """The lesson of an id; raises UnknownNameError if there is none."""
    for lesson in all_lessons():
        if lesson.id == lesson_id:
            return lesson
    raise unknown_name("Lesson", lesson_id, [lesson.id for lesson in all_lessons()])


def read_chapter(text: str, *, name: str) -> Chapter:
    """Reads one file.

    Args:
        text: its content.
        name: for the error.

    Raises:
        DataFormatError: it is no TOML, or a field is missing or wrong.
    """
    try:
        raw = tomllib.loads(text)
        lessons = tuple(_lesson(entry) for entry in raw["lesson"])
        return Chapter(id=str(raw["id"]), title=_words(raw["title"]), lessons=lessons)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataFormatError(
            "The file of lessons {name} is incomplete or wrong: {reason}.", name=name, reason=error
        ) from error


def _lesson(raw: Mapping[str, Any]) -> Lesson:
    choices = tuple(Choice(id=str(one["id"]), text=_words(one["text"])) for one in raw["choice"])
    if raw["answer"] not in [choice.id for choice in choices]:
        raise ValueError(f"{raw['id']}: answer {raw['answer']!r} is no choice")
    claim = dict(raw["claim"])
    sentences = {field: _words(raw[field]) for field in ("title", "scene", "question", "found", "because", "next")}
    return Lesson(
        id=str(raw["id"]),
        choices=choices,
        answer=str(raw["answer"]),
        claim=str(claim.pop("name")),
        parameters=MappingProxyType({key: _frozen(value) for key, value in claim.items()}),
        page=str(raw["open"]["page"]),
        query=MappingProxyType({key: str(value) for key, value in raw["open"]["query"].items()}),
        **sentences,
    )


def _words(raw: Mapping[str, str]) -> Words:
    return MappingProxyType({language: str(raw[language]) for language in LANGUAGES})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
