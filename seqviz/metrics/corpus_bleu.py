"""BLEU of a whole set of translations and of one sentence, by sacrebleu (Post 2018), with its signature."""

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


def sentence_bleu(translation: str, references: Sequence[str]) -> CorpusBleu:
    """BLEU of one sentence by sacrebleu: 13a tokens, case counts, exponential smoothing, effective order.

    Without smoothing a sentence without a common 4-gram scores 0 (Chen and Cherry 2014, method 3); the effective
    order leaves out the n for which the translation is too short.
    """
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True)
    score = metric.sentence_score(translation, list(references)).score
    return CorpusBleu(float(score), str(metric.get_signature()))


def bleu_tokens(text: str, *, lowercase: bool = False) -> tuple[str, ...]:
    """The tokens that sacrebleu counts by default (mteval's 13a): words, and punctuation apart from them."""
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    return tuple(str(Tokenizer13a()(text.lower() if lowercase else text)).split())
