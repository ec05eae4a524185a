"""BLEU of a whole set of translations, by sacrebleu (Post 2018), with its signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class CorpusBleu(NamedTuple):
    """The score in percent and how it was computed, in sacrebleu's words."""

    score: float
    signature: str


def corpus_bleu(translations: Sequence[str], references: Sequence[Sequence[str]]) -> CorpusBleu:
    """BLEU (Papineni et al. 2002) with sacrebleu's standard settings: 13a tokens, case counts.

    Args:
        translations: one for each source.
        references: of each source, one or more; their number may differ.
    """
    from sacrebleu.metrics.bleu import BLEU  # slow to import: only where it is used

    most = max((len(known) for known in references), default=1)
    # A missing reference is None, which the library takes and its types do not know.
    streams: list[Any] = [
        [known[index] if index < len(known) else None for known in references] for index in range(most)
    ]
    metric = BLEU()
    score = metric.corpus_score(list(translations), streams)
    return CorpusBleu(float(score.score), str(metric.get_signature()))
