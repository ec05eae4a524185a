"""Altair charts on a page, and as files."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import pandas as pd  # noqa: F401 (Streamlit imports it late; Altair in another thread must not meet half of it)
import streamlit as st
from altair.utils import schemapi

from app.ui.downloads import Download
from app.ui.settings import page_theme
from seqviz.charts.chart_files import chart_html, chart_png, chart_svg
from seqviz.i18n import Translator

# Altair holds every part of a chart against the schema while it is built; the tests do so with the finished chart, and
# a visitor need not wait for it (five sixths of a heatmap's time).
schemapi.disable_debug_mode()


def show_chart(chart: alt.TopLevelMixin) -> None:
    """A chart whose specification the tests validate."""
    st.vega_lite_chart(chart.to_dict(validate=False), width="stretch", theme=None)


def chart_files(make: Callable[[], alt.TopLevelMixin], *, name: str, ending: str, t: Translator) -> list[Download]:
    """A chart as PNG, SVG and a page that works offline.

    Args:
        make: draws it.
        name: of the chart where a page has several.
        ending: of its files, likewise.
        t: the reader's language.
    """
    theme = page_theme()
    label, end = f"{name}: " if name else "", f"{ending}." if ending else ""
    return [
        Download(label=label + t("Picture, PNG"), ending=end + "png", mime="image/png",
                 make=lambda: chart_png(make(), theme=theme)),
        Download(label=label + t("Picture, SVG"), ending=end + "svg", mime="image/svg+xml",
                 make=lambda: chart_svg(make(), theme=theme)),
        Download(label=label + t("Interactive page, HTML (works offline)"), ending=end + "html", mime="text/html",
                 make=lambda: chart_html(make(), theme=theme)),
    ]  # fmt: skip
