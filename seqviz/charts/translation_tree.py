"""The search for a translation as a tree: pieces for tokens, sentences for results, the other searches overlaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqviz.charts.figure import Figure
from seqviz.charts.search_tree import OPTIMUM, SearchPath, SearchTreeOptions, search_tree_figure
from seqviz.config import DecodeConfig
from seqviz.i18n import Translator, english
from seqviz.translation_searches import DEFAULT_ALPHA, TranslationSearches

DRAWN = 420
"""Hypotheses that are drawn at most."""

_MOST_ROWS = 14
_PRUNED = 3


def default_rows(config: DecodeConfig) -> int:
    """Hypotheses of a step that a reader sees at first: the survivors and the best of those that were cut."""
    size = {"greedy": 1, "exact": 5, "sampling": config.samples}.get(config.search, config.beam_size)
    return min(size + _PRUNED, _MOST_ROWS)


def translation_tree_figure(
    searches: TranslationSearches,
    *,
    options: SearchTreeOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws the search for a translation.

    Args:
        searches: the tree's own, and those whose results are marked in it.
        options: sizes and α; pieces, narrow columns, rows and the number of hypotheses are set here. None for α = 1.
        t: the reader's language.
        language: its code, for the HTML page.

    Returns:
        The figure of ``seqviz.charts.search_tree.search_tree_figure``.
    """
    shown = searches.shown
    options = options or SearchTreeOptions(alpha=DEFAULT_ALPHA)
    options = replace(options, pieces=True, narrow=True, most=DRAWN, rows=max(default_rows(shown.search.config), 4))
    return search_tree_figure(
        shown.search,
        paths=_paths(searches, t),
        follows="beam" if shown.search.config.search == "beam" else None,
        texts={row: shown_text(text.text) for row, text in shown.targets.items()},
        options=options,
        t=t,
        language=language,
    )


def shown_text(text: str) -> str:
    """A translation for people; the empty one has a sign."""
    return text or "∅"


def _paths(searches: TranslationSearches, t: Translator) -> Sequence[SearchPath]:
    proven = searches.optimum is not None
    named = (
        (searches.greedy, "greedy", t("Greedy")),
        (searches.beam, "beam", t("Beam")),
        (searches.exact, OPTIMUM if proven else "exact", t("Optimum") if proven else t("Best so far")),
    )
    found: list[SearchPath] = []
    for search, key, label in named:
        if search is None or search.best is None:
            continue
        if key == "exact" and any(search.best.ids == one.tokens for one in found):
            continue  # it is known already
        path = SearchPath.of(search.search, key=key, label=label, text=shown_text(search.best.text))
        if path is not None:
            found.append(path)
    return found
