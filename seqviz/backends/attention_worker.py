"""The answers about attention, in a worker process."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from seqviz.attention import AttentionStep, EditedTranslation, Readings
from seqviz.backends.attention_requests import (
    AttentionEditRequest,
    AttentionStepRequest,
    ReadingsRequest,
)
from seqviz.backends.requests import MAX_PIECES
from seqviz.models.loading import LoadedTranslator
from seqviz.tracing import attention, attention_edit, attention_readings


@singledispatch
def answer_attention(request: object, loaded: LoadedTranslator) -> Any:  # noqa: ARG001 (the kinds use it)
    """Answers a question about attention by its kind."""
    raise TypeError(f"no handler for {type(request).__name__}")


@answer_attention.register
def _(request: AttentionStepRequest, loaded: LoadedTranslator) -> AttentionStep:
    target = request.ids or request.target
    return attention.attention_step(loaded, request.text, target, step=request.step, max_pieces=MAX_PIECES)


@answer_attention.register
def _(request: AttentionEditRequest, loaded: LoadedTranslator) -> EditedTranslation:
    return attention_edit.edited_translation(
        loaded,
        request.text,
        request.ids or request.target,
        request.edits,
        request.config,
        max_pieces=MAX_PIECES,
    )


@answer_attention.register
def _(request: ReadingsRequest, loaded: LoadedTranslator) -> Readings:
    target = request.ids or request.target
    return attention_readings.readings(loaded, request.text, target, max_pieces=MAX_PIECES)
