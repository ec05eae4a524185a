"""The search tree of a table of probabilities, with greedy, beam and exact search marked in it."""

from __future__ import annotations

from seqviz.charts.figure import Figure
from seqviz.charts.search_tree import OPTIMUM, SearchPath, SearchTreeOptions, search_tree_figure
from seqviz.decoding.trace import SearchTrace
from seqviz.i18n import Translator, english


def table_tree_figure(
    shown: SearchTrace,
    *,
    greedy: SearchTrace,
    beam: SearchTrace,
    exact: SearchTrace,
    options: SearchTreeOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws a search on a table.

    Args:
        shown: whose tree is drawn.
        greedy, beam, exact: whose results are marked in it.
        options: sizes and α; None for the defaults.
        t: the reader's language.
        language: its code, for the HTML page.
    """
    marked = ((greedy, "greedy", t("Greedy")), (beam, "beam", t("Beam")), (exact, OPTIMUM, t("Optimum")))
    paths = [SearchPath.of(trace, key=key, label=label) for trace, key, label in marked]
    return search_tree_figure(
        shown,
        paths=[path for path in paths if path is not None],
        follows="beam" if shown.config.search == "beam" else None,
        options=options,
        t=t,
        language=language,
    )
