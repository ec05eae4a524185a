"""What holds for all tests: one thread for each process, the same examples on every run, corpora where they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Before torch is imported: the test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("seqviz", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("seqviz")


@pytest.fixture
def corpus() -> Callable[[str], Path]:
    """The folder of a corpus; skips the test where it is absent."""

    def folder(name: str) -> Path:
        root = Path(os.environ.get("SEQVIZ_DATA", "data"))
        if not (root / name).is_dir():
            pytest.skip(f"no corpus {name!r} in {root}; set SEQVIZ_DATA to the folder of the corpora")
        return root / name

    return folder


@pytest.fixture(autouse=True)
def one_number_of_threads():
    """Sums depend on the number of threads in their last digits: no test leaves torch with another one."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    yield
    torch = sys.modules.get("torch")
    if torch and before is not None and torch.get_num_threads() != before:
        torch.set_num_threads(before)
