"""Pictures with modules of their own: the curves of a run, the gradient to be dragged."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.ui.place import place
from seqviz.charts.figure import Figure, Module, figure_css, figure_js

_MOUNT = '<div class="sv-root sv-mount">\n</div>'
_MODULES: tuple[Module, ...] = ("curves", "projection")
_components = {
    module: st.components.v2.component(f"seqviz_{module}", html=_MOUNT, css=figure_css(), js=figure_js(module))
    for module in _MODULES
}


def show_live_figure(figure: Figure, *, key: str) -> dict[str, Any] | None:
    """Shows a figure whose ``module`` is ``"curves"`` or ``"projection"``; a changed one takes the old one's place.

    Returns:
        What the reader made of it, if its module tells that; None as long as nothing.
    """
    with place(figure, key=key) as height:
        result = _components[figure.module](
            data={"svg": figure.svg, "payload": figure.payload}, key=key, height=height, on_state_change=_nothing
        )
    return dict(result.state) if result.state else None


def _nothing() -> None:
    """The page reads the state; Streamlit wants a callback for it to exist."""
