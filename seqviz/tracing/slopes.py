"""The slopes of every step that recorded gates leave behind, for all steps at once (syllabus B2, B4, B6).

They are all that the way back through time needs of the forward pass: the recursion of ``seqviz.tracing.backward`` and
the Jacobians of ``seqviz.tracing.jacobians`` are made of the same ones. Slopes of the plain cell's activations are
taken from the pre-activation z, not from g(z): 1 - tanh²(z) is rounded to 0 from |z| = 19 on, 1 / cosh²(z) is not.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from seqviz.models.activations import ELU_ALPHA, LEAKY_SLOPE
from seqviz.models.cells import Cell, GRUCell, LSTMLinearOutputCell, LSTMPeepholeCell, RNNCell, Values


def activation_slope(activation: str, z: Tensor) -> Tensor:
    """g'(z) of a named activation (syllabus B6)."""
    one = torch.ones_like(z)
    if activation == "tanh":
        return torch.cosh(z).square().reciprocal()
    if activation == "logistic":
        return torch.sigmoid(z) * torch.sigmoid(-z)
    if activation == "identity":
        return one
    below = {
        "relu": torch.zeros_like(z),
        "leaky_relu": torch.full_like(z, LEAKY_SLOPE),
        "elu": ELU_ALPHA * torch.exp(z),
    }
    return torch.where(z > 0, one, below[activation])


def states_before(states: Tensor) -> Tensor:
    """(step, unit): the state before each step, zeros before the first."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])


def rnn_slopes(cell: RNNCell, values: Values) -> Tensor:
    """∂h_t/∂z_t, (step, unit)."""
    return activation_slope(cell.activation, values["pre_activation"][:, 0])


class GRUSlopes(NamedTuple):
    """∂h_t/∂ of what is in front of the gates.

    Args:
        pre_activation: of the pre-activations, (step, block, unit).
        recurrent: of what W_h gives each block, (step, block, unit).
        keep: of h_{t-1} along the gate itself, z_t, (step, unit).
    """

    pre_activation: Tensor
    recurrent: Tensor
    keep: Tensor


def gru_slopes(cell: Cell, values: Values) -> GRUSlopes:
    """Of the GRU with the reset gate after the product, and of the simplified GRU, which has none."""
    h, z, n = values["hidden_state"], values["update_gate"], values["candidate"]
    h_before = states_before(h)
    slopes = [(h_before - n) * z * (1 - z), (1 - z) * (1 - n * n)]
    recurrent_slopes = list(slopes)
    if isinstance(cell, GRUCell):
        r, units = values["reset_gate"], cell.hidden_size
        recurrent = torch.nn.functional.linear(h_before, cell.weight_hidden[2 * units :], cell.bias_hidden[2 * units :])
        slopes.insert(0, slopes[1] * recurrent * r * (1 - r))
        recurrent_slopes = [slopes[0], slopes[1], r * slopes[2]]
    return GRUSlopes(torch.stack(slopes, 1), torch.stack(recurrent_slopes, 1), z)


class ResetBeforeSlopes(NamedTuple):
    """Of the GRU whose candidate reads r ⊙ h: ∂h_t/∂z, ∂h_t/∂n, ∂(r ⊙ h)/∂r and the gates, each (step, unit)."""

    update: Tensor
    candidate: Tensor
    reset: Tensor
    keep: Tensor
    reset_gate: Tensor


def gru_reset_before_slopes(values: Values) -> ResetBeforeSlopes:
    """Slopes of ``GRUResetBeforeCell``, of the gates' and the candidate's pre-activations."""
    h, z, r, n = (values[name] for name in ("hidden_state", "update_gate", "reset_gate", "candidate"))
    h_before = states_before(h)
    return ResetBeforeSlopes(
        (h_before - n) * z * (1 - z), (1 - z) * (1 - n * n), h_before * r * (1 - r), keep=z, reset_gate=r
    )


class LSTMSlopes(NamedTuple):
    """Of all LSTMs.

    Args:
        cell_to_hidden: ∂h_t/∂c_t, (step, unit).
        output: ∂h_t/∂ of the output gate's pre-activation, (step, unit).
        gates: ∂c_t/∂ of the pre-activations of input gate, forget gate and candidate, (step, 3, unit).
        keep: ∂c_t/∂c_{t-1} with h_{t-1} held: the forget gate, and the paths through peepholes, (step, unit).
    """

    cell_to_hidden: Tensor
    output: Tensor
    gates: Tensor
    keep: Tensor


def lstm_slopes(cell: Cell, values: Values) -> LSTMSlopes:
    """All LSTMs; peepholes add their paths from the gates to the cell states."""
    c = values["cell_state"]
    i, f, g, o = (values[name] for name in ("input_gate", "forget_gate", "candidate", "output_gate"))
    squashed = c if isinstance(cell, LSTMLinearOutputCell) else torch.tanh(c)
    c_slope = o if isinstance(cell, LSTMLinearOutputCell) else o * (1 - squashed * squashed)
    o_slope = squashed * o * (1 - o)
    gates = torch.stack([g * i * (1 - i), states_before(c) * f * (1 - f), i * (1 - g * g)], 1)
    keep = f
    if isinstance(cell, LSTMPeepholeCell):
        p_i, p_f, p_o = cell.peephole.unbind(0)
        c_slope = c_slope + p_o * o_slope
        keep = f + p_i * gates[:, 0] + p_f * gates[:, 1]
    return LSTMSlopes(c_slope, o_slope, gates, keep)
