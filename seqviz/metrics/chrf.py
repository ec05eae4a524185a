"""chrF of one sentence by sacrebleu: shared letters say something of a single translation, as BLEU does not."""

from __future__ import annotations


def sentence_chrf(translation: str, reference: str) -> float:
    """chrF2 in percent (Popović 2015): F-score of character n-grams up to 6, recall counting twice.

    Args:
        translation: of the model.
        reference: of a person.
    """
    from sacrebleu.metrics.chrf import CHRF  # slow to import: only where it is used

    return float(CHRF().sentence_score(translation, [reference]).score)
