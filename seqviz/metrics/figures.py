"""Held-out figures: cross-entropy and perplexity, accuracy, entity-level F1."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence


def perplexity(nats: float) -> float:
    """exp(π) with π the mean of -log p(x_t | x_<t) in nats; infinity where that overflows (syllabus L5)."""
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def accuracy(expected: Sequence[int], predicted: Sequence[int]) -> float:
    """Share of equal entries, in percent."""
    equal = sum(a == b for a, b in zip(expected, predicted, strict=True))
    return 100.0 * equal / len(expected) if expected else math.nan


def entity_f1(expected: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Entity-level F1 in percent, micro-averaged (``f1``) and per type (``f1_PER`` ...), as in CoNLL-2000 and 2003.

    An entity counts when its borders and its type are right. Computed by seqeval.
    """
    from seqeval.metrics import classification_report, f1_score  # heavy (scikit-learn): only where it is used

    expected, predicted = [list(tags) for tags in expected], [list(tags) for tags in predicted]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a type that was never predicted scores 0, and says so by its figure
        report = classification_report(expected, predicted, output_dict=True)
        figures = {"f1": 100.0 * float(f1_score(expected, predicted))}
    for entity_type, scores in report.items():
        if not entity_type.endswith(" avg"):
            figures[f"f1_{entity_type}"] = 100.0 * float(scores["f1-score"])
    return figures
