"""The lessons: predict, reveal, go on; the state in the URL and in the session."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from seqviz.lessons import all_lessons, find_lesson
from tests.app.conftest import Opened

PAGE = "app_pages/lessons.py"


def title(app: AppTest) -> str:
    return app.subheader[0].value


def progress(app: AppTest) -> str:
    return next(caption.value for caption in app.caption if "predicted right" in caption.value)


def answered(app: AppTest, lesson: str, choice: str) -> AppTest:
    app.radio(key=f"predict-{lesson}").set_value(choice).run()
    app.button(key="reveal").click().run()
    assert not app.exception
    return app


def test_it_opens_on_the_first_lesson_with_nothing_revealed(opened: Opened):
    app = opened(page=PAGE)
    first = all_lessons()[0]
    assert title(app) == f"{first.id} · {first.title['en']}"
    assert progress(app) == f"0 of {len(all_lessons())} predicted right, {len(all_lessons())} still open"
    assert app.button(key="reveal").disabled
    assert not app.success
    assert not app.info


@pytest.mark.parametrize("lesson", all_lessons(), ids=[lesson.id for lesson in all_lessons()])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_lesson_opens_by_its_link_in_both_languages(opened: Opened, lesson, language: str):
    app = opened(page=PAGE, lesson=lesson.id, lang=language)
    assert title(app) == f"{lesson.id} · {lesson.title[language]}"
    assert app.radio(key=f"predict-{lesson.id}").label == f"**{lesson.question[language]}**"
    assert len(app.radio(key=f"predict-{lesson.id}").options) == len(lesson.choices)


def test_a_right_prediction_is_said_counted_and_explained_with_the_numbers(opened: Opened):
    app = answered(opened(page=PAGE, lesson="S3a"), "S3a", "no")
    assert [box.value for box in app.success] == ["Right: No."]
    texts = [markdown.value for markdown in app.markdown]
    assert "**Greedy: A B C \\<eos> with P = 0.048. Best: A C B \\<eos> with P = 0.054.**" in texts
    assert find_lesson("S3a").because["en"] in texts
    assert progress(app).startswith("1 of")
    assert "- Yes: the best of each step is the best of all\n- No · *your prediction*" in texts
    assert "predict-S3a" not in [radio.key for radio in app.radio]


def test_a_wrong_prediction_is_told_kindly_and_can_be_made_again(opened: Opened):
    app = answered(opened(page=PAGE, lesson="B5"), "B5", "value")
    assert [box.value for box in app.info] == ["The models say: By norm."]
    assert progress(app) == f"0 of {len(all_lessons())} predicted right, {len(all_lessons()) - 1} still open"
    app.button(key="again").click().run()
    assert app.radio(key="predict-B5").value is None
    assert not app.info
    app = answered(app, "B5", "norm")
    assert progress(app).startswith("1 of")


def test_the_answer_is_the_models_own_whatever_the_lesson_was_written_for(opened: Opened):
    # The tiny models of these tests are untrained: their verdict turns at another word, or at the same by chance.
    app = answered(opened(page=PAGE, lesson="R3"), "R3", "like")
    said = [box.value for box in (*app.success, *app.info)]
    assert len(said) == 1
    explained = find_lesson("R3").because["en"] in [markdown.value for markdown in app.markdown]
    assert explained == ("nothing" in said[0])


def test_a_model_that_is_not_installed_is_one_sentence(opened: Opened):
    app = answered(opened(page=PAGE, lesson="A3"), "A3", "明天")
    assert len(app.warning) == 1
    assert "cmn-eng-attention" in app.warning[0].value
    assert progress(app).startswith("0 of")


def test_next_and_previous_walk_through_all_and_stop_at_the_ends(opened: Opened):
    app = opened(page=PAGE)
    assert app.button(key="way-:material/arrow_back:").disabled
    app.button(key="way-:material/arrow_forward:").click().run()
    assert title(app).startswith(all_lessons()[1].id)
    assert "".join(app.query_params["lesson"]) == all_lessons()[1].id
    app.button(key="way-:material/arrow_back:").click().run()
    assert title(app).startswith(all_lessons()[0].id)
    assert "lesson" not in app.query_params
    app = opened(page=PAGE, lesson=all_lessons()[-1].id)
    assert app.button(key="way-:material/arrow_forward:").disabled


def test_a_lesson_is_chosen_from_the_list(opened: Opened):
    app = opened(page=PAGE)
    app.button(key="go-G2").click().run()
    assert title(app) == "G2 · A GRU that keeps everything"


def test_an_unknown_lesson_in_a_link_gives_the_first(opened: Opened):
    assert title(opened(page=PAGE, lesson="Z9")).startswith(all_lessons()[0].id)


def test_the_view_opens_in_the_lessons_state_and_nothing_else_of_the_session_goes_along(opened: Opened):
    app = opened(page="app_pages/unroll.py", text="Harry met Ron", compare="model", quantity="cell_state")
    app.switch_page(PAGE)
    app.query_params["lesson"] = "S4"
    app.run()
    answered(app, "S4", "2")
    app.button(key="open-view").click().run()
    assert not app.exception
    assert app.title[0].value == "Decoding"
    assert app.number_input(key="beam").value == 2
    assert "text" not in app.session_state
    app.switch_page(PAGE)
    app.run()
    assert progress(app).startswith("0 of")
    assert progress(app).endswith(f"{len(all_lessons()) - 1} still open")
