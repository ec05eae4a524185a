"""Back-propagation through time from recorded gates, without autograd (syllabus B2).

The forward pass leaves every gate of every step; with them all local slopes are known at once. What is left is a
linear recursion from the last step to the first, one product with W_h a step:

    δ_t = slopes_t ⊙ (∂L/∂h_t, ∂L/∂c_t),    ∂L/∂h_{t-1} = ... + W_h^T δ_t

δ_t is ∂L/∂(pre-activation) of step t, shape (block, unit). Everything runs in the number type of the recorded values;
float64 keeps gradients of some hundred steps that float32 would round to zero. The loops run on numpy views of the
tensors: a step is six small products, where the call costs more than the arithmetic, and numpy's calls are the cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqviz.models.activations import ELU_ALPHA, LEAKY_SLOPE
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

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]


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


def cell_gradients(cell: Cell, values: Values, from_above: Tensor) -> CellGradients:
    """Runs the recursion through one cell.

    Args:
        cell: the cell.
        values: what ``cell.record`` returned, without the batch axis: (step, ...), in the order of computation.
        from_above: ∂L/∂h_t through everything but the cell's own later steps, (step, unit).

    Returns:
        The gradients at every step.
    """
    return _RECURSIONS[type(cell)](cell, values, from_above)


def _before(states: Tensor) -> Tensor:
    """(step, unit): the state before each step, zeros before the first."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])


def _turned(weight: Tensor) -> Array:
    """Wᵀ with its rows in one piece each, so that Wᵀδ reads memory in order."""
    return np.ascontiguousarray(weight.detach().numpy().T)


def _from_the_end(*arrays: Tensor) -> Iterator[tuple[Array, ...]]:
    """Row by row from the last step to the first, as views."""
    return zip(*(array.detach().numpy()[::-1] for array in arrays), strict=True)


def _slope(activation: str, z: Tensor, h: Tensor) -> Tensor:
    """g'(z), from z and h = g(z) (syllabus B6)."""
    if activation == "tanh":
        return 1 - h * h
    if activation == "logistic":
        return h * (1 - h)
    if activation == "identity":
        return torch.ones_like(h)
    below = {"relu": torch.zeros_like(h), "leaky_relu": torch.full_like(h, LEAKY_SLOPE), "elu": h + ELU_ALPHA}
    return torch.where(z > 0, torch.ones_like(h), below[activation])


def _rnn(cell: RNNCell, values: Values, from_above: Tensor) -> CellGradients:
    h = values["hidden_state"]
    slope = _slope(cell.activation, values["pre_activation"][:, 0], h)
    weight = _turned(cell.weight_hidden)
    d_h, delta, back = torch.empty_like(h), torch.empty_like(h), torch.empty_like(h)
    carried = np.zeros_like(h[0].numpy())
    for above, d_h_t, delta_t, slope_t, back_t in _from_the_end(from_above, d_h, delta, slope, back):
        np.add(above, carried, out=d_h_t)
        np.multiply(d_h_t, slope_t, out=delta_t)
        carried = np.dot(weight, delta_t, out=back_t)
    return CellGradients(d_h, None, delta.unsqueeze(1), delta.unsqueeze(1), back, None)


def _gru(cell: Cell, values: Values, from_above: Tensor) -> CellGradients:
    """GRU with the reset gate after the product, and the simplified GRU, which has none."""
    h, z, n = values["hidden_state"], values["update_gate"], values["candidate"]
    h_before = _before(h)
    units = cell.hidden_size
    slopes = [(h_before - n) * z * (1 - z), (1 - z) * (1 - n * n)]
    recurrent_slopes = list(slopes)
    if isinstance(cell, GRUCell):
        r = values["reset_gate"]
        recurrent = torch.nn.functional.linear(h_before, cell.weight_hidden[2 * units :], cell.bias_hidden[2 * units :])
        slopes.insert(0, slopes[1] * recurrent * r * (1 - r))
        recurrent_slopes = [slopes[0], slopes[1], r * slopes[2]]
    slope, recurrent_slope = torch.stack(slopes, 1), torch.stack(recurrent_slopes, 1)
    weight = _turned(cell.weight_hidden)
    d_h, back = torch.empty_like(h), torch.empty_like(h)
    carried = np.zeros_like(h[0].numpy())
    errors, kept = np.empty_like(recurrent_slope[0].numpy()), carried.copy()
    for above, d_h_t, slope_t, z_t, back_t in _from_the_end(from_above, d_h, recurrent_slope, z, back):
        np.add(above, carried, out=d_h_t)
        np.multiply(slope_t, d_h_t, out=errors)
        carried = np.dot(weight, errors.reshape(-1), out=back_t)
        np.multiply(d_h_t, z_t, out=kept)
        carried += kept
    return CellGradients(d_h, None, slope * d_h.unsqueeze(1), recurrent_slope * d_h.unsqueeze(1), back, None)


def _gru_reset_before(cell: GRUResetBeforeCell, values: Values, from_above: Tensor) -> CellGradients:
    h, z, r, n = (values[name] for name in ("hidden_state", "update_gate", "reset_gate", "candidate"))
    h_before = _before(h)
    units = cell.hidden_size
    gates_weight, candidate_weight = (_turned(part) for part in cell.weight_hidden.split([2 * units, units]))
    z_slope, n_slope, r_slope = (h_before - n) * z * (1 - z), (1 - z) * (1 - n * n), h_before * r * (1 - r)
    d_h, back, delta = torch.empty_like(h), torch.empty_like(h), h.new_empty(len(h), 3, units)
    carried = np.zeros_like(h[0].numpy())
    rows = (from_above, d_h, delta, n_slope, r_slope, z_slope, z, r, back)
    for above, d_h_t, delta_t, n_slope_t, r_slope_t, z_slope_t, z_t, r_t, back_t in _from_the_end(*rows):
        np.add(above, carried, out=d_h_t)
        np.multiply(d_h_t, n_slope_t, out=delta_t[2])
        through_reset = np.dot(candidate_weight, delta_t[2])
        np.multiply(through_reset, r_slope_t, out=delta_t[0])
        np.multiply(d_h_t, z_slope_t, out=delta_t[1])
        carried = np.dot(gates_weight, delta_t[:2].reshape(-1), out=back_t)
        carried += d_h_t * z_t
        carried += through_reset * r_t
    return CellGradients(d_h, None, delta, delta, back, None)


def _lstm(cell: Cell, values: Values, from_above: Tensor) -> CellGradients:
    """All LSTMs; peepholes add their paths from the gates to the cell states."""
    h, c = values["hidden_state"], values["cell_state"]
    i, f, g, o = (values[name] for name in ("input_gate", "forget_gate", "candidate", "output_gate"))
    squashed = c if isinstance(cell, LSTMLinearOutputCell) else torch.tanh(c)
    c_slope = o if isinstance(cell, LSTMLinearOutputCell) else o * (1 - squashed * squashed)
    o_slope = squashed * o * (1 - o)
    from_cell = torch.stack([g * i * (1 - i), _before(c) * f * (1 - f), i * (1 - g * g)], 1)
    keep = f
    if isinstance(cell, LSTMPeepholeCell):
        p_i, p_f, p_o = cell.peephole.unbind(0)
        c_slope = c_slope + p_o * o_slope
        keep = f + p_i * from_cell[:, 0] + p_f * from_cell[:, 1]
    d_h, d_c, delta = torch.empty_like(h), torch.empty_like(c), h.new_empty(len(h), 4, cell.hidden_size)
    weight = _turned(cell.weight_hidden)
    back_h, back_c = torch.empty_like(h), torch.empty_like(c)
    carried_h, carried_c = np.zeros_like(h[0].numpy()), np.zeros_like(c[0].numpy())
    rows = (from_above, d_h, d_c, delta, c_slope, from_cell, o_slope, keep, back_h, back_c)
    for above, d_h_t, d_c_t, delta_t, c_slope_t, from_cell_t, o_slope_t, keep_t, h_t, c_t in _from_the_end(*rows):
        np.add(above, carried_h, out=d_h_t)
        np.multiply(d_h_t, c_slope_t, out=d_c_t)
        np.add(d_c_t, carried_c, out=d_c_t)
        np.multiply(from_cell_t, d_c_t, out=delta_t[:3])
        np.multiply(o_slope_t, d_h_t, out=delta_t[3])
        carried_h = np.dot(weight, delta_t.reshape(-1), out=h_t)
        carried_c = np.multiply(d_c_t, keep_t, out=c_t)
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
