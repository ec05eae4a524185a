"""What happened in the search for a translation, in a few plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seqviz.charts.piece_words import piece_label
from seqviz.charts.search_tree import lost_words
from seqviz.charts.translation_tree import TranslationSearches, shown_text
from seqviz.decoding.ranking import fell_out, reranked
from seqviz.decoding.scores import hypothesis_score
from seqviz.decoding.trace import SearchTrace
from seqviz.i18n import Translator
from seqviz.translations import TranslationSearch

_SHORT = 0.6  # of the beam's pieces: an optimum below that is called short


def winner_row(search: SearchTrace, alpha: float) -> int | None:
    """The finished hypothesis that wins at α; None if there is none."""
    return next(iter(reranked(search, alpha=alpha, coverage=search.config.coverage)), None)


def row_score(search: SearchTrace, row: int, alpha: float) -> float:
    """The score of a finished hypothesis at α, with the search's own coverage penalty."""
    weight = search.config.coverage
    penalty = weight * float(search.coverage[row]) if weight and math.isfinite(search.coverage[row]) else 0.0
    return hypothesis_score(float(search.log_prob[row]), int(search.step[row]), alpha=alpha, penalty=penalty)


def search_story(searches: TranslationSearches, alpha: float, t: Translator) -> tuple[str, ...]:
    """Plain sentences on greedy, beam and the optimum.

    Args:
        searches: with greedy and beam; without the exact one nothing is said of the optimum.
        alpha: of the length normalisation.
        t: the reader's language.
    """
    beam, greedy, exact = searches.beam, searches.greedy, searches.exact
    if beam is None or greedy is None or winner_row(beam.search, alpha) is None or greedy.search.best is None:
        return ()
    found = [_greedy_words(beam.search, greedy.search, alpha, t)]
    if exact is not None and exact.search.best is not None:
        found += _optimum_words(beam, exact, alpha, t)
    return tuple(found)


def _greedy_words(beam: SearchTrace, greedy: SearchTrace, alpha: float, t: Translator) -> str:
    winner, own = winner_row(beam, alpha), greedy.best
    assert winner is not None  # asked before
    assert own is not None
    size = beam.config.beam_size
    if beam.tokens(winner) == greedy.tokens(own):
        return t("Greedy finds the same as beam {size}.").format(size=size)
    step, taken, other, margin = _parting(greedy, beam, winner)
    ahead = row_score(beam, winner, alpha) - row_score(greedy, own, alpha)
    values = {
        "size": size,
        "step": step,
        "taken": taken,
        "other": other,
        "margin": f"{margin:.2f}",
        "ahead": f"{abs(ahead):.3g}",
    }
    if ahead < 0:
        return t(
            "Greedy scores higher than beam {size} here, by {ahead}: they part at step {step}, where greedy takes "
            "“{taken}” and the beam's winner “{other}”."
        ).format(**values)
    return t(
        "Beam {size} finds what greedy misses: at step {step} greedy takes “{taken}”, {margin} nats ahead of “{other}”, "
        "and ends {ahead} lower in score."
    ).format(**values)


def _parting(greedy: SearchTrace, beam: SearchTrace, winner: int) -> tuple[int, str, str, float]:
    """Where greedy leaves the beam's winner: step, both pieces, and how far greedy's was ahead there, in nats."""
    assert greedy.best is not None
    mine, theirs = greedy.path(greedy.best), beam.path(winner)
    for step, (own, other) in enumerate(zip(mine, theirs, strict=False), start=1):
        if greedy.token[own] != beam.token[other]:
            margin = float(greedy.token_log_prob[own]) - float(beam.token_log_prob[other])
            return step, _piece(greedy, own), _piece(beam, other), margin
    raise AssertionError("two complete hypotheses part before the shorter one ends")


def _piece(search: SearchTrace, row: int) -> str:
    return piece_label(search.names[int(search.token[row])]).removeprefix("␣").removesuffix("‿") or "␣"


def _optimum_words(beam: TranslationSearch, exact: TranslationSearch, alpha: float, t: Translator) -> Sequence[str]:
    search, best = exact.search, exact.search.best
    assert best is not None
    spent, log_prob = search.expansions, float(search.log_prob[best])
    if not search.proven:
        return [
            t(
                "The exact search was not done within {count} hypotheses extended: nothing is more probable than "
                "log P = {bound}, the best so far has {log_prob}."
            ).format(count=spent, bound=_number(search.upper_bound), log_prob=_number(log_prob))
        ]
    tokens = search.tokens(best)
    winner = winner_row(beam.search, alpha)
    assert winner is not None
    if beam.search.tokens(winner) == tokens:
        return [
            t("The most probable translation of all is the beam's own: proven after {count} hypotheses.").format(
                count=spent
            )
        ]
    text = shown_text(exact.targets[best].text)
    found = [
        t(
            "The most probable translation of all is “{text}”, log P = {log_prob}: proven after {count} hypotheses."
        ).format(text=text, log_prob=_number(log_prob), count=spent)
    ]
    lost = fell_out(beam.search, tokens)
    if lost is None:
        found.append(t("The beam finds it too, and ranks it lower at α = {alpha}.").format(alpha=f"{alpha:g}"))
    else:
        found.append(lost_words(beam.search, lost, t))
    if len(tokens) == 1:
        found.append(t("It is the empty one: the model's fault, which a good search would only bring to light."))
    elif len(tokens) < _SHORT * int(beam.search.step[winner]):
        found.append(
            t("It is too short, {short} pieces against {long}: log P falls with every piece, so the model prefers short.")
            .format(short=len(tokens), long=int(beam.search.step[winner]))
        )  # fmt: skip
    return found


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
