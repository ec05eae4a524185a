"""What the pages with a search tree share: names and settings of searches, the forced beginning, the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.ui.downloads import Download, download_popover, figure_files
from app.ui.search_state import TreeState
from app.ui.url import bound, keep, take
from seqviz.charts.figure import Figure
from seqviz.decoding.trace import SearchTrace
from seqviz.export import search_csv, search_json
from seqviz.i18n import Translator

SEARCHES = ("beam", "greedy", "exact", "sampling", "diverse")
MAX_BEAM = 64
MORE_KEYS = ("samples", "seed", "temperature", "top_k", "top_p", "groups", "diversity")
"""Query parameters of ``more_inputs``."""


def search_names(t: Translator) -> dict[str, str]:
    """The searches, for people."""
    return {
        "greedy": t("Greedy"),
        "beam": t("Beam"),
        "exact": t("Exact"),
        "sampling": t("Sampling"),
        "diverse": t("Diverse"),
    }


def more_inputs(search: str, beam_size: int, t: Translator, *, tokens: int) -> tuple[tuple[str, Any], ...]:
    """The settings of sampling and of the diverse beam; other searches have none.

    Args:
        search: its name.
        beam_size: B, which the groups share.
        t: the reader's language.
        tokens: the greatest k of top k.
    """
    if search == "sampling":
        columns = st.columns(5, vertical_alignment="bottom")
        return (
            ("samples", int(columns[0].number_input(t("Samples"), 1, 200, 10, key="samples", bind=bound("samples")))),
            ("seed", int(columns[1].number_input(t("Seed"), 0, 9999, 1, key="seed", bind=bound("seed")))),
            (
                "temperature",
                float(columns[2].slider(t("Temperature"), 0.1, 3.0, 1.0, 0.1, key="temperature", bind="query-params")),
            ),
            (
                "top_k",
                int(columns[3].number_input(t("Top k (0: all)"), 0, tokens, 0, key="top_k", bind=bound("top_k"))),
            ),
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


def forced_bar(tree: TreeState, words: str, entry: tuple[str, str, str, float | None], t: Translator) -> None:
    """The forced beginning with undo, and what each beginning led to; nothing where there was never one.

    Args:
        tree: of the page.
        words: the beginning for people; empty where none is forced.
        entry: of this beginning: itself, the search, the text that won and its P.
        t: the reader's language.
    """
    tries = tree.tries(entry)
    if not words and len(tries) < 2:
        return
    left, middle, right, last = st.columns([5, 2, 2, 2], vertical_alignment="center")
    # A code span takes any symbol as it is.
    left.markdown(
        t("Forced beginning: {words}").format(words=f"`` {words} ``") if words else t("No beginning is forced.")
    )
    middle.button(
        t("Undo"), key="undo-prefix", icon=":material/undo:", on_click=tree.undo, width="stretch",
        disabled=not tree.can_undo,
    )  # fmt: skip
    right.button(
        t("Free"), key="free-prefix", icon=":material/lock_open:", on_click=tree.force, args=((),), width="stretch",
        disabled=not words,
    )  # fmt: skip
    with last.popover(t("Tries ({count})").format(count=len(tries)), icon=":material/history:", width="stretch"):
        st.dataframe(
            pd.DataFrame(
                [(words, search_names(t)[name], text, p) for words, name, text, p in tries],
                columns=[t("beginning"), t("search"), t("text"), "P"],
            ),
            hide_index=True,
            width="content",
            column_config={"P": st.column_config.NumberColumn("P", format="%.6g")},
        )


def search_downloads(
    figure: Callable[[], Figure], trace: SearchTrace, t: Translator, *, more: Sequence[Download] = ()
) -> None:
    """PNG, SVG and self-contained HTML of the tree, JSON and CSV of every number; made when they are asked for."""
    numbers = [
        Download(
            label=t("Every number, JSON"), ending="json", mime="application/json", make=lambda: search_json(trace)
        ),
        Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=lambda: search_csv(trace)),
    ]
    files = [*figure_files(figure, name="", ending="", t=t), *numbers, *more]
    download_popover(files, name=f"search-{trace.config.search}", t=t)
