"""The pages without a browser: Streamlit's own test runner, tiny checkpoints, one model backend for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import write_tiny_checkpoint

APP = Path(__file__).resolve().parents[2] / "app" / "streamlit_app.py"
Opened = Callable[..., AppTest]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # They share one backend: all go to the same process of pytest-xdist.
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("app"))


def write_models(root: Path) -> None:
    """Tiny models under the names of the examples."""
    write_tiny_checkpoint(root, name="entities-bilstm", task="tagging", bidirectional=True, subword_buckets=30)
    write_tiny_checkpoint(root, name="entities-lstm", task="tagging", subword_buckets=30)
    write_tiny_checkpoint(root, name="sentiment-lstm", task="classification")
    write_tiny_checkpoint(root, name="sentiment-gru", task="classification", cell="gru")
    write_tiny_checkpoint(root, name="shakespeare-lstm-2x512", num_layers=2)
    for cell in ("gru", "lstm"):
        write_tiny_checkpoint(
            root, name=f"wikitext-{cell}", cell=cell, family="wikitext", title=f"Words ({cell})", words=True
        )


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the backend of these tests reads."""
    root = tmp_path_factory.mktemp("checkpoints")
    write_models(root)
    from app.ui.backend import backend

    # Started here, so that it reads this folder whichever test comes first; the environment is left as it was.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQVIZ_CHECKPOINTS", str(root))
        patch.setenv("SEQVIZ_WORKERS", "1")
        backend()
    yield root
    backend().close()
    backend.clear()


@pytest.fixture
def opened(models: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens a page in a given state of its URL and runs it once; None for the one at the root."""

    def open_app(*, page: str | None = "app_pages/unroll.py", root: Path = models, **query: str) -> AppTest:
        monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
        app = AppTest.from_file(str(APP), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        if page:
            app.switch_page(page)
        app.run()
        assert not app.exception
        return app

    return open_app
