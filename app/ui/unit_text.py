"""The coloured text as a Streamlit component."""

from __future__ import annotations

import streamlit as st

from seqviz.charts.colored_text import ColouredText, text_css, text_js

_component = st.components.v2.component(
    "seqviz_text",
    html='<div class="sv-root sv-mount">\n</div>',
    css=text_css(),
    js=text_js(),
)


def show_text(text: ColouredText, *, key: str) -> tuple[int, int] | None:
    """Shows a coloured text; new numbers for the same text leave it where it is scrolled to.

    Returns:
        The span that the reader chose last, [start, end); None as long as none.
    """
    result = _component(data={"payload": text.payload, "key": key}, key=key, on_span_change=_nothing)
    try:
        return int(result.span["start"]), int(result.span["end"])
    except (KeyError, TypeError, ValueError, OverflowError):  # a browser may send anything
        return None


def _nothing() -> None:
    """The page reads the state; Streamlit wants a callback for it to exist."""
