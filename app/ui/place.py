"""The room that a picture takes, kept free before its module is there: nothing below it jumps when it comes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from seqviz.charts.figure import Figure, Module

_BAR, _LOW_BAR = 50, 38
_NARROW_BAR = 28
"""On a narrow page a bar has a second line."""
_LIVE: tuple[Module, ...] = ("saturation", "projection", "curves")


def reserve(key: str, *, first: float, css: str) -> int:
    """Gives the element of a key a style, ahead of the element.

    Args:
        key: of the element.
        first: pixels, where a style has not reached the browser yet: before its first picture it lacks the code for it.
        css: the exact room, which holds from then on.

    Returns:
        the height to give to the element.
    """
    st.html(f"<style>.st-key-{_class(key)}{{height:auto!important;overflow:visible!important;{css}}}</style>")
    return max(1, round(first))


@contextmanager
def place(figure: Figure, *, key: str) -> Iterator[int]:
    """A container for the element of a key that shows a figure; yields the height to give to the element."""
    name = _class(key)
    first, wide, narrow = heights(figure)
    with st.container(gap=None, key=f"{key}-place"):
        st.html(
            f"<style>.st-key-{name}-place{{container-type:inline-size}}"
            f"@container(max-width:560px){{.st-key-{name}{{min-height:{narrow}!important}}}}</style>"
        )
        yield reserve(key, first=first, css=f"min-height:{wide}")


def table_height(rows: int) -> int:
    """Pixels of a table of so many rows, at most ten of which are seen at once: what Streamlit makes of it later."""
    return 35 * (min(rows, 10) + 1) + 2


def heights(figure: Figure) -> tuple[float, str, str]:
    """The least height of a figure in pixels, and that on a wide and on a narrow page in terms of the room, as CSS.

    The modules of the figures scale them to the room that there is, between two bounds; these are the same bounds.
    """
    payload, module = figure.payload, figure.module
    width, height = float(figure.width), float(figure.height)
    bar = 0 if module == "gate_maps" else _LOW_BAR if module in _LIVE else _BAR
    if module == "figure":
        width = min(width, float(payload.get("roomWidth", width)))
    elif module == "gate_cell":
        width = float(payload["diagram"][0])
        height -= 14  # the gap between the cell and its rows, which are two drawings on the page
    elif module == "gate_maps":
        width = float(payload["room"])
    elif module == "search_tree":
        width = float(payload["width"])
    least, most = _bounds(module, payload)
    drawn = f"clamp({height * least:.0f}px,{100 * height / width:.1f}cqw,{height * most:.0f}px)"
    if module in _LIVE:  # these stand otherwise on a narrow page, and higher
        return bar + 200, f"calc({bar}px + {drawn})", f"{bar + _NARROW_BAR + 200}px"
    return bar + height * least, f"calc({bar}px + {drawn})", f"calc({bar + (_NARROW_BAR if bar else 0)}px + {drawn})"


def _bounds(module: Module, payload: Mapping[str, Any]) -> tuple[float, float]:
    """The smallest and the largest scale of a figure."""
    size = int(payload.get("fontSize", 14))
    presenter = size >= 16
    if module in ("gate_cell", "gate_maps"):
        return (min(16 / (size - 2), 1.0), 1.2) if presenter else (0.72, 1.45)
    if module == "attention_map":
        return (1.0 if presenter else 0.8), 1.4
    if module in _LIVE:
        return 0.5, 1.0
    least = min(16 / payload["small"], 1.0) if presenter else 0.85
    return least, 1.35 if presenter else 1.6 if module == "figure" else 1.4


def _class(key: str) -> str:
    """What Streamlit makes of a key in the name of a class."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", key)
