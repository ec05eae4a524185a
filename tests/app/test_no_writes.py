"""The app keeps everything in memory: it runs where nothing may be written."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from tests.app.conftest import Opened

PAGES = ("home", "unroll", "gradients", "gates", "units", "translate", "attention", "decoding", "lessons", "models")
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree"}
_seen: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None:
        return
    if event in CHANGES:
        _seen.append(f"{event} {arguments[0]}")
    elif event == "open":
        path, mode, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR) if isinstance(flags, int) else any(c in str(mode) for c in "wax+")
        device = isinstance(path, int) or str(path).startswith(("/dev/", "/proc/"))
        if writes and not device and "__pycache__" not in str(path):
            _seen.append(f"open {path}")


@pytest.fixture(scope="module")
def watched() -> None:
    """Every file that this process opens is reported from now on; Python has no way to take that back."""
    sys.addaudithook(_watch)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("watched")
def test_a_page_writes_no_file(opened: Opened, page: str) -> None:
    global _seen  # noqa: PLW0603 (the hook lives on)
    _seen = []
    try:
        opened(page=f"app_pages/{page}.py")
        assert _seen == []
    finally:
        _seen = None
