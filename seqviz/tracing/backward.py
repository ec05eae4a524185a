"""Back-propagation through time from recorded gates, without autograd (syllabus B2).

The forward pass leaves every gate of every step; with them all local slopes are known at once. What is left is a
linear recursion from the last step to the first, one product with W_h a step:

    δ_t = slopes_t ⊙ (∂L/∂h_t, ∂L/∂c_t),    ∂L/∂h_{t-1} = ... + W_h^T δ_t

δ_t is ∂L/∂(pre-activation) of step t, shape (block, unit). Everything runs in the number type of the recorded values;
float64 keeps gradients of some hundred steps that float32 would round to zero, and with a running power of two beside
it those of any number of steps. The loops run on numpy views of the tensors: a step is six small products, where the
call costs more than the arithmetic, and numpy's calls are the cheaper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqviz.models.cells import (
    Cell,
    GRUCell,
    GRUResetBeforeCell,
    GRUSimplifiedCell,
    LSTMCell,
    LSTMLinearOutputCell,
    LSTMPeepholeCell,
    RNNCell,
    Values,
)
from seqviz.tracing.slopes import Passing, gru_reset_before_slopes, gru_slopes, lstm_slopes, rnn_slopes

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]
Exponents = NDArray[np.int64]

CHECKED_EVERY = 8
KEPT_BITS = 200
"""With exponents: after so many steps what is carried is looked at, and rescaled when it is beyond 2^±KEPT_BITS. What
eight steps can do to a gradient stays far from the ends of float64, 2^±1022, of which squares take half."""


class CellGradients(NamedTuple):
    """Gradients of a loss in one cell, all (step, ...) in the order of computation.

    Row 0 of what is handed back is ∂L/∂h_0 and ∂L/∂c_0: what reaches the states before the first step.

    Args:
        hidden_state: ∂L/∂h_t, everything that reaches h_t from later steps and from above, (step, unit).
        cell_state: ∂L/∂c_t, (step, unit); None for cells without one.
        pre_activation: δ_t, (step, block, unit).
        recurrent: what multiplies W_h in ∂L/∂h_{t-1}, (step, block, unit); δ_t but for a candidate behind a reset gate
            that follows the product, where it is r_t ⊙ δ_t.
        hidden_handed_back: what step t hands to h_{t-1}, (step, unit).
        cell_handed_back: what step t hands to c_{t-1}, (step, unit); None for cells without one.
    """

    hidden_state: Tensor
    cell_state: Tensor | None
    pre_activation: Tensor
    recurrent: Tensor
    hidden_handed_back: Tensor
    cell_handed_back: Tensor | None


def cell_gradients(
    cell: Cell,
    values: Values,
    from_above: Tensor,
    *,
    exponents: Exponents | None = None,
    passing: Passing | None = None,
) -> CellGradients:
    """Runs the recursion through one cell.

    Args:
        cell: the cell.
        values: what ``cell.record`` returned, without the batch axis: (step, ...), in the order of computation.
        from_above: ∂L/∂h_t through everything but the cell's own later steps, (step, unit).
        exponents: (step,) whole numbers to be written: the gradients of step t are then those returned, times
            2^exponents[t], so that no length and no weights lead out of the range of the numbers. None for none.
        passing: where quantities were forced, as in ``seqviz.tracing.slopes``, in the order of computation; the
            gradient of a forced state is that of its constant, and nothing goes on behind it. None for nowhere.

    Returns:
        The gradients at every step.
    """
    return _RECURSIONS[type(cell)](cell, values, from_above, exponents, passing)


def _turned(weight: Tensor) -> Array:
    """Wᵀ with its rows in one piece each, so that Wᵀδ reads memory in order."""
    return np.ascontiguousarray(weight.detach().numpy().T)


def _from_the_end(
    *arrays: Tensor, exponents: Exponents | None, carried: Sequence[Array]
) -> Iterator[tuple[Array, ...]]:
    """Row by row from the last step to the first, as views; ``arrays`` begin with ``from_above``.

    With ``exponents``, what is carried from step to step is rescaled in place, by powers of two: no digit changes.
    """
    rows = zip(*(array.detach().numpy()[::-1] for array in arrays), strict=True)
    return rows if exponents is None else _rescaled(rows, exponents, carried)


def _rescaled(
    rows: Iterator[tuple[Array, ...]], exponents: Exponents, carried: Sequence[Array]
) -> Iterator[tuple[Array, ...]]:
    total = 0
    for back, (above, *others) in enumerate(rows):
        enters = above.any()
        if enters or back % CHECKED_EVERY == 0:
            sizes = [(largest, scale) for array, scale in ((above, 0), *((one, total) for one in carried))
                     if 0 < (largest := float(np.abs(array).max())) < np.inf]  # fmt: skip
            top = max((math.frexp(largest)[1] + scale for largest, scale in sizes), default=total)
            if abs(top - total) > KEPT_BITS:
                for array in carried:
                    np.ldexp(array, total - top, out=array)
                total = top
        exponents[len(exponents) - 1 - back] = total
        yield np.ldexp(above, -total) if enters and total else above, *others


def _rnn(
    cell: RNNCell, values: Values, from_above: Tensor, exponents: Exponents | None, passing: Passing | None
) -> CellGradients:
    h = values["hidden_state"]
    slope = rnn_slopes(cell, values, passing)
    weight = _turned(cell.weight_hidden)
    d_h, delta, back = torch.empty_like(h), torch.empty_like(h), torch.empty_like(h)
    carried = np.zeros_like(h[0].numpy())
    rows = _from_the_end(from_above, d_h, delta, slope, back, exponents=exponents, carried=[carried])
    for above, d_h_t, delta_t, slope_t, back_t in rows:
        np.add(above, carried, out=d_h_t)
        np.multiply(d_h_t, slope_t, out=delta_t)
        np.dot(weight, delta_t, out=carried)
        back_t[:] = carried
    return CellGradients(d_h, None, delta.unsqueeze(1), delta.unsqueeze(1), back, None)


def _gru(
    cell: Cell, values: Values, from_above: Tensor, exponents: Exponents | None, passing: Passing | None
) -> CellGradients:
    """GRU with the reset gate after the product, and the simplified GRU, which has none."""
    h = values["hidden_state"]
    slope, recurrent_slope, keep = gru_slopes(cell, values, passing)
    weight = _turned(cell.weight_hidden)
    d_h, back = torch.empty_like(h), torch.empty_like(h)
    carried = np.zeros_like(h[0].numpy())
    errors, kept = np.empty_like(recurrent_slope[0].numpy()), carried.copy()
    rows = _from_the_end(from_above, d_h, recurrent_slope, keep, back, exponents=exponents, carried=[carried])
    for above, d_h_t, slope_t, keep_t, back_t in rows:
        np.add(above, carried, out=d_h_t)
        np.multiply(slope_t, d_h_t, out=errors)
        np.dot(weight, errors.reshape(-1), out=carried)
        np.multiply(d_h_t, keep_t, out=kept)
        carried += kept
        back_t[:] = carried
    return CellGradients(d_h, None, slope * d_h.unsqueeze(1), recurrent_slope * d_h.unsqueeze(1), back, None)


def _gru_reset_before(
    cell: GRUResetBeforeCell, values: Values, from_above: Tensor, exponents: Exponents | None, passing: Passing | None
) -> CellGradients:
    h, units = values["hidden_state"], cell.hidden_size
    slopes = gru_reset_before_slopes(values, passing)
    gates_weight, candidate_weight = (_turned(part) for part in cell.weight_hidden.split([2 * units, units]))
    d_h, back, delta = torch.empty_like(h), torch.empty_like(h), h.new_empty(len(h), 3, units)
    carried = np.zeros_like(h[0].numpy())
    rows = _from_the_end(from_above, d_h, delta, *slopes, back, exponents=exponents, carried=[carried])
    for above, d_h_t, delta_t, z_slope_t, n_slope_t, r_slope_t, keep_t, r_t, back_t in rows:
        np.add(above, carried, out=d_h_t)
        np.multiply(d_h_t, n_slope_t, out=delta_t[2])
        through_reset = np.dot(candidate_weight, delta_t[2])
        np.multiply(through_reset, r_slope_t, out=delta_t[0])
        np.multiply(d_h_t, z_slope_t, out=delta_t[1])
        np.dot(gates_weight, delta_t[:2].reshape(-1), out=carried)
        carried += d_h_t * keep_t
        carried += through_reset * r_t
        back_t[:] = carried
    return CellGradients(d_h, None, delta, delta, back, None)


def _lstm(
    cell: Cell, values: Values, from_above: Tensor, exponents: Exponents | None, passing: Passing | None
) -> CellGradients:
    h, c = values["hidden_state"], values["cell_state"]
    c_slope, o_slope, from_cell, keep = lstm_slopes(cell, values, passing)
    d_h, d_c, delta = torch.empty_like(h), torch.empty_like(c), h.new_empty(len(h), 4, cell.hidden_size)
    weight = _turned(cell.weight_hidden)
    back_h, back_c = torch.empty_like(h), torch.empty_like(c)
    carried = carried_h, carried_c = np.zeros_like(h[0].numpy()), np.zeros_like(c[0].numpy())
    arrays = (from_above, d_h, d_c, delta, c_slope, from_cell, o_slope, keep, back_h, back_c)
    rows = _from_the_end(*arrays, exponents=exponents, carried=carried)
    for above, d_h_t, d_c_t, delta_t, c_slope_t, from_cell_t, o_slope_t, keep_t, h_t, c_t in rows:
        np.add(above, carried_h, out=d_h_t)
        np.multiply(d_h_t, c_slope_t, out=d_c_t)
        np.add(d_c_t, carried_c, out=d_c_t)
        np.multiply(from_cell_t, d_c_t, out=delta_t[:3])
        np.multiply(o_slope_t, d_h_t, out=delta_t[3])
        np.dot(weight, delta_t.reshape(-1), out=carried_h)
        np.multiply(d_c_t, keep_t, out=carried_c)
        h_t[:], c_t[:] = carried
    return CellGradients(d_h, d_c, delta, delta, back_h, back_c)


_RECURSIONS: Mapping[type[Cell], Callable[..., CellGradients]] = MappingProxyType(
    {
        RNNCell: _rnn,
        GRUCell: _gru,
        GRUSimplifiedCell: _gru,
        GRUResetBeforeCell: _gru_reset_before,
        LSTMCell: _lstm,
        LSTMLinearOutputCell: _lstm,
        LSTMPeepholeCell: _lstm,
    }
)
