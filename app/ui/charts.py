"""Altair charts on a page, and as files."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import pandas as pd  # noqa: F401 (Streamlit imports it late; Altair in another thread must not meet half of it)
import streamlit as st
from altair.utils import schemapi

from app.ui.downloads import Download, picture_files
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
    return picture_files(
        lambda: chart_png(make(), theme=theme),
        lambda: chart_svg(make(), theme=theme),
        lambda: chart_html(make(), theme=theme),
        name=name,
        ending=ending,
        t=t,
    )
