"""A trace as JSON or CSV: every number, in digits that give back the same float32."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from seqviz.gates import NumberUnits
from seqviz.gradients import BackwardTrace
from seqviz.interventions import Intervened
from seqviz.memory import NEVER, carried, half_lives, mean_half_lives
from seqviz.traces import LayerTrace, RecurrentTrace, UnitSum


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


def backward_json(trace: BackwardTrace) -> str:
    """A whole backward pass as JSON: gradients of every step as nested lists, float64."""
    content = {
        "format": "seqviz-backward",
        "format_version": 1,
        "model": trace.model,
        "originals": list(trace.originals),
        "loss_steps": list(trace.loss_steps),
        "targets": list(trace.target_names),
        "multiplier": trace.multiplier,
        "loss": trace.loss,
        "losses": [None if np.isnan(loss) else float(loss) for loss in trace.losses],
        "outputs": trace.outputs.tolist(),
        "embeddings": trace.embeddings.tolist(),
        "layers": [
            {
                "layer": part.layer,
                "direction": part.direction,
                "block_names": list(part.block_names),
                "hidden_state": part.hidden_state.tolist(),
                "cell_state": None if part.cell_state is None else part.cell_state.tolist(),
                "pre_activation": part.pre_activation.tolist(),
            }
            for part in trace.layers
        ],
        "weights": [
            {
                "name": weight.name,
                "layer": weight.layer,
                "direction": weight.direction,
                "step_norms": weight.step_norms.tolist(),
                "running_norms": weight.running_norms.tolist(),
                "agreement": weight.agreement.tolist(),
                "total_norm": weight.total_norm,
                "autograd_norm": weight.autograd_norm,
                "difference": weight.difference,
            }
            for weight in trace.weights
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def backward_csv(trace: BackwardTrace) -> str:
    """The norms of every step as rows: layer, direction, step, token, quantity, norm."""
    rows = (
        {
            "layer": part.layer,
            "direction": part.direction,
            "step": step,
            "token": token,
            "quantity": quantity,
            "norm": repr(float(norms[step])),
        }
        for part in trace.layers
        for quantity, norms in trace.norms(part.layer, part.direction).items()
        for step, token in enumerate(trace.originals)
    )
    return _csv(rows, ("layer", "direction", "step", "token", "quantity", "norm"))


def carried_csv(part: LayerTrace, unit: int, originals: Sequence[str]) -> str:
    """What a unit still carries of each step at every later one: unit, from_step, from, to_step, to, share."""
    shares = carried(part, unit)
    rows = (
        {"unit": unit, "from_step": a, "from": originals[a], "to_step": b, "to": originals[b],
         "share": repr(float(shares[a, b]))}
        for a, b in np.ndindex(*shares.shape)
        if np.isfinite(shares[a, b])
    )  # fmt: skip
    return _csv(rows, ("unit", "from_step", "from", "to_step", "to", "share"))


def half_lives_csv(part: LayerTrace, step: int) -> str:
    """Half-lives of all units from a step on, and that of their average gate; never is written as such."""
    rows = (
        {"unit": unit, "steps": "never" if life == NEVER else int(life), "mean_half_life": repr(float(mean))}
        for unit, (life, mean) in enumerate(zip(half_lives(part, step), mean_half_lives(part), strict=True))
    )
    return _csv(rows, ("unit", "steps", "mean_half_life"))


def number_units_json(found: Sequence[NumberUnits]) -> str:
    """The search for number units of several models as JSON."""
    content = {
        "format": "seqviz-number-units",
        "format_version": 1,
        "models": [{**asdict(one), "courses": one.courses.tolist()} for one in found],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def intervened_json(found: Intervened) -> str:
    """Both runs as JSON: every quantity before and after, float64."""
    content = {
        "format": "seqviz-interventions",
        "format_version": 1,
        "model": found.model,
        "text": found.text,
        "originals": list(found.originals),
        "interventions": [one.to_text() for one in found.interventions],
        "divergence_nats": found.divergence.tolist(),
        "moved": [[asdict(one) for one in step] for step in found.moved],
        "layers": [
            {
                "layer": part.layer,
                "direction": part.direction,
                "before": {name: values.tolist() for name, values in part.before.items()},
                "after": {name: values.tolist() for name, values in part.after.items()},
            }
            for part in found.layers
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def intervened_csv(found: Intervened) -> str:
    """Both runs as rows: layer, direction, step, token, quantity, unit, before, after."""
    rows = (
        {"layer": part.layer, "direction": part.direction, "step": step, "token": found.originals[step],
         "quantity": name, "unit": unit, "before": repr(float(values[step, unit])),
         "after": repr(float(part.after[name][step, unit]))}
        for part in found.layers
        for name, values in part.before.items()
        for step, unit in np.ndindex(*values.shape)
    )  # fmt: skip
    return _csv(rows, ("layer", "direction", "step", "token", "quantity", "unit", "before", "after"))


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
