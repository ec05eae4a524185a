"""The row of weights that a reader drags or types, as a Streamlit component, and edits as they stand in the URL."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import streamlit as st

from app.ui.settings import Settings
from seqviz.attention import AttentionEdit
from seqviz.charts.figure import figure_css, figure_js
from seqviz.types import FloatArray

NONE = "none"
"""The URL's word for no edit at all; without it an example's own edit holds."""
EDITS_PATTERN = r"none|\d{1,3}(f\d{1,3}|z|w\d{1,4}(-\d{1,4}){0,199})(\.\d{1,3}(f\d{1,3}|z|w\d{1,4}(-\d{1,4}){0,199}))*"

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
    _component(data={"payload": payload}, key=key, on_weights_change=on_weights)


def edits_text(edits: Sequence[AttentionEdit]) -> str:
    """``"5f6"``: step 5 forced to word 6; ``"5z"``: frozen at step 5; ``"5w0-250-750"``: weights in thousandths."""
    parts = []
    for edit in edits:
        if edit.kind == "force":
            parts.append(f"{edit.step + 1}f{edit.word + 1}")
        elif edit.kind == "freeze":
            parts.append(f"{edit.step + 1}z")
        else:
            parts.append(f"{edit.step + 1}w" + "-".join(str(round(1000 * weight)) for weight in edit.weights))
    return ".".join(parts) or NONE


def read_edits(text: str) -> tuple[AttentionEdit, ...]:
    """The edits of a text that ``EDITS_PATTERN`` matches."""
    found = []
    for step, kind, rest in re.findall(r"(\d+)([fzw])([\d-]*)", text):
        place = int(step) - 1
        if kind == "f":
            found.append(AttentionEdit(step=place, kind="force", word=int(rest) - 1))
        elif kind == "z":
            found.append(AttentionEdit(step=place, kind="freeze"))
        else:
            weights = tuple(int(part) / 1000 for part in rest.split("-"))
            found.append(AttentionEdit(step=place, kind="set", weights=weights))
    return tuple(found)
