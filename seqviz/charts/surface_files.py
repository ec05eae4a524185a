"""A surface in three dimensions as a file: a page that works offline, with all of Plotly in it (4 MB)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from seqviz.charts.palette import Theme
from seqviz.charts.style import FONT, colour
from seqviz.errors import InvalidInputError


def surface_html(
    figure: Mapping[str, Any], *, theme: Theme, title: str, alt: str = "", font_size: int = 14, language: str = "en"
) -> str:
    """A page with the surface, which can be turned; nothing is loaded.

    Args:
        figure: data and layout, as ``cliff_surface`` makes them.
        theme: of its colours; the page around it has the same background.
        title: of the page.
        alt: what is seen, in words; it stands below the title.
        font_size: in pixels.
        language: of its words.

    Raises:
        InvalidInputError: Plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise InvalidInputError("A surface needs the package plotly: pip install plotly") from None
    # "</" cannot stand inside a script element, whatever a name says.
    data, layout = (json.dumps(figure[part]).replace("<", "\\u003c") for part in ("data", "layout"))
    colours = f"background:{colour('surface', theme)};color:{colour('text', theme)}"
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="margin:16px;font:{font_size}px {escape(FONT)};{colours}">'
        f'<h1 style="font-size:1.2em">{escape(title)}</h1><p>{escape(alt)}</p>'
        f'<main id="surface" role="img" aria-label="{escape(alt or title)}"></main>'
        f"<script>{get_plotlyjs()}</script>"
        f"<script>Plotly.newPlot('surface', {data}, {layout}, {{responsive: true, displaylogo: false}})</script>"
        "</body></html>"
    )
