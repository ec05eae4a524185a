"""Error analysis of pairs against brute force, files of pairs, and the background job."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import seqviz
from seqviz.backends.background import LocalBackgroundJobs
from seqviz.backends.background_requests import ErrorReportRequest
from seqviz.error_report import ErrorReportConfig, JudgedPair, Scored, merged_report
from seqviz.errors import DataFormatError, InvalidInputError
from seqviz.metrics.bleu import bleu_table
from seqviz.metrics.corpus_bleu import bleu_tokens, sentence_bleu
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.pair_files import MAX_PAIRS, SentencePair, lesson_pairs, lesson_set, read_pairs
from seqviz.text.piece_encoder import BOS_ID, EOS_ID
from seqviz.tracing.error_report import ErrorRun, error_report, judge_pair
from tests.helpers import PAIRS, write_tiny_translator

PAIR = SentencePair(source=PAIRS[2][0], reference="The cat.")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedTranslator:
    root = tmp_path_factory.mktemp("checkpoints")
    write_tiny_translator(root, name="tiny")
    return load_translator("tiny", root=root)


def log_prob(loaded: LoadedTranslator, source: str, ids: tuple[int, ...]) -> float:
    """Σ log p by one call of the decoder a step, in plain PyTorch."""
    total, previous = 0.0, BOS_ID
    with torch.inference_mode():
        memory = loaded.model.encode(torch.tensor([loaded.encoder.encode(source).ids]))
        state = memory.first
        for token in ids:
            step = loaded.model.step(memory, state, torch.tensor([previous]))
            total += float(step.log_probs[0, token])
            state, previous = step.carries, token
    return total


def test_both_log_probabilities_are_the_models_own(loaded: LoadedTranslator):
    config = ErrorReportConfig(model="tiny", beam_size=2, wider=4, max_length=4)
    found = judge_pair(loaded, PAIR, config)
    reference = (*loaded.encoder.encode(PAIR.reference).ids, EOS_ID)
    assert found.reference.log_prob == pytest.approx(log_prob(loaded, PAIR.source, reference), abs=1e-4)
    assert found.reference.length == len(reference)
    assert found.output.log_prob <= found.wider.log_prob + 1e-6


def test_the_verdict_is_that_of_looking_at_every_translation(loaded: LoadedTranslator):
    """Two steps at most: whatever goes on from the 99 best beginnings is tried."""
    size = len(loaded.encoder.vocabulary)
    config = ErrorReportConfig(model="tiny", beam_size=99, wider=100, max_length=2)
    found = judge_pair(loaded, PAIR, config)
    allowed = [token for token in range(size) if token not in (0, 1, 2)]
    with torch.inference_mode():
        memory = loaded.model.encode(torch.tensor([loaded.encoder.encode(PAIR.source).ids]))
        first = loaded.model.step(memory, memory.first, torch.tensor([BOS_ID]))
        best = -float("inf")
        for token in sorted(allowed, key=lambda one: -float(first.log_probs[0, one]))[:99]:
            if token == EOS_ID:
                best = max(best, float(first.log_probs[0, EOS_ID]))
                continue
            second = loaded.model.step(memory, first.carries, torch.tensor([token]))
            best = max(best, float(first.log_probs[0, token] + second.log_probs[0, allowed].max()))
    assert found.output.log_prob == pytest.approx(best, abs=1e-4)
    assert found.blame == "model"


def test_a_narrow_search_that_missed_the_reference_is_at_fault(loaded: LoadedTranslator):
    narrow = ErrorReportConfig(model="tiny", beam_size=1, wider=100, max_length=3)
    blames = set()
    for source, _ in PAIRS:
        greedy = judge_pair(loaded, SentencePair(source=source, reference="a"), narrow)
        # What a wide beam finds is given as the human's translation: greedy search missed it.
        found = judge_pair(loaded, SentencePair(source=source, reference=greedy.wider.text), narrow)
        again = loaded.encoder.encode(greedy.wider.text).ids
        expected = log_prob(loaded, source, (*again, EOS_ID)) > greedy.output.log_prob
        if found.output.text != found.reference.text:
            assert found.blame == ("search" if expected else "model")
        blames.add(found.blame)
    assert blames


def test_the_reference_itself_is_no_error(loaded: LoadedTranslator):
    config = ErrorReportConfig(model="tiny", beam_size=3, wider=5, max_length=6)
    output = judge_pair(loaded, PAIR, config).output
    if output.text:
        found = judge_pair(loaded, replace(PAIR, reference=output.text), config)
        assert found.blame == "none"
        assert found.output.bleu == pytest.approx(sentence_bleu(output.text, [output.text]).score)


def judged(number: int, *, blame: str, bleu: float, wider: float) -> JudgedPair:
    one = Scored(text="a b c d", log_prob=-1.0, length=5, score=-1.0, bleu=100.0)
    return JudgedPair(
        number=number, source="x", reference=one, output=replace(one, bleu=bleu), wider=replace(one, bleu=wider),
        blame=blame,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_report_counts_whose_fault_it_is_and_how_often_the_wider_beam_ends_worse(loaded: LoadedTranslator):
    run = ErrorRun(loaded, [], ErrorReportConfig(model="tiny"))
    pairs = (
        judged(1, blame="none", bleu=100, wider=100),
        judged(2, blame="search", bleu=20, wider=40),
        judged(3, blame="model", bleu=50, wider=30),
        judged(4, blame="model", bleu=50, wider=50 + 1e-9),
    )
    report = merged_report(
        ErrorReportConfig(model="tiny"),
        9,
        [replace(run.news(), judged=pairs[:2]), replace(run.news(), judged=pairs[2:])],
    )
    assert (report.done, report.total, report.errors) == (4, 9, 3)
    assert report.fraction("search") == pytest.approx(1 / 3)
    assert report.fraction("model") == pytest.approx(2 / 3)
    assert report.wider_counts() == {"better": 1, "worse": 1, "same": 2}
    narrow, wide = report.corpus_bleu()
    assert narrow.score == pytest.approx(100.0)
    assert "tok:13a" in wide.signature


def test_what_cannot_be_judged_is_left_out_with_its_reason(loaded: LoadedTranslator):
    config = ErrorReportConfig(model="tiny", beam_size=1, wider=2, max_length=5)
    run = ErrorRun(loaded, [SentencePair(source="chat " * 300, reference="a"), PAIR], config, max_pieces=50)
    while run.advance():
        pass
    news = run.news()
    assert [one.number for one in news.skipped] == [1]
    assert "the limit is 50" in str(news.skipped[0].error)
    assert [one.number for one in news.judged] == [2]
    assert run.news().judged == ()


def test_alpha_goes_into_both_scores(loaded: LoadedTranslator):
    found = judge_pair(loaded, PAIR, ErrorReportConfig(model="tiny", beam_size=2, wider=3, alpha=1.0, max_length=6))
    for one in (found.reference, found.output, found.wider):
        assert one.score == pytest.approx(one.log_prob / one.length)


@pytest.mark.parametrize(("beam", "wider"), [(5, 5), (5, 2), (5, 101), (0, 5), (101, 102)])
def test_beams_that_cannot_be_compared_are_refused(beam: int, wider: int):
    with pytest.raises(InvalidInputError, match="beam"):
        ErrorReportConfig(model="tiny", beam_size=beam, wider=wider)


# ---- files


@pytest.mark.parametrize(
    "content",
    [
        b"Oui.\tYes.\nNon.\tNo.\n",
        b"source\treference\r\nOui.\tYes.\r\n\r\nNon.\tNo.",
        b"Oui.,Yes.\nNon.,No.",
        b'Source;Target\n"Oui.";"Yes."\nNon.;No.\n',
        "\ufeffOui.\tYes.\nNon.\tNo.".encode(),
        "Oui.\tYes.\nNon.\tNo.".encode("utf-16"),
    ],
)
def test_pairs_are_read_from_tabs_commas_and_semicolons(content: bytes):
    assert read_pairs(content) == (
        SentencePair(source="Oui.", reference="Yes."),
        SentencePair(source="Non.", reference="No."),
    )


def test_commas_and_quotation_marks_inside_sentences_stay():
    assert read_pairs(b'Oui, "toi".\tYes, "you".') == (SentencePair(source='Oui, "toi".', reference='Yes, "you".'),)
    assert read_pairs(b'"Oui, toi.","Yes, you."') == (SentencePair(source="Oui, toi.", reference="Yes, you."),)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no pair of sentences"),
        (b"\n \n", "no pair of sentences"),
        (b"source\treference\n", "no pair of sentences"),
        (b"Oui.\tYes.\nNon.", "Line 2 has 1 columns; each line needs two"),
        (b"Oui.\tYes.\tJa.", "Line 1 has 3 columns"),
        (b"Oui.\tYes.\n\tNo.", "Line 2 has an empty source or reference"),
        (b"Oui.\tYes.\nNon \xe9.\tNo.", "Line 2 is not UTF-8"),
        (b"Oui.\tYes.\n\x00\tNo.", "Line 2 holds a zero character"),
        (b"Oui.\tYes.\n" * (MAX_PAIRS + 1), "more than 2000 pairs"),
        (b"a" * 2001 + b"\tb", "more than 2000 characters"),
        (b"a\tb\n" * 1_100_000, "at most 4 MB"),
        (b'"Oui","Yes', "cannot be read as CSV"),
    ],
)
def test_a_bad_file_is_one_sentence_with_the_line(content: bytes, sentence: str):
    with pytest.raises(DataFormatError, match=sentence):
        read_pairs(content)


def test_the_lesson_set_is_ours_and_goes_both_ways():
    pairs = lesson_pairs("fra-eng")
    assert len(pairs) == 40
    assert len(set(pairs)) == 40
    assert lesson_pairs("eng-fra")[0] == SentencePair(source=pairs[0].reference, reference=pairs[0].source)
    assert [lesson_set(name) for name in ("fra-eng-attention", "eng-fra-multi30k", "cmn-eng-attention")] == [
        "fra-eng", "eng-fra", None,
    ]  # fmt: skip
    for pair, name in itertools.product(pairs, ("source", "reference")):
        assert getattr(pair, name).isprintable()


# ---- BLEU by hand


def test_the_lectures_the_the_the_counts_two_of_seven():
    output = bleu_tokens("the the the the the the the", lowercase=True)
    references = [
        bleu_tokens(text, lowercase=True) for text in ("The cat is on the mat.", "There is a cat on the mat.")
    ]
    (line,) = bleu_table(output, references[0], others=references[1:], max_n=1).lines
    assert (line.matched, line.total) == (2, 7)
    assert [(one.ngram, one.count, one.allowed, one.clipped) for one in line.counts] == [(("the",), 7, 2, 2)]


def test_an_n_gram_counts_as_often_as_any_reference_has_it_and_the_nearest_length_counts():
    output = ["the", "cat", "the", "cat", "on", "the", "mat"]
    references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]
    table = bleu_table(output, references[0], others=references[1:], max_n=2)
    found = {" ".join(one.ngram): (one.count, one.clipped) for one in table.lines[1].counts}
    assert found == {"the cat": (2, 1), "cat the": (1, 0), "cat on": (1, 1), "on the": (1, 1), "the mat": (1, 1)}
    assert (table.lines[1].matched, table.lines[1].total) == (4, 6)
    assert table.reference_length == 7


# ---- the job, the library


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[LocalBackgroundJobs]:
    write_tiny_translator(tmp_path, name="tiny")
    running = LocalBackgroundJobs(limit=1, environment={"SEQVIZ_CHECKPOINTS": str(tmp_path)})
    yield running
    running.close()


def test_a_job_judges_the_pairs_and_ends(jobs: LocalBackgroundJobs, loaded: LoadedTranslator):
    config = ErrorReportConfig(model="tiny", beam_size=1, wider=3, max_length=8)
    pairs = tuple(SentencePair(source=source, reference=target) for source, target in PAIRS)
    job = jobs.start(ErrorReportRequest(config=config, pairs=pairs, title="four"))
    end = time.monotonic() + 60
    while (view := jobs.view(job)).active:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert view.condition == "finished"
    report = merged_report(config, len(pairs), view.records)
    expected = error_report(loaded, pairs, config)
    assert [pair.output.text for pair in report.judged] == [pair.output.text for pair in expected.judged]
    assert [pair.blame for pair in report.judged] == [pair.blame for pair in expected.judged]


def test_a_job_for_a_model_that_is_not_there_fails_with_a_sentence(jobs: LocalBackgroundJobs):
    job = jobs.start(ErrorReportRequest(config=ErrorReportConfig(model="huge"), pairs=(PAIR,), title="one"))
    end = time.monotonic() + 60
    while (view := jobs.view(job)).active:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert view.condition == "failed"
    assert "huge" in str(view.error)


def test_three_lines_compare_searches_and_judge_pairs(loaded: LoadedTranslator):
    rows = seqviz.compare_searches(loaded, PAIR.source, references=[PAIR.reference], beam_sizes=(2,), exact_budget=20)
    assert [row.name for row in rows] == ["greedy", "beam-2", "sampling", "exact"]
    report = seqviz.judge_pairs(loaded, [(PAIR.source, PAIR.reference)], beam_size=1, wider=2)
    assert report.done == 1
