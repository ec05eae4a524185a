"""Which units track which property of a text, with a held-out check.

Among thousands of units some follow any property by chance. So the units are chosen on one half of the text and their
scores reported on the other; and the same search runs on the property shifted in time, where nothing is to be found.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from seqviz.analysis.properties import Property
from seqviz.analysis.scores import auc, chance_level, correlations
from seqviz.types import FloatArray
from seqviz.units import LayerShape, Score, Tracked, Tracking, UnitPlace

FEWEST = 8
"""Pieces that a property needs on either side, in each half."""

Layers = Sequence[tuple[LayerShape, FloatArray]]


def track(layers: Layers, properties: Sequence[Property], *, quantity: str, best: int = 12) -> Tracking:
    """Ranks the units for every property.

    Args:
        layers: each with its (step, unit) values.
        properties: of the same text.
        quantity: name of the values.
        best: units reported for each property.
    """
    started = time.perf_counter()
    steps = len(layers[0][1])
    half = steps // 2
    usable = [one for one in properties if _occurs(one, half)]
    found: tuple[Tracked, ...] = ()
    if usable:
        wanted = np.stack([one.values for one in usable], 1)
        places = [
            UnitPlace(layer=s.layer, direction=s.direction, unit=u) for s, _ in layers for u in range(s.num_units)
        ]
        chosen = np.concatenate([correlations(values[:half], wanted[:half]) for _, values in layers])
        held = np.concatenate([correlations(values[half:], wanted[half:]) for _, values in layers])
        chance = chance_level([values[:half] for _, values in layers], wanted[:half])
        found = tuple(
            _tracked(layers, one, places, chosen[:, i], held[:, i], float(chance[i]), half=half, best=best)
            for i, one in enumerate(usable)
        )
    rare = tuple(one.name for one in properties if one not in usable)
    return Tracking(
        quantity=quantity,
        num_units=sum(shape.num_units for shape, _ in layers),
        tracked=tuple(sorted(found, key=lambda one: -abs(one.best[0].held_out))),
        rare=rare,
        seconds=time.perf_counter() - started,
    )


def unit_scores(values: FloatArray, place: UnitPlace, properties: Sequence[Property]) -> tuple[Score, ...]:
    """How well one unit tracks every property, the best first; values (step,)."""
    half = len(values) // 2
    column = values[:, None]
    scores = [
        _score(
            place,
            one,
            float(correlations(column[:half], one.values[:half, None])[0, 0]),
            float(correlations(column[half:], one.values[half:, None])[0, 0]),
            values[half:],
            half,
        )
        for one in properties
        if _occurs(one, half)
    ]
    return tuple(sorted(scores, key=lambda score: -abs(score.held_out)))


def _occurs(one: Property, half: int) -> bool:
    parts = (one.values[:half] != 0, one.values[half:] != 0)
    return all(min(int(part.sum()), int((~part).sum())) >= FEWEST for part in parts)


def _tracked(
    layers: Layers,
    one: Property,
    places: Sequence[UnitPlace],
    chosen: FloatArray,
    held: FloatArray,
    chance: float,
    *,
    half: int,
    best: int,
) -> Tracked:
    order = np.argsort(-np.abs(chosen), kind="stable")[:best]
    columns = {(shape.layer, shape.direction): values for shape, values in layers}
    scores = []
    for index in order:
        place = places[index]
        values = columns[place.layer, place.direction][half:, place.unit]
        scores.append(_score(place, one, float(chosen[index]), float(held[index]), values, half))
    return Tracked(
        property=one.name,
        binary=one.binary,
        steps=len(one.values) - half,
        positives=int((one.values[half:] != 0).sum()),
        best=tuple(scores),
        chance=chance,
    )


def _score(place: UnitPlace, one: Property, chosen: float, held: float, held_values: FloatArray, half: int) -> Score:
    area = float("nan")
    if one.binary:
        area = auc(held_values if chosen >= 0 else -held_values, one.values[half:])
    return Score(place=place, property=one.name, chosen=chosen, held_out=held, auc=area)
