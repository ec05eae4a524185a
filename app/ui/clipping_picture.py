"""One gradient being clipped: the picture to be dragged, and its state in the URL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.ui.downloads import download_popover, figure_files
from app.ui.live_figure import show_live_figure
from app.ui.settings import Settings
from seqviz.charts.clipping_projection import Projection, projection_figure
from seqviz.charts.figure import Figure
from seqviz.clipping import Cliff
from seqviz.i18n import translator

PART = "part"
"""Query parameter of the part of the view that is shown."""
_URL = "gradient"
_NAMES = "weights"
_WRITTEN, _START, _LOOK, _LATEST = "gradient-written", "gradient-start", "gradient-look", "gradient-latest"
_FIRST = Projection(gradient=(2.6, 1.2), threshold=1.5, value_threshold=1.0)


@st.fragment
def clipping_picture(settings: Settings) -> None:
    """The picture; dragging happens in the browser, and what it led to stands in the URL."""
    state, url = st.session_state, st.query_params.get(_URL)
    look = (settings.language, settings.font_size)
    if url != state.get(_WRITTEN) or _START not in state:  # a link was opened, or back was pressed
        state[_START], state[_WRITTEN] = _from_url(url) or _FIRST, url
    elif look != state.get(_LOOK):  # it is drawn anew: from where the reader left it
        state[_START] = state.get(_LATEST, state[_START])
    state[_LOOK] = look
    names = _names()
    figure = _drawn(state[_START], names, *look)
    sent = _from_picture(show_live_figure(figure, key=f"projection-{hash((state[_START], names, look))}"))
    if sent is not None and sent != state.get(_LATEST):
        state[_LATEST] = sent
        numbers = (*sent.gradient, sent.threshold, sent.value_threshold)
        state[_WRITTEN] = st.query_params[_URL] = "_".join(f"{number:.4g}" for number in numbers)
    t = settings.t
    files = figure_files(lambda: figure, name="", ending="", t=t)
    _, right = st.columns([3, 1])
    with right:
        download_popover(files, name="clipping-gradient", t=t, label=t("Download the picture"), key="gradient")


def show_gradient(cliff: Cliff, threshold: float, value_threshold: float) -> None:
    """Takes the two largest derivatives of a real gradient into the picture."""
    (first, x), (second, y) = cliff.largest
    numbers = (x, y, threshold, value_threshold)
    st.query_params[_URL] = "_".join(f"{number:.4g}" for number in numbers)
    st.query_params[PART] = "gradient"
    st.query_params[_NAMES] = f"{first}_{second}".replace("weight_", "weight-").replace("bias_", "bias-")


@st.cache_resource(show_spinner=False, max_entries=32)
def _drawn(projection: Projection, names: tuple[str, str], language: str, font_size: int) -> Figure:
    return projection_figure(
        projection,
        names=names,
        font_size=font_size,
        t=translator(language),
        language=language.replace("_", "-"),
    )


def _names() -> tuple[str, str]:
    """Names of the components: of two weights of a run, or plainly the first and the second."""
    first, _, second = st.query_params.get(_NAMES, "").partition("_")
    if not second or len(first) + len(second) > 80:
        return "g₁", "g₂"
    return f"∂L/∂ {first}", f"∂L/∂ {second}"


def _from_url(text: str | None) -> Projection | None:
    """``?gradient=2.6_1.2_1.5_1``: both components, θ of the norm, θ of the values."""
    try:
        x, y, threshold, value = (float(part) for part in (text or "").split("_"))
    except ValueError:
        return None
    return _checked(x, y, threshold, value)


def _from_picture(value: Mapping[str, Any] | None) -> Projection | None:
    """What the picture sent; a browser may send anything."""
    if value is None:
        return None
    try:
        x, y = (float(part) for part in value["gradient"])
        return _checked(x, y, float(value["threshold"]), float(value["value"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _checked(x: float, y: float, threshold: float, value: float) -> Projection | None:
    sound = all(math.isfinite(number) and abs(number) < 1e12 for number in (x, y, threshold, value))
    if not sound or min(threshold, value) <= 1e-12:
        return None
    return Projection(gradient=(x, y), threshold=threshold, value_threshold=value)
