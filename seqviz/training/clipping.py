"""Gradient clipping, and training several variants of one model in lockstep (Pascanu et al. 2013; syllabus B5).

Variants begin from the same weights and see the same batch at every step; only the clipping differs. A number that is
not finite ends its variant and is named; the others go on.
"""

from __future__ import annotations

import copy
import math
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqviz.clipping import (
    MAX_VARIANTS,
    Clipping,
    ClippingConfig,
    Divergence,
    RunNews,
    StepChunk,
    Variant,
    check_limit,
    rise,
)
from seqviz.errors import InvalidInputError
from seqviz.models.cells import make_cell
from seqviz.training.long_tasks import LongBatch, LongDependencyTask

_PACE_STEPS = 200
_CAP = 100.0  # times the first loss


def clip_by_norm(parameters: Iterable[nn.Parameter], threshold: float) -> Tensor:
    """g <- min(1, θ/‖g‖) g, in place, all gradients taken as one vector (Pascanu et al. 2013, algorithm 1).

    torch adds 1e-6 to the norm in the quotient; this is torch's own function.

    Returns:
        The norm before.
    """
    return nn.utils.clip_grad_norm_(parameters, threshold)


def clip_by_value(parameters: Iterable[nn.Parameter], threshold: float) -> None:
    """Brings every component of the gradients into [-θ, θ], in place; the direction changes."""
    nn.utils.clip_grad_value_(parameters, threshold)


class Reader(nn.Module):
    """One recurrent cell and a linear output at every step.

    Args:
        config: of the run.
        task: for the sizes of input and output.
    """

    def __init__(self, config: ClippingConfig, task: LongDependencyTask) -> None:
        super().__init__()
        self.cell = make_cell(config.cell, task.input_size, config.hidden_size)
        self.output = nn.Linear(config.hidden_size, task.output_size)
        for block in self.cell.weight_hidden.data.chunk(len(self.cell.block_names)):
            if config.initialisation == "orthogonal":
                nn.init.orthogonal_(block)
            elif config.initialisation == "identity":
                nn.init.eye_(block)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, step, component) -> (batch, step, output)."""
        states, _ = self.cell.run(inputs, self.cell.initial_carry(len(inputs)))
        return self.output(states)


def first_reader(config: ClippingConfig, task: LongDependencyTask) -> Reader:
    """The weights that all variants begin with; the random state of the caller is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return Reader(config, task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A variant between two steps.

    Args:
        steps: that its weights have behind them.
        model, optimiser: their states, copied.
    """

    steps: int
    model: dict[str, Tensor]
    optimiser: dict[str, Any]


@dataclass(kw_only=True)
class TrainedVariant:
    """A variant at work.

    Args:
        variant: which.
        model, optimiser: its own.
        steps: that its weights have behind them.
        divergence: None as long as all numbers are finite.
        cap: loss beyond which all losses count the same when the largest rise is looked for.
        recent: itself before its last two steps.
        before_jump: itself before the step ahead of the one behind which the loss rose most, and before that step.
    """

    variant: Variant
    model: Reader
    optimiser: torch.optim.Optimizer
    steps: int
    cap: float
    divergence: Divergence | None = None
    recent: deque[Snapshot] = field(default_factory=lambda: deque(maxlen=2))
    before_jump: tuple[Snapshot, ...] = ()
    rise: float = 0.0
    last_loss: float = math.nan
    new: list[tuple[float, ...]] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        """A copy of the present state."""
        return Snapshot(
            steps=self.steps,
            model={name: value.clone() for name, value in self.model.state_dict().items()},
            optimiser=copy.deepcopy(self.optimiser.state_dict()),
        )

    def train(self, batch: LongBatch, task: LongDependencyTask) -> None:
        """One step, recorded in ``new``."""
        self.optimiser.zero_grad()
        loss = task.loss(self.model(batch.inputs), batch)
        self._notice_rise(float(loss.detach()))
        loss.backward()
        parameters = list(self.model.parameters())
        norm = float(nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None]))
        self.steps += 1
        self.divergence = _not_finite(self.steps, loss=self.last_loss, gradient=norm)
        if self.divergence is not None:
            self.new.append((self.last_loss, norm, math.nan, _norm(p.data for p in parameters), 0.0))
            return
        self.recent.append(replace(self.snapshot(), steps=self.steps - 1))
        clipped = self._clip(norm)
        after = _norm(p.grad for p in parameters if p.grad is not None)
        self.optimiser.step()
        weights = _norm(p.data for p in parameters)
        self.divergence = _not_finite(self.steps, weights=weights)
        self.new.append((self.last_loss, norm, after, weights, float(clipped)))

    def _clip(self, norm: float) -> bool:
        parameters, threshold = list(self.model.parameters()), self.variant.threshold
        if self.variant.clipping == "norm":
            clip_by_norm(parameters, threshold)
            return norm > threshold
        if self.variant.clipping == "value":
            beyond = any(bool((p.grad.abs() > threshold).any()) for p in parameters if p.grad is not None)
            clip_by_value(parameters, threshold)
            return beyond
        return False

    def _notice_rise(self, loss: float) -> None:
        """Keeps what lies before the largest rise of the loss so far."""
        if not math.isnan(self.last_loss) and (risen := rise(self.last_loss, loss, cap=self.cap)) > self.rise:
            self.rise, self.before_jump = risen, tuple(self.recent)
        self.last_loss = loss


def _not_finite(step: int, **found: float) -> Divergence | None:
    for what, value in found.items():
        if not math.isfinite(value):
            name = "NaN" if math.isnan(value) else "inf"
            return Divergence(step=step, what=what, value=name)  # type: ignore[arg-type]
    return None


def _norm(tensors: Iterable[Tensor]) -> float:
    return float(nn.utils.get_total_norm(list(tensors)))


class ClippingRun:
    """Trains the variants of a configuration; the one that is furthest behind goes first.

    Args:
        config: what to train.
        clock: for the pace.
    """

    def __init__(self, config: ClippingConfig, *, clock: Any = time.perf_counter) -> None:
        self.config, self.task = config, LongDependencyTask(config)
        self._first = first_reader(config, self.task)
        batch = self.task.batch(1)
        with torch.inference_mode():
            self._cap = _CAP * float(self.task.loss(self._first(batch.inputs), batch))
        self._clock, self._seconds = clock, 0.0
        self._paces: deque[tuple[float, int]] = deque(maxlen=_PACE_STEPS)
        self.variants: list[TrainedVariant] = []
        thresholds = {"none": 0.0, "norm": config.threshold, "value": config.value_threshold}
        for clipping in config.variants:
            variant = Variant(number=len(self.variants), clipping=clipping, threshold=thresholds[clipping])
            self.variants.append(self._new(variant))

    def advance(self) -> bool:
        """One step of every variant that is furthest behind; False once there is nothing left to do."""
        active = self._active()
        if not active:
            return False
        started = self._clock()
        behind = min(one.steps for one in active)
        batch = self.task.batch(behind + 1)
        turn = [one for one in active if one.steps == behind]
        for one in turn:
            one.train(batch, self.task)
        seconds = self._clock() - started
        self._seconds += seconds
        self._paces.append((seconds, len(turn)))
        return bool(self._active())

    def news(self) -> RunNews:
        """Everything since the last call."""
        chunks = []
        for one in self.variants:
            if one.new:
                first = one.steps - len(one.new) + 1
                chunks.append(StepChunk(variant=one.variant.number, first=first, values=np.array(one.new)))
                one.new = []
        return RunNews(
            variants=tuple(one.variant for one in self.variants),
            divergences={one.variant.number: one.divergence for one in self.variants if one.divergence is not None},
            jumps={one.variant.number: one.before_jump[-1].steps + 1 for one in self.variants if one.before_jump},
            chunks=tuple(chunks),
            seconds=self._seconds,
            seconds_left=self._seconds_left(),
        )

    def fork(self, parent: int, *, clipping: Clipping, threshold: float, before_jump: bool = False) -> Variant:
        """A new variant with the weights, the optimiser's state and the place in the data of another.

        Args:
            parent: number of the other.
            clipping, threshold: of the new one.
            before_jump: begin before the step behind which the parent's loss rose most, instead of where it is now.

        Raises:
            InvalidInputError: too many variants, an unknown parent, nothing left to do, or a θ out of range.
        """
        source = self.find(parent)
        if clipping != "none":
            check_limit("threshold" if clipping == "norm" else "value_threshold", threshold)
        if len(self.variants) >= MAX_VARIANTS:
            raise InvalidInputError("There are {count} variants already, which is the limit.", count=MAX_VARIANTS)
        state = self.jump_of(source)[-1] if before_jump else source.snapshot()
        if not before_jump and source.divergence is not None:
            raise InvalidInputError("This variant has diverged; fork it from before its jump.")
        if state.steps >= self.config.steps:
            raise InvalidInputError("This variant has done all its steps; fork it from before its jump.")
        variant = Variant(
            number=len(self.variants),
            clipping=clipping,
            threshold=threshold if clipping != "none" else 0.0,
            parent=parent,
            begins=state.steps,
        )
        self.variants.append(self._new(variant, state))
        if not before_jump:  # it goes on as its parent would: what the parent remembers counts for it too
            self.variants[-1].recent.extend(source.recent)
            self.variants[-1].last_loss = source.last_loss
        return variant

    def find(self, number: int) -> TrainedVariant:
        """A variant by its number."""
        if not 0 <= number < len(self.variants):
            raise InvalidInputError("There is no variant {number}.", number=number)
        return self.variants[number]

    def jump_of(self, one: TrainedVariant) -> tuple[Snapshot, ...]:
        """What was kept around the largest rise of a variant's loss; the last one is just before the step."""
        if not one.before_jump:
            raise InvalidInputError("The loss of this variant has not risen yet; there is no jump to look at.")
        return one.before_jump

    def restored(self, snapshot: Snapshot) -> tuple[Reader, torch.optim.Optimizer]:
        """A model and an optimiser of their own in the state of a snapshot."""
        model = copy.deepcopy(self._first)
        model.load_state_dict(snapshot.model)
        optimiser = self._optimiser(model)
        optimiser.load_state_dict(copy.deepcopy(snapshot.optimiser))
        return model, optimiser

    def _new(self, variant: Variant, state: Snapshot | None = None) -> TrainedVariant:
        if state is not None:
            model, optimiser = self.restored(state)
        else:
            model = copy.deepcopy(self._first)
            optimiser = self._optimiser(model)
        steps = 0 if state is None else state.steps
        return TrainedVariant(variant=variant, model=model, optimiser=optimiser, steps=steps, cap=self._cap)

    def _optimiser(self, model: Reader) -> torch.optim.Optimizer:
        if self.config.optimiser == "adam":
            return torch.optim.Adam(model.parameters(), self.config.learning_rate)
        return torch.optim.SGD(model.parameters(), self.config.learning_rate)

    def _active(self) -> list[TrainedVariant]:
        return [one for one in self.variants if one.divergence is None and one.steps < self.config.steps]

    def _seconds_left(self) -> float | None:
        if not self._paces:
            return None
        pace = sum(seconds for seconds, _ in self._paces) / sum(count for _, count in self._paces)
        return pace * sum(self.config.steps - one.steps for one in self._active())
