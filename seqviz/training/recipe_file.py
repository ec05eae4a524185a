"""Recipes: the small TOML files that say how each checkpoint is made."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from seqviz.config import TrainConfig
from seqviz.errors import InvalidInputError, unknown_name

_NAMES = ("name", "title", "family")

_TABLES: dict[str, tuple[str, ...]] = {
    "data": ("train", "valid"),
    "tokenizer": ("kind",),
    "model": ("task", "cell", "embedding_size"),
    "train": (),
    "card": ("summary", "restricted", "licence", "data_notes", "published", "weaknesses"),
}
"""The tables of a recipe and what each must hold."""

_OPTIONAL = ("embeddings", "start")

_SIZES = {"translation": ("encoder_size", "decoder_size", "score")}
"""What the model table of a task must hold besides; of all other tasks ``hidden_size``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that makes a checkpoint, as read from its TOML file.

    A recipe with a [start] table goes on from another checkpoint: ``start["checkpoint"]`` names it, ``start["train"]``
    the beginnings of the names of the parameters that are trained; all others stay as they are there.
    """

    name: str
    title: str
    family: str
    data: dict[str, Any]
    tokenizer: dict[str, Any]
    model: dict[str, Any]
    train: TrainConfig
    card: dict[str, Any]
    embeddings: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """The task of the model."""
        return str(self.model["task"])


def recipe_names() -> list[str]:
    """Names of the recipes that come with seqviz."""
    files = resources.files("seqviz.training.recipes").iterdir()
    names = (file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
    return sorted(name for name in names if not name.startswith("_"))


def load_recipe(name: str, *, changes: Sequence[str] = ()) -> Recipe:
    """Reads a recipe by name, or from a path that ends in .toml.

    Args:
        name: one of ``recipe_names()`` or a path.
        changes: ``table.key=value`` settings that replace those of the file, values in TOML.
    """
    raw = _read_toml(_text_of(name), name)
    for change in changes:
        _apply(change, raw)
    _check_complete(name, raw)
    return Recipe(**{**raw, "train": TrainConfig.from_dict(raw["train"])})


def _text_of(name: str) -> str:
    if not name.endswith(".toml"):
        if name not in recipe_names():
            raise unknown_name("Recipe", name, recipe_names())
        return _packaged(name)
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError("Recipe {name} cannot be read: {reason}.", name=name, reason=error) from error


def _apply(change: str, raw: dict[str, Any]) -> None:
    key, equals, value = change.partition("=")
    table, dot, entry = key.strip().partition(".")
    if not (equals and dot and entry and isinstance(raw.get(table), dict)):
        raise InvalidInputError("Setting {change!r}: expected table.key=value, as in train.seed=2.", change=change)
    try:
        raw[table][entry] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(
            "Setting {change!r}: the value is not TOML (texts need quotes): {reason}.", change=change, reason=error
        ) from error


def _check_complete(name: str, raw: dict[str, Any]) -> None:
    # Said before hours of training, not behind them.
    missing = [key for key in (*_NAMES, *_TABLES) if key not in raw]
    for table, keys in _TABLES.items():
        missing += [f"{table}.{key}" for key in keys if key not in raw.get(table, {})]
    model = raw.get("model", {})
    missing += [f"model.{key}" for key in _SIZES.get(model.get("task", ""), ("hidden_size",)) if key not in model]
    if raw.get("card", {}).get("restricted") and "restriction" not in raw["card"]:
        missing.append("card.restriction")
    for key in raw:
        if key not in (*_NAMES, *_TABLES, *_OPTIONAL):
            raise unknown_name("Table", key, (*_NAMES, *_TABLES, *_OPTIONAL))
    if "start" in raw:
        missing += [f"start.{key}" for key in ("checkpoint", "train") if not raw["start"].get(key)]
        if model.get("task") != "translation":
            raise InvalidInputError("Recipe {name}: only a translation model starts from a checkpoint.", name=name)
    if raw.get("train", {}).get("attention_penalty") and model.get("score", "none") == "none":
        raise InvalidInputError("Recipe {name}: train.attention_penalty needs a model with attention.", name=name)
    if missing:
        raise InvalidInputError("Recipe {name} lacks {missing}.", name=name, missing=", ".join(missing))


def _packaged(name: str) -> str:
    file = resources.files("seqviz.training.recipes") / f"{name}.toml"
    if not file.is_file():
        raise unknown_name("Recipe", name, recipe_names())
    return file.read_text(encoding="utf-8")


def _read_toml(text: str, name: str) -> dict[str, Any]:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError("Recipe {name} is not TOML: {reason}.", name=name, reason=error) from error
    base = raw.pop("extends", None)
    if base is None:
        return raw
    merged = _read_toml(_packaged(base), base)
    for key, value in raw.items():
        merged[key] = {**merged[key], **value} if isinstance(value, dict) and key in merged else value
    return merged


def data_root() -> Path:
    """The folder of the corpora: ``SEQVIZ_DATA``, or ``data`` in the working folder."""
    return Path(os.environ.get("SEQVIZ_DATA") or "data")
