"""Frozen results about the units of a recurrent model over a long text: plain values and numpy arrays. No torch here.

A unit is named by layer, direction and index; a *piece* is a step of the run: a character or a word. Places in the text
are counted in code points, steps from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqviz.traces import freeze
from seqviz.types import Direction, FloatArray, IntArray, Task

MAX_LONG_PIECES = 20_000
"""Longest text, in pieces, whose units are looked at; longer ones are refused with the count and this limit."""

SATURATION_BINS = 100
"""Equal bins between 0 and 1 in which the values of a gate are counted."""

PieceKind = Literal["character", "word"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the reading of a long text is.

    Args:
        done, total: steps through all layers and directions (and written pieces, where the model writes the text).
        seconds: computing time so far.
        num_bytes: memory that the numbers take, once all are there.
        waiting: nothing was done, because another long text is being read.
    """

    done: int
    total: int
    seconds: float
    num_bytes: int
    waiting: bool = False

    @property
    def finished(self) -> bool:
        """Whether every number is there."""
        return self.done >= self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlace:
    """Which unit: layer and index from 0."""

    layer: int
    direction: Direction
    unit: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.direction}.{self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerShape:
    """What a layer and direction has: its cell, number of units, and the names of its gates and states."""

    layer: int
    direction: Direction
    cell: str
    num_units: int
    quantities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongText:
    """A text as a model read it.

    Args:
        model, task: which model.
        kind: what a piece is.
        text: the whole text.
        starts, ends: code points where each piece starts and ends, (step,).
        unknown: 1 for pieces outside the model's vocabulary, (step,).
        first_written: first step that the model wrote itself; the number of steps if there is none.
        layers: by layer, forward before backward.
    """

    model: str
    task: Task
    kind: PieceKind
    text: str
    starts: IntArray
    ends: IntArray
    unknown: IntArray
    first_written: int
    layers: tuple[LayerShape, ...]

    def __post_init__(self) -> None:
        freeze(self)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def quantities(self) -> tuple[str, ...]:
        """What every unit has: states first, then the gates."""
        names = list(dict.fromkeys(name for shape in self.layers for name in shape.quantities))
        states = [name for name in ("cell_state", "hidden_state") if name in names]
        return (*states, *(name for name in names if name not in states))

    def piece(self, step: int) -> str:
        """A piece as it is written."""
        return self.text[self.starts[step] : self.ends[step]]

    def span(self, start: int, end: int) -> str:
        """The text of steps ``start`` to ``end - 1``, with what stands between them."""
        return self.text[self.starts[start] : self.ends[end - 1]] if end > start else ""

    def steps(self, start: int, end: int) -> tuple[int, int]:
        """The steps of the code points [start, end), at least one: the first, and the one behind the last."""
        first = min(int(np.searchsorted(self.starts, start)), len(self) - 1)
        return first, max(first + 1, int(np.searchsorted(self.starts, end)))


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCounts:
    """How often the units of a layer had which value of a gate.

    Args:
        layer, direction, gate: which gate.
        counts: steps of each unit in each bin, (unit, bin); bin b holds b/100 <= value < (b+1)/100, the last one 1 too.
    """

    layer: int
    direction: Direction
    gate: str
    counts: IntArray

    def saturation(self, left: float = 0.1, right: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """Share of steps below ``left`` and from ``right`` on, each (unit,) (Karpathy et al. 2015, section 4.2).

        Args:
            left, right: rounded to hundredths.
        """
        total = self.counts.sum(1)
        low, high = round(left * SATURATION_BINS), round(right * SATURATION_BINS)
        return self.counts[:, :low].sum(1) / total, self.counts[:, high:].sum(1) / total


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """The gates of a model over a text; ``gates`` is empty for cells without any."""

    steps: int
    gates: tuple[GateCounts, ...]

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSeries:
    """One quantity of one unit at every step.

    Args:
        place, quantity: which number.
        values: (step,) float32.
        property: what the text says at every step, (step,) float32; None if no property was asked for.
        binary: whether the property is yes or no.
        scores: how well the unit tracks each property of the text, the best first.
    """

    place: UnitPlace
    quantity: str
    values: FloatArray
    property: FloatArray | None
    binary: bool
    scores: tuple[Score, ...]

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a unit tracks a property: chosen on one half of the text, reported on the other.

    Args:
        place: the unit.
        property: name of the property.
        chosen: correlation on the half that the choice was made on.
        held_out: correlation on the other half.
        auc: area under the ROC curve on that other half for yes/no properties, of the value or, for a unit that falls
            where the property holds, of its negative; nan for other properties.
    """

    place: UnitPlace
    property: str
    chosen: float
    held_out: float
    auc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    r"""The units that track one property best.

    Args:
        property: its name.
        binary: whether it is yes or no.
        steps: pieces of the half that the report rests on.
        positives: of these, the pieces where a yes/no property holds; pieces that are not 0 for others.
        best: the units of the highest \|correlation\| on the other half, the highest first.
        chance: highest \|correlation\| that any unit reaches with this property shifted in time, where it can mean
            nothing: what a search among so many units finds by itself.
    """

    property: str
    binary: bool
    steps: int
    positives: int
    best: tuple[Score, ...]
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Which units track what.

    Args:
        quantity: which numbers were searched.
        num_units: how many units were searched.
        tracked: for each property that occurs often enough in both halves.
        rare: names of the properties that do not.
        seconds: of the search.
    """

    quantity: str
    num_units: int
    tracked: tuple[Tracked, ...]
    rare: tuple[str, ...]
    seconds: float

    def first_property(self, pattern: str = "") -> str:
        """What is shown first: the reader's own pattern where it occurs, else the first property; empty for none."""
        names = [one.property for one in self.tracked]
        return "pattern" if pattern and "pattern" in names else next(iter(names), "")

    def best_unit(self, name: str, text: LongText) -> UnitPlace:
        """The unit that tracks a property best; without one the first unit of the model."""
        found = next((one for one in self.tracked if one.property == name), None)
        if found is not None:
            return found.best[0].place
        return UnitPlace(layer=text.layers[0].layer, direction=text.layers[0].direction, unit=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternUnit:
    """A unit that is on throughout the brushed span and off around it; ``sign`` is -1 if it is on below -threshold."""

    place: UnitPlace
    sign: int
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Another span with the same pattern.

    Args:
        start, end: steps, the end not included.
        exact: units of the pattern that are on throughout it and off around it.
        on: units of the pattern that are on throughout it.
    """

    start: int
    end: int
    exact: int
    on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Spans of the text that look alike to the model (Strobelt et al. 2018).

    Args:
        quantity, start, end, threshold, slack: what was asked.
        units: the pattern, the strongest unit first.
        num_units: units of the whole pattern; more than ``units`` where only the strongest were used.
        on: units that are on throughout the span, whether or not they are off around it.
        units_on: how many of ``units`` are on at each step, (step,).
        matches: ranked.
        seconds: of the search.
    """

    quantity: str
    start: int
    end: int
    threshold: float
    slack: int
    units: tuple[PatternUnit, ...]
    num_units: int
    on: int
    units_on: IntArray
    matches: tuple[Match, ...]
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)
