"""What must not be imported where. ``lint-imports`` reads the code; this runs it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The app starts in a fraction of a second and stays small because of these.
PROBE = """
import importlib, pkgutil, sys
for name in {packages!r}:
    module = importlib.import_module(name)
    for info in pkgutil.walk_packages(getattr(module, "__path__", ()) if {deep!r} else (), name + "."):
        importlib.import_module(info.name)
print(" ".join(sorted(name for name in {forbidden!r} if name in sys.modules)))
"""


def imported(packages: list[str], forbidden: list[str], *, deep: bool = True) -> str:
    """Which of the forbidden modules are loaded once the packages (and all in them, if deep) are imported."""
    code = PROBE.format(packages=packages, forbidden=forbidden, deep=deep)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_app_and_all_that_it_imports_leave_torch_alone():
    backend = ["seqviz.backends.local", "seqviz.backends.protocol"]  # and all but the module of the worker processes
    packages = ["app.ui", *backend, "seqviz.charts", "seqviz.i18n", "seqviz.checkpoints", "seqviz.examples"]
    assert imported(packages, ["torch", "safetensors.torch", "seqviz.models", "transformers"]) == ""


def test_importing_seqviz_costs_nothing_until_something_is_used():
    assert imported(["seqviz"], ["torch", "numpy", "altair", "streamlit"], deep=False) == ""


def test_the_whole_library_leaves_streamlit_alone():
    assert imported(["seqviz"], ["streamlit", "app", "transformers", "sentencepiece"]) == ""


def third_party(folder: str) -> set[str]:
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"app", "seqviz", "tests", "tools", "benchmarks"}


def pinned(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}


@pytest.mark.parametrize("folder", ["seqviz", "app"])
def test_everything_that_is_imported_is_pinned_for_the_user(folder):
    distributions = packages_distributions()
    for module in third_party(folder):
        names = {name.lower().replace("_", "-") for name in distributions[module]}
        assert names & pinned("requirements.txt"), module


def test_every_requirement_is_pinned_to_one_version():
    for file in ("requirements.txt", "requirements-test.txt"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            assert not line or line.startswith(("#", "-r ")) or "==" in line, line
