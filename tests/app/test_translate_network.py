"""The view Encoder and decoder by hand: every input, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator

PAGE = "app_pages/translate.py"
TEXT, REFERENCE = "Jane visite l'Afrique en septembre.", "Jane visits Africa in September."
Opener = Callable[..., AppTest]


@pytest.fixture(scope="module")
def folder(models: Path) -> Iterator[Path]:
    """Tiny translators in the folder that the backend of these tests reads, gone again for the others."""
    folders = [
        write_tiny_translator(models, name="fra-eng-attention"),
        write_tiny_translator(models, name="without-attention", score="none", cell="lstm"),
    ]
    yield models
    for path in folders:
        shutil.rmtree(path)


@pytest.fixture
def network_page(folder: Path, opened: Opened) -> Opener:
    def open_view(**query: str) -> AppTest:
        return opened(page=PAGE, root=folder, view="network", **query)

    return open_view


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def said(app: AppTest) -> str:
    return " ".join(each.value for each in (*app.markdown, *app.caption))


def test_it_opens_on_the_example_with_its_reference(network_page):
    app = network_page()
    assert app.text_input(key="source").value == TEXT
    assert app.text_area(key="reference").value == REFERENCE
    assert not app.warning
    assert "The runs part at step" in said(app)
    assert query(app)["moment"].split(".")[2] == "free"
    assert app.selectbox(key="sum").options[-1].startswith("score of")
    assert "load_translator('fra-eng-attention')" in app.code[0].value


@pytest.mark.parametrize(
    ("moment", "words", "first"),
    [
        ("3.0.backward.2", "Encoder, piece **4**", "reset gate, layer 1, unit 2"),
        ("{hand}.1.free.5", "Hand-over to decoder layer 2 · unit **5** of 8", "handed-over state, layer 2, unit 5"),
        ("{last}.0.forced.7", "Teacher forcing, step **1**", "reset gate, layer 1, unit 7"),
    ],
)
def test_a_link_shows_its_moment(network_page, moment, words, first):
    count = len_source(network_page)
    moment = moment.format(hand=count, last=count + 1)
    app = network_page(moment=moment)
    assert words in said(app)
    assert app.selectbox(key="sum").options[0] == first
    assert query(app)["moment"] == moment


def len_source(network_page: Opener) -> int:
    from seqviz.checkpoints import checkpoints_root
    from seqviz.models.loading import load_translator

    network_page()
    return len(load_translator("fra-eng-attention", root=checkpoints_root()).encoder.encode(TEXT))


@pytest.mark.parametrize("moment", ["999.9.free.99999", "0.0.forced.0", "nonsense", "1.2.3", "-1.0.free.0"])
def test_a_moment_that_does_not_exist_is_the_nearest_one(network_page, moment):
    app = network_page(moment=moment)
    assert not app.exception
    assert not app.warning
    assert query(app)["moment"] != moment


def test_a_reference_travels_in_the_url_and_the_examples_own_does_not(network_page):
    app = network_page()
    assert "reference" not in query(app)
    app.text_area(key="reference").set_value("Jane is visiting Africa in September.").run()
    assert query(app)["reference"] == "Jane is visiting Africa in September."
    again = network_page(reference="The cat is sleeping.\nA second one.")
    assert again.text_area(key="reference").value == "The cat is sleeping.\nA second one."
    assert not again.warning


def test_without_a_reference_the_free_run_stands_alone(network_page):
    app = network_page()
    app.text_area(key="reference").set_value("").run()
    assert "A reference is missing" in said(app)
    assert query(app)["reference"] == ""
    assert not app.warning


def test_another_sentence_drops_the_old_reference(network_page):
    app = network_page()
    app.text_input(key="source").set_value("Le chat dort.").run()
    assert app.text_area(key="reference").value == ""
    app.text_area(key="reference").set_value("The cat is sleeping.").run()
    assert "A reference is missing" not in said(app)


def test_a_beam_writes_the_free_run(network_page):
    app = network_page(free="beam")
    assert not app.warning
    assert query(app)["free"] == "beam"
    app.segmented_control(key="free").set_value("greedy").run()
    assert "free" not in query(app)


def test_a_model_without_attention_has_neither_context_nor_its_sum(network_page):
    app = network_page(translator="without-attention", source=TEXT, reference=REFERENCE)
    assert not app.exception
    assert not app.warning
    assert not any("context" in option for option in app.selectbox(key="sum").options)
    count = len_source(network_page)
    app = network_page(translator="without-attention", source=TEXT, moment=f"{count}.0.free.3")
    assert app.selectbox(key="sum").options == [
        "handed-over state, layer 1, unit 3",
        "handed-over cell state, layer 1, unit 3",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is nothing to translate yet"),
        ("   ", "There is nothing to translate yet"),
        ("mot " * 220, "the limit is 80"),
    ],
)
def test_bad_input_is_one_sentence_and_the_last_good_picture_stays(network_page, text, words):
    app = network_page(source=text)
    assert words in app.warning[0].value
    assert not app.exception
    app = network_page()
    app.text_input(key="source").set_value(text).run()
    assert words in app.warning[0].value
    assert "Below: the last text that could be read." in said(app)


def test_a_reference_that_is_too_long_leaves_the_free_run(network_page):
    app = network_page(reference="word " * 150)
    assert "the limit is 80" in app.warning[0].value
    assert "The reference cannot be read" in said(app)
    assert "A reference is missing" in said(app)


@pytest.mark.parametrize("text", ["🙂🙂", "<b>Tom</b> **x** $y$ `z`", "我们明天去北京。", "\u202eabc\x00"])
def test_any_script_is_read(network_page, text):
    app = network_page(source=text, reference=text)
    assert not app.exception
    assert not app.warning


@pytest.mark.parametrize(("notation", "language"), [("d2l", "en"), ("ng", "zh_CN")])
def test_both_notations_and_languages(network_page, notation, language):
    app = network_page(notation=notation, lang=language)
    assert not app.exception
    state = {"d2l": r"\mathbf{C}_{", "ng": r"c^{\langle"}[notation]
    assert state in said(app)
    assert ("两次运行" in said(app)) == (language == "zh_CN")
