"""Altair charts on a page, and as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import streamlit as st
from altair.utils import schemapi

from app.ui.downloads import Download
from seqviz.i18n import Translator

# Altair holds every part of a chart against the schema while it is built; the tests do so with the finished chart, and
# a visitor need not wait for it (five sixths of a heatmap's time).
schemapi.disable_debug_mode()


def show_chart(chart: alt.TopLevelMixin) -> None:
    """A chart whose specification the tests validate."""
    st.vega_lite_chart(chart.to_dict(validate=False), width="stretch", theme=None)


def chart_files(make: Callable[[], alt.TopLevelMixin], *, name: str, ending: str, t: Translator) -> list[Download]:
    """A chart as PNG and SVG, on the page's own background."""
    return [
        Download(label=f"{name}: {t('Picture, PNG')}", ending=f"{ending}.png", mime="image/png",
                 make=lambda: _converted(make(), "png")),
        Download(label=f"{name}: {t('Picture, SVG')}", ending=f"{ending}.svg", mime="image/svg+xml",
                 make=lambda: _converted(make(), "svg")),
    ]  # fmt: skip


def _converted(chart: alt.TopLevelMixin, kind: str) -> Any:
    import vl_convert  # a large library that only this needs

    from app.ui.settings import page_theme
    from seqviz.charts.palette import COLOURS

    specification = chart.to_dict(validate=False) | {"width": 900}
    specification["config"] = {**specification.get("config", {}), "background": COLOURS["surface"][page_theme()]}
    if kind == "png":
        return vl_convert.vegalite_to_png(specification, scale=2.0)
    return vl_convert.vegalite_to_svg(specification)
