"""The coloured text as a Streamlit component."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.ui.place import reserve
from seqviz.charts.colored_text import ColouredText, text_css, text_js

_component = st.components.v2.component(
    "seqviz_text",
    html='<div class="sv-root sv-mount">\n</div>',
    css=text_css(),
    js=text_js(),
)

_AROUND = 60
"""Pixels above and below the text itself."""


def _nothing() -> None:
    """A text without a brush sends nothing."""


def show_text(text: ColouredText, *, key: str, on_span: Callable[[], None] = _nothing) -> None:
    """Shows a coloured text; new numbers for the same text leave it where it is scrolled to.

    Args:
        text: what is shown.
        key: of the element.
        on_span: called when the reader has chosen a span; ``sent_span`` has it.
    """
    around = text.payload["height"] + _AROUND
    height = reserve(key, first=around, css=f"min-height:{around}px")
    _component(data={"payload": text.payload, "key": key}, key=key, height=height, on_span_change=on_span)


def sent_span(key: str) -> tuple[int, int] | None:
    """The span [start, end) that the reader has just chosen, in a callback; None if it is none."""
    try:
        span = st.session_state[key].span
        return int(span["start"]), int(span["end"])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):  # a browser may send anything
        return None
