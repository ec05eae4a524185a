"""The Gates page: every view, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.backend import ask
from seqviz.backends.requests import InterventionRequest, TraceRequest
from seqviz.interventions import parse_intervention
from tests.app.conftest import Opened
from tests.helpers import write_tiny_checkpoint

PAGE = "app_pages/gates.py"
WORDS = "wikitext-lstm"
CAT = "The cat , which ate fresh fish , was full ."


def charts(app: AppTest) -> int:
    return len(app.get("vega_lite_chart"))


def said(app: AppTest) -> str:
    return "\n".join([*(c.value for c in app.caption), *(m.value for m in app.markdown), *(i.value for i in app.info)])


def query(app: AppTest, name: str) -> str | None:
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def pictures(app: AppTest) -> int:
    """Figures of cells and maps; each brings a small component for its focus."""
    return len(app.get("bidi_component"))


def test_the_page_opens_on_a_worked_example(opened: Opened):
    app = opened(page=PAGE)
    assert app.text_input(key="text").value.startswith("The cat , which already ate")
    assert app.selectbox(key="model").value == WORDS
    assert pictures(app) == 4
    assert re.fullmatch(r"\d+\.0\.forward\.\d", query(app, "focus") or "")
    assert not app.warning
    # It opens at the noun, with the unit that carries its number.
    best = opened(page=PAGE, view="memory").dataframe[0].value["Best unit"]
    assert query(app, "focus") in {f"1.0.forward.{re.findall(r'unit (.+?),', unit)[0]}" for unit in best}


def test_an_example_brings_its_own_unit(opened: Opened):
    app = opened(page=PAGE, text="To be", model="shakespeare-lstm-2x512", focus="3.1.forward.7")
    app.button(key="example-G5").click().run()
    assert app.selectbox(key="model").value == WORDS
    assert (query(app, "focus") or "").startswith("1.0.forward.")


def test_a_link_shows_its_step_and_unit(opened: Opened):
    app = opened(page=PAGE, text=CAT, model=WORDS, focus="4.0.forward.6")
    assert app.number_input(key="gate-unit").value == 6
    assert "Step **5** of 11, `ate`" in said(app)
    assert query(app, "focus") == "4.0.forward.6"


def test_another_unit_goes_into_the_url(opened: Opened):
    app = opened(page=PAGE, text=CAT, model=WORDS, focus="4.0.forward.6")
    app.number_input(key="gate-unit").set_value(2).run()
    assert query(app, "focus") == "4.0.forward.2"
    assert "unit **2**" in said(app)


def test_a_focus_outside_the_text_is_brought_inside(opened: Opened):
    app = opened(page=PAGE, text="The cat", model=WORDS, focus="400.9.backward.99")
    assert query(app, "focus") == "1.0.forward.7"
    assert not app.exception


@pytest.mark.parametrize(("language", "notation"), [("en", "d2l"), ("zh_CN", "ng")])
@pytest.mark.parametrize("view", ["cell", "memory", "variants", "intervene"])
def test_every_view_stands_in_both_languages_and_notations(opened: Opened, view: str, notation: str, language: str):
    app = opened(page=PAGE, view=view, notation=notation, lang=language, size="presenter")
    assert not app.exception
    assert not app.warning
    assert app.segmented_control(key="view").value == view


def test_two_models_stand_below_each_other(opened: Opened):
    app = opened(page=PAGE, text=CAT, model=WORDS, compare="model", model2="wikitext-gru")
    assert pictures(app) == 8
    assert [one.value for one in app.subheader][:2] == ["A · wikitext-lstm", "B · wikitext-gru"]


def test_two_sentences_stand_below_each_other(opened: Opened):
    app = opened(page=PAGE, text=CAT, model=WORDS, compare="text", text2="The cats were full .")
    assert pictures(app) == 8


def test_graves_letters_are_there_for_those_who_read_them(opened: Opened):
    app = opened(page=PAGE, text=CAT, model=WORDS)
    assert r"\epsilon_s^t" not in said(app)
    app.toggle(key="graves").set_value(True).run()
    assert r"\epsilon_s^t" in said(app)
    assert r"s_c^t = b_\phi^t s_c^{t-1}" in said(app)
    assert not opened(page=PAGE, text=CAT, model="wikitext-gru").toggle


def test_a_tagger_s_backward_layer_is_shown(opened: Opened):
    app = opened(page=PAGE, text="Harry Potter met Hermione", model="entities-bilstm", focus="1.0.backward.3")
    assert "layer 1 backward" in said(app)
    assert query(app, "focus") == "1.0.backward.3"


def test_memory_shows_triangle_units_half_lives_and_the_number_unit(opened: Opened):
    app = opened(page=PAGE, view="memory", text=CAT, model=WORDS)
    assert charts(app) == 4
    assert "the product of Γ_f" in said(app)
    table = app.dataframe[0].value
    assert list(table["Pairs (search + held out)"]) == ["2 + 1", "2 + 1"]
    assert "of 2 held-out sentences (1 pairs" in said(app)


def test_the_memory_of_two_models_stands_side_by_side(opened: Opened):
    app = opened(page=PAGE, view="memory", text=CAT, model=WORDS, compare="model", model2="wikitext-gru")
    assert [one.value for one in app.subheader][:2] == ["A · wikitext-lstm", "B · wikitext-gru"]
    assert charts(app) == 7
    assert "the product of Γ_f" in said(app)
    assert "the product of 1 − Γ_u" in said(app)


def test_the_memory_of_a_shorter_second_sentence_is_looked_at_from_its_own_last_step(opened: Opened):
    app = opened(
        page=PAGE, view="memory", text=CAT, model=WORDS, compare="text", text2="The cats", focus="9.0.forward.2"
    )
    assert charts(app) == 7
    assert "Unit 2 never loses half of what stood in it after ‘cats’" in said(app)
    assert query(app, "focus") == "9.0.forward.2"


def test_the_number_unit_is_followed_through_the_sentence(opened: Opened):
    app = opened(page=PAGE, view="memory", text=CAT, model=WORDS, number="wikitext-gru")
    best = re.search(r"unit (\d+)", app.dataframe[0].value["Best unit"].iloc[0])
    next(button for button in app.button if button.label.startswith("Follow this unit")).click().run()
    assert app.selectbox(key="model").value == "wikitext-gru"
    assert query(app, "view") is None
    assert best is not None
    assert query(app, "focus") == f"1.0.forward.{best[1]}"


def test_a_step_is_chosen_for_the_memory(opened: Opened):
    app = opened(page=PAGE, view="memory", text=CAT, model=WORDS, focus="0.0.forward.1")
    app.select_slider(key="gate-step").set_value(3).run()
    assert query(app, "focus") == "3.0.forward.1"
    assert "after ‘which’" in said(app)


def test_variants_put_the_cells_of_a_family_into_one_table(opened: Opened):
    app = opened(page=PAGE, view="variants", text=CAT, model=WORDS)
    table = app.dataframe[0].value
    assert list(table["Cell"]) == ["GRU, reset after the product", "LSTM"]
    assert list(table["Gates + candidate"]) == ["2 + 1", "3 + 1"]
    assert min(float(ratio.split()[0]) for ratio in table["Time, ratio"]) == 1.0
    assert charts(app) == 4
    assert "Z keeps" in said(app)


def test_one_cell_alone_says_that_another_is_missing(opened: Opened):
    app = opened(page=PAGE, view="variants", text="To be", model="shakespeare-lstm-2x512")
    assert "Only one cell of this family is installed" in said(app)


def test_an_untouched_page_intervenes_with_an_example(opened: Opened):
    app = opened(page=PAGE, view="intervene", text=CAT, model=WORDS)
    assert "An example; your own takes its place." in said(app)
    assert r"forget gate \= 0" in said(app) or "forget gate = 0" in said(app)
    assert charts(app) == 5
    assert "losses: " in said(app)
    assert query(app, "do") is None


def test_interventions_stand_in_the_url_and_can_be_undone(opened: Opened):
    app = opened(
        page=PAGE, view="intervene", text=CAT, model=WORDS, do="forget_gate=1@2-:0.forward~cell_state=-2@4:0.forward.3"
    )
    assert "2. cell" in said(app)
    assert [len(one.value) for one in app.dataframe] == [10, 10, 8]
    next(button for button in app.button if button.label == "Undo").click().run()
    assert query(app, "do") == "forget_gate=1@2-:0.forward"
    next(button for button in app.button if button.label == "Undo").click().run()
    assert query(app, "do") == "none"
    assert "both runs are the same, digit for digit" in said(app)


def test_the_form_adds_an_intervention(opened: Opened):
    app = opened(page=PAGE, view="intervene", text=CAT, model=WORDS, do="none", focus="3.0.forward.5")
    app.selectbox(key="force").set_value("output_gate").run()
    app.segmented_control(key="scope").set_value("unit").run()
    app.number_input(key="gate-value-gate").set_value(0.5).run()
    next(button for button in app.button if button.label == "Force it").click().run()
    assert query(app, "do") == "output_gate=0.5@3-:0.forward.5"
    assert "output gate" in said(app)


def test_one_loss_goes_back_through_both_runs(opened: Opened):
    forced = "forget_gate=1@2-:0.forward"
    app = opened(page=PAGE, view="intervene", text=CAT, model=WORDS, do=forced)
    found = ask(
        InterventionRequest(trace=TraceRequest(model=WORDS, text=CAT), interventions=(parse_intervention(forced),))
    ).gradients
    assert found is not None
    assert f"{found.losses[0]:.4g} nats before, {found.losses[1]:.4g} after" in said(app)
    app.selectbox(key="loss").set_value("4").run()
    assert query(app, "loss") == "4"
    assert "L = −log P(‘fresh’): " in said(app)
    table = app.dataframe[0].value
    assert set(table["Norm"]) <= {"‖∂L/∂h‖", "‖∂L/∂c‖"}


def test_an_intervention_is_compared_in_two_cells(opened: Opened):
    app = opened(
        page=PAGE, view="intervene", text=CAT, model=WORDS, do="forget_gate=0@2-:0.forward", compare="model",
        model2="wikitext-gru",
    )  # fmt: skip
    assert [one.value for one in app.subheader] == ["A · wikitext-lstm", "B · wikitext-gru"]
    assert charts(app) == 5 + 4
    assert "This cell has no forget gate; forced in its place: update gate = 0" in said(app)
    assert not app.warning


def test_what_the_second_cell_does_not_have_is_said_in_its_place(opened: Opened):
    app = opened(
        page=PAGE, view="intervene", text=CAT, model=WORDS, do="output_gate=0@2-:0.forward", compare="model",
        model2="wikitext-gru",
    )  # fmt: skip
    assert len(app.warning) == 1
    assert "quantity 'output_gate' is not known" in app.warning[0].value
    assert charts(app) == 5


def test_an_intervention_is_compared_in_two_sentences(opened: Opened):
    app = opened(
        page=PAGE, view="intervene", text=CAT, model=WORDS, do="forget_gate=0@1-9:0.forward", compare="text",
        text2="The cats were", loss="9",
    )  # fmt: skip
    assert not app.warning
    assert charts(app) == 10


@pytest.mark.parametrize(
    ("do", "says"),
    [
        ("nonsense", "is no intervention"),
        ("forget_gate=7@1", "forget_gate is 7.0; allowed is 0.0 to 1.0"),
        ("reset_gate=0@1", "quantity 'reset_gate' is not known"),
        ("forget_gate=0@99", "allowed is 0 to 10"),
    ],
)
def test_a_wrong_intervention_is_one_sentence(opened: Opened, do: str, says: str):
    app = opened(page=PAGE, view="intervene", text=CAT, model=WORDS, do=do)
    assert not app.exception
    assert says in app.warning[0].value


@pytest.mark.parametrize("model", ["entities-bilstm", "sentiment-gru"])
def test_every_task_can_be_intervened_in(opened: Opened, model: str):
    app = opened(page=PAGE, view="intervene", text="Harry Potter was not bad", model=model)
    assert not app.exception
    assert charts(app) >= 2


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "type at least one word"), ("a " * 201, "the limit is 200"), ("x" * 5000, "the limit is 200")],
)
@pytest.mark.parametrize("view", ["cell", "variants"])
def test_a_text_that_cannot_be_read_is_one_sentence(opened: Opened, view: str, text: str, says: str):
    app = opened(page=PAGE, view=view, text=text, model="shakespeare-lstm-2x512")
    assert not app.exception
    assert says in app.warning[0].value


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("cell", "机器学习"),
        ("cell", "a"),
        ("memory", "🙂🙃"),
        ("intervene", "<script>alert(1)</script>"),
        ("intervene", "\u202ea"),
    ],
)
def test_odd_texts_are_read(opened: Opened, view: str, text: str):
    app = opened(page=PAGE, view=view, text=text, model="shakespeare-lstm-2x512")
    assert not app.exception
    assert not app.warning


@pytest.mark.parametrize(("text2", "says"), [("", "type at least one word"), ("x" * 5000, "the limit is 200")])
def test_a_second_sentence_that_cannot_be_read_is_one_sentence(opened: Opened, text2: str, says: str):
    app = opened(page=PAGE, view="memory", text="To be", model="shakespeare-lstm-2x512", compare="text", text2=text2)
    assert not app.exception
    assert says in app.warning[0].value


@pytest.fixture
def plain(models) -> Iterator[str]:
    import shutil

    write_tiny_checkpoint(models, name="wikitext-plain", cell="rnn_tanh", family="wikitext", words=True)
    yield "wikitext-plain"
    shutil.rmtree(models / "wikitext-plain")


@pytest.mark.parametrize("view", ["cell", "memory", "variants", "intervene"])
def test_a_plain_cell_has_its_place_in_every_view(opened: Opened, plain: str, view: str):
    app = opened(page=PAGE, view=view, text=CAT, model=plain)
    assert not app.exception
    if view == "memory":
        assert "no gate that keeps" in said(app)
        beside = opened(page=PAGE, view=view, text=CAT, model=WORDS, compare="model", model2=plain)
        assert charts(beside) == 4
        assert "no gate that keeps" in said(beside)
    if view == "variants":
        assert list(app.dataframe[0].value["Gates + candidate"]) == ["0 + 1", "2 + 1", "3 + 1"]
