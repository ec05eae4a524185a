"""The view "Saturation" of the Units page."""

from __future__ import annotations

from functools import partial

import pandas as pd  # noqa: F401 (see app/ui/charts.py)
import streamlit as st

from app.ui.settings import Settings, page_theme
from app.ui.unit_downloads import saturation_downloads
from app.ui.unit_reading import ask_about
from app.ui.unit_state import choose_unit, quantity_label
from seqviz.backends.long_requests import SaturationRequest
from seqviz.backends.requests import TraceRequest
from seqviz.charts.notation import conventions
from seqviz.charts.saturation import SELECTION, gates_of, saturation_chart, saturation_sentence
from seqviz.units import LongText


def saturation_view(run: TraceRequest, text: LongText, settings: Settings) -> None:
    """One scatter a gate; a click on a dot shows its unit in the text."""
    t = settings.t
    saturation = ask_about(SaturationRequest(trace=run), t)
    gates = gates_of(saturation)
    if not gates:
        st.info(t("A plain recurrent cell has no gates; choose an LSTM or a GRU."), icon=":material/info:")
        return
    left, right, note = st.columns([2, 2, 5], vertical_alignment="center")
    low = left.slider(t("Left-saturated below"), 0.01, 0.5, 0.1, 0.01, key="left", bind="query-params")
    high = right.slider(t("Right-saturated above"), 0.5, 0.99, 0.9, 0.01, key="right", bind="query-params")
    note.caption(
        t(
            "Every dot is a unit: how often its gate is open (to the right) and how often it is shut (upwards), over "
            "{steps} steps. Click a dot to see its unit in the text. After Karpathy, Johnson and Li 2015."
        ).format(steps=f"{saturation.steps:,}")
    )
    for gate, column in zip(gates, st.columns(len(gates)), strict=True):
        chart = saturation_chart(
            saturation,
            gate,
            title=quantity_label(gate, text, settings),
            left=low,
            right=high,
            theme=page_theme(),
            font_size=settings.font_size,
            t=t,
        )
        key = f"saturation-{gate}"
        column.vega_lite_chart(
            chart.to_dict(validate=False),
            width="stretch",
            theme=None,
            key=key,
            on_select=partial(_chosen, key, gate),
            selection_mode=SELECTION,
        )
        column.caption(saturation_sentence(saturation, gate, left=low, right=high, t=t))
    st.caption(conventions(text.layers[0].cell, notation=settings.notation, t=t)[0])
    saturation_downloads(saturation, low, high, t)


def _chosen(key: str, gate: str) -> None:
    """A dot was clicked: the page turns to its unit."""
    points = st.session_state[key]["selection"].get(SELECTION) or []
    if points and "place" in points[0]:
        choose_unit(str(points[0]["place"]), quantity=gate)
