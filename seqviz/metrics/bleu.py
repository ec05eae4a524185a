"""BLEU as the syllabus has it (S2): one reference, weights that grow with the length of the n-gram."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramPrecision:
    """One line of the table.

    Args:
        n: length of the n-grams.
        matched: n-grams of the output that the reference has, each at most as often as there.
        total: n-grams of the output.
        weight: the exponent 1/2^n.
    """

    n: int
    matched: int
    total: int
    weight: float

    @property
    def precision(self) -> float:
        """p_n; 0 where the output has no such n-gram."""
        return self.matched / self.total if self.total else 0.0

    @property
    def factor(self) -> float:
        """p_n^(1/2^n)."""
        return self.precision**self.weight


@dataclass(frozen=True, slots=True, kw_only=True)
class BleuTable:
    """BLEU of one output with everything that it is made of.

    Args:
        reference_length, output_length: tokens.
        brevity: exp(min(0, 1 - reference_length / output_length)).
        lines: for n = 1, 2, ...
        score: brevity times the factors of all lines, 0 to 1.
    """

    reference_length: int
    output_length: int
    brevity: float
    lines: tuple[NgramPrecision, ...]
    score: float


def bleu_table(output: Sequence[str], reference: Sequence[str], *, max_n: int = 4) -> BleuTable:
    """exp(min(0, 1 - len_reference / len_output)) Π_n p_n^(1/2^n), n = 1 to ``max_n``.

    Args:
        output: tokens of the translation.
        reference: tokens of the right translation.
        max_n: longest n-gram. Lines for which the output is too short are left out.

    Returns:
        The table; an empty output has no lines and the score 0.

    Source:
        Syllabus S2. Papineni et al. 2002 weigh all n alike and count over a whole corpus; sacrebleu does that.
    """
    lines = tuple(
        NgramPrecision(n=n, matched=_matches(output, reference, n), total=len(output) - n + 1, weight=0.5**n)
        for n in range(1, min(max_n, len(output)) + 1)
    )
    brevity = math.exp(min(0.0, 1.0 - len(reference) / len(output))) if output else 0.0
    score = brevity * math.prod(line.factor for line in lines) if lines else 0.0
    return BleuTable(
        reference_length=len(reference), output_length=len(output), brevity=brevity, lines=lines, score=score
    )


def _matches(output: Sequence[str], reference: Sequence[str], n: int) -> int:
    def ngrams(tokens: Sequence[str]) -> Counter[tuple[str, ...]]:
        return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))

    return (ngrams(output) & ngrams(reference)).total()
