"""What the Gates page shows as JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from seqviz.export import csv_text
from seqviz.gates import NumberUnits
from seqviz.interventions import ChangedGradients, ChangedLayer, Intervened
from seqviz.memory import NEVER, carried, half_lives, mean_half_lives
from seqviz.traces import LayerTrace


def carried_csv(part: LayerTrace, unit: int, originals: Sequence[str]) -> str:
    """What a unit still carries of each step at every later one: unit, from_step, from, to_step, to, share."""
    shares = carried(part, unit)
    rows = (
        {"unit": unit, "from_step": a, "from": originals[a], "to_step": b, "to": originals[b],
         "share": repr(float(shares[a, b]))}
        for a, b in np.ndindex(*shares.shape)
        if np.isfinite(shares[a, b])
    )  # fmt: skip
    return csv_text(rows, ("unit", "from_step", "from", "to_step", "to", "share"))


def half_lives_csv(part: LayerTrace, step: int) -> str:
    """Half-lives of all units from a step on, and that of their average gate; never is written as such."""
    rows = (
        {"unit": unit, "steps": "never" if life == NEVER else int(life), "mean_half_life": repr(float(mean))}
        for unit, (life, mean) in enumerate(zip(half_lives(part, step), mean_half_lives(part), strict=True))
    )
    return csv_text(rows, ("unit", "steps", "mean_half_life"))


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
        "layers": [_changed(part) for part in found.layers],
        "gradients": None if found.gradients is None else _gradients(found.gradients),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def _gradients(found: ChangedGradients) -> dict[str, object]:
    return {
        "loss_steps": list(found.loss_steps),
        "target_names": list(found.target_names),
        "losses_nats": found.losses.tolist(),
        "layers": [_changed(part) for part in found.layers],
    }


def _changed(part: ChangedLayer) -> dict[str, object]:
    return {
        "layer": part.layer,
        "direction": part.direction,
        "before": {name: values.tolist() for name, values in part.before.items()},
        "after": {name: values.tolist() for name, values in part.after.items()},
    }


def gradient_norms_csv(found: Intervened) -> str:
    """Norms of the gradients of both runs: layer, direction, step, token, quantity, before, after."""
    gradients = found.gradients
    rows = (
        {"layer": part.layer, "direction": part.direction, "step": step, "token": found.originals[step],
         "quantity": name, "before": repr(before), "after": repr(after)}
        for part in ([] if gradients is None else gradients.layers)
        for name in part.before
        for step, (before, after) in enumerate(
            gradients.norms(part.layer, part.direction, name).T.tolist() if gradients is not None else []
        )
    )  # fmt: skip
    return csv_text(rows, ("layer", "direction", "step", "token", "quantity", "before", "after"))


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
    return csv_text(rows, ("layer", "direction", "step", "token", "quantity", "unit", "before", "after"))
