"""A recipe run: data -> encoder -> model -> training -> checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from seqviz.checkpoints import write_checkpoint
from seqviz.models.sequence_model import SequenceModel
from seqviz.training.card import model_card
from seqviz.training.evaluation import evaluate_file
from seqviz.training.preparation import prepare, word_vectors
from seqviz.training.recipe_file import Recipe, data_root, load_recipe, recipe_names
from seqviz.training.trainer import STATE_FILE, Trainer, TrainStep

__all__ = ["Recipe", "RecipeRun", "data_root", "evaluate_file", "load_recipe", "recipe_names"]


class RecipeRun:
    """A recipe being trained; iterate over ``steps()``, then call ``write()``.

    Args:
        recipe: what to make.
        data: folder of the corpora.
        folder: where the resumable state lies.
        root: folder of the checkpoints, for a recipe that starts from one.
    """

    def __init__(self, recipe: Recipe, *, data: Path, folder: Path, root: Path | None = None) -> None:
        self.prepared = prepare(recipe, data=data, root=root)
        self.model = self.prepared.model
        if isinstance(self.model, SequenceModel) and not (folder / STATE_FILE).exists():
            vectors = word_vectors(self.prepared, data=data)
            if vectors is not None:
                self.model.embedding.word.weight.data.copy_(vectors)
        base = self.prepared.base
        self._trainer = Trainer(
            self.model, self.prepared.task, recipe.train, folder=folder, start=base.weights if base else ""
        )

    def steps(self) -> Iterator[TrainStep]:
        """Trains; one record a step."""
        return self._trainer.steps()

    def _measured(self, weights: dict[str, Tensor]) -> dict[str, float]:
        """The figures of the weights as they are stored, on the whole held-out split."""
        self.model.load_state_dict(weights, strict=False)
        self.model.eval()
        with torch.inference_mode():
            return self.prepared.task.measure(self.model)

    def write(self, *, root: Path | None = None, command: str, hardware: str) -> Path:
        """Writes the best weights as a checkpoint with its card; returns the folder."""
        recipe, prepared = self.prepared.recipe, self.prepared
        half = recipe.card.get("weights") == "float16"
        weights = {name: tensor.half() if half else tensor for name, tensor in self._trainer.best_weights.items()}
        details: dict[str, Any] = {
            "recipe": recipe.name,
            "command": command,
            "hardware": hardware,
            "seed": recipe.train.seed,
            "training_seconds": round(self._trainer.seconds),
            "num_parameters": self.model.num_parameters(),
            **({"trained_parameters": sum(w.numel() for w in weights.values())} if prepared.base else {}),
            **({"start": recipe.start} if prepared.base else {}),
            "train": recipe.train.to_dict(),
            "data": recipe.data,
            **({"embeddings": recipe.embeddings} if recipe.embeddings else {}),
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
            "figures": self._measured(weights),
            "details": details,
            **({"base": asdict(prepared.base)} if prepared.base else {}),
        }
        return write_checkpoint(
            recipe.name,
            description=json.loads(json.dumps(description)),
            weights=to_bytes(weights),
            tokenizer=None if prepared.base else prepared.encoder.to_json(),
            card=model_card(recipe.name, description, recipe.card),
            root=root,
        )
