"""Links with nonsense in them open the page as it would be without it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.app.conftest import Opened

UI = Path(__file__).resolve().parents[2] / "app" / "ui"

# Page, its state, and the numbers that it takes from the URL by Streamlit's own binding.
PLACES = [
    ("unroll", {"structure": "one_to_many", "model": "shakespeare-lstm-2x512"}, ("generate", "temperature")),
    ("gradients", {}, ("multiplier",)),
    (
        "gradients",
        {"view": "laboratory"},
        ("radius", "apart", "back", "units", "seeds", "forget", "inputs"),
    ),
    ("units", {"source": "written"}, ("seed", "temp", "from")),
    ("units", {"view": "moments"}, ("threshold", "slack")),
    ("decoding", {"search": "sampling"}, ("samples", "seed", "temperature", "top_k", "top_p")),
    ("decoding", {"search": "diverse"}, ("diversity", "alpha")),
]
NONSENSE = ("inf", "-inf", "nan", "1e309", "1e99", "-1", "x", "", "٣", "1_0", "\x00")


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize(("page", "state", "keys"), PLACES, ids=lambda one: one if isinstance(one, str) else None)
def test_a_number_that_is_none_is_left_out(
    opened: Opened, page: str, state: dict[str, str], keys: tuple[str, ...], value: str
) -> None:
    opened(page=f"app_pages/{page}.py", **{**state, **dict.fromkeys(keys, value)})


def test_no_number_input_is_bound_to_the_url_without_a_look_at_it() -> None:
    """``number_input`` fails on an endless number: ``bound`` looks first."""
    for file in UI.glob("*.py"):
        for call in re.findall(r"number_input\((?:[^()]|\([^()]*\))*\)", file.read_text(encoding="utf-8")):
            assert 'bind="query-params"' not in call, file.name
