"""The unrolled network with the gradient in it: losses on top, arrows from right to left, tokens below."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seqviz.charts.gradient_scale import GradientScale, compact, scientific
from seqviz.charts.notation import visible
from seqviz.charts.palette import SHARE_BUCKETS
from seqviz.charts.svg import fit, num, path, rect, text_at, text_width, wrap
from seqviz.charts.unroll_alt import cell_title
from seqviz.charts.unroll_layout import tile_grid
from seqviz.charts.unroll_math import math_at, state_symbol
from seqviz.charts.unroll_network import draw_tiles, draw_tokens, state_grid
from seqviz.charts.unroll_sheet import Sheet
from seqviz.gradients import BackwardTrace, LayerGradients
from seqviz.i18n import msgid
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import FloatArray

_PADDING = 5
_WIDEST = 10.0
"""Width of the arrow that carries the most, in pixels."""
FAINTEST = 3
"""Palest colour of an arrow that carries something."""
_TOWARDS = {"forward": msgid("read forward, gradient ←"), "backward": msgid("read backward, gradient →")}


def draw_backflow(
    sheet: Sheet, forward: RecurrentTrace, backward: BackwardTrace, *, tiles: GradientScale, norms: GradientScale
) -> None:
    """Losses, layers from the top one down, the input and the tokens of one pass.

    Args:
        sheet: to draw on.
        forward, backward: of the same text.
        tiles: scale of single numbers.
        norms: scale of the arrows.
    """
    _draw_losses(sheet, backward)
    top = max(part.layer for part in backward.layers)
    arriving = backward.outputs
    for layer in range(top, -1, -1):
        parts = [part for part in backward.layers if part.layer == layer]
        parts.sort(key=lambda part: part.direction)  # the backward direction is drawn above the forward one
        _down(sheet, arriving, norms, height=30 if layer == top else 26)
        for index, part in enumerate(parts):
            if index:
                _down(sheet, arriving, norms, height=18)
            _draw_part(sheet, forward.layer(part.layer, part.direction), part, forward, tiles=tiles, norms=norms)
        arriving = np.linalg.norm(sum(part.inputs for part in parts), axis=1)
    _down(sheet, arriving, norms, height=26)
    _draw_inputs(sheet, forward, backward, tiles)


def _draw_losses(sheet: Sheet, backward: BackwardTrace) -> None:
    """A box with its loss over every step whose loss goes back; the other losses dimmed."""
    columns, options, t = sheet.columns, sheet.options, sheet.t
    small = options.small
    top, height = sheet.y, small * 2.75
    last = backward.loss_steps[-1]
    for step, loss in enumerate(backward.losses.tolist()):
        if math.isnan(loss):
            continue
        x, chosen = columns.centre(step), step in backward.loss_steps
        if chosen:
            sheet.body.append(rect(x - columns.width / 2 + 2, top, columns.width - 4, height, classes="bx", radius=6))
        shown = next(
            (text for text in (f"{loss:.2f}", f"{loss:.1f}") if text_width(text, small) < columns.width - 6), ""
        )
        sheet.text(x, top + small * 1.15, shown, classes="st" if chosen else "mu")
        if chosen:
            name = visible(backward.target_names[backward.loss_steps.index(step)])
            sheet.text(x, top + small * 2.35, fit(name, small, columns.width - 8), classes="ac")
        if step == last and backward.multiplier != 1.0 and columns.width >= 44 * options.unit:
            sheet.text(x, top - 2, f"× {backward.multiplier:g}".replace("-", "−"), classes="ac")
    _margin(sheet, t("Loss"), [], [t("−log P, nats")], top + height / 2)
    sheet.y = top + height


def _down(sheet: Sheet, values: FloatArray, scale: GradientScale, *, height: float) -> None:
    """A gap with an arrow down in every column that something comes down in."""
    bottom = sheet.y + height * sheet.options.unit
    segments = [
        (step, (sheet.columns.centre(step), sheet.y + 2, sheet.columns.centre(step), bottom - 2))
        for step in range(len(values))
    ]
    _arrows(sheet, segments, values, scale)
    sheet.y = bottom


def _arrows(
    sheet: Sheet,
    segments: Sequence[tuple[int, tuple[float, float, float, float]]],
    values: FloatArray,
    scale: GradientScale,
) -> None:
    """Arrows as wide and as dark as their values; where nothing flows a dotted line. One path for each width."""
    strengths = np.abs(scale.codes(values))
    by_bucket: dict[int, list[str]] = {}
    for step, ends in segments:
        bucket = -1 if values[step] == 0 else max(FAINTEST, round(float(strengths[step]) * (SHARE_BUCKETS - 1)))
        by_bucket.setdefault(bucket, []).append(_dots(*ends) if bucket < 0 else arrow(*ends, arrow_width(bucket)))
    for bucket in sorted(by_bucket):
        sheet.body.append(path("".join(by_bucket[bucket]), classes="lf" if bucket < 0 else f"l{bucket}"))


def arrow_width(bucket: int) -> float:
    """Width of an arrow's shaft in pixels, by its colour."""
    return 1.2 + (_WIDEST - 1.2) * bucket / (SHARE_BUCKETS - 1)


def _dots(x0: float, y0: float, x1: float, y1: float) -> str:
    return f"M{num(x0)} {num(y0)}L{num(x1)} {num(y1)}"


def arrow(x0: float, y0: float, x1: float, y1: float, width: float) -> str:
    """Path data of a filled arrow from (x0, y0) to (x1, y1): a shaft and a head, or a head alone where it is short."""
    length = math.hypot(x1 - x0, y1 - y0)
    if length < 1:
        return ""
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    half, broad = width / 2, width / 2 + 3.2
    head = min(broad * 1.15, length)

    def at(along: float, aside: float) -> str:
        return f"{num(x0 + ux * along - uy * aside)} {num(y0 + uy * along + ux * aside)}"

    neck = length - head
    shaft = f"M{at(0, half)}L{at(neck, half)}L" if neck > 0.5 else "M"
    rest = f"L{at(neck, -half)}L{at(0, -half)}Z" if neck > 0.5 else "Z"
    return f"{shaft}{at(neck, broad)}L{at(length, 0)}L{at(neck, -broad)}{rest}"


def _draw_part(
    sheet: Sheet,
    part: LayerTrace,
    gradients: LayerGradients,
    forward: RecurrentTrace,
    *,
    tiles: GradientScale,
    norms: GradientScale,
) -> None:
    """One layer in one direction: a box a step, in it the gradient of every unit, and the way to the step before."""
    columns, options = sheet.columns, sheet.options
    lanes = [("hidden_state", gradients.hidden_state, gradients.hidden_handed_back)]
    if options.show_cell_state and gradients.cell_state is not None and gradients.cell_handed_back is not None:
        lanes.append(("cell_state", gradients.cell_state, gradients.cell_handed_back))
    grid = state_grid(part.num_units, sheet, len(forward.layers))
    caption = options.small * 1.4
    block = caption + grid.height
    height = 2 * _PADDING + block * len(lanes) + _PADDING * (len(lanes) - 1)
    top = sheet.y
    for step in range(len(forward)):
        left = columns.centre(step) - columns.box / 2
        sheet.body.append(rect(left, top, columns.box, height, classes="bx", radius=min(8, columns.box / 4)))
    for index, (quantity, values, handed_back) in enumerate(lanes):
        y = top + _PADDING + index * (block + _PADDING)
        _captions(sheet, np.linalg.norm(values, axis=1), y + options.small)
        row = {"kind": f"gradient.{quantity}", "layer": part.layer, "direction": part.direction}
        draw_tiles(sheet, values, grid, top=y + caption, limit=1.0, row=row, codes=tiles.codes(values))
        _through_time(sheet, part, np.linalg.norm(handed_back, axis=1), norms, y + caption + grid.height / 2)
    _label(sheet, part, [quantity for quantity, _, _ in lanes], forward, top + height / 2)
    sheet.y = top + height


def _captions(sheet: Sheet, strength: FloatArray, baseline: float) -> None:
    """The norm over the tiles of every step, as far as there is room."""
    columns, small = sheet.columns, sheet.options.small
    for step, value in enumerate(strength.tolist()):
        room = columns.box - 4
        texts = (scientific(value), scientific(value, 1), compact(value))
        shown = next((text for text in texts if text_width(text, small) <= room), "")
        sheet.text(columns.centre(step), baseline, shown, classes="mu" if value == 0 else "tx")


def _through_time(sheet: Sheet, part: LayerTrace, strength: FloatArray, scale: GradientScale, y: float) -> None:
    """From every step to the one that was read before it; the first one hands its gradient to the zeros before it."""
    columns, half = sheet.columns, sheet.columns.box / 2 + 1
    back = -1 if part.direction == "forward" else 1
    segments = []
    for step in range(len(strength)):
        start, target = columns.centre(step) + back * half, step + back
        inside = 0 <= target < len(strength)
        end = columns.centre(target) - back * half if inside else start + back * max(columns.gap, 14)
        segments.append((step, (start, y, end, y)))
    _arrows(sheet, segments, strength, scale)


def _label(sheet: Sheet, part: LayerTrace, quantities: Sequence[str], forward: RecurrentTrace, y: float) -> None:
    t, options = sheet.t, sheet.options
    deep = max(other.layer for other in forward.layers) > 0
    both = any(other.direction == "backward" for other in forward.layers)
    symbols = [
        "∂L/∂"
        + state_symbol(
            quantity,
            notation=options.notation,
            cell=part.cell,
            time="t",
            layer=part.layer if deep else None,
            direction=part.direction if both else None,
        )
        for quantity in quantities
    ]
    small = [t(_TOWARDS[part.direction])] if both else []
    small.append(t("{cell}, {count} units").format(cell=cell_title(part.cell), count=part.num_units))
    _margin(sheet, t("Layer {number}").format(number=part.layer + 1), symbols, small, y)


def _margin(sheet: Sheet, title: str, symbols: Sequence[str], small: Sequence[str], y: float) -> None:
    """A row's name around a middle line: title, symbols and dimmed words, each on lines of its own."""
    size, room = sheet.options.small, sheet.columns.label - 14
    lines = [(title, "st"), *((text, "math") for text in symbols)]
    lines += [(line, "mu") for text in small for line in wrap(text, size, room, lines=2)]
    leading = size * 1.32
    top = y - (len(lines) - 1) * leading / 2 + size * 0.35
    for index, (text, classes) in enumerate(lines):
        at = top + index * leading
        if classes == "math":
            sheet.labels.append(math_at(8, at, text, size=size, classes="tx", anchor="start"))
        else:
            sheet.labels.append(text_at(8, at, text, size=size, classes=classes, anchor="start"))


def _draw_inputs(sheet: Sheet, forward: RecurrentTrace, backward: BackwardTrace, scale: GradientScale) -> None:
    """The gradient of every input vector, and the tokens."""
    columns, options, t = sheet.columns, sheet.options, sheet.t
    values = backward.embeddings
    tall = 32 if columns.width < 60 else 22
    grid = tile_grid(values.shape[1], columns.box - 4, tall * options.unit, largest=8)
    top = sheet.y + 2
    strength = np.linalg.norm(values, axis=1)
    _captions(sheet, strength, top + options.small)
    draw_tiles(
        sheet,
        values,
        grid,
        top=top + options.small * 1.4,
        limit=1.0,
        row={"kind": "gradient.embedding"},
        codes=scale.codes(values),
    )
    bottom = top + options.small * 1.4 + grid.height
    letter = state_symbol("input", notation=options.notation, cell="lstm", time="t", layer=None, direction=None)
    middle = (top + bottom) / 2
    _margin(sheet, t("Input"), [f"∂L/∂{letter}"], [], middle)
    sheet.y = bottom + 8
    draw_tokens(sheet, forward)
