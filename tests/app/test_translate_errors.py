"""The view "Error analysis" of the Translate page: one pair, a set of pairs, and all that can be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened
from tests.app.jobs import query, state, stop_all_jobs, until
from tests.helpers import PAIRS, write_tiny_translator

PAGE = "app_pages/translate.py"
MODEL = "fra-eng-attention"
SOURCE, REFERENCE = "Le chat dort.", "The cat is sleeping."


@pytest.fixture(autouse=True)
def stopped_afterwards(models: Path) -> Iterator[None]:
    """A tiny model under the name of the examples'; no run goes on behind a test."""
    if not (models / MODEL).exists():
        write_tiny_translator(models, name=MODEL)
    yield
    stop_all_jobs()


def errors(opened: Opened, **query: str) -> AppTest:
    return opened(page=PAGE, view="errors", **{"source": SOURCE, "reference": REFERENCE, **query})


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


# ---- one pair


def test_the_verdict_has_both_numbers_and_a_reason(opened: Opened):
    app = errors(opened)
    assert not app.warning
    formula = app.latex[0].value
    match = re.search(r"= (-[\d.]+) \\;(>|\\le)\\; (-[\d.]+) =", formula)
    assert match is not None, formula
    human, output = float(match[1]), float(match[3])
    expected = "The search is at fault." if human > output else "The model is at fault."
    assert f"#### {expected}" in said(app)
    assert f"higher by {abs(human - output):.2f}" in said(app)
    assert len(app.get("vega_lite_chart")) == 2
    assert "They part at step 1" in said(app)


def test_alpha_and_notation_go_into_the_formula(opened: Opened):
    app = errors(opened, score_alpha="1", notation="d2l")
    assert r"\mathrm{score}(\mathbf{y}^*)" in app.latex[0].value
    assert r"y_{t'}" in app.latex[1].value


def test_what_the_model_gives_itself_is_no_error(opened: Opened):
    from app.ui.backend import ask
    from seqviz.backends.translation_requests import SearchRequest
    from seqviz.config import DecodeConfig

    found = ask(SearchRequest(model=MODEL, text=SOURCE, config=DecodeConfig(beam_size=5, max_length=60)))
    assert found.best is not None
    if found.best.text.strip():
        app = errors(opened, reference=found.best.text)
        assert "No error" in said(app)


def test_the_step_that_is_looked_at_moves_and_stands_in_the_url(opened: Opened):
    app = errors(opened)
    assert query(app, "errors_step") is None
    app.slider(key="errors_step-slider").set_value(3).run()
    assert query(app, "errors_step") == "3"
    other = errors(opened, errors_step="3")
    assert other.slider(key="errors_step-slider").value == 3
    other.text_area(key="reference").set_value("A cat.").run()
    assert query(other, "errors_step") is None


def test_one_of_several_translations_is_chosen(opened: Opened):
    app = errors(opened, reference="The cat is sleeping.\nA cat sleeps.")
    first = app.latex[0].value
    app.selectbox[-1].set_value("A cat sleeps.").run()
    assert app.latex[0].value != first


def test_without_a_translation_the_reader_is_asked_for_one(opened: Opened):
    app = errors(opened, source="Tom est en France.", reference="")
    assert [info.value for info in app.info] == [
        "Type a human translation y* above; the model then says what it thinks of it."
    ]
    assert not app.get("vega_lite_chart")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"source": " "}, "There is nothing to translate yet: type at least one word."),
        ({"source": "chat " * 300}, "pieces; the limit is 200."),
        ({"reference": "cat " * 300}, "pieces; the limit is 200."),
    ],
)
def test_what_cannot_be_analysed_is_said(opened: Opened, settings: dict[str, str], sentence: str):
    app = errors(opened, **settings)
    assert len(app.warning) == 1
    assert sentence in app.warning[0].value


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "🐈 $x$ `y`", "机器学习"])
def test_odd_pairs_are_analysed(opened: Opened, text: str):
    app = errors(opened, source=text, reference=text)
    assert not app.warning
    assert len(app.get("vega_lite_chart")) == 2


def test_the_example_of_a_search_error_is_taken(opened: Opened):
    app = errors(opened)
    app.button(key="search-error").click().run()
    assert not app.exception
    assert app.text_input(key="source").value == "Ils se sont mariés il y a dix ans."
    assert app.text_area(key="reference").value == "They got married ten years ago."
    assert app.number_input(key="errors_beam").value == 1


# ---- a set of pairs


def test_a_set_is_judged_and_a_link_shows_the_same_run(opened: Opened):
    app = errors(opened, errors_part="file", pairs="file", file_beam="1", wider="2")
    content = "".join(f"{source}\t{target}\n" for source, target in PAIRS).encode()
    app.file_uploader(key="pairs_file").upload("four.tsv", content, "text/plain").run()
    assert app.button(key="job-start").label == "Judge 4 pairs"
    app.button(key="job-start").click().run()
    assert query(app, "job")
    until(app, lambda app: state(app).startswith("finished"), seconds=60)
    assert state(app) == "finished: pair 4 of 4"
    assert "four.tsv, 4 pairs · fra-eng-attention · B = 1 against B = 2 · α = 0" in said(app)
    assert "tok:13a" in said(app)
    assert [metric.label for metric in app.metric] == [
        "due to the search", "due to the model", "wider beam ends worse", "corpus BLEU, B = 1", "corpus BLEU, B = 2",
    ]  # fmt: skip
    frame = app.dataframe[0].value
    assert len(frame) == 4
    assert set(frame["due to"]) <= {"no error", "search", "model"}
    shares = [int(metric.value.rstrip("%")) for metric in app.metric[:2]]
    judged = frame[frame["due to"] != "no error"]
    assert shares[0] == round(100 * (judged["due to"] == "search").mean())
    other = errors(opened, job=query(app, "job") or "")
    assert state(other) == state(app)
    assert not other.warning


def test_a_run_is_paused_goes_on_and_is_cancelled(opened: Opened):
    app = errors(opened, errors_part="file", file_beam="90", wider="100")
    assert app.button(key="job-start").label == "Judge 40 pairs"
    app.button(key="job-start").click().run()
    until(app, lambda app: state(app).startswith("running"), seconds=60)
    app.button(key="job-pause").click().run()
    until(app, lambda app: state(app).startswith("paused"), seconds=60)
    app.button(key="job-resume").click().run()
    until(app, lambda app: state(app).startswith("running"), seconds=60)
    app.button(key="job-stop").click().run()
    until(app, lambda app: state(app).startswith("stopped"), seconds=60)
    assert app.button(key="job-stop").disabled


def test_a_file_of_the_readers_own_is_judged(opened: Opened):
    app = errors(opened, errors_part="file", pairs="file", file_beam="1", wider="2")
    assert app.button(key="job-start").disabled
    app.file_uploader(key="pairs_file").upload(
        "mine.tsv", b"Le chat dort.\tThe cat is sleeping.\n" + b"chat " * 300 + b"\tcat\n", "text/plain"
    ).run()
    app.button(key="job-start").click().run()
    until(app, lambda app: state(app).startswith("finished"), seconds=60)
    assert "mine.tsv, 2 pairs" in said(app)
    assert len(app.dataframe[0].value) == 1
    assert any(expander.label == "1 pairs were left out" for expander in app.expander)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file has no pair of sentences."),
        (b"one column", "Line 1 has 1 columns; each line needs two"),
        (b"caf\xe9\tcoffee", "Line 1 is not UTF-8; save the file as UTF-8 and load it again."),
        (b"a\tb\n" * 2001, "The file has more than 2000 pairs, which is the most."),
    ],
)
def test_a_bad_file_is_said_in_place(opened: Opened, content: bytes, sentence: str):
    app = errors(opened, errors_part="file", pairs="file")
    app.file_uploader(key="pairs_file").upload("bad.tsv", content, "text/plain").run()
    assert not app.exception
    assert len(app.warning) == 1
    assert sentence in app.warning[0].value
    assert app.button(key="job-start").disabled


def test_beams_that_cannot_be_compared_are_said(opened: Opened):
    app = errors(opened, errors_part="file", file_beam="20", wider="5")
    assert [w.value for w in app.warning] == ["The wider beam is 5; it must be wider than B = 20, and at most 100."]
    assert app.button(key="job-start").disabled


def test_a_run_of_long_ago_is_said_to_be_gone(opened: Opened):
    app = errors(opened, errors_part="file", job="nobody-knows-me")
    assert [w.value for w in app.warning] == [
        "There is no such run any more: runs are kept for some hours, and end with the server."
    ]
    assert not app.button(key="job-start").disabled


def test_a_broken_link_still_opens_the_view(opened: Opened):
    app = errors(opened, errors_part="?", errors_step="-4", errors_beam="x", score_alpha="y", pairs="z", wider="w")
    assert not app.warning
    assert app.latex


def test_every_sentence_of_the_view_is_chinese_in_chinese(opened: Opened):
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for part in ("pair", "file"):
        app = errors(opened, lang="zh_CN", errors_part=part)
        for element in [*app.caption, *app.info]:
            assert chinese.search(element.value), element.value
        for element in [*app.button, *app.number_input, *app.slider]:
            if not (element.key or "").startswith("translation-example"):
                assert chinese.search(element.label), element.label
