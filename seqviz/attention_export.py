"""Attention as JSON or CSV: every weight, in digits that give back the same number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from seqviz.analysis.attention import AttentionGrid, attention_grid, regulariser
from seqviz.attention import EditedTranslation, Readings
from seqviz.export import csv_text
from seqviz.length_bleu import LengthBleu
from seqviz.translations import ForcedTranslation


def attention_json(translation: ForcedTranslation, *, tau: float = 1.0) -> str:
    """A translation's weights by pieces and by words, with their marginals and the regulariser for τ."""
    content = {
        "format": "seqviz-attention",
        "format_version": 1,
        "model": translation.model,
        "source": _text(translation.source.text, translation.source.pieces),
        "target": _text(translation.target.text, translation.target.pieces),
        "log_probs": translation.log_probs.tolist(),
        "tau": tau,
        **{unit: _grid(attention_grid(translation, unit), tau) for unit in ("words", "pieces")},
    }
    return _written(content)


def attention_csv(translation: ForcedTranslation) -> str:
    """A row for each cell, by words and by pieces: unit, row, target, column, source, weight."""

    return csv_text(_cells(translation), _CELL_COLUMNS)


def compared_json(translations: Sequence[ForcedTranslation], *, tau: float = 1.0) -> str:
    """The weights of several models for one translation, each as in ``attention_json``."""
    models = [json.loads(attention_json(one, tau=tau)) for one in translations]
    return _written({"format": "seqviz-attention-models", "format_version": 1, "models": models})


def compared_csv(translations: Sequence[ForcedTranslation]) -> str:
    """A row for each cell and model: model, unit, row, target, column, source, weight."""
    return csv_text(
        ({"model": one.model, **row} for one in translations for row in _cells(one)), ("model", *_CELL_COLUMNS)
    )


def edited_json(edited: EditedTranslation) -> str:
    """A translation before and after edits of its attention, with what each edit did."""
    content = {
        "format": "seqviz-attention-edit",
        "format_version": 1,
        **{name: json.loads(attention_json(one)) for name, one in (("before", edited.before), ("after", edited.after))},
        "edits": [
            {
                "step": step.edit.step,
                "kind": step.edit.kind,
                "before": step.before.tolist(),
                "after": step.after.tolist(),
                "candidates": [edited.names[token] for token in step.candidate_tokens.tolist()],
                "before_log_probs": step.before_log_probs.tolist(),
                "after_log_probs": step.after_log_probs.tolist(),
            }
            for step in edited.steps
        ],
    }
    return _written(content)


def readings_json(read: Readings) -> str:
    """The three readings as nested lists, (target word, source word)."""
    content = {
        "format": "seqviz-readings",
        "format_version": 1,
        "model": read.model,
        "source": list(read.source.labels),
        "target": list(read.target.labels),
        "log_probs": read.log_probs.tolist(),
        **{name: np.where(np.isfinite(one), one, 0.0).tolist() for name, one in read.named().items()},
    }
    return _written(content)


def readings_csv(read: Readings) -> str:
    """A row for each pair of words: row, target, column, source, and the three readings."""

    def rows() -> Iterator[dict[str, Any]]:
        for row, column in np.ndindex(read.attention.shape):
            yield {
                "row": row, "target": read.target.labels[row], "column": column, "source": read.source.labels[column],
                **{name: repr(float(one[row, column])) for name, one in read.named().items()},
            }  # fmt: skip

    return csv_text(rows(), ("row", "target", "column", "source", *read.named()))


_CELL_COLUMNS = ("unit", "row", "target", "column", "source", "weight")


def _cells(translation: ForcedTranslation) -> Iterator[dict[str, Any]]:
    for unit in ("words", "pieces"):
        grid = attention_grid(translation, unit)
        for (row, column), weight in np.ndenumerate(grid.weights):
            yield {
                "unit": unit, "row": row, "target": grid.rows[row], "column": column,
                "source": grid.columns[column], "weight": repr(float(weight)),
            }  # fmt: skip


def _text(text: str, pieces: tuple[str, ...]) -> dict[str, Any]:
    return {"text": text, "pieces": list(pieces)}


def _grid(grid: AttentionGrid, tau: float) -> dict[str, Any]:
    return {
        "rows": list(grid.rows),
        "columns": list(grid.columns),
        "weights": grid.weights.tolist(),
        "coverage": grid.coverage.tolist(),
        "entropy_bits": grid.entropy.tolist(),
        "regulariser": regulariser(grid.coverage, tau),
    }


def _written(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def growth_json(curves: Mapping[str, Sequence[float]], texts: Sequence[tuple[str, str]]) -> str:
    """chrF of each model's translation of a growing sentence; ``texts`` are its stages with a person's translations."""
    stages = [{"source": source, "reference": reference} for source, reference in texts]
    chrf = [{"model": model, "chrf": list(values)} for model, values in curves.items()]
    return _written({"format": "seqviz-growing-sentence", "format_version": 1, "stages": stages, "models": chrf})


def growth_csv(curves: Mapping[str, Sequence[float]]) -> str:
    """A row for each model and number of clauses: model, clauses, chrf."""
    return csv_text(
        (
            {"model": model, "clauses": index + 1, "chrf": repr(float(value))}
            for model, values in curves.items()
            for index, value in enumerate(values)
        ),
        ("model", "clauses", "chrf"),
    )


def lengths_json(measured: Sequence[LengthBleu]) -> str:
    """BLEU by the length of the source of several models."""
    return _written(
        {"format": "seqviz-bleu-by-length", "format_version": 1, "models": [asdict(one) for one in measured]}
    )


def lengths_csv(measured: Sequence[LengthBleu]) -> str:
    """A row for each bin: model, first, last, mean, sources, bleu, low_bleu, high_bleu."""
    names = ("model", "first", "last", "mean", "sources", "bleu", "low_bleu", "high_bleu")
    return csv_text(({"model": one.model, **asdict(each)} for one in measured for each in one.bins), names)
