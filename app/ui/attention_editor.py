"""The row of weights that a reader drags or types, as a Streamlit component, and edits as they stand in the URL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import streamlit as st

from app.ui.place import reserve
from app.ui.settings import Settings
from seqviz.attention_edits import EDIT_PATTERN
from seqviz.charts.figure import figure_css, figure_js
from seqviz.types import FloatArray

NONE = "none"
"""The URL's word for no edit at all; without it an example's own edit holds."""
EDITS_PATTERN = rf"{NONE}|{EDIT_PATTERN}(\.{EDIT_PATTERN})*"

_HEIGHT = 173
"""Of the row, in pixels, at its smallest."""

_component = st.components.v2.component(
    "seqviz_attention_row",
    html='<div class="sv-root sv-mount">\n</div>',
    css=figure_css(),
    js=figure_js("attention_row"),
)


def weights_row(
    words: Sequence[str],
    weights: FloatArray,
    own: FloatArray,
    *,
    key: str,
    settings: Settings,
    on_weights: Callable[[], None],
) -> None:
    """Draws the row.

    Args:
        words: of the source.
        weights: in use, by words.
        own: the model's, by words; a dashed line.
        key: of the element; ``st.session_state[key].weights`` are the new ones in the run of a change.
        settings: of the reader.
        on_weights: called then.
    """
    t = settings.t
    payload = {
        "words": list(words),
        "weights": [round(float(weight), 6) for weight in weights],
        "own": [round(float(weight), 6) for weight in own],
        "fontSize": settings.font_size,
        "texts": {
            "weight": t("weight of"),
            "own": t("the model's own weight"),
            "keys": t("Weights of this step: up and down change one, left and right go to the next"),
        },
    }
    payload["id"] = hashlib.sha256(repr(payload).encode()).hexdigest()[:16]
    height = reserve(key, first=_HEIGHT, css=f"min-height:{_HEIGHT}px")
    _component(data={"payload": payload}, key=key, height=height, on_weights_change=on_weights)
