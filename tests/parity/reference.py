"""The recurrent cells once more, in numpy, one sequence and one step at a time, from the equations of the papers.

Nothing here is shared with ``seqviz.models``: no class, no helper and no batched operation. Weights come as a mapping
of the parameter names of a cell to float64 arrays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Step = dict[str, Array]


def logistic(z: Array) -> Array:
    return np.array([1.0 / (1.0 + math.exp(-value)) for value in z])


def hyperbolic_tangent(z: Array) -> Array:
    return np.array([math.tanh(value) for value in z])


PLAIN = {
    "rnn_tanh": math.tanh,
    "rnn_relu": lambda z: z if z > 0 else 0.0,
    "rnn_logistic": lambda z: 1.0 / (1.0 + math.exp(-z)),
    "rnn_leaky_relu": lambda z: max(0.01 * z, z),
    "rnn_elu": lambda z: z if z > 0 else math.exp(z) - 1.0,
    "rnn_identity": lambda z: z,
}

BLOCKS = {
    **dict.fromkeys(PLAIN, ("candidate",)),
    "gru": ("reset_gate", "update_gate", "candidate"),
    "gru_reset_before": ("reset_gate", "update_gate", "candidate"),
    "gru_simplified": ("update_gate", "candidate"),
    "lstm": ("input_gate", "forget_gate", "candidate", "output_gate"),
    "lstm_linear_output": ("input_gate", "forget_gate", "candidate", "output_gate"),
    "lstm_peephole": ("input_gate", "forget_gate", "candidate", "output_gate"),
}


class ReferenceCell:
    """One cell with its weights, block by block."""

    def __init__(self, name: str, weights: Mapping[str, Array]) -> None:
        self.name = name
        units = weights["weight_hidden"].shape[1]
        self.units = units
        for index, block in enumerate(BLOCKS[name]):
            rows = slice(index * units, (index + 1) * units)
            setattr(self, f"W_{block}", weights["weight_input"][rows])
            setattr(self, f"U_{block}", weights["weight_hidden"][rows])
            setattr(self, f"b_{block}", weights["bias_input"][rows])
            setattr(self, f"d_{block}", weights["bias_hidden"][rows])
        self.peephole = weights.get("peephole")
        self.forced: dict[str, dict[int, float]] = {}  # quantity -> unit -> value, at the step that is computed

    def force(self, name: str, values: Array) -> Array:
        """The values, or what an intervention makes of them."""
        return np.array([self.forced.get(name, {}).get(unit, value) for unit, value in enumerate(values)])

    def sum(self, block: str, x: Array, h: Array) -> Array:
        """W x + b + U h + d of one block."""
        return (
            getattr(self, f"W_{block}") @ x
            + getattr(self, f"b_{block}")
            + getattr(self, f"U_{block}") @ h
            + getattr(self, f"d_{block}")
        )

    def step(self, x: Array, h: Array, c: Array) -> Step:
        if self.name in PLAIN:
            return self._plain(x, h)
        if self.name == "gru_simplified":
            return self._gru_simplified(x, h)
        if self.name.startswith("gru"):
            return self._gru(x, h)
        return self._lstm(x, h, c)

    def _plain(self, x: Array, h: Array) -> Step:
        z = self.sum("candidate", x, h)
        return {
            "pre_candidate": z,
            "hidden_state": self.force("hidden_state", np.array([PLAIN[self.name](value) for value in z])),
        }

    def _gru_simplified(self, x: Array, h: Array) -> Step:
        z_update, z_candidate = self.sum("update_gate", x, h), self.sum("candidate", x, h)
        update = self.force("update_gate", logistic(z_update))
        candidate = self.force("candidate", hyperbolic_tangent(z_candidate))
        # Ng's Γ_u writes, so that Γ_u = 1 - update.
        write = 1.0 - update
        return {
            "pre_update_gate": z_update,
            "pre_candidate": z_candidate,
            "update_gate": update,
            "candidate": candidate,
            "hidden_state": self.force("hidden_state", write * candidate + (1.0 - write) * h),
        }

    def _gru(self, x: Array, h: Array) -> Step:
        z_reset, z_update = self.sum("reset_gate", x, h), self.sum("update_gate", x, h)
        reset = self.force("reset_gate", logistic(z_reset))
        update = self.force("update_gate", logistic(z_update))
        if self.name == "gru_reset_before":  # Cho et al. 2014, equation 8
            z_candidate = self.sum("candidate", x, reset * h)
        else:
            recurrent = self.U_candidate @ h + self.d_candidate
            z_candidate = self.W_candidate @ x + self.b_candidate + reset * recurrent
        candidate = self.force("candidate", hyperbolic_tangent(z_candidate))
        return {
            "pre_reset_gate": z_reset,
            "pre_update_gate": z_update,
            "pre_candidate": z_candidate,
            "reset_gate": reset,
            "update_gate": update,
            "candidate": candidate,
            "hidden_state": self.force("hidden_state", update * h + (1.0 - update) * candidate),
        }

    def _lstm(self, x: Array, h: Array, c: Array) -> Step:
        z_input, z_forget = self.sum("input_gate", x, h), self.sum("forget_gate", x, h)
        z_candidate, z_output = self.sum("candidate", x, h), self.sum("output_gate", x, h)
        if self.peephole is not None:  # Graves 2012, equations 4.10 and 4.12
            z_input, z_forget = z_input + self.peephole[0] * c, z_forget + self.peephole[1] * c
        gate_in, keep = self.force("input_gate", logistic(z_input)), self.force("forget_gate", logistic(z_forget))
        candidate = self.force("candidate", hyperbolic_tangent(z_candidate))
        c = self.force("cell_state", keep * c + gate_in * candidate)
        if self.peephole is not None:  # ... and 4.16: the output gate sees the new cell state
            z_output = z_output + self.peephole[2] * c
        out = self.force("output_gate", logistic(z_output))
        shown = c if self.name == "lstm_linear_output" else hyperbolic_tangent(c)
        return {
            "pre_input_gate": z_input,
            "pre_forget_gate": z_forget,
            "pre_candidate": z_candidate,
            "pre_output_gate": z_output,
            "input_gate": gate_in,
            "forget_gate": keep,
            "candidate": candidate,
            "output_gate": out,
            "cell_state": c,
            "hidden_state": self.force("hidden_state", out * shown),
        }

    def run(self, x: Array, h: Array | None = None, c: Array | None = None) -> Step:
        """All steps of x (step, embedding): every quantity by name, each (step, unit)."""
        h = np.zeros(self.units) if h is None else h
        c = np.zeros(self.units) if c is None else c
        steps: list[Step] = []
        for row in x:
            values = self.step(row, h, c)
            h, c = values["hidden_state"], values.get("cell_state", c)
            steps.append(values)
        return {name: np.stack([values[name] for values in steps]) for name in steps[0]}

    def run_backward(self, x: Array) -> Step:
        """From the last step to the first; rows in the order of the text."""
        return {name: value[::-1] for name, value in self.run(x[::-1]).items()}
