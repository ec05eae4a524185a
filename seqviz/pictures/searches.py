"""Search trees: for the translation of a sentence, and on a table of probabilities."""

from __future__ import annotations

from dataclasses import replace

from seqviz.api import search_translation
from seqviz.charts.figure import Figure
from seqviz.charts.search_tree import SearchTreeOptions
from seqviz.charts.table_tree import table_tree_figure
from seqviz.charts.translation_tree import translation_tree_figure
from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import ProbabilityTable, TableModel
from seqviz.decoding.trace import SearchTrace
from seqviz.errors import unknown_name
from seqviz.pictures.base import DEFAULT, Appearance
from seqviz.translation_searches import DEFAULT_ALPHA, DEFAULT_BEAM, DEFAULT_BUDGET, DEFAULT_LENGTH


def search_tree(
    model: str,
    text: str,
    *,
    config: DecodeConfig | None = None,
    budget: int = DEFAULT_BUDGET,
    appearance: Appearance = DEFAULT,
) -> Figure:
    """The search for a translation as a tree (the app's Translate).

    Args:
        model: name of a translation checkpoint.
        text: the sentence.
        config: of the search; None for a beam of 5 ranked at α = 1.
        budget: hypotheses that the exact search may extend; 0 leaves it out.
        appearance: how it looks.
    """
    config = config or DecodeConfig(beam_size=DEFAULT_BEAM, max_length=DEFAULT_LENGTH, alpha=DEFAULT_ALPHA)
    found = search_translation(model, text, config=config, budget=budget)
    options = SearchTreeOptions(font_size=appearance.font_size, alpha=config.alpha)
    return translation_tree_figure(found, options=options, t=appearance.t, language=appearance.tag)


def decoding(
    table: ProbabilityTable | str = "syllabus",
    *,
    search_name: str = "beam",
    beam_size: int | None = None,
    alpha: float = 0.0,
    appearance: Appearance = DEFAULT,
) -> Figure:
    """A search on a table of probabilities, with greedy, beam and exact search marked (the app's Decoding).

    Args:
        table: the probabilities; or the name of an example of the app.
        search_name: whose tree is drawn: ``"greedy"``, ``"beam"`` or ``"exact"``.
        beam_size: hypotheses that survive a step; None for the example's, else 2.
        alpha: of the length normalisation.
        appearance: how it looks.

    Raises:
        UnknownNameError: there is no such example or search.
    """
    if isinstance(table, str) and table not in PRESETS:
        raise unknown_name("table", table, PRESETS)
    preset = PRESETS[table] if isinstance(table, str) else None
    own = table if isinstance(table, ProbabilityTable) else PRESETS[table].table
    config = DecodeConfig(
        beam_size=beam_size or (preset.beam_size if preset else 2),
        min_length=preset.min_length if preset else 0,
        max_length=preset.max_length if preset else own.max_steps,
        max_expansions=20_000,
        candidates=len(own.symbols),
    )
    exact = search(TableModel(own), replace(config, search="exact", alpha=alpha))
    optimum = () if exact.best is None else (exact.tokens(exact.best),)
    runs: dict[str, SearchTrace] = {
        name: search(TableModel(own), replace(config, search=name), watch=optimum) for name in ("greedy", "beam")
    } | {"exact": exact}
    if search_name not in runs:
        raise unknown_name("search", search_name, runs)
    return table_tree_figure(
        runs[search_name],
        **runs,
        options=SearchTreeOptions(font_size=appearance.font_size, alpha=alpha),
        t=appearance.t,
        language=appearance.tag,
    )
