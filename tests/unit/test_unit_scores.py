"""Correlation and AUC, against literal values, scipy and scikit-learn; and the held-out ranking of units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, pointbiserialr
from sklearn.metrics import roc_auc_score

from seqviz.analysis.properties import Property
from seqviz.analysis.scores import auc, chance_level, correlations
from seqviz.analysis.tracking import FEWEST, track, unit_scores
from seqviz.units import LayerShape, UnitPlace


def test_a_correlation_that_can_be_worked_out_by_hand():
    values = np.array([[1.0, 1.0, 5.0], [2.0, -1.0, 5.0], [3.0, 1.0, 5.0], [4.0, -1.0, 5.0]])
    wanted = np.array([[0.0], [0.0], [1.0], [1.0]])
    found = correlations(values, wanted)
    assert found[:, 0] == pytest.approx([2 / np.sqrt(5), 0.0, 0.0])  # the last unit never changes


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_correlations_are_those_of_scipy_over_several_slices(kind):
    random = np.random.default_rng(1)
    values = random.normal(size=(4500, 6)).astype(kind) + kind(3)
    wanted = np.stack([random.normal(size=4500) + values[:, 2], random.random(4500) < 0.1], 1)
    found = correlations(values, wanted)
    for unit in range(6):
        assert found[unit, 0] == pytest.approx(pearsonr(values[:, unit].astype(float), wanted[:, 0])[0], abs=1e-9)
        assert found[unit, 1] == pytest.approx(pointbiserialr(wanted[:, 1], values[:, unit].astype(float))[0], abs=1e-9)


def test_the_area_under_the_curve_counts_pairs_and_halves_ties():
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == 0.75
    assert auc(np.array([1.0, 1.0]), np.array([0, 1])) == 0.5
    assert auc(np.array([3.0, 1.0, 2.0]), np.array([1, 0, 0])) == 1.0
    assert np.isnan(auc(np.array([3.0, 1.0]), np.array([1, 1])))


def test_the_area_is_that_of_scikit_learn_with_many_ties():
    random = np.random.default_rng(2)
    values, holds = random.normal(size=3000).round(1), random.random(3000) < 0.2
    assert auc(values, holds) == pytest.approx(roc_auc_score(holds, values), abs=1e-12)


def test_the_chance_level_is_below_a_real_tracker_and_above_nothing():
    random = np.random.default_rng(3)
    values = random.normal(size=(2000, 50))
    wanted = (values[:, :1] > 0.5).astype(float)
    level = chance_level([values], wanted)
    assert 0.0 < level[0] < 0.15
    assert correlations(values, wanted)[0, 0] > 0.7


def _layers(values: np.ndarray):
    shape = LayerShape(
        layer=0, direction="forward", cell="lstm", num_units=values.shape[1], quantities=("hidden_state",)
    )
    return [(shape, values)]


def test_a_unit_is_chosen_on_the_first_half_and_scored_on_the_second():
    random = np.random.default_rng(4)
    steps = 400
    holds = (np.arange(steps) % 4 == 0).astype(float)
    values = random.normal(size=(steps, 3)) * 0.1
    values[:, 1] += holds
    values[:200, 2] += 5 * holds[:200]  # perfect where it is chosen, nothing where it is judged
    result = track(_layers(values), [Property(name="vowel", binary=True, values=holds)], quantity="hidden_state")
    (one,) = result.tracked
    assert [score.place.unit for score in one.best] == [2, 1, 0]
    assert one.best[0].chosen > 0.99
    assert abs(one.best[0].held_out) < 0.2
    assert one.best[1].held_out == pytest.approx(pearsonr(values[200:, 1], holds[200:])[0])
    assert one.best[1].auc == pytest.approx(roc_auc_score(holds[200:], values[200:, 1]))
    assert (one.steps, one.positives, result.num_units) == (200, 50, 3)


def test_a_falling_unit_has_the_area_of_its_negative():
    holds = np.tile([1.0, 0.0], 40)
    values = -holds[:, None] + np.linspace(0, 0.1, 80)[:, None]
    result = track(_layers(values), [Property(name="vowel", binary=True, values=holds)], quantity="hidden_state")
    assert result.tracked[0].best[0].held_out < -0.9
    assert result.tracked[0].best[0].auc == 1.0


def test_a_property_that_is_rare_in_either_half_is_named_and_not_scored():
    values = np.random.default_rng(5).normal(size=(100, 2))
    rare = np.zeros(100)
    rare[:FEWEST] = 1.0  # none in the second half
    result = track(_layers(values), [Property(name="digit", binary=True, values=rare)], quantity="hidden_state")
    assert (result.tracked, result.rare) == ((), ("digit",))


def test_the_scores_of_one_unit_are_those_of_the_search():
    random = np.random.default_rng(6)
    values = random.normal(size=(300, 4))
    number = Property(name="word_length", binary=False, values=np.abs(values[:, 2]) + values[:, 2])
    holds = Property(name="vowel", binary=True, values=(values[:, 2] > 1).astype(float))
    result = track(_layers(values), [number, holds], quantity="hidden_state")
    place = UnitPlace(layer=0, direction="forward", unit=2)
    searched = {one.property: score for one in result.tracked for score in one.best if score.place == place}
    alone = unit_scores(values[:, 2], place, [number, holds])
    assert [score.property for score in alone] == ["word_length", "vowel"]
    for score in alone:
        assert score.held_out == pytest.approx(searched[score.property].held_out)
        assert score.auc == pytest.approx(searched[score.property].auc, nan_ok=True)
