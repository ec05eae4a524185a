"""The Units page: every view, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from seqviz.backends.requests import TraceRequest
from seqviz.long_examples import long_example
from tests.app.conftest import Opened
from tests.helpers import write_tiny_checkpoint

PAGE = "app_pages/units.py"
CHARACTERS = "shakespeare-lstm-2x512"


def charts(app: AppTest) -> int:
    return len(app.get("vega_lite_chart"))


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def handed(app: AppTest) -> dict[str, float]:
    """The thresholds that the picture is told."""
    return json.loads(app.get("bidi_component")[1].proto.json)["focus"]


def drawn(app: AppTest) -> dict:
    """What the picture of the saturation is made of."""
    return json.loads(app.get("bidi_component")[0].proto.json)["payload"]


def in_url(app: AppTest, name: str) -> str | None:
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def test_it_opens_on_an_example_with_the_best_unit_of_a_property(opened: Opened):
    app = opened(page=PAGE)
    assert app.selectbox(key="model").value == CHARACTERS
    assert app.selectbox(key="quantity").value == "cell_state"
    assert re.search(r"Best unit for ‘.+’: cell state of unit \d, layer \d, r = [+−]\d\.\d\d", captions(app))
    assert "among 16 units" in captions(app)
    assert charts(app) == 2
    assert not app.warning
    assert not app.query_params


def test_a_unit_and_a_property_stand_in_the_url(opened: Opened):
    app = opened(page=PAGE, unit="1.forward.5", property="vowel", quantity="forget_gate")
    assert app.number_input(key="unit-index").value == 5
    assert app.selectbox(key="unit-layer").value == "1.forward"
    app.number_input(key="unit-index").set_value(6).run()
    assert in_url(app, "unit") == "1.forward.6"
    app.selectbox(key="property").set_value("capital").run()
    assert in_url(app, "property") == "capital"
    assert in_url(app, "unit") is None  # its own best unit


@pytest.mark.parametrize("unit", ["9.forward.0", "0.forward.8", "0.backward.1", "x", "0.forward.99999"])
def test_a_unit_that_there_is_not_gives_the_best_one(opened: Opened, unit: str):
    app = opened(page=PAGE, unit=unit)
    assert in_url(app, "unit") is None
    assert app.number_input(key="unit-index").value < 8


def test_a_pattern_is_a_property_like_the_others(opened: Opened):
    app = opened(page=PAGE, pattern="th")
    assert app.selectbox(key="property").value == "pattern"
    assert "‘your pattern’" in captions(app)


def test_a_bad_pattern_is_one_sentence_and_the_page_stays(opened: Opened):
    app = opened(page=PAGE, pattern="(a")
    assert [warning.value for warning in app.warning] == ["This is not a regular expression: missing ) at position 2."]
    assert charts(app) == 2


@pytest.mark.parametrize("model", ["wikitext-lstm", "sentiment-gru", "entities-bilstm"])
@pytest.mark.parametrize("view", ["unit", "saturation", "moments"])
def test_every_kind_of_model_is_shown_in_every_view(opened: Opened, model: str, view: str):
    app = opened(page=PAGE, model=model, view=view)
    assert not app.warning
    assert charts(app) == (2 if view == "unit" else 0)
    if view == "saturation":
        assert len(drawn(app)["panels"]) == (2 if model == "sentiment-gru" else 3)


def test_saturation_thresholds_of_the_url_are_handed_to_the_picture(opened: Opened):
    app = opened(page=PAGE, view="saturation", left="0.5", right="0.6")
    assert handed(app) == {"left": 0.5, "right": 0.6}
    assert (in_url(app, "left"), in_url(app, "right")) == ("0.5", "0.6")
    # The picture itself stays as it is while they move.
    assert drawn(app)["id"] == drawn(opened(page=PAGE, view="saturation"))["id"]


@pytest.mark.parametrize("limits", [{"left": "0.7"}, {"right": "0.2"}, {"left": "x", "right": "nan"}, {"left": "1e3"}])
def test_thresholds_outside_their_range_are_the_usual_ones(opened: Opened, limits: dict[str, str]):
    app = opened(page=PAGE, view="saturation", **limits)
    assert handed(app) == {"left": 0.1, "right": 0.9}
    assert in_url(app, "left") is None
    assert not app.warning


def test_two_models_are_compared_over_one_text(opened: Opened, models):
    write_tiny_checkpoint(models, name="shakespeare-gru", cell="gru", family="shakespeare", seed=5)
    try:
        app = opened(page=PAGE, view="saturation", model2="shakespeare-gru")
        assert [run["name"][:4] for run in drawn(app)["runs"]] == ["A · ", "B · "]
        assert [panel["gate"] for panel in drawn(app)["panels"]][3:] == ["reset_gate", "update_gate"]
        app = opened(page=PAGE, model2="shakespeare-gru")
        assert charts(app) == 3
        assert "has no cell state; in its place stands its hidden state" in captions(app)
        table = app.dataframe[-1].value
        assert list(table)[:3] == ["Property", "A · unit", "A · r"]
        assert {"B · unit", "B · r", "B · AUC", "B · chance"} < set(table)
        assert len(table) > 3
        assert not app.warning
    finally:
        shutil.rmtree(models / "shakespeare-gru")


def test_a_model_of_another_task_or_of_other_pieces_is_no_second_one(opened: Opened):
    app = opened(page=PAGE, model="wikitext-lstm", view="saturation", model2="sentiment-gru")
    assert app.selectbox(key="model2").value == "none"
    assert list(app.selectbox(key="model2").options) == ["nothing", "Words (gru)"]
    assert len(drawn(app)["runs"]) == 1


def test_a_span_of_the_url_is_the_brushed_one(opened: Opened):
    text = long_example("language_model", "character")
    start = text.index("wind")
    app = opened(page=PAGE, view="moments", span=f"{start}-{start + 4}", threshold="0.05")
    shown = [element.value for element in [*app.markdown, *app.info]]
    assert any("‘wind’" in value for value in shown)
    assert in_url(app, "span") == f"{start}-{start + 4}"


@pytest.mark.parametrize("span", ["5-5", "9-3", "1-99999", "a-b"])
def test_a_span_that_there_is_not_gives_the_first_one(opened: Opened, span: str):
    app = opened(page=PAGE, view="moments", span=span)
    assert in_url(app, "span") is None
    assert not app.warning


def test_two_models_find_their_own_moments_of_one_span(opened: Opened, models):
    write_tiny_checkpoint(models, name="shakespeare-gru", cell="gru", family="shakespeare", seed=5)
    try:
        app = opened(page=PAGE, view="moments", span="22-23", threshold="0.1", slack="0", model2="shakespeare-gru")
        assert [one.value[:6] for one in app.markdown if one.value.startswith("**")] == ["**A · ", "**B · "]
        assert sum("Units that are on throughout ‘" in one.value for one in app.markdown) == 2
        tables = [table.value for table in app.dataframe if "both" in table.value]
        shares = re.findall(r"(\d+) of the (\d+) moments lie where ([AB])", captions(app))
        assert [other for _, _, other in shares] == ["B", "A"]
        for table, (both, count, _) in zip(tables, shares, strict=True):
            assert (int(both), int(count)) == (table["both"].sum(), len(table))
        app = opened(page=PAGE, view="moments", by="cell_state", model2="shakespeare-gru")
        assert "has no cell state; in its place stands its hidden state" in captions(app)
        app = opened(page=PAGE, view="moments", by="output_gate", model2="shakespeare-gru")
        assert any("has no output gate; choose another quantity" in info.value for info in app.info)
        assert not app.exception
    finally:
        shutil.rmtree(models / "shakespeare-gru")


def test_another_model_forgets_the_span_and_the_unit(opened: Opened):
    app = opened(page=PAGE, view="moments", span="3-9")
    app.selectbox(key="model").set_value("wikitext-lstm").run()
    assert in_url(app, "span") is None
    app = opened(page=PAGE, unit="1.forward.3")
    app.selectbox(key="model").set_value("wikitext-lstm").run()
    assert in_url(app, "unit") is None


def test_the_model_writes_a_text_that_a_link_writes_again(opened: Opened):
    app = opened(page=PAGE, origin="written", length="1000", seed="7", opening="The king")
    assert "measured on 504 pieces" in captions(app)
    again = opened(page=PAGE, origin="written", length="1000", seed="7", opening="The king")
    assert captions(again) == captions(app)


def test_a_short_text_of_ones_own_goes_into_the_link_and_a_long_one_does_not(opened: Opened):
    app = opened(page=PAGE, origin="own", long="The cat sat.\nIt sat on the mat.\n" * 8)
    assert app.text_area(key="units-own").value.startswith("The cat sat.")
    assert charts(app) == 2
    app.text_area(key="units-own").set_value("The cat sat on the mat. " * 60).run()
    assert in_url(app, "long") is None
    assert "too long for the link" in captions(app)
    app.text_area(key="units-own").set_value("The cat. " * 20).run()
    assert in_url(app, "long") == "The cat. " * 20


@pytest.mark.parametrize("text", ["Hi", "<script>alert(1)</script> " * 9, "猫坐在垫子上。" * 30, "😀" * 40, "\n" * 60])
@pytest.mark.parametrize("view", ["unit", "saturation", "moments"])
def test_odd_texts_are_read(opened: Opened, text: str, view: str):
    assert not opened(page=PAGE, origin="own", long=text, view=view).warning


def test_an_empty_text_is_one_sentence(opened: Opened):
    app = opened(page=PAGE, origin="own", long="a")
    app.text_area(key="units-own").set_value("").run()
    assert [warning.value for warning in app.warning] == ["There is nothing to read yet: type at least one word."]


def test_a_text_that_is_too_long_is_counted_and_can_be_cut(opened: Opened):
    app = opened(page=PAGE, origin="own", long="a")
    app.text_area(key="units-own").set_value("ab " * 7000).run()
    assert [warning.value for warning in app.warning] == ["The text has 21000 pieces; the limit is 20000."]
    button = next(one for one in app.button if "beginning" in one.label)
    button.click().run()
    assert not app.warning
    assert len(app.text_area(key="units-own").value) == 20_000


def test_a_reading_that_was_stopped_goes_on_when_asked(opened: Opened):
    app = opened(page=PAGE, view="saturation")
    run = TraceRequest(model=CHARACTERS, text="The cat sat on the mat. " * 40)
    app.session_state["units-stopped"] = run
    app.session_state["origin"], app.session_state["units-own"] = "own", run.text
    app.run()
    assert [info.value for info in app.info] == ["Stopped. What was read so far is kept for a while."]
    assert not app.get("bidi_component")
    next(button for button in app.button if button.label == "Go on").click().run()
    assert not app.info
    assert len(drawn(app)["panels"]) == 3


def test_chinese(opened: Opened):
    app = opened(page=PAGE, lang="zh_CN", view="moments")
    assert app.title[0].value == "单元"
    assert not app.warning
