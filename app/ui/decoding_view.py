"""What the Decoding page shows: the tree, the searches side by side, the counters, the tries."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app.ui.decoding_inputs import TREE, Choices, prefix_clicked
from app.ui.figure import show_search_tree
from app.ui.search_parts import forced_bar, search_downloads, search_names
from app.ui.settings import Settings
from seqviz.charts.figure import Figure
from seqviz.charts.search_tree import SearchTreeOptions
from seqviz.charts.table_tree import table_tree_figure
from seqviz.config import DecodeConfig
from seqviz.decoding import beam_is_exhaustive, reranked, search
from seqviz.decoding.scores import exhaustive_cost, hypothesis_score
from seqviz.decoding.table import ProbabilityTable, TableModel
from seqviz.decoding.trace import SearchTrace
from seqviz.i18n import Translator, translator

WORDS, STEPS = 10_000, 10  # the syllabus' example of a real vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """All searches of one table.

    Args:
        shown: whose tree is drawn; ranked for α = 0 unless it is the exact one.
        greedy, beam, exact: for the comparison; exact for the page's α.
    """

    shown: SearchTrace
    greedy: SearchTrace
    beam: SearchTrace
    exact: SearchTrace


@st.cache_resource(show_spinner=False, max_entries=128)
def searched(table: ProbabilityTable, choices: Choices, alpha: float) -> Searches:
    """Runs greedy, beam and exact search and the one that is shown; milliseconds on a table."""
    model = TableModel(table)

    def run(name: str, *, own_alpha: float = 0.0, watch: tuple[tuple[int, ...], ...] = ()) -> SearchTrace:
        config = DecodeConfig(
            search=name,
            beam_size=choices.beam_size,
            min_length=choices.min_length,
            max_length=choices.max_length,
            prefix=choices.prefix,
            alpha=own_alpha,
            stopping="all" if choices.on else "n_best",
            max_expansions=20_000,
            candidates=len(table.symbols),
            **(dict(choices.more) if name == choices.search else {}),
        )
        return search(model, config, watch=watch)

    exact = run("exact", own_alpha=alpha)
    optimum = () if exact.best is None else (exact.tokens(exact.best),)
    greedy, beam = run("greedy", watch=optimum), run("beam", watch=optimum)
    known = {"greedy": greedy, "beam": beam, "exact": exact}
    return Searches(
        shown=known.get(choices.search) or run(choices.search, watch=optimum), greedy=greedy, beam=beam, exact=exact
    )


def tree(searches: Searches, table: ProbabilityTable, choices: Choices, alpha: float, settings: Settings) -> Figure:
    """Draws the tree and listens to it; returns the picture as it stands, for the downloads."""
    # An exact search proves its α only; of the others α changes nothing but the ranking, which the browser does.
    own = alpha if choices.search == "exact" else 0.0
    optimum = None if searches.exact.best is None else searches.exact.tokens(searches.exact.best)
    figure = _drawn(table, choices, own, optimum, settings.font_size, settings.language, searches)
    show_search_tree(figure, key=TREE.picture, alpha=alpha, on_alpha=TREE.alpha_moved, on_prefix=prefix_clicked)
    return figure


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn(
    table: ProbabilityTable,
    choices: Choices,
    alpha: float,
    optimum: tuple[int, ...] | None,
    font_size: int,
    language: str,
    _searches: Searches,
) -> Figure:
    # What is drawn follows from the table, the choices and the optimum, so the traces are no part of the key.
    del table, choices, optimum
    return drawn_at(_searches, alpha, font_size, language)


def drawn_at(searches: Searches, alpha: float, font_size: int, language: str) -> Figure:
    """The picture for one α."""
    return table_tree_figure(
        searches.shown,
        greedy=searches.greedy,
        beam=searches.beam,
        exact=searches.exact,
        options=SearchTreeOptions(font_size=font_size, alpha=alpha),
        t=translator(language),
        language=language.replace("_", "-"),
    )


def side_by_side(searches: Searches, alpha: float, t: Translator) -> None:
    """The searches in a table, each with its winner at this α."""
    names = search_names(t)
    lines = {}
    for trace in (searches.greedy, searches.beam, searches.exact, searches.shown):
        name = trace.config.search
        title = f"{names[name]} (B = {trace.config.beam_size})" if name in ("beam", "diverse") else names[name]
        lines[title] = _line(trace, alpha, t)
    frame = pd.DataFrame(lines).T.reset_index(names=t("search"))
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "P": st.column_config.NumberColumn("P", format="%.6g"),
            "log P": st.column_config.NumberColumn("log P", format="%.6f"),
            t("score"): st.column_config.NumberColumn(f"{t('score')}, α = {alpha:g}", format="%.6f"),
        },
    )


def _line(trace: SearchTrace, alpha: float, t: Translator) -> dict[str, object]:
    counts = {
        t("model calls"): trace.model_calls,
        t("extended"): trace.expansions,
        t("compared"): trace.candidates_scored,
    }
    exact = trace.config.search == "exact"
    best = next(iter(trace.finished if exact else reranked(trace, alpha=alpha)), None)
    if best is None:
        return {t("text"): "–", "P": None, "log P": None, t("score"): None, "L": None, **counts}
    log_prob, length = float(trace.log_prob[best]), int(trace.step[best])
    return {
        t("text"): trace.text(best),
        "P": math.exp(log_prob),
        "log P": log_prob,
        t("score"): hypothesis_score(log_prob, length, alpha=alpha),
        "L": length,
        **counts,
    }


def counters(searches: Searches, t: Translator) -> None:
    """n^T against k·n·T, here and for a real vocabulary; and when a beam is exhaustive."""
    beam = searches.beam
    n, steps, size = beam.vocabulary_size, beam.config.max_length, beam.config.beam_size
    digits = len(str(exhaustive_cost(WORDS, STEPS))) - 1
    shown = (
        (t("Every sequence, nᵀ"), f"{beam.exhaustive_cost:,}", f"{n}{_raised(steps)}"),
        (
            t("Beam at most, k·n·T"),
            f"{beam.beam_cost:,}",
            f"{size} · {n} · {steps}; " + t("{count} compared").format(count=beam.candidates_scored),
        ),
        (t("10,000 words, 10 steps: nᵀ"), f"10{_raised(digits)}", f"{WORDS:,}{_raised(STEPS)}"),
        (t("10,000 words, 10 steps: k·n·T"), f"{size * WORDS * STEPS:,}", f"{size} · {WORDS:,} · {STEPS}"),
    )
    for column, (label, value, formula) in zip(st.columns(4), shown, strict=True):
        column.metric(label, value, formula, delta_color="off", delta_arrow="off")
    least = max(1, n * (n - 1) ** max(steps - 2, 0)) if steps > 1 else 1
    sure = beam_is_exhaustive(size, n, steps)
    st.caption(
        (
            t("B = {size} cannot miss the optimum of any table: that needs B ≥ n (n − 1)ᵀ⁻² = {least}.")
            if sure
            else t("B = {size} can miss an optimum: no table is safe below B = n (n − 1)ᵀ⁻² = {least}.")
        ).format(size=size, least=f"{least:,}")
        + " "
        + t("B = n is exhaustive only up to T = 2, B = 1 is greedy.")
    )


def _raised(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def forced(searches: Searches, table: ProbabilityTable, choices: Choices, t: Translator) -> None:
    """The forced beginning with undo, and what each beginning led to."""
    words = " ".join(table.symbols[token] for token in choices.prefix)
    trace = searches.shown
    found = None if trace.best is None else (trace.text(trace.best), math.exp(trace.log_prob[trace.best]))
    text, p = found or ("–", None)
    forced_bar(TREE, words, (words or "∅", trace.config.search, text, p), t)


def downloads(searches: Searches, alpha: float, settings: Settings) -> None:
    """The files of the tree and of its numbers."""
    search_downloads(
        lambda: drawn_at(searches, alpha, settings.font_size, settings.language), searches.shown, settings.t
    )
