"""Units over a long text as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence

from seqviz.units import LongText, Moments, Saturation, Score, Tracking, UnitSeries


def series_csv(text: LongText, series: UnitSeries) -> str:
    """One unit at every step: step, piece, value and, if there is one, the property."""
    rows = (
        {
            "step": step,
            "piece": text.piece(step),
            "value": str(series.values[step]),
            "property": "" if series.property is None else f"{series.property[step]:g}",
        }
        for step in range(len(text))
    )
    return _csv(rows, ("step", "piece", "value", "property"))


def tracking_json(tracking: Tracking) -> str:
    """Every ranking with what it rests on."""
    return _json(
        {
            "format": "seqviz-tracking",
            "format_version": 1,
            "quantity": tracking.quantity,
            "num_units": tracking.num_units,
            "rare": list(tracking.rare),
            "tracked": [
                {
                    "property": one.property,
                    "binary": one.binary,
                    "steps": one.steps,
                    "positives": one.positives,
                    "chance": one.chance,
                    "best": [_score(score) for score in one.best],
                }
                for one in tracking.tracked
            ],
        }
    )


def rankings_csv(trackings: Sequence[Tracking], models: Sequence[str]) -> str:
    """The best unit of every model for each property: model, quantity, property, unit, r held out, AUC, chance."""
    rows = (
        {
            "model": model,
            "quantity": tracking.quantity,
            "property": one.property,
            "unit": str(one.best[0].place),
            "held_out": repr(one.best[0].held_out),
            "auc": "" if math.isnan(one.best[0].auc) else repr(one.best[0].auc),
            "chance": repr(one.chance),
        }
        for model, tracking in zip(models, trackings, strict=True)
        for one in tracking.tracked
    )
    return _csv(rows, ("model", "quantity", "property", "unit", "held_out", "auc", "chance"))


def saturation_csv(saturation: Saturation, *, left: float = 0.1, right: float = 0.9) -> str:
    """Every unit of every gate: layer, direction, gate, unit, share below ``left``, share from ``right`` on."""
    rows = []
    for one in saturation.gates:
        below, above = one.saturation(left, right)
        rows += [
            {
                "layer": one.layer,
                "direction": one.direction,
                "gate": one.gate,
                "unit": unit,
                "left": repr(float(below[unit])),
                "right": repr(float(above[unit])),
            }
            for unit in range(len(below))
        ]
    return _csv(rows, ("layer", "direction", "gate", "unit", "left", "right"))


def saturation_json(saturation: Saturation) -> str:
    """The counts of every unit in hundredths."""
    gates = [
        {"layer": one.layer, "direction": one.direction, "gate": one.gate, "counts": one.counts.tolist()}
        for one in saturation.gates
    ]
    return _json({"format": "seqviz-saturation", "format_version": 1, "steps": saturation.steps, "gates": gates})


def moments_csv(text: LongText, moments: Moments) -> str:
    """Every match: start, end (not included), units that are on and off around, units on throughout, text."""
    rows = (
        {"start": one.start, "end": one.end, "exact": one.exact, "on": one.on, "text": text.span(one.start, one.end)}
        for one in moments.matches
    )
    return _csv(rows, ("start", "end", "exact", "on", "text"))


def moments_json(text: LongText, moments: Moments) -> str:
    """The pattern and its matches."""
    return _json(
        {
            "format": "seqviz-moments",
            "format_version": 1,
            "quantity": moments.quantity,
            "start": moments.start,
            "end": moments.end,
            "text": text.span(moments.start, moments.end),
            "threshold": moments.threshold,
            "slack": moments.slack,
            "units": [{"unit": str(one.place), "sign": one.sign, "mean": one.mean} for one in moments.units],
            "matches": [
                {
                    "start": one.start,
                    "end": one.end,
                    "exact": one.exact,
                    "on": one.on,
                    "text": text.span(one.start, one.end),
                }
                for one in moments.matches
            ],
        }
    )


def _score(score: Score) -> dict[str, object]:
    auc = None if math.isnan(score.auc) else score.auc
    return {"unit": str(score.place), "chosen": score.chosen, "held_out": score.held_out, "auc": auc}


def _csv(rows: Iterable[Mapping[str, object]], names: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
