"""Scores and penalties: small functions of log probabilities, apart from every search.

A *score* is what hypotheses are ranked by; log P stays what the model says.
"""

from __future__ import annotations

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.types import FloatArray, IntArray

MAX_ALPHA = 2.0


def length_penalty(length: int, alpha: float) -> float:
    """L^α, the divisor of the length normalisation (syllabus S5).

    Args:
        length: L, tokens of the hypothesis, <eos> included: as many as its sum has terms.
        alpha: 0 leaves the sum as it is, 1 gives the mean log probability of a token.
    """
    return float(length) ** alpha


def coverage_penalty(attention: FloatArray) -> FloatArray:
    """Σ_i ln min(Σ_t a_ti, 1): 0 when every source token got a whole attention, the more below it the less.

    Args:
        attention: weights of every step, (..., step, source).

    Returns:
        A number for each hypothesis, (...).

    Source:
        Wu et al. 2016, equation 14, without its factor β. Weights of exactly 0 count as 1e-9.
    """
    return np.asarray(np.log(np.clip(np.asarray(attention, np.float64).sum(-2), 1e-9, 1.0)).sum(-1))


def hypothesis_score(log_prob: float, length: int, *, alpha: float = 0.0, penalty: float = 0.0) -> float:
    """(1/L^α) Σ log p + penalty, in nats.

    Args:
        log_prob: Σ log p of the hypothesis.
        length: L.
        alpha: of the length normalisation.
        penalty: what is added behind it, β times the coverage penalty.
    """
    return log_prob / length_penalty(length, alpha) + penalty


def best_possible_score(log_prob: float, *, max_length: int, alpha: float) -> float:
    """No continuation of a prefix scores higher than this: the bound of exact search.

    log P can only fall and L is at most T, so for log P ≤ 0 the score is at most log P(prefix) / T^α; a coverage
    penalty is never above 0.

    Args:
        log_prob: log P of the prefix.
        max_length: T.
        alpha: of the length normalisation.

    Source:
        The bound of Stahlberg and Byrne 2019 for α = 0; for other α its extension by the longest length.
    """
    return log_prob / length_penalty(max_length, alpha)


def diversity_penalty(chosen: IntArray, vocabulary_size: int, strength: float) -> FloatArray:
    """λ times how often earlier groups chose each token at this step, (vocabulary,).

    Args:
        chosen: tokens of the earlier groups at this step, with repetitions.
        vocabulary_size: n.
        strength: λ in nats.

    Source:
        Vijayakumar et al. 2018, equation 4 with the Hamming diversity.
    """
    return strength * np.bincount(np.asarray(chosen, np.int64), minlength=vocabulary_size).astype(np.float64)


def refusal(token: int, length: int, config: DecodeConfig, eos_id: int) -> str:
    """Why a token may not stand at a place: ``"prefix"``, ``"forbidden"`` or ``"min_length"``; ``""`` if it may.

    Args:
        token: its id.
        length: of the hypothesis with this token; the first token has 1.
        config: prefix, forbidden tokens and minimum length.
        eos_id: id of <eos>.
    """
    if length <= len(config.prefix):
        return "" if config.prefix[length - 1] == token else "prefix"
    if token in config.forbidden:
        return "forbidden"
    if token == eos_id and length <= config.min_length:
        return "min_length"
    return ""


def constrained(log_probs: FloatArray, length: int, config: DecodeConfig, eos_id: int) -> FloatArray:
    """The log probabilities with -inf where ``refusal`` speaks, float64, (hypothesis, vocabulary).

    What is left is not normalised anew: the score of a hypothesis stays the model's P(y|x).
    """
    if length <= len(config.prefix):
        allowed = np.full(log_probs.shape, -np.inf)
        token = config.prefix[length - 1]
        allowed[:, token] = log_probs[:, token]
        return allowed
    allowed = np.array(log_probs, np.float64)
    if config.forbidden:
        allowed[:, list(config.forbidden)] = -np.inf
    if length <= config.min_length:
        allowed[:, eos_id] = -np.inf
    return allowed


def exhaustive_cost(vocabulary_size: int, max_length: int) -> int:
    """n^T, the sequences that an exhaustive search scores (syllabus S4)."""
    return vocabulary_size**max_length


def beam_cost(beam_size: int, vocabulary_size: int, max_length: int) -> int:
    """k·n·T, the candidates that a beam search scores at most (syllabus S4)."""
    return beam_size * vocabulary_size * max_length
