"""The Attention page by hand: every view, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.backend import backend
from seqviz.attention import AttentionEdit
from seqviz.attention_edits import edits_text, parse_edits
from seqviz.backends.translation_requests import ForcedRequest
from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator, write_tiny_tuned

PAGE = "app_pages/attention.py"
CAT = "Le chat dort."


@pytest.fixture(scope="module", autouse=True)
def translators(models: Path) -> Iterator[None]:
    """A tiny translator with attention and its twin without, only as long as these tests need them."""
    made = []
    for name, score in (("fra-eng-attention", "additive"), ("fra-eng-plain", "none")):
        if not (models / name).exists():
            write_tiny_translator(models, name=name, score=score)
            made.append(name)
    # A busy machine may need longer for the first answer, which loads the model, than a reader's question has.
    backend().ask(ForcedRequest(model="fra-eng-attention", text=CAT, target="The cat."), deadline_seconds=100)
    yield
    for name in made:
        shutil.rmtree(models / name)


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption))


@pytest.fixture
def tuned(models: Path) -> Iterator[None]:
    """Fine-tuned twins, only as long as one test needs them."""
    made = [
        write_tiny_tuned(models, name="fra-eng-even", base="fra-eng-attention", penalty=1.5),
        write_tiny_tuned(models, name="fra-eng-control", base="fra-eng-attention"),
        write_tiny_tuned(models, name="fra-eng-cosine", base="fra-eng-attention", score="cosine"),
    ]
    yield
    for folder in made:
        shutil.rmtree(folder)


@pytest.mark.parametrize("view", ["heatmap", "edit", "explain", "good", "scores", "compare"])
def test_every_view_opens_on_a_worked_example(opened: Opened, view: str):
    app = opened(page=PAGE, view=view)
    assert not app.warning
    assert app.text_input(key="source").value == "Jane visite l'Afrique en septembre."


def test_the_cell_in_the_link_is_taken_apart_in_the_notation_of_the_link(opened: Opened):
    app = opened(page=PAGE, cell="1.2", unit="pieces", source=CAT, notation="d2l")
    assert r"\alpha(\mathbf{s}_{1}, \mathbf{h}_{2})" in said(app)
    assert query(app)["cell"] == "1.2"
    ng = opened(page=PAGE, cell="1.2", unit="pieces", source=CAT)
    assert r"\alpha^{\langle 1,2 \rangle}" in said(ng)
    assert any("load_translator('fra-eng-attention')" in code.value for code in ng.code)


@pytest.mark.parametrize("cell", ["99.99", "x", "1", "0.0", "-1.2", "<script>"])
def test_a_cell_that_is_not_there_gives_way(opened: Opened, cell: str):
    app = opened(page=PAGE, cell=cell, source=CAT)
    assert not app.warning
    assert "of its attention to" in said(app)


@pytest.mark.parametrize("which", ["beam-2", "greedy", "own"])
def test_each_translation_can_be_looked_at(opened: Opened, which: str):
    app = opened(page=PAGE, which=which, own="The cat is in France.", source=CAT)
    assert app.selectbox(key="which").value == which
    assert query(app)["which"] == which
    if which == "own":
        assert app.text_input(key="own").value == "The cat is in France."


def test_an_empty_translation_of_one_s_own_is_a_sentence(opened: Opened):
    app = opened(page=PAGE, which="own", own=" ", source=CAT)
    assert "translation is empty" in app.warning[0].value


def test_ribbons_and_pieces_stand_in_the_url(opened: Opened):
    app = opened(page=PAGE, source=CAT)
    app.segmented_control(key="reading").set_value("ribbons").run()
    app.segmented_control(key="unit").set_value("pieces").run()
    assert {name: query(app)[name] for name in ("reading", "unit")} == {"reading": "ribbons", "unit": "pieces"}


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_sentence_is_a_sentence(opened: Opened, text: str):
    app = opened(page=PAGE, source=text or " ")
    assert "nothing to translate" in app.warning[0].value


def test_a_sentence_that_is_too_long_is_a_sentence_with_the_limit(opened: Opened):
    app = opened(page=PAGE, source="chat " * 300)
    assert "the limit is 200" in app.warning[0].value


@pytest.mark.parametrize("text", ["🙂", "<script>alert(1)</script>", "机器学习", "$x_1$ **b** `c`"])
def test_odd_sentences_have_their_map(opened: Opened, text: str):
    app = opened(page=PAGE, source=text)
    assert not app.warning


@pytest.mark.parametrize("view", ["heatmap", "edit", "explain"])
def test_a_model_without_attention_says_so(opened: Opened, view: str):
    app = opened(page=PAGE, view=view, translator="fra-eng-plain", source=CAT)
    assert "has no attention" in app.info[0].value


def test_forcing_changes_the_translation_and_undo_brings_it_back(opened: Opened):
    app = opened(page=PAGE, view="edit", source=CAT)
    app.selectbox(key="at").set_value("2").run()
    app.selectbox(key="force-word").set_value(1).run()
    app.button(key="force").click().run()
    assert query(app)["edits"] == "2f2"
    assert "all attention forced to **chat**" in said(app)
    app.button(key="freeze").click().run()
    assert query(app)["edits"] == "2z"
    app.button(key="undo-edit").click().run()
    assert query(app)["edits"] == "2f2"
    app.button(key="undo-edit").click().run()
    assert "edits" not in query(app)
    assert app.button(key="undo-edit").disabled


def test_edits_in_the_link_hold(opened: Opened):
    app = opened(page=PAGE, view="edit", source=CAT, edits="1f1.2w0-500-500-0.3z")
    assert "From step 3 on the attention is frozen." in said(app)
    assert not app.warning


@pytest.mark.parametrize("edits", ["99f1", "1f99", "1w1-2", "1w0-0-0-0"])
def test_an_edit_that_does_not_fit_is_a_sentence_with_a_way_out(opened: Opened, edits: str):
    app = opened(page=PAGE, view="edit", source=CAT, edits=edits)
    assert len(app.warning) == 1
    next(button for button in app.button if button.label == "Undo all edits").click().run()
    assert not app.warning


@pytest.mark.parametrize("edits", ["x", "1q", "1f", "<b>"])
def test_an_edit_that_is_none_is_ignored(opened: Opened, edits: str):
    app = opened(page=PAGE, view="edit", source=CAT, edits=edits)
    assert not app.warning
    assert app.button(key="undo-edit").disabled


def test_another_sentence_drops_the_edits(opened: Opened):
    app = opened(page=PAGE, view="edit", source=CAT, edits="1f1")
    app.text_input(key="source").set_value("Tom est en France.").run()
    assert "edits" not in query(app)
    assert not app.warning


def test_edits_are_written_as_they_are_read():
    edits = (
        AttentionEdit(step=4, kind="force", word=5),
        AttentionEdit(step=6, kind="set", weights=(0.25, 0.75)),
        AttentionEdit(step=7, kind="freeze"),
    )
    assert edits_text(edits) == "5f6.7w250-750.8z"
    assert parse_edits("5f6.7w250-750.8z") == edits
    assert edits_text(()) == ""


def test_the_readings_stand_beside_each_other_and_the_hand_aligned_pairs_follow(opened: Opened):
    app = opened(page=PAGE, view="explain", source=CAT)
    tables = [list(frame.value.columns) for frame in app.dataframe]
    assert ["source word", "Attention", "Gradient × input", "Word left out"] in tables
    assert any("Is attention alignment?" in one.value for one in app.subheader)


def test_the_twin_translates_the_same_sentence(opened: Opened):
    app = opened(page=PAGE, view="compare", source=CAT)
    assert not app.info
    text = said(app)
    assert "Tiny translation (additive)" in text
    assert "Tiny translation (none)" in text
    assert "has not been measured by length yet" in text


@pytest.mark.usefixtures("tuned")
@pytest.mark.parametrize("model", ["fra-eng-attention", "fra-eng-plain", "fra-eng-cosine"])
def test_the_regularised_model_stands_beside_those_without(opened: Opened, model: str):
    app = opened(page=PAGE, view="good", source=CAT, translator=model)
    assert not app.info
    table = app.dataframe[0].value
    assert list(table["model"]) == ["Before fine-tuning", "Without: fine-tuned alike", "With the regulariser"]
    assert list(table["λ"]) == [0.0, 0.0, 1.5]
    assert list(table["BLEU"]) == [0.0, 1.5, 1.5]
    # The same pieces through each model: the values differ because the weights do.
    assert table["Σᵢ (τ − Σₜ αₜⁱ)²"].between(0, 50).all()
    assert "with λ = 1.5, τ = 1" in said(app)
    assert r"trained the same parameters (score.\*)" in said(app)


@pytest.mark.usefixtures("tuned")
def test_the_score_functions_stand_beside_each_other_and_the_untrained_ones_say_so(opened: Opened):
    app = opened(page=PAGE, view="scores", source=CAT, unit="pieces", notation="d2l")
    assert not app.info
    assert list(app.dataframe[0].value["score"]) == ["additive", "cosine"]
    text = said(app)
    assert "trained: fra-eng-cosine, BLEU 1.50" in text
    assert "the decoder's have 8 and the encoder's 8" not in text
    assert text.count("not trained") == 3
    assert r"{\mathbf{s}_{t}}^\top W \mathbf{h}_{t'}" in text


@pytest.mark.parametrize(("view", "recipe"), [("good", "fra-eng-regularised"), ("scores", "fra-eng-scaled-dot")])
def test_without_twins_a_sentence_says_how_to_train_one(opened: Opened, view: str, recipe: str):
    app = opened(page=PAGE, view=view, source=CAT)
    assert f"seqviz train {recipe}" in app.info[0].value
    assert not app.warning


@pytest.mark.usefixtures("tuned")
def test_a_fine_tuned_model_is_offered_behind_the_whole_ones(opened: Opened):
    app = opened(page=PAGE, source=CAT, translator="fra-eng-cosine")
    assert app.selectbox(key="translator").options[0] == "Tiny translation (additive)"
    assert all("fine-tuned" in option for option in app.selectbox(key="translator").options[-3:])
    assert r"\lVert" in said(app)


def test_a_page_of_another_language_has_its_sentences(opened: Opened):
    app = opened(page=PAGE, source=CAT, lang="zh_CN")
    assert "注意力" in said(app)


@pytest.mark.parametrize("view", ["heatmap", "edit", "explain"])
@pytest.mark.parametrize("text", ["", "   ", "le " * 300], ids=["empty", "blank", "long"])
def test_a_text_that_cannot_be_read_leaves_the_last_picture(opened: Opened, view: str, text: str):
    app = opened(page="app_pages/attention.py", view=view, source=CAT)
    before = len(app.get("bidi_component"))
    assert before > 0
    app.text_input(key="source").set_value(text).run()
    assert not app.exception
    assert len(app.warning) == 1
    assert "Below: the last text that could be read." in said(app)
    assert len(app.get("bidi_component")) == before


def test_a_link_to_a_text_that_cannot_be_read_is_one_sentence(opened: Opened):
    app = opened(page="app_pages/attention.py", source=" ")
    assert [one.value for one in app.warning] == ["There is nothing to translate yet: type at least one word."]
    assert "Below:" not in said(app)
