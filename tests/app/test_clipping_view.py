"""The view "Clipping" of the Gradients page: a small run from its beginning to its cliff, and all that can be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened
from tests.app.jobs import query, state, stop_all_jobs, until

PAGE = "app_pages/gradients.py"
SMALL = {"clip_hidden_size": "6", "clip_length": "8", "clip_batch_size": "4", "clip_steps": "40"}


@pytest.fixture(autouse=True)
def stopped_afterwards(models: object) -> Iterator[None]:
    """No run goes on behind a test."""
    yield
    stop_all_jobs()


def clipping(opened: Opened, **query: str) -> AppTest:
    return opened(page=PAGE, **{"view": "clipping", "part": "training", **query})


def started(opened: Opened, **settings: str) -> AppTest:
    app = clipping(opened, **{**SMALL, **settings})
    app.button(key="run-start").click().run()
    assert not app.exception
    assert query(app, "run")
    return app


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def test_the_view_opens_with_the_picture(opened: Opened):
    app = clipping(opened, part="")
    assert not app.warning
    assert app.segmented_control(key="part").value == "gradient"
    assert "Clipping by norm shortens a gradient" in "".join(text.value for text in app.markdown)


def test_the_inputs_stand_ready(opened: Opened):
    app = clipping(opened)
    assert not app.warning
    assert app.button(key="run-start").label == "Start the run"
    assert app.number_input(key="clip_threshold").value == 0.25
    assert not app.get("progress")


def test_a_run_goes_to_its_end_and_its_cliff_is_measured_and_the_link_shows_it(opened: Opened):
    app = until(started(opened), lambda app: state(app).startswith("finished"))
    other = clipping(opened, run=query(app, "run") or "")
    assert state(other) == state(app)
    assert not other.warning
    assert state(app) == "finished: step 40 of 40"
    assert "length 8 · RNN, ReLU, 6 units" in captions(app)
    assert app.button(key="run-pause").disabled
    app.toggle(key="cliff").set_value(True).run()
    assert not app.exception
    assert len(app.get("vega_lite_chart")) == 2
    assert any(text.value.startswith("Before step ") for text in app.markdown)
    app.button(key="cliff-gradient").click().run()
    assert app.segmented_control(key="part").value == "gradient"
    assert re.fullmatch(r"[-\d.e+]+_[-\d.e+]+_0.25_0.02", query(app, "gradient") or "")


def test_a_run_is_paused_goes_on_is_stopped_and_found_again_beside_another(opened: Opened):
    app = started(opened, clip_steps="5000", clip_with="norm")
    until(app, lambda app: state(app).startswith("running"))
    app.button(key="run-pause").click().run()
    until(app, lambda app: state(app).startswith("paused"))
    app.button(key="run-resume").click().run()
    until(app, lambda app: state(app).startswith("running"))
    app.button(key="run-stop").click().run()
    until(app, lambda app: state(app).startswith("stopped"))
    assert app.button(key="run-stop").disabled
    first = query(app, "run")
    app.number_input(key="clip_seed").set_value(2).run()
    app.button(key="run-start").click().run()
    assert query(app, "run") not in (first, None)
    assert "seed 2" in captions(app)
    app.button(key=f"own-{first}").click().run()
    assert query(app, "run") == first
    assert "seed 1" in captions(app)


def test_another_threshold_branches_off(opened: Opened):
    app = until(started(opened, clip_with="norm"), lambda app: state(app).startswith("finished"))
    app.selectbox(key="fork_parent").set_value(0).run()
    app.number_input(key="fork_threshold").set_value(0.01).run()
    app.button(key="run-fork").click().run()
    until(app, lambda app: len(app.selectbox(key="fork_parent").options) == 2)
    assert re.match(r"by norm, θ = 0.01, forked at step \d+", app.selectbox(key="fork_parent").options[1])
    app.number_input(key="fork_threshold").set_value(0.0).run()
    app.button(key="run-fork").click().run()
    assert [w.value for w in app.warning] == ["θ of the norm is 0; allowed is 0.0001 to 1000."]


def test_a_run_of_long_ago_is_said_to_be_gone_and_another_can_be_set_up(opened: Opened):
    app = clipping(opened, run="nobody-knows-me")
    assert [w.value for w in app.warning] == [
        "There is no such run any more: runs are kept for some hours, and end with the server."
    ]
    assert not app.button(key="run-start").disabled


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"clip_hidden_size": "1000"}, "Units is 1000; allowed is 2 to 128."),
        ({"clip_length": "4"}, "Length is 4; allowed is 5 to 400."),
        ({"clip_threshold": "0"}, "θ of the norm is 0; allowed is 0.0001 to 1000."),
        ({"clip_steps": "1000000"}, "Steps is 1000000; allowed is 10 to 5000."),
        ({"clip_with": ""}, "Choose at least one way of clipping, each of them once."),
        (
            {"clip_task": "text", "clip_text": "too short"},
            "The text has 9 characters; for sequences of 30 it needs 31 to 1000.",
        ),
        (
            {"clip_task": "text", "clip_text": "ab" * 2500},
            "The text has 5000 characters; for sequences of 30 it needs 31 to 1000.",
        ),
    ],
)
def test_what_cannot_be_run_is_said_with_what_is_allowed(opened: Opened, settings: dict[str, str], sentence: str):
    app = clipping(opened, **settings)
    if settings == {"clip_with": ""}:
        app.pills(key="clip_with").set_value([]).run()
    assert [w.value for w in app.warning] == [sentence]
    assert app.button(key="run-start").disabled


def test_an_odd_text_is_learned(opened: Opened):
    text = "<script>alert(1)</script> 猫吃了鱼，狗看见了猫。🐈 $x$ مرحبا"
    app = started(opened, clip_task="text", clip_text=text, clip_with="norm", clip_steps="10")
    until(app, lambda app: state(app).startswith("finished"))
    assert not app.warning


def test_a_broken_link_still_opens_the_view(opened: Opened):
    app = clipping(
        opened, gradient="x_y", weights="_", clip_task="x", clip_cell="y", clip_with="z", clip_init="q",
        clip_learning_rate="no", clip_seed="-", step_axis="?", cliff="maybe", across="up", cliff_of="9",
    )  # fmt: skip
    assert not app.warning
    assert not app.button(key="run-start").disabled


def test_every_sentence_of_the_view_is_chinese_in_chinese(opened: Opened):
    chinese = re.compile(r"[\u4e00-\u9fff]")
    app = clipping(opened, lang="zh_CN", **SMALL)
    for element in [*app.caption, *app.subheader, *app.button]:
        text = element.label if hasattr(element, "label") else element.value
        assert chinese.search(text), text
    for element in [*app.selectbox, *app.number_input]:
        assert chinese.search(element.label), element.label
