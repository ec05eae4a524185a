"""Where an equation is written: which indices its symbols carry, in which colours its numbers stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from seqviz.charts.notation import Notation, Symbol, join, symbol
from seqviz.charts.palette import Theme, category_colours
from seqviz.types import Direction

_ROLE_CATEGORIES: Mapping[str, int] = MappingProxyType(
    {
        "output_gate": 0,
        "forget_gate": 2,
        "reset_gate": 2,
        "input_gate": 3,
        "update_gate": 3,
        "write_gate": 3,
        "cell_state": 4,
        "candidate": 5,
    }
)
_DIRECTIONS: tuple[Direction, Direction] = ("forward", "backward")
_ACTIVATIONS = {
    "rnn_tanh": "tanh",
    "rnn_relu": "ReLU",
    "rnn_logistic": "σ",
    "rnn_leaky_relu": "LeakyReLU",
    "rnn_elu": "ELU",
    "rnn_identity": "",
}


def role_colour(role: str, theme: Theme) -> str | None:
    """Colour of a quantity's symbol and numbers in an equation; None keeps the colour of the text."""
    category = _ROLE_CATEGORIES.get(role)
    return None if category is None else category_colours(theme)[category]


def activation_symbol(cell: str, block: str) -> str:
    """The function that a block goes through: ``"σ"``, ``"tanh"`` ...; empty for the identity."""
    if cell in _ACTIVATIONS:
        return _ACTIVATIONS[cell]
    return "tanh" if block == "candidate" else "σ"


def recurrent_memory(place: Place) -> str:
    """The GRU's state is c in Ng's notation (and a = c), H in d2l."""
    return "cell_state" if place.notation == "ng" else "hidden_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an equation is written: it makes every symbol with the right indices.

    Args:
        notation, cell, layer, direction, both_below: as in ``cell_equations``.
        backward: the state before a step is that of the step behind it.
        step: counted from 0, for a live equation; None for the general t.
    """

    notation: Notation
    cell: str
    layer: int | None = None
    direction: Direction | None = None
    both_below: bool = False
    backward: bool = False
    step: int | None = None

    def now(self, quantity: str, *, unit: int | str | None = None) -> Symbol:
        """A quantity of this step."""
        # The course writes gates without a step; with numbers the step says which.
        timeless = self.step is None and self.notation == "ng" and quantity.endswith("gate")
        return self._symbol(quantity, None if timeless else self._time(0), unit)

    def before(self, quantity: str, *, unit: int | str | None = None) -> Symbol:
        """A quantity of the step that this one starts from."""
        return self._symbol(quantity, self._time(1 if self.backward else -1), unit)

    def input(self) -> Symbol:
        """x, or the state of the layer below."""
        if not self.layer:
            return replace(self, layer=None, direction=None)._symbol("input", self._time(0), None)
        below = replace(self, layer=self.layer - 1, direction=None)
        if not self.both_below:
            return below._symbol("hidden_state", self._time(0), None)
        arrows = [replace(below, direction=d)._symbol("hidden_state", self._time(0), None) for d in _DIRECTIONS]
        return join("[", arrows[0], ", ", arrows[1], "]")

    def _time(self, shift: int) -> str | int:
        if self.step is not None:
            return self.step + 1 + shift
        return "t" if shift == 0 else f"t{shift:+d}"

    def _symbol(self, quantity: str, time: str | int | None, unit: int | str | None) -> Symbol:
        return symbol(
            quantity,
            notation=self.notation,
            cell=self.cell,
            time=time,
            unit=unit,
            layer=self.layer,
            direction=self.direction,
        )
