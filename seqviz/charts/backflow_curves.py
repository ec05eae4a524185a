"""Norms of the gradient at every step, one line a model, under the columns of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqviz.charts.gradient_scale import SMALLEST_FLOAT32, Scale, power
from seqviz.charts.palette import CATEGORIES
from seqviz.charts.svg import fit, num, path, text_at, text_width
from seqviz.charts.unroll_sheet import Sheet
from seqviz.errors import unknown_name
from seqviz.gradients import BackwardTrace
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
    series = [
        (curve.name, norms)
        for curve in curves[:CATEGORIES]
        if (norms := _norms(curve.trace, layer, direction, quantity)) is not None
    ]
    if not series:
        raise unknown_name("quantity", quantity, ["hidden_state", "embedding"])
    options, columns, t = sheet.options, sheet.columns, sheet.t
    sheet.rule()
    sheet.y += 8
    _names(sheet, [name for name, _ in series])
    height, top = 150 * options.unit, sheet.y + 6
    low, high, marks = _axis([norms for _, norms in series], scale)

    def place(values: FloatArray) -> FloatArray:
        return np.asarray(top + height * (high - values) / (high - low))

    for at, label in marks:
        y = float(place(np.array(at)))
        sheet.body.append(
            path(f"M{columns.left} {num(y)}H{columns.left + columns.count * columns.width}", classes="hr")
        )
        sheet.text(columns.left - 8, y + options.small * 0.35, label, classes="mu", anchor="end")
    if scale == "log" and low < SMALLEST_FLOAT32 < high:
        _floor(sheet, float(place(np.array(SMALLEST_FLOAT32))))
    for index, (_, norms) in enumerate(series):
        _line(sheet, index, norms, place, scale)
    symbol = {"hidden_state": "h", "cell_state": "c", "embedding": "x"}[quantity]
    sheet.label(
        f"‖∂L/∂{symbol}‖",
        top + height / 2,
        small=[t("at every step"), t("absolute, log scale") if scale == "log" else t("share of each line's largest")],
    )
    sheet.y = top + height + 12


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


def _names(sheet: Sheet, names: Sequence[str]) -> None:
    """The key of the lines, above them."""
    small, x = sheet.options.small, float(sheet.columns.left)
    right = max(sheet.columns.total, 640)
    y = sheet.y + small
    for index, name in enumerate(names):
        shown = fit(name, small, 260 * sheet.options.unit)
        if x > sheet.columns.left and x + text_width(shown, small) + 34 > right:
            x, y = float(sheet.columns.left), y + small * 1.5
        sheet.body.append(path(f"M{num(x)} {num(y - small * 0.35)}h18", classes=f"c{index}"))
        sheet.body.append(text_at(x + 24, y, shown, size=small, classes="tx", anchor="start"))
        x += text_width(shown, small) + 24 + 22
    sheet.y = y + small * 0.4


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
