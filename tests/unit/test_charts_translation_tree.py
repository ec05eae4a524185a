"""The search for a translation as a tree and as sentences: pieces read as words, every number the search's own."""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from seqviz.charts.search_story import search_story, winner_of
from seqviz.charts.translation_tree import DRAWN, default_rows, translation_tree_figure
from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import TableModel
from seqviz.i18n import english, translator
from seqviz.text.piece_encoder import joined
from seqviz.translation_searches import TranslationSearches, exact_config, greedy_config, with_exact
from seqviz.translations import PieceText, TranslationSearch
from tests.unit.decoding.random_model import RandomModel

NAMESPACE = "{http://www.w3.org/2000/svg}"
PIECES = {"A": "▁sing", "B": "ing", "C": "▁l", "D": "'‿", "<eos>": "<eos>"}


def translation(trace) -> TranslationSearch:
    """A search on a table, its symbols taken for pieces."""
    trace = replace(trace, names={token: PIECES.get(name, name) for token, name in trace.names.items()})

    def text(row: int) -> PieceText:
        pieces = tuple(trace.names[token] for token in trace.tokens(row))
        words = tuple((place, place + 1) for place in range(len(pieces)))
        plain = joined([piece for piece in pieces if piece != "<eos>"])
        return PieceText(text=plain, ids=trace.tokens(row), pieces=pieces, words=words, labels=pieces)

    source = PieceText(text="chanter", ids=(4,), pieces=("▁chanter",), words=((0, 1),), labels=("chanter",))
    return TranslationSearch(
        model="table", source=source, search=trace, targets={row: text(row) for row in trace.finished}
    )


def searches_of(preset: str, *, alpha: float = 0.0, exact: bool = True) -> TranslationSearches:
    """All searches of one of the by-hand tables."""
    chosen = PRESETS[preset]
    model = TableModel(chosen.table)

    def run(config: DecodeConfig, watch=()) -> TranslationSearch:
        return translation(search(model, config, watch=watch))

    config = DecodeConfig(
        beam_size=chosen.beam_size,
        min_length=chosen.min_length,
        max_length=chosen.max_length,
        stopping="all" if chosen.go_on else "n_best",
        alpha=alpha,
        candidates=1,
    )
    beam = run(config)
    found = TranslationSearches(shown=beam, greedy=run(greedy_config(config)), beam=beam)
    return with_exact(found, run(exact_config(config)), run) if exact else found


def words(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{NAMESPACE}text")]


def test_results_are_sentences_and_nodes_are_pieces():
    figure = translation_tree_figure(searches_of("syllabus"))
    shown = words(figure.svg)
    assert {"sing", "·ing"} <= set(shown)
    assert "sing ling" in shown, "the winner A C B <eos>, pieces joined"
    assert any(text.startswith("Greedy: singing l (P = 0.048") for text in shown)
    assert '<tspan class="pm">·</tspan>ing' in figure.svg
    place = figure.payload["names"].index("sing")
    assert figure.payload["spelled"][place] == "▁sing"
    assert figure.payload["finished"][0][3] == "sing ling"


def test_the_optimum_that_the_beam_lost_has_rank_and_margin_though_it_was_no_candidate():
    searches = searches_of("missed")
    assert searches.optimum is not None
    figure = translation_tree_figure(searches)
    assert "the optimum is lost here" in " ".join(words(figure.svg))
    story = search_story(searches, 0.0, english)
    assert "The optimum is lost at step 1: rank 3, 0.182 nats behind the last survivor." in story
    assert "proven after" in " ".join(story)


def test_the_story_says_where_greedy_leaves_the_beam():
    story = search_story(searches_of("syllabus"), 0.0, english)
    # 0.4 against 0.3 at the second step; 0.054 against 0.048 in the end.
    assert story[0].startswith("Beam 2 finds what greedy misses: at step 2 greedy takes “·ing”, ")
    assert f"{math.log(0.054 / 0.048):.3g}" in story[0]
    assert story[1].startswith("The most probable translation of all is the beam's own: proven after ")


def test_without_the_exact_search_nothing_is_said_of_the_optimum():
    searches = searches_of("syllabus", exact=False)
    assert searches.optimum is None
    assert len(search_story(searches, 0.0, english)) == 1
    assert "Optimum" not in " ".join(words(translation_tree_figure(searches).svg))


def test_an_unproven_optimum_is_a_bound_and_no_flag():
    searches = searches_of("missed", exact=False)
    model = TableModel(PRESETS["missed"].table)
    exact = translation(search(model, DecodeConfig(search="exact", beam_size=1, max_length=3, max_expansions=1)))
    assert not exact.search.proven
    open_one = replace(searches, exact=exact)
    assert open_one.optimum is None
    assert "lost here" not in " ".join(words(translation_tree_figure(open_one).svg))
    assert search_story(open_one, 0.0, english)[-1].startswith("Not proven within ")


def test_an_empty_optimum_is_called_the_models_fault():
    searches = searches_of("length", alpha=1.0)
    exact = searches.exact
    assert exact is not None
    best = exact.search.best
    assert best is not None
    story = " ".join(search_story(searches, 1.0, english))
    winner = winner_of(searches.beam, 1.0)
    assert winner is not None
    assert len(winner.tokens) == 6
    assert len(exact.search.tokens(best)) == 2
    assert "It has 2 pieces against 6" in story
    assert "ranks it lower at α = 1" in story


def test_the_winner_at_an_alpha_is_that_of_the_formula():
    beam = searches_of("length").beam
    assert beam is not None
    winner = winner_of(beam, 1.0)
    assert winner is not None
    assert winner.score == pytest.approx(winner.log_prob / len(winner.tokens), abs=1e-12)
    scores = [float(beam.search.log_prob[row]) / int(beam.search.step[row]) for row in beam.search.finished]
    assert winner.score == pytest.approx(max(scores), abs=1e-12)


def test_a_beam_of_sixty_four_stays_small_and_few_rows_are_open():
    model = RandomModel(60, 3, sharpness=1.2)
    found = translation(search(model, DecodeConfig(beam_size=64, max_length=15)))
    figure = translation_tree_figure(TranslationSearches(shown=found, beam=found))
    assert len(figure.payload["nodes"]["parent"]) <= DRAWN + 40
    assert len(figure.svg) + len(repr(figure.payload)) < 300_000
    assert default_rows(found.search.config) == 14
    assert default_rows(DecodeConfig()) == 8


def test_nothing_that_is_shown_hangs_on_what_is_folded():
    model = RandomModel(60, 3, sharpness=1.2)
    found = translation(search(model, DecodeConfig(beam_size=20, max_length=12)))
    figure = translation_tree_figure(TranslationSearches(shown=found))
    groups = next(e for e in ET.fromstring(figure.svg).iter(f"{NAMESPACE}g") if "sv-nodes" in (e.get("class") or ""))
    hidden = [group.get("display") == "none" for group in groups]
    parents = figure.payload["nodes"]["parent"]
    assert any(hidden)
    assert not [place for place, parent in enumerate(parents) if parent > 0 and hidden[parent] and not hidden[place]]


def test_the_tree_speaks_chinese():
    t = translator("zh_CN")
    searches = searches_of("missed")
    assert "最优" in " ".join(search_story(searches, 0.0, t))
    assert "第 1 步" in " ".join(words(translation_tree_figure(searches, t=t).svg))
