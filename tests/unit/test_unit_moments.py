"""The pattern search on hand-made units, and against a plain search over all spans."""

from __future__ import annotations

import numpy as np
import pytest

from seqviz.analysis.moments import Found, Pattern, on_matrix, pattern, search, shared, strongest


def units(*rows: str) -> np.ndarray:
    """One unit a row: # is 1, = is -1, . is 0."""
    return np.array([[{"#": 1.0, "=": -1.0, ".": 0.0}[c] for c in row] for row in rows]).T


VALUES = units(
    "..###....###....###.",  # on in the span and nowhere beside it
    "..###....##.....###.",
    ".####....###....####",  # one step longer
    "..===....===....====",
    "####################",
)


def found(values: np.ndarray, start: int, end: int, *, slack: int = 0, signed: bool = True):
    whole = pattern([values], start, end, threshold=0.5, slack=slack, signed=signed)
    return whole, search(on_matrix([values], whole, threshold=0.5), start, end, slack=slack)


def test_a_pattern_has_the_units_that_are_on_in_the_span_and_off_beside_it():
    whole, _ = found(VALUES, 2, 5)
    assert sorted(zip(whole.columns.tolist(), whole.signs.tolist(), strict=True)) == [(0, 1), (1, 1), (3, -1)]
    assert whole.on == 5
    whole, _ = found(VALUES, 2, 5, slack=1)
    assert sorted(whole.columns.tolist()) == [0, 1, 2, 3]
    whole, _ = found(VALUES, 2, 5, signed=False)
    assert sorted(whole.columns.tolist()) == [0, 1]


def test_the_ends_of_the_text_count_as_off():
    whole, _ = found(units("##..", "####"), 0, 2)
    assert whole.columns.tolist() == [0]


def test_matches_are_ranked_by_units_that_fit_and_then_by_units_that_are_on():
    _, matches = found(VALUES, 2, 5)
    # 16-19: the first two units end as they should, the third is on, but longer; 9-12: the first and the third.
    assert matches == [Found(16, 19, 2, 3), Found(9, 12, 2, 2)]
    _, soft = found(VALUES, 2, 5, slack=1)
    assert soft[0] == Found(16, 19, 4, 4)


def test_strongest_units_come_first_and_can_be_cut():
    values = units("..##..", "..##..") * np.array([0.6, 0.9])
    whole, _ = found(values, 2, 4)
    assert whole.columns.tolist() == [1, 0]
    assert strongest(whole, 1).columns.tolist() == [1]


def test_units_of_several_layers_are_numbered_side_by_side():
    one, two = units("..##.."), units("......", "..==..")
    whole = pattern([one, two], 2, 4, threshold=0.5, slack=0, signed=True)
    assert whole.columns.tolist() == [0, 2]
    assert on_matrix([one, two], whole, threshold=0.5).tolist() == [[c == "#"] * 2 for c in "..##.."]


def test_nothing_is_found_without_units():
    empty = Pattern(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), 0)
    assert search(on_matrix([VALUES], empty, threshold=0.5), 2, 5, slack=0) == []


def test_matches_overlap_neither_each_other_nor_the_span():
    random = np.random.default_rng(1)
    values = random.normal(size=(400, 30))
    values[50:54, :10], values[200:204, :8] = 3, 3
    whole, matches = found(values, 50, 54, slack=1)
    taken = np.zeros(400, int)
    for one in [*matches, Found(50, 54, 0, 0)]:
        taken[one.start : one.end] += 1
    assert taken.max() == 1
    assert len(whole.columns) <= 10
    assert (matches[0].start, matches[0].end) == (200, 204)


@pytest.mark.parametrize("slack", [0, 1, 2])
def test_the_best_match_is_that_of_a_search_over_every_span(slack: int):
    random = np.random.default_rng(2)
    on = random.random((60, 7)) < 0.5
    on[10:13] = True
    on[9] = on[13] = False
    start, end = 10, 13

    def score(s: int, e: int) -> tuple[int, int]:
        exact = held = 0
        for column in on.T:
            if not column[s:e].all():
                continue
            held += 1
            left, right = s, e
            while left > 0 and column[left - 1]:
                left -= 1
            while right < len(column) and column[right]:
                right += 1
            exact += left >= s - slack and right <= e + slack
        return exact, held

    spans = [(s, e) for s in range(60) for e in range(s + 1, min(61, s + 10)) if e <= start or s >= end]
    best = max(score(s, e)[0] for s, e in spans)
    matches = search(on, start, end, slack=slack)
    assert matches[0].exact == best
    for one in matches:
        assert (one.exact, one.on) == score(one.start, one.end)


def test_moments_of_two_models_are_shared_where_they_overlap():
    found = shared([(0, 3), (4, 6), (9, 10)], [(2, 4), (9, 12)], 12)
    assert found.both == (True, False, True)
    assert shared([], [(2, 4)], 12).both == ()


def test_the_chance_of_sharing_is_that_of_spans_anywhere_in_the_text():
    spans, others, count = [(0, 3), (4, 6), (9, 10)], [(2, 4), (9, 12)], 12
    covered = {step for start, end in others for step in range(start, end)}
    shares = []
    for start, end in spans:
        places = [range(first, first + end - start) for first in range(count - (end - start) + 1)]
        shares.append(sum(not covered.isdisjoint(place) for place in places) / len(places))
    assert shared(spans, others, count).chance == pytest.approx(sum(shares) / 3)
    assert shared([(1, 2)], [], count).chance == 0.0
