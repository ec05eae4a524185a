"""The legend: colour bars with their end values, and in words how they are normalised."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqviz.charts.notation import quantity_name, weight_symbols
from seqviz.charts.palette import SHARE_BUCKETS, SIGNED_BUCKETS
from seqviz.charts.svg import esc, num, text_at, text_width, tile_paths, wrap
from seqviz.charts.unroll_heatmap import Shown
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.charts.unroll_math import math_spans
from seqviz.i18n import Translator
from seqviz.text import UNKNOWN
from seqviz.traces import RecurrentTrace

_BAR_HEIGHT = 10


def draw_legend(
    traces: list[RecurrentTrace],
    shown: list[Shown],
    rows: list[dict[str, Any]],
    *,
    limits: dict[str, float],
    options: UnrollOptions,
    t: Translator,
    top: float,
    width: float,
) -> tuple[str, float]:
    """Draws the legend under the picture, in the given width; returns it and the y below it."""
    small = options.small
    bars = _bars(shown, {row["kind"] for row in rows}, limits, options, t)
    parts: list[str] = []
    x, y = 8.0, top + 10
    for name, signed, low, high in bars:
        bar = 110 * options.unit
        needed = text_width(name, small) + text_width(low, small) + text_width(high, small) + bar + 30
        if x > 8 and x + needed > width:
            x, y = 8.0, y + small * 1.9
        parts.append(text_at(x, y + small, name, size=small, classes="st", anchor="start"))
        x += text_width(name, small) * 1.04 + 10
        parts.append(text_at(x, y + small, low, size=small, classes="mu", anchor="start"))
        x += text_width(low, small) + 6
        parts.append(colour_bar(x, y + small * 0.68, bar, signed=signed))
        x += bar + 6
        parts.append(text_at(x, y + small, high, size=small, classes="mu", anchor="start"))
        x += text_width(high, small) + 34
    y += small * 2.1
    for line in wrap(" ".join(_sentences(traces, shown, rows, options, t)), small, width - 24, lines=8):
        parts.append(text_at(8, y + small, line, size=small, classes="mu", anchor="start"))
        y += small * 1.45
    parts.append(_weights(traces, options, t, y + small))
    y += small * 1.45
    return "".join(parts), y + 10


def _bars(
    shown: list[Shown], kinds: set[str], limits: dict[str, float], options: UnrollOptions, t: Translator
) -> list[tuple[str, bool, str, str]]:
    """Name, whether signed, and both end values of every colour scale in the picture."""
    first = shown[0]
    names = {"hidden_state": quantity_name("hidden_state", t), "embedding": quantity_name("input", t)}
    if "cell_state" in kinds or (first.quantity == "cell_state" and not options.relative):
        names["cell_state"] = quantity_name("cell_state", t)
    bars = [(name, True, _value(-limits[kind]), _value(limits[kind])) for kind, name in names.items()]
    heat = t("heatmap: {quantity}").format(quantity=quantity_name(first.quantity, t))
    if options.relative:
        low = t("own least") if not first.signed else t("− own largest")
        bars.append((heat, first.signed, low, t("own largest")))
    elif not first.signed:
        bars.append((heat, False, "0", "1"))
    elif first.quantity not in names:
        bars.append((heat, True, _value(-limits["heatmap"]), _value(limits["heatmap"])))
    return bars


def _value(value: float) -> str:
    text = f"{value:+.3g}" if value else "0"
    return text.replace("-", "−")


def colour_bar(x: float, middle: float, width: float, *, signed: bool) -> str:
    """All colours of a palette side by side."""
    count = SIGNED_BUCKETS if signed else SHARE_BUCKETS
    cells = np.arange(count)
    drawn = tile_paths(cells, np.zeros(count, np.int64), cells, prefix="d" if signed else "s", step=1, draw=1)
    return (
        f'<g transform="translate({num(x)} {num(middle)}) scale({width / count:.4f} {_BAR_HEIGHT})" stroke-width="1" '
        f'fill="none" shape-rendering="crispEdges">{drawn}</g>'
    )


def _sentences(
    traces: list[RecurrentTrace], shown: list[Shown], rows: list[dict[str, Any]], options: UnrollOptions, t: Translator
) -> list[str]:
    """In words: what a tile is, how colours are normalised, which weights the arrows carry."""
    shared = max(row["perTile"] for row in rows if row["kind"] != "embedding")
    sentences = [
        t("One tile is one unit, unit 0 at the top left.")
        if shared == 1
        else t("One tile is {count} units: of them the value furthest from 0.").format(count=shared)
    ]
    if options.relative:
        sentences.append(
            t("Heatmap colours are relative: each unit is divided by its own largest magnitude.")
            if shown[0].signed
            else t("Heatmap colours are relative: each unit runs from its own smallest to its own largest value.")
        )
    else:
        sentences.append(
            t("Colours are absolute: each scale runs to ± the largest magnitude in this picture, and 0 is neutral.")
        )
    if any(UNKNOWN in trace.pieces for trace in traces):
        sentences.append(t("{unknown}: not in the vocabulary; what was typed stands below it.").format(unknown=UNKNOWN))
    if any(trace.fed_back < len(trace) for trace in traces):
        sentences.append(t("Dashed: the model's own output becomes its next input."))
    if any(trace.structure == "many_to_one" for trace in traces):
        sentences.append(t("Only the last output counts; dotted arrows: what it would be if the text ended there."))
    if any(part.direction == "backward" for trace in traces for part in trace.layers):
        sentences.append(t("A thick line joins the forward and the backward state."))
    if len(traces) > 1:
        sentences.append(t("A and B have the same colour scales and the same columns."))
    return sentences


def _weights(traces: list[RecurrentTrace], options: UnrollOptions, t: Translator, y: float) -> str:
    """The sentence on weight sharing, its symbols set as mathematics."""
    size = options.small
    before, _, after = t("The arrows carry the same weights W at every step: {names}.").partition("{names}")
    names = [math_spans(name, size) for name in _weight_names(traces, options)]
    # A symbol ends raised or lowered: every plain part goes back to the line.
    back = _span(", ", size, dy=-0.24 * size)
    joined = back.join(names) + _span(after, size, dy=-0.24 * size)
    return f'<text x="8" y="{num(y)}" class="mu" font-size="{num(size)}">{_span(before, size)}{joined}</text>'


def _span(text: str, size: float, *, dy: float = 0) -> str:
    moved = f' dy="{num(dy)}"' if dy else ""
    return f'<tspan font-size="{num(size)}"{moved}>{esc(text)}</tspan>'


def _weight_names(traces: list[RecurrentTrace], options: UnrollOptions) -> list[str]:
    """Every matrix on the arrows: of all gates, and to the output."""
    names: list[str] = []
    for trace in traces:
        part = trace.layers[0]
        for block in (*part.block_names, "output"):
            weights = weight_symbols(block, notation=options.notation, cell=part.cell)
            if block == "output":
                names.append(weights.hidden.text)
            elif weights.stacked is not None and len(part.block_names) > 1:
                names.append(weights.stacked.text)
            else:
                names += [weights.input.text, weights.hidden.text]
    return list(dict.fromkeys(names))
