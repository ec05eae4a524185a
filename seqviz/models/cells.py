"""Recurrent cells: one class per cell, its equations in the docstring, its code line for line below.

Shapes: x (batch, embedding); h, c and every gate (batch, unit). ``step`` works on any leading axes, so the same
definition gives one step of a sequence and all steps at once.

Every cell holds its weights in blocks of ``hidden_size`` rows, one block for each name in ``block_names``:
weight_input (block·unit, embedding), weight_hidden (block·unit, unit), bias_input and bias_hidden (block·unit).
The order of the blocks is that of torch.nn, so the fused kernels of torch run on the same tensors.

Conventions. σ is the logistic function, ⊙ the product element by element. The update gate z of a GRU *keeps* the old
state (torch, d2l); the gate Γ_u of Ng's course *writes*: Γ_u = 1 - z.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqviz.errors import unknown_name
from seqviz.models import record_loop
from seqviz.models.activations import ACTIVATIONS

Carry = tuple[Tensor, ...]
"""What a cell hands to its next step: (h,) or (h, c)."""

Values = dict[str, Tensor]
"""Every named quantity of a step; ``pre_activation`` is (..., block, unit), all others (..., unit)."""

Edit = Callable[[str, Tensor], Tensor]
"""Takes the name of a gate or state and its value (..., unit); what it returns takes the value's place."""


def unchanged(_: str, value: Tensor) -> Tensor:
    """The edit that leaves everything as it is."""
    return value


class Cell(nn.Module, ABC):
    """A recurrent cell, apart from its unrolling over time.

    Args:
        input_size: components of x.
        hidden_size: units of h.
    """

    block_names: ClassVar[tuple[str, ...]]
    has_cell_state: ClassVar[bool] = False

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        rows = len(self.block_names) * hidden_size
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_input = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hidden = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_input = nn.Parameter(torch.empty(rows))
        self.bias_hidden = nn.Parameter(torch.empty(rows))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform in ±1/√units, as torch.nn does."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def initial_carry(self, batch: int) -> Carry:
        """h_0 = 0 (and c_0 = 0), each (batch, unit)."""
        zero = self.weight_hidden.new_zeros(batch, self.hidden_size)
        return (zero, zero) if self.has_cell_state else (zero,)

    def project_input(self, x: Tensor) -> Tensor:
        """W_x x + b_x for all blocks: (..., embedding) -> (..., block·unit)."""
        return nn.functional.linear(x, self.weight_input, self.bias_input)

    @abstractmethod
    def step(self, projected_input: Tensor, carry: Carry, edit: Edit = unchanged) -> tuple[Carry, Values]:
        """One step from the projected input (..., block·unit) and the carry: the new carry and every quantity.

        ``edit`` sees every gate, the candidate and the states as soon as they are computed; what follows rests on
        what it returns.
        """

    def run(self, x: Tensor, carry: Carry) -> tuple[Tensor, Carry]:
        """All steps as fast as possible: x (batch, step, embedding) -> h (batch, step, unit) and the last carry."""
        states, carry = self._loop(x, carry)
        return states[0], carry

    def record(self, x: Tensor, carry: Carry) -> tuple[Values, Carry]:
        """All steps with every quantity, each (batch, step, ...), and the last carry.

        The states of all steps are computed first; since a step needs only its input and the carry before it, all
        gates then follow at once, as one matrix product over all steps.
        """
        states, last = self._states(x, carry)
        before = tuple(_shifted(first, state) for first, state in zip(carry, states, strict=True))
        _, values = self.step(self.project_input(x), before)
        for name, state in zip(("hidden_state", "cell_state"), states, strict=False):
            values[name] = state
        return values, last

    def _states(self, x: Tensor, carry: Carry) -> tuple[tuple[Tensor, ...], Carry]:
        """The carry of every step, stacked: ((batch, step, unit), ...)."""
        return self._loop(x, carry)

    def _loop(self, x: Tensor, carry: Carry) -> tuple[tuple[Tensor, ...], Carry]:
        """Step by step in Python, the input product hoisted out; for cells that no fused kernel computes."""
        carries = []
        for projected in self.project_input(x).unbind(1):
            carry, _ = self.step(projected, carry)
            carries.append(carry)
        return tuple(torch.stack(states, 1) for states in zip(*carries, strict=True)), carry

    def _weights(self) -> list[Tensor]:
        return [self.weight_input, self.weight_hidden, self.bias_input, self.bias_hidden]

    def _project_hidden(self, h: Tensor) -> Tensor:
        return nn.functional.linear(h, self.weight_hidden, self.bias_hidden)


def _shifted(first: Tensor, states: Tensor) -> Tensor:
    """The state before each step: (batch, unit) and (batch, step, unit) -> (batch, step, unit)."""
    return torch.cat([first.unsqueeze(1), states[:, :-1]], 1)


def _blocks(z: Tensor, count: int) -> Tensor:
    """(..., block·unit) -> (..., block, unit)."""
    return z.unflatten(-1, (count, -1))


class RNNCell(Cell):
    """The plain recurrent cell (Elman 1990; syllabus R1).

    h_t = g(W_x x_t + b_x + W_h h_{t-1} + b_h)

    Args:
        activation: name of g in ``seqviz.models.activations.ACTIVATIONS``.
    """

    block_names = ("candidate",)

    def __init__(self, input_size: int, hidden_size: int, *, activation: str = "tanh") -> None:
        super().__init__(input_size, hidden_size)
        if activation not in ACTIVATIONS:
            raise unknown_name("activation", activation, ACTIVATIONS)
        self.activation = activation

    def step(self, projected_input: Tensor, carry: Carry, edit: Edit = unchanged) -> tuple[Carry, Values]:
        (h,) = carry
        z = projected_input + self._project_hidden(h)
        h = edit("hidden_state", ACTIVATIONS[self.activation](z))
        return (h,), {"pre_activation": z.unsqueeze(-2), "hidden_state": h}

    def run(self, x: Tensor, carry: Carry) -> tuple[Tensor, Carry]:
        fused = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}.get(self.activation)
        if fused is None:
            return super().run(x, carry)
        h, last = fused(x, carry[0].unsqueeze(0), self._weights(), True, 1, 0.0, self.training, False, True)
        return h, (last[0],)

    def record(self, x: Tensor, carry: Carry) -> tuple[Values, Carry]:
        if self.activation == "tanh" and record_loop.fits(x):
            return record_loop.record_rnn(self.project_input(x[0]) + self.bias_hidden, self.weight_hidden, carry)
        return super().record(x, carry)

    def _states(self, x: Tensor, carry: Carry) -> tuple[tuple[Tensor, ...], Carry]:
        h, last = self.run(x, carry)
        return (h,), last


class GRUCell(Cell):
    """Gated recurrent unit, reset gate after the recurrent product (torch.nn.GRU, cuDNN).

    r_t = σ(W_xr x_t + b_xr + W_hr h_{t-1} + b_hr)
    z_t = σ(W_xz x_t + b_xz + W_hz h_{t-1} + b_hz)
    n_t = tanh(W_xn x_t + b_xn + r_t ⊙ (W_hn h_{t-1} + b_hn))
    h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ n_t
    """

    block_names = ("reset_gate", "update_gate", "candidate")

    def step(self, projected_input: Tensor, carry: Carry, edit: Edit = unchanged) -> tuple[Carry, Values]:
        (h,) = carry
        x_r, x_z, x_n = projected_input.chunk(3, -1)
        h_r, h_z, h_n = self._project_hidden(h).chunk(3, -1)
        z_r, z_z = x_r + h_r, x_z + h_z
        r, z = edit("reset_gate", torch.sigmoid(z_r)), edit("update_gate", torch.sigmoid(z_z))
        z_n = x_n + r * h_n
        n = edit("candidate", torch.tanh(z_n))
        h = edit("hidden_state", z * h + (1 - z) * n)
        return (h,), _gru_values((z_r, z_z, z_n), r, z, n, h)

    def run(self, x: Tensor, carry: Carry) -> tuple[Tensor, Carry]:
        h, last = torch.gru(x, carry[0].unsqueeze(0), self._weights(), True, 1, 0.0, self.training, False, True)
        return h, (last[0],)

    def record(self, x: Tensor, carry: Carry) -> tuple[Values, Carry]:
        if record_loop.fits(x):
            return record_loop.record_gru(self.project_input(x[0]), self.weight_hidden, self.bias_hidden, carry)
        return super().record(x, carry)

    def _states(self, x: Tensor, carry: Carry) -> tuple[tuple[Tensor, ...], Carry]:
        h, last = self.run(x, carry)
        return (h,), last


class GRUResetBeforeCell(Cell):
    """Gated recurrent unit, reset gate before the recurrent product (Cho et al. 2014, equations 5-8; syllabus G2).

    r_t = σ(W_xr x_t + b_xr + W_hr h_{t-1} + b_hr)
    z_t = σ(W_xz x_t + b_xz + W_hz h_{t-1} + b_hz)
    n_t = tanh(W_xn x_t + b_xn + W_hn (r_t ⊙ h_{t-1}) + b_hn)
    h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ n_t
    """

    block_names = ("reset_gate", "update_gate", "candidate")

    def step(self, projected_input: Tensor, carry: Carry, edit: Edit = unchanged) -> tuple[Carry, Values]:
        (h,) = carry
        units = self.hidden_size
        x_r, x_z, x_n = projected_input.chunk(3, -1)
        h_gates = nn.functional.linear(h, self.weight_hidden[: 2 * units], self.bias_hidden[: 2 * units])
        h_r, h_z = h_gates.chunk(2, -1)
        z_r, z_z = x_r + h_r, x_z + h_z
        r, z = edit("reset_gate", torch.sigmoid(z_r)), edit("update_gate", torch.sigmoid(z_z))
        z_n = x_n + nn.functional.linear(r * h, self.weight_hidden[2 * units :], self.bias_hidden[2 * units :])
        n = edit("candidate", torch.tanh(z_n))
        h = edit("hidden_state", z * h + (1 - z) * n)
        return (h,), _gru_values((z_r, z_z, z_n), r, z, n, h)


def _gru_values(z_all: tuple[Tensor, ...], r: Tensor, z: Tensor, n: Tensor, h: Tensor) -> Values:
    return {
        "pre_activation": torch.stack(z_all, -2),
        "reset_gate": r,
        "update_gate": z,
        "candidate": n,
        "hidden_state": h,
    }


class GRUSimplifiedCell(Cell):
    """Gated recurrent unit without a reset gate (Ng's first GRU; syllabus G1, with Γ_u = 1 - z).

    z_t = σ(W_xz x_t + b_xz + W_hz h_{t-1} + b_hz)
    n_t = tanh(W_xn x_t + b_xn + W_hn h_{t-1} + b_hn)
    h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ n_t
    """

    block_names = ("update_gate", "candidate")

    def step(self, projected_input: Tensor, carry: Carry, edit: Edit = unchanged) -> tuple[Carry, Values]:
        (h,) = carry
        pre = projected_input + self._project_hidden(h)
        z_z, z_n = pre.chunk(2, -1)
        z, n = edit("update_gate", torch.sigmoid(z_z)), edit("candidate", torch.tanh(z_n))
        h = edit("hidden_state", z * h + (1 - z) * n)
        return (h,), {"pre_activation": _blocks(pre, 2), "update_gate": z, "candidate": n, "hidden_state": h}


class LSTMCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; syllabus G3).

    i_t = σ(W_xi x_t + b_xi + W_hi h_{t-1} + b_hi)
    f_t = σ(W_xf x_t + b_xf + W_hf h_{t-1} + b_hf)
    g_t = tanh(W_xg x_t + b_xg + W_hg h_{t-1} + b_hg)
    o_t = σ(W_xo x_t + b_xo + W_ho h_{t-1} + b_ho)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)
    """

    block_names = ("input_gate", "forget_gate", "candidate", "output_gate")
    has_cell_state = True

    def step(self, projected_input: Tensor, carry: Carry, edit: Edit = unchanged) -> tuple[Carry, Values]:
        h, c = carry
        gates = self._gates(projected_input + self._project_hidden(h))
        values = {name: value if name == "pre_activation" else edit(name, value) for name, value in gates.items()}
        c = edit("cell_state", values["forget_gate"] * c + values["input_gate"] * values["candidate"])
        h = edit("hidden_state", values["output_gate"] * self._squash(c))
        return (h, c), values | {"cell_state": c, "hidden_state": h}

    def run(self, x: Tensor, carry: Carry) -> tuple[Tensor, Carry]:
        h, c = (state.unsqueeze(0) for state in carry)
        out, h, c = torch.lstm(x, (h, c), self._weights(), True, 1, 0.0, self.training, False, True)
        return out, (h[0], c[0])

    def record(self, x: Tensor, carry: Carry) -> tuple[Values, Carry]:
        if record_loop.fits(x):
            return record_loop.record_lstm(self.project_input(x[0]) + self.bias_hidden, self.weight_hidden, carry)
        # The fused kernel keeps no cell states: gates first, in one product over all steps, then c_t by its recurrence.
        h, last = self.run(x, carry)
        values = self._gates(self._project_all(x, _shifted(carry[0], h)))
        values["cell_state"] = _scan(values["forget_gate"], values["input_gate"] * values["candidate"], carry[1])
        values["hidden_state"] = h
        return values, last

    def _project_all(self, x: Tensor, h: Tensor) -> Tensor:
        """W_x x + b_x + W_h h + b_h of all steps, the second product added in place of the first."""
        z = nn.functional.linear(x, self.weight_input, self.bias_input + self.bias_hidden)
        rows = z.view(-1, z.shape[-1])
        return rows.addmm_(h.reshape(-1, self.hidden_size), self.weight_hidden.t()).view_as(z)

    @staticmethod
    def _squash(c: Tensor) -> Tensor:
        return torch.tanh(c)

    @staticmethod
    def _gates(pre: Tensor) -> Values:
        z = _blocks(pre, 4)
        i, f, g, o = z.unbind(-2)
        return {
            "pre_activation": z,
            "input_gate": torch.sigmoid(i),
            "forget_gate": torch.sigmoid(f),
            "candidate": torch.tanh(g),
            "output_gate": torch.sigmoid(o),
        }


def _scan(keep: Tensor, write: Tensor, first: Tensor) -> Tensor:
    """c_t = keep_t ⊙ c_{t-1} + write_t, for all t; keep and write (batch, step, unit), first (batch, unit)."""
    states = []
    for keep_t, write_t in zip(keep.unbind(1), write.unbind(1), strict=True):
        first = torch.addcmul(write_t, keep_t, first)
        states.append(first)
    return torch.stack(states, 1)


class LSTMLinearOutputCell(LSTMCell):
    """LSTM whose output is not squashed (the variant a = Γ_o c of Ng's course; syllabus G3).

    i_t, f_t, g_t, o_t, c_t as in ``LSTMCell``
    h_t = o_t ⊙ c_t
    """

    run = Cell.run
    record = Cell.record

    @staticmethod
    def _squash(c: Tensor) -> Tensor:
        return c


class LSTMPeepholeCell(Cell):
    """LSTM whose gates see the cell state (Gers et al. 2002; Graves 2012, chapter 4; syllabus G4).

    i_t = σ(W_xi x_t + b_xi + W_hi h_{t-1} + b_hi + p_i ⊙ c_{t-1})
    f_t = σ(W_xf x_t + b_xf + W_hf h_{t-1} + b_hf + p_f ⊙ c_{t-1})
    g_t = tanh(W_xg x_t + b_xg + W_hg h_{t-1} + b_hg)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    o_t = σ(W_xo x_t + b_xo + W_ho h_{t-1} + b_ho + p_o ⊙ c_t)
    h_t = o_t ⊙ tanh(c_t)
    """

    block_names = ("input_gate", "forget_gate", "candidate", "output_gate")
    has_cell_state = True

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        bound = 1.0 / math.sqrt(hidden_size)
        self.peephole = nn.Parameter(torch.empty(3, hidden_size).uniform_(-bound, bound))  # rows p_i, p_f, p_o

    def step(self, projected_input: Tensor, carry: Carry, edit: Edit = unchanged) -> tuple[Carry, Values]:
        h, c = carry
        p_i, p_f, p_o = self.peephole.unbind(0)
        z_i, z_f, z_g, z_o = (projected_input + self._project_hidden(h)).chunk(4, -1)
        z_i, z_f = z_i + p_i * c, z_f + p_f * c
        i, f = edit("input_gate", torch.sigmoid(z_i)), edit("forget_gate", torch.sigmoid(z_f))
        g = edit("candidate", torch.tanh(z_g))
        c = edit("cell_state", f * c + i * g)
        z_o = z_o + p_o * c
        o = edit("output_gate", torch.sigmoid(z_o))
        h = edit("hidden_state", o * torch.tanh(c))
        return (h, c), {
            "pre_activation": torch.stack((z_i, z_f, z_g, z_o), -2),
            "input_gate": i,
            "forget_gate": f,
            "candidate": g,
            "output_gate": o,
            "cell_state": c,
            "hidden_state": h,
        }


CELLS: Mapping[str, Callable[[int, int], Cell]] = MappingProxyType(
    {
        "rnn_tanh": partial(RNNCell, activation="tanh"),
        "rnn_relu": partial(RNNCell, activation="relu"),
        "rnn_logistic": partial(RNNCell, activation="logistic"),
        "rnn_leaky_relu": partial(RNNCell, activation="leaky_relu"),
        "rnn_elu": partial(RNNCell, activation="elu"),
        "rnn_identity": partial(RNNCell, activation="identity"),
        "gru": GRUCell,
        "gru_reset_before": GRUResetBeforeCell,
        "gru_simplified": GRUSimplifiedCell,
        "lstm": LSTMCell,
        "lstm_linear_output": LSTMLinearOutputCell,
        "lstm_peephole": LSTMPeepholeCell,
    }
)
"""Cells by the names of ``seqviz.config.CELL_NAMES``."""


def make_cell(name: str, input_size: int, hidden_size: int) -> Cell:
    """Builds a cell by name; raises UnknownNameError with the known names."""
    if name not in CELLS:
        raise unknown_name("cell", name, CELLS)
    return CELLS[name](input_size, hidden_size)
