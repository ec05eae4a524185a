"""The backward recursion of a cell with the numbers of one unit and step filled in (syllabus B2, B6).

Results are the float64 numbers of the backward pass; the gates and states in between are those of the forward pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from seqviz.charts.notation import Notation, Symbol, join, symbol
from seqviz.charts.numbers import factor, shown_number
from seqviz.gradients import GradientSum, LayerGradients
from seqviz.i18n import Translator, english
from seqviz.traces import LayerTrace

_DIGITS = 3
_LONG = 34  # signs of a line
LEAKY_SLOPE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class BackwardEquation:
    """One equation: symbols, numbers, result.

    Args:
        name: ``"hidden_state"``, ``"cell_state"`` or the block whose δ it is.
        latex: for KaTeX, one line for the symbols and one for the numbers.
        value: the result.
        note: a sentence that the reader needs, or an empty one.
    """

    name: str
    latex: str
    value: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Factor:
    """A factor of a product as symbols and as a number."""

    symbol: Symbol
    value: float


def backward_equations(
    part: LayerTrace,
    gradients: LayerGradients,
    found: GradientSum,
    *,
    notation: Notation,
    t: Translator = english,
) -> tuple[BackwardEquation, ...]:
    """The equations of one unit at one step.

    Args:
        part: the forward pass of the layer.
        gradients: its backward pass.
        found: the sum behind ∂L/∂h of the unit; it says which unit and step.
        notation: ``"ng"`` or ``"d2l"``.
        t: the reader's language.

    Returns:
        ∂L/∂h, ∂L/∂c where the cell has one, then δ of every block.
    """
    pen = _Pen(part, found.step, found.unit, notation)
    equations = [_hidden(pen, found, t)]
    if found.cell_gradient is not None:
        equations.append(_cell(pen, gradients, found, t))
    for block, factors in _factors(pen, found).items():
        delta = join("δ", _lowered(pen, block))
        equations.append(_product(block, delta, factors, found.deltas[block]))
    return tuple(equations)


class _Pen:
    """Symbols and numbers of one unit at one step."""

    def __init__(self, part: LayerTrace, step: int, unit: int, notation: Notation) -> None:
        self.part, self.step, self.unit, self.notation = part, step, unit, notation
        self.back = 1 if part.direction == "forward" else -1

    def symbol(self, quantity: str, *, offset: int = 0) -> Symbol:
        """With step and unit; ``offset`` 1 is the step that was computed after this one, -1 the one before."""
        return symbol(
            quantity,
            notation=self.notation,
            cell=self.part.cell,
            time=self.step + 1 + self.back * offset,
            unit=self.unit,
        )

    def value(self, quantity: str, *, offset: int = 0) -> float:
        step = self.step + self.back * offset
        if not 0 <= step < len(self.part.hidden_state):
            return 0.0
        return float(self.part.quantities()[quantity][step, self.unit])

    def gradient(self, quantity: str, *, offset: int = 0) -> Symbol:
        """∂L/∂ of a state."""
        inner = self.symbol(quantity, offset=offset)
        return Symbol(latex=rf"\frac{{\partial L}}{{\partial {inner.latex}}}", text=f"∂L/∂{inner.text}")

    def state(self, quantity: str, *, offset: int = 0) -> _Factor:
        return _Factor(self.symbol(quantity, offset=offset), self.value(quantity, offset=offset))

    def squash(self, quantity: str) -> _Factor:
        """x (1 - x): the slope of σ at a gate."""
        gate, value = self.symbol(quantity), self.value(quantity)
        return _Factor(join(gate, "(1−", gate, ")"), value * (1 - value))

    def bent(self, quantity: str) -> _Factor:
        """1 - x²: the slope of tanh."""
        letter, value = self.symbol(quantity), self.value(quantity)
        return _Factor(
            Symbol(latex=rf"\big(1-{letter.latex}{{}}^2\big)", text=f"(1−{letter.text}²)"), 1 - value * value
        )


def _hidden(pen: _Pen, found: GradientSum, t: Translator) -> BackwardEquation:
    parts = [
        (t("outputs"), found.from_outputs),
        (t("layer above"), found.from_above),
        (t("step t+1") if pen.back > 0 else t("step t−1"), found.from_later),
    ]
    shown = [(name, value) for name, value in parts if value != 0] or parts[-1:]
    numbers = [
        rf"\underbrace{{{factor(shown_number(value, _DIGITS)).latex}}}_{{\text{{{name}}}}}" for name, value in shown
    ]
    left = pen.gradient("hidden_state").latex
    result = shown_number(found.total, _DIGITS).latex
    return BackwardEquation(name="hidden_state", latex=f"{left} = {' + '.join(numbers)} = {result}", value=found.total)


def _cell(pen: _Pen, gradients: LayerGradients, found: GradientSum, t: Translator) -> BackwardEquation:
    """∂L/∂c: through the output of this step, and along the cell from the step that kept it."""
    cell = pen.part.cell
    value = found.cell_gradient or 0.0
    reader = pen.step + pen.back
    inside = 0 <= reader < len(pen.part.hidden_state) and gradients.cell_state is not None
    kept = float(gradients.cell_state[reader, pen.unit]) if inside and gradients.cell_state is not None else 0.0
    forget = pen.value("forget_gate", offset=1) if inside else 0.0
    show = pen.state("output_gate")
    slope = _Factor(Symbol(latex="1", text="1"), 1.0)
    if cell != "lstm_linear_output":
        inner = pen.symbol("cell_state")
        squashed = math.tanh(pen.value("cell_state"))
        slope = _Factor(
            Symbol(latex=rf"\big(1-\tanh^2 {inner.latex}\big)", text=f"(1−tanh² {inner.text})"), 1 - squashed**2
        )
    factors = [_Factor(pen.gradient("hidden_state"), found.total), show]
    factors += [slope] if cell != "lstm_linear_output" else []
    terms, numbers = [_written(factors)], [_numbers(factors)]
    if inside:
        along = [
            _Factor(pen.gradient("cell_state", offset=1), kept),
            _Factor(pen.symbol("forget_gate", offset=1), forget),
        ]
        terms.append(_written(along))
        numbers.append(_numbers(along))
    note = ""
    if cell == "lstm_peephole":
        terms.append(r"\text{peepholes}")
        rest = value - found.total * show.value * slope.value - kept * forget
        numbers.append(factor(shown_number(rest, _DIGITS)).latex)
        note = t("The peepholes hand back what the gates of this and of the next step saw of the cell.")
    return BackwardEquation(
        name="cell_state",
        latex=_stacked(pen.gradient("cell_state").latex, " + ".join(terms), " + ".join(numbers), value),
        value=value,
        note=note,
    )


def _factors(pen: _Pen, found: GradientSum) -> dict[str, list[_Factor]]:
    """δ of every block as a product."""
    cell = pen.part.cell
    above = _Factor(pen.gradient("hidden_state"), found.total)
    if cell.startswith("rnn_"):
        return {"candidate": [above, _rnn_slope(pen, cell.removeprefix("rnn_"))]}
    if cell.startswith("gru"):
        return _gru_factors(pen, found, above)
    memory = _Factor(pen.gradient("cell_state"), found.cell_gradient or 0.0)
    shown = pen.state("cell_state")
    if cell != "lstm_linear_output":
        shown = _Factor(
            Symbol(latex=rf"\tanh {shown.symbol.latex}", text=f"tanh {shown.symbol.text}"), math.tanh(shown.value)
        )
    return {
        "input_gate": [memory, pen.state("candidate"), pen.squash("input_gate")],
        "forget_gate": [memory, pen.state("cell_state", offset=-1), pen.squash("forget_gate")],
        "candidate": [memory, pen.state("input_gate"), pen.bent("candidate")],
        "output_gate": [above, shown, pen.squash("output_gate")],
    }


def _gru_factors(pen: _Pen, found: GradientSum, above: _Factor) -> dict[str, list[_Factor]]:
    before, candidate = pen.state("hidden_state", offset=-1), pen.state("candidate")
    keep = pen.value("update_gate")
    contrast = _Factor(join("(", before.symbol, "−", candidate.symbol, ")"), before.value - candidate.value)
    gate = pen.symbol("write_gate" if pen.notation == "ng" else "update_gate")
    update = [above, contrast, _Factor(join(gate, "(1−", gate, ")"), keep * (1 - keep))]
    writes = _Factor(pen.symbol("write_gate"), 1 - keep)
    new = [above, writes, pen.bent("candidate")]
    found_blocks: dict[str, list[_Factor]] = {}
    if pen.part.cell != "gru_simplified":
        squash = pen.squash("reset_gate")
        rest = found.deltas["reset_gate"] / squash.value if squash.value else 0.0
        seen = _Factor(
            Symbol(latex=r"\frac{\partial L}{\partial " + pen.symbol("reset_gate").latex + "}", text="∂L/∂r"), rest
        )
        found_blocks["reset_gate"] = [seen, squash]
    return found_blocks | {"update_gate": update, "candidate": new}


def _rnn_slope(pen: _Pen, activation: str) -> _Factor:
    """g'(z) in terms of the state."""
    value = pen.value("hidden_state")
    if activation == "tanh":
        return pen.bent("hidden_state")
    if activation == "logistic":
        return pen.squash("hidden_state")
    positive = value > 0
    slope = {
        "identity": 1.0,
        "relu": float(positive),
        "leaky_relu": 1.0 if positive else LEAKY_SLOPE,
        "elu": 1.0 if positive else value + 1.0,
    }[activation]
    return _Factor(Symbol(latex="g'(z)", text="g'(z)"), slope)


def _product(name: str, left: Symbol, factors: Sequence[_Factor], value: float) -> BackwardEquation:
    return BackwardEquation(
        name=name, latex=_stacked(left.latex, _written(factors), _numbers(factors), value), value=value
    )


def _written(factors: Sequence[_Factor]) -> str:
    return r"\,".join(one.symbol.latex for one in factors)


def _numbers(factors: Sequence[_Factor]) -> str:
    return r" \cdot ".join(factor(shown_number(one.value, _DIGITS)).latex for one in factors)


def _stacked(left: str, symbols: str, numbers: str, value: float) -> str:
    result = shown_number(value, _DIGITS).latex
    # A long line of numbers leaves no room for the result beside it.
    signs = len(re.sub(r"\\cdot|[{}^\s]", "", numbers + result))
    before = r"\\ &=" if signs > _LONG else "="
    return rf"\begin{{aligned}} {left} &= {symbols} \\ &= {numbers} {before} {result} \end{{aligned}}"


def _lowered(pen: _Pen, block: str) -> Symbol:
    """Which δ: the letter of its block below it, step and unit as everywhere."""
    inner = symbol("pre_activation", notation=pen.notation, cell=pen.part.cell, block=block, time=None)
    time, unit = pen.step + 1, pen.unit
    return Symbol(latex=rf"_{{{inner.latex},{unit}}}^{{\langle {time}\rangle}}", text=f"({inner.text}) [{unit}]")
