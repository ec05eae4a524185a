"""The ways from a moment to the same one in another view: where they lead, and that they arrive."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator

CAT = "Le chat dort."
WORDS = {"model": "wikitext-lstm", "text": "The cat was full .", "focus": "2.0.forward.3"}


@pytest.fixture(scope="module", autouse=True)
def translators(models: Path) -> Iterator[None]:
    """A tiny translator with attention, only as long as these tests need it."""
    made = not (models / "fra-eng-attention").exists()
    if made:
        write_tiny_translator(models, name="fra-eng-attention")
    yield
    if made:
        shutil.rmtree(models / "fra-eng-attention")


def ways(app: AppTest) -> dict[str, dict[str, str]]:
    """The query of every link, by its label."""
    return {
        link.proto.label: {name: values[0] for name, values in parse_qs(link.proto.query_string).items()}
        for link in app.get("page_link")
    }


def test_a_step_of_a_run_leads_to_its_gradient_and_its_gates(opened: Opened):
    found = ways(opened(page="app_pages/unroll.py", **WORDS))
    assert found == {
        "its gradient": {**WORDS, "view": "time", "loss": "2"},
        "its gates": {**WORDS, "view": "cell"},
    }


def test_the_gradient_and_the_gates_lead_back_to_the_whole_run(opened: Opened):
    run = {**WORDS, "structure": "many_to_many"}
    gradients = ways(opened(page="app_pages/gradients.py", compare="none", **WORDS))
    assert gradients["the whole run"] == run
    assert gradients["its gates"] == {**WORDS, "view": "cell"}
    gates = ways(opened(page="app_pages/gates.py", **WORDS))
    assert gates["the whole run"] == run
    assert gates["its gradient"]["loss"] == "2"


def test_a_step_without_a_loss_of_its_own_keeps_the_usual_loss(opened: Opened):
    last = {**WORDS, "focus": "4.0.forward.3"}
    assert ways(opened(page="app_pages/unroll.py", **last))["its gradient"] == {**last, "view": "time"}
    verdict = {"model": "sentiment-gru", "text": "good film", "focus": "1.0.forward.3"}
    assert ways(opened(page="app_pages/unroll.py", **verdict))["its gradient"] == {**verdict, "view": "time"}


def test_what_a_model_wrote_goes_along_as_text(opened: Opened):
    app = opened(
        page="app_pages/unroll.py",
        model="shakespeare-lstm-2x512",
        text="T",
        structure="one_to_many",
        generate="6",
        focus="5.1.forward.0",
    )
    way = ways(app)["its gates"]
    assert len(way["text"]) == 7  # six steps behind the first
    assert way["text"].startswith("T")


def test_a_row_of_the_heatmap_leads_to_the_step_of_its_search_and_of_its_states(opened: Opened):
    found = ways(opened(page="app_pages/attention.py", source=CAT, unit="pieces", cell="2.1", which="greedy"))
    here = {"source": CAT, "translator": "fra-eng-attention"}
    assert found["its search"] == {**here, "view": "tree", "step": "2"}
    network = found["its states"]
    assert network.pop("moment").endswith(".0.free.0")
    assert network == {**here, "view": "network", "free": "greedy"}


def test_the_states_of_a_written_piece_lead_to_its_row_of_the_heatmap(opened: Opened):
    way = ways(opened(page="app_pages/attention.py", source=CAT, unit="pieces", cell="2.1", which="greedy"))
    app = opened(page="app_pages/translate.py", **way["its states"])
    back = ways(app)["its attention"]
    assert (back["cell"], back["which"], back["unit"]) == ("2.1", "greedy", "pieces")


def test_a_tree_leads_to_the_attention_of_its_translation(opened: Opened):
    found = ways(opened(page="app_pages/translate.py", source=CAT))
    assert found["its attention"] == {"source": CAT, "translator": "fra-eng-attention", "view": "heatmap"}
