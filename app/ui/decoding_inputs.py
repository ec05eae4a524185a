"""The inputs of the Decoding page: which search, how wide, how long, which beginning. All of them stand in the URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.ui.decoding_table import preset_titles, take_preset
from app.ui.search_parts import MAX_BEAM, SEARCHES, more_inputs, search_names
from app.ui.search_state import TreeState, lengths_from_url, number_from_url, write
from app.ui.url import keep, take
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import MAX_STEPS, ProbabilityTable
from seqviz.i18n import Translator

URL_KEYS = ("table", "search", "beam", "lengths", "on", "alpha", "prefix")
TREE = TreeState(picture="search-tree")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How the table is searched; hashable, a part of the key of the cache.

    Args:
        search: whose tree is drawn.
        beam_size, min_length, max_length, prefix: as in ``DecodeConfig``.
        on: beams go on after B hypotheses are finished.
        more: the settings of sampling and of the diverse beam, as pairs.
    """

    search: str
    beam_size: int
    min_length: int
    max_length: int
    prefix: tuple[int, ...]
    on: bool = False
    more: tuple[tuple[str, Any], ...] = ()


def preset_picker(t: Translator) -> None:
    """Draws the presets as a menu."""
    with st.popover(t("Examples"), icon=":material/menu_book:", width="stretch"):
        for name, title in preset_titles(t).items():
            st.button(title, key=f"preset-{name}", on_click=take_preset, args=(name,), type="tertiary")


def search_inputs(table: ProbabilityTable, t: Translator) -> Choices:
    """Draws the choice of the search and its limits."""
    left, middle, right, last = st.columns([13, 4, 7, 6], vertical_alignment="bottom")
    take("search", SEARCHES, SEARCHES[0])
    search = left.segmented_control(
        t("Tree of"), SEARCHES, required=True, wrap=True, key="search", format_func=search_names(t).__getitem__
    )
    keep("search", SEARCHES[0])
    preset = next((one for one in PRESETS.values() if one.table == table), None)
    number_from_url("beam", "beam", 1, MAX_BEAM, preset.beam_size if preset else 2)
    beam_size = middle.number_input(t("Beam B"), 1, MAX_BEAM, key="beam", help=t("Hypotheses that survive each step."))
    write("beam", "beam", str(beam_size))
    lengths = lengths_from_url(
        "lengths",
        "lengths",
        preset.min_length if preset else 0,
        preset.max_length if preset else table.max_steps,
        MAX_STEPS,
    )
    low, high = right.slider(
        t("Least and most tokens"),
        0,
        MAX_STEPS,
        lengths,
        key="lengths",
        help=t(
            "At least so many before <eos>, at most so many in all. Steps without a row of their own use the last one."
        ),
    )
    high = max(high, 1)
    low = min(low, high - 1)
    write("lengths", "lengths", f"{low}-{high}")
    prefix = _take_prefix(table, high)
    on = last.toggle(
        t("Go on to the end"),
        key="on",
        bind="query-params",
        help=t("Off: a beam stops as soon as B hypotheses are finished. On: it goes on to the greatest length."),
    )
    more = more_inputs(str(search), int(beam_size), t, tokens=6)
    return Choices(
        search=str(search), beam_size=int(beam_size), min_length=low, max_length=high, prefix=prefix, on=on, more=more
    )


def prefix_clicked() -> None:
    """A hypothesis was clicked: its tokens are the beginning from now on."""
    TREE.prefix_clicked(MAX_STEPS)


def _take_prefix(table: ProbabilityTable, max_length: int) -> tuple[int, ...]:
    eos = len(table.symbols) - 1

    def read(text: str) -> tuple[int, ...] | None:
        return tuple(map(int, text)) if re.fullmatch(r"[0-9]{1,6}", text) else None

    def allowed(prefix: tuple[int, ...]) -> bool:
        return len(prefix) <= max_length and all(token <= eos for token in prefix) and eos not in prefix[:-1]

    prefix = TREE.prefix_from_url(read, allowed)
    TREE.write_prefix("".join(str(token) for token in prefix))
    return prefix
