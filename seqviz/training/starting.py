"""Fine-tuning: a model that goes on from a checkpoint, a part of its parameters trained, the others frozen.

Only what is trained is written, so that such a checkpoint is as small as its part is. What is frozen needs no gradient;
whatever lies before the first trained parameter (the encoder, where only the attention is trained) is then computed
without a graph.
"""

from __future__ import annotations

from pathlib import Path

import torch

from seqviz.errors import InvalidInputError
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.training.recipe_file import Recipe


def load_start(recipe: Recipe, *, root: Path | None = None) -> LoadedTranslator:
    """The checkpoint that a recipe starts from.

    Raises:
        UnknownNameError: there is none of that name.
        CheckpointError: it is damaged.
        InvalidInputError: it is itself fine-tuned.
    """
    loaded = load_translator(str(recipe.start["checkpoint"]), root=root)
    if loaded.info.base is not None:
        raise InvalidInputError(
            "Recipe {name} starts from {base}, which is itself fine-tuned; start from {whole}.",
            name=recipe.name,
            base=loaded.info.name,
            whole=loaded.info.base.name,
        )
    return loaded


def started(model: EncoderDecoder, start: LoadedTranslator, recipe: Recipe) -> EncoderDecoder:
    """Copies the start's weights into a new model and freezes what the recipe does not train.

    A score function of another kind begins with the new model's own random weights; every other parameter must be
    there, in the same shape.

    Raises:
        InvalidInputError: a beginning of a name fits no parameter, or a parameter that is not trained has no weights.
    """
    prefixes = tuple(str(prefix) for prefix in recipe.start["train"])
    names = [name for name, _ in model.named_parameters()]
    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in names):
            raise InvalidInputError(
                "start.train has {prefix!r}; no parameter's name begins so. There are {names}.",
                prefix=prefix,
                names=", ".join(names),
            )
    known = dict(start.model.named_parameters())
    new_score = model.config.score != start.model.config.score
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            trained = name.startswith(prefixes)
            parameter.requires_grad_(trained)
            source = None if new_score and name.startswith("score.") else known.get(name)
            if source is not None and source.shape == parameter.shape:
                parameter.copy_(source)
            elif not trained:
                raise InvalidInputError(
                    "Recipe {name} does not train {parameter}, and {base} has no such weights: train it as well.",
                    name=recipe.name,
                    parameter=name,
                    base=start.info.name,
                )
    return model
