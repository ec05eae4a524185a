"""How well numbers track a property: Pearson's correlation and the area under the ROC curve.

With a property of 0 and 1, Pearson's correlation is the point-biserial one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from seqviz.types import FloatArray

ROWS_AT_ONCE = 2000


def correlations(values: FloatArray, properties: FloatArray) -> FloatArray:
    """Pearson's r of every unit with every property.

    Args:
        values: (step, unit), of any float type; read in slices, so that no second copy of it is made.
        properties: (step, property).

    Returns:
        (unit, property) float64; 0 where either side is constant.
    """
    steps = len(values)
    y = np.asarray(properties, np.float64)
    y = y - y.mean(0)
    first = np.asarray(values[:1], np.float64)  # a shift keeps the sums of squares small
    sums, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    products = np.zeros((values.shape[1], y.shape[1]))
    for rows in _slices(steps):
        x = values[rows] - first
        sums += x.sum(0)
        squares += np.einsum("su,su->u", x, x)
        products += x.T @ y[rows]
    variance = squares - sums**2 / steps
    variance[variance < 1e-12 * steps] = 0.0
    scale = np.sqrt(variance)[:, None] * np.sqrt((y**2).sum(0))[None, :]
    return np.asarray(np.divide(products, scale, out=np.zeros_like(products), where=scale > 0).clip(-1.0, 1.0))


def auc(values: FloatArray, positive: FloatArray) -> float:
    """Probability that a step where the property holds has a higher value than one where it does not, ties half.

    This is the area under the ROC curve (Hanley and McNeil 1982), from the ranks of Mann and Whitney.

    Args:
        values: (step,).
        positive: (step,), 0 or 1.

    Returns:
        0 to 1; nan if one side is empty.
    """
    holds = np.asarray(positive) > 0
    count, others = int(holds.sum()), int((~holds).sum())
    if not count or not others:
        return float("nan")
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    ranks = (ends - sizes + 1 + ends) / 2  # the mean rank of equal values
    return float((ranks[group][holds].sum() - count * (count + 1) / 2) / (count * others))


def chance_level(values: Iterable[FloatArray], properties: FloatArray, *, shifts: int = 6) -> FloatArray:
    """Highest |r| of any unit with each property shifted around in time, (property,).

    A shifted property keeps its own rhythm but loses its place in the text: what is left is what the best of so many
    units reaches by chance.

    Args:
        values: (step, unit) of each layer.
        properties: (step, property).
        shifts: how many, evenly spaced.
    """
    steps, count = properties.shape
    moved = [np.roll(properties, steps * k // (shifts + 1), axis=0) for k in range(1, shifts + 1)]
    copies = np.concatenate(moved, 1)
    best = np.zeros(shifts * count)
    for layer in values:
        best = np.maximum(best, np.abs(correlations(layer, copies)).max(0))
    return np.asarray(best.reshape(shifts, count).max(0))


def _slices(steps: int) -> Iterable[slice]:
    return (slice(start, min(start + ROWS_AT_ONCE, steps)) for start in range(0, steps, ROWS_AT_ONCE))
