"""The backward pass through time of a model on a text, with every gradient of every step (syllabus B1-B3).

The forward pass is recorded in float64 and the recursion of ``seqviz.tracing.backward`` runs on the recorded gates, so
that a gradient some hundred steps back is a number and not a zero. Autograd runs beside it, as a proof.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seqviz.errors import InvalidInputError
from seqviz.gradients import BackwardTrace, LayerGradients, WeightGradient
from seqviz.models.cells import Cell, GRUResetBeforeCell
from seqviz.models.loading import LoadedModel
from seqviz.models.sequence_model import SequenceModel
from seqviz.models.stack import Recorded, RecurrentStack
from seqviz.traces import NO_TARGET
from seqviz.tracing import forward
from seqviz.tracing.backward import CellGradients, cell_gradients
from seqviz.tracing.slopes import Passing
from seqviz.tracing.weight_gradients import Shared, weight_gradient
from seqviz.types import FloatArray, IntArray, Task

MULTIPLIER_RANGE = (-100.0, 100.0)


def backward(
    loaded: LoadedModel,
    text: str,
    *,
    loss_step: int | None = None,
    multiplier: float = 1.0,
    targets: Sequence[str] = (),
    max_pieces: int | None = None,
    weights: bool = True,
) -> BackwardTrace:
    """Runs a model on a text and carries the loss back to every step.

    Args:
        loaded: the model, from ``seqviz.load``.
        text: any Unicode text.
        loss_step: the step whose loss is L, counted from 0; None for the sum of all.
        multiplier: factor on the error of the last loss, -100 to 100. Every gradient is linear in the errors.
        targets: the right labels, as for ``trace``; where they are not given a tagger or classifier is held against
            its own answers. A language model's targets are the pieces that come next.
        max_pieces: longest text that is accepted; None for any.
        weights: also the gradients of the shared matrices, with autograd's beside them; they cost most of the time.

    Raises:
        InvalidInputError: the text has no loss, or a value is outside its range.
        TextTooLongError: the text has more pieces than ``max_pieces``.
        UnknownNameError: a target is not one of the labels.
    """
    run = carried_back(loaded, text, loss_step=loss_step, multiplier=multiplier, targets=targets, max_pieces=max_pieces)
    return backward_trace(run, weights=weights)


def backward_trace(run: CarriedBack, *, weights: bool = True) -> BackwardTrace:
    """The result of a loss that was carried back; ``weights`` as in ``backward``."""
    started = time.perf_counter()
    steps, passes = run.steps, run.passes
    return BackwardTrace(
        model=run.loaded.info.name,
        originals=run.originals,
        loss_steps=tuple(steps),
        target_names=tuple(run.loaded.labels[run.goals[step]] for step in steps),
        multiplier=float(run.weights[-1]),
        losses=run.losses,
        loss=float((run.weights.numpy() * run.losses[steps]).sum()),
        outputs=torch.linalg.vector_norm(run.d_logits, dim=1).numpy(),
        embeddings=torch.stack([one.d_input for one in passes if one.recorded.layer == 0]).sum(0).numpy(),
        layers=tuple(_layer_gradients(one) for one in passes),
        weights=_weights(run) if weights else (),
        seconds=run.seconds + time.perf_counter() - started,
    )


def _weights(run: CarriedBack) -> tuple[WeightGradient, ...]:
    """Every shared matrix, beside what autograd finds."""
    proof = _autograd(run)
    shared = [part for one in run.passes for part in _shared(run.double.stack, one)]
    order = list(range(len(run.x)))
    shared.append(
        Shared("weight_output", run.passes[-1].recorded.layer, "forward", (run.d_logits,), (run.read,), order)
    )
    return tuple(weight_gradient(part, proof[part.key]) for part in shared)


class CarriedBack(NamedTuple):
    """A loss carried back: everything that the results are made of.

    Args:
        loaded: the model.
        text: as it was typed.
        originals: its pieces as they were written.
        double: the float64 model.
        x: (step, embedding).
        read: what the output layer read, (step, unit·direction).
        goals: right label of each step.
        steps, weights: whose losses are added up, and the factor of each.
        losses: of every step in nats, (step,); nan where the target is not known.
        d_logits: ∂L/∂logits, (step, label).
        passes: of every layer and direction, lowest first.
        targets: the right labels, as given.
        seconds: what it took.
    """

    loaded: LoadedModel
    text: str
    originals: tuple[str, ...]
    double: Float64Model
    x: Tensor
    read: Tensor
    goals: IntArray
    steps: list[int]
    weights: Tensor
    losses: FloatArray
    d_logits: Tensor
    passes: list[Pass]
    targets: tuple[str, ...]
    seconds: float

    @property
    def task(self) -> Task:
        """What the outputs mean."""
        return self.loaded.info.config.task


def carried_back(
    loaded: LoadedModel,
    text: str,
    *,
    loss_step: int | None,
    multiplier: float,
    targets: Sequence[str],
    max_pieces: int | None,
) -> CarriedBack:
    """Runs the model in float64 and carries the loss back; arguments and errors as in ``backward``."""
    started = time.perf_counter()
    low, high = MULTIPLIER_RANGE
    if not low <= multiplier <= high:
        raise InvalidInputError(
            "{field} is {value}; allowed is {low} to {high}.", field="multiplier", value=multiplier, low=low, high=high
        )
    encoded, task = forward.encoded_text(loaded, text, max_pieces=max_pieces), loaded.info.config.task
    known_targets = forward.target_ids(loaded, encoded, targets)
    double = in_float64(loaded.model)
    with torch.no_grad():
        x = loaded.model.embed(*forward.to_tensors(encoded))[0].double()
        _, recorded = double.stack.record(x.unsqueeze(0))
        read = _read_states(double.stack, recorded, task)
        logits = functional.linear(read, double.weight, double.bias)
        goals = goals_of(known_targets, logits, task)
        steps = loss_steps_of(goals, loss_step)
        weights = torch.ones(len(steps), dtype=torch.float64)
        weights[-1] = multiplier
        log_probs = logits.log_softmax(-1)
        d_logits = loss_errors(log_probs, goals, steps, weights)
        d_read = torch.zeros_like(read)
        d_read[steps] = d_logits[steps] @ double.weight  # the other steps have no loss; vocabularies are large
        passes = through_layers(double.stack, recorded, d_read, task)
        losses = np.full(len(encoded), np.nan)
        known = np.flatnonzero(goals != NO_TARGET)
        losses[known] = -log_probs[known, goals[known]].numpy()
    seconds = time.perf_counter() - started
    return CarriedBack(
        loaded, text, encoded.originals, double, x, read, goals, steps, weights, losses, d_logits, passes,
        tuple(targets), seconds,
    )  # fmt: skip


class Float64Model(NamedTuple):
    """The recurrent stack and the output layer of a model in float64."""

    stack: RecurrentStack
    weight: Tensor
    bias: Tensor


_COPIES: WeakKeyDictionary[SequenceModel, Float64Model] = WeakKeyDictionary()


def in_float64(model: SequenceModel) -> Float64Model:
    """A float64 copy of what the recursion needs, made once for a model."""
    if model not in _COPIES:
        stack = copy.deepcopy(model.stack).double().eval().requires_grad_(True)
        _COPIES[model] = Float64Model(stack, model.output.weight.double(), model.output.bias.double())
    return _COPIES[model]


def _read_states(stack: RecurrentStack, recorded: Sequence[Recorded], task: Task) -> Tensor:
    """What the output layer reads at every step, (step, unit·direction); a classifier's last row is its verdict."""
    states = [one.values["hidden_state"][0] for one in recorded[-len(stack.directions) :]]
    if task == "classification" and len(states) == 2:
        # The verdict on the whole text reads both ends: [h→_T, h←_1].
        return torch.cat([states[0], states[1][:1].expand_as(states[1])], 1)
    return torch.cat(states, 1)


def goals_of(targets: IntArray, logits: Tensor, task: Task) -> IntArray:
    """Number of the right label of each step, by the run's own answers where none is given.

    ``NO_TARGET`` where the step has no loss.
    """
    if task == "language_model":
        return targets
    answers = np.where(targets == NO_TARGET, logits.argmax(-1).numpy(), targets)
    if task == "classification":
        answers[:-1] = NO_TARGET
    return answers


def loss_errors(log_probs: Tensor, goals: IntArray, steps: Sequence[int], weights: Tensor) -> Tensor:
    """∂L/∂logits of the losses of some steps: P - 1 at the right label, P elsewhere, (step, label)."""
    errors = torch.zeros_like(log_probs)
    errors[steps] = log_probs[steps].exp()
    errors[steps, goals[steps]] -= 1.0
    errors[steps] *= weights.unsqueeze(1)
    return errors


def loss_steps_of(goals: IntArray, loss_step: int | None) -> list[int]:
    """The steps whose losses are added up; raises InvalidInputError if there is no loss, or none at that step."""
    known = [int(step) for step in np.flatnonzero(goals != NO_TARGET)]
    if not known:
        raise InvalidInputError("One piece has no next piece to be compared with: type at least two.")
    if loss_step is None:
        return known
    if loss_step not in known:
        raise InvalidInputError(
            "{field} is {value}; allowed is {low} to {high}.",
            field="loss_step",
            value=loss_step,
            low=known[0],
            high=known[-1],
        )
    return [loss_step]


class Pass(NamedTuple):
    """One layer and direction behind the recursion; all arrays in the order of the text."""

    recorded: Recorded
    found: CellGradients
    d_input: Tensor


def through_layers(
    stack: RecurrentStack,
    recorded: Sequence[Recorded],
    d_states: Tensor,
    task: Task,
    *,
    passing: Sequence[Passing] = (),
) -> list[Pass]:
    """The recursion through all layers, from the top one down; passes in the order of ``recorded``.

    ``passing`` says for each of ``recorded`` where its quantities were forced, in the order of the text; empty for
    nowhere.
    """
    directions = len(stack.directions)
    passes: list[Pass] = []
    for layer in reversed(range(len(recorded) // directions)):
        parts = d_states.chunk(directions, 1)
        d_input = torch.zeros(())
        found = []
        for index, d_state in enumerate(parts, layer * directions):
            one = recorded[index]
            top = layer == len(recorded) // directions - 1
            at_ends = task == "classification" and one.direction == "backward" and top
            # A verdict reads the backward direction at the first piece only.
            reached = torch.cat([d_state.sum(0, keepdim=True), 0 * d_state[1:]]) if at_ends else d_state
            forced = passing[index] if passing else {}
            found.append(_through_cell(stack.cell(layer, one.direction), one, reached, forced))
            d_input = d_input + found[-1].d_input
        passes, d_states = found + passes, d_input
    return passes


def _through_cell(cell: Cell, one: Recorded, d_state: Tensor, forced: Passing) -> Pass:
    values = {name: _computed(one, value[0]) for name, value in one.values.items()}
    passing = {name: _computed(one, rows) for name, rows in forced.items()}
    found = cell_gradients(cell, values, _computed(one, d_state), passing=passing)
    in_text = CellGradients(*(None if part is None else _computed(one, part) for part in found))  # type: ignore[arg-type]
    return Pass(one, in_text, in_text.pre_activation.flatten(1) @ cell.weight_input)


def _computed(one: Recorded, rows: Tensor) -> Tensor:
    """From the order of the text to that of computation, and back."""
    return rows.flip(0) if one.direction == "backward" else rows


def _layer_gradients(one: Pass) -> LayerGradients:
    cell_state, cell_back = one.found.cell_state, one.found.cell_handed_back
    return LayerGradients(
        layer=one.recorded.layer,
        direction=one.recorded.direction,
        block_names=one.recorded.block_names,
        hidden_state=one.found.hidden_state.numpy(),
        cell_state=None if cell_state is None else cell_state.numpy(),
        hidden_handed_back=one.found.hidden_handed_back.numpy(),
        cell_handed_back=None if cell_back is None else cell_back.numpy(),
        pre_activation=one.found.pre_activation.numpy(),
        inputs=one.d_input.numpy(),
    )


def _shared(stack: RecurrentStack, one: Pass) -> list[Shared]:
    recorded = one.recorded
    layer, direction = recorded.layer, recorded.direction
    h = recorded.values["hidden_state"][0]
    zero = torch.zeros_like(h[:1])
    before = torch.cat([zero, h[:-1]]) if direction == "forward" else torch.cat([h[1:], zero])
    seen = [before] * len(recorded.block_names)
    if isinstance(stack.cell(layer, direction), GRUResetBeforeCell):
        seen[-1] = recorded.values["reset_gate"][0] * before
    # The order of computation, from the last step back.
    order = list(range(len(h))) if direction == "forward" else list(range(len(h)))[::-1]
    blocks = tuple(one.found.recurrent.unbind(1))
    inputs = (recorded.inputs[0],) * len(blocks)
    return [
        Shared("weight_hidden", layer, direction, blocks, tuple(seen), order),
        Shared("weight_input", layer, direction, tuple(one.found.pre_activation.unbind(1)), inputs, order),
    ]


def _autograd(run: CarriedBack) -> dict[tuple[str, int, str], FloatArray]:
    """The same gradients by torch's autograd, from a forward pass of its own."""
    double = run.double
    with torch.enable_grad():
        weight = double.weight.detach().requires_grad_(True)
        states = double.stack(run.x.unsqueeze(0))[0][0]
        if run.task == "classification" and len(double.stack.directions) == 2:
            units = states.shape[1] // 2
            states = torch.cat([states[:, :units], states[:1, units:].expand(len(states), -1)], 1)
        logits = functional.linear(states[run.steps], weight, double.bias)
        goals = torch.tensor(run.goals[run.steps])
        loss = functional.cross_entropy(logits, goals, reduction="none") @ run.weights
        cells = {
            (layer, direction): double.stack.cell(layer, direction)
            for layer in range(len(double.stack.layers))
            for direction in double.stack.directions
        }
        wanted = {("weight_output", len(double.stack.layers) - 1, "forward"): weight}
        for (layer, direction), cell in cells.items():
            wanted["weight_hidden", layer, direction] = cell.weight_hidden
            wanted["weight_input", layer, direction] = cell.weight_input
        found = torch.autograd.grad(loss, list(wanted.values()))
    return {key: gradient.numpy() for key, gradient in zip(wanted, found, strict=True)}
