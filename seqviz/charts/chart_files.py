"""An Altair chart as a file: PNG, SVG, and a page that works offline."""

from __future__ import annotations

import json
from typing import Any

import altair as alt

from seqviz.charts.palette import Theme
from seqviz.charts.style import colour

WIDTH = 1100
"""Pixels of a picture whose width is that of the room it stands in."""


def chart_png(chart: alt.TopLevelMixin, *, theme: Theme, scale: float = 2.0) -> bytes:
    """The chart as a PNG on the theme's background."""
    import vl_convert  # a large library that only files need

    return bytes(vl_convert.vegalite_to_png(_specification(chart, theme), scale=scale))


def chart_svg(chart: alt.TopLevelMixin, *, theme: Theme) -> str:
    """The chart as an SVG on the theme's background."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_specification(chart, theme)))


def chart_html(chart: alt.TopLevelMixin, *, theme: Theme) -> str:
    """A page with the chart and all that it needs; tooltips work, nothing is loaded."""
    import vl_convert

    return str(vl_convert.vegalite_to_html(_specification(chart, theme), bundle=True))


def _specification(chart: alt.TopLevelMixin, theme: Theme) -> str:
    found: dict[str, Any] = chart.to_dict(validate=False)
    found["width"] = WIDTH
    found.setdefault("config", {})["background"] = colour("surface", theme)
    return json.dumps(found)
