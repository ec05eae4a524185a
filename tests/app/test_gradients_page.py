"""The Gradients page: every view, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened

PAGE = "app_pages/gradients.py"
WORDS = "wikitext-lstm"
CAT = "The cat , which ate fresh fish , was full ."


def charts(app: AppTest) -> int:
    return len(app.get("vega_lite_chart"))


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def losses(app: AppTest) -> list[str]:
    return list(app.selectbox(key="loss").options)


def test_the_example_goes_back_from_was_to_cat(opened: Opened):
    app = opened(page=PAGE)
    app.button(key="example-B4").click().run()
    assert app.selectbox(key="model").value == WORDS
    assert app.selectbox(key="loss").value == "12"
    assert losses(app)[-1] == "step 15: ‘.’ after ‘full’"
    assert "L = −log P(‘was’) = " in captions(app)
    assert "**wikitext-lstm** · From ‘,’ to ‘The’, 12 steps" in captions(app)
    assert charts(app) == 1
    assert not app.warning


def test_curves_of_the_other_cells_of_the_family_stand_beside(opened: Opened):
    app = opened(page=PAGE, model=WORDS, text=CAT)
    assert "**wikitext-gru**" in captions(app)
    alone = opened(page=PAGE, model=WORDS, text=CAT, beside="none")
    assert "**wikitext-gru**" not in captions(alone)


@pytest.mark.parametrize(
    ("state", "second"),
    [
        ({"beside": "text", "text2": "The cats were full ."}, "B · wikitext-lstm"),
        ({"beside": "model", "model2": "wikitext-gru"}, "B · wikitext-gru"),
    ],
)
def test_a_second_pass_is_drawn_and_taken_apart(opened: Opened, state: dict[str, str], second: str):
    app = opened(page=PAGE, model=WORDS, text=CAT, **state)
    assert [heading.value for heading in app.subheader] == ["A · wikitext-lstm", second]
    assert charts(app) == 2
    assert not app.warning


def test_another_loss_goes_back_from_its_own_step(opened: Opened):
    app = opened(page=PAGE, model=WORDS, text=CAT)
    app.selectbox(key="loss").set_value("3").run()
    assert app.query_params["loss"] in ("3", ["3"])
    app.selectbox(key="loss").set_value("sum").run()
    assert re.search(r"L = [\d.]+ nats, the sum over 10 steps", captions(app))


def test_a_factor_on_the_last_error_leaves_the_loss(opened: Opened):
    app = opened(page=PAGE, model=WORDS, text=CAT)
    before = re.search(r"= ([\d.]+) nats", captions(app))
    app.slider(key="multiplier").set_value(-2.0).run()
    after = re.search(r"= ([\d.]+) nats, at step 10; its last error times −2", captions(app))
    assert before is not None
    assert after is not None
    assert before[1] == after[1]


def test_the_moment_in_focus_is_taken_apart(opened: Opened):
    app = opened(page=PAGE, model=WORDS, text=CAT, focus="2.0.forward.5")
    written = "\n".join(element.value for element in app.markdown)
    assert "Step **3** of 11, `,` · layer 1 forward · unit **5**" in written
    assert (
        r"\frac{\partial L}{\partial c^{\langle 3\rangle}_{5}}" in written
        or r"\frac{\partial L}{\partial c_{5}" in written
    )
    assert "∂L/∂h of unit 5 at step 3 is " in captions(app)
    assert "states[2].grad[0, 5]" in app.code[0].value


@pytest.mark.parametrize("model", ["entities-bilstm", "sentiment-gru", "shakespeare-lstm-2x512"])
@pytest.mark.parametrize("view", ["time", "weights"])
def test_every_kind_of_model_is_shown_in_both_views(opened: Opened, model: str, view: str):
    app = opened(page=PAGE, model=model, text="Harry met Ron", view=view)
    assert charts(app) == (2 if view == "weights" else 1)
    assert not app.warning


def test_the_shared_matrix_says_its_proof(opened: Opened):
    app = opened(page=PAGE, view="weights", model=WORDS, text=CAT)
    found = re.search(r"Norm of the sum ([\d.e-]+), of autograd's gradient ([\d.e-]+); .* than (\S+) of", captions(app))
    assert found is not None
    assert float(found[1]) == pytest.approx(float(found[2]), rel=1e-9)
    assert float(found[3]) < 1e-10


@pytest.mark.parametrize(("view", "files"), [("weights", 8), ("dependency", 8)])
def test_the_other_views_have_files_of_their_charts_and_numbers(opened: Opened, view: str, files: int):
    app = opened(page=PAGE, view=view, model=WORDS, text=CAT, beside="none")
    assert len(app.get("download_button")) == files


def test_the_long_dependency_has_a_line_for_every_word_model(opened: Opened):
    app = opened(page=PAGE, view="dependency", clause="which ate the fresh pizza")
    assert charts(app) == 2
    assert captions(app).count("The right verb is the likelier one in") == 2
    assert "Not in the vocabulary, read as <unk>: pizza." in captions(app)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"one": "zebra"}, "'zebra' is not in the vocabulary of wikitext-gru."),
        ({"clause": "ate " * 61}, "The clause has 61 words; the limit is 60."),
    ],
)
def test_a_clause_that_cannot_be_read_is_said_in_a_sentence(opened: Opened, state: dict[str, str], sentence: str):
    app = opened(page=PAGE, view="dependency", **state)
    assert [warning.value for warning in app.warning] == [sentence]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is nothing to read yet: type at least one word."),
        ("word " * 5000, "The text has 5000 pieces; the limit is 200."),
        ("cat", "One piece has no next piece to be compared with: type at least two."),
    ],
)
def test_a_text_that_cannot_be_used_is_said_in_a_sentence(opened: Opened, text: str, sentence: str):
    app = opened(page=PAGE, beside="none", model=WORDS, text=CAT)
    app.text_input(key="text").set_value(text).run()
    assert [warning.value for warning in app.warning] == [sentence]
    assert "Below: the last text that could be read." in captions(app)
    assert charts(app) == 1


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> a", "你好 世界 🐈", "$\\frac{a}{b}$ `x` **b**", "مرحبا بالعالم"]
)
def test_odd_texts_are_read(opened: Opened, text: str):
    app = opened(page=PAGE)
    app.text_input(key="text").set_value(text).run()
    assert not app.exception
    assert not app.warning


def test_a_broken_link_still_opens_a_picture(opened: Opened):
    app = opened(
        page=PAGE, model="none", loss="999", view="x", scale="y", quantity="z", layer="9", curve="q", focus="9.9.up.9"
    )
    assert not app.exception
    assert charts(app) == 1


def test_every_sentence_of_the_page_is_chinese_in_chinese(opened: Opened):
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for view in ("time", "weights", "dependency"):
        app = opened(page=PAGE, view=view, lang="zh_CN")
        for element in [*app.caption, *app.title]:
            assert chinese.search(element.value), element.value
        for element in [*app.selectbox, *app.text_input, *app.slider]:
            assert chinese.search(element.label), element.label
