"""Own models of the Hugging Face family on the pages: chosen like any other, with layers and heads of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.ui.backend import backend
from seqviz.analysis.attention import attention_grid, of_head
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.config import DecodeConfig
from seqviz.errors import CheckpointError
from seqviz.own_models import OWN
from tests.app.conftest import Opened
from tests.helpers import write_tiny_translator
from tests.own_models import PREFIX, SOURCE, TARGET, change_config, write_own_models

ATTENTION, TRANSLATE, MODELS = (f"app_pages/{name}.py" for name in ("attention", "translate", "models"))
MARIAN, T5 = f"{OWN}tiny-marian", f"{OWN}tiny-t5"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_own_models(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def workers(models: Path, own: Path) -> Iterator[None]:
    """A backend that knows the folder, and a translator beside the own models, as long as these tests need them."""
    write_tiny_translator(models, name="fra-eng-attention")
    backend().close()
    backend.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQVIZ_CHECKPOINTS", str(models))
        patch.setenv("SEQVIZ_MODELS", str(own))
        patch.setenv("SEQVIZ_WORKERS", "1")
        backend()
        # The first answer imports a large library.
        for name in (MARIAN, T5):
            backend().ask(ForcedRequest(model=name, text=SOURCE, target=TARGET), deadline_seconds=110)
    yield
    backend().close()
    backend.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQVIZ_CHECKPOINTS", str(models))
        patch.setenv("SEQVIZ_WORKERS", "1")
        backend()
    shutil.rmtree(models / "fra-eng-attention")


@pytest.fixture
def visit(workers: None, own: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.setenv("SEQVIZ_MODELS", str(own))
    return opened


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption, *app.info, *app.warning))


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def test_folders_stand_in_the_chooser_under_their_names(visit: Callable[..., AppTest]):
    app = visit(page=ATTENTION, source=SOURCE)
    options = app.selectbox(key="translator").options
    assert options == ["Tiny translation (additive)", "tiny-bart", "tiny-marian", "tiny-t5"]


def test_the_heatmap_opens_on_the_highest_layer_and_the_mean(visit: Callable[..., AppTest]):
    app = visit(page=ATTENTION, source=SOURCE, translator=MARIAN)
    assert not app.warning
    assert (app.segmented_control(key="layer").value, app.segmented_control(key="head").value) == ("3", "mean")
    assert "in every layer" in said(app)
    assert "layer" not in query(app)


def test_a_link_shows_the_head_that_it_names(visit: Callable[..., AppTest]):
    app = visit(
        page=ATTENTION, source=SOURCE, translator=MARIAN, which="own", own=TARGET, layer="1", head="2", cell="2.1"
    )
    asked = ForcedRequest(model=MARIAN, text=SOURCE, target=TARGET, heads=True)
    forced = backend().ask(asked)
    grid = attention_grid(of_head(forced, layer=0, head=1))
    assert f"{100 * grid.weights[1, 0]:.1f} %" in said(app)
    app.segmented_control(key="head").set_value("mean").run()
    grid = attention_grid(of_head(forced, layer=0))
    assert f"{100 * grid.weights[1, 0]:.1f} %" in said(app)
    assert query(app)["layer"] == "1"


@pytest.mark.parametrize("wrong", ["0", "9", "x"])
def test_a_layer_that_is_not_there_gives_way(visit: Callable[..., AppTest], wrong: str):
    app = visit(page=ATTENTION, source=SOURCE, translator=MARIAN, layer=wrong, head=wrong)
    assert (app.segmented_control(key="layer").value, app.segmented_control(key="head").value) == ("3", "mean")


@pytest.mark.parametrize(
    ("page", "view"), [(ATTENTION, "edit"), (ATTENTION, "explain"), (ATTENTION, "compare"), (TRANSLATE, "network")]
)
def test_views_of_recurrent_models_say_why_they_are_empty(visit: Callable[..., AppTest], page: str, view: str):
    app = visit(page=page, view=view, source=SOURCE, translator=MARIAN)
    assert not app.warning
    assert "tiny-marian is a Transformer from a folder" in app.info[0].value


@pytest.mark.parametrize("view", ["tree", "compare", "errors"])
def test_searches_side_by_side_and_the_pair_take_it(visit: Callable[..., AppTest], view: str):
    app = visit(page=TRANSLATE, view=view, source=SOURCE, translator=MARIAN, reference=TARGET, lengths="0-12")
    assert not app.warning
    assert "Transformer from a folder" not in said(app)


def test_the_tree_is_that_of_the_model(visit: Callable[..., AppTest]):
    app = visit(page=TRANSLATE, source=SOURCE, translator=MARIAN, search="greedy", lengths="0-8")
    config = DecodeConfig(search="greedy", max_length=8)
    found = backend().ask(SearchRequest(model=MARIAN, text=SOURCE, config=config))
    assert found.best is not None
    assert found.best.text in "\n".join(str(one.proto) for one in app.get("html"))


def test_the_task_of_a_t5_model_is_shown_and_can_be_changed(visit: Callable[..., AppTest]):
    app = visit(page=ATTENTION, source=SOURCE, translator=T5, which="own", own=TARGET, cell="1.1")
    assert app.text_input(key="task").value == PREFIX
    forced = backend().ask(ForcedRequest(model=T5, text=PREFIX + SOURCE, target=TARGET, heads=True))
    assert f"{100 * attention_grid(forced).weights[0, 0]:.1f} %" in said(app)
    app.text_input(key="task").set_value("").run()
    forced = backend().ask(ForcedRequest(model=T5, text=SOURCE, target=TARGET, heads=True))
    assert f"{100 * attention_grid(forced).weights[0, 0]:.1f} %" in said(app)


def test_the_models_page_lists_what_is_known_and_what_was_refused(
    visit: Callable[..., AppTest], own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(own, tmp_path / "models")
    change_config(tmp_path / "models" / "tiny-bart", model_type="gpt2")
    monkeypatch.setenv("SEQVIZ_MODELS", str(tmp_path / "models"))
    app = visit(page=MODELS)
    table = app.dataframe[1].value
    assert table["Model"].tolist() == ["tiny-marian", "tiny-t5"]
    assert table["Measured"].tolist() == ["not measured here"] * 2
    assert table["Decoder layers"].tolist() == [3, 3]
    assert "Model tiny-bart is of type gpt2" in app.warning[0].value


def test_without_a_folder_nothing_is_said_of_own_models(visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEQVIZ_MODELS")
    assert not [one for one in visit(page=MODELS).subheader if one.value == "Own models"]


def test_a_worker_answers_with_arrays_that_sum_to_one_and_with_refusals(
    workers: None, own: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SEQVIZ_MODELS", str(own))
    forced = backend().ask(ForcedRequest(model=MARIAN, text=SOURCE, target=TARGET, heads=True))
    np.testing.assert_allclose(forced.heads.sum(-1), 1, atol=1e-6)
    assert backend().ask(ForcedRequest(model=MARIAN, text=SOURCE, target=TARGET)).heads is None
    spoiled = shutil.copytree(own / "tiny-marian", own / "spoiled")
    (spoiled / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="never unpickled"):
        backend().ask(ForcedRequest(model=f"{OWN}spoiled", text=SOURCE, target=TARGET))
    shutil.rmtree(spoiled)
