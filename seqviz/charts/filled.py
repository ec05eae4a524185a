"""The equations of a cell with the numbers of one unit and step filled in.

The numbers on the page are rounded; every equation also carries them unrounded. A result is always the model's own
number, never one that was computed again from rounded ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from seqviz.charts.notation import Notation, Symbol, as_notation, join
from seqviz.charts.numbers import factor, shown_number
from seqviz.charts.palette import Theme
from seqviz.charts.writing import Place, activation_symbol, recurrent_memory, role_colour
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator, english
from seqviz.traces import LayerTrace

Scalar = np.floating

_LONG = 30  # characters of a line of numbers that leave no room for the result beside them


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number that stands in a filled equation.

    Args:
        role: which quantity it is.
        symbol: how the notation writes it, with step and unit.
        shown: as it stands in the equation, rounded.
        value: the number itself.
        exact: the shortest decimal that is exactly this number in its precision.
    """

    role: str
    symbol: Symbol
    shown: Symbol
    value: float
    exact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledEquation:
    """An equation of one unit at one step: left side = symbols = numbers = result.

    Args:
        name: the quantity on the left, as in ``seqviz.charts.notation.QUANTITIES``.
        left: the left side.
        chain: what stands after each equals sign, the result last.
        numbers: every number in it, the result last.
        block: block of ``pre_activation`` whose sum the equation rests on; None if it rests on other equations only.
        note: a sentence that the reader needs, or an empty one.
    """

    name: str
    left: Symbol
    chain: tuple[Symbol, ...]
    numbers: tuple[Number, ...]
    block: str | None
    note: str = ""

    @property
    def latex(self) -> str:
        """On one line, for KaTeX."""
        return " = ".join(part.latex for part in (self.left, *self.chain))

    @property
    def lines(self) -> tuple[str, ...]:
        """For narrow columns: symbols on one line, numbers on the next, the result there too where it fits.

        Each line has one ``&`` to align it by.
        """
        first, *rest = (part.latex for part in self.chain)
        if len(rest) < 2:
            return (" = ".join((f"{self.left.latex} &= {first}", *rest)),)
        if len(self.chain[-2].text) > _LONG:
            return f"{self.left.latex} &= {first}", *(f"&= {part}" for part in rest)
        return f"{self.left.latex} &= {first}", f"&= {' = '.join(rest)}"

    @property
    def stacked(self) -> str:
        """``lines`` as one formula for KaTeX."""
        return r"\begin{aligned} " + r" \\ ".join(self.lines) + r" \end{aligned}"

    @property
    def text(self) -> str:
        """On one line, plain Unicode."""
        return " = ".join(part.text for part in (self.left, *self.chain))

    @property
    def value(self) -> float:
        """The result, unrounded."""
        return self.numbers[-1].value

    @property
    def exact(self) -> str:
        """The shortest decimal that is exactly the result in its precision."""
        return self.numbers[-1].exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """Writes numbers of one unit and step: rounded, in the colour of their role."""

    place: Place
    unit: int | str
    digits: int
    theme: Theme | None

    def symbol(self, role: str, *, before: bool = False) -> Symbol:
        return self.colour(role, self._symbol(role, before=before))

    def number(self, role: str, value: Scalar | float, *, before: bool = False) -> Number:
        return Number(
            role=role,
            symbol=self._symbol(role, before=before),
            shown=shown_number(float(value), self.digits),
            value=float(value),
            exact=str(value),
        )

    def factor(self, number: Number) -> Symbol:
        return self.colour(number.role, factor(number.shown))

    def result(self, number: Number) -> Symbol:
        return self.colour(number.role, number.shown)

    def colour(self, role: str, symbol: Symbol) -> Symbol:
        colour = None if self.theme is None else role_colour(role, self.theme)
        return symbol if colour is None else symbol.coloured(colour)

    def _symbol(self, role: str, *, before: bool) -> Symbol:
        return self.place.before(role, unit=self.unit) if before else self.place.now(role, unit=self.unit)


def filled_equations(
    layer_trace: LayerTrace,
    *,
    step: int,
    unit: int,
    notation: Notation,
    digits: int = 4,
    num_layers: int = 1,
    bidirectional: bool = False,
    theme: Theme | None = "light",
    t: Translator = english,
) -> tuple[FilledEquation, ...]:
    """The equations of ``cell_equations`` for one unit at one step, with its numbers.

    Args:
        layer_trace: one layer in one direction.
        step: counted from 0; written t = step + 1.
        unit: counted from 0.
        notation: ``"ng"`` or ``"d2l"``.
        digits: decimals that are shown.
        num_layers: of the model; with more than one the symbols carry the number of the layer.
        bidirectional: draws the arrow of the direction.
        theme: of the page; each quantity's symbol and numbers are in one colour. None for no colours.
        t: the reader's language.

    Returns:
        The equations in the order of ``cell_equations``. States before the first step of the direction are 0.

    Raises:
        InvalidInputError: step or unit outside the trace.
    """
    for field, value, count in (("step", step, len(layer_trace.hidden_state)), ("unit", unit, layer_trace.num_units)):
        if not 0 <= value < count:
            raise InvalidInputError(
                "{field} is {value}; allowed is 0 to {last}.", field=field, value=value, last=count - 1
            )
    place = Place(
        notation=as_notation(notation),
        cell=layer_trace.cell,
        layer=layer_trace.layer if num_layers > 1 else None,
        direction=layer_trace.direction if bidirectional else None,
        backward=layer_trace.direction == "backward",
        step=step,
    )
    pen = Pen(place=place, unit=unit, digits=digits, theme=theme)
    numbers = _Numbers(layer_trace, step, unit)
    if place.cell.startswith("rnn_"):
        return (_activated(pen, numbers, "hidden_state", "candidate"),)
    if place.cell.startswith("gru"):
        return _filled_gru(pen, numbers, t)
    return _filled_lstm(pen, numbers)


class _Numbers:
    """The model's own numbers of one unit at one step, as numpy scalars."""

    def __init__(self, trace: LayerTrace, step: int, unit: int) -> None:
        self._trace, self._step, self._unit = trace, step, unit
        self._quantities = trace.quantities()
        h, c = trace.before(step)
        self.hidden_before = h[unit]
        self.cell_before = h[unit] if c is None else c[unit]  # a cell without c is never asked for it

    def __getitem__(self, name: str) -> Scalar:
        return self._quantities[name][self._step, self._unit]

    def pre_activation(self, block: str) -> Scalar:
        return self._trace.pre_activation[self._step, self._trace.block_names.index(block), self._unit]


def _activated(pen: Pen, numbers: _Numbers, name: str, block: str) -> FilledEquation:
    """gate = σ(sum) = number; candidates and plain cells with their own function."""
    total = pen.number("pre_activation", numbers.pre_activation(block))
    result = pen.number(name, numbers[name])
    activation = activation_symbol(pen.place.cell, block)
    inner = (activation, "(", pen.result(total), ")") if activation else (pen.result(total),)
    chain = (join(*inner), pen.result(result)) if activation else (pen.result(result),)
    return FilledEquation(name=name, left=pen.symbol(name), chain=chain, numbers=(total, result), block=block)


def _filled_gru(pen: Pen, numbers: _Numbers, t: Translator) -> tuple[FilledEquation, ...]:
    ng, memory = pen.place.notation == "ng", recurrent_memory(pen.place)
    keep = numbers["update_gate"]
    write = type(keep)(1) - keep
    equations = []
    if pen.place.cell != "gru_simplified":
        equations.append(_activated(pen, numbers, "reset_gate", "reset_gate"))
    equations.append(
        _write_gate(pen, numbers, write, t) if ng else _activated(pen, numbers, "update_gate", "update_gate")
    )
    equations.append(_activated(pen, numbers, "candidate", "candidate"))
    gate = "write_gate" if ng else "update_gate"
    kept = (pen.number(gate, keep), pen.number(memory, numbers.hidden_before, before=True))
    written = (pen.number(gate, write), pen.number("candidate", numbers["candidate"]))
    rest = join("(1 − ", pen.symbol(gate), ")")
    old, new = pen.symbol(memory, before=True), pen.symbol("candidate")
    if ng:
        pairs, symbols = (written, kept), join(pen.symbol(gate), " · ", new, " + ", rest, " · ", old)
    else:
        pairs, symbols = (kept, written), join(pen.symbol(gate), " · ", old, " + ", rest, " · ", new)
    result = pen.number(memory, numbers["hidden_state"])
    mixture = _sum_of_products(pen, left=pen.symbol(memory), symbols=symbols, pairs=pairs, result=result)
    equations.append(replace(mixture, name="hidden_state"))
    if ng:
        output = pen.number("hidden_state", numbers["hidden_state"])
        equations.append(
            FilledEquation(
                name="hidden_state",
                left=pen.symbol("hidden_state"),
                chain=(pen.symbol("cell_state"), pen.result(output)),
                numbers=(output,),
                block=None,
            )
        )
    return tuple(equations)


def _write_gate(pen: Pen, numbers: _Numbers, write: Scalar, t: Translator) -> FilledEquation:
    total = pen.number("pre_activation", numbers.pre_activation("update_gate"))
    result = pen.number("write_gate", write)
    return FilledEquation(
        name="write_gate",
        left=pen.symbol("write_gate"),
        chain=(join("1 − σ(", pen.result(total), ")"), pen.result(result)),
        numbers=(total, result),
        block="update_gate",
        note=t("The sum is that of the stored gate z, which keeps; Γ_u = 1 − z writes."),
    )


def _sum_of_products(
    pen: Pen,
    *,
    left: Symbol,
    symbols: Symbol,
    pairs: tuple[tuple[Number, Number], tuple[Number, Number]],
    result: Number,
) -> FilledEquation:
    (a, b), (c, d) = pairs
    products = join(pen.factor(a), " · ", pen.factor(b), " + ", pen.factor(c), " · ", pen.factor(d))
    return FilledEquation(
        name=result.role,
        left=left,
        chain=(symbols, products, pen.result(result)),
        numbers=(a, b, c, d, result),
        block=None,
    )


def _filled_lstm(pen: Pen, numbers: _Numbers) -> tuple[FilledEquation, ...]:
    order = ["input_gate", "forget_gate", "output_gate", "candidate"]
    if pen.place.notation == "ng":
        order = ["candidate", "input_gate", "forget_gate", "output_gate"]
    equations = {name: _activated(pen, numbers, name, name) for name in order}
    equations["cell_state"] = _filled_memory(pen, numbers)
    equations["hidden_state"] = _filled_output_state(pen, numbers)
    order += ["cell_state", "hidden_state"]
    if pen.place.cell == "lstm_peephole":
        order.remove("output_gate")
        order.insert(-1, "output_gate")
    return tuple(equations[name] for name in order)


def _filled_memory(pen: Pen, numbers: _Numbers) -> FilledEquation:
    write = (pen.number("input_gate", numbers["input_gate"]), pen.number("candidate", numbers["candidate"]))
    keep = (
        pen.number("forget_gate", numbers["forget_gate"]),
        pen.number("cell_state", numbers.cell_before, before=True),
    )
    write_symbols = join(pen.symbol("input_gate"), " · ", pen.symbol("candidate"))
    keep_symbols = join(pen.symbol("forget_gate"), " · ", pen.symbol("cell_state", before=True))
    if pen.place.notation == "ng":
        pairs, symbols = (write, keep), join(write_symbols, " + ", keep_symbols)
    else:
        pairs, symbols = (keep, write), join(keep_symbols, " + ", write_symbols)
    result = pen.number("cell_state", numbers["cell_state"])
    return _sum_of_products(pen, left=pen.symbol("cell_state"), symbols=symbols, pairs=pairs, result=result)


def _filled_output_state(pen: Pen, numbers: _Numbers) -> FilledEquation:
    gate = pen.number("output_gate", numbers["output_gate"])
    state = pen.number("cell_state", numbers["cell_state"])
    result = pen.number("hidden_state", numbers["hidden_state"])
    symbol, shown = pen.symbol("cell_state"), pen.result(state)
    if pen.place.cell == "lstm_linear_output":
        shown = pen.factor(state)
    else:
        symbol, shown = join("tanh(", symbol, ")"), join("tanh(", shown, ")")
    return FilledEquation(
        name="hidden_state",
        left=pen.symbol("hidden_state"),
        chain=(
            join(pen.symbol("output_gate"), " · ", symbol),
            join(pen.factor(gate), " · ", shown),
            pen.result(result),
        ),
        numbers=(gate, state, result),
        block=None,
    )
