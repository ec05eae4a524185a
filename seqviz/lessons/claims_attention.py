"""Claims about attention (syllabus A)."""

from __future__ import annotations

import math

import numpy as np

from seqviz.analysis.attention import entropy_bits, regulariser
from seqviz.backends.translation_requests import ForcedRequest
from seqviz.errors import InvalidInputError
from seqviz.length_bleu import read_length_bleu
from seqviz.lessons.finding import Ask, Finding
from seqviz.translations import ForcedTranslation

_CLEARLY = 1.05
"""Ratio from which a difference counts."""


def kept_when_long(_: Ask, /, *, attentive: str, plain: str) -> Finding:
    """How much of its best BLEU a model with attention keeps on the longest sources, beside one without (A1).

    Answers ``"all"``, ``"more"`` or ``"alike"``, from the figures that were measured of both checkpoints.
    """
    best, last, words = {}, {}, ""
    for role, name in (("attentive", attentive), ("plain", plain)):
        found = read_length_bleu(name)
        if found is None:
            raise InvalidInputError("BLEU by length was not measured of {name}.", name=name)
        best[role], last[role] = max(one.bleu for one in found.bins), found.bins[-1].bleu
        words = found.bins[-1].label
    kept = {role: last[role] / best[role] for role in best}
    more = kept["attentive"] > kept["plain"] * _CLEARLY
    return Finding(
        answer="all" if kept["attentive"] * _CLEARLY >= 1 else "more" if more else "alike",
        numbers={
            "words": words,
            "attentive_best": best["attentive"],
            "attentive_last": last["attentive"],
            "plain_best": best["plain"],
            "plain_last": last["plain"],
            "attentive_kept": kept["attentive"],
            "plain_kept": kept["plain"],
        },
    )


def rows_when_columns_are_even(ask: Ask, /, *, regularised: str, plain: str, source: str, target: str) -> Finding:
    """What a regulariser of the columns of α does to its rows (A4): ``"sharper"``, ``"same"`` or ``"wider"``.

    Args:
        ask: answers requests.
        regularised, plain: two models that differ in the regulariser alone.
        source, target: a sentence and its translation, scored by teacher forcing.
    """
    with_it, without = (_attention(ask, name, source, target) for name in (regularised, plain))
    bits = {"with": float(entropy_bits(with_it).mean()), "without": float(entropy_bits(without).mean())}
    ratio = bits["with"] / bits["without"]
    return Finding(
        answer="wider" if ratio > _CLEARLY else "sharper" if ratio * _CLEARLY < 1 else "same",
        numbers={
            "bits": bits["with"],
            "bits_without": bits["without"],
            "value": regulariser(with_it.sum(0), 1.0),
            "value_without": regulariser(without.sum(0), 1.0),
        },
    )


def _attention(ask: Ask, model: str, source: str, target: str) -> np.ndarray:
    forced: ForcedTranslation = ask(ForcedRequest(model=model, text=source, target=target))
    if forced.attention is None:
        raise InvalidInputError("Model {name} has no attention.", name=model)
    return np.asarray(forced.attention, np.float64)


def scores_shifted(_: Ask, /, *, scores: tuple[float, ...], added: float) -> Finding:
    """What softmax makes of scores that all grow by the same number (A2).

    Answers ``"same"``, ``"sharper"`` or ``"flatter"``, by the greatest weight.
    """
    before, after = _softmax(scores), _softmax(tuple(score + added for score in scores))
    doubled = _softmax(tuple(2 * score for score in scores))
    change = max(after) - max(before)
    return Finding(
        answer="same" if abs(change) < 1e-12 else "sharper" if change > 0 else "flatter",
        numbers={"before": max(before), "after": max(after), "doubled": max(doubled), "sum": sum(after)},
    )


def _softmax(scores: tuple[float, ...]) -> list[float]:
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def looks_at(ask: Ask, /, *, model: str, source: str, target: str, word: str, parts: tuple[str, ...]) -> Finding:
    """Which part of the source a translation model attends to most while it writes ``word`` (A2, A3).

    Args:
        ask: answers requests.
        model: a translation model with attention.
        source: the sentence.
        target: its translation, scored by teacher forcing.
        word: of the translation.
        parts: of the source; one of them is the answer.
    """
    forced = ask(ForcedRequest(model=model, text=source, target=target))
    if forced.attention is None:
        raise InvalidInputError("Model {name} has no attention.", name=model)
    start, end = forced.target.words[forced.target.labels.index(word)]
    weights = forced.attention[start:end].mean(0)
    shares = {part: float(weights[_pieces_of(forced.source.pieces, part)].sum()) for part in parts}
    best = max(shares, key=lambda part: shares[part])
    return Finding(
        answer=best,
        numbers={
            "word": word,
            "part": best,
            "share": shares[best],
            "rest": 1 - shares[best],
            "even": len(_pieces_of(forced.source.pieces, best)) / len(forced.source),
            "pieces": len(forced.source),
        },
    )


def _pieces_of(pieces: tuple[str, ...], part: str) -> list[int]:
    """The pieces that write a part of the source, without its blanks."""
    bare = [piece.strip("▁‿ ") for piece in pieces]
    ends = np.cumsum([len(piece) for piece in bare]).tolist()
    first = "".join(bare).index(part)
    return [
        index
        for index, (piece, end) in enumerate(zip(bare, ends, strict=True))
        if piece and first <= end - len(piece) and end <= first + len(part)
    ]
