"""What joins encoder and decoder: the hand-over, the ribbons of attention; and below, both runs compared."""

from __future__ import annotations

import numpy as np

from seqviz.charts.encoder_decoder_layout import PairFocus
from seqviz.charts.encoder_decoder_parts import EncoderPlace, Picture, RunPlace
from seqviz.charts.encoder_decoder_tiles import draw_strip
from seqviz.charts.encoder_decoder_words import decoder_symbol, encoder_symbol
from seqviz.charts.palette import share_buckets
from seqviz.charts.svg import arrow_head, group, num, path, rect, text_at, text_width, wrap
from seqviz.charts.unroll_layout import Columns
from seqviz.charts.unroll_math import math_spans
from seqviz.translation_network import TranslationNetwork
from seqviz.types import FloatArray

SHARE_SHOWN = 0.03
"""Attention weights below are left out of the ribbons."""


def draw_hand_over(picture: Picture, encoder: EncoderPlace, runs: list[RunPlace]) -> tuple[float, float]:
    """From the last states through the bridge to s_0 of every layer; returns the y range of the bridge's box."""
    ground, options, t = picture.ground, picture.options, picture.t
    k, small, grid = options.unit, options.small, ground.last_grid
    height = grid.height + small * 7.5
    top = (encoder.forward + encoder.backward) / 2 - height / 2
    left, width = ground.bridge_left, ground.bridge_width
    _last_states(picture, encoder, top, height)
    picture.body.append(rect(left, top, width, height, classes="tf", radius=8, extra=' data-bridge="1"'))
    picture.body.append(text_at(left + width / 2, top + small * 1.3, t("Hand-over"), size=small, classes="st"))
    one = Columns(left=left, width=width, box=width - 12, count=1, label=0, start=0, end=0)
    sheet = picture.sheet(one)
    last = picture.network.hand_over.last[None]
    draw_strip(sheet, last, grid, top=top + small * 1.9, limit=picture.limits["state"], row={"kind": "last"})
    base = top + small * 1.9 + grid.height + small * 1.25
    for index, spans in enumerate(hand_over_lines(picture)):
        picture.body.append(
            f'<text x="{num(left + width / 2)}" y="{num(base + index * small * 1.35)}" class="tx" '
            f'font-size="{num(small)}" text-anchor="middle">{spans}</text>'
        )
    picture.body.append(
        text_at(left + width / 2, base + small * 2.85, "", size=small, classes="mu", extra=' data-unit="1"')
    )
    middle, x = top + height / 2, left + width
    turn, target = x + 15 * k, ground.start_left
    lines, heads = [f"M{num(x)} {num(middle)}H{num(turn)}"], []
    ys = [y for run in runs for y in run.states]
    lines.append(f"M{num(turn)} {num(min([*ys, middle]))}V{num(max([*ys, middle]))}")
    for y in ys:
        lines.append(f"M{num(turn)} {num(y)}H{num(target - 4)}")
        heads.append(arrow_head(target - 0.5, y, towards="right", size=6))
    drawn = path("".join(lines), classes="tc", extra=' stroke-linejoin="round"')
    picture.body.append(group([drawn, path("".join(heads), classes="tw")], extra=' data-hand-over="1"'))
    return top, top + height


def hand_over_lines(picture: Picture) -> tuple[str, str]:
    """The equation of the hand-over on two lines."""
    notation, size = picture.options.notation, picture.options.small
    state = decoder_symbol("s", notation=notation, time=0).text
    end = str(len(picture.network.source))
    forward = encoder_symbol(picture.network, notation=notation, time=end, direction="forward").text
    backward = encoder_symbol(picture.network, notation=notation, time="1", direction="backward").text
    # A symbol ends raised or lowered: what follows goes back to the line.
    low = f'<tspan dy="{num((0.36 if notation == "ng" else -0.24) * size)}">'
    weighted = "W v" if notation == "ng" else "v W"
    return (
        f"{math_spans(state, size)}{low} = tanh({weighted} + b)</tspan>",
        f"v = [{math_spans(forward, size)}{low}, </tspan>{math_spans(backward, size)}{low}]</tspan>",
    )


def _last_states(picture: Picture, encoder: EncoderPlace, top: float, height: float) -> None:
    """The last state of each direction on its way to the bridge."""
    columns, k = picture.ground.encoder, picture.options.unit
    x = columns.centre(columns.count - 1) + columns.box / 2
    target = picture.ground.bridge_left
    first = columns.centre(0) - columns.box / 2
    low = min(max(encoder.forward, top + 10), top + height - 6)
    high = top + 12 * k
    lane = encoder.joint - 6 * k
    lines = f"M{num(x)} {num(encoder.forward)}H{num(x + 9 * k)}V{num(low)}H{num(target - 4)}"
    lines += (
        f"M{num(first)} {num(encoder.backward)}h{num(-4 * k)}V{num(lane)}H{num(target - 12 * k)}V{num(high)}"
        f"H{num(target - 4)}"
    )
    heads = arrow_head(target - 0.5, low, towards="right", size=6) + arrow_head(
        target - 0.5, high, towards="right", size=6
    )
    picture.body.append(
        group(
            [path(lines, classes="tc", extra=' stroke-linejoin="round"'), path(heads, classes="tw")],
            extra=' data-hand-over="1"',
        )
    )


def draw_ribbons(picture: Picture, encoder: EncoderPlace, runs: list[RunPlace], focus: PairFocus) -> str:
    """The attention of every step, that of the step in focus visible.

    A ribbon is as wide as its weight; the ribbons of a step run in one bundle above the encoder to their context.
    """
    groups: list[str] = []
    current = focus.step - len(picture.network.source) - 1
    for index, place in enumerate(runs):
        attention = picture.network.run(place.name).attention
        if attention is None:
            continue
        lane = encoder.lane + index * (picture.ground.ribbon + 4)
        for step, weights in enumerate(attention):
            shown = np.where(weights >= least_shown(weights), weights, 0.0)
            drawn = _bundle(picture, encoder, place, lane, step, shown, labelled=index == 0)
            hidden = "" if step == current else ' visibility="hidden"'
            groups.append(
                f'<g data-ribbons="{step}" data-run="{place.name}"{hidden} fill="none" opacity="0.82" '
                f'stroke-linejoin="round">{drawn}</g>'
            )
    return "".join(groups)


def least_shown(weights: FloatArray) -> float:
    """The smallest weight of a step that has a ribbon: ``SHARE_SHOWN``, or the largest where all are smaller."""
    return min(SHARE_SHOWN, float(weights.max()))


def largest_left_out(network: TranslationNetwork) -> float:
    """How much attention the ribbons of a step leave out at most."""
    found = [run.attention for run in network.runs.values() if run.attention is not None]
    return max(
        (float(weights[weights < least_shown(weights)].sum()) for attention in found for weights in attention),
        default=0.0,
    )


def _bundle(
    picture: Picture,
    encoder: EncoderPlace,
    place: RunPlace,
    lane: float,
    step: int,
    weights: FloatArray,
    *,
    labelled: bool,
) -> str:
    ground, k = picture.ground, picture.options.unit
    columns, size = ground.encoder, picture.options.small
    end = ground.decoder.centre(step) + 5 * k
    turn = ground.start_left - 12 * k
    parts: list[str] = []
    offset = 0.0
    # The last source is the outermost lane, so that no two ribbons cross.
    for source in np.flatnonzero(weights)[::-1].tolist():
        wide = float(weights[source]) * ground.ribbon
        y, low = lane + offset + wide / 2, place.lane + offset + wide / 2
        x, tip = columns.centre(source), end - ground.ribbon / 2 + offset + wide / 2
        offset += wide
        bend = min(10 * k, abs(low - y) / 2)
        sign = 1 if low > y else -1
        data = (
            f"M{num(x)} {num(encoder.joint)}V{num(y + 5)}q0 -5 5 -5H{num(turn - bend)}q{num(bend)} 0 {num(bend)} "
            f"{num(sign * bend)}V{num(low - sign * bend)}q0 {num(sign * bend)} {num(bend)} {num(sign * bend)}"
            f"H{num(tip - 4)}q4 0 4 -4V{num(place.context + 1)}"
        )
        shade = int(share_buckets(np.array([0.35 + 0.5 * float(weights[source])]))[0])
        parts.append(f'<path d="{data}" class="s{shade}" stroke-width="{num(max(wide, 0.7))}"/>')
        share = f"{weights[source]:.2f}".removeprefix("0")
        if labelled and text_width(share, size) < columns.width + 4:
            parts.append(text_at(x + 3, encoder.joint - 9 * k, share, size=size * 0.92, classes="st", anchor="start"))
    return "".join(parts)


def draw_comparison(picture: Picture, top: float) -> float:
    """−log P of every right piece in both runs, and how far their states are apart; returns the y below."""
    network, ground, options, t = picture.network, picture.ground, picture.options, picture.t
    forced, free = network.forced, network.free
    if forced is None:
        return top
    k, small, columns = options.unit, options.small, ground.decoder
    picture.title(
        ground.start_left,
        top + options.font_size,
        t("How the error compounds"),
        t("what the right pieces cost in both runs, and how far the states are apart"),
        ground.width - ground.start_left,
    )
    y = top + options.font_size * 2
    height, bar = 40 * k, columns.width * 0.3
    costs = [-forced.log_probs, -free.right_log_probs]
    known = np.concatenate([cost[np.isfinite(cost)] for cost in costs])
    limit = max(float(known.max()), 2.0)
    for index, (name, cost) in enumerate(zip(("forced", "free"), costs, strict=True)):
        for step, value in enumerate(cost[: len(forced)].tolist()):
            if np.isnan(value):
                continue
            x = columns.centre(step) + (index - 1) * (bar + 2) + 1
            tall = max(height * value / limit, 0.8)
            picture.body.append(
                rect(
                    x, y + height - tall, bar, tall, classes="bl" if index == 0 else "lo", extra=f' data-cost="{name}"'
                )
            )
            text = next((f for f in (f"{value:.2f}", f"{value:.1f}") if text_width(f, small) <= columns.width), "")
            line = y + height + small * (1.15 + 1.25 * index)
            picture.body.append(text_at(columns.centre(step), line, text, size=small, classes="mu"))
    picture.body.append(path(f"M{columns.left} {num(y + height)}H{columns.right}", classes="hr"))
    words = wrap(t("−log P of the right piece"), small, 82 * k, lines=3)
    picture.row_label(columns.left - 6, y + height / 2, *words)
    picture.row_label(columns.left - 6, y + height + small * 0.8, t("forced run"))
    picture.row_label(columns.left - 6, y + height + small * 2.05, t("free run"))
    y += height + small * 3
    return _draw_distances(picture, y, network.distances())


def _draw_distances(picture: Picture, top: float, distances: FloatArray) -> float:
    options, columns = picture.options, picture.ground.decoder
    k, small, height = options.unit, options.small, 34 * options.unit
    limit = max(float(distances.max(initial=0.0)), 1e-9)
    y = top + 4
    for step, value in enumerate(distances.tolist()):
        width = columns.width * 0.44
        tall = height * value / limit
        if tall >= 0.5:
            picture.body.append(
                rect(
                    columns.centre(step) - width / 2, y + height - tall, width, tall, classes="kn",
                    extra=' data-distance="1"',
                )
            )  # fmt: skip
        text = next((f for f in (f"{value:.2f}", f"{value:.1f}") if text_width(f, small) <= columns.width), "")
        if value == 0:
            text = "0"
        picture.body.append(text_at(columns.centre(step), y + height + small * 1.15, text, size=small, classes="mu"))
    picture.body.append(path(f"M{columns.left} {num(y + height)}H{columns.right}", classes="hr"))
    words = wrap(picture.t("distance of the states"), small, 82 * k, lines=3)
    picture.row_label(columns.left - 6, y + height / 2, *words)
    return y + height + small * 1.6


def draw_parting(picture: Picture, top: float, bottom: float) -> None:
    """A dashed line before the step at which the runs part."""
    step = picture.network.parted
    columns = picture.ground.decoder
    if step is None or step >= columns.count:
        return
    x = columns.left + step * columns.width - 0.5
    picture.body.append(path(f"M{num(x)} {num(top)}V{num(bottom)}", classes="ct", extra=' data-parted="1"'))
    words = picture.t("the runs part")
    size = picture.options.small
    end = x + 4 + text_width(words, size) > picture.ground.width
    picture.titles.append(
        text_at(
            x - 4 if end else x + 4,
            bottom + size * 1.2,
            words,
            size=size,
            classes="ac",
            anchor="end" if end else "start",
        )
    )
