"""A model that is gone, or that a link names in vain, is said; a damaged one does not hurt the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.app.conftest import Opened, write_models
from tests.helpers import write_tiny_checkpoint

SAYS = "is not installed here (any more); below:"


def said(app) -> list[str]:
    return [element.value for element in app.warning]


@pytest.mark.parametrize("page", ["home", "unroll", "gradients", "gates", "units"])
def test_a_link_to_a_model_that_is_not_here_says_so_and_shows_another(opened: Opened, page: str) -> None:
    app = opened(page=f"app_pages/{page}.py", model="no`such\x00model")
    assert len([sentence for sentence in said(app) if SAYS in sentence]) == 1
    assert "no\\`such" in said(app)[0]
    app.run()
    assert said(app) == []  # told once: the page now stands on the other model


def test_a_model_of_another_kind_is_no_missing_model(opened: Opened) -> None:
    assert said(opened(model="sentiment-lstm")) == []
    assert not any(SAYS in sentence for sentence in said(opened(page="app_pages/units.py", model="entities-bilstm")))


def test_a_model_that_is_removed_while_the_page_is_open_is_said(opened: Opened, tmp_path: Path) -> None:
    write_models(tmp_path)
    app = opened(root=tmp_path, model="sentiment-gru", text="a bad movie")
    assert said(app) == []
    shutil.rmtree(tmp_path / "sentiment-gru")
    app.text_input(key="text").set_value("a good movie").run()
    assert not app.exception
    assert [SAYS in sentence for sentence in said(app)] == [True]


@pytest.mark.parametrize("card", ["folder", "other encoding"])
def test_a_card_that_cannot_be_read_is_one_sentence(opened: Opened, tmp_path: Path, card: str) -> None:
    write_tiny_checkpoint(tmp_path, name="tiny")
    path = tmp_path / "tiny" / "README.md"
    path.unlink()
    if card == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"caf\xe9")
    app = opened(page="app_pages/models.py", root=tmp_path)
    assert said(app) == ["Checkpoint tiny: README.md cannot be read."]
