"""One gradient of two components being clipped, by norm and by value: a picture to be dragged (syllabus B5).

By norm: ĝ = min(1, θ/‖g‖) g, the nearest point of the ball of radius θ; the direction stays (Pascanu et al. 2013). By
value: every component is brought into [-θ, θ], the nearest point of the box; the direction may turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz.charts.figure import Figure
from seqviz.charts.svg import esc, group, num, path, rect, text_at
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator, english

WIDE, NARROW = 900, 400
_PLANE, _NARROW_PLANE = 360.0, 380.0
_HEAD = 11.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A gradient and what becomes of it.

    Args:
        gradient: its two components.
        threshold: θ of the norm, above 0.
        value_threshold: θ of the values, above 0.
    """

    gradient: tuple[float, float]
    threshold: float
    value_threshold: float

    def __post_init__(self) -> None:
        for field, value in (("θ of the norm", self.threshold), ("θ of the values", self.value_threshold)):
            if not (math.isfinite(value) and value > 0):
                raise InvalidInputError("{field} is {value}; it must be above 0.", field=field, value=value)
        if not all(math.isfinite(value) for value in self.gradient):
            raise InvalidInputError("The gradient has a component that is not a number.")

    @property
    def norm(self) -> float:
        """‖g‖."""
        return math.hypot(*self.gradient)

    @property
    def factor(self) -> float:
        """min(1, θ/‖g‖)."""
        return min(1.0, self.threshold / self.norm) if self.norm > 0 else 1.0

    @property
    def by_norm(self) -> tuple[float, float]:
        """min(1, θ/‖g‖) g."""
        return self.factor * self.gradient[0], self.factor * self.gradient[1]

    @property
    def by_value(self) -> tuple[float, float]:
        """Every component in [-θ, θ]."""
        low, high = -self.value_threshold, self.value_threshold
        return min(max(self.gradient[0], low), high), min(max(self.gradient[1], low), high)

    @property
    def turned(self) -> float:
        """Degrees between g and what clipping by value makes of it."""
        a, b = np.array(self.gradient), np.array(self.by_value)
        if not a.any() or not b.any():
            return 0.0
        cross, dot = float(a[0] * b[1] - a[1] * b[0]), float(a @ b)
        return abs(math.degrees(math.atan2(cross, dot)))


def projection_figure(
    projection: Projection,
    *,
    names: tuple[str, str] = ("g₁", "g₂"),
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws the gradient, ball and box, and both clipped vectors, with their arithmetic.

    Args:
        projection: what is shown first; the reader drags from there.
        names: of the two components.
        font_size: in pixels; at least 16 for projection.
        t, language: of the reader.
    """
    limit = _limit(projection)
    lines = _templates(t)
    values = _values(projection, limit)
    alt = " ".join(text.format(**values) for _, text in lines)
    pictures = {}
    for name, width in (("wide", WIDE), ("narrow", NARROW)):
        pictures[name] = _drawn(projection, limit, names, lines, values, width=width, font=font_size, alt=alt, t=t)
    svg, height, geometry = pictures["wide"]
    payload: dict[str, Any] = {
        "language": language,
        "fontSize": font_size,
        "limit": limit,
        "gradient": list(projection.gradient),
        "threshold": projection.threshold,
        "valueThreshold": projection.value_threshold,
        "geometry": geometry,
        "narrow": pictures["narrow"][0],
        "narrowGeometry": pictures["narrow"][2],
        "lines": dict(lines),
        "texts": {
            "threshold": t("θ of the norm"),
            "valueThreshold": t("θ of the values"),
            "keys": t("The gradient: drag its tip, or move it with the arrow keys"),
        },
    }
    return Figure(
        svg=svg,
        payload=payload,
        alt=alt,
        width=WIDE,
        height=height,
        title=t("One gradient, clipped"),
        module="projection",
    )


def _limit(projection: Projection) -> float:
    """End of both axes: everything fits and the reader has room."""
    largest = max(*map(abs, projection.gradient), projection.threshold, projection.value_threshold) * 1.1
    unit = 10.0 ** math.floor(math.log10(largest))
    return next(unit * step for step in (1, 1.5, 2, 3, 4, 5, 7.5, 10) if unit * step >= largest)


def _templates(t: Translator) -> list[tuple[str, str]]:
    """The lines beside the picture, by name; filled in here and, while dragging, in the browser."""
    return [
        ("gradient", t("g = ({x}, {y}), norm ||g|| = {norm}")),
        ("factor", t("min(1, θ / ||g||) = min(1, {threshold} / {norm}) = {factor}")),
        ("by_norm", t("{factor} · g = ({nx}, {ny}), norm {nn}")),
        ("kept", t("The direction stays: turned by 0°.")),
        ("box", t("each component into [−{value}, {value}]")),
        ("by_value", t("({vx}, {vy}), norm {vn}")),
        ("turned", t("The direction: turned by {angle}°.")),
    ]


def _values(projection: Projection, limit: float) -> dict[str, str]:
    numbers = {
        "x": projection.gradient[0],
        "y": projection.gradient[1],
        "norm": projection.norm,
        "threshold": projection.threshold,
        "nx": projection.by_norm[0],
        "ny": projection.by_norm[1],
        "nn": math.hypot(*projection.by_norm),
        "value": projection.value_threshold,
        "vx": projection.by_value[0],
        "vy": projection.by_value[1],
        "vn": math.hypot(*projection.by_value),
    }
    angle, factor = f"{projection.turned:.1f}", shown(projection.factor, 1.0)
    return {name: shown(value, limit) for name, value in numbers.items()} | {"angle": angle, "factor": factor}


def shown(value: float, limit: float) -> str:
    """A number with three digits behind the point; with a power of ten where the whole picture is of such numbers."""
    text = f"{value:.3f}" if 0.05 <= limit < 1e4 else f"{value:.2e}"
    return text.replace("-", "−")


def _drawn(
    projection: Projection,
    limit: float,
    names: tuple[str, str],
    lines: list[tuple[str, str]],
    values: dict[str, str],
    *,
    width: int,
    font: float,
    alt: str,
    t: Translator,
) -> tuple[str, int, dict[str, float]]:
    wide = width == WIDE
    plane = _PLANE if wide else _NARROW_PLANE
    center, scale = plane / 2 + 6, plane / 2 / limit
    text_left, text_top = (plane + 54, font * 2.2) if wide else (8.0, plane + font * 2.6)
    words = _words(lines, values, left=text_left, top=text_top, font=font if wide else min(font, 14), t=t)
    height = math.ceil(max(plane + 14, words[1] + 6) if wide else words[1] + 6)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        + rect(0, 0, width, height, classes="bg")
        + _plane(projection, names, center=center, scale=scale, plane=plane, limit=limit, font=font)
        + words[0]
        + "</svg>"
    )
    return (
        svg,
        height,
        {"center": center, "scale": scale, "plane": plane, "width": width, "height": height, "head": _HEAD},
    )


def _plane(
    projection: Projection,
    names: tuple[str, str],
    *,
    center: float,
    scale: float,
    plane: float,
    limit: float,
    font: float,
) -> str:
    ball, box = projection.threshold * scale, projection.value_threshold * scale
    half = plane / 2
    parts = [rect(center - half, center - half, plane, plane, classes="tb", radius=8, extra=' data-p="plane"')]
    parts.append(
        path(
            f"M{num(center - half)} {num(center)}h{num(plane)}M{num(center)} {num(center - half)}v{num(plane)}",
            classes="hr",
        )
    )
    for side, anchor in ((-1, "start"), (1, "end")):
        label = f"{side * limit:g}".replace("-", "−")
        x, y = center + side * (half - 6), center - side * (half - font * (0.9 if side > 0 else 0.35))
        parts.append(text_at(x, center + font * 1.15, label, size=font * 0.85, classes="mu", anchor=anchor))
        parts.append(text_at(center - 6, y, label, size=font * 0.85, classes="mu", anchor="end"))
    parts.append(
        f'<circle cx="{num(center)}" cy="{num(center)}" r="{num(ball)}" class="c1" data-p="ball" fill-opacity="0"/>'
    )
    parts.append(rect(center - box, center - box, 2 * box, 2 * box, classes="c2", extra=' data-p="box"'))
    parts.append(text_at(center + half - 8, center - 8, names[0], size=font, classes="mu", anchor="end"))
    parts.append(text_at(center + 8, center - half + font * 1.2, names[1], size=font, classes="mu", anchor="start"))
    tip = _pixel(projection.gradient, center, scale)
    for name, target in (("by_value", projection.by_value), ("by_norm", projection.by_norm)):
        end = _pixel(target, center, scale)
        parts.append(
            path(
                f"M{num(tip[0])} {num(tip[1])}L{num(end[0])} {num(end[1])}", classes="lf", extra=f' data-p="to_{name}"'
            )
        )
    for name, target, number in (
        ("gradient", projection.gradient, 0),
        ("by_value", projection.by_value, 2),
        ("by_norm", projection.by_norm, 1),
    ):
        parts.append(_arrow(name, target, number, center=center, scale=scale))
    parts.append(f'<circle cx="{num(tip[0])}" cy="{num(tip[1])}" r="9" class="cp0" data-p="handle"/>')
    return group(parts)


def _pixel(vector: tuple[float, float], center: float, scale: float) -> tuple[float, float]:
    return center + vector[0] * scale, center - vector[1] * scale


def arrow_data(dx: float, dy: float, center: float, head: float = _HEAD) -> str:
    """Path data of an arrow from the centre, in pixels; a short one is all head."""
    length = math.hypot(dx, dy)
    if length < 0.5:
        return f"M{num(center)} {num(center)}"
    ux, uy = dx / length, dy / length
    size = min(head, length)
    x, y = center + dx, center + dy
    bx, by = x - ux * size, y - uy * size
    left, right = (bx - uy * size * 0.45, by + ux * size * 0.45), (bx + uy * size * 0.45, by - ux * size * 0.45)
    return (
        f"M{num(center)} {num(center)}L{num(x)} {num(y)}M{num(left[0])} {num(left[1])}L{num(x)} {num(y)}"
        f"L{num(right[0])} {num(right[1])}"
    )


def _arrow(name: str, vector: tuple[float, float], number: int, *, center: float, scale: float) -> str:
    data = arrow_data(vector[0] * scale, -vector[1] * scale, center)
    return path(data, classes=f"ca{number}", extra=f' data-p="{name}"')


def _words(
    lines: list[tuple[str, str]], values: dict[str, str], *, left: float, top: float, font: float, t: Translator
) -> tuple[str, float]:
    """The arithmetic, and where it ends."""
    titles = {
        "gradient": (0, t("the gradient")),
        "factor": (1, t("clipped by norm")),
        "box": (2, t("clipped by value")),
    }
    parts, y = [], top
    for name, template in lines:
        if name in titles:
            number, title = titles[name]
            y += 0 if name == "gradient" else font * 1.1
            parts.append(rect(left, y - font * 0.62, 22, 5, classes=f"k{number}", radius=2))
            parts.append(text_at(left + 30, y, title, size=font, classes="st", anchor="start"))
            y += font * 1.6
        parts.append(
            text_at(left + 30, y, template.format(**values), size=font, anchor="start", extra=f' data-p="line-{name}"')
        )
        y += font * 1.6
    return group(parts), y - font * 1.6
