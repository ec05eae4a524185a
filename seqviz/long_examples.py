"""Long example texts, written for seqviz: a scene for character models, an article, a review and a news report."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from seqviz.config import ModelConfig
from seqviz.types import Task
from seqviz.units import PieceKind

OPENING = "The "
"""What a language model reads before it writes on by itself."""

SPANS: dict[str, str] = {
    "scene": "BAKER:",
    "article": '" We have not seen the shore for nine weeks , and the children have forgotten the colour of grass . "',
    "review": "are not funny",
    "news": "Peter Novak",
}
"""A span of each text that makes a good first brush."""

_NAMES: dict[Task, str] = {"classification": "review", "tagging": "news", "language_model": "article"}


def piece_kind(config: ModelConfig) -> PieceKind:
    """What a model reads; of the shipped families only one reads characters."""
    letters = config.task == "language_model" and config.vocabulary_size < 1000 and not config.tied_output
    return "character" if letters else "word"


def long_example(task: Task, kind: PieceKind) -> str:
    """The text that a model of a kind opens with."""
    return _read(_name(task, kind))


def example_span(task: Task, kind: PieceKind) -> str:
    """The span of that text that is brushed first."""
    return SPANS[_name(task, kind)]


def _name(task: Task, kind: PieceKind) -> str:
    return "scene" if kind == "character" else _NAMES[task]


@cache
def _read(name: str) -> str:
    return files("seqviz").joinpath(f"long_texts/{name}.txt").read_text("utf-8")
