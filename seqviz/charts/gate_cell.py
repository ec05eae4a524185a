"""The textbook figure of a recurrent cell, alive: the numbers of one unit flow through it, step by step.

Line widths and colours are the unit's own values; below it the unit goes through the whole text. The picture is
complete as it is; ``assets/gate_cell.js`` lets it step, play and say the arithmetic behind every line.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz.charts.figure import Figure
from seqviz.charts.gate_layout import OP_RADIUS, WIDTH, Box, Line, Op, Scene, scene
from seqviz.charts.gate_signals import Signal, Signals, cell_signals
from seqviz.charts.gate_words import convention_lines
from seqviz.charts.notation import Notation, quantity_name, visible
from seqviz.charts.palette import HALF_BUCKETS, share_buckets, signed_buckets
from seqviz.charts.svg import clean, esc, fit, group, num, path, rect, text_at, text_width, wrap
from seqviz.charts.unroll_heatmap import where_words
from seqviz.charts.unroll_math import math_at
from seqviz.charts.writing import activation_symbol
from seqviz.gates import UnitCourse
from seqviz.i18n import Translator, english
from seqviz.traces import RecurrentTrace

THINNEST, WIDEST = 1.8, 10.0
"""Width of a line that carries 0, and of one at its limit."""
CASING = 1.2
"""How much wider its outline is: a line that carries nothing stays visible."""
_HEAD = 11.0
_ROW, _ROW_GAP = 20, 3
TRACK_LABEL = 156


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOptions:
    """How the figure is drawn.

    Args:
        font_size: base size of its text; at least 16 for projection.
        notation: of its symbols.
        step: that it starts with.
        letter: ``"A"`` or ``"B"`` where two stand below each other.
    """

    font_size: int = 14
    notation: Notation = "ng"
    step: int = 0
    letter: str = ""


def gate_cell_figure(
    trace: RecurrentTrace,
    course: UnitCourse,
    *,
    options: CellOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws the cell of one unit.

    Args:
        trace: the run.
        course: the unit, from the same run.
        options: sizes, notation and the first step.
        t, language: the reader's.
    """
    options = options or CellOptions()
    part = trace.layer(course.layer, course.direction)
    signals = cell_signals(part, course, notation=options.notation, t=t)
    activation = activation_symbol(part.cell, "candidate")
    plan = scene(part.cell, ng=options.notation == "ng", activation=activation)
    step = min(max(options.step, 0), len(trace) - 1)
    draw = _Drawing(trace, signals, plan, options, step, t)
    head = draw.heading(course, where_words(part, t))
    diagram = draw.diagram()
    track_top = plan.height + draw.top + 14
    columns = track_columns(trace, options.font_size)
    track, labels = draw.track(columns)
    track_height = draw.track_height
    foot, foot_height = draw.foot(part.cell)
    width = max(WIDTH, columns["left"] + columns["width"] * len(trace) + 12)
    foot_top = track_top + track_height
    height = foot_top + foot_height
    alt = _alt(trace, course, signals, step, t)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {width} {num(height)}" width="{width}" height="{num(height)}">'
        + rect(0, 0, width, height, classes="bg")
        + group([diagram, head], classes="sv-diagram")
        + group([track], classes="sv-body", extra=f' transform="translate(0 {num(track_top)})"')
        + group(
            [rect(0, 0, TRACK_LABEL, track_height, classes="bg"), labels],
            classes="sv-labels",
            extra=f' transform="translate(0 {num(track_top)})"',
        )
        + group([foot], classes="sv-foot", extra=f' transform="translate(0 {num(foot_top)})"')
        + "</svg>"
    )
    payload: dict[str, Any] = {
        "steps": len(trace),
        "fontSize": options.font_size,
        "size": [width, round(height, 1)],
        "diagram": [WIDTH, round(plan.height + draw.top, 1)],
        "track": [columns["left"], columns["width"], round(track_height, 1)],
        "foot": round(foot_height, 1),
        "focus": {"step": step, "layer": course.layer, "direction": course.direction, "unit": course.unit},
        "tokens": [clean(visible(original)) or "∅" for original in trace.originals],
        "signals": {
            name: {
                "kind": signal.kind,
                "limit": signal.limit,
                "symbol": signal.symbol,
                "name": signal.name,
                "says": signal.arithmetic,
            }
            for name, signal in signals.by_name.items()
        },
        "values": {name: _rounded(signal.values) for name, signal in signals.by_name.items()}
        | {name: _rounded(values) for name, values in signals.extra.items()},
        "widths": [THINNEST, WIDEST],
        "casing": CASING,
        "half": HALF_BUCKETS,
        "language": language,
        "texts": _texts(t),
        "file": re.sub(r"[^\w-]+", "-", f"{trace.model}-cell-{course.unit}"),
    }
    payload["id"] = hashlib.sha256((svg + repr(payload["values"])).encode("utf-8", "replace")).hexdigest()[:16]
    return Figure(
        svg=svg,
        payload=payload,
        alt=alt,
        width=width,
        height=round(height),
        title=f"{trace.model}: {t('Unit {unit}').format(unit=course.unit)}",
        module="gate_cell",
    )


def line_width(value: float, limit: float) -> float:
    """Width of a line by the magnitude that it carries; the browser uses the same rule."""
    return THINNEST + (WIDEST - THINNEST) * min(abs(value) / (limit or 1.0), 1.0)


def colour_bucket(value: float, kind: str, limit: float) -> int:
    """Colour bucket of a value; the browser uses the same rule."""
    values = np.array([value])
    return int(share_buckets(values)[0] if kind == "share" else signed_buckets(values, limit)[0])


def chip_number(value: float) -> str:
    """A number that fits on a line."""
    decimals = 2 if abs(value) < 100 else 0
    text = f"{value:.{decimals}f}".replace("-", "−")
    return text.replace("−", "") if not text.strip("−0.") else text


def _rounded(values: Any) -> list[float]:
    """Seven digits: all that a float32 has for certain."""
    return [float(f"{value:.7g}") for value in values.tolist()]


def track_columns(trace: RecurrentTrace, font_size: int) -> dict[str, int]:
    """Left edge of the first column and width of each, for everything that stands below the cell."""
    size = font_size - 1
    widest = max(text_width(visible(original), size) for original in trace.originals)
    narrowest = 24 if widest < 1.6 * size else 50
    narrowest = round(narrowest * font_size / 14)
    room = (WIDTH - TRACK_LABEL - 12) // len(trace)
    return {"left": TRACK_LABEL, "width": max(narrowest, min(room, 120))}


class _Drawing:
    """Writes the parts of one figure."""

    def __init__(
        self, trace: RecurrentTrace, signals: Signals, plan: Scene, options: CellOptions, step: int, t: Translator
    ) -> None:
        self.trace, self.signals, self.plan, self.options, self.step, self.t = trace, signals, plan, options, step, t
        self.size = options.font_size
        self.small = options.font_size - 1
        self.top = 8 - plan.body[1]
        self.rows = [name for name in ("r", "u", "f", "i", "o", "g", "c", "h") if name in signals]
        self.track_height = len(self.rows) * (_ROW + _ROW_GAP) + self.size * 2.2 + 6

    def now(self, name: str) -> float:
        return float(self.signals[name].values[self.step])

    # ---- the cell

    def heading(self, course: UnitCourse, where: str) -> str:
        unit = self.t("Unit {unit}").format(unit=course.unit)
        letter = f"{self.options.letter}  " if self.options.letter else ""
        rest = f"{self.trace.model} · {where}"
        # Inside the cell, at its foot, where no line runs; the input comes in further left.
        x, y = self.plan.token[0], self.plan.body[1] + self.plan.body[3] + self.top
        return (
            f'<text x="{num(x + 22)}" y="{num(y - 14)}" font-size="{num(self.size)}" class="st">{esc(letter + unit)}'
            f'<tspan class="mu" dx="10" font-weight="400" font-size="{num(self.small)}">{esc(rest)}</tspan></text>'
        )

    def diagram(self) -> str:
        x, y, width, height = self.plan.body
        parts = [rect(x, y, width, height, classes="cb", radius=28)]
        vectors = [line for line in self.plan.lines if line.signal is None]
        carrying = [line for line in self.plan.lines if line.signal is not None]
        parts += [path(_data(line), classes="ve") for line in vectors]
        parts += [self._vector_head(line) for line in vectors if line.arrow]
        parts += [self._line(line) for line in carrying]
        parts += [f'<circle cx="{num(x)}" cy="{num(y)}" r="4" class="dt"/>' for x, y in self.plan.dots]
        parts += [self._box(box) for box in self.plan.boxes]
        parts += [self._op(op) for op in self.plan.ops]
        parts += [self._chip(name, place) for name, place in self.plan.chips.items() if name in self.signals]
        parts += [self._end(name, place) for name, place in self.plan.ends.items()]
        parts.append(self._token())
        return group(parts, extra=f' transform="translate(0 {self.top})"')

    def _classes(self, signal: Signal, value: float, *, fill: bool) -> str:
        bucket = colour_bucket(value, signal.kind, signal.limit)
        letter = "s" if signal.kind == "share" else "d"
        return f"{letter.upper() if fill else letter}{bucket}"

    def _line(self, line: Line) -> str:
        name = line.signal or ""
        signal, value = self.signals[name], self.now(name)
        width = 3.0 if line.peephole else line_width(value, signal.limit)
        data = _data(line, shorten=_HEAD - 2 if line.arrow else 0)
        colour = self._classes(signal, value, fill=False)
        if line.peephole:
            drawn = path(data, classes="fl rl", extra=f' stroke-width="{width + 3:g}"')
            drawn += path(data, classes=f"fl ps {colour}", extra=f' stroke-width="{width:g}" data-peephole="{name}"')
        else:
            drawn = path(data, classes="fl cs", extra=f' stroke-width="{num(width + CASING)}" data-casing="{name}"')
            drawn += path(data, classes=f"fl {colour}", extra=f' stroke-width="{num(width)}" data-line="{name}"')
        if line.arrow:
            fill = self._classes(signal, value, fill=True)
            drawn += path(_head(line), classes=f"hs {fill}", extra=f' data-head="{name}"')
        return drawn + path(_data(line), classes="sv-hit", extra=f' fill="none" data-say="{name}"')

    def _vector_head(self, line: Line) -> str:
        return path(_head(line), classes="hd")

    def _box(self, box: Box) -> str:
        width, height = box.size
        left, top = box.x - width / 2, box.y - height / 2
        parts = [rect(left, top, width, height, classes="bx", radius=10)]
        if box.shape != "gate" or box.signal is None:
            parts.append(text_at(box.x, box.y + self.small * 0.36, box.label, size=self.small + 1, classes="st"))
            return group(parts, extra=f' data-say="{box.signal}"')
        signal = self.signals[box.signal]
        middle = left + (width - 18) / 2
        size = min(self.size + 1, 17)
        parts.append(text_at(left + 12, box.y - 4, box.label, size=size, classes="st", anchor="start"))
        parts.append(math_at(left + width - 26, box.y - 4, signal.symbol, size=size, classes="tx", anchor="end"))
        name = fit(signal.name, self.small - 1, width - 26)
        parts.append(text_at(middle, box.y + self.small + 6, name, size=self.small - 1, classes="mu"))
        parts.append(self._gauge(box, left + width - 17, top + 8, height - 16))
        return group(parts, extra=f' data-say="{box.signal}"')

    def _gauge(self, box: Box, x: float, y: float, height: float) -> str:
        name = box.signal or ""
        signal, value = self.signals[name], self.now(name)
        top, length = gauge_bar(value, signal.kind, signal.limit, y, height)
        fill = self._classes(signal, value, fill=True)
        track = rect(x, y, 9, height, classes="tk", radius=3)
        bar = rect(x, top, 9, length, classes=fill, radius=2, extra=f' data-gauge="{name}" data-y="{num(y)}" '
                   f'data-h="{num(height)}"')  # fmt: skip
        if signal.kind == "signed":
            bar += path(f"M{num(x - 2)} {num(y + height / 2)}h13", classes="lt")
        return track + bar

    def _op(self, op: Op) -> str:
        radius = OP_RADIUS if op.sign != "1−" else 13
        size = self.small - 1 if op.sign == "1−" else 19
        return group(
            [
                f'<circle cx="{num(op.x)}" cy="{num(op.y)}" r="{radius}" class="bx"/>',
                text_at(op.x, op.y + size * 0.35, op.sign, size=size, classes="st"),
            ],
            extra=f' data-say="{op.signal}"',
        )

    def _chip(self, name: str, place: tuple[float, float]) -> str:
        x, y = place
        width, height = self.small * 3.9, self.small * 1.55
        value = chip_number(self.now(name))
        return group(
            [
                rect(x - width / 2, y - height / 2, width, height, classes="ch", radius=height / 2),
                text_at(x, y + self.small * 0.36, value, size=self.small, classes="st", extra=f' data-chip="{name}"'),
            ],
            extra=f' data-say="{name}"',
        )

    def _end(self, name: str, place: tuple[float, float]) -> str:
        x, y = place
        return math_at(x, y - 18, self.signals[name].symbol, size=self.size + 3, classes="tx")

    def _token(self) -> str:
        x, y = self.plan.token
        symbol = self.signals.place.input().text
        token = clean(visible(self.trace.originals[self.step])) or "∅"
        return math_at(x - 10, y, symbol, size=self.size + 3, classes="tx", anchor="end") + text_at(
            x + 10, y, f"‘{token}’", size=self.size + 1, classes="st", anchor="start", extra=' data-token="1"'
        )

    # ---- the unit through the text

    def track(self, columns: dict[str, int]) -> tuple[str, str]:
        left, width, count = columns["left"], columns["width"], len(self.trace)
        height = self.track_height
        parts = [
            rect(0, 0, width, height, classes="sv-hover", radius=6, extra=' visibility="hidden"'),
            rect(0, 0, width, height, classes="sv-band", radius=6,
                 extra=f' transform="translate({left + self.step * width} 0)"'),
        ]  # fmt: skip
        labels: list[str] = []
        roomy = width >= text_width("−0.00", self.small - 1) + 4
        for index, name in enumerate(self.rows):
            signal, y = self.signals[name], 4 + index * (_ROW + _ROW_GAP)
            for step, value in enumerate(signal.values.tolist()):
                x = left + step * width
                fill = self._classes(signal, value, fill=True)
                parts.append(rect(x + 1, y, width - 2, _ROW, classes=fill, radius=2))
                if roomy:
                    bucket = colour_bucket(value, signal.kind, signal.limit)
                    strong = bucket > 11 if signal.kind == "share" else abs(bucket - HALF_BUCKETS) > 8
                    parts.append(
                        text_at(x + width / 2, y + _ROW / 2 + self.small * 0.33, chip_number(value),
                                size=self.small - 1, classes="ot" if strong else "tx")
                    )  # fmt: skip
            labels.append(math_at(TRACK_LABEL - 12, y + _ROW * 0.74, signal.symbol, size=self.small, anchor="end",
                                  classes="tx"))  # fmt: skip
            labels.append(
                text_at(8, y + _ROW * 0.72, fit(signal.name, self.small - 1, 106), size=self.small - 1, classes="mu",
                        anchor="start")
            )  # fmt: skip
        baseline = 4 + len(self.rows) * (_ROW + _ROW_GAP) + self.size * 1.1
        for step in range(count):
            token = fit(clean(visible(self.trace.originals[step])) or "∅", self.small, width - 3)
            parts.append(text_at(left + (step + 0.5) * width, baseline, token, size=self.small, classes="tx"))
        frame = rect(0.8, 1, width - 1.6, height - 2, classes="sv-frame", radius=6,
                     extra=f' transform="translate({left + self.step * width} 0)"')  # fmt: skip
        parts.append(frame)
        return "".join(parts), "".join(labels)

    # ---- legend and conventions

    def foot(self, cell: str) -> tuple[str, float]:
        t, small = self.t, self.small
        y = small * 1.3
        x: float = 8
        parts: list[str] = []
        for words, letter, buckets in (
            (t("gates, 0 to 1"), "S", range(0, 21, 2)),
            (t("states and sums, − to +"), "D", range(0, 31, 3)),
        ):
            for bucket in buckets:
                parts.append(rect(x, y - small * 0.75, 9, small * 0.8, classes=f"{letter}{bucket}"))
                x += 9
            parts.append(text_at(x + 8, y, words, size=small, classes="mu", anchor="start"))
            x += 8 + text_width(words, small) + 26
        scales = [
            f"{self.signals[name].name} ±{chip_number(self.signals[name].limit)}"
            for name in ("c", "h")
            if name in self.signals
        ]
        words = t("The wider a line, the larger what it carries; full width and colour at {scales}.").format(
            scales=", ".join(scales)
        )
        lines = [words, *convention_lines(cell, t)]
        for sentence in lines:
            for line in wrap(sentence, small, WIDTH - 20, lines=3):
                y += small * 1.5
                parts.append(text_at(8, y, line, size=small, classes="mu", anchor="start"))
        return "".join(parts), y + small


def gauge_bar(value: float, kind: str, limit: float, y: float, height: float) -> tuple[float, float]:
    """Top edge and length of a gauge's bar."""
    if kind == "share":
        return y + height * (1 - value), height * value
    reach = height / 2 * min(abs(value) / (limit or 1.0), 1.0)
    return (y + height / 2 - reach if value >= 0 else y + height / 2), reach


def _data(line: Line, *, shorten: float = 0) -> str:
    """Path data with rounded corners."""
    points = list(line.points)
    if shorten:
        (ax, ay), (bx, by) = points[-2], points[-1]
        length = math.hypot(bx - ax, by - ay)
        share = max(length - shorten, 1) / length
        points[-1] = (ax + (bx - ax) * share, ay + (by - ay) * share)
    data = f"M{num(points[0][0])} {num(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (x1, y1), (x2, y2) = _towards(corner, before, 10), _towards(corner, after, 10)
        data += f"L{num(x1)} {num(y1)}Q{num(corner[0])} {num(corner[1])} {num(x2)} {num(y2)}"
    return data + f"L{num(points[-1][0])} {num(points[-1][1])}"


def _towards(start: tuple[float, float], end: tuple[float, float], reach: float) -> tuple[float, float]:
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    share = min(reach, length / 2) / length
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _head(line: Line) -> str:
    """An arrow head at the end of a line, as wide as the widest line."""
    (ax, ay), (bx, by) = line.points[-2], line.points[-1]
    length = math.hypot(bx - ax, by - ay)
    dx, dy = (bx - ax) / length, (by - ay) / length
    back, half = (bx - dx * _HEAD, by - dy * _HEAD), 7.0
    return (
        f"M{num(bx)} {num(by)}L{num(back[0] - dy * half)} {num(back[1] + dx * half)}"
        f"L{num(back[0] + dy * half)} {num(back[1] - dx * half)}Z"
    )


def _alt(trace: RecurrentTrace, course: UnitCourse, signals: Signals, step: int, t: Translator) -> str:
    numbers = ", ".join(
        f"{signal.name} {chip_number(float(signal.values[step]))}"
        for name, signal in signals.by_name.items()
        if name in ("f", "i", "g", "o", "r", "u", "c", "h")
    )
    return t("The cell of unit {unit} of {model} at step {step}, ‘{token}’: {numbers}.").format(
        unit=course.unit,
        model=trace.model,
        step=step + 1,
        token=clean(visible(trace.originals[step])),
        numbers=numbers,
    )


def _texts(t: Translator) -> dict[str, Any]:
    """Everything that the module says."""
    return {
        "toolbar": t("Steps"),
        "first": t("First step"),
        "back": t("One step back"),
        "play": t("Play"),
        "pause": t("Pause"),
        "forward": t("One step forward"),
        "last": t("Last step"),
        "step": t("step {step} of {steps}"),
        "slider": t("Step"),
        "png": t("Save this picture as PNG"),
        "svg": t("Save this picture as SVG"),
        "keys": t("Arrow keys: step. Space: play. Click a token; point at a line to see its arithmetic."),
        "hidden": quantity_name("hidden_state", t),
    }
