"""An Altair chart as a file: PNG, SVG, and a page that works offline."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

import altair as alt

from seqviz.charts.palette import Theme
from seqviz.charts.style import FONT, colour

WIDTH = 1100
"""Pixels of a picture whose width is that of the room it stands in."""


def chart_png(chart: alt.TopLevelMixin, *, theme: Theme, scale: float = 2.0) -> bytes:
    """The chart as a PNG on the theme's background."""
    import vl_convert  # a large library that only files need

    return bytes(vl_convert.vegalite_to_png(chart_specification(chart, theme), scale=scale))


def chart_svg(chart: alt.TopLevelMixin, *, theme: Theme) -> str:
    """The chart as an SVG on the theme's background."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(chart_specification(chart, theme)))


def chart_html(chart: alt.TopLevelMixin, *, theme: Theme, title: str = "", language: str = "en") -> str:
    """A page with the chart, what it says in words, and all that it needs; tooltips work, nothing is loaded.

    Args:
        chart: the chart.
        theme: of its colours; the page around it has the same background.
        title: of the page; empty for none.
        language: of its words.
    """
    import vl_convert

    specification = json.loads(chart_specification(chart, theme))
    # Of the menu only what works offline.
    actions = {"export": True, "source": False, "compiled": False, "editor": False}
    specification.setdefault("usermeta", {})["embedOptions"] = {"actions": actions}
    page = str(vl_convert.vegalite_to_html(specification, bundle=True))
    says = escape(str(specification.get("description", "")))
    name = escape(title) or says or "seqviz"
    size = specification["config"].get("axis", {}).get("labelFontSize", 14)
    head = (
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>'
        f"<style>body{{background:{colour('surface', theme)};color:{colour('text', theme)};"
        f"font:{size}px {FONT};max-width:{WIDTH + 90}px}}"
        f"h1{{font-size:1.2em;margin:8px 0}}p{{color:{colour('muted', theme)};margin:8px 0}}</style>"
    )
    page = re.sub(r"<title>.*?</title>", "", page, count=1)
    page = page.replace("<head>", f"<head>{head}", 1)
    words = (f"<h1>{escape(title)}</h1>" if title else "") + (f"<p>{says}</p>" if says else "")
    page = page.replace('<div id="vega-chart">', f'{words}<div id="vega-chart">', 1)
    return re.sub(r"<html[^>]*>", f'<html lang="{escape(language)}">', page, count=1)


def chart_specification(chart: alt.TopLevelMixin, theme: Theme) -> str:
    """The chart as Vega-Lite, as wide as a page, on the theme's background."""
    found: dict[str, Any] = chart.to_dict(validate=False)
    found["width"] = WIDTH
    found.setdefault("config", {})["background"] = colour("surface", theme)
    return json.dumps(found)
