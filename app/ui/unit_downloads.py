"""Files of what the Units page shows; each is made only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from seqviz.charts.colored_text import ColouredText
from seqviz.i18n import Translator
from seqviz.unit_export import moments_csv, moments_json, saturation_csv, saturation_json, series_csv, tracking_json
from seqviz.units import LongText, Moments, Saturation, Tracking, UnitSeries

File = tuple[str, str, str, Callable[[], str]]


def unit_downloads(text: LongText, series: UnitSeries, tracking: Tracking, figure: ColouredText, t: Translator) -> None:
    """The coloured text as a page, the unit at every step, and all rankings."""
    _menu(
        f"unit-{series.place}-{series.quantity}",
        [
            (t("Coloured text, HTML (works offline)"), "html", "text/html", figure.to_html),
            (t("This unit at every step, CSV"), "csv", "text/csv", lambda: series_csv(text, series)),
            (t("Which units track what, JSON"), "json", "application/json", lambda: tracking_json(tracking)),
        ],
        t,
    )


def saturation_downloads(saturation: Saturation, left: float, right: float, t: Translator) -> None:
    """The share of steps of every unit and gate."""
    _menu(
        "saturation",
        [
            (t("Every unit, CSV"), "csv", "text/csv", lambda: saturation_csv(saturation, left=left, right=right)),
            (t("Every unit, JSON"), "json", "application/json", lambda: saturation_json(saturation)),
        ],
        t,
    )


def moments_downloads(text: LongText, moments: Moments, figure: ColouredText, t: Translator) -> None:
    """The marked text as a page, and all matches."""
    _menu(
        "moments",
        [
            (t("Coloured text, HTML (works offline)"), "html", "text/html", figure.to_html),
            (t("All matches, CSV"), "csv", "text/csv", lambda: moments_csv(text, moments)),
            (t("Pattern and matches, JSON"), "json", "application/json", lambda: moments_json(text, moments)),
        ],
        t,
    )


def _menu(name: str, files: list[File], t: Translator) -> None:
    with st.popover(t("Download"), icon=":material/download:"):
        for label, ending, mime, make in files:
            st.download_button(
                label,
                make,
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"download-units-{ending}",
                on_click="ignore",
                type="tertiary",
            )
