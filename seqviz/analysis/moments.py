"""Other moments like a brushed one, by the units that are on in it and off around it (LSTMVis).

Source: Strobelt, Gehrmann, Pfister and Rush 2018, "LSTMVis", section 5: a *state hypothesis* is a span of the text and
a threshold; its units are those that are on throughout the span and off just outside; matches are spans with the same
units. Here a unit may also be on below the negative threshold, and the border may be a few steps soft.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqviz.types import FloatArray

MAX_PATTERN_UNITS = 128
MAX_CANDIDATES = 6000
FEWEST_SHARE = 1 / 3
"""Share of the pattern's units that a match has on throughout and off around, at least."""
LENGTH_RATIO = 3
"""A match is at most this many times longer or shorter than the brushed span (or two steps, for short ones)."""

Bools = NDArray[np.bool_]


class Pattern(NamedTuple):
    """The units of a brushed span.

    Args:
        columns: number of each unit within all layers side by side, the strongest first.
        signs: +1 for on above the threshold, -1 for on below its negative.
        means: mean value of each in the span.
        on: units that are on throughout the span, off around it or not.
    """

    columns: NDArray[np.int64]
    signs: NDArray[np.int64]
    means: FloatArray
    on: int


class Found(NamedTuple):
    """A span [start, end) with the number of pattern units that are on throughout and off around, and on throughout."""

    start: int
    end: int
    exact: int
    on: int


class Shared(NamedTuple):
    """How far the moments that one model finds are those that another one finds.

    Args:
        both: for each span, whether it overlaps one of the other's.
        chance: share of spans of the same lengths that do, were they anywhere in the text with equal probability.
    """

    both: tuple[bool, ...]
    chance: float


def shared(spans: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]], count: int) -> Shared:
    """Which spans [start, end) overlap one of the others.

    Args:
        spans, others: of two searches over one text.
        count: length of the text, in the same steps.
    """
    covered = np.zeros(count + 1, np.int64)
    for start, end in others:
        covered[start + 1 : end + 1] = 1
    behind = covered.cumsum()  # covered steps before each place
    lengths = [end - start for start, end in spans]
    by_chance = {length: float((behind[length:] > behind[: len(behind) - length]).mean()) for length in set(lengths)}
    return Shared(
        both=tuple(bool(behind[end] > behind[start]) for start, end in spans),
        chance=float(np.mean([by_chance[length] for length in lengths])) if spans else 0.0,
    )


def pattern(
    layers: Sequence[FloatArray], start: int, end: int, *, threshold: float, slack: int, signed: bool
) -> Pattern:
    """The units that are on at every step of [start, end) and go off within ``slack`` + 1 steps on either side.

    Args:
        layers: (step, unit) of each layer.
        start, end: the span.
        threshold: a unit is on above it.
        slack: steps by which a unit may be on longer than the span, on each side. The ends of the text count as off.
        signed: whether values below -threshold count as on too.
    """
    columns, signs, means, on = [], [], [], 0
    first = 0
    for values in layers:
        inside = np.asarray(values[start:end], np.float64)
        for sign in (1, -1) if signed else (1,):
            held = (sign * inside > threshold).all(0)
            on += int(held.sum())
            held &= _goes_off(sign * values[max(0, start - 1 - slack) : start], threshold, slack)
            held &= _goes_off(sign * values[end : end + 1 + slack], threshold, slack)
            found = np.flatnonzero(held)
            columns.append(first + found)
            signs.append(np.full(len(found), sign))
            means.append(inside[:, found].mean(0))
        first += values.shape[1]
    column, sign_of, mean = (np.concatenate(parts) for parts in (columns, signs, means))
    order = np.argsort(-np.abs(mean), kind="stable")
    return Pattern(column[order], sign_of[order], mean[order], on)


def strongest(whole: Pattern, count: int = MAX_PATTERN_UNITS) -> Pattern:
    """The first units of a pattern: more do not make the search better, only slower."""
    return Pattern(whole.columns[:count], whole.signs[:count], whole.means[:count], whole.on)


def on_matrix(layers: Sequence[FloatArray], chosen: Pattern, *, threshold: float) -> Bools:
    """Whether each unit of the pattern is on at each step, (step, pattern unit)."""
    edges = np.cumsum([0, *(values.shape[1] for values in layers)])
    on = np.empty((len(layers[0]), len(chosen.columns)), np.bool_)
    for values, low, high in zip(layers, edges, edges[1:], strict=False):
        mine = np.flatnonzero((chosen.columns >= low) & (chosen.columns < high))
        on[:, mine] = values[:, chosen.columns[mine] - low] * chosen.signs[mine] > threshold
    return on


def search(on: Bools, start: int, end: int, *, slack: int, limit: int = 50) -> list[Found]:
    """Other spans with the same units on throughout and off around, ranked.

    Every run of a pattern unit proposes a span; those that most units propose are scored. The score is the number of
    units whose own run covers the span and ends within ``slack`` of it; ties go to the one with more units on, then
    to the one of more alike length, then to the earlier.

    Args:
        on: (step, pattern unit).
        start, end: the brushed span.
        slack: as in ``pattern``.
        limit: spans at most; no two overlap, none overlaps the brushed one, and all have a third of the units.
    """
    if not on.shape[1]:
        return []
    begins, ends = _runs(on)
    spans = _candidates(on, end - start)
    found: list[Found] = []
    for part in np.array_split(spans, max(1, len(spans) // 1000)):
        left, right = part[:, 0], part[:, 1]
        covered = on[right - 1] & (begins[right - 1] <= left[:, None])
        tight = covered & (begins[right - 1] >= (left - slack)[:, None]) & (ends[right - 1] <= (right + slack)[:, None])
        rows = zip(part.tolist(), tight.sum(1).tolist(), covered.sum(1).tolist(), strict=True)
        found += [Found(span[0], span[1], exact, held) for span, exact, held in rows]
    length = end - start
    found.sort(key=lambda one: (-one.exact, -one.on, abs(one.end - one.start - length), one.start))
    taken = np.zeros(len(on), np.bool_)
    taken[start:end] = True
    picked: list[Found] = []
    fewest = max(1, int(np.ceil(FEWEST_SHARE * on.shape[1])))
    for one in found:
        if len(picked) < limit and one.exact >= fewest and not taken[one.start : one.end].any():
            taken[one.start : one.end] = True
            picked.append(one)
    return picked


def _goes_off(values: FloatArray, threshold: float, slack: int) -> Bools:
    """Whether each unit is off at some of the steps beside a span; the end of the text is such a step."""
    return np.asarray((values <= threshold).any(0) if len(values) > slack else np.ones(values.shape[1], np.bool_))


def _runs(on: Bools) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where the run that holds each step begins and ends (not included), (step, unit); any value where off."""
    steps = np.arange(len(on), dtype=np.int32)[:, None]
    before = np.concatenate([np.zeros((1, on.shape[1]), np.bool_), on[:-1]])
    begins = np.maximum.accumulate(np.where(on & ~before, steps, np.int32(0)), 0)
    after = np.concatenate([on[1:], np.zeros((1, on.shape[1]), np.bool_)])
    last = np.where(on & ~after, steps + np.int32(1), np.int32(len(on) + 1))
    return begins, np.minimum.accumulate(last[::-1], 0)[::-1]


def _candidates(on: Bools, length: int) -> NDArray[np.int64]:
    """Spans that runs of single units propose, (span, 2); those that most units propose first."""
    padded = np.zeros((on.shape[1], len(on) + 2), np.int8)
    padded[:, 1:-1] = on.T
    change = np.diff(padded, axis=1)
    _, starts = np.nonzero(change == 1)  # unit by unit, so that starts and ends pair up
    _, ends = np.nonzero(change == -1)
    lengths = ends - starts
    low, high = min(length - 2, length // LENGTH_RATIO), max(length + 2, length * LENGTH_RATIO)
    fits = (lengths >= max(1, low)) & (lengths <= high)
    keys, votes = np.unique(starts[fits] * np.int64(len(on) + 1) + ends[fits], return_counts=True)
    keys = keys[np.argsort(-votes, kind="stable")[:MAX_CANDIDATES]]
    return np.stack(np.divmod(keys, len(on) + 1), 1)
