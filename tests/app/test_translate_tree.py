"""The search tree of a typed sentence without a browser: every input, every state of its URL, everything wrong."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.backend import backend
from app.ui.translate_tree_inputs import FORBIDDEN_KEY, MARK, SEARCH_KEY
from seqviz.backends.translation_requests import SearchRequest
from seqviz.config import DecodeConfig
from seqviz.translations import TranslationSearch
from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator

PAGE = "app_pages/translate.py"
MODEL = "fra-eng-attention"
SENTENCE = "Le chat dort."


@pytest.fixture(scope="module", autouse=True)
def translators(models: Path) -> Iterator[None]:
    """Two tiny translators beside the other tiny models."""
    added = [models / name for name in (MODEL, "eng-fra-multi30k") if not (models / name).exists()]
    for number, folder in enumerate(added):
        write_tiny_translator(models, name=folder.name, seed=number + 1, score=("additive", "dot")[number])
    yield
    for folder in added:
        shutil.rmtree(folder)


def open_tree(opened: Opened, **state: str) -> AppTest:
    """The page with its exact search done."""
    app = opened(page=PAGE, **{"source": SENTENCE, "lengths": "0-8", **state})
    return settled(app)


def settled(app: AppTest) -> AppTest:
    end = time.monotonic() + 60
    while any("exact search is looking" in caption.value for caption in app.caption) or working(app):
        assert time.monotonic() < end
        time.sleep(0.05)
        app.run()
        assert not app.exception
    return app


def working(app: AppTest) -> bool:
    """Whether a long exact search is under way."""
    return any(element.proto.text.startswith(("starting", "running")) for element in app.get("progress")) or any(
        button.key == "proof-pause" and not button.disabled for button in app.button
    )


def go_to(app: AppTest, page: str) -> None:
    """As a link of the navigation does: the query is left behind."""
    for name in list(app.query_params):
        del app.query_params[name]
    app.switch_page(page).run()
    assert not app.exception


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def words(app: AppTest) -> str:
    """Everything said about the result."""
    return " ".join(element.proto.body for element in app.get("html"))


def found(**options) -> TranslationSearch:
    """The same search, asked for by hand."""
    config = DecodeConfig(**{"beam_size": 5, "max_length": 8, "alpha": 1.0, **options})
    return backend().ask(SearchRequest(model=MODEL, text=SENTENCE, config=config))


def shown_tree(app: AppTest) -> str:
    return app.session_state[f"{MARK}good"].search


def test_the_page_shows_the_winner_of_a_beam_of_five_with_its_numbers(opened: Opened):
    app = open_tree(opened)
    answer = found()
    row = answer.search.best
    assert row is not None
    log_prob, length = float(answer.search.log_prob[row]), int(answer.search.step[row])
    said = words(app)
    assert f"Beam 5 · log P {log_prob:.3f} · L = {length} · score {log_prob / length:.4f}".replace("-", "−") in said
    assert not app.warning


def test_the_optimum_is_proven_or_its_bound_is_said(opened: Opened):
    app = open_tree(opened, budget="3000")
    assert "proven after" in words(app) or "Not proven within" in words(app)
    exact = found(search="exact", alpha=0.0, max_expansions=3000)
    if exact.search.proven:
        assert f"{exact.search.expansions} hypotheses" in words(app)


def test_the_way_back_from_another_page_brings_the_sentence_and_not_that_pages_settings(opened: Opened):
    app = open_tree(opened, beam="3")
    go_to(app, "app_pages/decoding.py")
    left = query(app)
    assert left["beam"] == "2", "the table's own"
    # As the browser's back does: the query of the page that was left comes along.
    app.switch_page(PAGE).run()
    settled(app)
    assert app.session_state["source"] == SENTENCE
    assert query(app)["beam"] == "3"
    assert query(app)["lengths"] == "0-8"


@pytest.mark.parametrize("name", ["beam", "greedy", "exact", "sampling", "diverse"])
def test_every_search_has_its_tree_and_its_link(opened: Opened, name: str):
    app = open_tree(opened, search=name, beam="4")
    assert not app.warning
    assert shown_tree(app) == name
    assert query(app).get("search", "beam") == name
    assert query(app)["beam"] == "4"


def test_the_settings_of_a_link_are_the_searchs_own(opened: Opened):
    app = open_tree(opened, beam="3", alpha="0.5", coverage="0.4", on="true", budget="100")
    config = app.session_state[f"{MARK}good"].config
    assert (config.beam_size, config.min_length, config.max_length) == (3, 0, 8)
    assert config.coverage == pytest.approx(0.4)
    assert config.stopping == "all"
    assert "at α = 0.5" in words(app)
    assert app.session_state[f"{MARK}good"].budget == 100


@pytest.mark.parametrize(
    "state",
    [
        {"beam": "999"},
        {"beam": "x"},
        {"lengths": "9"},
        {"lengths": "400-2"},
        {"alpha": "nan"},
        {"alpha": "7"},
        {"search": "magic"},
        {"prefix": "999999"},
        {"prefix": "3.3"},
        {"prefix": "1.2"},
        {"prefix": "a.b"},
        {"forbidden": "-1"},
        {"budget": "5"},
    ],
)
def test_what_a_link_cannot_mean_is_left_out(opened: Opened, state: dict[str, str]):
    app = open_tree(opened, **state)
    assert not app.warning
    assert app.get("html")


def test_a_forced_beginning_is_kept_in_the_link_and_can_be_freed(opened: Opened):
    first = found().search
    prefix = first.tokens(first.finished[-1])[:2]
    text = ".".join(map(str, prefix))
    app = open_tree(opened, prefix=text)
    assert query(app)["prefix"] == text
    assert any("Forced beginning" in element.value for element in app.markdown)
    assert app.session_state[f"{MARK}good"].config.prefix == prefix
    app.button(key="free-prefix").click().run()
    assert "prefix" not in query(app)
    app.button(key="undo-prefix").click().run()
    assert query(app)["prefix"] == text
    settled(app)


def test_typed_words_are_forced_as_pieces_of_the_model(opened: Opened):
    app = open_tree(opened)
    app.text_input(key=f"{MARK}begin").set_value("Jane is").run()
    settled(app)
    assert "Jane is" in next(element.value for element in app.markdown if "Forced beginning" in element.value)
    assert app.session_state[f"{MARK}good"].config.prefix


def test_another_sentence_drops_the_beginning_and_the_forbidden_pieces(opened: Opened):
    token = found().search.tokens(1)[0]
    app = open_tree(opened, prefix=str(token), forbidden="300")
    assert query(app)["prefix"] == str(token)
    app.text_input(key="source").set_value("Tom est en France.").run()
    settled(app)
    assert "prefix" not in query(app)
    assert "forbidden" not in query(app)
    assert app.session_state[f"{MARK}good"].config.prefix == ()


def test_another_model_drops_the_beginning(opened: Opened):
    token = found().search.tokens(1)[0]
    app = open_tree(opened, prefix=str(token))
    app.selectbox(key="translator").set_value("eng-fra-multi30k").run()
    settled(app)
    assert "prefix" not in query(app)


def test_a_forbidden_piece_is_in_no_hypothesis(opened: Opened):
    search = found().search
    assert search.best is not None
    token = search.tokens(search.best)[0]
    app = open_tree(opened)
    app.multiselect(key=FORBIDDEN_KEY).set_value([token]).run()
    settled(app)
    assert query(app)["forbidden"] == str(token)
    assert token in app.session_state[f"{MARK}good"].config.forbidden
    assert found(forbidden=(token,)).best is not None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "nothing to translate"), ("   ", "nothing to translate"), ("chat " * 300, "the limit is 200")],
)
def test_a_sentence_that_cannot_be_read_is_answered_in_place_and_the_last_picture_stays(
    opened: Opened, text: str, sentence: str
):
    app = open_tree(opened)
    before = words(app)
    app.text_input(key="source").set_value(text).run()
    settled(app)
    assert any(sentence in warning.value for warning in app.warning)
    assert any(SENTENCE in caption.value for caption in app.caption)
    assert words(app) == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("🙂", "no word"),
        ("?!…", "no word"),
        ("机器学习", "byte by byte"),
        ("<script>alert(1)</script>", "Markup"),
    ],
)
def test_an_odd_sentence_is_searched_and_said_to_be_odd(opened: Opened, text: str, sentence: str):
    app = open_tree(opened, source=text)
    assert any(sentence in info.value for info in app.info)
    assert "<script" not in words(app)


def test_a_minimum_length_that_leaves_no_room_still_answers(opened: Opened):
    app = open_tree(opened, lengths="8-8")
    assert not app.exception
    assert app.session_state[f"{MARK}good"].config.min_length == 7


def test_both_pages_with_a_tree_keep_their_own_settings(opened: Opened):
    app = open_tree(opened, beam="3", alpha="0.5")
    go_to(app, "app_pages/decoding.py")
    assert app.number_input(key="beam").value == 2
    go_to(app, PAGE)
    settled(app)
    assert app.number_input(key=f"{MARK}beam").value == 3
    assert "at α = 0.5" in words(app)


def test_the_score_stands_in_both_notations(opened: Opened):
    assert r"y^{\langle t \rangle}" in open_tree(opened).latex[0].value
    assert r"\mathbf{c}" in open_tree(opened, notation="d2l").latex[0].value


def test_the_page_speaks_chinese(opened: Opened):
    app = open_tree(opened, lang="zh_CN")
    assert app.segmented_control(key=SEARCH_KEY).label == "搜索树"
    assert "束搜索 5 · log P" in words(app)
