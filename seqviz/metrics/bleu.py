"""BLEU as the syllabus has it (S2): weights that halve with every length of the n-gram; with its counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramCount:
    """One n-gram of the output.

    Args:
        ngram: its tokens.
        count: how often the output has it.
        allowed: how often that reference has it which has it most often.
    """

    ngram: tuple[str, ...]
    count: int
    allowed: int

    @property
    def clipped(self) -> int:
        """How often it counts: at most as often as a reference has it."""
        return min(self.count, self.allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramPrecision:
    """One line of the table.

    Args:
        n: length of the n-grams.
        matched: n-grams of the output that a reference has, each at most as often as there.
        total: n-grams of the output.
        weight: the exponent 1/2^n.
        counts: every n-gram of the output, in the order of its first place.
    """

    n: int
    matched: int
    total: int
    weight: float
    counts: tuple[NgramCount, ...] = ()

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
        reference_length, output_length: tokens; of several references that whose length is nearest to the output's.
        brevity: exp(min(0, 1 - reference_length / output_length)).
        lines: for n = 1, 2, ...
        score: brevity times the factors of all lines, 0 to 1.
    """

    reference_length: int
    output_length: int
    brevity: float
    lines: tuple[NgramPrecision, ...]
    score: float


def bleu_table(
    output: Sequence[str], reference: Sequence[str], *, others: Sequence[Sequence[str]] = (), max_n: int = 4
) -> BleuTable:
    """exp(min(0, 1 - len_reference / len_output)) Π_n p_n^(1/2^n), n = 1 to ``max_n``.

    Args:
        output: tokens of the translation.
        reference: tokens of the right translation.
        others: further right translations: an n-gram counts as often as one of them has it, and of their lengths the
            nearest counts, the shorter of two (Papineni et al. 2002).
        max_n: longest n-gram. Lines for which the output is too short are left out.

    Returns:
        The table; an empty output has no lines and the score 0.

    Source:
        Syllabus S2. Papineni et al. 2002 weigh all n alike and count over a whole corpus; sacrebleu does that.
    """
    references = (reference, *others)
    lines = tuple(_line(output, references, n) for n in range(1, min(max_n, len(output)) + 1))
    length = min((len(one) for one in references), key=lambda one: (abs(one - len(output)), one))
    brevity = math.exp(min(0.0, 1.0 - length / len(output))) if output else 0.0
    score = brevity * math.prod(line.factor for line in lines) if lines else 0.0
    return BleuTable(reference_length=length, output_length=len(output), brevity=brevity, lines=lines, score=score)


def _line(output: Sequence[str], references: Sequence[Sequence[str]], n: int) -> NgramPrecision:
    known = [_ngrams(reference, n) for reference in references]
    counts = tuple(
        NgramCount(ngram=ngram, count=count, allowed=max(one[ngram] for one in known))
        for ngram, count in _ngrams(output, n).items()
    )
    matched = sum(one.clipped for one in counts)
    return NgramPrecision(n=n, matched=matched, total=len(output) - n + 1, weight=0.5**n, counts=counts)


def _ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))
