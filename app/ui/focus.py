"""The moment in focus: which step, layer, direction and unit; it travels in the URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

import streamlit as st

from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import Direction

_KEY = "focus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """One unit of one layer at one step."""

    step: int
    layer: int
    direction: Direction
    unit: int

    @classmethod
    def within(cls, trace: RecurrentTrace, *, step: int, layer: int, direction: str, unit: int) -> Self:
        """The nearest place that the trace has."""
        layers = {(part.layer, part.direction): part for part in trace.layers}
        part = layers.get((layer, "backward" if direction == "backward" else "forward")) or trace.layers[-1]
        return cls(
            step=min(max(step, 0), len(trace) - 1),
            layer=part.layer,
            direction=part.direction,
            unit=min(max(unit, 0), part.num_units - 1),
        )

    @classmethod
    def from_picture(cls, trace: RecurrentTrace, value: dict[str, Any]) -> Self:
        """What the picture sent; a browser may send anything."""
        return cls.within(
            trace,
            step=_integer(value.get("step")),
            layer=_integer(value.get("layer")),
            direction=str(value.get("direction")),
            unit=_integer(value.get("unit")),
        )

    def to_picture(self) -> dict[str, Any]:
        """For the picture."""
        return {"step": self.step, "layer": self.layer, "direction": self.direction, "unit": self.unit}

    def part(self, trace: RecurrentTrace) -> LayerTrace:
        """The layer in focus."""
        return trace.layer(self.layer, self.direction)


def focus_from_url(trace: RecurrentTrace) -> Focus:
    """``?focus=3.0.forward.17``; the last step's busiest unit of the top layer if there is none."""
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,2})\.(forward|backward)\.(\d{1,5})", st.query_params.get(_KEY, ""))
    if match:
        step, layer, direction, unit = match.groups()
        return Focus.within(trace, step=int(step), layer=int(layer), direction=direction, unit=int(unit))
    top = trace.layers[-1] if trace.layers[-1].direction == "forward" else trace.layers[-2]
    step = min(len(trace) - 1, max(1, len(trace) // 2))
    unit = int(abs(top.hidden_state[step]).argmax())
    return Focus.within(trace, step=step, layer=top.layer, direction=top.direction, unit=unit)


def focus_to_url(focus: Focus) -> None:
    """Keeps the URL true to what is shown."""
    text = f"{focus.step}.{focus.layer}.{focus.direction}.{focus.unit}"
    if st.query_params.get(_KEY) != text:
        st.query_params[_KEY] = text


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
