"""The Unroll page: every input, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened, write_models

OPENING = "Yesterday, Harry Potter met Hermione Granger."


def steps(app: AppTest) -> int:
    """The number of steps that the page says."""
    found = [re.match(r"\*\*(\d+) steps?\*\*", caption.value) for caption in app.caption]
    return next(int(match[1]) for match in found if match)


def moment(app: AppTest) -> str:
    return next(markdown.value for markdown in app.markdown if markdown.value.startswith("Step "))


def choice(app: AppTest, key: str):
    return next(group for group in app.button_group if group.key == key)


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def test_the_page_opens_on_the_first_example(opened: Opened):
    app = opened()
    assert app.text_input(key="text").value == OPENING
    assert app.selectbox(key="model").value == "entities-bilstm"
    assert steps(app) == 8
    assert not app.warning


def test_a_changed_sentence_is_read_and_the_focus_stays_inside_it(opened: Opened):
    app = opened(focus="7.0.forward.5")
    assert moment(app).startswith("Step **8** of 8")
    app.text_input(key="text").set_value("Harry met Ron").run()
    assert steps(app) == 3
    assert moment(app).startswith("Step **3** of 3")
    assert query(app)["focus"] == "2.0.forward.5"


@pytest.mark.parametrize(
    ("example", "model", "number"),
    [("T1", "entities-bilstm", 8), ("T1b", "sentiment-lstm", 9), ("R3", "sentiment-lstm", 1)],
)
def test_an_example_fills_the_inputs(opened: Opened, example: str, model: str, number: int):
    app = opened(text="something else", model="entities-lstm")
    app.button(key=f"example-{example}").click().run()
    assert app.selectbox(key="model").value == model
    assert steps(app) == number
    assert not app.warning


def test_an_example_with_two_sentences_compares_them(opened: Opened):
    app = opened()
    app.button(key="example-R5a").click().run()
    assert app.text_input(key="text").value.startswith('He said, "Teddy bears')
    assert app.text_input(key="text2").value.startswith('He said, "Teddy Roosevelt')
    assert query(app)["compare"] == "text"
    assert not app.exception


def test_two_models_read_the_same_sentence(opened: Opened):
    app = opened(model="sentiment-lstm", text="a good movie", compare="model", model2="sentiment-gru")
    assert app.selectbox(key="model2").value == "sentiment-gru"
    assert not app.warning
    assert len([m for m in app.markdown if m.value.startswith("Step ")]) == 2


def test_a_model_of_another_task_brings_its_own_structure(opened: Opened):
    app = opened()
    app.selectbox(key="model").set_value("sentiment-lstm").run()
    assert choice(app, "structure").value == "many_to_one"
    assert query(app)["model"] == "sentiment-lstm"


def test_a_structure_that_the_model_lacks_brings_a_model_that_has_it(opened: Opened):
    app = opened(model="sentiment-lstm", text="Teddy")
    choice(app, "structure").set_value("one_to_many").run()
    assert app.selectbox(key="model").value == "shakespeare-lstm-2x512"
    assert choice(app, "structure").value == "one_to_many"
    assert steps(app) == 1 + app.slider(key="generate").value


@pytest.mark.parametrize("structure", ["many_to_many", "one_to_many", "many_to_one", "one_to_one"])
def test_every_structure_is_explained_by_a_run(opened: Opened, structure: str):
    app = opened(model="shakespeare-lstm-2x512", text="Teddy", structure=structure)
    assert choice(app, "structure").value == structure
    assert steps(app) == {"many_to_many": 5, "many_to_one": 5, "one_to_many": 41, "one_to_one": 1}[structure]


@pytest.mark.parametrize("layer", ["0.forward", "0.backward"])
@pytest.mark.parametrize("quantity", ["hidden_state", "cell_state", "forget_gate"])
def test_every_quantity_of_every_layer_can_be_the_heatmap(opened: Opened, layer: str, quantity: str):
    app = opened(layer=layer, quantity=quantity, sort="similarity", relative="true")
    assert app.selectbox(key="layer").value == layer
    assert app.selectbox(key="quantity").value == quantity
    assert app.selectbox(key="sort").value == "similarity"


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_sentence_is_answered_in_place_and_the_last_good_picture_stays(opened: Opened, text: str):
    app = opened()
    app.text_input(key="text").set_value(text).run()
    assert [warning.value for warning in app.warning] == ["There is nothing to read yet: type at least one word."]
    assert steps(app) == 8
    assert not app.exception


def test_too_long_a_text_is_refused_with_both_numbers_and_kept(opened: Opened):
    app = opened()
    app.text_input(key="text").set_value("a " * 201).run()
    assert [warning.value for warning in app.warning] == ["The text has 201 pieces; the limit is 200."]
    assert app.text_input(key="text").value == "a " * 201
    assert steps(app) == 8
    app.text_input(key="text").set_value("a " * 200).run()
    assert steps(app) == 200
    assert not app.warning


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "你好，世界 👍🏽",
        "\u202eright to left\u202c \u0000 \u200b",
        "$\\frac{1}{0}$ `code` **bold** {count} %s",
        "é" * 50,
    ],
)
def test_any_text_can_be_read(opened: Opened, text: str):
    app = opened()
    app.text_input(key="text").set_value(text).run()
    assert not app.exception
    assert not app.warning


@pytest.mark.parametrize(
    "state",
    [
        {"model": "no-such-model", "structure": "sideways", "compare": "everything", "lang": "xx", "notation": "?"},
        {"focus": "999.9.backward.99999"},
        {"focus": "-1.0.forward.0", "layer": "7.forward", "quantity": "soul", "sort": "upside-down"},
        {"compare": "model", "model2": "shakespeare-lstm-2x512"},
        {"model": "shakespeare-lstm-2x512", "structure": "one_to_many", "generate": "1e9", "temperature": "hot"},
    ],
    ids=["names", "far focus", "nonsense", "unfit second model", "numbers"],
)
def test_a_broken_link_still_opens_a_picture(opened: Opened, state: dict[str, str]):
    app = opened(**state)
    assert not app.exception
    assert steps(app) > 0


@pytest.mark.parametrize("notation", ["ng", "d2l"])
@pytest.mark.parametrize("model", ["entities-bilstm", "sentiment-gru", "shakespeare-lstm-2x512"])
def test_the_equations_follow_the_notation(opened: Opened, notation: str, model: str):
    app = opened(model=model, text="Harry", notation=notation)
    formulas = " ".join(element.value for element in [*app.latex, *app.markdown])
    assert ("Gamma" in formulas) == (notation == "ng")
    assert "mathbf" in formulas or notation == "ng"


def test_every_sentence_of_the_page_is_chinese_in_chinese(opened: Opened):
    app = opened(lang="zh_CN")
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for element in [*app.caption, *app.title, *app.header]:
        assert chinese.search(element.value), element.value
    for element in [*app.selectbox, *app.text_input, *app.toggle]:
        assert chinese.search(element.label), element.label


def test_a_damaged_checkpoint_is_said_and_the_others_work(opened: Opened, tmp_path):
    write_models(tmp_path)
    (tmp_path / "sentiment-gru" / "config.json").write_text("{")
    app = opened(root=tmp_path)
    assert [warning.value for warning in app.warning] == ["Checkpoint sentiment-gru: config.json cannot be read."]
    assert steps(app) == 8


def test_without_any_model_the_page_says_how_to_get_one(opened: Opened, tmp_path):
    app = opened(root=tmp_path / "nowhere")
    assert "seqviz train" in app.info[0].value
    assert not app.exception
