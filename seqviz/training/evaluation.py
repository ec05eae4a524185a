"""The standard figures of a checkpoint on a file."""

from __future__ import annotations

from pathlib import Path

import torch

from seqviz.errors import InvalidInputError
from seqviz.metrics.corpus_bleu import corpus_bleu
from seqviz.models.loading import LoadedModel, LoadedTranslator
from seqviz.training.datasets import read_classification, read_tagging, read_text
from seqviz.training.parallel import by_source
from seqviz.training.preparation import classified, corpus_ids, pairs_of, tagged
from seqviz.training.tasks import Example, evaluate_examples, language_model_figures
from seqviz.training.translation import translation_figures


def evaluate_translator(loaded: LoadedTranslator, path: Path) -> tuple[dict[str, float], str]:
    """BLEU of a translation model on a file of pairs, greedy and with beam 5, and sacrebleu's signature.

    All references of a source count; the columns are those of the model's recipe.
    """
    references = by_source(pairs_of(loaded.info.details["data"], path))
    if not references:
        raise InvalidInputError("{path} has no sentence pairs.", path=path)
    figures = translation_figures(loaded.model, loaded.encoder, references)
    # The signature says how many references there are, whatever is compared with them.
    known = list(references.values())
    return figures, corpus_bleu([first for first, *_ in known], known).signature


def evaluate_file(loaded: LoadedModel, path: Path) -> dict[str, float]:
    """The task's standard figures of a model on a file of the documented format (``seqviz.training.datasets``)."""
    task, labels = loaded.model.config.task, loaded.labels
    examples: list[Example]
    with torch.inference_mode():
        if task == "language_model":
            split = bool(loaded.info.details.get("data", {}).get("already_split"))
            ids = torch.tensor(corpus_ids(loaded.encoder, read_text(path), already_split=split))
            if len(ids) < 2:
                raise InvalidInputError("{path} has {count} tokens; at least 2 are needed.", path=path, count=len(ids))
            return language_model_figures(loaded.model, ids)
        if task == "classification":
            examples = classified(read_classification(path), loaded.encoder, labels)
        else:
            examples = tagged(read_tagging(path), loaded.encoder, labels)
        if not examples:
            raise InvalidInputError("{path} has no examples.", path=path)
        return evaluate_examples(loaded.model, examples, labels=labels, tagging=task == "tagging")
