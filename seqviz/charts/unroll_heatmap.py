"""One unit over time, and all units over time, under the same columns as the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqviz.charts.notation import quantity_name
from seqviz.charts.palette import is_signed, share_buckets, signed_buckets
from seqviz.charts.svg import group, num, path, rect, text_at, text_width, tile_paths
from seqviz.charts.unroll_layout import UnrollFocus, heatmap_part, row_height, unit_order
from seqviz.charts.unroll_network import encoded_floats
from seqviz.charts.unroll_sheet import Sheet
from seqviz.errors import unknown_name
from seqviz.i18n import Translator, msgid
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import FloatArray

SORT_NAMES = {
    "index": msgid("in the model's order"),
    "variance": msgid("liveliest first"),
    "similarity": msgid("similar courses side by side"),
}
DIRECTION_WORDS = {"forward": msgid("forward"), "backward": msgid("backward")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the heatmap shows of a trace.

    Args:
        part: its layer and direction.
        quantity: name of the quantity.
        values: (step, unit).
        signed: whether the signed palette is used.
    """

    part: LayerTrace
    quantity: str
    values: FloatArray
    signed: bool


def shown_quantity(trace: RecurrentTrace, sheet_options: Any, *, fallback: bool = False) -> Shown:
    """The quantity that the options ask for.

    Args:
        trace: the run.
        sheet_options: an ``UnrollOptions``.
        fallback: show the hidden state where the cell has no such quantity (a second trace with another cell).

    Raises:
        UnknownNameError: the cell has no such quantity, and ``fallback`` is off.
    """
    part = heatmap_part(trace, sheet_options)
    known = part.quantities()
    quantity = sheet_options.quantity
    if quantity not in known:
        if not fallback:
            raise unknown_name("quantity", quantity, known)
        quantity = "hidden_state"
    return Shown(part=part, quantity=quantity, values=known[quantity], signed=is_signed(quantity))


def scaled(values: FloatArray, *, signed: bool, relative: bool) -> FloatArray:
    """Values for the colours of a relative heatmap: each unit divided by its own largest magnitude (signed), or spread
    between its own smallest and largest value (gates)."""
    if not relative:
        return values
    if signed:
        largest = np.abs(values).max(0)
        return values / np.where(largest > 0, largest, 1)
    low, high = values.min(0), values.max(0)
    return (values - low) / np.where(high > low, high - low, 1)


def draw_unit_strip(
    sheet: Sheet, trace: RecurrentTrace, shown: Shown, focus: UnrollFocus, limit: float, *, letter: str = ""
) -> dict[str, Any]:
    """The unit in focus as a bar for each step; returns what the interaction needs to draw another unit."""
    columns, options = sheet.columns, sheet.options
    small = options.small
    same = (shown.part.layer, shown.part.direction) == (focus.layer, focus.direction)
    part = shown.part if same else trace.layer(focus.layer, focus.direction)
    values = (shown.values if same else part.hidden_state)[:, min(focus.unit, part.num_units - 1)]
    signed = shown.signed if same else True
    height = 52 * options.unit
    top = sheet.y + 4
    strip: dict[str, Any] = {
        "top": round(top, 2),
        "height": height,
        "width": round(min(columns.width * 0.5, 30 * options.unit), 2),
        "numbers": 2 if columns.width >= text_width("−0.00", small) + 2 else 1 if columns.width >= 2.6 * small else 0,
        "limit": limit,
    }
    bars, line = strip_bars(values, strip, columns.left, columns.width, signed=signed, limit=limit if signed else 1.0)
    sheet.body.append(path(line, classes="hr", extra=' data-strip="zero"'))
    sheet.body.append(f'<path d="{bars[0]}" class="{"bp" if signed else "br"}" data-strip="up"/>')
    sheet.body.append(f'<path d="{bars[1]}" class="bn" data-strip="down"/>')
    numbers = strip_numbers(values, strip["numbers"])
    for step, text in enumerate(numbers):
        x = columns.centre(step)
        sheet.body.append(
            text_at(x, top + height + small * 1.05, text, size=small, classes="mu", extra=' data-strip="number"')
        )
    name = quantity_name(shown.quantity if same else "hidden_state", t=sheet.t)
    strip_label(sheet, part, name, focus.unit, top + height / 2, letter)
    sheet.y = top + height + small * 1.6
    return strip


def strip_label(sheet: Sheet, part: LayerTrace, quantity: str, unit: int, y: float, letter: str) -> None:
    """Unit, place and name of a strip, in the margin; ``quantity`` is its name in words."""
    t, small = sheet.t, sheet.options.small
    lines = [
        (lettered(letter, t("Unit {unit}").format(unit=unit)), "st", "unit"),
        (where_words(part, t), "mu", "where"),
        (quantity, "mu", "quantity"),
    ]
    for index, (line, classes, role) in enumerate(lines):
        size = min(small, small * (sheet.columns.label - 12) / text_width(line, small))
        sheet.labels.append(
            text_at(8, y + (index - 1) * small * 1.28 + small * 0.35, line, size=size, classes=classes, anchor="start",
                    extra=f' data-strip="{role}"')
        )  # fmt: skip


def lettered(letter: str, words: str) -> str:
    """Marks words as belonging to the first or second of two traces."""
    return f"{letter} · {words}" if letter else words


def where_words(part: LayerTrace, t: Translator) -> str:
    """Layer and direction in words."""
    return t("layer {number}, {direction}").format(number=part.layer + 1, direction=t(DIRECTION_WORDS[part.direction]))


def strip_bars(
    values: FloatArray, strip: dict[str, Any], left: int, width: int, *, signed: bool, limit: float
) -> tuple[tuple[str, str], str]:
    """Path data of the bars upward and downward, and of the zero line."""
    top, height, bar = strip["top"], strip["height"], strip["width"]
    zero = top + (height / 2 if signed else height)
    scale = (height / 2 if signed else height) / (limit or 1.0)
    up: list[str] = []
    down: list[str] = []
    for step, value in enumerate(values.tolist()):
        x = left + (step + 0.5) * width - bar / 2
        (up if value >= 0 else down).append(f"M{num(x)} {num(zero)}v{num(-value * scale)}h{num(bar)}V{num(zero)}Z")
    return ("".join(up), "".join(down)), f"M{left} {num(zero)}H{left + width * len(values)}"


def strip_numbers(values: FloatArray, decimals: int) -> list[str]:
    """Rounded values with a true minus sign; empty where there is no room for them."""
    if not decimals:
        return [""] * len(values)
    return [f"{value:.{decimals}f}".replace("-", "−") for value in values.tolist()]


def draw_heatmap(
    sheet: Sheet,
    shown: Shown,
    *,
    limit: float,
    letter: str = "",
    title: str = "",
    order: NDArray[np.int64] | None = None,
    height: int | None = None,
) -> dict[str, Any]:
    """Units by steps, one row a unit; returns what the interaction needs.

    Args:
        sheet: to draw on.
        shown: what.
        limit: magnitude of the strongest colour.
        letter: of the trace, where there are two.
        title: in the margin; empty for the quantity's name.
        order: the units from top to bottom; None for the order that the options ask for.
        height: of a unit's row in pixels; None for what suits their number.
    """
    columns, options, t = sheet.columns, sheet.options, sheet.t
    if order is None:
        order = unit_order(shown.values, options.sort)
    units = len(order)
    height = row_height(units) if height is None else height
    top = round(sheet.y + 2)
    colours = scaled(shown.values, signed=shown.signed, relative=options.relative)[:, order].T
    buckets = signed_buckets(colours, 1.0 if options.relative else limit) if shown.signed else share_buckets(colours)
    rows, steps = np.meshgrid(np.arange(units), np.arange(len(shown.values)), indexing="ij")
    drawn = tile_paths(
        steps.ravel(), rows.ravel(), buckets.ravel(), prefix="d" if shown.signed else "s", step=1, draw=1
    )
    sheet.body.append(
        f'<g transform="translate({columns.left} {num(top + height / 2)}) scale({columns.width} {height})" '
        f'stroke-width="1" fill="none" shape-rendering="crispEdges" data-heatmap="{units}">{drawn}</g>'
    )
    width = columns.width * len(shown.values)
    sheet.body.append(rect(columns.left, top, width, units * height, classes="hr"))
    _unit_ticks(sheet, order, top, height)
    middle = top + min(units * height / 2, 120 * options.unit)
    sheet.label(
        lettered(letter, title or quantity_name(shown.quantity, t).capitalize()),
        middle,
        small=[where_words(shown.part, t), t("{count} units").format(count=units), t(SORT_NAMES[options.sort])],
    )
    sheet.y = top + units * height + 6
    return {
        "top": top,
        "rowHeight": height,
        "layer": shown.part.layer,
        "direction": shown.part.direction,
        "quantity": shown.quantity,
        "signed": shown.signed,
        "order": order.tolist(),
        "values": None if shown.quantity == "hidden_state" else encoded_floats(shown.values),
    }


def _unit_ticks(sheet: Sheet, order: NDArray[np.int64], top: float, height: int) -> None:
    """Numbers of some units at the heatmap's left edge; they go where the labels would cover half of them."""
    small, columns = sheet.options.small, sheet.columns
    ticks: list[str] = []
    every = next(step for step in (1, 2, 4, 8, 16, 32, 64, 128, 4096) if step * height >= small * 1.25)
    for row in range(0, len(order), every):
        y = top + (row + 0.5) * height
        ticks.append(path(f"M{columns.left - 5} {num(y)}h4", classes="hr"))
        number = str(int(order[row]))
        ticks.append(text_at(columns.left - 8, y + small * 0.35, number, size=small, classes="mu", anchor="end"))
    sheet.body.append(group(ticks, classes="sv-ticks"))
