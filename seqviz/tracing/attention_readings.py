"""Which source words made the model say a target word? Attention, gradient times input, and leaving words out.

Three readings of one question, by words of both sides; where they disagree, none of them is the truth (Jain and Wallace
2019, Wiegreffe and Pinter 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqviz.analysis.attention import (
    READINGS,
    alignment_error_rate,
    by_words,
    no_attention,
    reading_correlations,
    strongest_links,
)
from seqviz.attention import AlignedPair, AlignmentScores, Readings
from seqviz.models.loading import LoadedTranslator
from seqviz.text.piece_encoder import BOS_ID, PAD_ID
from seqviz.tracing.translation import piece_text, source_text, target_ids
from seqviz.translations import PieceText
from seqviz.types import FloatArray

def readings(
    loaded: LoadedTranslator, text: str, target: str | Sequence[int], *, max_pieces: int | None = None
) -> Readings:
    """The three readings of every word of a translation.

    Args:
        loaded: a model with attention.
        text: the source as typed.
        target: the translation as typed, or ids of its pieces with <eos> at the end.
        max_pieces: longest source that is accepted; None for any.

    Raises:
        InvalidInputError: the model has no attention, or a text is empty.
        TextTooLongError: the source has more pieces than ``max_pieces``.
    """
    if loaded.model.score is None:
        raise no_attention(loaded.info.name)
    source = source_text(loaded, text, max_pieces=max_pieces)
    goal = piece_text(loaded, target_ids(loaded, target))
    gradient, attention, log_probs = _gradient_times_input(loaded, source, goal)
    return Readings(
        model=loaded.info.name,
        source=source,
        target=goal,
        attention=by_words(attention, goal.words, source.words),
        gradient=gradient,
        occlusion=_occlusion(loaded, source, goal, log_probs),
        log_probs=log_probs,
    )


def _gradient_times_input(
    loaded: LoadedTranslator, source: PieceText, goal: PieceText
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """∂ log P(word) / ∂x · x summed over each source word (target, source), α by pieces, log P(word)."""
    model = loaded.model
    ids = torch.tensor([source.ids])
    with torch.enable_grad():
        x = model.embed(ids).detach().requires_grad_()
        memory = model.encode(ids, inputs=x)
        readout, weights = model.forced(memory, torch.tensor([[BOS_ID, *goal.ids[:-1]]]))
        by_word = _word_log_probs(torch.log_softmax(model.logits(readout), -1), goal)[0]
        rows = [
            torch.autograd.grad(by_word[word], x, retain_graph=word + 1 < len(by_word))[0][0]
            for word in range(len(by_word))
        ]
    products = (torch.stack(rows).double() * x.detach()[0].double()).sum(-1).numpy()  # (target word, source piece)
    added = np.stack([products[:, start:end].sum(1) for start, end in source.words], 1)
    assert weights is not None  # noqa: S101
    return added, weights[0].detach().numpy(), by_word.detach().double().numpy()


def _occlusion(
    loaded: LoadedTranslator, source: PieceText, goal: PieceText, log_probs: FloatArray
) -> FloatArray:
    """log P(word | source) - log P(word | source without one word), (target, source); all sources in one batch."""
    left_out = [source.ids[:start] + source.ids[end:] for start, end in source.words]
    if not left_out[0]:  # the source is one word: nothing is left of it
        return np.full((len(goal.words), 1), np.nan)
    lengths = torch.tensor([len(ids) for ids in left_out])
    steps = int(lengths.max())
    batch = torch.tensor([[*ids, *[PAD_ID] * (steps - len(ids))] for ids in left_out])
    with torch.inference_mode():
        memory = loaded.model.encode(batch, lengths)
        inputs = torch.tensor([[BOS_ID, *goal.ids[:-1]]]).expand(len(left_out), -1)
        readout, _ = loaded.model.forced(memory, inputs)
        without = _word_log_probs(torch.log_softmax(loaded.model.logits(readout), -1), goal).double().numpy()
    return np.asarray(log_probs[:, None] - without.T)


def _word_log_probs(log_probs: Tensor, goal: PieceText) -> Tensor:
    """log P of each word of the target: (batch, target, vocabulary) -> (batch, word)."""
    chosen = log_probs.gather(-1, torch.tensor(goal.ids).view(1, -1, 1).expand(len(log_probs), -1, 1)).squeeze(-1)
    return torch.stack([chosen[:, start:end].sum(1) for start, end in goal.words], 1)


def alignment_scores(loaded: LoadedTranslator, pairs: Sequence[AlignedPair]) -> AlignmentScores:
    """AER of each reading against links drawn by a person, and how far the readings agree in their ranks.

    Every target word is linked to the one source word that a reading holds most responsible; <eos> is left out.
    """
    links: dict[str, list[set[tuple[int, int]]]] = {name: [] for name in READINGS}
    diagonal: list[set[tuple[int, int]]] = []
    found: dict[tuple[str, str], list[float]] = {}
    for pair in pairs:
        read = readings(loaded, pair.text, pair.translation)
        words = len(pair.target)
        for name, matrix in read.named().items():
            links[name].append(set(enumerate(strongest_links(matrix[:words]))))
        diagonal.append({(row, row * len(pair.source) // words) for row in range(words)})
        for key, values in reading_correlations(read, words).items():
            found.setdefault(key, []).extend(values)
    return AlignmentScores(
        model=loaded.info.name,
        pairs=len(pairs),
        words=sum(len(pair.target) for pair in pairs),
        error_rates={name: alignment_error_rate(links[name], pairs) for name in READINGS},
        baseline=alignment_error_rate(diagonal, pairs),
        correlations={key: float(np.mean(values)) for key, values in found.items()},
        counted=len(next(iter(found.values()), [])),
    )
