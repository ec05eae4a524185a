"""From page to page the sentence goes along, and nothing that means something else there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator


@pytest.fixture
def translator(models: Path) -> Iterator[None]:
    """A tiny translator, only as long as a test needs it."""
    folder = write_tiny_translator(models, name="fra-eng-attention", score="additive")
    yield
    shutil.rmtree(folder)


@pytest.mark.usefixtures("translator")
def test_a_sentence_is_no_word_of_another_page(opened: Opened) -> None:
    app = opened(page="app_pages/units.py", origin="written")
    del app.query_params["origin"]
    for page in ("translate", "attention"):
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception
        assert app.text_input(key="source").value == "Jane visite l'Afrique en septembre."


def test_an_old_link_to_a_text_of_ones_own_still_opens_it(opened: Opened) -> None:
    app = opened(page="app_pages/units.py", source="own", long="The cat sat.\nIt sat on the mat.\n" * 8)
    assert app.session_state["origin"] == "own"
    assert "source" not in app.query_params


@pytest.mark.usefixtures("translator")
def test_a_page_that_is_come_to_opens_on_its_own_first_view(opened: Opened) -> None:
    app = opened(page="app_pages/translate.py", view="compare")
    del app.query_params["view"]
    app.switch_page("app_pages/attention.py").run()
    assert app.session_state["view"] == "heatmap"  # "compare" is a view of both, and not the same
