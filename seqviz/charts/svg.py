"""Writing SVG: escaped text, numbers without noise, tiles as one path for each colour, and literal styles on demand.

Elements carry classes, never colours. The classes are defined once, in ``STYLES``, by names of the palette; from that
table come the style sheet of the interactive picture (custom properties, so that light and dark are one drawing) and
the literal attributes of a static one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from seqviz.charts.palette import CATEGORIES, SHARE_BUCKETS, SIGNED_BUCKETS, THEMES, Theme, literals

FONT_FAMILY = (
    "Inter, 'Source Sans 3', 'Noto Sans', 'Helvetica Neue', Arial, 'Liberation Sans', "
    "'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'Noto Color Emoji', sans-serif"
)


def _styles() -> dict[str, dict[str, str]]:
    styles: dict[str, dict[str, str]] = {
        "sv": {"font-family": FONT_FAMILY, "fill": "$text"},
        "bg": {"fill": "$surface"},
        "tx": {"fill": "$text"},
        "mu": {"fill": "$muted"},
        "ac": {"fill": "$accent"},
        "st": {"fill": "$text", "font-weight": "700"},
        "it": {"fill": "$muted", "font-style": "italic"},
        "ln": {"stroke": "$line", "fill": "none", "stroke-width": "1.4"},
        "lt": {"stroke": "$line", "fill": "none", "stroke-width": "1.1"},
        "lf": {"stroke": "$line", "fill": "none", "stroke-width": "1.2", "stroke-dasharray": "2 3"},
        "hd": {"fill": "$line"},
        "hr": {"stroke": "$faint", "fill": "none", "stroke-width": "1"},
        "gd": {"stroke": "$faint", "fill": "none", "stroke-width": "1", "stroke-dasharray": "3 3"},
        "fb": {"stroke": "$accent", "fill": "none", "stroke-width": "1.2", "stroke-dasharray": "4 3.5"},
        "fh": {"fill": "$accent"},
        "bx": {"fill": "$cell", "stroke": "$line", "stroke-width": "1.1"},
        "tk": {"fill": "$track"},
        "tb": {"fill": "$cell", "stroke": "$faint", "stroke-width": "1"},
        "br": {"fill": "$s12"},
        "bm": {"fill": "$s6"},
        "bl": {"fill": "$l11"},
        "ha": {"stroke": "$surface", "stroke-width": "5", "stroke-linejoin": "round"},
        "lo": {"fill": "none", "stroke": "$l13", "stroke-width": "1.8"},
        "bp": {"fill": "$d24"},
        "bn": {"fill": "$d6"},
        "ok": {"fill": "none", "stroke": "$accent", "stroke-width": "1.8"},
        "cv": {"fill": "none", "stroke": "$s13", "stroke-width": "2.2", "stroke-linejoin": "round"},
        "pt": {"fill": "$cell", "stroke": "$s13", "stroke-width": "1.8"},
        "pf": {"fill": "$s15", "stroke": "$cell", "stroke-width": "2"},
        "an": {"fill": "$s15"},
        "fl": {"fill": "none", "stroke-linecap": "round", "stroke-linejoin": "round"},
        "gb": {"fill": "$tint"},
        "gm": {"fill": "none", "stroke": "$accent", "stroke-width": "2.2", "stroke-linejoin": "round"},
        "cs": {"stroke": "$line"},
        "rl": {"stroke": "$faint"},
        "hs": {"stroke": "$line", "stroke-width": "0.7", "stroke-linejoin": "round"},
        "ps": {"stroke-dasharray": "2 7"},
        "ve": {"stroke": "$line", "fill": "none", "stroke-width": "3.2", "stroke-linejoin": "round"},
        "cb": {"fill": "$hover", "stroke": "$faint", "stroke-width": "1.4"},
        "ch": {"fill": "$surface", "stroke": "$faint", "stroke-width": "1"},
        "dt": {"fill": "$text"},
        "ot": {"fill": "$surface"},
        "kn": {"fill": "$neutral"},
        "on": {"fill": "$on_category", "font-weight": "700"},
        "tf": {"fill": "$tint", "stroke": "$accent", "stroke-width": "1.6"},
        "tc": {"fill": "none", "stroke": "$accent", "stroke-width": "2", "stroke-linecap": "round"},
        "tw": {"fill": "$accent"},
        "pm": {"fill": "$line", "font-weight": "400"},
        "rb": {"fill": "none", "stroke": "$s14", "opacity": "0.75"},
        "ed": {"fill": "$k1"},
        "gh": {"fill": "none", "stroke": "$line", "stroke-width": "1", "stroke-dasharray": "3 3"},
        "ct": {"stroke": "$accent", "fill": "none", "stroke-width": "1.2", "stroke-dasharray": "5 3"},
        "sv-knob": {"fill": "$accent", "stroke": "$cell", "stroke-width": "2"},
        "sv-band": {"fill": "$tint"},
        "sv-hover": {"fill": "$hover"},
        "sv-lens": {"fill": "none", "stroke": "$line", "stroke-width": "1.4"},
        "sv-frame": {"fill": "none", "stroke": "$accent", "stroke-width": "1.6"},
        "sv-mark": {"fill": "none", "stroke": "$accent", "stroke-width": "1.8"},
        "sv-row": {"fill": "none", "stroke": "$accent", "stroke-width": "1.4"},
    }
    styles |= {f"d{i}": {"stroke": f"$d{i}"} for i in range(SIGNED_BUCKETS)}
    styles |= {f"s{i}": {"stroke": f"$s{i}"} for i in range(SHARE_BUCKETS)}
    styles |= {f"l{i}": {"fill": f"$l{i}"} for i in range(SHARE_BUCKETS)}
    styles |= {f"D{i}": {"fill": f"$d{i}"} for i in range(SIGNED_BUCKETS)}
    styles |= {f"S{i}": {"fill": f"$s{i}"} for i in range(SHARE_BUCKETS)}
    styles |= {f"k{i}": {"fill": f"$k{i}"} for i in range(CATEGORIES)}
    styles |= {f"c{i}": {"fill": "none", "stroke": f"$k{i}", "stroke-width": "2.2"} for i in range(CATEGORIES)}
    for i in range(CATEGORIES):  # a curve's every point behind its mean; a mark where it ends; an arrow; a point on it
        styles[f"cr{i}"] = {"fill": "none", "stroke": f"$k{i}", "stroke-width": "1", "opacity": "0.5"}
        styles[f"cx{i}"] = {"fill": "none", "stroke": f"$k{i}", "stroke-width": "1.6", "stroke-dasharray": "2 4"}
        styles[f"ca{i}"] = {"fill": "none", "stroke": f"$k{i}", "stroke-width": "3.4", "stroke-linecap": "round"}
        styles[f"cp{i}"] = {"fill": "$cell", "stroke": f"$k{i}", "stroke-width": "2.2"}
    return styles


STYLES: Mapping[str, Mapping[str, str]] = MappingProxyType(_styles())
"""Presentation of every class; ``$name`` is a colour of ``palette.literals``."""

_CLASS = re.compile(r' class="([^"]*)"')
_COLOUR = re.compile(r"\$(\w+)")


def _custom_property(match: re.Match[str]) -> str:
    return f"var(--sv-{match[1]})"


def style_sheet() -> str:
    """CSS of all classes under ``.sv-root``, colours as custom properties with a light and a dark set of values."""
    sets = {theme: ";".join(f"--sv-{name}:{colour}" for name, colour in literals(theme).items()) for theme in THEMES}
    rules = [
        f".sv-root{{{sets['light']}}}",
        f".sv-root.sv-dark{{{sets['dark']}}}",
        f"@media (prefers-color-scheme:dark){{.sv-root.sv-auto{{{sets['dark']}}}}}",
    ]
    for name, style in STYLES.items():
        body = ";".join(f"{key}:{_COLOUR.sub(_custom_property, value)}" for key, value in style.items())
        rules.append(f".sv-root .{name}{{{body}}}")
    return "\n".join(rules)


@lru_cache(maxsize=4096)
def _literal(classes: str, theme: Theme) -> str:
    named = literals(theme)
    style: dict[str, str] = {}
    for name in classes.split():
        style |= STYLES.get(name, {})
    resolved = {key: _COLOUR.sub(lambda match: named[match[1]], value) for key, value in style.items()}
    return "".join(f' {key}="{escape(value, quote=True)}"' for key, value in resolved.items())


def with_literal_styles(svg: str, theme: Theme) -> str:
    """The same picture with attributes of fixed colours in place of classes: it needs no style sheet."""
    return _CLASS.sub(lambda match: _literal(match[1], theme), svg)


def num(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


_CONTROL = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
# Marks that turn the direction of everything after them, or that show nothing.
_CONTROL |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFFFE, 0xFFFF), 0xFFFD)


def clean(text: str) -> str:
    """Text that any XML reader takes: control characters become their pictures, broken surrogates U+FFFD."""
    shown = text.translate(_CONTROL)
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in shown)


def esc(text: str) -> str:
    """Escaped text for element content and attribute values."""
    return escape(clean(text), quote=True)


def text_at(
    x: float, y: float, content: str, *, size: float, classes: str = "tx", anchor: str = "middle", extra: str = ""
) -> str:
    """A line of text; y is its baseline. ``content`` is plain text and is escaped here."""
    return (
        f'<text x="{num(x)}" y="{num(y)}" class="{classes}" font-size="{num(size)}" text-anchor="{anchor}"{extra}>'
        f"{esc(content)}</text>"
    )


def rect(x: float, y: float, width: float, height: float, *, classes: str, radius: float = 0, extra: str = "") -> str:
    """A rectangle with round corners."""
    round_corners = f' rx="{num(radius)}"' if radius else ""
    return (
        f'<rect x="{num(x)}" y="{num(y)}" width="{num(max(width, 0))}" height="{num(max(height, 0))}"'
        f'{round_corners} class="{classes}"{extra}/>'
    )


def path(d: str, *, classes: str, extra: str = "") -> str:
    """A path; none for an empty one."""
    return f'<path d="{d}" class="{classes}"{extra}/>' if d else ""


def arrow_head(x: float, y: float, *, towards: str, size: float = 5.0) -> str:
    """Path data of a small triangle whose tip is at (x, y); towards is up, right, left or down."""
    half = size * 0.6
    dx, dy = {"up": (0, 1), "down": (0, -1), "right": (-1, 0), "left": (1, 0)}[towards]
    ax, ay = x + dx * size, y + dy * size
    return (
        f"M{num(x)} {num(y)}L{num(ax + dy * half)} {num(ay + dx * half)}L{num(ax - dy * half)} {num(ay - dx * half)}Z"
    )


def tile_paths(
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    buckets: NDArray[np.int64],
    *,
    prefix: str,
    step: int,
    draw: int,
) -> str:
    """One path for each colour bucket: every tile is a horizontal stroke.

    Args:
        columns, rows: left edge and vertical middle line of each tile, whole numbers.
        buckets: colour bucket of each tile.
        prefix: of the class, ``d`` or ``s``.
        step: distance of tiles that touch each other sideways; such tiles of one colour are drawn as one stroke where
            ``draw`` leaves no gap.
        draw: drawn width of a tile, at most ``step``.
    """
    order = np.lexsort((columns, rows, buckets))
    xs, ys, colours = (array[order].tolist() for array in (columns, rows, buckets))
    parts: list[str] = []
    data: list[str] = []
    colour, pen_x, pen_y, index, count = -1, 0, 0, 0, len(xs)
    while index < count:
        if colours[index] != colour:
            if data:
                parts.append(f'<path class="{prefix}{colour}" d="{"".join(data)}"/>')
            colour, pen_x, pen_y, data = colours[index], 0, 0, []
        x, y, width = xs[index], ys[index], draw
        index += 1
        while draw == step and index < count and colours[index] == colour and ys[index] == y and xs[index] == x + width:
            width += step
            index += 1
        dy = y - pen_y
        data.append(f"m{x - pen_x}{dy if dy < 0 else f' {dy}'}h{width}")
        pen_x, pen_y = x + width, y
    if data:
        parts.append(f'<path class="{prefix}{colour}" d="{"".join(data)}"/>')
    return "".join(parts)


# Widths of Inter's characters in em, rounded up; good to a few percent for every grotesque of the stack.
_WIDE = set("mwMWOQGD@%&—…⟨⟩")
_NARROW = set("iljtfrI.,:;'|!()[]{}/ -")


def text_width(text: str, size: float) -> float:
    """About how wide a line of text is, in pixels."""
    total = 0.0
    for char in text:
        if unicodedata.combining(char):
            continue
        if unicodedata.east_asian_width(char) in "WF":
            total += 1.05
        elif char in _NARROW:
            total += 0.34
        elif char in _WIDE:
            total += 0.86
        elif char.isupper():
            total += 0.69
        else:
            total += 0.585
    return total * size


def fit(text: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis to the width."""
    if text_width(text, size) <= width:
        return text
    kept = text
    while kept and text_width(kept + "…", size) > width:
        kept = kept[:-1]
    return kept + "…"


def wrap(text: str, size: float, width: float, *, lines: int) -> list[str]:
    """Breaks a text at blanks, and at any character where one piece is too wide (Chinese has no blanks)."""
    pieces: list[str] = []
    for word in re.findall(r"\S+\s*|[\u3000-\u9fff\uff00-\uffef]", text):
        pieces.extend(re.findall(r"[\u3000-\u9fff\uff00-\uffef]|[^\u3000-\u9fff\uff00-\uffef]+", word))
    result = [""]
    for piece in pieces:
        if result[-1] and text_width((result[-1] + piece).rstrip(), size) > width:
            result.append("")
        result[-1] += piece
    result = [line.strip() for line in result if line.strip()]
    if len(result) > lines:
        result = [*result[: lines - 1], " ".join(result[lines - 1 :])]
    return [fit(line, size, width) for line in result]


def group(parts: Iterable[str], *, classes: str = "", extra: str = "") -> str:
    """A ``<g>``; classes are written only where there are some."""
    named = f' class="{classes}"' if classes else ""
    return f"<g{named}{extra}>{''.join(parts)}</g>"
