"""The library's pictures are those of the pages, to the last character."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.backend import backend
from seqviz import judge_pairs, pictures
from seqviz.attention_edits import edits_text
from seqviz.backends.requests import TraceRequest
from seqviz.backends.translation_requests import ForcedRequest
from seqviz.clipping import ClippingConfig
from seqviz.growing_sentence import CLAUSES
from seqviz.laboratory import LaboratoryConfig
from seqviz.units import UnitPlace
from tests.app.conftest import Opened
from tests.app.jobs import state, stop_all_jobs, until
from tests.helpers import PAIRS, write_tiny_translator, write_tiny_tuned

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


@pytest.fixture
def tuned(models: Path, translator: str) -> Iterator[None]:
    """Fine-tuned twins of the translator."""
    made = [
        write_tiny_tuned(models, name="fra-eng-even", base=translator, penalty=1.5),
        write_tiny_tuned(models, name="fra-eng-cosine", base=translator, score="cosine"),
    ]
    yield
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture
def french(models: Path) -> Iterator[str]:
    """A translator of the family whose sentence grows, and whose pairs are aligned by hand; and its twin."""
    made = [
        write_tiny_translator(
            models, name=f"french-{score}", score=score, family="tatoeba-fra-eng", learned=[text for text, _ in CLAUSES]
        )
        for score in ("additive", "none")
    ]
    yield made[0].name
    for folder in made:
        shutil.rmtree(folder)


def shown(app: AppTest, *, number: int = 0) -> dict[str, Any]:
    """What the page sent to the browser for one of its pictures; without what belongs to the place on the page."""
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return [one for one in found if "payload" in one][number]


def charts(app: AppTest) -> list[dict[str, Any]]:
    """The charts of the page. Their data stand apart, named by a hash of themselves: same names, same numbers."""
    return [json.loads(plain(element.proto.spec)) for element in app.get("vega_lite_chart")]


def chart(picture: pictures.ChartPicture) -> dict[str, Any]:
    """A chart of the library in the same form."""
    found = json.loads(plain(json.dumps(picture.chart().to_dict(validate=False))))
    del found["datasets"]
    return found


def plain(specification: str) -> str:
    """Without the names that Altair counts through, and without what Streamlit writes for no title."""
    return re.sub(r'"view_[0-9a-f_]+"', '"view"', specification).replace('"title": " "', '"title": null')


def same(picture: Any, sent: dict[str, Any]) -> bool:
    return picture.svg == sent["svg"] and json.loads(json.dumps(picture.payload)) == sent["payload"]


def test_home(opened: Opened):
    app = opened(page=None, text="Harry met Hermione", model="entities-bilstm")
    assert same(pictures.home("entities-bilstm", "Harry met Hermione"), shown(app))


def test_the_numbers_of_a_moment(opened: Opened):
    app = opened(page="app_pages/unroll.py", text=WORDS, model="wikitext-lstm", focus="4.0.forward.6")
    place = {"layer": 0, "unit": 6, "step": 4}
    assert charts(app) == [
        chart(pictures.unit_sum("wikitext-lstm", WORDS, **place)),
        chart(pictures.output("wikitext-lstm", WORDS, step=4)),
    ]


def test_unroll(opened: Opened):
    app = opened(page="app_pages/unroll.py", text="Harry met Hermione", model="entities-bilstm")
    assert same(pictures.unroll("entities-bilstm", "Harry met Hermione"), shown(app))


def test_gradients(opened: Opened):
    app = opened(page="app_pages/gradients.py", text=WORDS, model="wikitext-lstm", beside="none", loss="4")
    assert same(pictures.gradients("wikitext-lstm", WORDS, loss_step=4), shown(app))


def test_the_sum_behind_a_gradient(opened: Opened):
    app = opened(page="app_pages/gradients.py", text=WORDS, model="wikitext-lstm", beside="none", loss="4")
    assert charts(app) == [chart(pictures.gradient_sum("wikitext-lstm", WORDS, loss_step=4))]


def test_shared_weights(opened: Opened):
    app = opened(page="app_pages/gradients.py", text=WORDS, model="wikitext-lstm", loss="4", view="weights")
    assert charts(app) == [
        chart(pictures.shared_weights("wikitext-lstm", WORDS, loss_step=4, drawn=drawn)) for drawn in ("steps", "tiles")
    ]


def test_a_long_dependency(opened: Opened):
    app = opened(page="app_pages/gradients.py", view="dependency", clause="which ate fish")
    models = ("wikitext-gru", "wikitext-lstm")
    assert charts(app) == [
        chart(pictures.dependency("which ate fish", models=models, measured=measured))
        for measured in ("odds", "gradient")
    ]


def test_the_laboratory(opened: Opened):
    size = {"back": "12", "units": "8", "seeds": "2"}
    app = opened(page="app_pages/gradients.py", view="laboratory", slopes="true", activation="relu", **size)
    config = LaboratoryConfig(activation="relu", steps=12, hidden_size=8, num_seeds=2)
    assert charts(app) == [
        chart(pictures.laboratory(config)),
        chart(pictures.activations("relu")),
        chart(pictures.jacobians(config.each()[0], kind="steps")),
        chart(pictures.jacobians(config.each()[0], kind="products")),
    ]


def test_the_memory_cell(opened: Opened):
    app = opened(page="app_pages/gradients.py", view="laboratory", lab="memory", apart="0.2", back="30")
    assert charts(app) == [chart(pictures.memory_cell(0.2, 30))]


def test_the_jacobians_of_trained_models(opened: Opened):
    app = opened(page="app_pages/gradients.py", view="laboratory", lab="trained", text=WORDS, model="wikitext-lstm")
    assert charts(app) == [
        chart(pictures.product_norms(["wikitext-lstm", "wikitext-gru"], WORDS)),
        chart(pictures.jacobians("wikitext-lstm", WORDS, kind="steps")),
        chart(pictures.jacobians("wikitext-lstm", WORDS, kind="products")),
    ]


def test_the_cliff_of_a_run(opened: Opened):
    size = {"clip_hidden_size": "6", "clip_length": "8", "clip_batch_size": "4", "clip_steps": "40"}
    app = opened(page="app_pages/gradients.py", view="clipping", part="training", cliff="true", **size)
    app.button(key="run-start").click().run()
    app = until(app, lambda app: state(app).startswith("finished"))
    config = ClippingConfig(hidden_size=6, length=8, batch_size=4, steps=40)
    assert same(pictures.clipping(config), shown(app))
    found = pictures.find_cliff(config)
    assert charts(app) == [chart(pictures.cliff(found)), chart(pictures.cliff(found, near=True))]
    stop_all_jobs()


def test_one_gradient_being_clipped(opened: Opened):
    app = opened(page="app_pages/gradients.py", view="clipping", gradient="3_1_1.5_1")
    assert same(pictures.projection((3, 1)), shown(app))


def test_memory(opened: Opened):
    app = opened(page="app_pages/gates.py", view="memory", text=WORDS, model="wikitext-lstm", focus="4.0.forward.6")
    place = {"layer": 0, "unit": 6, "step": 4}
    assert charts(app) == [
        chart(pictures.carried_memory("wikitext-lstm", WORDS, **place)),
        chart(pictures.carried_memory("wikitext-lstm", WORDS, drawn="all", **place)),
        chart(pictures.half_lives("wikitext-lstm", WORDS, layer=0, step=4)),
        chart(pictures.number_unit("wikitext-lstm")),
    ]


def test_variants(opened: Opened):
    app = opened(page="app_pages/gates.py", view="variants", text=WORDS, model="wikitext-lstm")
    assert charts(app) == [
        chart(pictures.variants(["wikitext-gru", "wikitext-lstm"], WORDS, role=role))
        for role in ("keeps", "writes", "reset", "shows")
    ]


def test_an_intervention(opened: Opened):
    forced = "forget_gate=0@3"
    app = opened(page="app_pages/gates.py", view="intervene", text=WORDS, model="wikitext-lstm", do=forced)
    drawn = [("divergence", {}), ("moved", {}), ("states", {})]
    drawn[2:2] = [("gradients", {"quantity": name}) for name in ("hidden_state", "cell_state")]
    assert sorted(map(json.dumps, charts(app))) == sorted(
        json.dumps(chart(pictures.intervention("wikitext-lstm", WORDS, [forced], drawn=name, **more)))  # type: ignore[arg-type]
        for name, more in drawn
    )


def test_gates(opened: Opened):
    app = opened(page="app_pages/gates.py", text=WORDS, model="wikitext-lstm", focus="4.0.forward.6")
    cell = pictures.gates("wikitext-lstm", WORDS, layer=0, unit=6, step=4)
    assert same(cell, shown(app))
    assert same(pictures.all_gates("wikitext-lstm", WORDS), shown(app, number=1))


def test_units(opened: Opened):
    app = opened(page="app_pages/units.py", model="wikitext-lstm")
    assert pictures.unit_text("wikitext-lstm").payload == shown(app)["payload"]
    assert charts(app) == [
        chart(pictures.unit_series("wikitext-lstm")),
        chart(pictures.unit_series("wikitext-lstm", drawn="values")),
    ]


def test_a_unit_that_was_chosen(opened: Opened):
    app = opened(page="app_pages/units.py", model="wikitext-lstm", unit="0.forward.3", quantity="forget_gate")
    place = UnitPlace(layer=0, direction="forward", unit=3)
    assert pictures.unit_text("wikitext-lstm", quantity="forget_gate", unit=place).payload == shown(app)["payload"]


def test_similar_moments_but_for_the_brush(opened: Opened):
    app = opened(page="app_pages/units.py", model="sentiment-lstm", view="moments")
    mine, sent = pictures.moments("sentiment-lstm").payload, shown(app)["payload"]
    assert mine["brush"] is False
    assert {name for name in sent if json.loads(json.dumps(mine[name])) != sent[name]} == {"brush", "texts", "version"}


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


def test_a_step_of_attention(opened: Opened, translator: str):
    text = "Jane visite la mer."
    app = opened(page="app_pages/attention.py", source=text, translator=translator)
    assert charts(app) == [
        chart(pictures.attention_step(translator, text)),
        chart(pictures.attention_step(translator, text, drawn="next")),
    ]


def test_alignment_error(opened: Opened, french: str):
    app = opened(page="app_pages/attention.py", source="La mer.", translator=french, view="explain")
    assert charts(app) == [chart(pictures.alignment_error(french))]


def test_the_growing_sentence(opened: Opened, french: str):
    app = opened(page="app_pages/attention.py", source="La mer.", translator=french, view="compare", clauses="2")
    assert charts(app) == [chart(pictures.growing_sentence([french], clauses=2))]


def test_good_attention_and_score_functions(opened: Opened, translator: str, tuned: None):
    text = "Jane visite la mer."
    for view, draw in (("good", pictures.good_attention), ("scores", pictures.score_functions)):
        app = opened(page="app_pages/attention.py", source=text, translator=translator, view=view)
        assert same(draw(translator, text), shown(app))


def test_an_edited_translation(opened: Opened, translator: str):
    text = "Jane visite la mer."
    app = opened(page="app_pages/attention.py", source=text, translator=translator, view="edit", edits="1f2")
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    sent = next(one for one in found if "svg" in one)
    assert same(pictures.attention_edit(translator, text, "1f2"), sent)
    assert charts(app) == [chart(pictures.changed_pieces(translator, text, "1f2"))]


def test_encoder_and_decoder(opened: Opened, translator: str):
    text, reference = "Jane visite la mer.", "Jane visits the sea."
    app = opened(page="app_pages/translate.py", source=text, translator=translator, view="network", reference=reference)
    assert same(pictures.encoder_decoder(translator, text, reference=reference), shown(app))
    assert charts(app) == [chart(pictures.network_sum(translator, text, reference=reference))]


def test_the_search_for_a_translation(opened: Opened, translator: str):
    text = "Jane visite la mer."
    app = opened(page="app_pages/translate.py", source=text, translator=translator, budget="0")
    assert same(pictures.search_tree(translator, text, budget=0), shown(app))


def test_a_pair_piece_by_piece(opened: Opened, translator: str):
    text, reference = "Jane visite la mer.", "Jane visits the sea."
    app = opened(page="app_pages/translate.py", source=text, translator=translator, view="errors", reference=reference)
    assert charts(app) == [
        chart(pictures.pair_steps(translator, text, reference)),
        chart(pictures.pair_sums(translator, text, reference)),
    ]


def test_the_size_of_the_beam(opened: Opened, translator: str):
    text, reference = "Jane visite la mer.", "Jane visits the sea."
    app = opened(page="app_pages/translate.py", source=text, translator=translator, view="compare", reference=reference)
    drawn = [pictures.beam_sizes(translator, text, references=[reference], drawn=name) for name in ("log_prob", "bleu")]
    wanted = [chart(one) for one in drawn]
    end = time.monotonic() + 60
    while charts(app) != wanted and time.monotonic() < end:  # the exact search comes last
        app.run()
    assert charts(app) == wanted


def test_whose_fault_errors_are(opened: Opened, translator: str):
    app = opened(
        page="app_pages/translate.py", translator=translator, view="errors", errors_part="file", pairs="file", wider="3"
    )
    content = "".join(f"{source}\t{target}\n" for source, target in PAIRS).encode()
    app.file_uploader(key="pairs_file").upload("four.tsv", content, "text/plain").run()
    app.button(key="job-start").click().run()
    app = until(app, lambda app: state(app).startswith("finished"), seconds=60)
    report = judge_pairs(translator, PAIRS, beam_size=2, wider=3)
    assert charts(app) == [chart(pictures.error_shares(report, drawn=drawn)) for drawn in ("shares", "scores")]
    stop_all_jobs()


@pytest.mark.parametrize(
    ("text", "kind"), [("5f6", "force"), ("5z", "freeze"), ("5w0-250-750", "set"), ("5f6.6z", "force")]
)
def test_edits_are_read_as_in_a_link(text: str, kind: str):
    found = pictures.parse_edits(text)
    assert found[0].kind == kind
    assert edits_text(found) == text
