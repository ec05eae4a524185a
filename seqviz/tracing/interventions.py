"""A run with forced gates and states, beside the same run without them.

Both go step by step through the equations of ``seqviz.models.cells`` in float64, so that whatever differs comes from
the interventions and from nothing else: without one, both are equal bit for bit. One loss is carried back through both
by the recursion of ``seqviz.tracing.backward``, with the slopes of whatever was forced set to 0.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqviz.errors import InvalidInputError, TextTooLongError, unknown_name
from seqviz.interventions import (
    MAX_INTERVENTIONS,
    STATE_LIMIT,
    ChangedGradients,
    ChangedLayer,
    Intervened,
    Intervention,
    Moved,
)
from seqviz.models.cells import Cell, Edit, unchanged
from seqviz.models.loading import LoadedModel
from seqviz.models.stack import Recorded, RecurrentStack
from seqviz.traces import NO_TARGET
from seqviz.tracing.forward import target_ids, to_tensors
from seqviz.tracing.gradients import Float64Model, goals_of, in_float64, loss_errors, loss_steps_of, through_layers
from seqviz.tracing.slopes import Passing
from seqviz.types import Direction, FloatArray, IntArray, Task

MOVED_KEPT = 12
_STATES = ("cell_state", "hidden_state")


class _Layer(NamedTuple):
    """One layer in one direction: every quantity of it, each (step, unit), in the order of the text.

    ``pre_activation`` is (step, block, unit).
    """

    layer: int
    direction: Direction
    values: dict[str, Tensor]

    def quantities(self) -> dict[str, FloatArray]:
        """Gates, candidate and states."""
        return {name: value.numpy() for name, value in self.values.items() if name != "pre_activation"}


class _Run(NamedTuple):
    """One of the two runs.

    Args:
        interventions: what was forced.
        layers: every layer and direction.
        log_probs: of the outputs, (step, label).
    """

    interventions: tuple[Intervention, ...]
    layers: list[_Layer]
    log_probs: Tensor


def intervene(
    loaded: LoadedModel,
    text: str,
    interventions: Sequence[Intervention],
    *,
    targets: Sequence[str] = (),
    loss_step: int | None = None,
    max_pieces: int | None = None,
) -> Intervened:
    """Runs a model on a text with and without the interventions, and carries one loss back through both.

    Args:
        loaded: the model, from ``seqviz.load``.
        text: any Unicode text.
        interventions: at most ``MAX_INTERVENTIONS``; of two that force the same number the later one holds. A gate
            takes 0 to 1, a candidate -1 to 1, a state ``±STATE_LIMIT``.
        targets: the right labels, as for ``trace``; where they are not given, a tagger's or classifier's losses are
            held against its own answers without the interventions.
        loss_step: the step whose loss is carried back, counted from 0; None for the sum of all.
        max_pieces: longest text that is accepted; None for any.

    Raises:
        InvalidInputError: the text has no piece, or no loss at that step, or an intervention lies outside the model,
            the text or its range.
        TextTooLongError: the text has more pieces than ``max_pieces``.
        UnknownNameError: the cell has no such quantity.
    """
    started = time.perf_counter()
    encoded = loaded.encoder.encode(text)
    if len(encoded) == 0:
        raise InvalidInputError("There is nothing to read yet: type at least one word.")
    if max_pieces is not None and len(encoded) > max_pieces:
        raise TextTooLongError(
            "The text has {count} pieces; the limit is {limit}.", count=len(encoded), limit=max_pieces
        )
    double = in_float64(loaded.model)
    _check(interventions, double.stack, len(encoded))
    ids, buckets = to_tensors(encoded)
    goals = target_ids(loaded, encoded, targets)
    task = loaded.info.config.task
    with torch.inference_mode():
        x = loaded.model.embed(ids, buckets).double()
        runs = []
        for chosen in ((), tuple(interventions)):
            layers = run_layers(double.stack, x, chosen)
            read = read_states(double.stack, x, chosen, layers, task)
            runs.append(_Run(chosen, layers, (read @ double.weight.T + double.bias).log_softmax(-1)))
        (_, before, log_p), (_, after, log_q) = runs
        divergence = (log_p.exp() * (log_p - log_q)).sum(-1).clamp(min=0.0)
        moved = _moved(log_p.exp(), log_q.exp(), loaded.labels)
        known = np.flatnonzero(goals != NO_TARGET)
        target_log_probs = np.full((2, len(encoded)), np.nan)
        for row, log_probs in enumerate((log_p, log_q)):
            target_log_probs[row, known] = log_probs.numpy()[known, goals[known]]
        gradients = _gradients(double, x, runs, goals_of(goals, log_p, task), loss_step, loaded)
    return Intervened(
        model=loaded.info.name,
        task=task,
        text=text,
        originals=encoded.originals,
        interventions=tuple(interventions),
        layers=tuple(
            ChangedLayer(
                layer=old.layer,
                direction=old.direction,
                cell=loaded.info.config.cell,
                before=old.quantities(),
                after=new.quantities(),
            )
            for old, new in zip(before, after, strict=True)
        ),
        divergence=divergence.numpy(),
        moved=moved,
        target_log_probs=target_log_probs,
        gradients=gradients,
        seconds=time.perf_counter() - started,
    )


def run_layers(stack: RecurrentStack, x: Tensor, interventions: Sequence[Intervention]) -> list[_Layer]:
    """All layers on x (1, step, embedding), step by step, with the interventions in force."""
    found: list[_Layer] = []
    for index in range(len(stack.layers)):
        outputs = []
        for direction in stack.directions:
            own = _own(interventions, index, direction)
            values = _run_cell(stack.cell(index, direction), x, direction, own)
            outputs.append(values["hidden_state"])
            found.append(_Layer(index, direction, values))
        x = torch.cat(outputs, -1).unsqueeze(0)
    return found


def _own(interventions: Sequence[Intervention], layer: int, direction: Direction) -> list[Intervention]:
    """The interventions in one layer and direction."""
    return [
        one for one in interventions if one.layer is None or (one.layer == layer and one.direction in (None, direction))
    ]


def _gradients(
    double: Float64Model,
    x: Tensor,
    runs: Sequence[_Run],
    goals: IntArray,
    loss_step: int | None,
    loaded: LoadedModel,
) -> ChangedGradients | None:
    """One loss, carried back through the run without and the run with the interventions."""
    if (goals == NO_TARGET).all() and loss_step is None:
        return None
    task, cell = loaded.info.config.task, loaded.info.config.cell
    steps = loss_steps_of(goals, loss_step)
    weights = x.new_ones(len(steps))
    sides: list[list[dict[str, FloatArray]]] = []
    for run in runs:
        d_states = loss_errors(run.log_probs, goals, steps, weights) @ double.weight
        recorded = [_recorded(double.stack, one, x) for one in run.layers]
        passing = [_passing(one, run.interventions) for one in run.layers]
        passes = through_layers(double.stack, recorded, d_states, task, passing=passing)
        found = [{"cell_state": one.found.cell_state, "hidden_state": one.found.hidden_state} for one in passes]
        sides.append([{name: d.numpy() for name, d in one.items() if d is not None} for one in found])
    return ChangedGradients(
        loss_steps=tuple(steps),
        target_names=tuple(loaded.labels[goals[step]] for step in steps),
        losses=np.array([-run.log_probs.numpy()[steps, goals[steps]].sum() for run in runs]),
        layers=tuple(
            ChangedLayer(layer=one.layer, direction=one.direction, cell=cell, before=before, after=after)
            for one, before, after in zip(runs[0].layers, *sides, strict=True)
        ),
    )


def _recorded(stack: RecurrentStack, one: _Layer, x: Tensor) -> Recorded:
    """A layer in the form that the way back through time reads; it needs no inputs of a layer, so all have ``x``."""
    values = {name: value.unsqueeze(0) for name, value in one.values.items()}
    return Recorded(one.layer, one.direction, stack.cell(one.layer, one.direction).block_names, x, values)


def _passing(one: _Layer, interventions: Sequence[Intervention]) -> Passing:
    """For each forced quantity of a layer (step, unit), in the order of the text: 0 where it was forced, else 1."""
    found: dict[str, Tensor] = {}
    for each in _own(interventions, one.layer, one.direction):
        if each.quantity not in found:
            found[each.quantity] = torch.ones_like(one.values["hidden_state"])
        last = None if each.last is None else each.last + 1
        found[each.quantity][each.first : last, slice(None) if each.unit is None else each.unit] = 0.0
    return found


def read_states(
    stack: RecurrentStack, x: Tensor, interventions: Sequence[Intervention], layers: Sequence[_Layer], task: Task
) -> Tensor:
    """What the output layer reads at every step, (step, unit·direction).

    A bidirectional classifier's answer to a beginning of the text reads both ends of that beginning, so every
    beginning is run anew.
    """
    top = layers[-len(stack.directions) :]
    if task != "classification" or len(top) == 1:
        return torch.cat([one.values["hidden_state"] for one in top], -1)
    rows = []
    for length in range(1, x.shape[1] + 1):
        forward, backward = run_layers(stack, x[:, :length], interventions)[-2:]
        rows.append(torch.cat([forward.values["hidden_state"][-1], backward.values["hidden_state"][0]]))
    return torch.stack(rows)


def _run_cell(cell: Cell, x: Tensor, direction: Direction, interventions: Sequence[Intervention]) -> dict[str, Tensor]:
    steps = range(x.shape[1]) if direction == "forward" else range(x.shape[1] - 1, -1, -1)
    projected, carry = cell.project_input(x), cell.initial_carry(1)
    rows: dict[int, dict[str, Tensor]] = {}
    for step in steps:
        carry, values = cell.step(projected[:, step], carry, _edit(interventions, step))
        rows[step] = {name: value[0] for name, value in values.items()}
    return {name: torch.stack([rows[step][name] for step in range(len(rows))]) for name in rows[0]}


def _edit(interventions: Sequence[Intervention], step: int) -> Edit:
    """What the interventions do at a step."""
    now = [one for one in interventions if one.first <= step and (one.last is None or step <= one.last)]
    if not now:
        return unchanged

    def edit(name: str, value: Tensor) -> Tensor:
        for one in now:
            if one.quantity == name:
                value = value.clone()
                value[..., slice(None) if one.unit is None else one.unit] = one.value
        return value

    return edit


def _moved(p: Tensor, q: Tensor, labels: Sequence[str]) -> tuple[tuple[Moved, ...], ...]:
    found = (q - p).abs().topk(min(MOVED_KEPT, p.shape[-1]), dim=-1).indices
    return tuple(
        tuple(
            Moved(label=labels[label], before=float(p[step, label]), after=float(q[step, label]))
            for label in row
            if p[step, label] != q[step, label]
        )
        for step, row in enumerate(found.tolist())
    )


def quantities(stack: RecurrentStack) -> tuple[str, ...]:
    """What of a model's cells can be forced, in the order of the equations."""
    cell = stack.cell(0, "forward")
    blocks = () if len(cell.block_names) == 1 else cell.block_names  # a plain cell's only block is its state
    return (*blocks, *(_STATES if cell.has_cell_state else _STATES[1:]))


def _check(interventions: Sequence[Intervention], stack: RecurrentStack, steps: int) -> None:
    if len(interventions) > MAX_INTERVENTIONS:
        raise InvalidInputError(
            "{field} is {value}; allowed is {low} to {high}.",
            field="interventions", value=len(interventions), low=0, high=MAX_INTERVENTIONS,
        )  # fmt: skip
    known, units = quantities(stack), stack.cell(0, "forward").hidden_size
    for one in interventions:
        if one.quantity not in known:
            raise unknown_name("quantity", one.quantity, known)
        low = 0.0 if one.quantity.endswith("gate") else -1.0 if one.quantity == "candidate" else -STATE_LIMIT
        high = STATE_LIMIT if one.quantity in _STATES else 1.0
        if not math.isfinite(one.value) or not low <= one.value <= high:
            raise InvalidInputError(
                "{field} is {value}; allowed is {low} to {high}.",
                field=one.quantity, value=one.value, low=low, high=high,
            )  # fmt: skip
        last = steps - 1 if one.last is None else one.last
        for field, value, count in (
            ("first", one.first, min(steps, last + 1)),
            ("last", last, steps),
            ("layer", one.layer or 0, len(stack.layers)),
            ("unit", one.unit or 0, units),
        ):
            if not 0 <= value < count:
                raise InvalidInputError(
                    "{field} is {value}; allowed is 0 to {last}.", field=field, value=value, last=count - 1
                )
        if one.direction is not None and one.direction not in stack.directions:
            raise unknown_name("direction", one.direction, stack.directions)
