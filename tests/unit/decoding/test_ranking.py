"""Length normalisation and its crossovers, penalties, sampling distributions: literal numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqviz.config import DecodeConfig
from seqviz.decoding import crossovers, sampling_distribution, search, trace_crossovers
from seqviz.decoding.scores import (
    constrained,
    coverage_penalty,
    diversity_penalty,
    exhaustive_cost,
    hypothesis_score,
    length_penalty,
)
from seqviz.errors import InvalidInputError, UnknownNameError
from tests.unit.decoding.random_model import RandomModel


def test_length_normalisation_is_the_sum_at_0_and_the_mean_at_1():
    assert hypothesis_score(-6.0, 3, alpha=0.0) == -6.0
    assert hypothesis_score(-6.0, 3, alpha=1.0) == -2.0
    assert hypothesis_score(-6.0, 4, alpha=0.5) == -3.0
    assert length_penalty(16, 0.75) == 8.0


def test_the_coverage_penalty_is_0_for_a_whole_attention_to_every_source_token():
    assert coverage_penalty(np.array([[0.5, 0.5], [0.6, 0.4], [0.0, 1.0]])) == 0.0
    assert coverage_penalty(np.array([[0.75, 0.25], [0.25, 0.75]])) == 0.0
    assert coverage_penalty(np.array([[0.75, 0.25]])) == pytest.approx(math.log(0.75) + math.log(0.25))


def test_a_token_that_earlier_groups_chose_costs_lambda_each_time():
    assert diversity_penalty(np.array([2, 0, 2]), 4, 0.5).tolist() == [0.5, 0.0, 1.0, 0.0]


def test_exhaustive_search_costs_n_to_the_t():
    assert exhaustive_cost(10_000, 10) == 10**40


def test_forbidden_tokens_are_not_renormalised():
    given_ = np.log(np.array([[0.5, 0.3, 0.2]]))
    kept = constrained(given_, 1, DecodeConfig(min_length=1, forbidden=(1,)), 2)
    assert np.exp(kept).tolist() == [[0.5, 0.0, 0.0]]


def test_the_winner_changes_where_two_lines_meet():
    # 4 tokens at -4 nats against 8 tokens at -6: ln 4 - α ln 4 = ln 6 - α ln 8.
    first, found = crossovers([-4.0, -6.0], [4, 8])
    assert first == 0
    assert [(one.before, one.after) for one in found] == [(0, 1)]
    assert found[0].alpha == pytest.approx(math.log(1.5) / math.log(2.0), abs=1e-15)
    alpha = found[0].alpha
    assert hypothesis_score(-4.0, 4, alpha=alpha) == pytest.approx(hypothesis_score(-6.0, 8, alpha=alpha), abs=1e-12)


def test_a_hypothesis_of_probability_one_always_wins():
    assert crossovers([0.0, -3.0], [1, 9]) == (0, ())
    assert crossovers([], []) == (None, ())


lines = st.lists(st.tuples(st.floats(-30, -0.01), st.integers(1, 12)), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(lines)
def test_between_crossovers_the_named_winner_has_the_highest_score(pairs):
    log_probs, lengths = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    winner, found = crossovers(log_probs, lengths)
    edges = [0.0, *(one.alpha for one in found), 2.0]
    winners = [winner, *(one.after for one in found)]
    assert [one.before for one in found] == winners[:-1]
    assert edges == sorted(edges)
    for low, high, place in zip(edges[:-1], edges[1:], winners, strict=True):
        for alpha in (low, (low + high) / 2, high):
            scores = [hypothesis_score(*pair, alpha=alpha) for pair in pairs]
            assert scores[place] == pytest.approx(max(scores), rel=1e-9, abs=1e-12)


def test_the_crossovers_of_a_trace_name_its_rows():
    trace = search(RandomModel(3, 4), DecodeConfig(search="brute_force", max_length=4))
    first, found = trace_crossovers(trace)
    assert first == trace.best
    assert all(one.after in trace.finished for one in found)
    covered = search(RandomModel(3, 4), DecodeConfig(search="beam", max_length=4, coverage=1.0))
    with pytest.raises(InvalidInputError, match="coverage must be 0"):
        trace_crossovers(covered)


def test_temperature_top_k_and_top_p():
    log_probs = np.log(np.array([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(sampling_distribution(log_probs), [0.5, 0.3, 0.2])
    np.testing.assert_allclose(sampling_distribution(log_probs, top_k=2), [0.625, 0.375, 0.0])
    np.testing.assert_allclose(sampling_distribution(log_probs, top_p=0.8), [0.625, 0.375, 0.0])
    np.testing.assert_allclose(sampling_distribution(log_probs, top_p=0.81), [0.5, 0.3, 0.2])
    np.testing.assert_allclose(sampling_distribution(log_probs, top_p=0.4), [1.0, 0.0, 0.0])
    squared = np.array([0.25, 0.09, 0.04])
    np.testing.assert_allclose(sampling_distribution(log_probs, temperature=0.5), squared / squared.sum())
    assert sampling_distribution(np.full(3, -np.inf)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"beam_size": 0}, InvalidInputError, "beam_size is 0; allowed is 1 to 10000"),
        ({"alpha": 2.5}, InvalidInputError, "alpha is 2.5; allowed is 0.0 to 2.0"),
        ({"search": "magic"}, UnknownNameError, "search 'magic' is not known; known are: greedy, beam"),
        ({"stopping": "never"}, UnknownNameError, "known are: n_best, all"),
        ({"min_length": 9, "max_length": 9}, InvalidInputError, "it must be shorter"),
        (
            {"prefix": (1, 2, 3), "max_length": 2, "min_length": 0},
            InvalidInputError,
            "has 3 tokens; max_length allows 2",
        ),
        ({"search": "diverse", "groups": 2, "beam_size": 5}, InvalidInputError, "must be a multiple of groups, 2"),
        ({"prefix": (-1,)}, InvalidInputError, "prefix is -1"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_in_a_sentence(options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        DecodeConfig(**options)


def test_a_configuration_survives_json():
    config = DecodeConfig(prefix=(1, 2), alpha=0.75)
    values = {**config.to_dict(), "prefix": [1, 2]}
    assert DecodeConfig.from_dict(values) == config
    assert hash(config) == hash(DecodeConfig.from_dict(values))
