"""Below the tree: which finished hypothesis wins for which α, the ranking, and the legend."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seqviz.charts.palette import SHARE_BUCKETS
from seqviz.charts.search_tree_draw import CHECK, STAR, edge_bucket, edge_width, path_class
from seqviz.charts.search_tree_parts import SearchPath, SearchTreeOptions
from seqviz.charts.search_tree_words import ReadText, counter_words, proof_words
from seqviz.charts.svg import esc, fit, group, num, path, rect, text_at, text_width, wrap
from seqviz.decoding.ranking import Crossover, reranked, trace_crossovers
from seqviz.decoding.scores import MAX_ALPHA, hypothesis_score
from seqviz.decoding.trace import SearchTrace
from seqviz.i18n import Translator

RANKED = 6
"""Finished hypotheses that the ranking shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """The drawn lower part.

    Args:
        svg: its markup.
        bottom: y below it.
        strip: where the α axis stands: left, right, top, bottom; None without a finished hypothesis.
        strip_bottom: y below the α axis with its numbers.
        columns: x of the ranking's columns.
        rows: y of the baselines of its lines.
        segments: (from α, to α, row of the trace) of every winner.
    """

    svg: str
    bottom: float
    strip: tuple[float, float, float, float] | None
    strip_bottom: float
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    segments: tuple[tuple[float, float, int], ...]


def draw_foot(
    trace: SearchTrace,
    paths: tuple[SearchPath, ...],
    *,
    options: SearchTreeOptions,
    alpha: float,
    lost: str,
    follows: str | None,
    read: ReadText,
    ghosts: bool,
    top: float,
    width: float,
    t: Translator,
) -> Foot:
    """Draws everything below the tree in the given width."""
    small, y, parts = options.small, top + 8, []
    strip: tuple[float, float, float, float] | None = None
    segments: tuple[tuple[float, float, int], ...] = ()
    if trace.finished:
        found: tuple[Crossover, ...] = ()
        first: int | None = trace.best
        if not trace.config.coverage:
            first, found = trace_crossovers(trace)
        segments = _segments(first, found)
        strip_svg, strip, y = _strip(segments, alpha, y, width, options, read, t)
        parts.append(strip_svg)
    strip_bottom = y
    y += small * 1.0 if trace.finished else 0.0
    ranking_svg, columns, rows, y = _ranking(trace, alpha, y, width, options, read, t)
    parts.append(ranking_svg)
    winners = [f"{read(row)} (P = 0.00000)" for _, _, row in segments]
    label = next((one.label for one in paths if one.key == follows), "")
    longest = f"{label}: {max(winners, key=len)}" if winners and label else ""
    items = _legend_items(paths, follows=follows, longest=longest, ghosts=ghosts, options=options, t=t)
    legend_svg, y = _legend(trace, items, lost, y + small * 0.6, width, options, t)
    parts.append(legend_svg)
    return Foot(
        svg="".join(parts),
        bottom=y + 6,
        strip=strip,
        strip_bottom=strip_bottom,
        columns=columns,
        rows=rows,
        segments=segments,
    )


def _segments(first: int | None, found: tuple[Crossover, ...]) -> tuple[tuple[float, float, int], ...]:
    edges = [0.0, *(one.alpha for one in found), MAX_ALPHA]
    winners = [first, *(one.after for one in found)]
    return tuple(
        (low, high, winner)
        for low, high, winner in zip(edges[:-1], edges[1:], winners, strict=True)
        if winner is not None
    )


def _strip(
    segments: tuple[tuple[float, float, int], ...],
    alpha: float,
    y: float,
    width: float,
    options: SearchTreeOptions,
    read: ReadText,
    t: Translator,
) -> tuple[str, tuple[float, float, float, float], float]:
    """The α axis: one field for each winner, the crossovers with their values, a handle at α."""
    small, size = options.small, options.font_size
    left, right = 14.0, min(width - 14, 900.0)
    title = t("Which finished hypothesis wins for which α? score = log P / L^α, now α = {alpha}").format(
        alpha=f"{alpha:.2f}"
    )
    parts = [text_at(8, y + size, title, size=size, classes="st sv-alpha", anchor="start")]
    top = y + size * 1.6 + small * 1.5
    bottom = top + small * 1.9
    place = (right - left) / MAX_ALPHA
    free = -math.inf
    for number, (low, high, winner) in enumerate(segments):
        x, end = left + low * place, left + high * place
        parts.append(rect(x, top, end - x, bottom - top, classes="sv-band" if number % 2 == 0 else "tk"))
        words = fit(read(winner), small, end - x - 10)
        if len(words) > 1:
            parts.append(text_at(x + 6, top + small * 1.3, words, size=small, anchor="start"))
        if number:
            parts.append(path(f"M{num(x)} {num(top - 4)}V{num(bottom + 3)}", classes="sv-lens"))
            value = f"α = {low:.4g}"
            half = text_width(value, small) / 2
            at = min(max(x, left + half), right - half)
            if at - half > free + 6:
                parts.append(text_at(at, top - small * 0.6, value, size=small, classes="ac"))
                free = at + half
    for tick in np.arange(0, MAX_ALPHA + 0.1, 0.25):
        x = left + float(tick) * place
        parts.append(path(f"M{num(x)} {num(bottom)}v4", classes="ln"))
        if tick % 0.5 == 0:
            parts.append(text_at(x, bottom + 4 + small, f"{tick:g}", size=small, classes="mu"))
    handle = path(f"M0 {num(top - 5)}V{num(bottom + 5)}", classes="sv-frame")
    handle += f'<circle r="{num(small * 0.5)}" cy="{num((top + bottom) / 2)}" class="sv-knob"/>'
    parts.append(group([handle], classes="sv-handle", extra=f' transform="translate({num(left + alpha * place)} 0)"'))
    return group(parts, classes="sv-strip"), (left, right, top, bottom), bottom + small * 1.6


def _ranking(
    trace: SearchTrace,
    alpha: float,
    y: float,
    width: float,
    options: SearchTreeOptions,
    read: ReadText,
    t: Translator,
) -> tuple[str, tuple[float, ...], tuple[float, ...], float]:
    """The finished hypotheses for this α, best first."""
    small, size = options.small, options.font_size
    if not trace.finished:
        words = t("No hypothesis was completed: the limits leave none.")
        return text_at(8, y + size, words, size=size, classes="st", anchor="start"), (), (), y + size * 1.6
    cell = text_width("−0.0000e−00", small) + 12
    names = (t("finished hypotheses"), "L", "P", "log P", t("score"), t("behind"))
    texts = max(text_width(read(row), small) for row in trace.finished)
    room = min(max(texts * 1.06 + 50, text_width(names[0], small) + 50), width - 5 * cell - 24, 560)
    columns = (34.0, *(34.0 + room + cell * (place + 0.8) for place in range(5)))
    parts = []
    for name, x in zip(names, columns, strict=True):
        anchor = "start" if x == columns[0] else "end"
        parts.append(text_at(x, y + small, name, size=small, classes="mu", anchor=anchor))
    y += small * 1.6
    order = reranked(trace, alpha=alpha, coverage=trace.config.coverage)[:RANKED]
    rows = tuple(y + small * (1.0 + 1.55 * place) for place in range(len(order)))
    top = _score(trace, order[0], alpha)
    lines = []
    for place, (row, base) in enumerate(zip(order, rows, strict=True)):
        score = _score(trace, row, alpha)
        values = (
            fit(read(row), small, room - 10),
            f"{int(trace.step[row])}",
            f"{math.exp(trace.log_prob[row]):.4g}".replace("-", "−"),
            f"{trace.log_prob[row]:.4f}".replace("-", "−"),
            f"{score:.4f}".replace("-", "−"),
            f"{top - score:.4f}" if place else "",
        )
        line = [text_at(24, base, f"{place + 1}", size=small, classes="mu", anchor="end")]
        for value, x in zip(values, columns, strict=True):
            classes, anchor = "st" if place == 0 else "tx", "start" if x == columns[0] else "end"
            line.append(text_at(x, base, value, size=small, classes=classes, anchor=anchor))
        lines.append(group(line))
    parts.append(group(lines, classes="sv-ranked"))
    bottom = rows[-1] + small * 0.6
    if len(trace.finished) > RANKED:
        words = t("and {count} more").format(count=len(trace.finished) - RANKED)
        parts.append(text_at(columns[0], bottom + small, words, size=small, classes="mu", anchor="start"))
        bottom += small * 1.5
    return "".join(parts), columns, rows, bottom


def _score(trace: SearchTrace, row: int, alpha: float) -> float:
    penalty = trace.config.coverage * float(trace.coverage[row]) if trace.config.coverage else 0.0
    return hypothesis_score(float(trace.log_prob[row]), int(trace.step[row]), alpha=alpha, penalty=penalty)


@dataclass(frozen=True, slots=True)
class _Sign:
    """A sign of the legend.

    ``drawing`` takes ``room`` pixels before its ``words``. The words of the marked path ``key`` change with α, at most
    to the ``longest``.
    """

    drawing: str
    room: float
    words: str
    key: str = ""
    longest: str = ""


def _legend_items(
    paths: tuple[SearchPath, ...],
    *,
    follows: str | None,
    longest: str,
    ghosts: bool,
    options: SearchTreeOptions,
    t: Translator,
) -> list[_Sign]:
    small = options.small
    items: list[_Sign] = []
    for place, one in enumerate(paths):
        line = path(f"M0 {num(-small * 0.35)}h26", classes=path_class(one.key, place), extra=' stroke-linecap="round"')
        p = f"{math.exp(math.fsum(one.token_log_probs)):.4g}"
        words = f"{one.label}: {one.words} (P = {p})"
        items.append(_Sign(line, 32, words, key=one.key, longest=longest if one.key == follows else ""))
    items.append(_Sign(_gradient(small), 92, t("P of a token after what stands before it: 0 to 1")))
    scale = small / 12
    for shape, classes, words in ((CHECK, "tc", t("finished")), (STAR, "tw", t("winner at this α"))):
        moved = f' transform="translate(0 {num(-9 * scale)}) scale({scale:.3g})"'
        items.append(_Sign(path(shape, classes=classes, extra=moved), 10 * scale + 6, words))
    dashed = rect(0, -small * 0.8, 22, small, classes="gh", radius=4)
    if ghosts:
        items.append(_Sign(dashed, 28, t("never looked at by this search")))
    return items


def _legend(
    trace: SearchTrace,
    items: list[_Sign],
    lost: str,
    y: float,
    width: float,
    options: SearchTreeOptions,
    t: Translator,
) -> tuple[str, float]:
    """Signs and sentences, broken to the width."""
    small = options.small
    parts: list[str] = []
    x, y = 8.0, y + small
    for item in items:
        shown = fit(item.words, small, width - item.room - 20)
        needed = item.room + max(text_width(shown, small), text_width(item.longest, small)) * 1.03
        if x > 8 and x + needed > width:
            x, y = 8.0, y + small * 1.7
        parts.append(f'<g transform="translate({num(x)} {num(y)})">{item.drawing}</g>')
        label = f' data-label="{esc(item.key)}"' if item.key else ""
        parts.append(text_at(x + item.room, y, shown, size=small, classes="mu", anchor="start", extra=label))
        x += needed + 24
    y += small * 1.7
    sentences = [
        t("In a box: token and log P of the whole so far; width and colour of the edge: P of the token.")
        if options.narrow
        else t("In a box: token, its P after what stands before it, log P of the whole so far."),
        t("↓: what was missing to the last survivor, in nats."),
        t("·: the piece goes on with the word before it.") if options.pieces else "",
        counter_words(trace, t),
        proof_words(trace, t),
        lost,
    ]  # fmt: skip
    for line in wrap(" ".join(sentence for sentence in sentences if sentence), small, width - 24, lines=8):
        parts.append(text_at(8, y, line, size=small, classes="mu", anchor="start"))
        y += small * 1.45
    return "".join(parts), y


def _gradient(small: float) -> str:
    """Widths and colours of the edges from P = 0 to 1."""
    count = 16
    parts = []
    for place in range(count):
        share = (place + 0.5) / count
        x, half = place * 84 / count, edge_width(share) / 2
        middle = -small * 0.35
        parts.append(
            path(
                f"M{num(x)} {num(middle)}h{num(84 / count + 0.4)}",
                classes=f"s{min(edge_bucket(share), SHARE_BUCKETS - 1)}",
                extra=f' stroke-width="{num(half * 2)}"',
            )
        )
    return "".join(parts)
