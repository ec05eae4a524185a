"""The slopes of every step that recorded gates leave behind, for all steps at once (syllabus B2, B4, B6).

They are all that the way back through time needs of the forward pass: the recursion of ``seqviz.tracing.backward`` and
the Jacobians of ``seqviz.tracing.jacobians`` are made of the same ones. Slopes of the plain cell's activations are
taken from the pre-activation z, not from g(z): 1 - tanh²(z) is rounded to 0 from |z| = 19 on, 1 / cosh²(z) is not.

``passing`` says where a quantity was forced: by its name (step, unit) with 1 where the equations gave its value and 0
where somebody else did. A forced number is a constant, so every slope through it is 0; quantities that are not named
were never forced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from seqviz.models.activations import ELU_ALPHA, LEAKY_SLOPE
from seqviz.models.cells import Cell, GRUCell, LSTMLinearOutputCell, LSTMPeepholeCell, RNNCell, Values

Passing = Mapping[str, Tensor]


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


def through(slope: Tensor, passing: Passing | None, *names: str) -> Tensor:
    """A slope of a path through the named quantities: 0 where one of them was forced."""
    for name in names:
        if passing is not None and name in passing:
            slope = slope * passing[name]
    return slope


def rnn_slopes(cell: RNNCell, values: Values, passing: Passing | None = None) -> Tensor:
    """∂h_t/∂z_t, (step, unit)."""
    return through(activation_slope(cell.activation, values["pre_activation"][:, 0]), passing, "hidden_state")


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


def gru_slopes(cell: Cell, values: Values, passing: Passing | None = None) -> GRUSlopes:
    """Of the GRU with the reset gate after the product, and of the simplified GRU, which has none."""
    h, z, n = values["hidden_state"], values["update_gate"], values["candidate"]
    h_before = states_before(h)
    slopes = [
        through((h_before - n) * z * (1 - z), passing, "update_gate", "hidden_state"),
        through((1 - z) * (1 - n * n), passing, "candidate", "hidden_state"),
    ]
    recurrent_slopes = list(slopes)
    if isinstance(cell, GRUCell):
        r, units = values["reset_gate"], cell.hidden_size
        recurrent = torch.nn.functional.linear(h_before, cell.weight_hidden[2 * units :], cell.bias_hidden[2 * units :])
        slopes.insert(0, through(slopes[1] * recurrent * r * (1 - r), passing, "reset_gate"))
        recurrent_slopes = [slopes[0], slopes[1], r * slopes[2]]
    return GRUSlopes(torch.stack(slopes, 1), torch.stack(recurrent_slopes, 1), through(z, passing, "hidden_state"))


class ResetBeforeSlopes(NamedTuple):
    """Of the GRU whose candidate reads r ⊙ h: ∂h_t/∂z, ∂h_t/∂n, ∂(r ⊙ h)/∂r and the gates, each (step, unit)."""

    update: Tensor
    candidate: Tensor
    reset: Tensor
    keep: Tensor
    reset_gate: Tensor


def gru_reset_before_slopes(values: Values, passing: Passing | None = None) -> ResetBeforeSlopes:
    """Slopes of ``GRUResetBeforeCell``, of the gates' and the candidate's pre-activations."""
    h, z, r, n = (values[name] for name in ("hidden_state", "update_gate", "reset_gate", "candidate"))
    h_before = states_before(h)
    return ResetBeforeSlopes(
        through((h_before - n) * z * (1 - z), passing, "update_gate", "hidden_state"),
        through((1 - z) * (1 - n * n), passing, "candidate", "hidden_state"),
        through(h_before * r * (1 - r), passing, "reset_gate"),
        keep=through(z, passing, "hidden_state"),
        reset_gate=r,
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


def lstm_slopes(cell: Cell, values: Values, passing: Passing | None = None) -> LSTMSlopes:
    """All LSTMs; peepholes add their paths from the gates to the cell states."""
    c = values["cell_state"]
    i, f, g, o = (values[name] for name in ("input_gate", "forget_gate", "candidate", "output_gate"))
    squashed = c if isinstance(cell, LSTMLinearOutputCell) else torch.tanh(c)
    c_slope = o if isinstance(cell, LSTMLinearOutputCell) else o * (1 - squashed * squashed)
    o_slope = through(squashed * o * (1 - o), passing, "output_gate")
    gates = torch.stack(
        [
            through(g * i * (1 - i), passing, "input_gate", "cell_state"),
            through(states_before(c) * f * (1 - f), passing, "forget_gate", "cell_state"),
            through(i * (1 - g * g), passing, "candidate", "cell_state"),
        ],
        1,
    )
    keep = through(f, passing, "cell_state")
    if isinstance(cell, LSTMPeepholeCell):
        p_i, p_f, p_o = cell.peephole.unbind(0)
        c_slope = c_slope + p_o * o_slope
        keep = keep + p_i * gates[:, 0] + p_f * gates[:, 1]
    c_slope, o_slope = (through(slope, passing, "hidden_state") for slope in (c_slope, o_slope))
    return LSTMSlopes(c_slope, o_slope, gates, keep)
