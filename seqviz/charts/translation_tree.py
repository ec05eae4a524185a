"""The search for a translation as a tree: pieces for tokens, sentences for results, the other searches overlaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqviz.charts.figure import Figure
from seqviz.charts.piece_words import path_with_labels, with_labels
from seqviz.charts.search_tree import OPTIMUM, SearchPath, SearchTreeOptions, search_tree_figure
from seqviz.config import DecodeConfig
from seqviz.decoding.ranking import fell_out
from seqviz.i18n import Translator, english
from seqviz.translations import TranslationSearch

DEFAULT_ALPHA = 1.0
"""α with which the quality on the models' cards is measured."""

DRAWN = 420
"""Hypotheses that are drawn at most."""

_MOST_ROWS = 14
_PRUNED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationSearches:
    """Searches for the translation of one sentence.

    Args:
        shown: whose tree is drawn.
        greedy, beam: for the comparison.
        exact: the most probable translation of all (α = 0); None as long as it is not known.
    """

    shown: TranslationSearch
    greedy: TranslationSearch | None = None
    beam: TranslationSearch | None = None
    exact: TranslationSearch | None = None

    @property
    def optimum(self) -> tuple[int, ...] | None:
        """Ids of the most probable translation; None if it is not known or not proven."""
        found = None if self.exact is None else self.exact.search
        return found.tokens(found.best) if found is not None and found.proven and found.best is not None else None


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
        with_labels(shown.search),
        paths=[path_with_labels(path) for path in _paths(searches, t)],
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
    found = []
    for search, key, label in named:
        if search is None or search.best is None:
            continue
        path = SearchPath.of(search.search, key=key, label=label, text=shown_text(search.best.text))
        if path is not None:
            found.append(path)
    return found


def needs_watch(search: TranslationSearch, tokens: Sequence[int]) -> bool:
    """Whether a search has to be run once more with ``tokens`` watched, to know rank and margin where it lost them."""
    lost = fell_out(search.search, tokens)
    return lost is not None and lost.rank < 0
