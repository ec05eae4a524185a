"""The LSTM block in the notation of Graves 2012, chapter 4 (syllabus G4, B2): a, b, s forward; ε, δ backward.

Input, forget and output gate are ι, φ and ω; f is σ, g and h are tanh (h is the identity for a = Γ_o c). Every line
stands once in symbols and once with the numbers of one unit at one step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqviz.charts.numbers import factor, shown_number
from seqviz.errors import InvalidInputError
from seqviz.gates import UnitCourse
from seqviz.gradients import LayerGradients
from seqviz.i18n import Translator, english
from seqviz.traces import LayerTrace

_GREEK = {"input_gate": r"\iota", "forget_gate": r"\phi", "output_gate": r"\omega", "candidate": "c"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GravesLine:
    """One equation of the block.

    Args:
        name: of the quantity on the left: ``"a_iota"``, ``"b_iota"``, ``"s_c"``, ``"epsilon_s"``, ``"delta_phi"`` ...
        general: in symbols, LaTeX.
        filled: with numbers, LaTeX.
        value: the model's own number of the left side.
        computed: the right side, computed from the other numbers of the model.
        says: what it is, in a few words.
    """

    name: str
    general: str
    filled: str
    value: float
    computed: float
    says: str


def graves_forward(
    part: LayerTrace, course: UnitCourse, *, step: int, t: Translator = english
) -> tuple[GravesLine, ...]:
    """Forward pass of one unit: a_ι, b_ι, a_φ, b_φ, a_c, s_c, a_ω, b_ω, b_c.

    Args:
        part: a layer of an LSTM.
        course: the unit, from the same run.
        step: counted from 0.
        t: the reader's language.

    Raises:
        InvalidInputError: the cell is no LSTM.
    """
    _check(part)
    unit, peephole = course.unit, part.cell == "lstm_peephole"
    v = {name: float(values[step, unit]) for name, values in part.quantities().items()}
    s_before = _before(part, step, unit)
    lines: list[GravesLine] = []
    names = {
        "input_gate": t("input gate"),
        "forget_gate": t("forget gate"),
        "candidate": t("candidate"),
        "output_gate": t("output gate"),
    }
    for block in ("input_gate", "forget_gate", "candidate", "output_gate"):
        greek = _GREEK[block]
        name = greek.strip("\\")
        total = float(part.pre_activation[step, part.block_names.index(block), unit])
        addends = [float(values[step]) for values in course.parts[block].values()]
        seen = "s_c^t" if block == "output_gate" else "s_c^{t-1}"
        sees = rf" + w_{{c{greek}}} {seen}" if peephole and block != "candidate" else ""
        right = rf"\sum_i w_{{i{greek}}} x_i^t + \sum_h w_{{h{greek}}} b_h^{{t-1}}{sees} + \theta_{{{greek}}}"
        says = t("{gate}: its sum").format(gate=names[block])
        lines.append(_line(f"a_{name}", rf"a_{{{greek}}}^t", right, _added(addends), total, sum(addends), says))
        if block == "candidate":
            pairs = (("forget_gate", s_before), ("input_gate", v["candidate"]))
            numbers = " + ".join(f"{_n(v[gate])} \\cdot {_f(value)}" for gate, value in pairs)
            computed = sum(v[gate] * value for gate, value in pairs)
            right = r"b_\phi^t s_c^{t-1} + b_\iota^t\, g(a_c^t)"
            lines.append(_line("s_c", "s_c^t", right, numbers, v["cell_state"], computed, t("state of the cell")))
        else:
            computed = float(1.0 / (1.0 + np.exp(-total)))
            numbers = rf"\sigma({_n(total)})"
            left, right = f"b_{{{greek}}}^t", f"f(a_{{{greek}}}^t)"
            lines.append(_line(f"b_{name}", left, right, numbers, v[block], computed, names[block]))
    squash = "s_c^t" if part.cell == "lstm_linear_output" else "h(s_c^t)"
    shown = _squashed(part.cell, v["cell_state"])
    numbers = f"{_n(v['output_gate'])} \\cdot {_f(shown)}"
    lines.append(
        _line("b_c", "b_c^t", rf"b_\omega^t\, {squash}", numbers, v["hidden_state"], v["output_gate"] * shown,
              t("output of the cell"))
    )  # fmt: skip
    return tuple(lines)


def graves_backward(
    part: LayerTrace,
    gradients: LayerGradients,
    *,
    step: int,
    unit: int,
    peephole: tuple[float, float, float] = (0.0, 0.0, 0.0),
    t: Translator = english,
) -> tuple[GravesLine, ...]:
    """Backward pass of one unit: ε_c, δ_ω, ε_s, δ_c, δ_φ, δ_ι.

    Args:
        part: a layer of an LSTM.
        gradients: of the same layer and direction, for the loss L.
        step, unit: counted from 0.
        peephole: w_cι, w_cφ, w_cω of the unit; zeros for an LSTM without them.
        t: the reader's language.

    Raises:
        InvalidInputError: the cell is no LSTM.
    """
    _check(part)
    v = {name: float(values[step, unit]) for name, values in part.quantities().items()}
    delta = {
        name: float(gradients.pre_activation[step, index, unit]) for index, name in enumerate(gradients.block_names)
    }
    eps_c, eps_s = float(gradients.hidden_state[step, unit]), float(np.asarray(gradients.cell_state)[step, unit])
    s_before, shown = _before(part, step, unit), _squashed(part.cell, v["cell_state"])
    behind = step + (1 if part.direction == "forward" else -1)
    there = 0 <= behind < len(part.hidden_state)
    keep = float(part.gates["forget_gate"][behind, unit]) if there else 0.0
    eps_s_behind = float(np.asarray(gradients.cell_state)[behind, unit]) if there else 0.0
    slope = 1.0 if part.cell == "lstm_linear_output" else 1.0 - shown**2
    w_i, w_f, w_o = peephole
    after = {
        name: float(gradients.pre_activation[behind, index, unit]) if there else 0.0
        for index, name in enumerate(gradients.block_names)
    }
    carried = v["output_gate"] * slope * eps_c + keep * eps_s_behind
    carried += w_i * after["input_gate"] + w_f * after["forget_gate"] + w_o * delta["output_gate"]
    sees = (
        r" + w_{c\iota}\delta_\iota^{t+1} + w_{c\phi}\delta_\phi^{t+1} + w_{c\omega}\delta_\omega^t"
        if part.cell == "lstm_peephole"
        else ""
    )
    more = (
        f" + {_f(w_i)} \\cdot {_f(after['input_gate'])} + {_f(w_f)} \\cdot {_f(after['forget_gate'])}"
        f" + {_f(w_o)} \\cdot {_f(delta['output_gate'])}"
        if sees
        else ""
    )

    error_at_state = f"{_n(v['output_gate'])} \\cdot {_f(slope)} \\cdot {_f(eps_c)}"
    error_at_state += f" + {_n(keep)} \\cdot {_f(eps_s_behind)}{more}"

    def sigma_slope(gate: str) -> float:
        return v[gate] * (1.0 - v[gate])

    h = "s_c^t" if part.cell == "lstm_linear_output" else "h(s_c^t)"
    h_slope = "" if part.cell == "lstm_linear_output" else "h'(s_c^t)\\, "
    rows = (
        (
            "epsilon_c", r"\epsilon_c^t", r"\partial L / \partial b_c^t", "",
            eps_c, eps_c, t("error at the cell's output"),
        ),
        (
            "delta_omega", r"\delta_\omega^t", rf"f'(a_\omega^t)\, {h}\, \epsilon_c^t",
            f"{_n(sigma_slope('output_gate'))} \\cdot {_f(shown)} \\cdot {_f(eps_c)}",
            delta["output_gate"], sigma_slope("output_gate") * shown * eps_c, t("output gate"),
        ),
        (
            "epsilon_s", r"\epsilon_s^t",
            rf"b_\omega^t\, {h_slope}\epsilon_c^t + b_\phi^{{t+1}} \epsilon_s^{{t+1}}{sees}",
            error_at_state,
            eps_s, carried, t("error at the state of the cell"),
        ),
        (
            "delta_c", r"\delta_c^t", r"b_\iota^t\, g'(a_c^t)\, \epsilon_s^t",
            f"{_n(v['input_gate'])} \\cdot {_f(1 - v['candidate'] ** 2)} \\cdot {_f(eps_s)}",
            delta["candidate"], v["input_gate"] * (1 - v["candidate"] ** 2) * eps_s, t("candidate"),
        ),
        (
            "delta_phi", r"\delta_\phi^t", r"f'(a_\phi^t)\, s_c^{t-1} \epsilon_s^t",
            f"{_n(sigma_slope('forget_gate'))} \\cdot {_f(s_before)} \\cdot {_f(eps_s)}",
            delta["forget_gate"], sigma_slope("forget_gate") * s_before * eps_s, t("forget gate"),
        ),
        (
            "delta_iota", r"\delta_\iota^t", r"f'(a_\iota^t)\, g(a_c^t)\, \epsilon_s^t",
            f"{_n(sigma_slope('input_gate'))} \\cdot {_f(v['candidate'])} \\cdot {_f(eps_s)}",
            delta["input_gate"], sigma_slope("input_gate") * v["candidate"] * eps_s, t("input gate"),
        ),
    )  # fmt: skip
    return tuple(
        _line(name, left, right, numbers, value, computed, says)
        for name, left, right, numbers, value, computed, says in rows
    )


def _line(name: str, left: str, right: str, numbers: str, value: float, computed: float, says: str) -> GravesLine:
    middle = f" = {numbers}" if numbers else ""
    return GravesLine(
        name=name,
        general=f"{left} = {right}",
        filled=f"{left}{middle} = {_n(value)}",
        value=value,
        computed=float(computed),
        says=says,
    )


def _added(addends: list[float]) -> str:
    return " + ".join(_n(one) if index == 0 else _f(one) for index, one in enumerate(addends))


def _n(value: float) -> str:
    return shown_number(value, 4).latex


def _f(value: float) -> str:
    return factor(shown_number(value, 4)).latex


def _before(part: LayerTrace, step: int, unit: int) -> float:
    _, c = part.before(step)
    return 0.0 if c is None else float(c[unit])


def _squashed(cell: str, state: float) -> float:
    return state if cell == "lstm_linear_output" else float(np.tanh(state))


def _check(part: LayerTrace) -> None:
    if not part.cell.startswith("lstm"):
        raise InvalidInputError("Graves' block is an LSTM; the cell is {cell}.", cell=part.cell)
