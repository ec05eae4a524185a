"""The inputs of the Decoding page: which search, how wide, how long, which beginning. All of them stand in the URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.ui.decoding_table import preset_titles, take_preset
from app.ui.url import keep, take
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.scores import MAX_ALPHA
from seqviz.decoding.table import MAX_STEPS, ProbabilityTable
from seqviz.i18n import Translator

SEARCHES = ("beam", "greedy", "exact", "sampling", "diverse")
URL_KEYS = ("table", "search", "beam", "lengths", "on", "alpha", "prefix")
MAX_BEAM = 64
MAX_TRIES = 12
TREE_KEY = "search-tree"


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


def search_names(t: Translator) -> dict[str, str]:
    """The searches, for people."""
    return {
        "greedy": t("Greedy"),
        "beam": t("Beam"),
        "exact": t("Exact"),
        "sampling": t("Sampling"),
        "diverse": t("Diverse"),
    }


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
    _take_number("beam", 1, MAX_BEAM, preset.beam_size if preset else 2)
    beam_size = middle.number_input(t("Beam B"), 1, MAX_BEAM, key="beam", help=t("Hypotheses that survive each step."))
    _keep_text("beam", str(beam_size))
    lengths = _take_lengths(preset.min_length if preset else 0, preset.max_length if preset else table.max_steps)
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
    _keep_text("lengths", f"{low}-{high}")
    prefix = _take_prefix(table, high)
    on = last.toggle(
        t("Go on to the end"),
        key="on",
        bind="query-params",
        help=t("Off: a beam stops as soon as B hypotheses are finished. On: it goes on to the greatest length."),
    )
    more = _more_inputs(str(search), int(beam_size), t)
    return Choices(
        search=str(search), beam_size=int(beam_size), min_length=low, max_length=high, prefix=prefix, on=on, more=more
    )


def _more_inputs(search: str, beam_size: int, t: Translator) -> tuple[tuple[str, Any], ...]:
    if search == "sampling":
        columns = st.columns(5, vertical_alignment="bottom")
        return (
            ("samples", int(columns[0].number_input(t("Samples"), 1, 200, 10, key="samples", bind="query-params"))),
            ("seed", int(columns[1].number_input(t("Seed"), 0, 9999, 1, key="seed", bind="query-params"))),
            (
                "temperature",
                float(columns[2].slider(t("Temperature"), 0.1, 3.0, 1.0, 0.1, key="temperature", bind="query-params")),
            ),
            ("top_k", int(columns[3].number_input(t("Top k (0: all)"), 0, 6, 0, key="top_k", bind="query-params"))),
            ("top_p", float(columns[4].slider(t("Top p"), 0.05, 1.0, 1.0, 0.05, key="top_p", bind="query-params"))),
        )
    if search == "diverse":
        left, right = st.columns(2, vertical_alignment="bottom")
        possible = [str(count) for count in range(1, beam_size + 1) if beam_size % count == 0]
        take("groups", possible, possible[-1])
        groups = left.selectbox(t("Groups"), possible, key="groups", help=t("They share the beam evenly."))
        keep("groups", possible[-1])
        diversity = right.slider(
            t("λ: nats lost for each earlier group with the same token"),
            0.0,
            5.0,
            0.5,
            0.1,
            key="diversity",
            bind="query-params",
        )
        return (("groups", int(groups)), ("diversity", float(diversity)))
    return ()


# ---- α and the forced beginning are set in the picture


def alpha_from_url() -> float:
    """α of the session, or of a link that was opened."""
    state, text = st.session_state, st.query_params.get("alpha")
    if text != state.get("alpha-written"):
        state["alpha-written"] = text
        try:
            state["alpha"] = min(max(float(text or 0), 0.0), MAX_ALPHA)
        except ValueError:
            state["alpha"] = 0.0
    alpha = float(state.get("alpha", 0.0))
    if not 0 <= alpha <= MAX_ALPHA:
        alpha = 0.0
    state["alpha"] = alpha
    _keep_text("alpha", f"{alpha:g}" if alpha else None)
    return alpha


def alpha_moved() -> None:
    """The reader dragged α in the picture; a browser may send anything."""
    try:
        alpha = float(st.session_state[TREE_KEY].alpha)
    except (TypeError, ValueError, AttributeError, KeyError):
        return
    if 0 <= alpha <= MAX_ALPHA:
        st.session_state["alpha"] = round(alpha, 4)


def prefix_clicked() -> None:
    """A hypothesis was clicked: its tokens are the beginning from now on."""
    try:
        sent = st.session_state[TREE_KEY].prefix
        prefix = tuple(int(token) for token in sent)
    except (TypeError, ValueError, AttributeError, KeyError):
        return
    state = st.session_state
    if len(prefix) <= MAX_STEPS and prefix != state.get("prefix"):
        state.setdefault("undo", []).append(state.get("prefix", ()))
        state["undo"] = state["undo"][-50:]
        state["prefix"] = prefix


def undo() -> None:
    """Back to the beginning before the last click."""
    state = st.session_state
    state["prefix"] = state["undo"].pop() if state.get("undo") else ()


def free() -> None:
    """No beginning is forced any more."""
    state = st.session_state
    state.setdefault("undo", []).append(state.get("prefix", ()))
    state["prefix"] = ()


def _take_prefix(table: ProbabilityTable, max_length: int) -> tuple[int, ...]:
    state, text = st.session_state, st.query_params.get("prefix")
    if text != state.get("prefix-written"):
        state["prefix-written"] = text
        state["prefix"] = tuple(map(int, text)) if text and re.fullmatch(r"[0-9]{1,6}", text) else ()
    prefix: tuple[int, ...] = state.get("prefix", ())
    eos = len(table.symbols) - 1
    if len(prefix) > max_length or any(token > eos for token in prefix) or eos in prefix[:-1]:
        prefix = ()
    state["prefix"] = prefix
    _keep_text("prefix", "".join(str(token) for token in prefix) or None)
    return prefix


# ---- numbers in the URL


def _take_number(key: str, low: int, high: int, default: int) -> None:
    state, text = st.session_state, st.query_params.get(key)
    if text != state.get(f"{key}-written"):
        state[f"{key}-written"] = text
        if re.fullmatch(r"\d{1,6}", text or ""):
            state[key] = int(str(text))
    value = state.get(key, default)
    state[key] = min(max(int(value), low), high)


def _take_lengths(low: int, high: int) -> tuple[int, int]:
    state, text = st.session_state, st.query_params.get("lengths")
    if text != state.get("lengths-written"):
        state["lengths-written"] = text
        if match := re.fullmatch(r"(\d)-(\d)", text or ""):
            state["lengths"] = (int(match[1]), int(match[2]))
    first, last = state.get("lengths", (low, high))
    first, last = min(first, MAX_STEPS), min(last, MAX_STEPS)
    state["lengths"] = (min(first, last), max(first, last))
    return (first, last)


def _keep_text(key: str, text: str | None) -> None:
    st.session_state[f"{key}-written"] = text
    if st.query_params.get(key) != text:
        if text is None:
            del st.query_params[key]
        else:
            st.query_params[key] = text
