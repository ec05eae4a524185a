"""Attention weights as a reader looks at them: by words or pieces, their marginals, and whether they are good.

Numpy only. Weights are (target, source); every row sums to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from seqviz.attention import AlignedPair, AlignmentScores, Readings
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.traces import freeze
from seqviz.translations import ForcedTranslation, PieceText
from seqviz.types import FloatArray

Unit = Literal["words", "pieces"]
UNITS: tuple[Unit, ...] = ("words", "pieces")

READINGS = ("attention", "gradient", "occlusion")
"""Which source words made the model say a target word: by the weights, by ∂/∂x · x, by leaving them out."""

NEVER, OFTEN = 0.25, 2.0
"""A source word counts as never attended below a quarter of τ, as attended too often above twice τ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionGrid:
    """The weights of one translation, each row and column a word or a piece.

    Args:
        unit: ``"words"`` or ``"pieces"``.
        rows: the target's words or pieces, <eos> among them.
        columns: the source's.
        weights: α, (target, source); of a word's pieces those of the source are added, those of the target averaged.
        log_probs: log P of each row's word in nats, the sum over its pieces, (target,).
    """

    unit: Unit
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    weights: FloatArray
    log_probs: FloatArray

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def coverage(self) -> FloatArray:
        """Σ_t α_t^i: how much each source word received in all, (source,)."""
        return self.weights.sum(0)

    @property
    def entropy(self) -> FloatArray:
        """-Σ α log₂ α of each row in bits: 0 where one word has all, log₂ S where all have the same, (target,)."""
        return entropy_bits(self.weights)


def attention_grid(forced: ForcedTranslation, unit: Unit = "words") -> AttentionGrid:
    """The weights of a translation by words or by pieces.

    Raises:
        InvalidInputError: the model has no attention.
        UnknownNameError: an unknown unit.
    """
    if unit not in UNITS:
        raise unknown_name("unit", unit, UNITS)
    if forced.attention is None:
        raise no_attention(forced.model)
    weights: FloatArray = np.asarray(forced.attention, np.float64)
    log_probs = np.asarray(forced.log_probs, np.float64)
    if unit == "words":
        weights = by_words(weights, forced.target.words, forced.source.words)
        log_probs = np.array([log_probs[start:end].sum() for start, end in forced.target.words])
    return AttentionGrid(
        unit=unit,
        rows=labels_of(forced.target, unit),
        columns=labels_of(forced.source, unit),
        weights=weights,
        log_probs=log_probs,
    )


def of_head(forced: ForcedTranslation, *, layer: int | None = None, head: int | None = None) -> ForcedTranslation:
    """The same translation with the weights of one layer, of one head or as the mean over its heads.

    Args:
        forced: of a Transformer, with ``heads``.
        layer: of the decoder, from 0; None for the highest.
        head: from 0; None for the mean over all heads of the layer.

    Raises:
        InvalidInputError: the model has no heads, or no such layer or head.
    """
    if forced.heads is None:
        raise InvalidInputError("{name} has one attention, without layers and heads.", name=forced.model)
    layers, heads = forced.heads.shape[:2]
    layer = layers - 1 if layer is None else layer
    for field, value, count in (("layer", layer, layers), ("head", head or 0, heads)):
        if not 0 <= value < count:
            raise InvalidInputError(
                "{field} is {value}; allowed is 0 to {last}.", field=field, value=value, last=count - 1
            )
    return replace(forced, attention=forced.heads[layer].mean(0) if head is None else forced.heads[layer, head])


def cell_in_every_head(forced: ForcedTranslation, unit: Unit, row: int, column: int) -> FloatArray:
    """One cell of ``attention_grid`` for every layer and head of a Transformer, (layer, head)."""
    assert forced.heads is not None  # noqa: S101 (whoever asks has them)
    weights: FloatArray = np.asarray(forced.heads, np.float64)
    if unit == "pieces":
        return weights[:, :, row, column]
    (first, last), (start, end) = forced.target.words[row], forced.source.words[column]
    return weights[:, :, first:last, start:end].sum(-1).mean(-1)


def no_attention(model: str) -> InvalidInputError:
    """The sentence for a model whose decoder sees the source through its first state alone."""
    return InvalidInputError(
        "{name} has no attention: its decoder knows the source by one vector only, so there are no weights to show.",
        name=model,
    )


def labels_of(text: PieceText, unit: Unit) -> tuple[str, ...]:
    """Words as people write them, or the vocabulary's pieces."""
    return text.labels if unit == "words" else text.pieces


def by_words(weights: FloatArray, rows: Sequence[tuple[int, int]], columns: Sequence[tuple[int, int]]) -> FloatArray:
    """Weights of pieces as weights of words: source pieces are added, target pieces averaged; rows still sum to 1."""
    added = np.stack([weights[:, start:end].sum(1) for start, end in columns], 1)
    return np.stack([added[start:end].mean(0) for start, end in rows])


def entropy_bits(weights: FloatArray) -> FloatArray:
    """-Σ α log₂ α of each row, (target,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(weights > 0, weights * np.log2(weights), 0.0)
    return -terms.sum(-1) + 0.0


def regulariser(coverage: FloatArray, tau: float) -> float:
    """Σ_i (τ - Σ_t α_t^i)²: 0 where every source word received τ in all (syllabus A4).

    Source:
        Xu et al. 2015, section 4.2.1, where τ is 1.
    """
    return float(((tau - np.asarray(coverage, np.float64)) ** 2).sum())


def neglected(coverage: FloatArray, tau: float) -> list[int]:
    """The source words that received less than a quarter of τ."""
    return np.flatnonzero(np.asarray(coverage) < NEVER * tau).tolist()


def overused(coverage: FloatArray, tau: float) -> list[int]:
    """The source words that received more than twice τ."""
    return np.flatnonzero(np.asarray(coverage) > OFTEN * tau).tolist()


def rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Spearman's ρ: Pearson's correlation of the ranks, ties at their mean rank; nan where one side is constant."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return float("nan")
    a, b = (_ranks(np.asarray(values, np.float64)) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")


def strongest_links(reading: FloatArray) -> list[int]:
    """For each target word the source word that the reading holds most responsible."""
    return np.nan_to_num(np.abs(reading), nan=0.0).argmax(1).tolist()


def alignment_error_rate(links: Sequence[set[tuple[int, int]]], pairs: Sequence[AlignedPair]) -> float:
    """AER = 1 - (|A∩S| + |A∩P|) / (|A| + |S|) over all pairs (Och and Ney 2003, section 5)."""
    agreed = sum(len(found & pair.sure) + len(found & pair.possible) for found, pair in zip(links, pairs, strict=True))
    known = sum(len(found) + len(pair.sure) for found, pair in zip(links, pairs, strict=True))
    return 1 - agreed / known


def reading_correlations(read: Readings, rows: int | None = None) -> dict[tuple[str, str], list[float]]:
    """Spearman's ρ between two readings for each target word, by their names; by size, for two of them have signs."""
    named = {name: np.abs(matrix[:rows]) for name, matrix in read.named().items()}
    pairs = (("attention", "gradient"), ("attention", "occlusion"), ("gradient", "occlusion"))
    return {(a, b): [rank_correlation(x, y) for x, y in zip(named[a], named[b], strict=True)] for a, b in pairs}


def alignment_scores(pairs: Sequence[AlignedPair], read: Sequence[Readings]) -> AlignmentScores:
    """AER of each reading against links drawn by a person, and how far the readings agree in their ranks.

    Every target word is linked to the one source word that a reading holds most responsible; <eos> is left out.

    Args:
        pairs: aligned by hand.
        read: the readings of each.
    """
    links: dict[str, list[set[tuple[int, int]]]] = {name: [] for name in READINGS}
    diagonal: list[set[tuple[int, int]]] = []
    found: dict[tuple[str, str], list[float]] = {}
    for pair, one in zip(pairs, read, strict=True):
        words = len(pair.target)
        for name, matrix in one.named().items():
            links[name].append(set(enumerate(strongest_links(matrix[:words]))))
        diagonal.append({(row, row * len(pair.source) // words) for row in range(words)})
        for key, values in reading_correlations(one, words).items():
            found.setdefault(key, []).extend(value for value in values if np.isfinite(value))
    return AlignmentScores(
        model=read[0].model,
        pairs=len(pairs),
        words=sum(len(pair.target) for pair in pairs),
        error_rates={name: alignment_error_rate(links[name], pairs) for name in READINGS},
        baseline=alignment_error_rate(diagonal, pairs),
        correlations={key: float(np.mean(values)) for key, values in found.items()},
        counted=len(next(iter(found.values()), [])),
    )


def _ranks(values: FloatArray) -> FloatArray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[places]
