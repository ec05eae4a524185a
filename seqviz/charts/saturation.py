"""How often gates are wide open or shut: the scatter of Karpathy, Johnson and Li 2015, figure 3, with live thresholds.

The counts of every unit travel once, in hundredths; where a gate begins to count as shut or open is a matter of adding
some of them up, which the browser does while the reader drags.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz.charts.figure import Figure
from seqviz.charts.notation import quantity_name
from seqviz.charts.palette import CATEGORIES
from seqviz.charts.svg import esc, fit, group, num, path, rect, text_at, text_width
from seqviz.i18n import Translator, english, msgid
from seqviz.units import GateCounts, Saturation

LEFT_RANGE, RIGHT_RANGE = (0.01, 0.5), (0.5, 0.99)
"""Where a gate may begin to count as left- and as right-saturated."""
_AXES = (msgid("steps below {limit}, %"), msgid("steps above {limit}, %"))
_SAYS = msgid("{units} units; mostly shut: {shut}, mostly open: {open}")
_RADIUS = 3.4


@dataclass(frozen=True, slots=True, kw_only=True)
class SaturatedRun:
    """A model's gates over a text.

    Args:
        saturation: the counts.
        name: of the model, where several stand below each other; else empty.
        titles: of the gates, for people; a gate that is not named has its usual name.
    """

    saturation: Saturation
    name: str
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """One scatter: a gate of a run, with the counts of its layers."""

    run: int
    gate: str
    title: str
    layers: tuple[GateCounts, ...]
    names: tuple[str, ...]

    def shares(self, left: float, right: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Shares of steps below ``left`` and from ``right`` on, by layer."""
        return [one.saturation(left, right) for one in self.layers]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Geometry:
    """Where things stand in a panel, in pixels. Letters grow with the font; three panels stay a screen wide."""

    font: float

    @property
    def unit(self) -> float:
        return self.font / 14

    @property
    def width(self) -> float:
        return 380

    @property
    def height(self) -> float:
        return 250 + 128 * self.unit

    @property
    def plot(self) -> tuple[float, float, float]:
        """Left and top edge of the square, and its side."""
        return 68 * self.unit, 44 * self.unit, 250


def gates_of(saturation: Saturation) -> list[str]:
    """The gates that there are counts of, in the order of the cell."""
    return list(dict.fromkeys(one.gate for one in saturation.gates))


def layer_name(layer: int, direction: str, *, both: bool, t: Translator = english) -> str:
    """A layer for a legend."""
    if not both:
        return t("layer {layer}").format(layer=layer + 1)
    way = t("forward") if direction == "forward" else t("backward")
    return t("layer {layer}, {direction}").format(layer=layer + 1, direction=way)


def saturation_figure(
    runs: Sequence[SaturatedRun],
    *,
    left: float = 0.1,
    right: float = 0.9,
    dots: bool = True,
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """One scatter a gate, one dot a unit: the share of steps at which it is right-saturated (x) and left-saturated (y).

    Args:
        runs: one model, or two over the same text, the second below the first.
        left, right: a gate is left-saturated below the one, right-saturated from the other on.
        dots: drawn already; without them the browser draws them from the counts, and the picture is smaller.
        font_size: in pixels; at least 16 for projection.
        t, language: of the reader.
    """
    geometry = _Geometry(font=font_size)
    panels = [panel for index, run in enumerate(runs) for panel in _panels(index, run, t)]
    columns = max((sum(panel.run == index for panel in panels) for index in range(len(runs))), default=1)
    heading = 34 * geometry.unit if any(run.name for run in runs) else 0.0
    alt = " ".join(
        saturation_sentence(run.saturation, gate, left=left, right=right, t=t)
        for run in runs
        for gate in gates_of(run.saturation)
    )
    width, height = round(columns * geometry.width), round(len(runs) * (geometry.height + heading))
    body = []
    for index, run in enumerate(runs):
        top = index * (geometry.height + heading)
        if run.name:
            body.append(
                text_at(8, top + 24 * geometry.unit, run.name, size=1.2 * font_size, classes="st", anchor="start",
                        extra=f' data-run="{index}"')
            )  # fmt: skip
        for column, number in enumerate(number for number, panel in enumerate(panels) if panel.run == index):
            place = f' data-panel="{number}" transform="translate({num(column * geometry.width)} {num(top + heading)})"'
            body.append(group(_panel(panels[number], geometry, left=left, right=right, dots=dots, t=t), extra=place))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"{rect(0, 0, width, height, classes='bg')}{''.join(body)}</svg>"
    )
    payload = _payload(runs, panels, geometry, heading, left=left, right=right, t=t, language=language)
    return Figure(
        svg=svg, payload=payload, alt=alt, width=width, height=height, title=t("Saturation"), module="saturation"
    )


def saturation_sentence(
    saturation: Saturation, gate: str, *, left: float = 0.1, right: float = 0.9, t: Translator = english
) -> str:
    """How many units are shut or open most of the time."""
    shut = opened = units = 0
    for one in saturation.gates:
        if one.gate == gate:
            below, above = one.saturation(left, right)
            shut, opened, units = shut + int((below > 0.5).sum()), opened + int((above > 0.5).sum()), units + len(below)
    return t("{gate}: of {units} units, {shut} are shut and {open} are open at more than half of the steps.").format(
        gate=quantity_name(gate, t=t), shut=shut, open=opened, units=units
    )


def _panels(index: int, run: SaturatedRun, t: Translator) -> list[_Panel]:
    both = any(one.direction == "backward" for one in run.saturation.gates)
    found = []
    for gate in gates_of(run.saturation):
        layers = tuple(one for one in run.saturation.gates if one.gate == gate)
        names = tuple(layer_name(one.layer, one.direction, both=both, t=t) for one in layers)
        title = run.titles.get(gate, quantity_name(gate, t=t))
        found.append(_Panel(run=index, gate=gate, title=title, layers=layers, names=names))
    return found


def _panel(panel: _Panel, geometry: _Geometry, *, left: float, right: float, dots: bool, t: Translator) -> list[str]:
    """Frame, axes, dots and the sentence below them."""
    x, y, side = geometry.plot
    font, small = geometry.font, geometry.font * 0.93
    parts = [text_at(8, 17 * geometry.unit, fit(panel.title, 1.07 * font, geometry.width - 16),
                     size=1.07 * font, classes="st", anchor="start")]  # fmt: skip
    if len(panel.names) > 1:
        parts.append(_legend(panel.names, geometry))
    parts.append(rect(x, y, side, side, classes="tb"))
    # Shut and open cannot add up to more than always.
    parts.append(path(f"M{num(x)} {num(y)}l{num(side)} {num(side)}", classes="gd"))
    for share in (0, 25, 50, 75, 100):
        at = side * share / 100
        if 0 < share < 100:
            grid = f"M{num(x + at)} {num(y)}v{num(side)}M{num(x)} {num(y + side - at)}h{num(side)}"
            parts.append(path(grid, classes="hr"))
        parts.append(text_at(x + at, y + side + 1.25 * small, f"{share}", size=small, classes="mu"))
        parts.append(text_at(x - 6, y + side - at + 0.35 * small, f"{share}", size=small, classes="mu", anchor="end"))
    below, above = (t(words) for words in _AXES)
    lines = {
        "above": (x + side / 2, y + side + 2.7 * small, above.format(limit=_limit(right))),
        "below": (0.0, 0.0, below.format(limit=_limit(left))),
    }
    for name, (at_x, at_y, words) in lines.items():
        turned = (
            f' data-p="{name}"'
            if name == "above"
            else f' data-p="{name}" transform="translate({num(1.1 * font)} {num(y + side / 2)}) rotate(-90)"'
        )
        parts.append(text_at(at_x, at_y, words, size=small, classes="mu", extra=turned))
    parts.append(group(_dots(panel, geometry, left=left, right=right) if dots else [], extra=' data-p="dots"'))
    shut, opened, units = _counted(panel, left, right)
    words = t(_SAYS).format(shut=shut, open=opened, units=units)
    parts.append(text_at(geometry.width / 2, y + side + 4.5 * small, words, size=small, extra=' data-p="says"'))
    return parts


def _limit(value: float) -> str:
    return f"{value:.2f}"


def _legend(names: Sequence[str], geometry: _Geometry) -> str:
    """Which colour is which layer, in one line above the plot."""
    x, y, _ = geometry.plot
    size, parts = 0.93 * geometry.font, []
    for index, name in enumerate(names):
        parts.append(
            f'<circle cx="{num(x + 5)}" cy="{num(y - 10 * geometry.unit)}" r="{num(1.3 * _RADIUS)}" '
            f'class="k{index % CATEGORIES}"/>'
        )
        parts.append(text_at(x + 14, y - 10 * geometry.unit + 0.35 * size, name, size=size, anchor="start"))
        x += 14 + text_width(name, size) + 16
    return group(parts)


def _dots(panel: _Panel, geometry: _Geometry, *, left: float, right: float) -> list[str]:
    x, y, side = geometry.plot
    found = []
    for index, (below, above) in enumerate(panel.shares(left, right)):
        circles = [
            f'<circle cx="{num(x + side * a)}" cy="{num(y + side * (1 - b))}" r="{num(_RADIUS * geometry.unit)}"/>'
            for b, a in zip(below.tolist(), above.tolist(), strict=True)
        ]
        found.append(group(circles, classes=f"k{index % CATEGORIES}", extra=' fill-opacity="0.45"'))
    return found


def _counted(panel: _Panel, left: float, right: float) -> tuple[int, int, int]:
    """Units that are shut and that are open at more than half of the steps, and all."""
    shares = panel.shares(left, right)
    shut = sum(int((below > 0.5).sum()) for below, _ in shares)
    opened = sum(int((above > 0.5).sum()) for _, above in shares)
    return shut, opened, sum(len(below) for below, _ in shares)


def packed_counts(layers: Sequence[GateCounts]) -> str:
    """All counts one after the other, first the low bytes of all, then the high ones, deflated, in base64."""
    counts = np.concatenate([one.counts.ravel() for one in layers]) if layers else np.zeros(0)
    whole = counts.astype("<u2").view("u1").reshape(-1, 2)
    return base64.b64encode(zlib.compress(whole.T.tobytes(), 6)).decode("ascii")


def _payload(
    runs: Sequence[SaturatedRun],
    panels: Sequence[_Panel],
    geometry: _Geometry,
    heading: float,
    *,
    left: float,
    right: float,
    t: Translator,
    language: str,
) -> dict[str, Any]:
    x, y, side = geometry.plot
    payload: dict[str, Any] = {
        "language": language,
        "fontSize": geometry.font,
        "left": left,
        "right": right,
        "ranges": [LEFT_RANGE, RIGHT_RANGE],
        "geometry": {
            "width": geometry.width, "height": geometry.height, "heading": heading, "x": x, "y": y, "side": side,
            "radius": _RADIUS * geometry.unit, "categories": CATEGORIES,
        },
        "runs": [{"name": run.name, "steps": run.saturation.steps} for run in runs],
        "panels": [
            {
                "run": panel.run,
                "gate": panel.gate,
                "title": panel.title,
                "layers": [
                    {"name": name, "place": f"{one.layer}.{one.direction}", "units": len(one.counts)}
                    for one, name in zip(panel.layers, panel.names, strict=True)
                ],
            }
            for panel in panels
        ],
        "counts": packed_counts([one for panel in panels for one in panel.layers]),
        "texts": {
            "left": t("Left-saturated below"),
            "right": t("Right-saturated above"),
            "below": t(_AXES[0]),
            "above": t(_AXES[1]),
            "says": t(_SAYS),
            "unit": t("unit {unit}"),
            "keys": t(
                "Arrow keys walk from dot to dot, Page Up and Page Down from gate to gate; Enter shows the unit in the "
                "text."
            ),
        },
    }  # fmt: skip
    content = json.dumps(payload, ensure_ascii=False, sort_keys=True)
    payload["id"] = hashlib.sha256(content.encode()).hexdigest()[:16]
    return payload
