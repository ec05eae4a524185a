"""Which view, quantity, property and unit the Units page shows; kept under their own names, in session and URL."""

from __future__ import annotations

import streamlit as st

from app.ui.url import choose, keep, take_matching
from seqviz.types import Direction
from seqviz.units import LayerShape, LongText, UnitPlace

_PLACE = r"(\d{1,2})\.(forward|backward)\.(\d{1,5})"


def choose_unit(place: str, *, quantity: str | None = None, property_name: str | None = None) -> None:
    """Turns to the view of one unit; for callbacks, before the next run."""
    choose("view", "unit")
    choose("unit", place)
    if quantity is not None:
        choose("quantity", quantity)
    if property_name is not None:
        choose("property", property_name)


def unit_in_focus(text: LongText, quantity: str, default: UnitPlace) -> UnitPlace:
    """The unit of the URL or the last choice, if the model has it; else the default."""
    wanted = parse_place(take_matching("unit", _PLACE, str(default)))
    if wanted is None or not any(_has(shape, wanted, quantity) for shape in text.layers):
        wanted = default
    st.session_state["unit"] = str(wanted)
    keep("unit", str(default))
    return wanted


def parse_place(name: str) -> UnitPlace | None:
    """``"1.forward.365"``; None if it is of another form."""
    layer, _, rest = name.partition(".")
    direction, _, unit = rest.partition(".")
    if direction not in ("forward", "backward") or not layer.isdecimal() or not unit.isdecimal():
        return None
    way: Direction = "backward" if direction == "backward" else "forward"
    return UnitPlace(layer=int(layer), direction=way, unit=int(unit))


def _has(shape: LayerShape, place: UnitPlace, quantity: str) -> bool:
    same = (shape.layer, shape.direction) == (place.layer, place.direction)
    return same and place.unit < shape.num_units and quantity in shape.quantities
