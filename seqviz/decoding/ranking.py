"""Finished hypotheses ranked anew for another α or β, and the α at which the winner changes: without the model.

With β = 0 a score is -|log P| / L^α, so ln(-score) = ln|log P| - α ln L: a straight line in α for every hypothesis.
The winner is the lowest line, and it changes where two lines meet:

    α* = (ln|log P_i| - ln|log P_j|) / (ln L_i - ln L_j)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqviz.decoding.scores import MAX_ALPHA, hypothesis_score
from seqviz.decoding.trace import SearchTrace
from seqviz.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """Where the winner changes.

    Args:
        alpha: α*, at which both score the same.
        before, after: the winner below and above it, rows of the trace or places of the list.
    """

    alpha: float
    before: int
    after: int


def reranked(trace: SearchTrace, *, alpha: float, coverage: float = 0.0) -> tuple[int, ...]:
    """The finished hypotheses of a trace, best first, for other penalties; the search is not run again.

    Args:
        trace: of any search.
        alpha: 0 to 2.
        coverage: β.

    Returns:
        Rows of the trace. For beam searches this is what a new search would return: the cut compares hypotheses of one
        length. An exact search's proof holds for its own α only.
    """

    def score(row: int) -> float:
        penalty = coverage * float(trace.coverage[row]) if coverage else 0.0
        return hypothesis_score(float(trace.log_prob[row]), int(trace.step[row]), alpha=alpha, penalty=penalty)

    return tuple(sorted(trace.finished, key=lambda row: (-score(row), row)))


def crossovers(
    log_probs: Sequence[float], lengths: Sequence[int], *, max_alpha: float = MAX_ALPHA
) -> tuple[int | None, tuple[Crossover, ...]]:
    """The winner at α = 0 and every change of the winner up to ``max_alpha``, in closed form.

    Args:
        log_probs: log P of each hypothesis, at most 0.
        lengths: L of each, at least 1.
        max_alpha: the greatest α.

    Returns:
        The place of the winner at α = 0 (None for an empty list) and the changes in the order of α.

    Raises:
        InvalidInputError: a log probability is above 0 or a length below 1.
    """
    for log_prob, length in zip(log_probs, lengths, strict=True):
        if log_prob > 0 or length < 1:
            raise InvalidInputError(
                "A hypothesis has log P = {log_prob} and L = {length}; log P is at most 0 and L at least 1.",
                log_prob=log_prob,
                length=length,
            )
    if not log_probs:
        return None, ()
    with np.errstate(divide="ignore"):
        heights = np.log(-np.asarray(log_probs, np.float64))
    slopes = np.log(np.asarray(lengths, np.float64))
    # At α = 0 the lowest line wins; of equal ones that which falls faster, for it wins from there on.
    order = sorted(range(len(log_probs)), key=lambda place: (heights[place], -slopes[place], place))
    winner = first = order[0]
    found: list[Crossover] = []
    alpha = 0.0
    while np.isfinite(heights[winner]):
        steeper = [place for place in order if slopes[place] > slopes[winner]]
        meets = [((heights[place] - heights[winner]) / (slopes[place] - slopes[winner]), place) for place in steeper]
        meets = [(max(meet, alpha), place) for meet, place in meets]
        if not meets:
            break
        nearest, follower = min(meets, key=lambda pair: (pair[0], -slopes[pair[1]], pair[1]))
        if not nearest <= max_alpha:
            break
        found.append(Crossover(alpha=float(nearest), before=winner, after=follower))
        winner, alpha = follower, float(nearest)
    return first, tuple(found)


def trace_crossovers(trace: SearchTrace, *, max_alpha: float = MAX_ALPHA) -> tuple[int | None, tuple[Crossover, ...]]:
    """``crossovers`` of the finished hypotheses of a trace, as rows of the trace; β must be 0."""
    if trace.config.coverage:
        raise InvalidInputError("The crossovers are lines only without a coverage penalty; coverage must be 0.")
    rows = trace.finished
    first, found = crossovers(
        [float(trace.log_prob[row]) for row in rows], [int(trace.step[row]) for row in rows], max_alpha=max_alpha
    )
    changes = tuple(Crossover(alpha=one.alpha, before=rows[one.before], after=rows[one.after]) for one in found)
    return (None if first is None else rows[first]), changes


@dataclass(frozen=True, slots=True, kw_only=True)
class FellOut:
    """Where a sequence left a search.

    Args:
        step: of the token with which it was left, the first has 1.
        row: of the trace, where the beginning up to this token is recorded; None if it is not.
        rank: its place among the candidates of the step, 0 is the best; -1 if not known.
        margin: what was missing to the last survivor, in nats; nan if not known.
        reason: one of ``REASONS``.
    """

    step: int
    row: int | None
    rank: int
    margin: float
    reason: str


def fell_out(trace: SearchTrace, tokens: Sequence[int]) -> FellOut | None:
    """The step at which a sequence left the beam; None if it was found.

    Args:
        trace: a search that was given ``tokens`` to watch, so that rank and margin are known.
        tokens: the sequence, for example the optimum of an exact search.
    """
    above = 0
    children = trace.children()
    for step, token in enumerate(tokens, start=1):
        row = next((child for child in children[above] if int(trace.token[child]) == token), None)
        if row is None:
            return FellOut(step=step, row=None, rank=-1, margin=float("nan"), reason="")
        fate = trace.fate_name(row)
        if fate in ("dropped", "open"):
            return FellOut(
                step=step,
                row=row,
                rank=int(trace.rank[row]),
                margin=float(trace.margin[row]),
                reason=trace.reason_name(row),
            )
        if fate == "finished" and step < len(tokens):
            return FellOut(step=step, row=row, rank=int(trace.rank[row]), margin=float("nan"), reason="")
        above = row
    return None
