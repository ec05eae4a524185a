"""The loss around the weights where it jumped, along the gradient and on a plane (Pascanu et al. 2013, 2.3)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seqviz.clipping import CLIPPINGS, Cliff, CliffDirection, CliffStep, Clipping
from seqviz.errors import InvalidInputError
from seqviz.training.clipping import ClippingRun, Reader, Snapshot, clip_by_norm, clip_by_value
from seqviz.training.long_tasks import LongBatch
from seqviz.types import FloatArray

_LINE, _NEAR = 121, 81
_SURFACE_SECONDS = 5.0
_SURFACE_POINTS = (11, 33)
_MARGIN = 1.25


def cliff(run: ClippingRun, variant: int, *, second: CliffDirection = "previous") -> Cliff:
    """Measures the loss around the largest jump of a variant.

    Args:
        run: the run, which is left as it is.
        variant: number of the variant.
        second: direction of the surface beside the gradient: the update before, the gradient clipped by value, or a
            random one.

    Raises:
        InvalidInputError: the loss of the variant never rose.
    """
    started = time.perf_counter()
    one = run.find(variant)
    kept = run.jump_of(one)
    here = kept[-1]
    batch = run.task.batch(here.steps + 1)
    point = _Point(run, here, batch)
    thresholds = {"none": 0.0, "norm": run.config.threshold, "value": run.config.value_threshold}
    thresholds[one.variant.clipping] = one.variant.threshold
    updates = {clipping: point.update(clipping, thresholds[clipping]) for clipping in CLIPPINGS}
    down = -point.gradient / max(point.grad_norm, 1e-30)
    aside = _perpendicular(_second(run, second, point, kept, updates["value"]), down)
    steps = tuple(
        _cliff_step(
            point, clipping, thresholds[clipping], update, (down, aside), taken=clipping == one.variant.clipping
        )
        for clipping, update in updates.items()
    )
    reach = _MARGIN * max(step.length for step in steps)
    if not math.isfinite(reach) or reach == 0:
        raise InvalidInputError("The gradient before this jump is too large or too small to be followed.")
    clipped = [step.along for step in steps if step.clipping != "none"]
    near = min(reach, 2.5 * max(clipped)) if max(clipped) > 0 else reach
    distances, near_distances = np.linspace(-0.25 * reach, reach, _LINE), np.linspace(-near, near, _NEAR)
    along, across = _grid(point, steps, min(reach, 12.0 * near))
    return Cliff(
        variant=variant,
        step=here.steps + 1,
        loss=point.loss,
        grad_norm=point.grad_norm,
        next_loss=_next_loss(run, here, updates[one.variant.clipping]),
        distances=distances,
        losses=np.array([point.loss_at(float(s) * down) for s in distances]),
        near_distances=near_distances,
        near_losses=np.array([point.loss_at(float(s) * down) for s in near_distances]),
        second=second,
        along=along,
        across=across,
        surface=np.array([[point.loss_at(float(a) * down + float(b) * aside) for a in along] for b in across]),
        steps=steps,
        largest=point.largest(),
        seconds=time.perf_counter() - started,
    )


class _Point:
    """Weights, their batch, and the gradient there."""

    def __init__(self, run: ClippingRun, here: Snapshot, batch: LongBatch) -> None:
        self._run, self._here, self._batch = run, here, batch
        self.model, _ = run.restored(here)
        loss = run.task.loss(self.model(batch.inputs), batch)
        loss.backward()
        self.weights = _flat(p.data for p in self.model.parameters())
        self.gradient = _flat(p.grad for p in self.model.parameters() if p.grad is not None)
        self.loss, self.grad_norm = float(loss.detach()), float(self.gradient.norm())

    def loss_at(self, offset: Tensor) -> float:
        """The loss of the batch at these weights plus an offset."""
        _put(self.model, self.weights + offset)
        with torch.inference_mode():
            return float(self._run.task.loss(self.model(self._batch.inputs), self._batch))

    def update(self, clipping: Clipping, threshold: float) -> Tensor:
        """What the optimiser would add to the weights with the gradient clipped in a given way."""
        model, optimiser = self._run.restored(self._here)
        self._run.task.loss(model(self._batch.inputs), self._batch).backward()
        if clipping == "norm":
            clip_by_norm(list(model.parameters()), threshold)
        elif clipping == "value":
            clip_by_value(list(model.parameters()), threshold)
        optimiser.step()
        return _flat(p.data for p in model.parameters()) - self.weights

    def largest(self) -> tuple[tuple[str, float], tuple[str, float]]:
        """Names and derivatives of the two weights with the largest derivatives."""
        names = [
            f"{name}[{', '.join(str(int(i)) for i in np.unravel_index(index, tuple(parameter.shape)))}]"
            for name, parameter in self.model.named_parameters()
            for index in range(parameter.numel())
        ]
        first, second = self.gradient.abs().topk(2).indices.tolist()
        return (names[first], float(self.gradient[first])), (names[second], float(self.gradient[second]))


def _second(
    run: ClippingRun, kind: CliffDirection, point: _Point, kept: Sequence[Snapshot], value_update: Tensor
) -> Tensor:
    if kind == "value":
        return value_update
    if kind == "previous" and len(kept) > 1:
        model, _ = run.restored(kept[-2])
        return point.weights - _flat(p.data for p in model.parameters())
    return torch.randn(len(point.weights), generator=torch.Generator().manual_seed(run.config.seed))


def _perpendicular(direction: Tensor, down: Tensor) -> Tensor:
    """The part of a direction that is perpendicular to the gradient, of length 1; a fixed one if there is none."""
    rest = direction.double() - (direction.double() @ down.double()) * down.double()
    if rest.norm() <= 1e-6 * direction.norm().clamp_min(1e-30):
        other = torch.randn(len(down), generator=torch.Generator().manual_seed(0)).double()
        rest = other - (other @ down.double()) * down.double()
    return (rest / rest.norm()).float()


def _cliff_step(
    point: _Point, clipping: Clipping, threshold: float, update: Tensor, plane: tuple[Tensor, Tensor], *, taken: bool
) -> CliffStep:
    down, aside = plane
    along, across = float(update @ down), float(update @ aside)
    return CliffStep(
        clipping=clipping,
        threshold=threshold,
        along=along,
        across=across,
        beyond=float((update - along * down - across * aside).norm()),
        length=float(update.norm()),
        loss=point.loss_at(update),
        taken=taken,
    )


def _grid(point: _Point, steps: Sequence[CliffStep], reach: float) -> tuple[FloatArray, FloatArray]:
    """Distances along and across, as many as there is time for."""
    started = time.perf_counter()
    for _ in range(3):
        point.loss_at(torch.zeros_like(point.weights))
    pace = (time.perf_counter() - started) / 3
    low, high = _SURFACE_POINTS
    count = int(min(high, max(low, (_SURFACE_SECONDS / max(pace, 1e-6)) ** 0.5)))
    count -= 1 - count % 2  # odd: one row goes through the weights themselves
    width = max(0.6 * reach, 1.3 * max(abs(step.across) for step in steps))
    return np.linspace(-0.35 * reach, reach, count), np.linspace(-width, width, count)


def _next_loss(run: ClippingRun, here: Snapshot, update: Tensor) -> float:
    """The loss of the step behind the update."""
    model, _ = run.restored(here)
    _put(model, _flat(p.data for p in model.parameters()) + update)
    batch = run.task.batch(here.steps + 2)
    with torch.inference_mode():
        return float(run.task.loss(model(batch.inputs), batch))


def _flat(tensors: object) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])  # type: ignore[attr-defined]


def _put(model: Reader, weights: Tensor) -> None:
    nn.utils.vector_to_parameters(weights, model.parameters())
