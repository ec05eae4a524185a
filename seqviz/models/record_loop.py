"""One sequence through a cell, step by step into buffers made beforehand, every quantity kept.

The fused kernels of torch rearrange the weights on every call and keep no gates, so that all of them have to be
computed a second time. For a single sequence a loop over numpy views of the tensors is faster (docs/benchmarks.md): a
step is one matrix-vector product and a few vectors, where the call costs more than the arithmetic, and numpy's calls
are the cheaper. The equations are those of the classes in ``seqviz.models.cells``; parity tests hold both together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]
Values = dict[str, Tensor]
Carry = tuple[Tensor, ...]


def fits(x: Tensor) -> bool:
    """Whether x (batch, step, embedding) may take this way: one sequence, no gradients, numbers that numpy has."""
    return (
        len(x) == 1
        and x.shape[1] > 0
        and not torch.is_grad_enabled()
        and x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64)
    )


def record_rnn(projected: Tensor, weight_hidden: Tensor, carry: Carry) -> tuple[Values, Carry]:
    """The plain cell with tanh.

    Args:
        projected: W_x x + b_x + b_h of all steps, (step, unit); overwritten.
        weight_hidden: (unit, unit).
        carry: h before the first step, (1, unit).

    Returns:
        the values of ``Cell.record``, each (1, step, ...), and the last carry.
    """
    z, weight = _array(projected), _array(weight_hidden)
    h = _states(carry[0], len(z))
    product = np.empty_like(h[0])
    for z_t, h_before, h_t in zip(z, h, h[1:], strict=False):
        np.dot(weight, h_before, out=product)
        np.add(z_t, product, out=z_t)
        np.tanh(z_t, out=h_t)
    return _values(h, pre_activation=z[:, None], hidden_state=h[1:])


def record_gru(projected: Tensor, weight_hidden: Tensor, bias_hidden: Tensor, carry: Carry) -> tuple[Values, Carry]:
    """The GRU whose reset gate acts after the recurrent product.

    Args:
        projected: W_x x + b_x of all steps, (step, block·unit), in the order r, z, n; overwritten.
        weight_hidden, bias_hidden: (block·unit, unit) and (block·unit,).
        carry: h before the first step, (1, unit).
    """
    z, weight, bias = (_array(tensor) for tensor in (projected, weight_hidden, bias_hidden))
    units = weight.shape[1]
    h = _states(carry[0], len(z))
    gates, new = np.empty_like(z[:, : 2 * units]), np.empty_like(h[1:])
    product = np.empty_like(z[0])
    with np.errstate(over="ignore"):  # exp of a large number: the gate is 0
        for z_t, h_before, h_t, gates_t, n_t in zip(z, h, h[1:], gates, new, strict=False):
            np.dot(weight, h_before, out=product)
            np.add(product, bias, out=product)
            both, last = z_t[: 2 * units], z_t[2 * units :]
            np.add(both, product[: 2 * units], out=both)
            _sigmoid(both, gates_t)
            np.multiply(gates_t[:units], product[2 * units :], out=n_t)
            np.add(last, n_t, out=last)
            np.tanh(last, out=n_t)
            np.subtract(h_before, n_t, out=h_t)
            np.multiply(h_t, gates_t[units:], out=h_t)
            np.add(h_t, n_t, out=h_t)
    return _values(
        h,
        pre_activation=z.reshape(len(z), 3, units),
        reset_gate=gates[:, :units],
        update_gate=gates[:, units:],
        candidate=new,
        hidden_state=h[1:],
    )


def record_lstm(projected: Tensor, weight_hidden: Tensor, carry: Carry) -> tuple[Values, Carry]:
    """The LSTM without peepholes.

    Args:
        projected: W_x x + b_x + b_h of all steps, (step, block·unit), in the order i, f, g, o; overwritten.
        weight_hidden: (block·unit, unit).
        carry: h and c before the first step, each (1, unit).
    """
    z, weight = _array(projected), _array(weight_hidden)
    units = weight.shape[1]
    h, c = (_states(state, len(z)) for state in carry)
    gates = np.empty_like(z)
    product, written = np.empty_like(z[0]), np.empty_like(h[0])
    with np.errstate(over="ignore"):
        for z_t, gates_t, h_before, c_before, h_t, c_t in zip(z, gates, h, c, h[1:], c[1:], strict=False):
            np.dot(weight, h_before, out=product)
            np.add(z_t, product, out=z_t)
            # The candidate's part is overwritten at once: one call for four blocks is cheaper than one for each.
            _sigmoid(z_t, gates_t)
            g_t = gates_t[2 * units : 3 * units]
            np.tanh(z_t[2 * units : 3 * units], out=g_t)
            np.multiply(gates_t[units : 2 * units], c_before, out=c_t)
            np.multiply(gates_t[:units], g_t, out=written)
            np.add(c_t, written, out=c_t)
            np.tanh(c_t, out=written)
            np.multiply(gates_t[3 * units :], written, out=h_t)
    i, f, g, o = (gates[:, block * units : (block + 1) * units] for block in range(4))
    values, last = _values(
        h,
        pre_activation=z.reshape(len(z), 4, units),
        input_gate=i,
        forget_gate=f,
        candidate=g,
        output_gate=o,
        cell_state=c[1:],
        hidden_state=h[1:],
    )
    return values, (*last, torch.from_numpy(c[-1:]))


def _array(tensor: Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().numpy())


def _states(first: Tensor, steps: int) -> Array:
    """Room for the states of all steps behind the first one, (1 + step, unit)."""
    states = np.empty((steps + 1, first.shape[-1]), first.detach().numpy().dtype)
    states[0] = first[0].detach().numpy()
    return states


def _sigmoid(z: Array, out: Array) -> None:
    np.negative(z, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)


def _values(h: Array, **arrays: Array) -> tuple[Values, Carry]:
    return {name: torch.from_numpy(array).unsqueeze(0) for name, array in arrays.items()}, (torch.from_numpy(h[-1:]),)
