"""∂L/∂W as the sum of what every step adds: δ_t times what W read at step t (syllabus B2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqviz.gradients import WeightGradient
from seqviz.types import Direction, FloatArray

TILES = 16
"""Rows and columns of a thumbnail, at most (a matrix of several blocks has at least one row of tiles for each)."""


class Shared(NamedTuple):
    """A matrix that all steps share: ∂L/∂W = Σ_t errors_t seen_tᵀ, block below block.

    Args:
        name, layer, direction: as in WeightGradient.
        errors: for each block (step, row of the block).
        seen: for each block what it was multiplied with, (step, column).
        order: the steps in the order of computation.
    """

    name: str
    layer: int
    direction: Direction
    errors: tuple[Tensor, ...]
    seen: tuple[Tensor, ...]
    order: list[int]

    @property
    def key(self) -> tuple[str, int, str]:
        """What names the matrix within a model."""
        return self.name, self.layer, self.direction


def weight_gradient(shared: Shared, autograd: FloatArray) -> WeightGradient:
    """What each step adds to ∂L/∂W, their running sum, and the whole beside autograd's.

    No step's matrix is ever formed: ⟨u vᵀ, u' v'ᵀ⟩ = ⟨u, u'⟩⟨v, v'⟩, so all norms follow from one table of inner
    products (step, step).
    """
    whole = torch.cat([error.T @ seen for error, seen in zip(shared.errors, shared.seen, strict=True)]).numpy()
    products = np.sum(
        [((error @ error.T) * (seen @ seen.T)).numpy() for error, seen in zip(shared.errors, shared.seen, strict=True)],
        axis=0,
    )
    step_norms = np.sqrt(np.diag(products).clip(min=0.0))
    total_norm = float(np.linalg.norm(whole))
    reach = step_norms * total_norm
    agreement = np.divide(products.sum(1), reach, out=np.zeros_like(reach), where=reach > 0)
    from_end = products[np.ix_(shared.order, shared.order)][::-1, ::-1]
    running = np.empty_like(step_norms)
    running[shared.order[::-1]] = np.sqrt(np.diag(from_end.cumsum(0).cumsum(1)).clip(min=0.0))
    tiles = _tiles(shared)
    greatest = float(np.abs(autograd).max())
    return WeightGradient(
        name=shared.name,
        layer=shared.layer,
        direction=shared.direction,
        step_norms=step_norms,
        running_norms=running,
        agreement=agreement.clip(-1.0, 1.0),
        tiles=tiles,
        total_tiles=tiles.sum(0),
        shape=(whole.shape[0], whole.shape[1]),
        total_norm=total_norm,
        autograd_norm=float(np.linalg.norm(autograd)),
        difference=float(np.abs(whole - autograd).max() / greatest) if greatest else 0.0,
    )


def _tiles(shared: Shared) -> FloatArray:
    """Means of δ_t seen_tᵀ over tiles, (step, row tile, column tile): the mean of a product of a row's and a column's
    number is the product of their means."""
    rows = max(1, TILES // len(shared.errors))
    parts = [
        _means(error, rows).unsqueeze(2) * _means(seen, TILES).unsqueeze(1)
        for error, seen in zip(shared.errors, shared.seen, strict=True)
    ]
    return torch.cat(parts, 1).numpy()


def _means(values: Tensor, count: int) -> Tensor:
    """(step, entry) -> means over at most ``count`` runs of entries of like length, (step, run)."""
    return torch.stack([part.mean(1) for part in values.tensor_split(min(count, values.shape[1]), 1)], 1)
