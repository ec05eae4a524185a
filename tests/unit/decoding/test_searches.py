"""What must hold for every search, on random step functions: no model, no training."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqviz.config import SEARCHES, DecodeConfig
from seqviz.decoding import beam_is_exhaustive, fell_out, reranked, search
from seqviz.decoding.exact import ExactSearch
from seqviz.decoding.scores import coverage_penalty
from seqviz.decoding.table import ProbabilityTable, TableModel, TableRow
from seqviz.errors import InvalidInputError
from tests.unit.decoding.random_model import SOURCE, JoiningModel, RandomModel, best_sequence, every_sequence

quick = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 10**6)
sizes = st.integers(2, 4)
lengths = st.integers(1, 4)
alphas = st.sampled_from([0.0, 0.5, 0.75, 1.0, 2.0])


def config(name: str, **options) -> DecodeConfig:
    return DecodeConfig(search=name, **{"max_length": 4, "beam_size": 2, "candidates": 3, **options})


@quick
@given(seeds, sizes, lengths)
def test_a_beam_of_one_is_greedy(seed, size, length):
    model = RandomModel(size, seed)
    greedy = search(model, config("greedy", max_length=length))
    beam = search(model, config("beam", beam_size=1, max_length=length))
    assert beam.tokens(beam.best) == greedy.tokens(greedy.best)
    assert beam.log_prob[beam.best] == greedy.log_prob[greedy.best]
    assert beam.expansions == greedy.expansions


@quick
@given(seeds, sizes, lengths, alphas)
def test_a_beam_that_cuts_nothing_before_the_last_step_finds_the_best_of_all(seed, size, length, alpha):
    model = RandomModel(size, seed)
    beam_size = max(1, size * (size - 1) ** max(length - 2, 0))
    assert beam_is_exhaustive(beam_size, size, length)
    beam = search(model, config("beam", beam_size=beam_size, max_length=length, alpha=alpha, stopping="all"))
    tokens, score = best_sequence(model, length, alpha=alpha)
    assert beam.tokens(beam.best) == tokens
    assert beam.score[beam.best] == pytest.approx(score, abs=1e-12)


def test_a_beam_as_wide_as_the_vocabulary_is_not_exhaustive_from_three_steps_on():
    assert beam_is_exhaustive(4, 4, 2)
    assert not beam_is_exhaustive(4, 4, 3)
    rows = (
        TableRow(step=1, after=None, probabilities=(0.4, 0.4, 0.2, 0.0)),
        TableRow(step=2, after=None, probabilities=(0.5, 0.5, 0.0, 0.0)),
        TableRow(step=2, after=("C",), probabilities=(0.0, 0.0, 0.9, 0.1)),
        TableRow(step=3, after=None, probabilities=(0.25, 0.25, 0.25, 0.25)),
        TableRow(step=3, after=("C", "C"), probabilities=(0.0, 0.0, 0.0, 1.0)),
    )
    model = TableModel(ProbabilityTable(symbols=("A", "B", "C", "<eos>"), rows=rows))
    beam = search(model, config("beam", beam_size=4, max_length=3), watch=[(2, 2, 3)])
    exact = search(model, config("exact", max_length=3))
    assert exact.text(exact.best) == "C C <eos>"
    assert beam.text(beam.best) != "C C <eos>"
    lost = fell_out(beam, (2, 2, 3))
    assert (lost.step, lost.rank, lost.reason) == (2, 4, "beam")
    assert lost.margin == pytest.approx(math.log(0.2) - math.log(0.18), abs=1e-12)


@quick
@given(seeds, sizes, lengths)
def test_brute_force_scores_every_sequence_and_they_add_up_to_one(seed, size, length):
    model = RandomModel(size, seed)
    trace = search(model, config("brute_force", max_length=length))
    found = {trace.tokens(row) for row in trace.finished}
    assert found == set(every_sequence(size, length, model.eos_id))
    assert np.exp(trace.log_prob[list(trace.finished)]).sum() == pytest.approx(1.0, abs=1e-12)
    assert trace.proven


@quick
@given(seeds, sizes, lengths, alphas, st.sampled_from([0.0, 0.4]))
def test_exact_search_equals_brute_force(seed, size, length, alpha, coverage):
    model = RandomModel(size, seed)
    options = {"max_length": length, "alpha": alpha, "coverage": coverage}
    exact = search(model, config("exact", **options))
    brute = search(model, config("brute_force", **options))
    assert exact.proven
    assert exact.tokens(exact.best) == brute.tokens(brute.best)
    assert exact.score[exact.best] == pytest.approx(brute.score[brute.best], abs=1e-12)
    assert exact.upper_bound == exact.score[exact.best]


@quick
@given(seeds, sizes, lengths, alphas, st.sampled_from([0.0, 0.4]))
def test_exact_search_that_extends_many_prefixes_at_once_equals_brute_force(seed, size, length, alpha, coverage):
    model = JoiningModel(size, seed, sharpness=0.5)
    options = {"max_length": length, "alpha": alpha, "coverage": coverage, "max_expansions": 100_000}
    brute = search(model, config("brute_force", **options))
    exact = search(model, config("exact", **options))
    assert exact.proven
    assert exact.tokens(exact.best) == brute.tokens(brute.best)
    assert exact.score[exact.best] == pytest.approx(brute.score[brute.best], abs=1e-12)
    for row in range(1, len(exact)):
        assert exact.log_prob[row] == pytest.approx(sum(model.chain(exact.tokens(row))), abs=1e-9)


@pytest.mark.parametrize("budget", [1, 7, 40])
def test_many_prefixes_at_once_keep_to_the_budget_and_bracket_the_optimum(budget):
    options = {"max_length": 6, "min_length": 5, "beam_size": 1}
    model = JoiningModel(4, 5, sharpness=0.3)
    trace = search(model, config("exact", max_expansions=budget, **options))
    calls = model.calls
    beam = search(model, config("beam", **options))
    brute = search(model, config("brute_force", **options))
    optimum = brute.score[brute.best]
    assert not trace.proven
    assert trace.expansions - beam.expansions == budget
    assert trace.score[trace.best] <= optimum + 1e-12
    assert optimum <= trace.upper_bound + 1e-12
    # The root, then 1, 2, 4, 8, 16 prefixes and what is left of the budget.
    assert calls - beam.model_calls == {1: 1, 7: 4, 40: 7}[budget]


@quick
@given(seeds, st.integers(1, 30))
def test_exact_search_within_a_budget_brackets_the_optimum(seed, budget):
    model = RandomModel(4, seed, sharpness=0.5)
    trace = search(model, config("exact", max_length=5, beam_size=1, max_expansions=budget))
    _, score = best_sequence(model, 5)
    assert trace.score[trace.best] <= score + 1e-12
    assert trace.upper_bound >= score - 1e-12
    if trace.proven:
        assert trace.score[trace.best] == pytest.approx(score, abs=1e-12)
    else:
        assert any(trace.reason_name(row) == "budget" for row in range(len(trace)))


@quick
@given(seeds, sizes, st.sampled_from(SEARCHES), st.booleans())
def test_every_log_probability_is_the_chain_of_its_tokens(seed, size, name, single):
    model = RandomModel(size, seed, dtype=np.float32 if single else np.float64)
    trace = search(model, config(name, groups=2 if name == "diverse" else 1, samples=4))
    for row in range(1, len(trace)):
        total = 0.0
        for log_prob in model.chain(trace.tokens(row)):
            total += log_prob
        assert trace.log_prob[row] == total
        assert trace.score[row] == total
        assert trace.step[row] == len(trace.tokens(row))


@quick
@given(seeds, sizes, lengths, st.integers(1, 6))
def test_no_search_beats_the_proven_optimum(seed, size, length, beam_size):
    model = RandomModel(size, seed)
    exact = search(model, config("exact", max_length=length))
    for name in ("greedy", "beam", "diverse", "sampling"):
        trace = search(model, config(name, max_length=length, beam_size=beam_size))
        assert all(trace.score[row] <= exact.score[exact.best] + 1e-12 for row in trace.finished)
        assert list(trace.finished) == sorted(trace.finished, key=lambda row: (-trace.score[row], row))


@quick
@given(seeds, sizes, st.integers(1, 5))
def test_what_a_beam_drops_is_not_better_than_what_it_keeps(seed, size, beam_size):
    trace = search(RandomModel(size, seed), config("beam", beam_size=beam_size, candidates=size))
    for step in range(1, trace.steps + 1):
        rows = [row for row in range(1, len(trace)) if trace.step[row] == step]
        kept = [row for row in rows if trace.fate_name(row) != "dropped"]
        going_on = [row for row in kept if not trace.ended(row)]
        for row in rows:
            if trace.fate_name(row) == "dropped":
                assert trace.reason_name(row) == "beam"
                assert trace.margin[row] >= 0
                if not trace.ended(row):
                    assert all(trace.log_prob[row] <= trace.log_prob[other] for other in going_on)
        # Every candidate of the step is recorded here, so ranks can be counted.
        for row in rows:
            assert trace.rank[row] == sum(trace.log_prob[other] > trace.log_prob[row] for other in rows)


@quick
@given(seeds, sizes, st.integers(1, 5), alphas, st.sampled_from([0.0, 0.3]))
def test_ranking_anew_gives_what_a_new_search_would(seed, size, beam_size, alpha, coverage):
    model = RandomModel(size, seed)
    old = search(model, config("beam", beam_size=beam_size))
    new = search(model, config("beam", beam_size=beam_size, alpha=alpha, coverage=coverage))
    assert reranked(old, alpha=alpha, coverage=coverage) == new.finished


@quick
@given(seeds, st.integers(1, 3), st.sampled_from(SEARCHES))
def test_lengths_prefix_and_forbidden_tokens_are_kept(seed, low, name):
    model = RandomModel(4, seed)
    trace = search(model, config(name, min_length=low, prefix=(2,), forbidden=(3,), samples=3))
    assert trace.finished
    for row in trace.finished:
        tokens = trace.tokens(row)
        assert tokens[0] == 2
        assert 3 not in tokens[1:]
        assert len(tokens) - trace.ended(row) >= low
    reasons = {trace.reason_name(row) for row in range(1, len(trace))}
    if name != "brute_force":
        assert "prefix" in reasons


def test_a_forced_prefix_and_what_is_forbidden_leave_the_probabilities_as_they_are():
    model = RandomModel(4, 5)
    trace = search(model, config("greedy", prefix=(1, 2)))
    tokens = trace.tokens(trace.best)
    assert tokens[:2] == (1, 2)
    assert trace.log_prob[trace.best] == pytest.approx(sum(model.chain(tokens)), abs=1e-12)


@quick
@given(seeds, sizes, st.sampled_from(SEARCHES))
def test_model_calls_are_counted_and_batched(seed, size, name):
    model = RandomModel(size, seed)
    trace = search(model, config(name, beam_size=3))
    assert trace.model_calls == model.calls
    assert trace.candidates_scored == trace.expansions * size
    if name in ("beam", "greedy"):
        assert trace.model_calls <= 4
        assert trace.candidates_scored <= trace.beam_cost
    if name == "brute_force":
        assert trace.exhaustive_cost == size**4


def test_attention_and_hidden_state_belong_to_the_expanded_hypothesis():
    model = RandomModel(3, 7)
    trace = search(model, config("beam", beam_size=3, coverage=0.5))
    assert trace.attention.shape == (trace.expansions, SOURCE)
    for row in range(len(trace)):
        if (place := trace.expansion[row]) >= 0:
            prefix = trace.tokens(row)
            np.testing.assert_array_equal(trace.attention[place], model.attention(prefix))
            np.testing.assert_array_equal(trace.hidden_state[place], [len(prefix), sum(prefix)])
            best = np.argsort(-model.log_probs(prefix), kind="stable")[:3]
            np.testing.assert_array_equal(trace.candidate_tokens[place], best)
    row = trace.best
    rows = np.stack([model.attention(trace.tokens(row)[:place]) for place in range(trace.step[row])])
    assert trace.coverage[row] == pytest.approx(coverage_penalty(rows), abs=1e-12)
    assert trace.score[row] == pytest.approx(trace.log_prob[row] + 0.5 * trace.coverage[row], abs=1e-12)


@quick
@given(seeds)
def test_groups_of_a_diverse_beam_differ_where_a_plain_beam_need_not(seed):
    model = RandomModel(4, seed)
    trace = search(model, config("diverse", beam_size=3, groups=3, diversity=100.0, max_length=3))
    first = [row for row in range(1, len(trace)) if trace.step[row] == 1 and trace.rank[row] == 0]
    assert len({int(trace.token[row]) for row in first}) == 3
    alone = search(model, config("diverse", beam_size=3, groups=1, max_length=3))
    plain = search(model, config("beam", beam_size=3, max_length=3))
    assert [alone.tokens(row) for row in alone.finished] == [plain.tokens(row) for row in plain.finished]


def test_samples_follow_the_model_and_the_seed_decides():
    model = RandomModel(3, 11, sharpness=1.0)
    drawn = search(model, config("sampling", samples=1000, max_length=3))
    assert sum(drawn.count[row] for row in drawn.finished) == 1000
    again = search(model, config("sampling", samples=1000, max_length=3))
    other = search(model, config("sampling", samples=1000, max_length=3, seed=2))
    assert again.count.tolist() == drawn.count.tolist()
    assert other.count.tolist() != drawn.count.tolist()
    for row in drawn.finished:
        p = math.exp(drawn.log_prob[row])
        assert abs(drawn.count[row] / 1000 - p) < 4.5 * math.sqrt(p * (1 - p) / 1000) + 1e-3


@quick
@given(seeds, st.integers(1, 3))
def test_sampling_from_the_one_most_probable_token_is_greedy(seed, samples):
    model = RandomModel(4, seed)
    greedy = search(model, config("greedy"))
    for options in ({"top_k": 1}, {"top_p": 0.001}, {"temperature": 0.01}):
        trace = search(model, config("sampling", samples=samples, **options))
        if options.get("temperature") is None or len(trace.finished) == 1:
            assert trace.tokens(trace.best) == greedy.tokens(greedy.best)


@quick
@given(seeds, st.integers(1, 3))
def test_the_step_where_the_optimum_fell_out_of_the_beam_is_known(seed, beam_size):
    model = RandomModel(4, seed)
    exact = search(model, config("exact"))
    optimum = exact.tokens(exact.best)
    beam = search(model, config("beam", beam_size=beam_size, candidates=1), watch=[optimum])
    place = fell_out(beam, optimum)
    if beam.tokens(beam.best) == optimum:
        assert place is None
        return
    if place is None:  # found and finished, but behind another: impossible for the optimum
        pytest.fail("the optimum was found, yet something else won")
    step_rows = [row for row in range(1, len(beam)) if beam.step[row] == place.step]
    assert beam.tokens(place.row) == optimum[: place.step]
    if place.reason == "beam":
        parents = {int(beam.parent[row]) for row in step_rows}
        everything = [
            beam.log_prob[parent] + log_prob for parent in parents for log_prob in model.log_probs(beam.tokens(parent))
        ]
        assert place.rank == sum(value > beam.log_prob[place.row] for value in everything)
        assert place.margin >= 0


def test_a_search_without_any_possible_sequence_says_so():
    trace = search(RandomModel(2, 1), config("beam", min_length=2, forbidden=(1,)))
    assert trace.best is None
    assert not trace.proven
    assert search(RandomModel(2, 1), config("exact", min_length=2, forbidden=(1,))).best is None


def test_results_cannot_be_written_to():
    trace = search(RandomModel(3, 1), config("beam"))
    with pytest.raises(ValueError, match="read-only"):
        trace.score[0] = 1.0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prefix": (9,)}, "prefix holds the token id 9; ids are below 3."),
        ({"forbidden": (3,)}, "forbidden holds the token id 3; ids are below 3."),
        ({"prefix": (0, 1)}, "The forced prefix goes on behind <eos>; nothing can."),
        ({"search": "brute_force", "max_expansions": 5}, "extends more than 5 prefixes"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(InvalidInputError, match=sentence.replace("(", r"\(")):
        search(
            RandomModel(3, 1),
            config(**{"name": "beam"} | {k: v for k, v in options.items() if k != "search"})
            if "search" not in options
            else config("brute_force", max_expansions=5),
        )


def test_exact_search_looks_at_few_of_very_many_sequences():
    model = RandomModel(30, 3, sharpness=3.0)
    trace = search(model, config("exact", max_length=8, beam_size=4, max_expansions=3000))
    assert trace.proven
    assert trace.expansions < 3000
    assert trace.exhaustive_cost == 30**8
    # Depth first with the same bound, written down once more: the same optimum.
    best, tokens = -math.inf, ()
    stack = [((), 0.0)]
    while stack:
        prefix, total = stack.pop()
        for token, log_prob in sorted(enumerate(model.log_probs(prefix).tolist()), key=lambda pair: pair[1]):
            if total + log_prob > best:
                if token == model.eos_id or len(prefix) == 7:
                    best, tokens = total + log_prob, (*prefix, token)
                else:
                    stack.append(((*prefix, token), total + log_prob))
    assert trace.tokens(trace.best) == tokens


@settings(max_examples=50, deadline=None)
@given(
    seeds,
    st.integers(3, 4),
    st.integers(2, 4),
    st.floats(0.0, 2.0),
    st.sampled_from([0.0, 0.7]),
    st.integers(0, 3),
    st.lists(st.integers(1, 2), max_size=2),
    st.sampled_from([(), (2,)]),
    st.booleans(),
)
def test_exact_search_proves_the_optimum_of_any_alpha_within_all_limits(
    seed, size, length, alpha, coverage, least, prefix, forbidden, joins
):
    options = {
        "max_length": length,
        "min_length": min(least, length - 1),
        "alpha": alpha,
        "coverage": coverage,
        "prefix": tuple(prefix[: length - 1]),
        "forbidden": forbidden,
        "max_expansions": 100_000,
    }
    model = (JoiningModel if joins else RandomModel)(size, seed, sharpness=0.7)
    exact = search(model, config("exact", beam_size=1, **options))
    brute = search(model, config("brute_force", **options))
    assert exact.proven
    assert exact.score[exact.best] == pytest.approx(brute.score[brute.best], abs=1e-12)
    assert exact.tokens(exact.best) == brute.tokens(brute.best)


@quick
@given(seeds, alphas)
def test_extensions_that_were_not_remembered_are_asked_for_again(seed, alpha):
    options = {"max_length": 4, "alpha": alpha, "max_expansions": 100_000}
    model = JoiningModel(6, seed, sharpness=0.3)
    brute = search(model, config("brute_force", **options))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqviz.decoding.exact.CHILDREN", 2)
        exact = search(model, config("exact", beam_size=1, **options))
    assert exact.proven
    assert exact.tokens(exact.best) == brute.tokens(brute.best)


@quick
@given(seeds, alphas, st.integers(1, 20))
def test_an_exact_search_goes_on_with_a_larger_budget_where_it_stopped(seed, alpha, budget):
    options = {"max_length": 5, "alpha": alpha, "beam_size": 1}
    model = JoiningModel(4, seed, sharpness=0.4)
    brute = search(model, config("brute_force", **options, max_expansions=100_000))
    optimum = float(brute.score[brute.best])
    running = ExactSearch(model, config("exact", **options, max_expansions=budget))
    brackets = []
    while not running.proven:
        while running.advance():
            pass
        trace = running.trace()
        assert trace.config.max_expansions == running.budget
        assert trace.score[trace.best] <= optimum + 1e-12
        assert optimum <= trace.upper_bound + 1e-12
        brackets.append(trace.upper_bound - trace.score[trace.best])
        running.allow(running.budget * 3)
    assert brackets == sorted(brackets, reverse=True)
    trace = running.trace()
    assert trace.tokens(trace.best) == brute.tokens(brute.best) == running.best_tokens
    assert not any(trace.reason_name(row) == "budget" for row in range(len(trace)))
    straight = search(model, config("exact", **options, max_expansions=100_000))
    assert trace.tokens(trace.best) == straight.tokens(straight.best)


def test_equal_candidates_are_taken_in_the_order_of_their_ids():
    class Uniform(RandomModel):
        def log_probs(self, prefix):
            return np.full(self.vocabulary_size, -math.log(self.vocabulary_size))

    trace = search(Uniform(4, 0), config("beam", beam_size=3, max_length=2, stopping="all"))
    first = [int(trace.token[row]) for row in range(1, len(trace)) if trace.step[row] == 1 and trace.fate[row] > 0]
    assert sorted(first) == [0, 1, 2, 3]
    assert list(itertools.islice((trace.tokens(row) for row in trace.finished), 1)) == [(0,)]
