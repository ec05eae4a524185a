"""A trace as JSON or CSV: every number, in digits that give back the same float32."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np

from seqviz.traces import RecurrentTrace, UnitSum


def trace_json(trace: RecurrentTrace) -> str:
    """The whole trace as JSON; arrays as nested lists in the axis order of ``seqviz.traces``."""
    layers = [
        {
            "layer": layer.layer,
            "direction": layer.direction,
            "cell": layer.cell,
            "block_names": list(layer.block_names),
            "inputs": _digits(layer.inputs),
            "pre_activation": _digits(layer.pre_activation),
            **{name: _digits(array) for name, array in layer.quantities().items()},
        }
        for layer in trace.layers
    ]
    content = {
        "format": "seqviz-trace",
        "format_version": 1,
        "model": trace.model,
        "task": trace.task,
        "structure": trace.structure,
        "text": trace.text,
        "pieces": list(trace.pieces),
        "originals": list(trace.originals),
        "ids": trace.ids.tolist(),
        "fed_back": trace.fed_back,
        "labels": list(trace.labels),
        "targets": trace.targets.tolist(),
        "logits": _digits(trace.logits),
        "probabilities": _digits(trace.probabilities),
        "losses": [None if np.isnan(loss) else _number(loss) for loss in trace.losses],
        "embeddings": _digits(trace.embeddings),
        "layers": layers,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def trace_csv(trace: RecurrentTrace) -> str:
    """Every state, gate and pre-activation as a row: layer, direction, step, token, quantity, unit, value."""
    return _csv(trace.rows(), ("layer", "direction", "step", "token", "quantity", "unit", "value"))


def unit_sum_csv(unit_sum: UnitSum) -> str:
    """The addends of a pre-activation as rows: kind, index, weight, value, product."""
    names = ("kind", "index", "weight", "value", "product")
    return _csv(({name: getattr(term, name) for name in names} for term in unit_sum.terms), names)


def _csv(rows: Any, names: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _number(value: Any) -> float:
    # The shortest digits that name this float32, instead of the long tail of its float64 twin.
    return float(str(value))


def _digits(array: Any) -> Any:
    if array.ndim == 0:
        return _number(array[()])
    if array.ndim == 1:
        return [_number(value) for value in array]
    return [_digits(row) for row in array]
