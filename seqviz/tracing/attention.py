"""One step of attention taken apart: state, scores, weights, context, the next word's distribution (syllabus A2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seqviz.analysis.attention import no_attention
from seqviz.attention import AttentionStep
from seqviz.decoding.recorder import top_tokens
from seqviz.errors import InvalidInputError
from seqviz.models.loading import LoadedTranslator
from seqviz.text.piece_encoder import BOS_ID
from seqviz.tracing.translation import piece_text, source_text, target_ids

CANDIDATES = 8


def attention_step(
    loaded: LoadedTranslator,
    text: str,
    target: str | Sequence[int],
    *,
    step: int,
    candidates: int = CANDIDATES,
    max_pieces: int | None = None,
) -> AttentionStep:
    """Takes one step of a translation apart.

    Args:
        loaded: the model.
        text: the source as typed.
        target: the translation as typed, or ids of its pieces with <eos> at the end.
        step: which piece of the target is predicted, from 0; the pieces before it are fed as they are.
        candidates: most probable next pieces that are kept.
        max_pieces: longest source that is accepted; None for any.

    Raises:
        InvalidInputError: the model has no attention, a text is empty, or there is no such step.
        TextTooLongError: the source has more pieces than ``max_pieces``.
    """
    model = loaded.model
    if model.score is None:
        raise no_attention(loaded.info.name)
    source = source_text(loaded, text, max_pieces=max_pieces)
    ids = target_ids(loaded, target)
    check_step(step, len(ids))
    with torch.inference_mode():
        memory = model.encode(torch.tensor([source.ids]))
        carries = memory.first
        for previous in (BOS_ID, *ids[:step]):
            out = model.step(memory, carries, torch.tensor([previous]))
            carries = out.carries
        state = carries[0][0][0]
        left, right, factor = model.score.terms(state, memory.keys[0])
    assert out.scores is not None and out.attention is not None and out.context is not None  # noqa: PT018, S101
    log_probs = out.log_probs.numpy()
    top = top_tokens(log_probs, candidates)[0]
    return AttentionStep(
        model=loaded.info.name,
        score=model.config.score,
        source=source,
        target=piece_text(loaded, ids),
        step=step,
        decoder_state=state.numpy(),
        encoder_states=memory.values[0].numpy(),
        left=left.numpy(),
        right=right.numpy(),
        factor=float(factor),
        scores=out.scores[0].numpy(),
        weights=out.attention[0].numpy(),
        context=out.context[0].numpy(),
        candidate_tokens=top,
        candidate_log_probs=log_probs[0, top],
        log_prob=float(log_probs[0, ids[step]]),
        names={token: loaded.encoder.vocabulary[token] for token in {*top.tolist(), ids[step]}},
    )


def check_step(step: int, count: int) -> None:
    """Raises InvalidInputError if there is no such step."""
    if not 0 <= step < count:
        raise InvalidInputError("{field} is {value}; allowed is 0 to {last}.", field="step", value=step, last=count - 1)
