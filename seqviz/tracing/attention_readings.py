"""Which source words made the model say a target word? Attention, gradient times input, and leaving words out.

Three readings of one question, by words of both sides; where they disagree, none of them is the truth (Jain and Wallace
2019, Wiegreffe and Pinter 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqviz.analysis.attention import by_words, no_attention
from seqviz.attention import Readings
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
    """∂ log P(word) / ∂x · x summed over each source word (target, source), α by pieces, log P(word).

    One forward pass; log P of a word hangs on its own rows of the readout alone, so the gradients of all words go back
    from there side by side.
    """
    model, ids = loaded.model, torch.tensor([source.ids])
    inputs = torch.tensor([[BOS_ID, *goal.ids[:-1]]])
    with torch.enable_grad():
        x = model.embed(ids).detach().requires_grad_()
        readout, weights = model.forced(model.encode(ids, inputs=x), inputs)
        last = readout.detach().requires_grad_()
        log_probs = _word_log_probs(torch.log_softmax(model.logits(last), -1), goal)[0]
        (by_piece,) = torch.autograd.grad(log_probs.sum(), last)
        own = torch.zeros(len(goal.words), 1, len(goal), 1)
        for word, (start, end) in enumerate(goal.words):
            own[word, 0, start:end] = 1.0
        (gradient,) = torch.autograd.grad(readout, x, own * by_piece, is_grads_batched=True)
    assert weights is not None  # noqa: S101 (the model has attention)
    pieces = (gradient[:, 0].double() * x.detach().double()).sum(-1).numpy()  # (target word, source piece)
    added = np.stack([pieces[:, start:end].sum(1) for start, end in source.words], 1)
    return added, weights[0].detach().numpy(), log_probs.detach().double().numpy()


def _occlusion(loaded: LoadedTranslator, source: PieceText, goal: PieceText, log_probs: FloatArray) -> FloatArray:
    """log P(word | source) - log P(word | source without one word), (target, source); many sources at once."""
    left_out = [source.ids[:start] + source.ids[end:] for start, end in source.words]
    if not left_out[0]:  # the source is one word: nothing is left of it
        return np.full((len(goal.words), 1), np.nan)
    lengths = torch.tensor([len(ids) for ids in left_out])
    steps = int(lengths.max())
    batch = torch.tensor([[*ids, *[PAD_ID] * (steps - len(ids))] for ids in left_out])
    inputs = torch.tensor([[BOS_ID, *goal.ids[:-1]]])
    without = []
    with torch.inference_mode():
        for rows in torch.arange(len(left_out)).split(_rows_at_once(loaded, goal)):
            memory = loaded.model.encode(batch[rows], lengths[rows])
            readout, _ = loaded.model.forced(memory, inputs.expand(len(rows), -1))
            without.append(_word_log_probs(torch.log_softmax(loaded.model.logits(readout), -1), goal).double())
    return np.asarray(log_probs[:, None] - torch.cat(without).numpy().T)


def _rows_at_once(loaded: LoadedTranslator, goal: PieceText) -> int:
    """How many copies of a sentence go through the model side by side: their logits stay below 40 MB."""
    return max(1, 10_000_000 // (len(goal) * loaded.model.config.vocabulary_size))


def _word_log_probs(log_probs: Tensor, goal: PieceText) -> Tensor:
    """log P of each word of the target: (batch, target, vocabulary) -> (batch, word)."""
    chosen = log_probs.gather(-1, torch.tensor(goal.ids).view(1, -1, 1).expand(len(log_probs), -1, 1)).squeeze(-1)
    return torch.stack([chosen[:, start:end].sum(1) for start, end in goal.words], 1)
