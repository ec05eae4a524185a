"""The home page: the sentence, its picture, the cards, the models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened, write_models
from tests.helpers import write_tiny_checkpoint, write_tiny_translator

OPENING = "There is nothing to like in this movie."
VIEWS = ["Unroll", "Gradients", "Gates", "Units", "Decoding", "Lessons"]


def links(app: AppTest) -> dict[str, str]:
    """The way of every link, by its label without marks."""
    return {link.proto.label.strip("*"): link.proto.query_string for link in app.get("page_link")}


def subheaders(app: AppTest) -> list[str]:
    return [subheader.value for subheader in app.subheader]


def test_it_is_the_first_page_and_opens_on_a_sentence_with_a_card_a_view(opened: Opened):
    app = opened(page=None)
    assert app.title[0].value == "seqviz"
    assert app.text_input(key="text").value == OPENING
    assert app.selectbox(key="model").value == "sentiment-lstm"
    assert subheaders(app) == ["The views", "The models"]
    assert [title for title in links(app) if title in VIEWS] == VIEWS
    assert not app.warning


def test_a_typed_sentence_goes_along_into_the_views_of_one_sequence(opened: Opened):
    app = opened(page=None)
    app.text_input(key="text").set_value("Teddy bears & more").run()
    ways = links(app)
    for view in ("Unroll", "Gradients", "Gates"):
        assert ways[view] == "text=Teddy+bears+%26+more&model=sentiment-lstm"
    assert ways["Units"] == ways["Decoding"] == ""
    assert not app.exception


def test_a_plain_cell_shows_the_gates_of_its_sibling_and_says_whose_they_are(opened: Opened, models: Path):
    # In the folder that the backend reads, and gone again: other tests list what is there.
    folder = write_tiny_checkpoint(models, name="sentiment-rnn", task="classification", cell="rnn_tanh")
    try:
        app = opened(page=None, model="sentiment-rnn")
    finally:
        shutil.rmtree(folder)
    captions = [caption.value for caption in app.caption]
    assert "What is kept, what is overwritten, and when? (sentiment-gru)" in captions
    assert links(app)["Gates"].endswith("model=sentiment-gru")
    assert links(app)["Unroll"].endswith("model=sentiment-rnn")


def test_a_translation_is_offered_for_the_readers_own_sentence_in_its_language(opened: Opened, tmp_path):
    write_models(tmp_path)
    write_tiny_translator(tmp_path, name="fra-eng-attention")
    app = opened(page=None, root=tmp_path)
    assert links(app)["Translate"].startswith("source=Jane+visite")
    config = (tmp_path / "fra-eng-attention" / "config.json").read_text()
    assert '"family": "tiny-translation"' in config
    (tmp_path / "fra-eng-attention" / "config.json").write_text(config.replace("tiny-translation", "tiny-fra-eng"))
    app = opened(page=None, root=tmp_path, text="Le chat dort dans la maison.")
    assert links(app)["Translate"] == "source=Le+chat+dort+dans+la+maison.&translator=fra-eng-attention"
    app = opened(page=None, root=tmp_path, text="The cat is not in the house.")
    assert links(app)["Translate"].startswith("source=Jane+visite"), "no model here reads English"


@pytest.mark.parametrize("text", ["", "   ", "x " * 400])
def test_what_cannot_be_read_is_one_sentence_and_the_last_picture_stays(opened: Opened, text: str):
    app = opened(page=None)
    app.text_input(key="text").set_value(text).run()
    assert len(app.warning) == 1
    assert "Below: the last text that could be read." in [caption.value for caption in app.caption]
    assert subheaders(app)[0] == "The views"
    assert not app.exception


def test_one_word_without_a_loss_has_cards_all_the_same(opened: Opened):
    app = opened(page=None, text="T", model="shakespeare-lstm-2x512")
    assert [title for title in links(app) if title in VIEWS] == VIEWS
    assert not app.exception
    assert not app.warning


def test_every_model_stands_there_and_leads_to_its_card(opened: Opened, tmp_path):
    write_models(tmp_path)
    write_tiny_translator(tmp_path, name="fra-eng-attention")
    app = opened(page=None, root=tmp_path)
    ways = links(app)
    assert ways["Tiny classification (lstm)"] == "card=sentiment-lstm"
    assert ways["Words (gru)"] == "card=wikitext-gru"
    assert next(way for label, way in ways.items() if label.endswith("additive)")) == "card=fra-eng-attention"


def test_the_shipped_figures_stand_before_the_names(opened: Opened, monkeypatch):
    from app.ui.home_models import _line
    from seqviz.checkpoints import checkpoints_root, read_any
    from seqviz.i18n import english

    monkeypatch.delenv("SEQVIZ_CHECKPOINTS", raising=False)
    for name in ("sentiment-lstm", "entities-bilstm", "wikitext-gru", "cmn-eng-attention"):
        info = read_any(name, checkpoints_root())
        figure = info.figures[info.details["figure"]]
        digits = 2 if "nats" in info.details["figure"] else 1
        assert f"{figure:.{digits}f}" in _line(info, english)
        assert _line(info, english).endswith(info.title)


def test_without_a_model_it_says_how_to_get_one(opened: Opened, tmp_path):
    app = opened(page=None, root=tmp_path / "nowhere")
    assert [info.value for info in app.info] == ["No model is installed. Train one with: seqviz train shakespeare-lstm"]


def test_in_chinese_it_is_chinese(opened: Opened):
    app = opened(page=None, lang="zh_CN")
    assert subheaders(app) == ["各个视图", "模型"]
