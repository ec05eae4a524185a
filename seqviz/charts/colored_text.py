"""A long text coloured by one number a piece, as Karpathy, Johnson and Li 2015 did: readable, and exact on hover.

All of the text travels once, as text; the numbers as float32. The browser colours what is visible.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from seqviz.charts.figure import PageTheme, figure_css
from seqviz.charts.palette import (
    COLOURS,
    SHARE_BUCKETS,
    SIGNED_BUCKETS,
    THEMES,
    is_signed,
    sequential_ramp,
    signed_ramp,
)
from seqviz.errors import unknown_name
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray
from seqviz.units import LongText

_PAGE_CLASS: dict[str, str] = {"auto": "sv-auto", "light": "", "dark": "sv-dark"}


@lru_cache(maxsize=1)
def text_css() -> str:
    """The style sheet of a coloured text: the product's colours, and letters that can be read on each of them."""
    return "\n".join(
        [figure_css(), _letter_css(), files("seqviz.charts").joinpath("assets/text.css").read_text("utf-8")]
    )


@lru_cache(maxsize=1)
def text_js() -> str:
    """The ES module that colours a text; its default export is a component."""
    folder = files("seqviz.charts").joinpath("assets")
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in ("common.js", "text.js"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColouredText:
    """A coloured text for page and file.

    Args:
        payload: plain JSON values: the text, where its pieces are, the numbers, sentences.
        alt: what it shows, in words.
        title: short, for file names and window titles.
    """

    payload: dict[str, Any]
    alt: str
    title: str

    def to_html(self, *, theme: PageTheme = "auto") -> str:
        """A page of its own with hover and keys; works offline, from a file.

        Args:
            theme: ``"auto"`` follows the reader's system.
        """
        if theme not in _PAGE_CLASS:
            raise unknown_name("theme", theme, _PAGE_CLASS)
        payload = json.dumps({**self.payload, "brush": False}, ensure_ascii=False, separators=(",", ":"))
        start = (
            "const data = JSON.parse(document.getElementById('data').textContent);\n"
            "data.height = Math.max(200, innerHeight - 150);\n"
            "hydrateText(document.getElementById('text'), { payload: data });"
        )
        name, classes = escape(self.title), f"sv-root {_PAGE_CLASS[theme]}"
        language = escape(str(self.payload.get("language", "en")))
        return (
            f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>'
            f"<style>{text_css()}</style></head>"
            f'<body class="sv-page {classes}"><h1 style="font-size:1.1rem">{name}</h1><p>{escape(self.alt)}</p>'
            f'<main id="text" class="{classes}"></main>'
            # "</" cannot stand inside a script element, whatever the text says.
            f'<script type="application/json" id="data">{payload.replace("<", chr(92) + "u003c")}</script>'
            f'<script type="module">{text_js()}\n{start}</script></body></html>'
        )

    def _repr_html_(self) -> str:
        # A frame of its own, as for a figure.
        page = escape(self.to_html(), quote=True)
        title = escape(self.title, quote=True)
        return f'<iframe srcdoc="{page}" title="{title}" width="100%" height="560" style="border:0"></iframe>'


def coloured_text(
    text: LongText,
    *,
    values: FloatArray | None = None,
    quantity: str = "hidden_state",
    name: str = "",
    limit: float | None = None,
    binary: FloatArray | None = None,
    numbers: FloatArray | None = None,
    property_name: str = "",
    marks: Sequence[tuple[int, int]] = (),
    selection: tuple[int, int] | None = None,
    reveal: int | None = None,
    brush: bool = False,
    height: int = 420,
    font_size: int = 14,
    notes: Sequence[str] = (),
    language: str = "en",
    t: Translator = english,
) -> ColouredText:
    """Colours a text.

    Args:
        text: what was read.
        values: (step,); None leaves the text without colours.
        quantity: what the values are: it decides between the signed palette and that of shares.
        name: of the unit or number, for people.
        limit: value of the strongest colour; None for the largest magnitude.
        binary: (step,), 1 underlines a piece: where a yes/no property holds.
        numbers: (step,) of another property, said on hover.
        property_name: of either.
        marks: spans [start, end) that are marked.
        selection: the brushed span.
        reveal: step to scroll to.
        brush: whether the reader may choose a span.
        height: of the window on the text, in pixels.
        font_size: of its surroundings; the text itself is a little larger.
        notes: short remarks beside the legend.
        language: of the sentences, for screen readers.
        t: translator.
    """
    signed = is_signed(quantity)
    top = 1.0
    if values is not None:
        top = float(np.abs(values).max()) if limit is None else limit
    beyond = values is not None and bool((np.abs(values) > top).any())
    keys = t("Arrow keys walk through the text.")
    if brush:
        keys = t("Drag over a span, or click its start and its end; with the keyboard: arrows, Shift + arrows, Enter.")
    if values is not None:
        keys += " " + t("The strip at the right is the whole text, averaged.")
    unknown = int(text.unknown.sum())
    if unknown:
        notes = [*notes, t("italic: {count} pieces not in the vocabulary").format(count=unknown)]
    if quantity in ("count", "hidden_state", "cell_state") or values is None:
        digits = 4
    else:
        digits = 3
        notes = [*notes, t("gates are kept to three digits")]
    says = _sentence(text, values, name, t)
    payload: dict[str, Any] = {
        "text": text.text,
        "pieces": _pieces(text),
        "values": None if values is None else base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii"),
        "letter": "d" if signed else "s",
        "buckets": SIGNED_BUCKETS if signed else SHARE_BUCKETS,
        "limit": top,
        "digits": digits,
        "property": None if binary is None else "".join("1" if one > 0 else "0" for one in binary),
        "numbers": None if numbers is None else [int(one) for one in numbers],
        "unknown": np.flatnonzero(text.unknown).tolist(),
        "marks": [list(mark) for mark in marks],
        "selection": None if selection is None else list(selection),
        "reveal": reveal,
        "brush": brush,
        "height": height,
        "fontSize": font_size,
        "label": says,
        "language": language,
        "texts": {
            "low": f"{'≤ ' if beyond else ''}\u2212{top:.3g}" if signed else "0",
            "high": f"{'≥ ' if beyond else ''}{top:.3g}",
            "property": property_name,
            "hint": keys,
            "second": t("Start is set: now click the end."),
            "value": t("step {step}: ‘{piece}’  {value}"),
            "place": t("step {step}: ‘{piece}’"),
            "unknown": t("not in the vocabulary"),
            "notes": list(notes),
        },
    }
    payload["id"] = hashlib.sha256(text.text.encode("utf-8", "replace") + text.model.encode()).hexdigest()[:16]
    content = json.dumps(payload, ensure_ascii=False, sort_keys=True)
    payload["version"] = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
    return ColouredText(payload=payload, alt=says, title=name or t("A long text"))


def _sentence(text: LongText, values: FloatArray | None, name: str, t: Translator) -> str:
    if values is None:
        return t("A text of {count} pieces.").format(count=len(text))
    return t("A text of {count} pieces, coloured by {name}; from {low} to {high}.").format(
        count=len(text), name=name, low=f"{values.min():.3g}", high=f"{values.max():.3g}"
    )


def _pieces(text: LongText) -> list[int] | None:
    """Blanks before each piece and its length, one after the other; None where every character is a piece."""
    if len(text) == len(text.text) and (text.ends - text.starts == 1).all():
        return None
    gaps = text.starts - np.concatenate([[0], text.ends[:-1]])
    return [int(number) for number in np.stack([gaps, text.ends - text.starts], 1).ravel()]


def _letter_css() -> str:
    """Backgrounds of all buckets, with dark or light letters, whichever stand out more."""
    ramps = {theme: {"d": signed_ramp(theme), "s": sequential_ramp("share", theme)} for theme in THEMES}
    rules = []
    for theme in THEMES:
        dark = COLOURS["text"][theme], COLOURS["surface"][theme]
        inks = [
            f"--sv-{letter}{index}-ink:{max(dark, key=lambda ink: _contrast(ink, colour))}"
            for letter, ramp in ramps[theme].items()
            for index, colour in enumerate(ramp)
        ]
        body = ";".join(inks)
        rules.append(f".sv-root{{{body}}}" if theme == "light" else f".sv-root.sv-dark{{{body}}}")
        if theme == "dark":
            rules.append(f"@media (prefers-color-scheme:dark){{.sv-root.sv-auto{{{body}}}}}")
    rules += [
        f".sv-text-body .{letter}{index}{{background:var(--sv-{letter}{index});color:var(--sv-{letter}{index}-ink)}}"
        for letter, ramp in ramps["light"].items()
        for index in range(len(ramp))
    ]
    return "\n".join(rules)


def _contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colours."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))
