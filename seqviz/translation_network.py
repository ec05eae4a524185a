"""Frozen results of the encoder-decoder's picture: everything that a translation model computed on a pair.

The decoder runs twice on the same source: fed the right pieces (teacher forcing), and fed its own (free running).
Targets end with <eos>, unless a run was cut at its greatest length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqviz.traces import LayerTrace, Term, freeze, plain_snippet
from seqviz.translations import PieceText
from seqviz.types import Direction, FloatArray, IntArray

RunName = Literal["forced", "free"]
RUNS: tuple[RunName, ...] = ("forced", "free")

SumQuantity = Literal["encoder", "hand_over", "state", "context", "readout", "logit"]
SUM_QUANTITIES: tuple[SumQuantity, ...] = ("encoder", "hand_over", "state", "context", "readout", "logit")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """How the encoder starts the decoder: s^j_0 = tanh(W_j [h→_S, h←_1] + b_j), an LSTM's c^j_0 without the tanh.

    Args:
        last: [h→_S, h←_1], (unit·direction,).
        pre_activation: what goes into the tanh, of each decoder layer, (layer, unit).
        hidden_state: s^j_0, (layer, unit).
        cell_state: c^j_0, (layer, unit); None for cells without one.
    """

    last: FloatArray
    pre_activation: FloatArray
    hidden_state: FloatArray
    cell_state: FloatArray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderRun:
    """The decoder writing one target.

    Args:
        target: the pieces it wrote, or was given; with <eos> unless it was cut.
        inputs: ids that were fed, <bos> first, (target,).
        embeddings: x_t, (target, embedding).
        layers: the decoder's layers, the lowest first; ``first`` is the hand-over.
        scores: e_{t,t'} before the softmax, (target, source); None without attention.
        attention: α, (target, source); None without attention.
        context: c_t, (target, unit·direction); None without attention.
        readout: o_t, (target, embedding).
        log_normaliser: log Σ exp z over the vocabulary, (target,).
        log_probs: log P(y_t | y_<t, x) of the run's own target in nats, (target,).
        right_log_probs: log P of the reference's piece of that step, nan behind its end or without one, (target,).
        ranks: place of y_t among all pieces at its step, 0 is the most probable, (target,).
        candidate_tokens: the most probable pieces of each step, (target, candidate).
        candidate_log_probs: their log probabilities, (target, candidate).
        ended: whether the target ends with <eos>.
    """

    target: PieceText
    inputs: IntArray
    embeddings: FloatArray
    layers: tuple[LayerTrace, ...]
    scores: FloatArray | None
    attention: FloatArray | None
    context: FloatArray | None
    readout: FloatArray
    log_normaliser: FloatArray
    log_probs: FloatArray
    right_log_probs: FloatArray
    ranks: IntArray
    candidate_tokens: IntArray
    candidate_log_probs: FloatArray
    ended: bool

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationNetwork:
    """A translation model on one sentence.

    Args:
        model: name of the checkpoint.
        source: what is read.
        embeddings: x of the source, (source, embedding).
        encoder: its layers, forward before backward.
        hand_over: from the encoder to the decoder.
        forced: the decoder fed the reference; None without a reference.
        free: the decoder fed its own pieces.
        beam_size: of the search that chose the free run's pieces; 1 is greedy.
        names: of all token ids in here.
        vocabulary_size: pieces that the softmax is over.
        score: name of the attention's score function; ``"none"`` without attention.
        seconds: what it took in the worker.
    """

    model: str
    source: PieceText
    embeddings: FloatArray
    encoder: tuple[LayerTrace, ...]
    hand_over: HandOver
    forced: DecoderRun | None
    free: DecoderRun
    beam_size: int
    names: dict[int, str]
    vocabulary_size: int
    score: str
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def runs(self) -> dict[RunName, DecoderRun]:
        """The runs that there are, the forced one first."""
        free: dict[RunName, DecoderRun] = {"free": self.free}
        return free if self.forced is None else {"forced": self.forced, **free}

    def run(self, name: RunName) -> DecoderRun:
        """A run by name; the free one where there is no reference."""
        return self.free if name == "free" or self.forced is None else self.forced

    @property
    def parted(self) -> int | None:
        """The first step at which the free run writes another piece than the reference; None if it never does."""
        if self.forced is None:
            return None
        ids, own = self.forced.target.ids, self.free.target.ids
        common = min(len(ids), len(own))
        return next(
            (step for step in range(common) if ids[step] != own[step]), common if len(ids) != len(own) else None
        )

    def distances(self, layer: int = -1) -> FloatArray:
        """‖s_forced − s_free‖ of a decoder layer, of every step that both runs have, (step,); none without both."""
        if self.forced is None:
            return np.zeros(0)
        one, other = (run.layers[layer].hidden_state.astype(np.float64) for run in (self.forced, self.free))
        common = min(len(one), len(other))
        return np.linalg.norm(one[:common] - other[:common], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSum:
    """One number of a ``TranslationNetwork`` taken apart: Σ weight · value + bias.

    Args:
        quantity: which number.
        layer, unit: of a state: the layer and unit; else the component, or the token id of a logit.
        step: of the decoder, or of the encoder for its states, counted from 0; 0 for the hand-over.
        run: which run.
        direction: of the encoder.
        block: of a state, one of the cell's block names; of an LSTM's hand-over ``"cell_state"`` or
            ``"hidden_state"``; else empty.
        terms: all addends, those of largest magnitude first.
        total: their sum, added up in float64.
        result: the model's own number of that sum; of a readout and a logit, which it does not keep, the float64 sum.
        activation: ``"tanh"``, ``"sigmoid"``, ``"softmax"``, another of the cells' functions, or empty.
        activated: what the activation makes of it, from the model.
        snippet: PyTorch code on top of seqviz that prints the sum.
    """

    quantity: SumQuantity
    layer: int
    unit: int
    step: int
    run: RunName
    direction: Direction
    block: str
    terms: tuple[Term, ...]
    total: float
    result: float
    activation: str
    activated: float
    snippet: str

    @property
    def plain_snippet(self) -> str:
        """PyTorch code with all numbers in it, without seqviz."""
        return plain_snippet(self.terms)
