"""Norms of the gradient at every step, one line a model, under the columns of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqviz.charts.gradient_scale import Scale, power
from seqviz.charts.palette import CATEGORIES, cell_categories
from seqviz.charts.svg import num, path, text_at, wrap
from seqviz.charts.unroll_sheet import Sheet
from seqviz.errors import unknown_name
from seqviz.gradients import BackwardTrace
from seqviz.laboratory import FLOAT32_FLOOR
from seqviz.types import Direction, FloatArray

_DOTS_TO = 60
"""Texts of up to so many steps have a dot at every step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The norms of one backward pass.

    Args:
        trace: the pass.
        name: for people.
    """

    trace: BackwardTrace
    name: str


def draw_curves(
    sheet: Sheet,
    curves: Sequence[Curve],
    *,
    quantity: str,
    layer: int | None,
    direction: Direction,
    scale: Scale,
) -> None:
    """Draws the curves.

    Args:
        sheet: to draw on.
        curves: at most six; of a model without such a layer the last one, of one without such a norm none.
        quantity: ``"hidden_state"``, ``"cell_state"`` or ``"embedding"``.
        layer, direction: of the states; None for the last layer.
        scale: a log axis of the norms themselves, or a linear one of their shares of the curve's own largest.

    Raises:
        UnknownNameError: no curve has such norms.
    """
    found = [(one, _norms(one.trace, layer, direction, quantity)) for one in curves[:CATEGORIES]]
    series = [(one, norms) for one, norms in found if norms is not None]
    if not series:
        raise unknown_name("quantity", quantity, ["hidden_state", "embedding"])
    options, columns = sheet.options, sheet.columns
    sheet.rule()
    height, top = 160 * options.unit, sheet.y + 18
    low, high, marks = _axis([norms for _, norms in series], scale)

    def place(values: FloatArray) -> FloatArray:
        return np.asarray(top + height * (high - values) / (high - low))

    right = columns.left + columns.count * columns.width
    for at, label in marks:
        y = float(place(np.array(at)))
        sheet.body.append(path(f"M{columns.left} {num(y)}H{right}", classes="hr"))
        # In the margin, which stays where a long text scrolls.
        place_of_tick = (columns.label - 2, y + options.small * 0.35)
        sheet.labels.append(text_at(*place_of_tick, label, size=options.small, classes="mu", anchor="end"))
    if scale == "log" and low < FLOAT32_FLOOR < high:
        _floor(sheet, float(place(np.array(FLOAT32_FLOOR))))
    colours = cell_categories([_cell(one.trace) for one, _ in series])
    for index, (_, norms) in zip(colours, series, strict=True):
        _line(sheet, index, norms, place, scale)
    _key(sheet, quantity, [one.name for one, _ in series], colours, top, scale)
    sheet.y = top + height + 14


def _cell(trace: BackwardTrace) -> str:
    """The kind of cell, by the number of its blocks."""
    return {1: "rnn", 4: "lstm"}.get(len(trace.layers[0].block_names), "gru")


def _key(sheet: Sheet, quantity: str, names: Sequence[str], colours: Sequence[int], top: float, scale: Scale) -> None:
    """What the curves are and which is whose, in the margin."""
    t, small = sheet.t, sheet.options.small
    letter = {"hidden_state": "h", "cell_state": "c", "embedding": "x"}[quantity]
    room = sheet.columns.label - 46 * sheet.options.unit
    says = t("absolute, log scale") if scale == "log" else t("share of each line's largest")
    sheet.labels.append(text_at(8, top + small * 0.35, f"‖∂L/∂{letter}‖", size=small, classes="st", anchor="start"))
    y = top + small * 1.7
    for line in wrap(says, small, room, lines=3):
        sheet.labels.append(text_at(8, y, line, size=small, classes="mu", anchor="start"))
        y += small * 1.28
    for name, colour in zip(names, colours, strict=True):
        y += small * 0.35
        sheet.labels.append(path(f"M8 {num(y - small * 0.35)}h12", classes=f"c{colour}"))
        # A model's name breaks at its hyphens.
        for line in wrap(name.replace("-", "- "), small, room - 16, lines=2):
            shown = line.replace("- ", "-")
            sheet.labels.append(text_at(24, y, shown, size=small, classes="tx", anchor="start"))
            y += small * 1.28


def _norms(trace: BackwardTrace, layer: int | None, direction: Direction, quantity: str) -> FloatArray | None:
    places = [(part.layer, part.direction) for part in trace.layers]
    top = max(place[0] for place in places)
    chosen = top if layer is None else min(layer, top)
    found = direction if (chosen, direction) in places else "forward"
    return trace.norms(chosen, found).get(quantity)


def _axis(series: Sequence[FloatArray], scale: Scale) -> tuple[float, float, list[tuple[float, str]]]:
    """Both ends, and the marks with their labels."""
    if scale == "relative":
        return 0.0, 1.0, [(share, f"{100 * share:.0f} %") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    logs = np.concatenate([np.log10(norms[norms > 0]) for norms in series])
    if not len(logs):
        return -1.0, 0.0, [(-1.0, power(-1)), (0.0, power(0))]
    low, high = float(logs.min()), float(logs.max())
    if high - low < 1.2:
        # Within a decade also 2 and 5 of each power.
        steps = [
            (e + math.log10(m), f"{m * 10.0**e:g}")
            for e in range(math.floor(low) - 1, math.ceil(high) + 1)
            for m in (1, 2, 5)
        ]
        lower = max((step for step in steps if step[0] <= low), default=steps[0])
        upper = min((step for step in steps if step[0] >= high and step[0] > lower[0]), default=steps[-1])
        return lower[0], upper[0], [step for step in steps if lower[0] <= step[0] <= upper[0]]
    low, high = math.floor(low), math.ceil(high)
    stride = max(1, -(-int(high - low) // 6))
    return float(low), float(high), [(float(e), power(e)) for e in range(int(high), int(low) - 1, -stride)]


def _floor(sheet: Sheet, y: float) -> None:
    columns, small = sheet.columns, sheet.options.small
    sheet.body.append(path(f"M{columns.left} {num(y)}H{columns.left + columns.count * columns.width}", classes="lf"))
    words = sheet.t("below this line float32 holds only 0")
    sheet.body.append(text_at(columns.left + 4, y - 4, words, size=small, classes="mu", anchor="start"))


def _line(sheet: Sheet, index: int, norms: FloatArray, place: object, scale: Scale) -> None:
    """A line that breaks where nothing arrives; on a log axis 0 has no place."""
    columns = sheet.columns
    largest = float(norms.max()) or 1.0
    with np.errstate(divide="ignore"):
        values = np.log10(norms) if scale == "log" else norms / largest
    ys = place(values)  # type: ignore[operator]
    data, dots, pen = [], [], False
    for step in range(len(norms)):
        if norms[step] <= 0:
            pen = False
            continue
        x, y = num(columns.centre(step)), num(float(ys[step]))
        data.append(f"{'L' if pen else 'M'}{x} {y}")
        if len(norms) <= _DOTS_TO or not pen:
            dots.append(f'<circle cx="{x}" cy="{y}" r="{num(3.2 * sheet.options.unit)}"/>')
        pen = True
    sheet.body.append(path("".join(data), classes=f"c{index}", extra=' stroke-linejoin="round"'))
    sheet.body.append(f'<g class="k{index}">{"".join(dots)}</g>')
