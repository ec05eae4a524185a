"""The held-out figures, on values worked out by hand."""

from __future__ import annotations

import math

import pytest

from seqviz.metrics.figures import accuracy, entity_f1, perplexity


def test_perplexity_of_a_uniform_choice_among_eight_is_eight() -> None:
    assert perplexity(math.log(8)) == pytest.approx(8.0, abs=1e-12)


def test_perplexity_of_certainty_is_one() -> None:
    assert perplexity(0.0) == 1.0


def test_perplexity_that_overflows_is_infinite() -> None:
    assert perplexity(1e4) == math.inf


def test_accuracy_is_the_percentage_of_equal_entries() -> None:
    assert accuracy([0, 1, 1, 0], [0, 1, 0, 0]) == 75.0


def test_accuracy_of_nothing_is_not_a_number() -> None:
    assert math.isnan(accuracy([], []))


def test_accuracy_refuses_lists_of_other_lengths() -> None:
    with pytest.raises(ValueError, match="shorter"):
        accuracy([1, 0], [1])


EXPECTED = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
HALF_RIGHT = [["B-PER", "I-PER", "O", "B-PER"], ["O", "B-ORG"]]


def test_entity_f1_counts_whole_entities_and_each_type() -> None:
    # 3 expected, 3 predicted, 2 right: precision = recall = 2/3. PER: 1 of 2 predicted right, 1 expected.
    assert entity_f1(EXPECTED, HALF_RIGHT) == {
        "f1": pytest.approx(200 / 3),
        "f1_LOC": 0.0,
        "f1_ORG": 100.0,
        "f1_PER": pytest.approx(200 / 3),
    }


def test_entity_with_one_wrong_border_counts_as_wrong() -> None:
    assert entity_f1([["B-PER", "I-PER", "I-PER"]], [["B-PER", "I-PER", "O"]])["f1"] == 0.0


def test_entity_of_the_wrong_type_counts_as_wrong() -> None:
    assert entity_f1([["B-PER", "I-PER"]], [["B-LOC", "I-LOC"]])["f1"] == 0.0


def test_two_entities_side_by_side_are_told_apart_by_their_b_tags() -> None:
    two, one = ["B-PER", "B-PER"], ["B-PER", "I-PER"]
    assert entity_f1([two], [two])["f1"] == 100.0
    assert entity_f1([two], [one])["f1"] == 0.0


def test_entity_f1_without_any_prediction_is_zero_and_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    assert entity_f1([["B-PER", "O"]], [["O", "O"]])["f1"] == 0.0
    assert not list(recwarn)
