"""Charts and tables of the two views: their numbers, their words, hostile texts."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import Any

import numpy as np
import pytest

from seqviz.charts.beam_sizes import beam_sentence, bleu_chart, by_beam, log_prob_chart
from seqviz.charts.chart_files import chart_svg
from seqviz.charts.compared_table import (
    Waiting,
    bleu_latex,
    compared_html,
    compared_page,
    compared_sentence,
    ngram_html,
)
from seqviz.charts.error_shares import report_sentence, score_chart, share_chart
from seqviz.charts.error_verdict import (
    definition_latex,
    verdict_advice,
    verdict_latex,
    verdict_reason,
    verdict_title,
)
from seqviz.charts.forced_steps import (
    costliest_step,
    parting_step,
    step_chart,
    steps_sentence,
    sum_chart,
)
from seqviz.comparison import ComparedSearch
from seqviz.config import DecodeConfig
from seqviz.error_report import ErrorReport, ErrorReportConfig, JudgedPair, Scored
from seqviz.metrics.bleu import bleu_table
from seqviz.metrics.corpus_bleu import CorpusBleu, bleu_tokens, sentence_bleu
from seqviz.metrics.error_analysis import analyse_error
from seqviz.translation_export import (
    comparison_csv,
    comparison_json,
    pair_csv,
    pair_json,
    report_csv,
    report_json,
)
from seqviz.translations import ForcedTranslation, PieceText

REFERENCE = "The cat sleeps."


def searched(name: str, text: str, log_prob: float, *, proven: bool = False, size: int = 1) -> ComparedSearch:
    kind = name.split("-", maxsplit=1)[0]
    words = bleu_tokens(text)
    return ComparedSearch(
        name=name, config=DecodeConfig(search=kind, beam_size=size), text=text, words=words, log_prob=log_prob,
        length=4, score=log_prob, ended=True, table=bleu_table(words, bleu_tokens(REFERENCE)),
        bleu=sentence_bleu(text, [REFERENCE]), seconds=0.25, model_calls=5, expansions=7, candidates_scored=70,
        proven=proven, upper_bound=log_prob if proven else math.inf, others=(),
    )  # fmt: skip


ROWS = [
    searched("greedy", "A cat sleeps.", -3.0),
    searched("beam-1", "A cat sleeps.", -3.0),
    searched("beam-5", "The cat sleeps.", -2.5, size=5),
    searched("beam-20", "Cat.", -2.0, size=20),
    searched("exact", "Cat.", -2.0, proven=True),
]


def piece_text(pieces: tuple[str, ...], ids: tuple[int, ...]) -> PieceText:
    ranges = tuple((index, index + 1) for index in range(len(pieces)))
    return PieceText(text=" ".join(pieces[:-1]), ids=ids, pieces=pieces, words=ranges, labels=pieces)


def forced(pieces: tuple[str, ...], ids: tuple[int, ...], log_probs: list[float]) -> ForcedTranslation:
    steps = len(ids)
    return ForcedTranslation(
        model="tiny", source=piece_text(("▁Le", "<eos>"), (9, 3)), target=piece_text(pieces, ids),
        log_probs=np.array(log_probs), ranks=np.arange(steps), candidate_tokens=np.array([[5, 6]] * steps),
        candidate_log_probs=np.array([[-0.1, -2.0]] * steps), names={5: "▁The", 6: "▁A", 7: "ed", 3: "<eos>"},
        attention=None,
    )  # fmt: skip


HUMAN = forced(("▁The", "▁cat", "<eos>"), (5, 8, 3), [-0.5, -2.5, -0.25])
OUTPUT = forced(("▁The", "▁A", "ed", "<eos>"), (5, 6, 7, 3), [-0.5, -0.25, -0.75, -0.5])


def data_of(chart: Any) -> list[dict[str, Any]]:
    """The rows of all layers."""
    found = chart.to_dict()
    rows = [row for rows in found.get("datasets", {}).values() for row in rows]
    for part in (found, *found.get("layer", [])):
        rows += part.get("data", {}).get("values", [])
    return rows


# ---- side by side


def test_one_point_a_beam_size_and_greedy_is_the_first():
    assert [row.name for row in by_beam(ROWS)] == ["beam-1", "beam-5", "beam-20"]
    assert by_beam(ROWS[:1])[0].beam_size == 1
    points = [(row["beam"], row["value"]) for row in data_of(log_prob_chart(ROWS)) if "beam" in row]
    assert points == [("1", -3.0), ("5", -2.5), ("20", -2.0)]
    kinds = {(row["kind"], row["beam"]): row["value"] for row in data_of(bleu_chart(ROWS))}
    assert kinds["lecture", "5"] == pytest.approx(100)
    assert kinds["sacrebleu", "20"] == pytest.approx(sentence_bleu("Cat.", [REFERENCE]).score)


def test_the_sentence_says_what_became_of_log_p_and_bleu():
    assert beam_sentence(ROWS).startswith("From B = 1 to B = 20 log P goes from -3.000 to -2.000, sentence BLEU from ")
    assert beam_sentence(ROWS[:2]) == "Choose at least two beam sizes to compare them."
    assert "find the same translation" in beam_sentence([ROWS[0], dataclasses.replace(ROWS[2], text=ROWS[0].text)])


def test_the_table_marks_words_that_only_one_side_has_and_the_best_lines():
    html = compared_html(ROWS, against=[bleu_tokens(REFERENCE)], selected="beam-5")
    assert "<del>The</del> <ins>A</ins> cat sleeps." in html
    assert html.count(" data-top") == 2
    assert 'aria-current="true"' in html
    assert "proven: of all sequences none scores higher" in html
    assert ">−2.500<" in html
    assert "score, α" not in html
    assert "score, α = 0.5" in compared_html(ROWS, alpha=0.5)
    assert "BLEU, lecture" not in compared_html([dataclasses.replace(ROWS[0], table=None, bleu=None)])


def test_what_is_still_searched_for_has_a_line():
    html = compared_html([ROWS[0], Waiting(name="exact", says="searching <b>")])
    assert "searching &lt;b&gt;" in html
    assert compared_sentence([Waiting(name="exact", says="…")]) == "No search has found a translation yet."


def test_an_exact_search_without_proof_says_how_far_it_is():
    row = dataclasses.replace(ROWS[-1], proven=False, upper_bound=-1.25)
    assert "another one could score up to 0.75 nats more" in compared_html([row])


def test_a_hostile_translation_stays_text():
    row = searched("greedy", "<script>alert(1)</script> & “x”", -1.0)
    for html in (
        compared_html([row], against=[("<img>",)]),
        compared_html([row]),
        compared_page([row], source="</title><script>", references=["<b>"]),
        ngram_html(bleu_table(("<script>",), ("<b>",))),
    ):
        assert "<script>" not in html
        assert "<img>" not in html


def test_the_formula_has_the_numbers_of_the_table():
    table = bleu_table(list("ABBCD"), list("ABCDEF"), max_n=3)
    latex = bleu_latex(table)
    assert r"e^{\min(0,\, 1 - 6/5)}" in latex
    assert r"\left(\tfrac{4}{5}\right)^{1/2} \cdot \left(\tfrac{3}{4}\right)^{1/4}" in latex
    assert latex.endswith(f"= {table.score:.4f}")
    assert bleu_latex(bleu_table([], ["a"])).endswith("= 0")


def test_the_n_gram_table_says_how_often_each_counts():
    html = ngram_html(bleu_table(["the"] * 7, ["the", "cat", "is", "on", "the", "mat"], max_n=2))
    assert "<b>the</b> 2/7" in html
    assert "2/7 = 0.286" in html
    assert "<li class=none><b>the the</b> 0/6</li>" in html


# ---- one pair


def test_where_two_translations_part_and_what_costs_most():
    assert parting_step(HUMAN, OUTPUT) == 1
    assert parting_step(HUMAN, HUMAN) is None
    assert costliest_step(HUMAN) == 1
    assert steps_sentence(HUMAN, OUTPUT) == (
        "They part at step 2: y* goes on with “cat”, ŷ with “A”. "
        "The piece of y* that costs the most is “cat” at step 2: log p = -2.50."
    )
    assert steps_sentence(HUMAN, HUMAN).startswith("y* and ŷ are the same")


def test_a_shorter_translation_parts_at_its_end():
    shorter = forced(("▁The",), (5,), [-0.5])
    assert parting_step(shorter, OUTPUT) == 1


def test_bars_and_sums_have_the_numbers():
    rows = [row for row in data_of(step_chart(HUMAN, OUTPUT, step=1)) if "log_prob" in row]
    bars = {(row["which"], row["step"]): (row["piece"], row["log_prob"], row["rank"]) for row in rows}
    assert bars["y*", 2] == ("cat", -2.5, 2)
    assert bars["ŷ", 3] == ("·ed", -0.75, 3)
    sums = {(row["which"], row["step"]): row["total"] for row in data_of(sum_chart(HUMAN, OUTPUT)) if "label" in row}
    assert sums["y*", 3] == pytest.approx(-3.25)
    assert sums["ŷ", 4] == pytest.approx(-2.0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_can_be_drawn(theme: str):
    report = report_of("search", "model", "none")
    for chart in (
        step_chart(HUMAN, OUTPUT, step=0, theme=theme),  # type: ignore[arg-type]
        sum_chart(HUMAN, OUTPUT, theme=theme),  # type: ignore[arg-type]
        log_prob_chart(ROWS, theme=theme),  # type: ignore[arg-type]
        bleu_chart(ROWS, theme=theme),  # type: ignore[arg-type]
        share_chart(report, theme=theme),  # type: ignore[arg-type]
        score_chart(report, theme=theme),  # type: ignore[arg-type]
    ):
        assert chart.to_dict()["description"]
        assert chart_svg(chart, theme=theme).startswith("<svg")  # type: ignore[arg-type]


def test_the_verdict_in_both_notations():
    analysis = analyse_error([-1.0, -1.0], [-3.0])
    options = {"lengths": (2, 1), "same": False}
    assert verdict_latex(analysis, alpha=0.0, notation="ng", **options) == (
        r"\log P(y^* \mid x) = -2.000 \;>\; -3.000 = \log P(\hat{y} \mid x)"
    )
    assert r"\mathbf{y}^* \mid \mathbf{x}" in verdict_latex(analysis, alpha=0.0, notation="d2l", **options)
    scored = analyse_error([-1.0, -1.0], [-3.0], alpha=1.0)
    assert r"\frac{-2.000}{2^{1}} = -1.000 \;>\; -3.000 = \frac{-3.000}{1^{1}}" in verdict_latex(
        scored, alpha=1.0, notation="ng", **options
    )
    assert r"y^{\langle t \rangle}" in definition_latex("ng", alpha=0.0)
    assert r"y_{t'}" in definition_latex("d2l", alpha=0.5)
    assert "L^{0.5}" in definition_latex("d2l", alpha=0.5)


def test_reason_and_advice_follow_the_verdict():
    search, model = analyse_error([-1.0], [-2.5]), analyse_error([-2.5], [-1.0])
    assert verdict_title(search, same=False) == "The search is at fault."
    assert verdict_reason(search, beam_size=3, alpha=0.0, same=False) == (
        "The model prefers y* (log P is higher by 1.500), yet the beam of 3 did not find it."
    )
    assert "wider beam" in verdict_advice(search, same=False)
    assert verdict_title(model, same=False) == "The model is at fault."
    assert verdict_reason(model, beam_size=3, alpha=1.0, same=False) == (
        "The model prefers ŷ (its score is higher by 1.500): a better search would not take y* either."
    )
    assert "more or better data" in verdict_advice(model, same=False)
    assert verdict_title(model, same=True).startswith("No error")


# ---- a set of pairs


def report_of(*blames: str) -> ErrorReport:
    def scored(log_prob: float, bleu: float = 50.0) -> Scored:
        return Scored(text="a b", log_prob=log_prob, length=2, score=log_prob, bleu=bleu)

    pairs = tuple(
        JudgedPair(
            number=number, source="x", reference=scored(-1.0 - number), output=scored(-2.0), wider=scored(-1.5, 40.0),
            blame=blame,  # type: ignore[arg-type]
        )
        for number, blame in enumerate(blames, start=1)
    )  # fmt: skip
    return ErrorReport(config=ErrorReportConfig(model="tiny"), judged=pairs, skipped=(), total=len(pairs))


def test_the_report_says_the_fraction_due_to_each():
    report = report_of("search", "model", "model", "none")
    assert report_sentence(report) == (
        "3 of 4 translations differ from y*: 1 (33%) are due to the search, 2 (67%) to the model. By sentence BLEU the "
        "beam of 20 ends worse than that of 5 for 4 pairs and better for 0."
    )
    assert report_sentence(report_of("none")).startswith("All 1 translations are y* itself.")
    assert report_sentence(report_of()) == "No pair is judged yet."
    counts = [row["count"] for row in data_of(share_chart(report)) if "start" in row]
    assert counts[:3] == [1, 1, 2]


def test_files_hold_every_number():
    found = json.loads(comparison_json(ROWS, source="Le chat", references=[REFERENCE], alpha=0.0))
    assert [one["search"] for one in found["searches"]] == [row.name for row in ROWS]
    assert found["searches"][0]["upper_bound"] is None
    assert found["searches"][2]["table"]["lines"][0]["counts"][0] == {"ngram": ["The"], "count": 1, "allowed": 1}
    assert comparison_csv(ROWS).splitlines()[0].startswith("search,text,log_prob")
    pair = json.loads(pair_json(HUMAN, OUTPUT, alpha=0.0, verdict="model"))
    assert pair["reference"]["log_probs"] == [-0.5, -2.5, -0.25]
    assert len(pair_csv(HUMAN, OUTPUT).splitlines()) == 1 + 3 + 4
    report = report_of("search", "model")
    assert json.loads(report_json(report))["counts"] == {"none": 0, "search": 1, "model": 1}
    assert len(report_csv(report).splitlines()) == 3
    assert json.loads(report_json(report_of()))["corpus_bleu"] is None
    assert report_csv(report_of()) == "number\n"


def test_corpus_bleu_comes_with_its_signature():
    narrow, wide = report_of("search", "model").corpus_bleu()
    assert isinstance(narrow, CorpusBleu)
    assert re.match(r"nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:", wide.signature)
