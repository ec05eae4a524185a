"""Files of what the Units page shows; each is made only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from app.ui.downloads import Download, download_popover, figure_files
from seqviz.charts.colored_text import ColouredText
from seqviz.charts.figure import Figure
from seqviz.charts.saturation import SaturatedRun
from seqviz.i18n import Translator
from seqviz.unit_export import moments_csv, moments_json, saturation_csv, saturation_json, series_csv, tracking_json
from seqviz.units import LongText, Moments, Tracking, UnitSeries


def unit_downloads(
    text: LongText,
    series: UnitSeries,
    tracking: Tracking,
    figure: ColouredText,
    charts: Sequence[Download],
    t: Translator,
) -> None:
    """The coloured text as a page, the charts, the unit at every step, and all rankings."""
    _menu(
        f"unit-{series.place}-{series.quantity}",
        [
            _page(figure, t),
            *charts,
            Download(label=t("This unit at every step, CSV"), ending="csv", mime="text/csv",
                     make=lambda: series_csv(text, series)),
            Download(label=t("Which units track what, JSON"), ending="json", mime="application/json",
                     make=lambda: tracking_json(tracking)),
        ],
        t,
    )  # fmt: skip


def saturation_downloads(
    runs: Sequence[SaturatedRun], draw: Callable[[], Figure], left: float, right: float, t: Translator
) -> None:
    """The picture with both thresholds, and the share of steps of every unit and gate."""
    files = figure_files(draw, name="", ending="", t=t)
    for index, run in enumerate(runs):
        name, end = (f" ({run.name})", f"{index + 1}.") if run.name else ("", "")
        files += [
            Download(label=t("Every unit, CSV") + name, ending=end + "csv", mime="text/csv",
                     make=partial(saturation_csv, run.saturation, left=left, right=right)),
            Download(label=t("Every unit, JSON") + name, ending=end + "json", mime="application/json",
                     make=partial(saturation_json, run.saturation)),
        ]  # fmt: skip
    _menu("saturation", files, t)


def moments_downloads(runs: Sequence[tuple[LongText, Moments, ColouredText, str]], t: Translator) -> None:
    """The marked text as a page, and all matches; of each model under its mark, where there are two."""
    files: list[Download] = []
    for text, moments, figure, mark in runs:
        name, end = (f" ({mark})", f"{mark.lower()}.") if mark else ("", "")
        files += [
            _page(figure, t, name=name, end=end),
            Download(label=t("All matches, CSV") + name, ending=end + "csv", mime="text/csv",
                     make=partial(moments_csv, text, moments)),
            Download(label=t("Pattern and matches, JSON") + name, ending=end + "json", mime="application/json",
                     make=partial(moments_json, text, moments)),
        ]  # fmt: skip
    if files:
        _menu("moments", files, t)


def _page(figure: ColouredText, t: Translator, *, name: str = "", end: str = "") -> Download:
    return Download(
        label=t("Coloured text, HTML (works offline)") + name,
        ending=end + "html",
        mime="text/html",
        make=figure.to_html,
    )


def _menu(name: str, files: Sequence[Download], t: Translator) -> None:
    left, _ = st.columns([1, 3])
    with left:
        download_popover(files, name=name, t=t, key="download-units")
