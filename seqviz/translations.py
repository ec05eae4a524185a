"""Frozen results of a translation model: what a search found for a source, and what the model says of a given target.

Targets end with <eos>; their pieces, words and log probabilities count it.
"""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.decoding.trace import SearchTrace
from seqviz.traces import freeze
from seqviz.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceText:
    """A sentence as a translation model sees it.

    Args:
        text: for people, without <eos>.
        ids: of its pieces.
        pieces: the vocabulary's entries.
        words: which pieces make a word for the eye: half-open ranges that cover all pieces.
        labels: the words as people write them, one for each range.
    """

    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    words: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationSearch:
    """A search for the translation of a sentence.

    Args:
        model: name of the checkpoint.
        source: what is translated.
        search: everything the search looked at.
        targets: the complete hypotheses by their row in the search.
    """

    model: str
    source: PieceText
    search: SearchTrace
    targets: dict[int, PieceText]

    @property
    def best(self) -> PieceText | None:
        """The winner; None if no hypothesis was completed."""
        return None if self.search.best is None else self.targets[self.search.best]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactProgress:
    """How far an exact search has come.

    Args:
        expansions: hypotheses extended so far.
        budget: at most so many.
        text: the best translation so far.
        log_prob: of it, in nats.
        score: of it; what the search maximises.
        upper_bound: no translation scores higher.
        proven: whether the best so far is the best of all.
    """

    expansions: int
    budget: int
    text: str
    log_prob: float
    score: float
    upper_bound: float
    proven: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedTranslation:
    """A given target, scored by teacher forcing: every step is fed the right piece before it.

    Args:
        model: name of the checkpoint.
        source: what is translated.
        target: the given translation; its last piece is <eos>.
        log_probs: log P(y_t | y_<t, x) in nats, (target,).
        ranks: place of y_t among all pieces at its step, 0 is the most probable, (target,).
        candidate_tokens: the most probable pieces of each step, (target, candidate).
        candidate_log_probs: their log probabilities, (target, candidate).
        names: of all token ids in here.
        attention: α, (target, source); None without attention. Of a Transformer the mean over the heads of its highest
            decoder layer, or those that were chosen.
        heads: of a Transformer, where they were asked for, the weights of every layer and head,
            (layer, head, target, source).
    """

    model: str
    source: PieceText
    target: PieceText
    log_probs: FloatArray
    ranks: IntArray
    candidate_tokens: IntArray
    candidate_log_probs: FloatArray
    names: dict[int, str]
    attention: FloatArray | None
    heads: FloatArray | None = None

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def log_prob(self) -> float:
        """log P(y | x), the sum over all pieces and <eos>."""
        return float(self.log_probs.sum())
