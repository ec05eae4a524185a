"""Files of what the laboratory shows: the picture, and every number."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import streamlit as st

from app.ui.charts import chart_files
from app.ui.downloads import Download, download_popover
from seqviz.i18n import Translator
from seqviz.laboratory import CellCurves, Spectra
from seqviz.laboratory_export import laboratory_csv, laboratory_json


def laboratory_downloads(
    chart: alt.TopLevelMixin, curves: Sequence[CellCurves], spectra: Sequence[Spectra], *, name: str, t: Translator
) -> None:
    """PNG, SVG and self-contained HTML of the chart, JSON and CSV of every number; made when they are asked for."""
    files = chart_files(lambda: chart, name="", ending="", t=t)
    for label, ending, mime, make in (
        (t("Every number, JSON"), "json", "application/json", lambda: laboratory_json(curves, spectra)),
        (t("Every number, CSV"), "csv", "text/csv", lambda: laboratory_csv(curves, spectra)),
    ):
        files.append(Download(label=label, ending=ending, mime=mime, make=make))
    _, right = st.columns([3, 1])
    with right:
        download_popover(files, name=name, t=t, key="download-lab")
