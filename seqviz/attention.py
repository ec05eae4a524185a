"""Frozen results about attention: one step taken apart, an edited course, three readings of one question. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqviz.traces import freeze
from seqviz.translations import ForcedTranslation, PieceText
from seqviz.types import FloatArray, IntArray

EditKind = Literal["set", "force", "freeze"]
EDIT_KINDS: tuple[EditKind, ...] = ("set", "force", "freeze")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionStep:
    """How one step of the decoder came about, from its state to the distribution over the next piece.

    Every score function is a sum over components k: e_{t,t'} = factor · Σ_k left_k · right_{t',k}. Which quantities
    ``left`` and ``right`` are depends on the score: v and tanh(W s + U h + b) for the additive one, s and h for the dot
    product, W s and U h (scaled), s and W h (bilinear), both at length 1 and factor β (cosine).

    Args:
        model: name of the checkpoint.
        score: name of its score function.
        source, target: both sides of the translation.
        step: which piece of the target is predicted, from 0.
        decoder_state: s_t of the lowest decoder layer, the query, (unit,).
        encoder_states: h, (source, unit).
        left: (component,).
        right: (source, component).
        factor: 1, 1/√d or β.
        scores: e_t, (source,).
        weights: α_t, (source,).
        context: c_t, (unit,).
        candidate_tokens: ids of the most probable next pieces, best first, (candidate,).
        candidate_log_probs: their log P in nats, (candidate,).
        log_prob: of the target's own piece, in nats.
        names: of all token ids in here.
    """

    model: str
    score: str
    source: PieceText
    target: PieceText
    step: int
    decoder_state: FloatArray
    encoder_states: FloatArray
    left: FloatArray
    right: FloatArray
    factor: float
    scores: FloatArray
    weights: FloatArray
    context: FloatArray
    candidate_tokens: IntArray
    candidate_log_probs: FloatArray
    log_prob: float
    names: dict[int, str]

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionEdit:
    """A change of the weights of one step by hand.

    Args:
        step: which piece of the hypothesis at that time, from 0.
        kind: ``"set"``: these weights; ``"force"``: all weight to one source word, shared among its pieces as the model
            shared it; ``"freeze"``: the weights of this step stay for all steps behind it.
        weights: of ``"set"``, one for each source word (its pieces share it as the model shared it) or one for each
            source piece, not below 0; they are divided by their sum.
        word: of ``"force"``, the source word.
    """

    step: int
    kind: EditKind
    weights: tuple[float, ...] = ()
    word: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedStep:
    """What an edit did at its own step.

    Args:
        edit: the edit.
        before, after: α of the step without and with it, (source,).
        candidate_tokens: the most probable pieces after and before, in turn, (candidate,).
        before_log_probs, after_log_probs: their log P in nats, (candidate,).
    """

    edit: AttentionEdit
    before: FloatArray
    after: FloatArray
    candidate_tokens: IntArray
    before_log_probs: FloatArray
    after_log_probs: FloatArray

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedTranslation:
    """A translation whose attention was changed by hand.

    Args:
        before: without any edit.
        after: with all of them; its attention are the weights in use, its log probabilities those under them.
        steps: what each edit did, in order.
        names: of all token ids in here.
    """

    before: ForcedTranslation
    after: ForcedTranslation
    steps: tuple[EditedStep, ...]
    names: dict[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Three answers to one question: which source words made the model say this target word?

    Args:
        model: name of the checkpoint.
        source, target: both sides; rows and columns are their words.
        attention: α by words, (target, source).
        gradient: ∂ log P(word) / ∂x · x over the source word's input vectors, in nats, signed, (target, source).
        occlusion: log P(word | source) - log P(word | source without this word), in nats, signed, (target, source);
            nan where nothing would be left of the source.
        log_probs: log P(word) by teacher forcing, (target,).
    """

    model: str
    source: PieceText
    target: PieceText
    attention: FloatArray
    gradient: FloatArray
    occlusion: FloatArray
    log_probs: FloatArray

    def __post_init__(self) -> None:
        freeze(self)

    def named(self) -> dict[str, FloatArray]:
        """The three by name."""
        return {"attention": self.attention, "gradient": self.gradient, "occlusion": self.occlusion}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedPair:
    """A sentence pair aligned by hand.

    Args:
        text, translation: both sentences.
        source, target: their words, as the encoder splits them for the eye; the target without <eos>.
        sure: pairs (target word, source word) that any reader would link.
        possible: pairs that a reader may link, the sure ones among them.
    """

    text: str
    translation: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentScores:
    """How well three readings find the links that a person drew.

    Args:
        model: name of the checkpoint.
        pairs: how many sentence pairs.
        words: target words that were linked, one link each.
        error_rates: AER of each reading over all pairs, 0 is perfect.
        baseline: AER of the diagonal: the source word at the same relative place.
        correlations: mean over target words of Spearman's ρ between two readings.
        counted: over how many target words each mean was taken.
    """

    model: str
    pairs: int
    words: int
    error_rates: dict[str, float]
    baseline: float
    correlations: dict[tuple[str, str], float]
    counted: int
