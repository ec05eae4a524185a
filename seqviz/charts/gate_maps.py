"""Every gate of a layer: all units at all steps, and their mean and spread at every step.

The columns are those below the figure of the cell. Large layers are drawn in groups of units, each row the mean of its
group, and say so; mean and spread always rest on every unit.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqviz.charts.figure import Figure
from seqviz.charts.gate_cell import TRACK_LABEL, track_columns
from seqviz.charts.gate_layout import WIDTH
from seqviz.charts.notation import Notation, quantity_name, visible
from seqviz.charts.palette import is_signed, share_buckets, signed_buckets
from seqviz.charts.svg import clean, esc, fit, group, num, path, rect, text_at, text_width, tile_paths, wrap
from seqviz.charts.unroll_heatmap import where_words
from seqviz.charts.unroll_layout import Sort, unit_order
from seqviz.charts.unroll_math import math_at
from seqviz.charts.unroll_network import encoded_floats
from seqviz.charts.writing import Place
from seqviz.errors import unknown_name
from seqviz.i18n import Translator, english
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import Direction, FloatArray

ALL = "all"
TILES = 40_000
"""Tiles of a picture at most; beyond them units are drawn in groups."""
SPREAD = (10, 90)
"""Percentiles of the units between which the band lies."""
_STRIP = 46


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOptions:
    """What is drawn, and how.

    Args:
        quantity: one quantity of the layer, or ``"all"`` of them.
        sort: order of the units, by the first quantity that is drawn.
        font_size, notation, step, unit: as in ``CellOptions``.
    """

    quantity: str = ALL
    sort: Sort = "index"
    font_size: int = 14
    notation: Notation = "ng"
    step: int = 0
    unit: int = 0


def gate_maps_figure(
    trace: RecurrentTrace,
    *,
    layer: int = 0,
    direction: Direction = "forward",
    options: MapOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws all gates of a layer.

    Args:
        trace: the run.
        layer, direction: which layer.
        options: what is drawn, and how.
        t, language: the reader's.

    Raises:
        UnknownNameError: the layer has no such quantity.
    """
    options = options or MapOptions()
    part = trace.layer(layer, direction)
    known = part.quantities()
    if options.quantity != ALL and options.quantity not in known:
        raise unknown_name("quantity", options.quantity, (ALL, *known))
    names = list(known) if options.quantity == ALL else [options.quantity]
    groups = unit_groups(known[names[0]], options.sort, len(names))
    draw = _Maps(trace, part, groups, options, t)
    maps = [draw.one(name, known[name]) for name in names]
    draw.tokens()
    body, labels, foot = draw.finish()
    alt = t("Gates of {model}, {where}: {means}.").format(
        model=trace.model,
        where=where_words(part, t),
        means=", ".join(f"{quantity_name(name, t)} {known[name].mean():.2f}" for name in names),
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {draw.width} {num(draw.height)}" width="{draw.width}" height="{num(draw.height)}">'
        + rect(0, 0, draw.width, draw.height, classes="bg")
        + group([body], classes="sv-body")
        + group([rect(0, 0, TRACK_LABEL, draw.body_height, classes="bg"), labels], classes="sv-labels")
        + group([foot], classes="sv-foot")
        + "</svg>"
    )
    payload: dict[str, Any] = {
        "steps": len(trace),
        "fontSize": options.font_size,
        "size": [draw.width, round(draw.height, 1)],
        "room": WIDTH,
        "track": [draw.left, draw.column, round(draw.body_height, 1)],
        "focus": {"step": options.step, "layer": layer, "direction": direction, "unit": options.unit},
        "tokens": [clean(visible(original)) or "∅" for original in trace.originals],
        "groups": [units.tolist() for units in groups],
        "maps": maps,
        "texts": _texts(t),
        "language": language,
        "file": re.sub(r"[^\w-]+", "-", f"{trace.model}-gates"),
    }
    payload["id"] = hashlib.sha256((svg + repr(payload["texts"])).encode("utf-8", "replace")).hexdigest()[:16]
    return Figure(
        svg=svg, payload=payload, alt=alt, width=draw.width, height=round(draw.height),
        title=f"{trace.model}: {t('gates')}", module="gate_maps",
    )  # fmt: skip


def _mark(value: float) -> str:
    """A number beside an axis."""
    return f"{value:.3g}".replace("-", "−")


def unit_groups(values: FloatArray, sort: Sort, maps: int) -> list[NDArray[np.int64]]:
    """The rows of the maps: units in their order, as many to a row as the picture's size asks for."""
    steps, units = values.shape
    most = 64 if maps > 1 else 256
    rows = max(8, min(units, most, TILES // (steps * maps)))
    return [np.asarray(row) for row in np.array_split(unit_order(values, sort), min(rows, units))]


class _Maps:
    """Writes the maps one below the other."""

    def __init__(
        self,
        trace: RecurrentTrace,
        part: LayerTrace,
        groups: list[NDArray[np.int64]],
        options: MapOptions,
        t: Translator,
    ) -> None:
        self.trace, self.part, self.groups, self.options, self.t = trace, part, groups, options, t
        self.size, self.small = options.font_size, options.font_size - 1
        columns = track_columns(trace, options.font_size)
        self.left, self.column = columns["left"], columns["width"]
        self.width = max(WIDTH, self.left + self.column * len(trace) + 12)
        self.place = Place(notation=options.notation, cell=part.cell, backward=part.direction == "backward")
        self.y: float = 4
        self.body: list[str] = []
        self.labels: list[str] = []
        self.body_height = self.height = 0.0
        self.counted = False

    def one(self, name: str, values: FloatArray) -> dict[str, Any]:
        """Mean, spread and heatmap of one quantity; returns what the interaction needs."""
        signed = is_signed(name)
        exact = values.astype(np.float64)
        mean, (low, high) = exact.mean(1), np.percentile(exact, SPREAD, axis=1)
        reach = float(f"{1.1 * max(np.abs(low).max(), np.abs(high).max()):.2g}") if signed else 1.0
        top = self.y
        widest = text_width(_mark(-reach if signed else 0.5), self.small - 2)
        self._label(name, top, TRACK_LABEL - 22 - widest)
        self._strip(mean, low, high, signed=signed, limit=reach or 1.0)
        rows = np.stack([exact[:, units].mean(1) for units in self.groups], 1)
        heat = self._heat(rows, signed=signed, limit=float(np.abs(rows).max()) if signed else 1.0)
        self.y += 16
        return {
            "name": quantity_name(name, self.t),
            "range": [round(top, 1), round(self.y, 1)],
            "rows": heat,
            "values": encoded_floats(rows.astype(np.float32)),
            "mean": _rounded(mean),
            "low": _rounded(low),
            "high": _rounded(high),
        }

    def _label(self, name: str, top: float, room: float) -> None:
        small = self.small
        # The map shows the gate as it is stored: in Ng's notation Z is 1 − Γ_u.
        symbol = self.place.now(name).text
        self.labels.append(math_at(8, top + small * 1.1, symbol, size=small + 3, classes="tx", anchor="start"))
        lines = wrap(quantity_name(name, self.t).capitalize(), small, room, lines=2)
        for index, line in enumerate(lines):
            self.labels.append(
                text_at(8, top + small * (2.7 + 1.25 * index), line, size=small, classes="st", anchor="start")
            )

    def _strip(self, mean: FloatArray, low: FloatArray, high: FloatArray, *, signed: bool, limit: float) -> None:
        top, bottom = self.y, self.y + _STRIP
        floor = -limit if signed else 0.0

        def y(value: float) -> float:
            return bottom - (value - floor) / (limit - floor) * _STRIP

        def x(step: int) -> float:
            return self.left + (step + 0.5) * self.column

        steps = range(len(mean))
        there = "".join(f"{'L' if s else 'M'}{num(x(s))} {num(y(high[s]))}" for s in steps)
        back = "".join(f"L{num(x(s))} {num(y(low[s]))}" for s in reversed(steps))
        line = "".join(f"{'L' if s else 'M'}{num(x(s))} {num(y(mean[s]))}" for s in steps)
        right = self.left + self.column * len(mean)
        for value in (floor, (floor + limit) / 2, limit):
            self.body.append(path(f"M{self.left} {num(y(value))}H{right}", classes="hr"))
            at = y(value) + self.small * 0.35
            self.labels.append(
                text_at(self.left - 6, at, _mark(value), size=self.small - 2, classes="mu", anchor="end")
            )
        self.body.append(path(f"{there}{back}Z", classes="gb"))
        self.body.append(path(line, classes="gm"))
        if self.column >= text_width("−0.00", self.small - 1) + 2:
            for s in steps:
                shown = f"{round(mean[s], 2) + 0.0:.2f}".replace("-", "−")  # no −0.00
                lift = -6 if y(mean[s]) - top > self.small else self.small + 4
                self.body.append(text_at(x(s), y(mean[s]) + lift, shown, size=self.small - 1, classes="tx"))
        self.y = bottom + 8

    def _heat(self, rows: FloatArray, *, signed: bool, limit: float) -> dict[str, Any]:
        steps, count = rows.shape
        room = 128 if self.options.quantity == ALL else 380
        height = int(min(max(room // count, 2), 14))
        top = round(self.y)
        buckets = signed_buckets(rows.T, limit) if signed else share_buckets(rows.T)
        lines, columns = np.meshgrid(np.arange(count), np.arange(steps), indexing="ij")
        tiles = tile_paths(
            columns.ravel(), lines.ravel(), buckets.ravel(), prefix="d" if signed else "s", step=1, draw=1
        )
        self.body.append(
            f'<g transform="translate({self.left} {num(top + height / 2)}) scale({self.column} {height})" '
            f'stroke-width="1" fill="none" shape-rendering="crispEdges">{tiles}</g>'
        )
        self.body.append(rect(self.left, top, self.column * steps, count * height, classes="hr"))
        self._count(top, count)
        self.y = max(top + count * height, top + self.small * 3)
        return {"top": top, "height": height, "count": count}

    def _count(self, top: float, count: int) -> None:
        """How many units a map has, and how they are drawn; said once."""
        if self.counted:
            return
        self.counted = True
        units = sum(len(group) for group in self.groups)
        words = (
            self.t("{count} units").format(count=units)
            if count == units
            else self.t("{count} units in {rows} rows; a row is a group's mean").format(count=units, rows=count)
        )
        for index, line in enumerate(wrap(words, self.small - 1, TRACK_LABEL - 44, lines=5)):
            self.labels.append(
                text_at(
                    8, top + self.small * (1 + 1.2 * index), line, size=self.small - 1, classes="mu", anchor="start"
                )
            )

    def tokens(self) -> None:
        """The pieces of the text below the last map."""
        self.y += self.small * 0.6
        for step, original in enumerate(self.trace.originals):
            token = fit(clean(visible(original)) or "∅", self.small, self.column - 3)
            self.body.append(
                text_at(self.left + (step + 0.5) * self.column, self.y, token, size=self.small, classes="tx")
            )
        self.y += self.small * 0.8
        self.body_height = self.y

    def finish(self) -> tuple[str, str, str]:
        """Marks and legend around what was drawn."""
        height, x = self.body_height, self.left + self.options.step * self.column
        behind = rect(0, 0, self.column, height, classes="sv-hover", radius=6, extra=' visibility="hidden"')
        front = rect(0.8, 1, self.column - 1.6, height - 2, classes="sv-frame", radius=6,
                     extra=f' transform="translate({x} 0)"')  # fmt: skip
        front += rect(self.left - 1, 0, self.column * len(self.trace) + 2, 1, classes="sv-row",
                      extra=' visibility="hidden"')  # fmt: skip
        t, small = self.t, self.small
        y = height + small * 1.4
        foot = path(f"M8 {num(y - small * 0.35)}h26", classes="gm")
        words = t("mean of all units")
        foot += text_at(42, y, words, size=small, classes="mu", anchor="start")
        at = 42 + text_width(words, small) + 24
        foot += rect(at, y - small * 0.8, 26, small * 0.9, classes="gb")
        words = t("from {low} % to {high} % of the units").format(low=SPREAD[0], high=SPREAD[1])
        foot += text_at(at + 34, y, words, size=small, classes="mu", anchor="start")
        y += small * 1.5
        words = t("Gates: colours from 0 to 1. Candidates and states: strongest at the largest value of their own map.")
        foot += text_at(8, y, words, size=small, classes="mu", anchor="start")
        self.height = y + small
        return behind + "".join(self.body) + front, "".join(self.labels), foot


def _rounded(values: FloatArray) -> list[float]:
    return [float(f"{value:.6g}") for value in values.tolist()]


def _texts(t: Translator) -> dict[str, Any]:
    """Everything that the module says."""
    return {
        "step": t("step {step} of {steps}"),
        "unit": t("Unit {unit}"),
        "units": t("Mean of units {units}"),
        "mean": t("mean of all units"),
        "spread": t("{low} to {high}").format(low=f"{SPREAD[0]} %", high=f"{SPREAD[1]} %"),
        "keys": t("Arrow keys: step. Click a row to follow its unit, a column for its step."),
    }
