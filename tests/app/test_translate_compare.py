"""The view "Side by side" of the Translate page: every search, BLEU, the URL, and all that can be wrong."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator

PAGE = "app_pages/translate.py"
MODEL = "fra-eng-attention"
SOURCE, REFERENCE = "Le chat dort.", "The cat is sleeping."


@pytest.fixture(autouse=True)
def translator(models: Path) -> None:
    """A tiny model under the name of the examples'."""
    if not (models / MODEL).exists():
        write_tiny_translator(models, name=MODEL)


def compare(opened: Opened, **query: str) -> AppTest:
    """The view, once every search has answered."""
    app = opened(page=PAGE, view="compare", **{"source": SOURCE, "reference": REFERENCE, "budget": "200", **query})
    end = time.monotonic() + 60
    while "…<" in table(app):
        assert time.monotonic() < end, table(app)
        time.sleep(0.1)
        app.run()
        assert not app.exception
    return app


def table(app: AppTest) -> str:
    return next((html.proto.body for html in app.get("html") if '<table class="sv-compared">' in html.proto.body), "")


def names(app: AppTest) -> list[str]:
    return re.findall(r'<th scope="row">(.*?)</th>', table(app))


def query(app: AppTest, name: str) -> str | None:
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def test_every_search_has_a_line_with_its_numbers(opened: Opened):
    app = compare(opened)
    assert not app.warning
    assert names(app) == [
        "Greedy", "Beam, B = 1", "Beam, B = 2", "Beam, B = 5", "Beam, B = 10", "Beam, B = 20", "Sampling", "Exact",
    ]  # fmt: skip
    found = table(app)
    assert found.count('data-label="log P"') == 8
    assert found.count('data-label="BLEU, lecture"') == 8
    assert "the best of 5 samples" in found
    assert re.search("proven: of all sequences none scores higher|not proven with a budget of 200", found)
    assert len(app.get("vega_lite_chart")) == 2
    assert app.subheader[0].value == "BLEU of Beam, B = 5, n-gram by n-gram"
    assert r"\mathrm{BLEU} = e^{\min(0" in "".join(latex.value for latex in app.latex)


def test_the_reader_chooses_beams_alpha_and_lines_and_the_link_shows_them(opened: Opened):
    app = compare(opened, beams="3", score_alpha="0.75", budget="0", seed="7", row="greedy", against="sampling")
    assert names(app) == ["Greedy", "Beam, B = 3", "Sampling"]
    assert 'data-label="score, α = 0.75"' in table(app)
    assert app.selectbox(key="row").value == "greedy"
    assert app.selectbox(key="against").value == "sampling"
    assert app.number_input(key="seed").value == 7
    app.selectbox(key="row").set_value("sampling").run()
    assert query(app, "row") == "sampling"
    assert app.subheader[0].value.startswith("BLEU of Sampling")


def test_without_a_reference_there_is_no_bleu_and_that_is_said(opened: Opened):
    app = compare(opened, source="Tom est en France.", reference="", budget="0")
    assert "BLEU" not in table(app)
    assert not app.subheader
    assert any(caption.value == "With a human translation, BLEU stands here." for caption in app.caption)


def test_an_example_brings_its_reference_and_another_sentence_drops_it(opened: Opened):
    app = opened(page=PAGE, view="compare", budget="0")
    assert app.text_area(key="reference").value == "Jane visits Africa in September."
    assert query(app, "reference") is None
    app.text_area(key="reference").set_value("Jane is in Africa.\n\nJane goes.").run()
    assert query(app, "reference") == "Jane is in Africa.\n\nJane goes."
    app.text_input(key="source").set_value("Tom est en France.").run()
    assert app.text_area(key="reference").value == ""
    app.button(key="translation-example-R3").click().run()
    assert app.text_area(key="reference").value == "Do you want to sing with me?"
    assert not app.exception


def test_too_many_references_are_said(opened: Opened):
    app = compare(opened, reference="\n".join(f"a {n}" for n in range(12)), budget="0")
    assert [w.value for w in app.warning] == ["Of 12 translations the first 8 are used."]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("   ", "There is nothing to translate yet: type at least one word."),
        ("chat " * 300, "pieces; the limit is 200."),
    ],
)
def test_what_cannot_be_translated_is_said_once(opened: Opened, text: str, sentence: str):
    app = compare(opened, source=text)
    assert len(app.warning) == 1
    assert sentence in app.warning[0].value
    assert not table(app)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "🐈 $x$ مرحبا", "机器学习", "\x07`|"])
def test_odd_sentences_and_references_are_compared(opened: Opened, text: str):
    app = compare(opened, source=text, reference=text, budget="0")
    assert not app.warning
    assert "<script>" not in table(app)


def test_a_broken_link_still_opens_the_view(opened: Opened):
    app = compare(
        opened, beams="x", score_alpha="much", seed="-", temperature="hot", row="?", against="!", budget="9", top_p="2"
    )
    assert names(app)[0] == "Greedy"
    assert not app.warning


def test_the_lectures_examples_are_counted_by_hand(opened: Opened):
    app = compare(opened, budget="0")
    chips = next(h.proto.body for h in app.get("html") if "<b>the</b> 2/7" in h.proto.body)
    assert "2/7 = 0.286" in chips
    app.button(key="by-hand-letters").click().run()
    assert r"\left(\tfrac{1}{3}\right)^{1/8}" in app.latex[-1].value
    app.toggle(key="by_hand_lower").set_value(False).run()
    app.button(key="by-hand-the").click().run()
    assert any("<b>the</b> 1/7" in h.proto.body for h in app.get("html"))
    app.text_area(key="candidate").set_value(" ").run()
    assert any(info.value == "A candidate and at least one reference are needed." for info in app.info)
    assert not app.exception


def test_every_sentence_of_the_view_is_chinese_in_chinese(opened: Opened):
    chinese = re.compile(r"[\u4e00-\u9fff]")
    app = compare(opened, lang="zh_CN", budget="0")
    for element in [*app.caption, *app.subheader]:
        assert chinese.search(element.value), element.value
    for element in [*app.selectbox, *app.number_input, *app.slider, *app.text_area]:
        assert chinese.search(element.label), element.label
    assert "贪心搜索" in table(app)
