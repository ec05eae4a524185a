"""The library's pictures are those of the pages, to the last character."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.backend import backend
from seqviz import pictures
from seqviz.attention_edits import edits_text
from seqviz.backends.requests import TraceRequest
from seqviz.backends.translation_requests import ForcedRequest
from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator

WORDS = "The cat , which ate fresh fish , was full ."


@pytest.fixture(scope="module", autouse=True)
def warm(models: Path) -> None:
    # A busy machine may need longer for the first answer than a reader's question has.
    backend().ask(TraceRequest(model="entities-bilstm", text="Harry"), deadline_seconds=100)


@pytest.fixture(scope="module")
def translator(models: Path) -> Iterator[str]:
    folder = write_tiny_translator(models, name="fra-eng-attention")
    backend().ask(ForcedRequest(model=folder.name, text="La mer.", target="The sea."), deadline_seconds=100)
    yield folder.name
    shutil.rmtree(folder)


def shown(app: AppTest, *, number: int = 0) -> dict[str, Any]:
    """What the page sent to the browser for one of its pictures; without what belongs to the place on the page."""
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return [one for one in found if "payload" in one][number]


def same(picture: Any, sent: dict[str, Any]) -> bool:
    return picture.svg == sent["svg"] and json.loads(json.dumps(picture.payload)) == sent["payload"]


def test_unroll(opened: Opened):
    app = opened(page="app_pages/unroll.py", text="Harry met Hermione", model="entities-bilstm")
    assert same(pictures.unroll("entities-bilstm", "Harry met Hermione"), shown(app))


def test_gradients(opened: Opened):
    app = opened(page="app_pages/gradients.py", text=WORDS, model="wikitext-lstm", beside="none", loss="4")
    assert same(pictures.gradients("wikitext-lstm", WORDS, loss_step=4), shown(app))


def test_gates(opened: Opened):
    app = opened(page="app_pages/gates.py", text=WORDS, model="wikitext-lstm", focus="4.0.forward.6")
    cell = pictures.gates("wikitext-lstm", WORDS, layer=0, unit=6, step=4)
    assert same(cell, shown(app))
    assert same(pictures.all_gates("wikitext-lstm", WORDS), shown(app, number=1))


def test_units(opened: Opened):
    app = opened(page="app_pages/units.py", model="wikitext-lstm")
    assert pictures.unit_text("wikitext-lstm").payload == shown(app)["payload"]


def test_decoding(opened: Opened):
    app = opened(page="app_pages/decoding.py")
    assert same(pictures.decoding("syllabus"), shown(app))


@pytest.mark.parametrize("view", ["heatmap", "ribbons"])
def test_attention(opened: Opened, translator: str, view: str):
    text = "Jane visite la mer."
    app = opened(page="app_pages/attention.py", source=text, translator=translator, reading=view.replace("heat", ""))
    draw = pictures.attention if view == "heatmap" else pictures.ribbons
    assert same(draw(translator, text), shown(app))


def test_attention_beside_other_readings(opened: Opened, translator: str):
    text = "Jane visite la mer."
    app = opened(page="app_pages/attention.py", source=text, translator=translator, view="explain")
    assert same(pictures.readings(translator, text), shown(app))


def test_an_edited_translation(opened: Opened, translator: str):
    text = "Jane visite la mer."
    app = opened(page="app_pages/attention.py", source=text, translator=translator, view="edit", edits="1f2")
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    sent = next(one for one in found if "svg" in one)
    assert same(pictures.attention_edit(translator, text, "1f2"), sent)


def test_encoder_and_decoder(opened: Opened, translator: str):
    text, reference = "Jane visite la mer.", "Jane visits the sea."
    app = opened(page="app_pages/translate.py", source=text, translator=translator, view="network", reference=reference)
    assert same(pictures.encoder_decoder(translator, text, reference=reference), shown(app))


@pytest.mark.parametrize(
    ("text", "kind"), [("5f6", "force"), ("5z", "freeze"), ("5w0-250-750", "set"), ("5f6.6z", "force")]
)
def test_edits_are_read_as_in_a_link(text: str, kind: str):
    found = pictures.parse_edits(text)
    assert found[0].kind == kind
    assert edits_text(found) == text
