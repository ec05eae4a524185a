"""The rankings of the Units page: best unit of every property, best units of one, all properties of one unit."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from app.ui.settings import Settings
from app.ui.unit_state import choose_unit
from seqviz.charts.properties import property_name
from seqviz.units import LongText, Tracking, UnitPlace, UnitSeries

NO_PROPERTY = "none"


def rankings(tracking: Tracking, series: UnitSeries, name: str, text: LongText, settings: Settings) -> None:
    """Draws all three; a click on a row turns to its unit and property."""
    t = settings.t
    properties, units, this = st.tabs([t("Properties"), t("Best units"), t("This unit")])
    with properties:
        rows = [
            {
                t("Property"): property_name(one.property, t),
                t("Unit"): short_place(one.best[0].place, text),
                "r": signed(one.best[0].held_out),
                t("chance"): f"{one.chance:.2f}",
                "AUC": _share(one.best[0].auc),
                "n": one.positives,
            }
            for one in tracking.tracked
        ]
        _table(rows, "properties", [(str(one.best[0].place), one.property) for one in tracking.tracked], settings)
        if tracking.rare:
            st.caption(
                t("Too rare in this text: {names}.").format(
                    names=", ".join(property_name(one, t) for one in tracking.rare)
                )
            )
    with units:
        best = next((one.best for one in tracking.tracked if one.property == name), ())
        rows = [
            {
                t("Unit"): short_place(one.place, text),
                t("r, held out"): signed(one.held_out),
                "AUC": _share(one.auc),
                t("r, chosen on"): signed(one.chosen),
            }
            for one in best
        ]
        if rows:
            _table(rows, "best", [(str(one.place), name) for one in best], settings)
        else:
            st.caption(t("Choose a property."))
    with this:
        rows = [
            {
                t("Property"): property_name(one.property, t),
                t("r, held out"): signed(one.held_out),
                "AUC": _share(one.auc),
            }
            for one in series.scores
        ]
        _table(rows, "this", [(str(series.place), one.property) for one in series.scores], settings)


def _table(rows: list[dict[str, object]], key: str, places: list[tuple[str, str]], settings: Settings) -> None:
    """A ranking whose rows can be chosen."""
    t, scale = settings.t, 1.2 if settings.presenter else 1.0
    widths = {t("Property"): 164, t("Unit"): 66, t("chance"): 62, "r": 52, "AUC": 48, "n": 50}
    st.dataframe(
        rows,
        hide_index=True,
        height=300,
        key=f"ranking-{key}",
        on_select=partial(_cell_chosen, f"ranking-{key}", places),
        selection_mode="single-cell",
        column_config={name: st.column_config.Column(width=round(scale * width)) for name, width in widths.items()},
    )


def _cell_chosen(key: str, places: list[tuple[str, str]]) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells and cells[0][0] < len(places):
        place, name = places[cells[0][0]]
        choose_unit(place, property_name=name)


def signed(value: float) -> str:
    """A correlation for people."""
    return f"{value:+.2f}".replace("-", "\u2212")


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def short_place(place: UnitPlace, text: LongText) -> str:
    """Layer from 1 and unit, as in ``2 · 365``."""
    both = any(shape.direction == "backward" for shape in text.layers)
    arrow = {"forward": "→", "backward": "←"}[place.direction] if both else ""
    return f"{place.layer + 1}{arrow} · {place.unit}"
