"""The view "Saturation" of the Units page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.ui.figure import show_saturation
from app.ui.settings import Settings
from app.ui.unit_compare import Compared, make_first
from app.ui.unit_downloads import saturation_downloads
from app.ui.unit_reading import ask_about
from app.ui.unit_state import choose_unit
from app.ui.url import choose, keep, take_matching
from seqviz.backends.long_requests import SaturationRequest
from seqviz.charts.figure import Figure
from seqviz.charts.notation import conventions
from seqviz.charts.saturation import LEFT_RANGE, RIGHT_RANGE, SaturatedRun, saturation_figure
from seqviz.charts.unit_text import quantity_label
from seqviz.i18n import translator

LEFT, RIGHT = "0.1", "0.9"
_KEY = "saturation"
_NUMBER = r"0?\.\d{1,4}"


def saturation_view(texts: Sequence[Compared], settings: Settings) -> None:
    """One scatter a gate, for one model or two; a click on a dot shows its unit in the text."""
    t = settings.t
    runs, shown = list[SaturatedRun](), list[Compared]()
    for one in texts:
        found = ask_about(SaturationRequest(trace=one.run), t)
        if not found.gates:
            name = f"{one.title}: " if one.title else ""
            st.info(name + t("A plain recurrent cell has no gates; choose an LSTM or a GRU."), icon=":material/info:")
            continue
        gates = dict.fromkeys(gate.gate for gate in found.gates)
        titles = {gate: quantity_label(gate, one.text, notation=settings.notation, t=t) for gate in gates}
        runs.append(SaturatedRun(saturation=found, name=one.title, titles=titles))
        shown.append(one)
    if not runs:
        return
    left, right = _limits()
    st.caption(
        t(
            "Every dot is a unit: how often its gate is open (to the right) and how often it is shut (upwards), over "
            "{steps} steps; mostly means at more than half of them. Click a dot to see its unit in the text. After "
            "Karpathy, Johnson and Li 2015."
        ).format(steps=f"{runs[0].saturation.steps:,}")
    )

    def drawn(*, limits: tuple[float, float] = (float(LEFT), float(RIGHT)), dots: bool = True) -> Figure:
        return saturation_figure(
            runs,
            left=limits[0],
            right=limits[1],
            dots=dots,
            font_size=settings.font_size,
            t=translator(settings.language),
            language=settings.language.replace("_", "-"),
        )

    show_saturation(
        drawn(dots=False),
        key=_KEY,
        limits=(left, right),
        on_limits=_limits_moved,
        on_unit=partial(_unit_chosen, texts, shown),
    )
    for cell in dict.fromkeys(one.text.layers[0].cell for one in texts):
        said = conventions(cell, notation=settings.notation, t=t)
        if said:
            st.caption(said[0])
    saturation_downloads(runs, lambda: drawn(limits=(left, right)), left, right, t)


def _limits() -> tuple[float, float]:
    """Both thresholds, as the URL or the last dragging has them."""
    found = []
    for key, default, (low, high) in (("left", LEFT, LEFT_RANGE), ("right", RIGHT, RIGHT_RANGE)):
        value = float(take_matching(key, _NUMBER, default))
        if not low <= value <= high:
            value = float(default)
        value = round(value, 2)
        st.session_state[key] = f"{value:g}"
        keep(key, default)
        found.append(value)
    return found[0], found[1]


def _limits_moved() -> None:
    """The reader dragged a threshold; a browser may send anything."""
    try:
        sent = st.session_state[_KEY].limits
        numbers = float(sent["left"]), float(sent["right"])
    except (TypeError, ValueError, AttributeError, KeyError):
        return
    for key, value, (low, high) in zip(("left", "right"), numbers, (LEFT_RANGE, RIGHT_RANGE), strict=True):
        if low <= value <= high:
            choose(key, f"{round(value, 2):g}")


def _unit_chosen(texts: Sequence[Compared], shown: Sequence[Compared]) -> None:
    """A dot was clicked: the page turns to its unit; one of the second model makes it the first."""
    try:
        sent = st.session_state[_KEY].unit
        place, gate, one = str(sent["place"]), str(sent["gate"]), shown[int(sent["run"])]
    except (TypeError, ValueError, AttributeError, LookupError):
        return
    if one is not texts[0]:
        make_first(one, texts[0])
    choose_unit(place, quantity=gate)
