"""Whose fault is a bad output, the search's or the model's (syllabus S6)?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seqviz.errors import InvalidInputError

Verdict = Literal["search", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnalysis:
    """The model's opinion of a human's y* and of the algorithm's ŷ.

    Args:
        reference_log_prob, output_log_prob: Σ log p in nats.
        reference_score, output_score: (1/L^α) Σ log p, what the search compares.
        verdict: ``"search"``: the model prefers y*, the search did not find it; ``"model"``: it prefers ŷ, which a
            better search would not mend.
    """

    reference_log_prob: float
    output_log_prob: float
    reference_score: float
    output_score: float
    verdict: Verdict

    @property
    def margin(self) -> float:
        """Score of y* minus score of ŷ in nats; above 0 for ``"search"``."""
        return self.reference_score - self.output_score


def analyse_error(reference: Sequence[float], output: Sequence[float], *, alpha: float = 0.0) -> ErrorAnalysis:
    """P(y*|x) > P(ŷ|x): the search is at fault; otherwise the model.

    Args:
        reference: log P of every token of y* by teacher forcing, <eos> included.
        output: the same of ŷ.
        alpha: of the length normalisation that the search used; both are compared by the same score.

    Raises:
        InvalidInputError: one of them has no token.
    """
    for field, values in (("reference", reference), ("output", output)):
        if not values:
            raise InvalidInputError("{field} has no token; error analysis needs at least <eos>.", field=field)
    sums = [math.fsum(values) for values in (reference, output)]
    scores = [total / len(values) ** alpha for total, values in zip(sums, (reference, output), strict=True)]
    return ErrorAnalysis(
        reference_log_prob=sums[0],
        output_log_prob=sums[1],
        reference_score=scores[0],
        output_score=scores[1],
        verdict="search" if scores[0] > scores[1] else "model",
    )
