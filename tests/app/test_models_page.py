from __future__ import annotations

from tests.app.conftest import Opened, write_models
from tests.helpers import write_tiny_translator, write_tiny_tuned

PAGE = "app_pages/models.py"


def test_every_model_is_listed_and_its_card_can_be_read(opened: Opened):
    app = opened(page=PAGE)
    table = app.dataframe[0].value
    assert list(table["Name"]) == [
        "entities-bilstm",
        "entities-lstm",
        "sentiment-gru",
        "sentiment-lstm",
        "shakespeare-lstm-2x512",
        "wikitext-gru",
        "wikitext-lstm",
    ]
    app.selectbox(key="card").set_value("sentiment-gru").run()
    assert any("Tiny classification (gru)" in markdown.value for markdown in app.markdown)


def test_a_damaged_checkpoint_is_said_and_the_others_are_listed(opened: Opened, tmp_path):
    write_models(tmp_path)
    (tmp_path / "entities-lstm" / "config.json").unlink()
    app = opened(page=PAGE, root=tmp_path)
    assert [warning.value for warning in app.warning] == ["Checkpoint entities-lstm: config.json cannot be read."]
    assert len(app.dataframe[0].value) == 6


def test_without_any_model_there_is_no_table_and_no_fault(opened: Opened, tmp_path):
    app = opened(page=PAGE, root=tmp_path / "nowhere")
    assert not app.dataframe


def test_a_translator_has_its_card_here_and_is_not_offered_where_it_cannot_be_shown(opened: Opened, tmp_path):
    write_models(tmp_path)
    write_tiny_translator(tmp_path, name="fra-eng")
    app = opened(page=PAGE, root=tmp_path)
    assert "fra-eng" in list(app.dataframe[0].value["Name"])
    app.selectbox(key="card").set_value("fra-eng").run()
    assert any("Tiny translation (additive)" in markdown.value for markdown in app.markdown)
    for page in ("app_pages/unroll.py", "app_pages/gradients.py"):
        app = opened(page=page, root=tmp_path)
        assert not any("translation" in option for option in app.selectbox(key="model").options)


def test_a_fine_tuned_model_says_what_it_was_fine_tuned_from(opened: Opened, tmp_path):
    write_tiny_translator(tmp_path, name="fra-eng")
    write_tiny_tuned(tmp_path, name="fra-eng-even", base="fra-eng", penalty=1.0)
    table = opened(page=PAGE, root=tmp_path).dataframe[0].value
    assert list(table["Fine-tuned from"]) == ["", "fra-eng"]
