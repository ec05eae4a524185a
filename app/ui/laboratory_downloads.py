"""Files of what the laboratory shows: the picture, and every number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import altair as alt
import streamlit as st

from app.ui.settings import page_theme
from seqviz.charts.chart_files import chart_html, chart_png, chart_svg
from seqviz.i18n import Translator
from seqviz.laboratory import CellCurves, Spectra
from seqviz.laboratory_export import laboratory_csv, laboratory_json


def laboratory_downloads(
    chart: alt.TopLevelMixin, curves: Sequence[CellCurves], spectra: Sequence[Spectra], *, name: str, t: Translator
) -> None:
    """PNG, SVG and self-contained HTML of the chart, JSON and CSV of every number; made when they are asked for."""
    theme = page_theme()
    files: list[tuple[str, str, str, Callable[[], str | bytes]]] = [
        (t("Picture, PNG"), "png", "image/png", lambda: chart_png(chart, theme=theme)),
        (t("Picture, SVG"), "svg", "image/svg+xml", lambda: chart_svg(chart, theme=theme)),
        (t("Interactive page, HTML (works offline)"), "html", "text/html", lambda: chart_html(chart, theme=theme)),
        (t("Every number, JSON"), "json", "application/json", lambda: laboratory_json(curves, spectra)),
        (t("Every number, CSV"), "csv", "text/csv", lambda: laboratory_csv(curves, spectra)),
    ]
    _, right = st.columns([3, 1])
    with right.popover(t("Download"), icon=":material/download:", width="stretch"):
        for label, ending, mime, make in files:
            st.download_button(
                label,
                make,
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"download-lab-{ending}",
                on_click="ignore",
                type="tertiary",
            )
