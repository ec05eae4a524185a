"""A recipe read, run and measured: data -> encoder -> model -> training -> checkpoint."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes

from seqviz.checkpoints import write_checkpoint
from seqviz.config import ModelConfig, TrainConfig
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.models.loading import LoadedModel
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import TextEncoder
from seqviz.training.card import model_card
from seqviz.training.datasets import read_classification, read_tagging, read_text, without_overlap
from seqviz.training.tasks import (
    Example,
    LabelledTask,
    LanguageModelTask,
    TrainingTask,
    evaluate_examples,
    language_model_nats,
)
from seqviz.training.trainer import Trainer, TrainStep
from seqviz.metrics.figures import perplexity


_TABLES: dict[str, tuple[str, ...]] = {
    "data": ("train", "valid"),
    "tokenizer": ("kind",),
    "model": ("task", "cell", "embedding_size", "hidden_size"),
    "train": (),
    "card": ("summary", "restricted", "licence", "data_notes", "published", "weaknesses"),
}
"""The tables of a recipe and what each must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that makes a checkpoint, as read from its TOML file."""

    name: str
    title: str
    family: str
    data: dict[str, Any]
    tokenizer: dict[str, Any]
    model: dict[str, Any]
    train: TrainConfig
    card: dict[str, Any]

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
    if name.endswith(".toml"):
        raw = _read_toml(Path(name).read_text(encoding="utf-8"))
    elif name in recipe_names():
        raw = _read_toml(_packaged(name))
    else:
        raise unknown_name("Recipe", name, recipe_names())
    for change in changes:
        key, equals, value = change.partition("=")
        table, dot, field = key.strip().partition(".")
        if not (equals and dot and table in raw):
            raise InvalidInputError("Setting {change!r}: expected table.key=value, as in train.seed=2.", change=change)
        raw[table][field] = tomllib.loads(f"value = {value}")["value"]
    _check_complete(name, raw)
    return Recipe(
        name=raw["name"],
        title=raw["title"],
        family=raw["family"],
        data=raw["data"],
        tokenizer=raw["tokenizer"],
        model=raw["model"],
        train=TrainConfig.from_dict(raw["train"]),
        card=raw["card"],
    )


def _check_complete(name: str, raw: dict[str, Any]) -> None:
    # Said before hours of training, not behind them.
    missing = [key for key in ("name", "title", "family", *_TABLES) if key not in raw]
    for table, keys in _TABLES.items():
        missing += [f"{table}.{key}" for key in keys if key not in raw.get(table, {})]
    if raw.get("card", {}).get("restricted") and "restriction" not in raw["card"]:
        missing.append("card.restriction")
    if missing:
        raise InvalidInputError("Recipe {name} lacks {missing}.", name=name, missing=", ".join(missing))


def _packaged(name: str) -> str:
    return (resources.files("seqviz.training.recipes") / f"{name}.toml").read_text(encoding="utf-8")


def _read_toml(text: str) -> dict[str, Any]:
    raw = tomllib.loads(text)
    base = raw.pop("extends", None)
    if base is None:
        return raw
    merged = _read_toml(_packaged(base))
    for key, value in raw.items():
        merged[key] = {**merged[key], **value} if isinstance(value, dict) and key in merged else value
    return merged


def data_root() -> Path:
    """The folder of the corpora: ``SEQVIZ_DATA``, or ``data`` in the working folder."""
    return Path(os.environ.get("SEQVIZ_DATA") or "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A recipe with its data read: ready to train."""

    recipe: Recipe
    encoder: TextEncoder
    labels: tuple[str, ...]
    config: ModelConfig
    task: TrainingTask


def prepare(recipe: Recipe, *, data: Path) -> Prepared:
    """Reads the data, counts the vocabulary, numbers everything."""
    train_paths = [data / path for path in recipe.data["train"]]
    valid_path = data / recipe.data["valid"]
    labels: tuple[str, ...] = ()
    task: TrainingTask
    options = {**recipe.tokenizer, "buckets": recipe.model.get("subword_buckets", 0)}
    if recipe.task == "language_model":
        text = "".join(read_text(path) for path in train_paths)
        encoder = TextEncoder.build([text], **options)
        task = LanguageModelTask(
            encoder.encode(text).ids,
            encoder.encode(read_text(valid_path)).ids,
            unroll_steps=recipe.train.unroll_steps,
        )
    elif recipe.task == "classification":
        held_out = read_classification(valid_path)
        rows = read_classification(train_paths[0])
        for path in train_paths[1:]:
            rows += without_overlap(read_classification(path), held_out)
        rows = list(dict.fromkeys(rows))
        encoder = TextEncoder.build([text for _, text in rows], **options)
        labels = tuple(recipe.data["labels"])
        numbered = {str(index): index for index in range(len(labels))}
        train, valid = (_classified(part, encoder, numbered) for part in (rows, held_out))
        task = LabelledTask(train, valid, labels=labels, tagging=False)
    else:
        sentences = [sentence for path in train_paths for sentence in read_tagging(path)]
        encoder = TextEncoder.build([word for words, _ in sentences for word in words], **options)
        labels = tuple(
            sorted({tag for _, tags in sentences for tag in tags}, key=lambda tag: (tag != "O", tag[2:], tag))
        )
        train, valid = (_tagged(part, encoder, labels) for part in (sentences, read_tagging(valid_path)))
        task = LabelledTask(train, valid, labels=labels, tagging=True)
    config = ModelConfig.from_dict(
        {
            **recipe.model,
            "vocabulary_size": len(encoder.vocabulary),
            "output_size": len(labels) or len(encoder.vocabulary),
        }
    )
    return Prepared(recipe=recipe, encoder=encoder, labels=labels, config=config, task=task)


def _classified(rows: Sequence[tuple[str, str]], encoder: TextEncoder, numbered: dict[str, int]) -> list[Example]:
    for label, _ in rows:
        if label not in numbered:
            raise unknown_name("label", label, numbered)
    return [Example(encoded=encoder.encode(text), target=numbered[label]) for label, text in rows]


def _tagged(
    sentences: Sequence[tuple[Sequence[str], Sequence[str]]], encoder: TextEncoder, labels: tuple[str, ...]
) -> list[Example]:
    numbered = {tag: index for index, tag in enumerate(labels)}
    unknown = {tag for _, tags in sentences for tag in tags} - set(numbered)
    if unknown:
        raise unknown_name("tag", sorted(unknown)[0], labels)
    return [
        Example(encoded=encoder.encode_words(words), target=tuple(numbered[tag] for tag in tags))
        for words, tags in sentences
    ]


class RecipeRun:
    """A recipe being trained; iterate over ``steps()``, then call ``write()``.

    Args:
        recipe: what to make.
        data: folder of the corpora.
        folder: where the resumable state lies.
    """

    def __init__(self, recipe: Recipe, *, data: Path, folder: Path) -> None:
        self.prepared = prepare(recipe, data=data)
        torch.manual_seed(recipe.train.seed)
        self.model = SequenceModel(self.prepared.config)
        self._trainer = Trainer(self.model, self.prepared.task, recipe.train, folder=folder)

    def steps(self) -> Iterator[TrainStep]:
        """Trains; one record a step."""
        return self._trainer.steps()

    def write(self, *, root: Path | None = None, command: str, hardware: str) -> Path:
        """Writes the best weights as a checkpoint with its card; returns the folder."""
        recipe, prepared = self.prepared.recipe, self.prepared
        details = {
            "recipe": recipe.name,
            "command": command,
            "hardware": hardware,
            "seed": recipe.train.seed,
            "training_seconds": round(self._trainer.seconds),
            "num_parameters": self.model.num_parameters(),
            "train": recipe.train.to_dict(),
            "data": recipe.data,
            "figure": prepared.task.figure,
            "versions": {"torch": torch.__version__},
            **{key: recipe.card[key] for key in ("licence", "attribution") if key in recipe.card},
        }
        description = {
            "title": recipe.title,
            "family": recipe.family,
            "restricted": bool(recipe.card["restricted"]),
            "model": prepared.config.to_dict(),
            "labels": list(prepared.labels),
            "figures": self._trainer.best_figures,
            "details": details,
        }
        return write_checkpoint(
            recipe.name,
            description=json.loads(json.dumps(description)),
            weights=to_bytes(self._trainer.best_weights),
            tokenizer=prepared.encoder.to_json(),
            card=model_card(recipe.name, description, recipe.card),
            root=root,
        )


def evaluate_file(loaded: LoadedModel, path: Path) -> dict[str, float]:
    """The task's standard figures of a model on a file of the documented format (``seqviz.training.datasets``)."""
    task = loaded.info.config.task
    with torch.inference_mode():
        if task == "language_model":
            ids = torch.tensor(loaded.encoder.encode(read_text(path)).ids)
            if len(ids) < 2:
                raise InvalidInputError("{path} has {count} tokens; at least 2 are needed.", path=path, count=len(ids))
            nats = language_model_nats(loaded.model, ids)
            return {"nats_per_token": nats, "perplexity": perplexity(nats), "tokens": float(len(ids) - 1)}
        if task == "classification":
            rows = read_classification(path)
            numbered = {str(index): index for index in range(len(loaded.labels))}
            examples = _classified(rows, loaded.encoder, numbered)
        else:
            examples = _tagged(read_tagging(path), loaded.encoder, loaded.labels)
        return evaluate_examples(loaded.model, examples, labels=loaded.labels, tagging=task == "tagging")
