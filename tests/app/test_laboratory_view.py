"""The Laboratory of the Gradients page: its three modes, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from seqviz.charts.laboratory import magnitude
from seqviz.laboratory import LaboratoryConfig
from seqviz.tracing.laboratory import curves
from tests.app.conftest import Opened

PAGE = "app_pages/gradients.py"
SMALL = {"back": "12", "units": "8", "seeds": "2"}


@pytest.fixture
def laboratory(opened: Opened):
    def open_view(**query: str) -> AppTest:
        return opened(page=PAGE, view="laboratory", **query)

    return open_view


def charts(app: AppTest) -> int:
    return len(app.get("vega_lite_chart"))


def headline(app: AppTest) -> str:
    return next(text.value for text in app.markdown if "has become" in text.value)


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def parameter(app: AppTest, name: str) -> str | None:
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def test_it_opens_on_a_worked_example_of_all_three_cells(laboratory):
    app = laboratory()
    assert headline(app) == (
        "**100 steps back, an error of norm 1 has become 3.3·10⁻²⁸ (RNN, tanh), 1.7·10⁻²⁰ (GRU) and 6.4·10⁻¹¹ (LSTM).**"
    )
    assert charts(app) == 3  # curves and two spectra
    assert not app.warning


def test_the_numbers_are_those_of_the_library(laboratory):
    app = laboratory(cell="RNN", radius="0.5", **SMALL)
    logs = curves(LaboratoryConfig(cells=("rnn",), radius=0.5, steps=12, hidden_size=8, num_seeds=2)).hidden_state
    assert f"has become {magnitude(float(np.median(logs[:, -1])))} (RNN, tanh)." in headline(app)


def test_every_choice_stands_in_the_url_and_is_there_again(laboratory):
    app = laboratory(**SMALL)
    app.selectbox(key="activation").set_value("relu")
    app.selectbox(key="start").set_value("identity")
    app.slider(key="radius").set_value(1.1)
    app.slider(key="forget").set_value(3.0).run()
    # What is bound to the URL by Streamlit itself is written by the browser.
    assert [parameter(app, name) for name in ("activation", "start")] == ["relu", "identity"]
    again = laboratory(activation="relu", start="identity", radius="1.1", forget="3.0", **SMALL)
    assert headline(again) == headline(app)
    assert "(RNN, ReLU)" in headline(again)


def test_the_slopes_of_the_activations_can_be_opened_by_a_link(laboratory):
    app = laboratory(slopes="true", activation="logistic", **SMALL)
    assert charts(app) == 4
    assert any("The slope of logistic is never above 1/4" in text.value for text in app.markdown)


def test_an_example_sets_all_that_it_needs(laboratory):
    app = laboratory(lab="memory")
    app.button(key="example-lab-orthogonal").click().run()
    assert "has become 1 (RNN, none (identity))" in headline(app)
    assert app.selectbox(key="start").value == "orthogonal"


def test_the_memory_cell_of_weight_1_carries_the_gradient_as_it_is(laboratory):
    app = laboratory()
    app.button(key="example-lab-memory").click().run()
    assert headline(app) == (
        "**100 steps back, an error of norm 1 has become "
        "2.7·10⁻⁵ (weight 0.9), 1 (weight 1) and 1.4·10⁴ (weight 1.1).**"
    )
    assert charts(app) == 1
    app.slider(key="apart").set_value(0.5).run()
    assert "(weight 0.5), 1 (weight 1) and" in headline(app)
    assert "weight 0.5: float32 would show 0" not in captions(app)
    app.slider(key="back").set_value(1000).run()
    assert "weight 0.5: float32 would show 0 from 150 steps back on." in captions(app)


def test_an_overflow_is_a_result_with_its_step(laboratory):
    app = laboratory(cell="RNN", activation="identity", start="identity", radius="5.0", back="1000", units="8")
    assert re.search(r"RNN, none \(identity\): the state overflowed at step 4\d\d in 5 of 5 seeds", captions(app))
    assert charts(app) == 3
    assert not app.warning


def test_the_jacobians_are_those_of_the_chosen_cell_part_and_seed(laboratory):
    app = laboratory(of="lstm", **SMALL)
    assert "of 16 singular values" in captions(app)
    assert "bound" not in captions(app)
    app.segmented_control(key="part").set_value("cell_state").run()
    assert "8 of 8 singular values" in captions(app)
    before = captions(app)
    app.selectbox(key="seed").set_value("2").run()
    assert captions(app) != before
    assert (parameter(app, "of"), parameter(app, "part"), parameter(app, "seed")) == ("lstm", "cell_state", "2")


def test_the_scale_and_the_carrier_are_switches(laboratory):
    app = laboratory(**SMALL)
    memory = headline(app)
    app.segmented_control(key="carrier").set_value("hidden_state").run()
    assert headline(app) != memory
    app.segmented_control(key="scale").set_value("relative").run()
    assert parameter(app, "scale") == "relative"
    assert not app.exception


@pytest.mark.parametrize("model", ["entities-bilstm", "sentiment-gru", "shakespeare-lstm-2x512", "wikitext-lstm"])
def test_a_trained_models_jacobians_are_shown_on_the_text(laboratory, model):
    app = laboratory(lab="trained", model=model, text="Harry met Ron", beside="none")
    assert charts(app) == 2
    assert "steps multiply an error by at most" in captions(app)
    assert not app.warning


def test_models_of_a_family_stand_side_by_side(laboratory):
    assert charts(laboratory(lab="trained", model="wikitext-lstm", text="The cat was full")) == 3


def test_the_layer_and_direction_of_a_trained_model_can_be_chosen(laboratory):
    app = laboratory(lab="trained", model="entities-bilstm", text="Harry met Ron", layer="0.backward", beside="none")
    backward = captions(app)
    app.selectbox(key="layer").set_value("0.forward").run()
    assert captions(app) != backward


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("word " * 5000, "The text has 5000 pieces; the limit is 200."),
        (" ", "There is nothing to read yet: type at least one word."),
    ],
)
def test_a_text_that_cannot_be_used_is_said_in_a_sentence(laboratory, text, sentence):
    app = laboratory(lab="trained", text=text, model="wikitext-lstm")
    assert [warning.value for warning in app.warning] == [sentence]


def test_no_cell_at_all_is_said_in_a_sentence(laboratory):
    app = laboratory(**SMALL)
    app.pills(key="cell").set_value([]).run()
    assert [warning.value for warning in app.warning] == ["There is no cell to look at: choose at least one."]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> a", "你好 世界 🐈", "$\\frac{a}{b}$ `x` **b**", "مرحبا بالعالم"]
)
def test_odd_texts_are_read(laboratory, text):
    app = laboratory(lab="trained", model="wikitext-gru", text=text, beside="none")
    assert charts(app) == 2


def test_a_broken_link_still_opens_a_picture(laboratory):
    app = laboratory(
        lab="x", activation="gelu", start="y", radius="99", units="7", back="0", seeds="many", forget="nan",
        inputs="-1", of="cnn", part="z", seed="77", carrier="?", scale="?", cell="CNN",
    )  # fmt: skip
    assert not app.exception
    assert charts(app) == 3
    assert [warning.value for warning in app.warning] == [
        "radius is 99.0; allowed is 0.0 to 5.0.",
        "steps is 0; allowed is 1 to 1000.",
        "hidden_size is 7; allowed is 8 to 256.",
        "num_seeds is 'many'; it must be a whole number.",
        "forget_bias is nan; allowed is -10.0 to 10.0.",
        "input_scale is -1.0; allowed is 0.0 to 5.0.",
    ]


def test_one_step_back_and_one_seed_are_enough(laboratory):
    app = laboratory(back="1", units="8", seeds="1")
    assert headline(app).startswith("**1 steps back")
    assert charts(app) == 3


def test_every_sentence_of_the_view_is_chinese_in_chinese(laboratory):
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for mode in ("fresh", "memory", "trained"):
        app = laboratory(lab=mode, lang="zh_CN", **SMALL)
        for element in [*app.caption, *app.title, *app.subheader]:
            assert chinese.search(element.value), element.value
        for element in [*app.selectbox, *app.slider, *app.segmented_control, *app.pills]:
            assert chinese.search(element.label), element.label
