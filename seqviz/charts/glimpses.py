"""Small pictures of a run for cards: the same numbers and palettes as the views, without axes and words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from seqviz.charts.figure import Figure
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.palette import HALF_BUCKETS, share_buckets, signed_buckets
from seqviz.charts.svg import esc, num, path, rect, text_at, text_width, tile_paths
from seqviz.decoding.trace import ROOT, SearchTrace
from seqviz.gradients import BackwardTrace
from seqviz.i18n import Translator, english
from seqviz.memory import keep_gate
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import FloatArray

WIDTH, HEIGHT = 300, 84
_UNITS = 28
_MOST_DECADES = 6
_TREE_ROWS = 7
_LETTER = 20
"""Pixels for the letter of a chapter."""


def states_glimpse(trace: RecurrentTrace, *, t: Translator = english) -> Figure:
    """Hidden states of the last layer, the liveliest units, time to the right."""
    part = _top(trace)
    values = _liveliest(part.hidden_state)
    limit = float(np.abs(values).max()) or 1.0
    alt = t("The {count} liveliest units of the last layer over {steps} steps.").format(
        count=values.shape[1], steps=len(trace)
    )
    return _tiles(values.T, limit=limit, signed=True, alt=alt)


def gate_glimpse(trace: RecurrentTrace, *, t: Translator = english) -> Figure | None:
    """The gate that keeps, of the units in which it moves most; None for a plain cell."""
    part = _top(trace)
    name = keep_gate(part)
    if name is None:
        return None
    values = _liveliest(part.gates[name])
    alt = t("{gate} of {count} units over {steps} steps, from 0 to 1.").format(
        gate=quantity_name(name, t).capitalize(), count=values.shape[1], steps=len(trace)
    )
    return _tiles(values.T, limit=1.0, signed=False, alt=alt)


def reach_glimpse(backward: BackwardTrace, *, t: Translator = english) -> Figure:
    """‖∂L/∂h‖ at every step of the first layer, as bars on a log scale that reaches down to the smallest."""
    norms = np.linalg.norm(backward.layers[0].hidden_state, axis=1)
    largest = float(norms.max()) or 1.0
    with np.errstate(divide="ignore"):
        logs = np.log10(norms / largest)
    depth = -float(logs.min(where=norms > 0, initial=0.0))
    decades = min(max(math.ceil(depth), 1), _MOST_DECADES)
    heights = np.clip(logs / decades + 1, 0, 1)
    column = WIDTH / len(norms)
    buckets = share_buckets(heights)
    parts = [
        rect(
            index * column + column * 0.12,
            HEIGHT - max(float(height) * HEIGHT, 1.5),
            column * 0.76,
            max(float(height) * HEIGHT, 1.5),
            classes=f"l{max(bucket, 3)}",
        )
        for index, (height, bucket) in enumerate(zip(heights, buckets.tolist(), strict=True))
    ]
    alt = t("The gradient of the loss at every step: {first} at the first, {largest} at its largest.").format(
        first=f"{norms[0]:.2g}", largest=f"{largest:.2g}"
    )
    return _figure("".join(parts), alt)


def words_glimpse(trace: RecurrentTrace, *, t: Translator = english) -> Figure:
    """The text, coloured by the unit that moves most."""
    values = _top(trace).hidden_state
    unit = int(values.astype(np.float64).var(0).argmax())
    course = values[:, unit]
    buckets = signed_buckets(course, float(np.abs(course).max()) or 1.0)
    # Not the strongest colours: the letters must be read on them.
    buckets = np.clip(buckets, HALF_BUCKETS - 8, HALF_BUCKETS + 8)
    words = [visible(original) for original in trace.originals]
    places, size = _lines(words)
    parts = []
    for (x, y, width), word, bucket in zip(places, words, buckets.tolist(), strict=False):
        parts.append(rect(x, y, width, size * 1.4, classes=f"D{bucket}", radius=2))
        parts.append(text_at(x + width / 2, y + size * 1.05, word, size=size, classes="tx"))
    alt = t("The text coloured by unit {unit}.").format(unit=unit)
    return _figure("".join(parts), alt)


def search_glimpse(search: SearchTrace, *, t: Translator = english) -> Figure:
    """The hypotheses of a search by step and rank; the best one as a thick line."""
    best = [ROOT, *(search.path(search.best) if search.best is not None else [])]
    places = _places(search, best)
    column = (WIDTH - 16) / max(search.steps, 1)
    row = (HEIGHT - 12) / max(*(place for place in places.values()), 1)

    def at(index: int) -> tuple[float, float]:
        return 8 + int(search.step[index]) * column, 6 + places[index] * row

    lines = "".join(
        f"M{num(at(int(search.parent[index]))[0])} {num(at(int(search.parent[index]))[1])}"
        f"L{num(at(index)[0])} {num(at(index)[1])}"
        for index in places
        if index != ROOT and int(search.parent[index]) in places
    )
    dots = "".join(rect(at(i)[0] - 2.5, at(i)[1] - 2.5, 5, 5, classes="kn", radius=2.5) for i in places)
    way = "".join(f"{'L' if i else 'M'}{num(at(index)[0])} {num(at(index)[1])}" for i, index in enumerate(best))
    marks = "".join(rect(at(i)[0] - 3.5, at(i)[1] - 3.5, 7, 7, classes="ac", radius=3.5) for i in best)
    alt = t("A search over {steps} steps: {count} hypotheses were looked at.").format(
        steps=search.steps, count=len(search) - 1
    )
    return _figure(path(lines, classes="lt") + dots + path(way, classes="gm") + marks, alt)


def attention_glimpse(search: SearchTrace, *, t: Translator = english) -> Figure | None:
    """Attention weights of the best hypothesis, a row a token that was written; None without attention."""
    if search.attention is None or search.best is None:
        return None
    # The weights that predicted a token stand with the hypothesis that it was added to.
    rows = [ROOT, *search.path(search.best)[:-1]]
    weights = search.attention[[int(search.expansion[row]) for row in rows]]
    alt = t("Attention weights: {target} tokens written, {source} pieces read.").format(
        target=weights.shape[0], source=weights.shape[1]
    )
    return _tiles(weights, limit=1.0, signed=False, alt=alt)


def progress_glimpse(chapters: Mapping[str, Sequence[bool | None]], *, alt: str) -> Figure:
    """A tile for each lesson: full where it was predicted right, a ring where it was not, empty where it is open.

    Args:
        chapters: the answers of each by its letter; a chapter is a row.
        alt: what it says.
    """
    height = HEIGHT / len(chapters)
    width = (WIDTH - _LETTER) / max(len(answers) for answers in chapters.values())
    parts = []
    for row, (letter, answers) in enumerate(chapters.items()):
        y = row * height
        parts.append(text_at(0, y + height * 0.75, letter, size=0.8 * height, classes="mu", anchor="start"))
        for column, answer in enumerate(answers):
            classes = {True: "ac", False: "ok", None: "tk"}[answer]
            parts.append(rect(_LETTER + column * width, y + 1.5, width - 4, height - 3, classes=classes, radius=3))
    return _figure("".join(parts), alt)


def _top(trace: RecurrentTrace) -> LayerTrace:
    last = trace.layers[-1].layer
    return next(part for part in trace.layers if part.layer == last)


def _lines(words: Sequence[str]) -> tuple[list[tuple[float, float, float]], float]:
    """Left, top and width of each word, in the largest type with which all fit; else of as many as fit in the least."""
    gap = 0.0 if all(len(word) <= 1 for word in words) else 4.0
    places: list[tuple[float, float, float]] = []
    for size in (20.0, 17.0, 14.0):
        places, x, y = [], 0.0, 2.0
        for word in words:
            width = text_width(word, size) + 4
            if x and x + width > WIDTH:
                x, y = 0.0, y + size * 1.7
            if y + size * 1.5 > HEIGHT:
                break
            places.append((x, y, width))
            x += width + gap
        if len(places) == len(words):
            return places, size
    return places, 14.0


def _liveliest(values: FloatArray) -> FloatArray:
    """The units that move most, in the model's order; (step, unit)."""
    chosen = np.sort(np.argsort(-values.astype(np.float64).var(0), kind="stable")[:_UNITS])
    return values[:, chosen]


def _places(search: SearchTrace, best: list[int]) -> dict[int, int]:
    """Row in its column of each hypothesis that is drawn: those of the best path, and the best ranked."""
    places: dict[int, int] = {ROOT: 0}
    for step in range(1, search.steps + 1):
        rows = np.flatnonzero(search.step == step).tolist()
        rows.sort(key=lambda index: (-float(search.log_prob[index]), index))
        kept = [index for index in rows if int(search.parent[index]) in places][:_TREE_ROWS]
        kept += [index for index in best if int(search.step[index]) == step and index not in kept]
        places |= {index: place for place, index in enumerate(kept)}
    return places


def _tiles(values: FloatArray, *, limit: float, signed: bool, alt: str) -> Figure:
    """A heatmap that fills the picture, (row, column)."""
    rows, columns = np.meshgrid(*(np.arange(size) for size in values.shape), indexing="ij")
    buckets = signed_buckets(values, limit) if signed else share_buckets(values, limit)
    drawn = tile_paths(columns.ravel(), rows.ravel(), buckets.ravel(), prefix="d" if signed else "s", step=1, draw=1)
    width, height = WIDTH / values.shape[1], HEIGHT / values.shape[0]
    body = (
        f'<g transform="translate(0 {num(height / 2)}) scale({width:.4f} {height:.4f})" stroke-width="1" fill="none" '
        f'shape-rendering="crispEdges">{drawn}</g>'
    )
    return _figure(body, alt)


def _figure(body: str, alt: str) -> Figure:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">{body}</svg>'
    )
    return Figure(svg=svg, payload={}, alt=alt, width=WIDTH, height=HEIGHT, title=alt)
