"""Corpus BLEU with a bootstrap over its sentences (Koehn 2004): the same counts as sacrebleu's, resampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqviz.errors import InvalidInputError
from seqviz.types import FloatArray


class BleuInterval(NamedTuple):
    """BLEU in percent, and the middle 95 % of its resamples."""

    score: float
    low: float
    high: float


def sentence_counts(translations: Sequence[str], references: Sequence[Sequence[str]]) -> FloatArray:
    """What BLEU needs of each sentence: 4 matches, 4 totals, own length, reference length, (sentence, 10)."""
    from sacrebleu.metrics.bleu import BLEU  # slow to import: only where it is used

    metric = BLEU(effective_order=True)
    rows = []
    for translation, known in zip(translations, references, strict=True):
        found = metric.sentence_score(translation, list(known))
        rows.append([*found.counts, *found.totals, found.sys_len, found.ref_len])
    return np.array(rows, np.float64).reshape(-1, 10)


def bleu_of_counts(counts: FloatArray) -> float:
    """Corpus BLEU in percent of the sum of counts (10,), with sacrebleu's standard smoothing."""
    from sacrebleu.metrics.bleu import BLEU

    whole = counts.astype(int).tolist()
    return float(BLEU.compute_bleu(whole[:4], whole[4:8], whole[8], whole[9]).score)


def bleu_interval(counts: FloatArray, *, resamples: int = 1000, seed: int = 1) -> BleuInterval:
    """BLEU of sentences and its 95 % interval.

    Args:
        counts: of ``sentence_counts``, (sentence, 10).
        resamples: how many times as many sentences are drawn with replacement.
        seed: of the draws.

    Raises:
        InvalidInputError: no sentence.
    """
    if not len(counts):
        raise InvalidInputError("There are no sentence pairs to measure.")
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(counts), (resamples, len(counts)))
    scores = [bleu_of_counts(counts[rows].sum(0)) for rows in drawn]
    low, high = np.percentile(scores, [2.5, 97.5])
    return BleuInterval(bleu_of_counts(counts.sum(0)), float(low), float(high))
