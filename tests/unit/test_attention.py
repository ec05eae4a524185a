"""What is computed from weights alone: words, marginals, the regulariser, links, and their pictures."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from seqviz.alignments import aligned_name, aligned_pairs
from seqviz.analysis.attention import (
    alignment_error_rate,
    attention_grid,
    by_words,
    entropy_bits,
    neglected,
    overused,
    rank_correlation,
    regulariser,
    strongest_links,
)
from seqviz.attention import AlignedPair, AttentionStep
from seqviz.attention_export import attention_csv, attention_json
from seqviz.charts.attention_map import MapPanel, attention_figure, grid_panel
from seqviz.charts.attention_math import attention_equations, filled_cell, score_terms
from seqviz.charts.attention_ribbons import ribbon_figure
from seqviz.charts.attention_step import changed_pieces_chart, next_pieces_chart, weights_chart
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.i18n import translator
from seqviz.translations import ForcedTranslation, PieceText


def piece_text(*words: str) -> PieceText:
    """A text whose words are pieces divided by a vertical bar."""
    pieces, ranges = [], []
    for word in words:
        parts = word.split("|")
        ranges.append((len(pieces), len(pieces) + len(parts)))
        pieces += parts
    return PieceText(
        text=" ".join(words).replace("|", ""),
        ids=tuple(range(len(pieces))),
        pieces=tuple(pieces),
        words=tuple(ranges),
        labels=tuple(word.replace("|", "") for word in words),
    )


def translation(weights=None) -> ForcedTranslation:
    weights = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.0, 0.0, 1.0]]) if weights is None else weights
    return ForcedTranslation(
        model="tiny",
        source=piece_text("Af|rique", "dort"),
        target=piece_text("Af|rica", "<eos>"),
        log_probs=np.log([0.5, 0.25, 0.125]),
        ranks=np.zeros(3, int),
        candidate_tokens=np.zeros((3, 1), int),
        candidate_log_probs=np.zeros((3, 1)),
        names={0: "Af", 1: "rique", 2: "dort"},
        attention=weights,
    )


def test_pieces_of_a_source_word_are_added_and_of_a_target_word_averaged():
    grid = attention_grid(translation())
    assert grid.rows == ("Africa", "<eos>")
    assert grid.columns == ("Afrique", "dort")
    assert grid.weights == pytest.approx(np.array([[0.75, 0.25], [0.0, 1.0]]))
    assert grid.log_probs == pytest.approx([math.log(0.125), math.log(0.125)])
    assert grid.coverage == pytest.approx([0.75, 1.25])


def test_by_pieces_the_weights_are_the_model_s_own():
    grid = attention_grid(translation(), "pieces")
    assert grid.columns == ("Af", "rique", "dort")
    assert grid.weights.tolist() == [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.0, 0.0, 1.0]]


def test_another_unit_is_one_sentence():
    with pytest.raises(UnknownNameError, match="'letters' is not known"):
        attention_grid(translation(), "letters")  # type: ignore[arg-type]


def test_no_weights_no_grid():
    plain = translation()
    without = ForcedTranslation(
        **{name: getattr(plain, name) for name in ForcedTranslation.__dataclass_fields__ if name != "attention"},
        attention=None,
    )
    with pytest.raises(InvalidInputError, match="tiny has no attention"):
        attention_grid(without)


def test_entropy_is_zero_for_one_word_and_log2_of_the_length_for_all():
    assert entropy_bits(np.array([[1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])) == pytest.approx([0, 2, 1])


def test_the_regulariser_is_the_sum_of_squares_of_what_is_missing_to_tau():
    coverage = np.array([1.0, 0.0, 3.0, 0.2])
    assert regulariser(coverage, 1.0) == pytest.approx(0 + 1 + 4 + 0.64)
    assert regulariser(coverage, 0.5) == pytest.approx(0.25 + 0.25 + 6.25 + 0.09)
    assert neglected(coverage, 1.0) == [1, 3]
    assert overused(coverage, 1.0) == [2]
    assert overused(coverage, 1.5) == []


def test_rank_correlation_counts_ties_at_their_mean_rank():
    assert rank_correlation(np.array([1, 2, 3]), np.array([10, 20, 40])) == pytest.approx(1)
    assert rank_correlation(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1)
    assert rank_correlation(np.array([1, 2, 2, 4]), np.array([1, 3, 2, 4])) == pytest.approx(3 / math.sqrt(10))
    assert math.isnan(rank_correlation(np.array([1, 1]), np.array([1, 2])))
    assert math.isnan(rank_correlation(np.array([math.nan, 1]), np.array([1, 2])))


def test_alignment_error_rate_as_in_the_paper():
    pair = AlignedPair(
        text="", translation="", source=("a", "b"), target=("x", "y"),
        sure=frozenset({(0, 0)}), possible=frozenset({(0, 0), (1, 1)}),
    )  # fmt: skip
    assert alignment_error_rate([{(0, 0), (1, 1)}], [pair]) == pytest.approx(1 - (1 + 2) / (2 + 1))
    assert alignment_error_rate([{(0, 1), (1, 0)}], [pair]) == 1
    assert alignment_error_rate([{(0, 0), (1, 0)}], [pair]) == pytest.approx(1 - 2 / 3)
    assert strongest_links(np.array([[0.1, -0.9], [math.nan, 0.2]])) == [1, 1]


def test_thirty_pairs_are_aligned_by_hand_and_every_link_stands_between_words():
    pairs = aligned_pairs("fra-eng")
    assert len(pairs) == 30
    for pair in pairs:
        assert pair.sure <= pair.possible
        for row, column in pair.possible:
            assert row < len(pair.target)
            assert column < len(pair.source)
        assert {row for row, _ in pair.possible} == set(range(len(pair.target))), pair.translation
    assert pairs[0].sure >= {(1, 2), (2, 1)}  # the black cat, le chat noir
    assert aligned_pairs("cmn-eng") == ()
    assert aligned_name("tatoeba-fra-eng") == "fra-eng"


def test_the_words_of_the_aligned_pairs_are_those_of_the_encoder():
    from seqviz.models.loading import load_translator

    encoder = load_translator("fra-eng-attention").encoder
    for pair in aligned_pairs("fra-eng"):
        for text, words in ((pair.text, pair.source), (pair.translation, pair.target)):
            assert len(encoder.word_groups(encoder.encode(text).ids)) == len(words), text


def square(size: int) -> MapPanel:
    weights = np.random.default_rng(1).dirichlet(np.full(size, 0.1), size)
    words = tuple(f"mot{index}" for index in range(size))
    return MapPanel(title="", rows=words, columns=words, values=weights, marginals=True)


def test_a_map_of_60_by_60_stays_below_300_kilobytes_and_has_one_path_a_colour():
    figure = attention_figure([square(60)], name="tiny")
    assert len(figure.svg.encode()) + len(json.dumps(figure.payload).encode()) < 300_000
    assert figure.svg.count('<path class="s') <= 21


def test_the_map_says_in_words_where_each_target_word_looks():
    figure = attention_figure([grid_panel(attention_grid(translation()))], name="tiny")
    assert "Africa → Afrique 0.75" in figure.alt
    assert "Σᵢ (τ − Σₜ αₜⁱ)² = 0.125 for τ = 1.00." in figure.alt
    assert figure.alt.split(":")[0] in figure.svg
    assert figure.to_png()[:4] == b"\x89PNG"
    assert "var(" not in figure.to_svg()
    assert "hydrate" in figure.to_html()


def test_ribbons_are_as_wide_as_their_weight_and_the_tail_is_hidden():
    figure = ribbon_figure(attention_grid(translation(), "pieces"), name="tiny")
    assert figure.svg.count('class="rb"') == 7  # two of nine weights are 0
    assert figure.payload["panels"][0]["ribbons"]["threshold"] == 0.05
    assert "display" not in figure.svg.split('data-r="2" data-c="2"')[1].split("/>")[0]


@pytest.mark.parametrize("word", ["<script>", "a&b", "机器", "🙂", "\u202eabc", "x" * 80])
def test_any_word_can_stand_at_a_map(word: str):
    panel = MapPanel(title="", rows=(word,), columns=(word, "b"), values=np.array([[0.4, 0.6]]), marginals=True)
    figure = attention_figure([panel], name="tiny", t=translator("zh_CN"), language="zh-CN")
    assert "<script>" not in figure.svg
    assert figure.to_png()[:4] == b"\x89PNG"


def step() -> AttentionStep:
    rng = np.random.default_rng(3)
    left, right = rng.normal(size=4), rng.normal(size=(3, 4))
    scores = right @ left
    weights = np.exp(scores) / np.exp(scores).sum()
    states = rng.normal(size=(3, 5))
    return AttentionStep(
        model="tiny", score="additive", source=piece_text("Af|rique", "dort"), target=piece_text("Af|rica", "<eos>"),
        step=1, decoder_state=rng.normal(size=5), encoder_states=states, left=left, right=right, factor=1.0,
        scores=scores, weights=weights, context=weights @ states, candidate_tokens=np.array([1, 0]),
        candidate_log_probs=np.log([0.7, 0.2]), log_prob=math.log(0.7), names={0: "Af", 1: "rica"},
    )  # fmt: skip


def test_a_cell_in_both_notations_with_its_numbers():
    one = step()
    e, alpha = f"{one.scores[2]:.4f}", f"{one.weights[2]:.4f}"
    ng, d2l = (filled_cell(one, 2, notation=notation) for notation in ("ng", "d2l"))
    assert r"e^{\langle 2,3 \rangle}" in ng[0]
    assert ng[0].endswith(e.replace("−", "-"))
    assert r"\alpha^{\langle 2,3 \rangle}" in ng[1]
    assert ng[1].endswith(alpha)
    assert r"\alpha(\mathbf{s}_{2}, \mathbf{h}_{3})" in d2l[1]
    assert r"P(\text{rica}) = 0.7000" in ng[3]
    for score, part in (("additive", "tanh"), ("dot", "cdot"), ("cosine", "beta"), ("scaled_dot", "sqrt")):
        assert part in attention_equations(score, notation="ng")[0]
    with pytest.raises(UnknownNameError):
        attention_equations("none", notation="ng")
    with pytest.raises(InvalidInputError, match="column is 3"):
        filled_cell(one, 3, notation="ng")


def test_the_addends_of_a_score_come_biggest_first_and_add_up():
    terms = score_terms(step(), 1)
    sizes = [abs(term["product"]) for term in terms]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(term["product"] for term in terms) == pytest.approx(float(step().scores[1]))


def test_charts_of_a_step_are_valid_and_say_their_numbers():
    one = step()
    for chart in (weights_chart(one, column=1), next_pieces_chart(one)):
        assert chart.to_dict()["description"]
    assert "rica P 0.7000" in next_pieces_chart(one).to_dict()["description"]
    changed = changed_pieces_chart(["a", "b"], np.log([0.1, 0.9]), np.log([0.6, 0.4])).to_dict()
    assert "a: 0.100 → 0.600" in changed["description"]


def test_files_hold_every_weight_in_both_units():
    content = json.loads(attention_json(translation()))
    assert content["words"]["weights"] == [[0.75, 0.25], [0.0, 1.0]]
    assert content["pieces"]["weights"][1] == [0.1, 0.6, 0.3]
    assert content["words"]["regulariser"] == pytest.approx(0.125)
    lines = attention_csv(translation()).splitlines()
    assert lines[0] == "unit,row,target,column,source,weight"
    assert "words,0,Africa,1,dort,0.25" in lines
    assert len(lines) == 1 + 4 + 9


def test_rows_still_sum_to_one_by_words():
    weights = np.random.default_rng(2).dirichlet(np.ones(6), 5)
    words = by_words(weights, [(0, 2), (2, 5)], [(0, 1), (1, 4), (4, 6)])
    assert words.sum(1) == pytest.approx(1, abs=1e-12)
