"""Interventions on a run, and what they change: frozen results, no torch here.

An intervention forces a gate, a candidate or a state of some units to a value at some steps; everything behind it
follows from the model's own equations. ``seqviz.tracing.interventions`` runs it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqviz.errors import InvalidInputError
from seqviz.traces import freeze
from seqviz.types import Direction, FloatArray, Task

MAX_INTERVENTIONS = 12
STATE_LIMIT = 100.0
"""Largest magnitude that a state may be set to."""

_FORM = re.compile(
    r"(?P<quantity>[a-z_]+)=(?P<value>[-+.\deE]+)@(?P<first>\d{1,4})(?:-(?P<last>\d{1,4})?)?"
    r"(?::(?P<layer>\d{1,2})\.(?P<direction>forward|backward)(?:\.(?P<unit>\d{1,5}))?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """One forced quantity.

    Args:
        quantity: a gate, ``"candidate"``, ``"cell_state"`` or ``"hidden_state"``.
        value: what it becomes.
        first, last: steps in the order of the text, counted from 0, both included; None for the last step.
        layer, direction: where; both None for every layer and direction.
        unit: None for all units of the layer.
    """

    quantity: str
    value: float
    first: int = 0
    last: int | None = None
    layer: int | None = None
    direction: Direction | None = None
    unit: int | None = None

    def to_text(self) -> str:
        """Its short form, as in ``forget_gate=0@2-9:0.forward.17``; an open end has no number behind the dash."""
        steps = f"{self.first}" if self.last == self.first else f"{self.first}-{'' if self.last is None else self.last}"
        place = "" if self.layer is None else f":{self.layer}.{self.direction or 'forward'}"
        return f"{self.quantity}={self.value:g}@{steps}{place}{'' if self.unit is None else f'.{self.unit}'}"


def parse_intervention(text: str) -> Intervention:
    """Reads the short form; raises InvalidInputError where it is not one."""
    found = _FORM.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        value = float(found["value"])
    except ValueError:
        raise InvalidInputError(
            "{text!r} is no intervention; one is written as forget_gate=0@2-9:0.forward.17.", text=text[:60]
        ) from None
    first = int(found["first"])
    open_end = "-" in text[text.index("@") :].partition(":")[0] and found["last"] is None
    return Intervention(
        quantity=found["quantity"],
        value=value,
        first=first,
        last=None if open_end else int(found["last"]) if found["last"] is not None else first,
        layer=None if found["layer"] is None else int(found["layer"]),
        direction=None if found["direction"] is None else "backward" if found["direction"] == "backward" else "forward",
        unit=None if found["unit"] is None else int(found["unit"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLayer:
    """A layer in one direction with and without the interventions.

    Args:
        layer, direction, cell: which one.
        before, after: gates, candidate and states by name, each (step, unit).
    """

    layer: int
    direction: Direction
    cell: str
    before: dict[str, FloatArray]
    after: dict[str, FloatArray]

    def difference(self, quantity: str) -> FloatArray:
        """after - before, (step, unit)."""
        return np.asarray(self.after[quantity] - self.before[quantity])


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The probability of a label with and without the interventions."""

    label: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedUnit:
    """A number of a unit where it moved furthest: a state, or the gradient of a state."""

    layer: int
    direction: Direction
    quantity: str
    unit: int
    step: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedNorm:
    """The norm of the gradient of a layer's state at a step, with and without the interventions."""

    layer: int
    direction: Direction
    quantity: str
    step: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedGradients:
    """One loss carried back through both runs, in float64.

    A forced number is a constant: the loss may have a gradient in it, which is given, but nothing goes on behind it.

    Args:
        loss_steps: steps whose losses are added up to L.
        target_names: the right label at each of them, the same in both runs.
        losses: L before and after, nats, (2,).
        layers: ∂L/∂h_t, and ∂L/∂c_t where there is a cell state, of every layer and direction, before and after.
    """

    loss_steps: tuple[int, ...]
    target_names: tuple[str, ...]
    losses: FloatArray
    layers: tuple[ChangedLayer, ...]

    def norms(self, layer: int, direction: Direction, quantity: str) -> FloatArray:
        """L2 norms of ∂L/∂h_t or ∂L/∂c_t at every step, before and after, (2, step)."""
        part = next(one for one in self.layers if (one.layer, one.direction) == (layer, direction))
        return np.stack([np.linalg.norm(side[quantity], axis=1) for side in (part.before, part.after)])

    def moved_norms(self, count: int = 8) -> list[MovedNorm]:
        """The layers and steps whose norm moved furthest, the furthest first; only those that moved."""
        found = []
        for part in self.layers:
            for quantity in part.before:
                before, after = self.norms(part.layer, part.direction, quantity).tolist()
                found += [
                    MovedNorm(
                        layer=part.layer, direction=part.direction, quantity=quantity, step=step, before=a, after=b
                    )
                    for step, (a, b) in enumerate(zip(before, after, strict=True))
                    if a != b
                ]
        return sorted(found, key=lambda moved: -abs(moved.after - moved.before))[:count]

    def moved_units(self, count: int = 8) -> list[MovedUnit]:
        """The units whose gradient moved furthest at any step, the furthest first."""
        return [one for one in _moved_units(self.layers, count) if one.before != one.after]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervened:
    """A run with interventions beside the same run without them; both in float64.

    Args:
        model, task, text, originals: as in a trace.
        interventions: what was forced.
        layers: every layer and direction.
        divergence: KL(before ‖ after) of the output's distribution at each step, nats, (step,).
        moved: for each step the labels whose probability moved furthest, the furthest first.
        target_log_probs: ln P of what was right, before and after, (2, step); nan where it is not known.
        gradients: the loss carried back through both; None where the text has no loss.
        seconds: what both runs took in the worker.
    """

    model: str
    task: Task
    text: str
    originals: tuple[str, ...]
    interventions: tuple[Intervention, ...]
    layers: tuple[ChangedLayer, ...]
    divergence: FloatArray
    moved: tuple[tuple[Moved, ...], ...]
    target_log_probs: FloatArray
    gradients: ChangedGradients | None
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)

    def __len__(self) -> int:
        return len(self.originals)

    def moved_units(self, count: int = 8) -> list[MovedUnit]:
        """The units whose hidden state moved furthest at any step, the furthest first."""
        return _moved_units(self.layers, count, quantities=("hidden_state",))

    def first_changed(self) -> int | None:
        """The first step whose output moved; None if none did."""
        steps = np.flatnonzero(self.divergence > 0)
        return int(steps[0]) if len(steps) else None


def _moved_units(
    layers: Sequence[ChangedLayer], count: int, *, quantities: Sequence[str] | None = None
) -> list[MovedUnit]:
    found: list[MovedUnit] = []
    for part in layers:
        for quantity in quantities or part.before:
            difference = np.abs(part.difference(quantity))
            steps, reach = difference.argmax(0), difference.max(0)
            for unit in np.argsort(-reach, kind="stable")[:count].tolist():
                step = int(steps[unit])
                before, after = (float(side[quantity][step, unit]) for side in (part.before, part.after))
                found.append(
                    MovedUnit(
                        layer=part.layer,
                        direction=part.direction,
                        quantity=quantity,
                        unit=unit,
                        step=step,
                        before=before,
                        after=after,
                    )
                )
    return sorted(found, key=lambda moved: -abs(moved.after - moved.before))[:count]


_COUNTERPARTS = {
    "forget_gate": "update_gate",
    "update_gate": "forget_gate",
    "cell_state": "hidden_state",
}
"""What keeps the old memory in an LSTM and in a GRU, and what a GRU has for the memory itself (Ng: c = a)."""


def counterpart(quantity: str, quantities: Sequence[str]) -> str:
    """Itself where another cell has the quantity, else what plays its part there, else itself all the same."""
    other = _COUNTERPARTS.get(quantity, "")
    return other if quantity not in quantities and other in quantities else quantity


def fitted(interventions: Sequence[Intervention], *, quantities: Sequence[str], steps: int) -> tuple[Intervention, ...]:
    """The same interventions for another run; what has no counterpart there is left as it is, to be refused.

    Args:
        interventions: made for one run.
        quantities: what the other run's cells have.
        steps: the other run's; an end behind them becomes an open end.
    """
    found = []
    for one in interventions:
        last = None if one.last is not None and one.last >= steps > one.first else one.last
        found.append(replace(one, quantity=counterpart(one.quantity, quantities), last=last))
    return tuple(found)


def without_last(interventions: Sequence[Intervention]) -> tuple[Intervention, ...]:
    """Undo."""
    return tuple(interventions[:-1])
