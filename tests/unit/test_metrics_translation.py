"""BLEU and error analysis with the syllabus' numbers."""

from __future__ import annotations

import math

import pytest

from seqviz.errors import InvalidInputError
from seqviz.metrics.bleu import bleu_table
from seqviz.metrics.error_analysis import analyse_error


def test_the_syllabus_table():
    table = bleu_table(["A", "B", "B", "C", "D"], ["A", "B", "C", "D", "E", "F"])
    assert [(line.matched, line.total) for line in table.lines] == [(4, 5), (3, 4), (1, 3), (0, 2)]
    assert [line.weight for line in table.lines] == [0.5, 0.25, 0.125, 0.0625]
    assert table.brevity == math.exp(1 - 6 / 5)
    assert table.score == 0.0


def test_the_score_without_the_empty_line():
    table = bleu_table(["A", "B", "B", "C", "D"], ["A", "B", "C", "D", "E", "F"], max_n=3)
    expected = math.exp(1 - 6 / 5) * 0.8**0.5 * 0.75**0.25 * (1 / 3) ** 0.125
    assert table.score == pytest.approx(expected, abs=1e-15)


def test_a_right_translation_scores_1_and_a_longer_one_has_no_brevity_penalty():
    assert bleu_table(["a", "b", "c", "d"], ["a", "b", "c", "d"]).score == 1.0
    assert bleu_table(["a", "b", "c", "d", "e"], ["a", "b", "c", "d"]).brevity == 1.0


def test_an_n_gram_counts_at_most_as_often_as_the_reference_has_it():
    (line,) = bleu_table(["the", "the", "the"], ["the", "cat"], max_n=1).lines
    assert (line.matched, line.total) == (1, 3)


def test_an_empty_output_scores_0():
    assert bleu_table([], ["a"]).score == 0.0
    assert bleu_table([], ["a"]).lines == ()


def test_the_search_is_at_fault_when_the_model_prefers_the_human():
    found = analyse_error([math.log(0.5), math.log(0.5)], [math.log(0.2)])
    assert found.verdict == "search"
    assert found.margin == pytest.approx(math.log(0.25 / 0.2))


def test_the_model_is_at_fault_otherwise():
    assert analyse_error([math.log(0.1)], [math.log(0.2)]).verdict == "model"
    assert analyse_error([math.log(0.2)], [math.log(0.2)]).verdict == "model"


def test_with_length_normalisation_the_scores_are_compared():
    reference, output = [math.log(0.5)] * 4, [math.log(0.4)]
    assert analyse_error(reference, output).verdict == "model"
    assert analyse_error(reference, output, alpha=1.0).verdict == "search"
    with pytest.raises(InvalidInputError, match="reference has no token"):
        analyse_error([], output)
