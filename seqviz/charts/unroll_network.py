"""Layers, initial states, arrows, embeddings and tokens of the unrolled network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqviz.charts.gradient_scale import scaled_floats
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.palette import signed_buckets
from seqviz.charts.svg import arrow_head, esc, fit, num, path, rect, text_at, text_width, tile_paths
from seqviz.charts.unroll_layout import Grid, grouped, tile_grid
from seqviz.charts.unroll_math import math_at, state_symbol, weight_names
from seqviz.charts.unroll_sheet import Sheet
from seqviz.i18n import msgid
from seqviz.text import UNKNOWN
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import Direction, FloatArray

_PADDING = 5
_DIRECTION_NAMES: dict[Direction, str] = {"forward": msgid("forward →"), "backward": msgid("← backward")}


def encoded_floats(values: FloatArray) -> str:
    """float32 numbers, little-endian, row by row, as base64: exact and half the size of decimals."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def draw_tiles(
    sheet: Sheet,
    values: FloatArray,
    grid: Grid,
    *,
    top: float,
    limit: float,
    row: dict[str, Any],
    codes: FloatArray | None = None,
) -> None:
    """The tiles of one vector a step, and what the interaction needs to know of them.

    Args:
        sheet: to draw on.
        values: (step, unit).
        grid: of the tiles.
        top: y of the first row of tiles.
        limit: magnitude of the strongest colour.
        row: what the interaction is told besides.
        codes: strengths from -1 to 1 to be coloured in place of ``values / limit``; the values then keep a power of two
            a step, so that float32 can carry them whatever their size.
    """
    columns = sheet.columns
    shown = grouped(values if codes is None else codes, grid.per_tile)
    if codes is not None:
        limit = 1.0
        values, row["scales"] = scaled_floats(values)
    left = round(columns.left + (columns.width - grid.width) / 2)
    steps, tiles = np.meshgrid(np.arange(len(shown)), np.arange(shown.shape[1]), indexing="ij")
    xs = steps * columns.width + (tiles % grid.columns) * grid.tile
    ys = (tiles // grid.columns) * grid.tile
    drawn = tile_paths(
        xs.ravel(),
        ys.ravel(),
        signed_buckets(shown, limit).ravel(),
        prefix="d",
        step=grid.tile,
        draw=grid.draw,
    )
    middle = round(top) + grid.draw / 2
    sheet.body.append(
        f'<g transform="translate({left} {num(middle)})" stroke-width="{grid.draw}" fill="none" '
        f'shape-rendering="crispEdges" data-tiles="{len(sheet.rows)}">{drawn}</g>'
    )
    sheet.rows.append(
        {
            **row,
            "x": left - columns.left,
            "y": round(top),
            "tile": grid.tile,
            "draw": grid.draw,
            "columns": grid.columns,
            "rows": grid.rows,
            "perTile": grid.per_tile,
            "units": grid.units,
            "values": encoded_floats(values),
        }
    )


def state_grid(units: int, sheet: Sheet, num_rows: int) -> Grid:
    """Tiles of a state in the boxes of this picture; the more rows of boxes, the flatter."""
    k = sheet.options.unit
    height = {1: 100, 2: 84}.get(num_rows, 66) * max(k, 1)
    if sheet.columns.width < 60:
        height = max(height, 112)
    return tile_grid(units, sheet.columns.box - 2 * _PADDING, height)


def draw_layers(sheet: Sheet, trace: RecurrentTrace, *, limits: dict[str, float]) -> None:
    """All recurrent layers, the top one first."""
    top_layer = max(part.layer for part in trace.layers)
    both = any(part.direction == "backward" for part in trace.layers)
    for layer in range(top_layer, -1, -1):
        parts = [part for part in trace.layers if part.layer == layer]
        parts.sort(key=lambda part: part.direction)  # backward is drawn above forward
        if both:
            _draw_both_directions(sheet, trace, parts, limits)
        else:
            _draw_part(sheet, trace, parts[0], limits)
        sheet.arrows_up((26 if layer else 24) * sheet.options.unit, steps=range(len(trace)))
        if layer == 0:
            _weight_label(sheet, weight_names(parts[0].cell, notation=sheet.options.notation)[0], sheet.y)


def _weight_label(sheet: Sheet, name: str, below: float) -> None:
    if sheet.columns.roomy:
        x = sheet.columns.centre(0) + 6
        sheet.body.append(
            math_at(x, below - 7 * sheet.options.unit, name, size=sheet.options.small, classes="ac", anchor="start")
        )


def _draw_part(sheet: Sheet, trace: RecurrentTrace, part: LayerTrace, limits: dict[str, float]) -> tuple[float, float]:
    """One layer in one direction: boxes with tiles, arrows in time, initial state, row label; returns its y range."""
    options, columns = sheet.options, sheet.columns
    grid = state_grid(part.num_units, sheet, len(trace.layers))
    with_cell = options.show_cell_state and part.cell_state is not None
    caption = options.small * 1.35 if columns.roomy else 0.0
    block = caption + grid.height
    top = sheet.y
    height = 2 * _PADDING + block * (2 if with_cell else 1) + (_PADDING if with_cell else 0)
    radius = min(8, columns.box / 4)
    for step in range(len(trace)):
        left = columns.centre(step) - columns.box / 2
        sheet.body.append(rect(left, top, columns.box, height, classes="bx", radius=radius))
    quantities = ["hidden_state", "cell_state"] if with_cell else ["hidden_state"]
    for index, quantity in enumerate(quantities):
        y = top + _PADDING + index * (block + _PADDING)
        if caption:
            _captions(sheet, trace, part, quantity, y + options.small)
        row = {"kind": quantity, "layer": part.layer, "direction": part.direction}
        values = part.quantities()[quantity]
        draw_tiles(sheet, values, grid, top=y + caption, limit=limits[quantity], row=row)
        _time_arrows(sheet, trace, part, y + (caption + block) / 2, quantity)
    _part_label(sheet, trace, part, quantities, top + height / 2)
    sheet.y = top + height
    return top, sheet.y


def _symbol(sheet: Sheet, trace: RecurrentTrace, part: LayerTrace, quantity: str, time: str | int) -> str:
    deep = max(other.layer for other in trace.layers) > 0
    both = any(other.direction == "backward" for other in trace.layers)
    return state_symbol(
        quantity,
        notation=sheet.options.notation,
        cell=part.cell,
        time=time,
        layer=part.layer if deep else None,
        direction=part.direction if both else None,
    )


def _captions(sheet: Sheet, trace: RecurrentTrace, part: LayerTrace, quantity: str, baseline: float) -> None:
    for step in range(len(trace)):
        text = _symbol(sheet, trace, part, quantity, step + 1)
        sheet.body.append(math_at(sheet.columns.centre(step), baseline, text, size=sheet.options.small))


def _part_label(sheet: Sheet, trace: RecurrentTrace, part: LayerTrace, quantities: Sequence[str], y: float) -> None:
    t = sheet.t
    title = t("Layer {number}").format(number=part.layer + 1)
    names = [quantity_name(quantity, t) for quantity in quantities]
    symbols = [_symbol(sheet, trace, part, quantity, "t") for quantity in quantities]
    small = [t(_DIRECTION_NAMES[part.direction])] if any(p.direction == "backward" for p in trace.layers) else []
    small += [" + ".join(names), t("{count} units").format(count=part.num_units)]
    sheet.label(title, y, symbols=symbols, small=small)


def _time_arrows(sheet: Sheet, trace: RecurrentTrace, part: LayerTrace, y: float, quantity: str) -> None:
    """From state to state, starting at the zeros before the first step of the direction."""
    columns, k, small = sheet.columns, sheet.options.unit, sheet.options.small
    count, half = len(trace), columns.box / 2
    forward = part.direction == "forward"
    sign = 1 if forward else -1
    head = min(5.0, columns.gap * 0.5)
    first = columns.centre(0 if forward else count - 1) - sign * half
    size = round(28 * k)
    start = first - sign * (columns.start - size - 6)
    ends = [(start, first)]
    ends += [
        (columns.centre(s) + sign * half, columns.centre(s + sign) - sign * half)
        for s in _sources(count, part.direction)
    ]
    lines = "".join(f"M{num(a + sign)} {num(y)}H{num(b - sign * (head * 0.7 + 1))}" for a, b in ends)
    heads = "".join(arrow_head(b - sign, y, towards="right" if forward else "left", size=head) for _, b in ends)
    sheet.body += [path(lines, classes="ln"), path(heads, classes="hd")]
    box_left = start - size if forward else start
    sheet.body.append(
        rect(box_left, y - size / 2, size, size, classes="bx", radius=6, extra=' stroke-dasharray="3 2.5"')
    )
    sheet.body.append(text_at(box_left + size / 2, y + small * 0.36, "0", size=small, classes="mu"))
    outside = 0 if forward else count + 1
    name = _symbol(sheet, trace, part, quantity, outside)
    sheet.body.append(math_at(box_left + size / 2, y + size / 2 + small * 1.15, name, size=small))
    if columns.start >= 70 * k and quantity == "hidden_state":
        weight = weight_names(part.cell, notation=sheet.options.notation)[1]
        sheet.body.append(math_at((start + first) / 2, y - 6, weight, size=small, classes="ac"))


def _sources(count: int, direction: Direction) -> range:
    """Steps that hand their state on."""
    return range(count - 1) if direction == "forward" else range(count - 1, 0, -1)


def _draw_both_directions(
    sheet: Sheet, trace: RecurrentTrace, parts: Sequence[LayerTrace], limits: dict[str, float]
) -> None:
    """The backward row above the forward row; the input passes the forward box on the left, its state the backward
    box on the right, and the two states are joined above."""
    columns, k = sheet.columns, sheet.options.unit
    backward, forward = parts
    between, over = 24 * k, 14 * k
    joint = sheet.y + 1
    sheet.y += over
    upper_top, upper_bottom = _draw_part(sheet, trace, backward, limits)
    sheet.y += between
    lower_top, lower_bottom = _draw_part(sheet, trace, forward, limits)
    aside = columns.box / 2 + min(columns.gap * 0.22, 7)
    lines, heads, bars = [], [], []
    split = lower_bottom + 9 * k
    for step in range(len(trace)):
        x = columns.centre(step)
        low, high = lower_top - between * 0.3, upper_bottom + between * 0.36
        lines.append(f"M{num(x)} {num(split)}H{num(x - aside)}V{num(high)}H{num(x)}V{num(upper_bottom + 3)}")
        heads.append(arrow_head(x, upper_bottom + 1, towards="up"))
        lines.append(f"M{num(x + columns.box / 4)} {num(lower_top)}V{num(low)}H{num(x + aside)}V{num(joint + 1)}")
        lines.append(f"M{num(x)} {num(upper_top)}V{num(joint + 1)}")
        bars.append(f"M{num(x - columns.box / 4)} {num(joint)}H{num(x + aside)}")
    sheet.body.append(path("".join(lines), classes="lt", extra=' stroke-linejoin="round"'))
    sheet.body.append(path("".join(bars), classes="ln", extra=' style="stroke-width:3"'))
    sheet.body.append(path("".join(heads), classes="hd"))


def draw_inputs(sheet: Sheet, trace: RecurrentTrace, *, limit: float) -> float:
    """Embedding strips, tokens, step numbers; returns the y of the tokens' middle line."""
    columns, options, t = sheet.columns, sheet.options, sheet.t
    size = trace.embeddings.shape[1]
    grid = tile_grid(size, columns.box - 4, 32 * options.unit if columns.width < 60 else 22 * options.unit, largest=8)
    top = sheet.y + 2
    draw_tiles(sheet, trace.embeddings, grid, top=top, limit=limit, row={"kind": "embedding"})
    symbol = state_symbol("input", notation=options.notation, cell="lstm", time="t", layer=None, direction=None)
    numbers = t("{count} numbers").format(count=size)
    sheet.label(t("Input"), top + grid.height / 2, symbols=[symbol], small=[numbers])
    sheet.y = top + grid.height + 2
    sheet.arrows_up(15 * options.unit, steps=range(len(trace)))
    return draw_tokens(sheet, trace)


def token_lines(piece: str, original: str, size: float, width: float) -> tuple[list[str], str]:
    """What stands in a token's place: up to two lines in full strength, and a dimmed line for unknown pieces."""
    shown = visible(original) or "∅"
    if piece == UNKNOWN:
        return [UNKNOWN], fit(shown, size * 0.9, width)
    if text_width(shown, size) <= width or len(shown) < 5:
        return [fit(shown, size, width) if len(shown) > 2 else shown], ""
    cut = next((i for i in range(len(shown) - 2, 1, -1) if text_width(shown[:i] + "-", size) <= width), 2)
    cut = min(cut, max(2, (len(shown) + 1) // 2 + 1))
    return [shown[:cut] + "-", fit(shown[cut:], size, width)], ""


def draw_tokens(sheet: Sheet, trace: RecurrentTrace) -> float:
    """The pieces of the text and the numbers of the steps; returns the y of the pieces' middle line."""
    columns, options, t = sheet.columns, sheet.options, sheet.t
    size, small = _token_size(trace, sheet), options.small
    placed = [
        token_lines(piece, original, size, columns.width - 5)
        for piece, original in zip(trace.pieces, trace.originals, strict=True)
    ]
    lines = max(len(shown) + bool(below) for shown, below in placed)
    leading = size * 1.2
    top, height = sheet.y, 8 + lines * leading
    for step, (shown, below) in enumerate(placed):
        x = columns.centre(step)
        made = step >= trace.fed_back
        sheet.body.append(
            rect(x - columns.width / 2 + 2, top, columns.width - 4, height, classes="tb", radius=5)
            if not made
            else rect(x - columns.width / 2 + 2, top, columns.width - 4, height, classes="fb", radius=5)
        )
        used = len(shown) + bool(below)
        baseline = top + (height - used * leading) / 2 + size * 0.93
        classes = "it" if trace.pieces[step] == UNKNOWN else "tx"
        for index, line in enumerate(shown):
            font = small if classes == "it" else size
            sheet.body.append(_token_text(x, baseline + index * leading, line, font, classes))
        if below:
            sheet.body.append(_token_text(x, baseline + leading, below, small, "mu"))
    sheet.label(t("Tokens"), top + height / 2)
    sheet.y = top + height
    _draw_step_numbers(sheet, trace)
    return top + height / 2


def _token_text(x: float, y: float, line: str, size: float, classes: str) -> str:
    return (
        f'<text x="{num(x)}" y="{num(y)}" class="{classes} sv-token" font-size="{num(size)}" text-anchor="middle">'
        f"{esc(line)}</text>"
    )


def _token_size(trace: RecurrentTrace, sheet: Sheet) -> float:
    """Larger type where every token has room for it, a little smaller where only that keeps words whole."""
    options, room = sheet.options, sheet.columns.width - 14
    widest = max(text_width(visible(original), 1.0) for original in trace.originals)
    smallest = 16.0 if options.presenter else 12.0
    return float(min(max(room / max(widest, 0.5), smallest), options.font_size * 1.3))


def _draw_step_numbers(sheet: Sheet, trace: RecurrentTrace) -> None:
    columns, options = sheet.columns, sheet.options
    baseline = sheet.y + options.small * 1.2
    every = 1 if columns.width > text_width(str(len(trace)), options.small) + 4 else 5
    for step in range(len(trace)):
        if (step + 1) % every and step:
            continue
        if columns.width >= 48 * options.unit:
            text = state_symbol(
                "input", notation=options.notation, cell="lstm", time=step + 1, layer=None, direction=None
            )
            sheet.body.append(math_at(columns.centre(step), baseline, text, size=options.small))
        else:
            sheet.text(columns.centre(step), baseline, str(step + 1), classes="mu")
    sheet.label("", baseline - options.small * 0.35, small=[sheet.t("step t")])
    sheet.y = baseline + options.small * 0.6


def draw_feedback(sheet: Sheet, trace: RecurrentTrace, *, source_y: float, target_y: float) -> None:
    """Dashed arrows from each output to the input of the next step, in the gaps between the columns."""
    columns = sheet.columns
    lines, heads = [], []
    for step in range(trace.fed_back, len(trace)):
        x = columns.left + step * columns.width
        bend = f"M{num(x - 3)} {num(source_y)}Q{num(x)} {num(source_y)} {num(x)} {num(source_y + 5)}"
        lines.append(f"{bend}V{num(target_y)}")
        heads.append(arrow_head(x + 3.5, target_y, towards="right"))
    sheet.body.append(path("".join(lines), classes="fb", extra=' data-feedback="1"'))
    sheet.body.append(path("".join(heads), classes="fh"))
