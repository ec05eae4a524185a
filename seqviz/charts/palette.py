"""The palettes of the product: one for each kind of quantity, the same on every page, light and dark.

=============  ==============================================  =======================================
palette        what it colours                                 how
=============  ==============================================  =======================================
``signed``     states, embeddings, candidates, pre-activation  diverging, orange − and blue +, neutral 0
``share``      gates, probabilities, attention weights         sequential, teal
``loss``       surprisal, loss, gradient norms                 sequential, plum
``category``   tags and classes                                six hues, apart in lightness
=============  ==============================================  =======================================

Orange against blue stays apart for every common kind of colour blindness; red never stands against green.
Ramps are interpolated in OKLab (Ottosson 2020), where equal steps look equal, and cut into a fixed number of buckets
so that a picture needs one path for each bucket and no colour of its own for each tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqviz.types import FloatArray

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

HALF_BUCKETS = 15
"""Buckets of the signed palette on either side of the neutral one."""
SIGNED_BUCKETS = 2 * HALF_BUCKETS + 1
SHARE_BUCKETS = 21
CATEGORIES = 6

SIGNED_QUANTITIES = ("candidate", "cell_state", "hidden_state", "pre_activation", "input")
"""Quantities of the signed palette; all other quantities of a trace lie between 0 and 1."""

_ANCHORS: dict[Theme, dict[str, tuple[str, ...]]] = {
    "light": {
        "negative": ("#efece5", "#f8c88f", "#e8862a", "#8f3d02"),
        "positive": ("#efece5", "#a9d0ee", "#3a86c8", "#0a3f7a"),
        "share": ("#eff2ee", "#9fd3cb", "#2f968f", "#07494d"),
        "loss": ("#f5edf3", "#dba9cf", "#a5478f", "#561649"),
    },
    "dark": {
        "negative": ("#2b2a31", "#7a4a20", "#d9822b", "#ffd0a0"),
        "positive": ("#2b2a31", "#23527c", "#3f93d8", "#b5dcff"),
        "share": ("#242b30", "#1f5d5c", "#2fa69b", "#bdf3e6"),
        "loss": ("#2d2530", "#6d3563", "#c763b1", "#f7c9ec"),
    },
}

_CATEGORIES: dict[Theme, tuple[str, ...]] = {
    "light": ("#2c66a8", "#b3590a", "#6d4bb0", "#1d7a74", "#a63a6f", "#6b6424"),
    "dark": ("#8cc2f5", "#f5ad63", "#c3adff", "#6fd2c5", "#f59ac4", "#d6cd7d"),
}

COLOURS: Mapping[str, Mapping[Theme, str]] = MappingProxyType(
    {
        "surface": {"light": "#fdfcfa", "dark": "#131219"},
        "cell": {"light": "#ffffff", "dark": "#1a1922"},
        "text": {"light": "#1c1a26", "dark": "#eeecf6"},
        "muted": {"light": "#615d70", "dark": "#aaa6bb"},
        "line": {"light": "#8d889b", "dark": "#7d788f"},
        "faint": {"light": "#dcd8cf", "dark": "#38354a"},
        "track": {"light": "#eeebe4", "dark": "#262430"},
        "accent": {"light": "#4b3fc4", "dark": "#9d92ff"},
        "tint": {"light": "#ece9fb", "dark": "#2a2745"},
        "hover": {"light": "#f3f1ec", "dark": "#1f1d29"},
        "neutral": {"light": "#6f6b7d", "dark": "#8f8ba0"},
        "on_category": {"light": "#ffffff", "dark": "#131219"},
    }
)
"""The plain colours of the pictures by theme."""


def is_signed(quantity: str) -> bool:
    """Whether a quantity takes the signed palette."""
    return quantity in SIGNED_QUANTITIES


def signed_buckets(values: FloatArray, limit: float) -> NDArray[np.int64]:
    """Bucket of each value, 0 (-limit) over HALF_BUCKETS (exactly neutral) to 2·HALF_BUCKETS (+limit).

    Args:
        values: any shape.
        limit: value of the strongest colour; values beyond it take that colour.
    """
    if limit <= 0:
        return np.full(np.shape(values), HALF_BUCKETS, np.int64)
    scaled = np.clip(np.asarray(values, np.float64) / limit, -1.0, 1.0) * HALF_BUCKETS
    # Away from zero at the halves, so that x and -x always mirror each other.
    return (np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)).astype(np.int64) + HALF_BUCKETS


def share_buckets(values: FloatArray, limit: float = 1.0) -> NDArray[np.int64]:
    """Bucket of each value between 0 and ``limit``, 0 to SHARE_BUCKETS - 1."""
    scaled = np.clip(np.asarray(values, np.float64) / (limit if limit > 0 else 1.0), 0.0, 1.0)
    return np.floor(scaled * (SHARE_BUCKETS - 1) + 0.5).astype(np.int64)


@lru_cache(maxsize=len(THEMES))
def signed_ramp(theme: Theme) -> tuple[str, ...]:
    """Colours of the signed palette, most negative first, SIGNED_BUCKETS of them."""
    negative, positive = (_mixed(_ANCHORS[theme][side], HALF_BUCKETS + 1) for side in ("negative", "positive"))
    # x and -x must look equally strong: both take the mean of their lightness.
    negative[:, 0] = positive[:, 0] = (negative[:, 0] + positive[:, 0]) / 2
    return (*(_to_hex(row) for row in negative[::-1]), *(_to_hex(row) for row in positive[1:]))


@lru_cache(maxsize=2 * len(THEMES))
def sequential_ramp(name: Literal["share", "loss"], theme: Theme) -> tuple[str, ...]:
    """Colours of a one-signed palette from 0 upwards, SHARE_BUCKETS of them."""
    return ramp(_ANCHORS[theme][name], SHARE_BUCKETS)


def category_colours(theme: Theme) -> tuple[str, ...]:
    """Colours of tags and classes."""
    return _CATEGORIES[theme]


def cell_categories(cells: Sequence[str]) -> list[int]:
    """The category colour of each cell, the same on every page: LSTM 0, GRU 1, plain RNN 2.

    Args:
        cells: names of cells; where two are of one kind, all take the colours in order.
    """
    kinds = [cell.split("_", maxsplit=1)[0] for cell in cells]
    if len(set(kinds)) < len(kinds):
        return [index % CATEGORIES for index in range(len(kinds))]
    return [{"lstm": 0, "gru": 1, "rnn": 2}[kind] for kind in kinds]


def ramp(anchors: Sequence[str], count: int) -> tuple[str, ...]:
    """``count`` colours through the anchors, evenly spaced in OKLab."""
    return tuple(_to_hex(row) for row in _mixed(anchors, count))


def _mixed(anchors: Sequence[str], count: int) -> NDArray[Any]:
    """(count, 3) in OKLab."""
    points = np.array([_to_oklab(anchor) for anchor in anchors])
    places = np.linspace(0, len(anchors) - 1, count)
    return np.stack([np.interp(places, np.arange(len(anchors)), points[:, axis]) for axis in range(3)], 1)


_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _to_oklab(colour: str) -> NDArray[Any]:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ linear))


def _to_hex(lab: NDArray[Any]) -> str:
    linear = np.clip(np.linalg.inv(_TO_LMS) @ (np.linalg.inv(_TO_LAB) @ lab) ** 3, 0, 1)
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(channel) * 255):02x}" for channel in np.clip(rgb, 0, 1))


@lru_cache(maxsize=len(THEMES))
def literals(theme: Theme) -> Mapping[str, str]:
    """Every colour of a theme by name: ``d0``... signed, ``s0``... share, ``l0``... loss, ``k0``... category."""
    named = {f"d{i}": colour for i, colour in enumerate(signed_ramp(theme))}
    named |= {f"s{i}": colour for i, colour in enumerate(sequential_ramp("share", theme))}
    named |= {f"l{i}": colour for i, colour in enumerate(sequential_ramp("loss", theme))}
    named |= {f"k{i}": colour for i, colour in enumerate(category_colours(theme))}
    named |= {name: colours[theme] for name, colours in COLOURS.items()}
    return MappingProxyType(named)
