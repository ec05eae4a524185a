"""Several searches for the translation of one sentence, and how they are set so that they can be held side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from seqviz.config import DecodeConfig
from seqviz.decoding.ranking import fell_out
from seqviz.translations import TranslationSearch

DEFAULT_ALPHA = 1.0
"""α with which the quality on the models' cards is measured."""

DEFAULT_BEAM, DEFAULT_LENGTH = 5, 60
"""B and the most pieces of the search whose tree is shown first."""

DEFAULT_BUDGET = 300
"""Hypotheses that the exact search may extend: seconds at most."""

BUDGETS = (0, 100, DEFAULT_BUDGET, 1000, 3000, 10_000)
"""What is offered; 0 leaves the exact search out, the largest takes half a minute."""

_BEAM_BEFORE = 5  # of the exact search, for its lower bound; the same for every B, so that B changes nothing

Watch = tuple[tuple[int, ...], ...]
Run = Callable[[DecodeConfig, Watch], TranslationSearch]
"""Searches with a configuration and sequences to watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationSearches:
    """Searches for the translation of one sentence.

    Args:
        shown: whose tree is drawn.
        greedy, beam: for the comparison.
        exact: the best translation of all for its own α, 0 for the most probable one; None as long as it is not known.
    """

    shown: TranslationSearch
    greedy: TranslationSearch | None = None
    beam: TranslationSearch | None = None
    exact: TranslationSearch | None = None

    @property
    def optimum(self) -> tuple[int, ...] | None:
        """Ids of the best translation of all; None if it is not known or not proven."""
        found = None if self.exact is None else self.exact.search
        return found.tokens(found.best) if found is not None and found.proven and found.best is not None else None


def attention_search(text: str, search: str = "beam") -> DecodeConfig:
    """How a translation is found whose attention is looked at: a beam of 5 and the mean log P, as on the cards."""
    # A source has at least a third as many pieces as characters; nothing sensible is longer than this.
    longest = min(max(24, len(text)), 160)
    return DecodeConfig(
        search=search, beam_size=5, max_length=longest, alpha=DEFAULT_ALPHA if search == "beam" else 0.0
    )


def greedy_config(config: DecodeConfig) -> DecodeConfig:
    """The greedy search with the limits of another one; what it does not use is the same for all."""
    return replace(config, search="greedy", beam_size=_BEAM_BEFORE, stopping="n_best", groups=1)


def exact_config(
    config: DecodeConfig, *, alpha: float = 0.0, coverage: float = 0.0, budget: int = DEFAULT_BUDGET
) -> DecodeConfig:
    """The exact search with the limits of another one.

    Args:
        config: of the other one.
        alpha, coverage: α and β of the score whose optimum is proven; 0 for the most probable translation.
        budget: hypotheses that it may extend.
    """
    return replace(greedy_config(config), search="exact", alpha=alpha, coverage=coverage, max_expansions=budget)


def with_exact(searches: TranslationSearches, exact: TranslationSearch, run: Run) -> TranslationSearches:
    """The same with the exact search; one that lost the optimum is run once more and says where and by how much.

    Args:
        searches: without the exact one.
        exact: of the same sentence and limits.
        run: searches the same sentence.
    """
    shown, beam = searches.shown, searches.beam
    optimum = TranslationSearches(shown=exact, exact=exact).optimum

    def watched(one: TranslationSearch) -> TranslationSearch:
        if optimum is None or not _needs_watch(one, optimum):
            return one
        return run(one.search.config, (optimum,))

    beam = None if beam is None else watched(beam)
    name = shown.search.config.search
    shown = exact if name == "exact" else beam if name == "beam" and beam is not None else watched(shown)
    return TranslationSearches(shown=shown, greedy=searches.greedy, beam=beam, exact=exact)


def _needs_watch(found: TranslationSearch, tokens: Sequence[int]) -> bool:
    lost = fell_out(found.search, tokens)
    return lost is not None and lost.rank < 0
