"""A finished picture: its SVG, the numbers for its interaction, its text alternative, and the forms it goes out in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any, Literal

from seqviz.charts.palette import Theme
from seqviz.charts.svg import style_sheet, with_literal_styles
from seqviz.errors import InvalidInputError, unknown_name

PageTheme = Literal["auto", "light", "dark"]
Module = Literal[
    "figure",
    "gate_cell",
    "gate_maps",
    "search_tree",
    "curves",
    "projection",
    "encoder_decoder",
    "attention_map",
    "attention_row",
    "saturation",
]
_WITH_STEPS: tuple[Module, ...] = ("figure", "gate_cell", "gate_maps", "encoder_decoder")
_PAGE_CLASS: dict[str, str] = {"auto": "sv-auto", "light": "", "dark": "sv-dark"}


@lru_cache(maxsize=1)
def figure_css() -> str:
    """The style sheet of every figure: palette, classes of the picture, toolbar and tooltip."""
    return style_sheet() + "\n" + _asset("figure.css")


@lru_cache(maxsize=16)
def figure_js(module: Module = "figure") -> str:
    """The ES module that gives a figure its hover, keys, play and downloads; its default export is a component.

    A component's module cannot import another one, so what all of them share is put before each.
    """
    shared = ("common.js", "stepper.js") if module in _WITH_STEPS else ("common.js",)
    return "\n".join(_asset(name) for name in (*shared, f"{module}.js"))


def _asset(name: str) -> str:
    return files("seqviz.charts").joinpath("assets", name).read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture for page, notebook and file.

    Args:
        svg: the complete picture; colours and fonts are classes (``seqviz.charts.svg.STYLES``).
        payload: plain JSON values: geometry, texts and exact numbers for the interaction.
        alt: what the picture shows, in words.
        width, height: in pixels at scale 1.
        title: short, for file names and window titles.
        module: which ES module makes it live.
    """

    svg: str
    payload: dict[str, Any]
    alt: str
    width: int
    height: int
    title: str
    module: Module = "figure"

    def to_svg(self, *, theme: Theme = "light") -> str:
        """A static picture with the literal colours of a theme; needs nothing around it."""
        _check_theme(theme, ("light", "dark"))
        return with_literal_styles(self.svg, theme)

    def to_png(self, *, theme: Theme = "light", scale: float = 2.0) -> bytes:
        """A static picture as PNG.

        Args:
            theme: ``"light"`` or ``"dark"``.
            scale: pixels of the file for each pixel of the picture, 0.1 to 8.
        """
        if not 0.1 <= scale <= 8:
            raise InvalidInputError(
                "{field} is {value}; allowed is {low} to {high}.", field="scale", value=scale, low=0.1, high=8
            )
        import vl_convert  # a large library that only this needs

        return vl_convert.svg_to_png(self.to_svg(theme=theme), scale=scale)

    def to_html(self, *, theme: PageTheme = "auto", title: str | None = None) -> str:
        """A page of its own with the whole interaction; works offline, from a file.

        Args:
            theme: ``"auto"`` follows the reader's system.
            title: of the page; None for the figure's own.
        """
        _check_theme(theme, tuple(_PAGE_CLASS))
        name = escape(self.title if title is None else title)
        # "</" cannot stand inside a script element, whatever a token says.
        payload = json.dumps(self.payload, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        start = (
            "const data = JSON.parse(document.getElementById('data').textContent);\n"
            "hydrate(document.getElementById('figure'), { payload: data });"
        )
        theme_class = _PAGE_CLASS[theme]
        language = escape(str(self.payload.get("language", "en")))
        return (
            f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>'
            f"<style>{figure_css()}</style></head>"
            f'<body class="sv-page sv-root {theme_class}"><main id="figure" class="sv-root {theme_class}">'
            f'{self.svg}</main><script type="application/json" id="data">{payload}</script>'
            f'<script type="module">{figure_js(self.module)}\n{start}</script></body></html>'
        )

    def _repr_html_(self) -> str:
        # A frame of its own: a notebook's styles and several figures in one notebook cannot disturb each other.
        page = escape(self.to_html(), quote=True)
        return (
            f'<iframe srcdoc="{page}" title="{escape(self.title, quote=True)}" width="100%" '
            f'height="{self.height + 90}" style="border:0"></iframe>'
        )


def _check_theme(theme: str, known: tuple[str, ...]) -> None:
    if theme not in known:
        raise unknown_name("theme", theme, known)
