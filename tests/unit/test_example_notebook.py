"""The tour: every cell runs from top to bottom, and every picture shows itself."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from seqviz import pictures
from seqviz.charts.colored_text import ColouredText
from seqviz.charts.figure import Figure

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "tour.ipynb"
VIEWS = ("Unroll", "Gradients", "Gates", "Units", "Translate", "Attention", "Decoding")


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def run(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell as a notebook does; returns what its last line is worth."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body=body, type_ignores=[]), str(NOTEBOOK), "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)


def test_it_is_committed_without_outputs_and_has_a_section_for_every_view(cells):
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert [view for view in VIEWS if f"## {view}\n" not in text] == []


@pytest.mark.timeout(300)
def test_every_cell_runs_and_every_picture_shows_itself(cells, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown: list[str] = []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            continue
        value = run("".join(cell["source"]), names)
        if isinstance(value, (Figure, ColouredText)):
            assert value._repr_html_().startswith("<iframe srcdoc=")
            shown.append(type(value).__name__)
        elif isinstance(value, pictures.ChartPicture):
            assert "image/svg+xml" in value._repr_mimebundle_()
            shown.append(type(value).__name__)
    assert len(shown) == 16
    assert names["found"].total == pytest.approx(names["found"].pre_activation, abs=1e-4)
    assert (tmp_path / "gates.html").stat().st_size > 50_000
