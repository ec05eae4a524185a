"""Searches side by side: every number against the search it comes from; words that differ."""

from __future__ import annotations

import math

import pytest

from seqviz.analysis.word_diff import Span, nearest, word_diff
from seqviz.comparison import compared, compared_configs
from seqviz.config import DecodeConfig
from seqviz.metrics.bleu import bleu_table
from seqviz.metrics.corpus_bleu import bleu_tokens, corpus_bleu, sentence_bleu
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.tracing.translation import forced_translation, search_translation
from seqviz.translation_searches import exact_config
from tests.helpers import PAIRS, write_tiny_translator

SOURCE, REFERENCE = PAIRS[2]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedTranslator:
    root = tmp_path_factory.mktemp("checkpoints")
    write_tiny_translator(root, name="tiny")
    return load_translator("tiny", root=root)


def test_every_number_of_a_line_is_that_of_its_search(loaded: LoadedTranslator):
    for name, config in compared_configs(beam_sizes=(2, 3), max_length=6).items():
        answer = search_translation(loaded, SOURCE, config)
        row = compared(name, answer, references=[REFERENCE])
        trace = answer.search
        best = max(trace.finished, key=lambda one: (float(trace.log_prob[one]), -one))
        assert row.text == answer.targets[best].text
        assert row.log_prob == float(trace.log_prob[best])
        assert row.score == row.log_prob
        assert (row.model_calls, row.expansions) == (trace.model_calls, trace.expansions)
        assert row.table == bleu_table(bleu_tokens(row.text), bleu_tokens(REFERENCE))
        assert row.bleu == sentence_bleu(row.text, [REFERENCE])
        if row.ended:
            forced = forced_translation(loaded, SOURCE, trace.tokens(best))
            assert row.log_prob == pytest.approx(forced.log_prob, abs=1e-4)


def test_alpha_picks_the_winner_without_another_search(loaded: LoadedTranslator):
    answer = search_translation(loaded, SOURCE, compared_configs(beam_sizes=(5,), max_length=8)["beam-5"])
    trace = answer.search
    for alpha in (0.0, 0.5, 1.0, 2.0):
        scores = {row: float(trace.log_prob[row]) / int(trace.step[row]) ** alpha for row in trace.finished}
        row = compared("beam-5", answer, alpha=alpha)
        assert row.score == pytest.approx(max(scores.values()))
        assert row.log_prob / row.length**alpha == pytest.approx(row.score)


def test_an_exact_search_beats_all_others_or_says_how_far_it_is(loaded: LoadedTranslator):
    exact = compared("exact", search_translation(loaded, SOURCE, exact_config(DecodeConfig(max_length=3), budget=3000)))
    assert exact.proven
    for name, config in compared_configs(beam_sizes=(1, 4), max_length=3).items():
        assert compared(name, search_translation(loaded, SOURCE, config)).log_prob <= exact.log_prob + 1e-5
    stopped = compared("exact", search_translation(loaded, SOURCE, exact_config(DecodeConfig(max_length=9), budget=1)))
    assert not stopped.proven
    assert stopped.upper_bound >= stopped.score


def test_without_a_reference_there_is_no_bleu(loaded: LoadedTranslator):
    row = compared("greedy", search_translation(loaded, SOURCE, compared_configs(max_length=4)["greedy"]))
    assert row.table is None
    assert row.bleu is None
    assert math.isfinite(row.log_prob)


def test_samples_keep_their_seed_and_their_other_translations(loaded: LoadedTranslator):
    config = compared_configs(samples=8, seed=3, max_length=5)["sampling"]
    first, second = (compared("sampling", search_translation(loaded, SOURCE, config)) for _ in range(2))
    assert (first.text, first.others) == (second.text, second.others)
    assert first.text not in [text for text, _ in first.others]
    assert all(log_prob <= first.log_prob for _, log_prob in first.others)


def test_the_words_that_differ():
    spans = word_diff(
        ["Jane", "visited", "Africa", "in", "September", "."], ["Jane", "visits", "Africa", "last", "September", "."]
    )
    assert spans == (
        Span(change="same", words=("Jane",)),
        Span(change="missing", words=("visits",)),
        Span(change="added", words=("visited",)),
        Span(change="same", words=("Africa",)),
        Span(change="missing", words=("last",)),
        Span(change="added", words=("in",)),
        Span(change="same", words=("September", ".")),
    )


@pytest.mark.parametrize(("words", "reference"), [("", "a b"), ("a b", ""), ("a a b a", "a b a a"), ("x", "x")])
def test_the_spans_make_both_sentences(words: str, reference: str):
    spans = word_diff(words.split(), reference.split())
    assert [w for span in spans if span.change != "missing" for w in span.words] == words.split()
    assert [w for span in spans if span.change != "added" for w in span.words] == reference.split()


def test_the_nearest_reference_is_compared_with():
    assert nearest(["a", "b", "c"], [["x", "y"], ["a", "b", "d"], ["a", "b", "e"]]) == 1


def test_sacrebleus_sentence_score_of_the_same_words_is_100_and_the_corpus_score_goes_on_as_before():
    assert sentence_bleu("a b c d e", ["a b c d e"]).score == pytest.approx(100)
    assert sentence_bleu("a b", ["a b"]).score == pytest.approx(100), "the effective order: no 3-grams, no fault"
    assert corpus_bleu(["a b c d e"], [["a b c d e"]]).score == pytest.approx(100)
