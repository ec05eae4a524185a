"""What happened in the search for a translation, in a few plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seqviz.charts.piece_words import piece_label
from seqviz.charts.search_tree import lost_words
from seqviz.charts.translation_tree import shown_text
from seqviz.decoding.ranking import fell_out, reranked
from seqviz.decoding.scores import hypothesis_score
from seqviz.i18n import Translator
from seqviz.translation_searches import TranslationSearches
from seqviz.translations import TranslationSearch

_SHORT = 0.6  # of the beam's pieces: an optimum below that is called short


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The result of a search at some α.

    Args:
        text: for people.
        tokens: its ids.
        rows: its path in the search.
        log_prob: in nats.
        score: at this α, with the search's coverage penalty.
    """

    text: str
    tokens: tuple[int, ...]
    rows: tuple[int, ...]
    log_prob: float
    score: float


def winner_of(found: TranslationSearch | None, alpha: float, *, ranked_at: float | None = None) -> Winner | None:
    """The finished hypothesis of a search that wins at α; None if there is none.

    Args:
        found: the search.
        alpha: of the score.
        ranked_at: α that decides who wins; None for the same.
    """
    if found is None or found.search.best is None:
        return None
    search, weight = found.search, found.search.config.coverage
    row = reranked(search, alpha=alpha if ranked_at is None else ranked_at, coverage=weight)[0]
    log_prob = float(search.log_prob[row])
    penalty = weight * float(search.coverage[row]) if weight and math.isfinite(search.coverage[row]) else 0.0
    return Winner(
        text=shown_text(found.targets[row].text),
        tokens=search.tokens(row),
        rows=tuple(search.path(row)),
        log_prob=log_prob,
        score=hypothesis_score(log_prob, int(search.step[row]), alpha=alpha, penalty=penalty),
    )


def optimum_of(exact: TranslationSearch | None, alpha: float) -> Winner | None:
    """What an exact search has found, for its own α; its score is that at ``alpha``."""
    return None if exact is None else winner_of(exact, alpha, ranked_at=exact.search.config.alpha)


def search_story(searches: TranslationSearches, alpha: float, t: Translator) -> tuple[str, ...]:
    """Plain sentences on greedy, beam and the optimum.

    Args:
        searches: with greedy and beam; without the exact one nothing is said of the optimum.
        alpha: of the length normalisation.
        t: the reader's language.
    """
    beam, greedy, exact = searches.beam, searches.greedy, searches.exact
    mine, theirs, best = winner_of(beam, alpha), winner_of(greedy, alpha), optimum_of(exact, alpha)
    found: list[str] = []
    if beam is not None and greedy is not None and mine is not None and theirs is not None:
        found.append(_greedy_words(beam, mine, greedy, theirs, t))
    if exact is None or best is None:
        return tuple(found)
    if not exact.search.proven:
        found.append(_open_words(exact, [one for one in (best, mine, theirs) if one is not None], t))
    elif beam is not None and mine is not None:
        found += _optimum_words(beam, mine, exact, best, alpha, t)
    return tuple(found)


def _greedy_words(
    beam: TranslationSearch, mine: Winner, greedy: TranslationSearch, theirs: Winner, t: Translator
) -> str:
    size = beam.search.config.beam_size
    if mine.tokens == theirs.tokens:
        return t("Greedy finds the same as beam {size}.").format(size=size)
    pairs = zip(theirs.tokens, mine.tokens, strict=False)
    place = next((place for place, (taken, other) in enumerate(pairs) if taken != other), 0)
    own, other = theirs.rows[place], mine.rows[place]
    margin = float(greedy.search.token_log_prob[own]) - float(beam.search.token_log_prob[other])
    words = (
        t("Beam {size} finds what greedy misses: at step {step} greedy takes “{taken}”, {margin} nats ahead of "
          "“{other}”, and ends with a score lower by {behind}.")
        if mine.score >= theirs.score
        else t("Greedy ends with a score higher than beam {size}, by {behind}: they part at step {step}, where greedy "
               "takes “{taken}” and the beam's winner has “{other}”.")
    )  # fmt: skip
    return words.format(
        size=size,
        step=place + 1,
        taken=_piece(greedy, own),
        other=_piece(beam, other),
        margin=f"{margin:.2f}",
        behind=f"{abs(mine.score - theirs.score):.3g}",
    )


def _piece(found: TranslationSearch, row: int) -> str:
    return piece_label(found.search.names[int(found.search.token[row])])


def _open_words(exact: TranslationSearch, known: list[Winner], t: Translator) -> str:
    search, alpha = exact.search, exact.search.config.alpha
    words = (
        t(
            "Not proven within {count} hypotheses extended: at α = {alpha} no translation of at most {limit} pieces "
            "scores above {bound}; the best so far has {best}. With fewer pieces or a smaller α the proof is shorter."
        )
        if alpha
        else t(
            "Not proven within {count} hypotheses extended: the most probable translation has at most log P = {bound}; "
            "the best so far has {best}."
        )
    )
    scores = [hypothesis_score(one.log_prob, len(one.tokens), alpha=alpha) for one in known]
    best = float(search.score[search.best]) if search.config.coverage and search.best is not None else max(scores)
    return words.format(
        count=search.expansions,
        alpha=f"{alpha:g}",
        limit=search.config.max_length,
        bound=_number(search.upper_bound),
        best=_number(best),
    )


def _optimum_words(
    beam: TranslationSearch, mine: Winner, exact: TranslationSearch, best: Winner, alpha: float, t: Translator
) -> list[str]:
    own = exact.search.config.alpha
    same = (
        t("No translation of at most {limit} pieces scores higher than the beam's at α = {alpha}: proven after {count} "
          "hypotheses.")
        if own
        else t("The most probable translation of all is the beam's own: proven after {count} hypotheses.")
    )  # fmt: skip
    other = (
        t("The best of all at α = {alpha} is “{text}”, score {score}: proven after {count} hypotheses.")
        if own
        else t("The most probable of all is “{text}”, log P = {log_prob}: proven after {count} hypotheses.")
    )
    words = (same if mine.tokens == best.tokens else other).format(
        count=exact.search.expansions,
        alpha=f"{own:g}",
        limit=exact.search.config.max_length,
        text=best.text,
        log_prob=_number(best.log_prob),
        score=_number(hypothesis_score(best.log_prob, len(best.tokens), alpha=own)),
    )
    if mine.tokens == best.tokens:
        return [words]
    found = [words]
    lost = fell_out(beam.search, best.tokens)
    if lost is None:
        found.append(t("The beam finds it too, and ranks it lower at α = {alpha}.").format(alpha=f"{alpha:g}"))
    else:
        found.append(lost_words(beam.search, lost, t))
    short, long = len(best.tokens), len(mine.tokens)
    if short == 1:
        found.append(t("It is the empty one: a fault of the model, not of the search."))
    elif short < _SHORT * long:
        found.append(
            t(
                "It has {short} pieces against {long}: log P falls with every piece, so the model prefers it short."
            ).format(short=short, long=long)
        )
    return found


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
