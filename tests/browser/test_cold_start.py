"""What a reader sees who comes before the worker processes are up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tools.serving import serve_app

STARTING = "The models' worker processes are starting; the page goes on by itself in a few seconds."

# Python runs this file at its start: in a worker the import of torch waits until the gate is there.
HELD_UP = """
import sys, time
from pathlib import Path

class Gate:
    def find_spec(self, name, path=None, target=None):
        while name == "torch" and not Path({gate!r}).exists():
            time.sleep(0.02)

sys.meta_path.insert(0, Gate())
"""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that lets the workers start as soon as it is there."""
    return tmp_path / "gate"


@pytest.fixture
def slow_app(gate: Path, tmp_path: Path) -> Iterator[str]:
    """An app whose workers wait for the gate."""
    (tmp_path / "sitecustomize.py").write_text(HELD_UP.format(gate=str(gate)), encoding="utf-8")
    path = os.pathsep.join(part for part in (str(tmp_path), os.environ.get("PYTHONPATH", "")) if part)
    with serve_app(log=tmp_path / "app.log", environment={"PYTHONPATH": path, "SEQVIZ_WORKERS": "1"}) as url:
        yield url


def test_a_page_says_that_the_workers_are_starting_and_goes_on_by_itself(page: Page, slow_app: str, gate: Path) -> None:
    page.goto(f"{slow_app}/unroll")
    expect(page.get_by_text(STARTING)).to_be_visible(timeout=30_000)
    gate.touch()
    expect(page.locator(".sv-root svg").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text(STARTING)).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
