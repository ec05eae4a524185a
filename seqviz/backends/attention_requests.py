"""What a backend can be asked about attention."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.attention import AttentionEdit, AttentionStep, EditedTranslation, Readings
from seqviz.backends.requests import AnswerT_co
from seqviz.backends.translation_requests import PairRequest
from seqviz.config import DecodeConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRequest(PairRequest[AnswerT_co]):
    """A question about the attention of one translation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionStepRequest(AttentionRequest[AttentionStep]):
    """Asks how one step came about.

    Args:
        step: which piece of the translation is predicted, from 0.
    """

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionEditRequest(AttentionRequest[EditedTranslation]):
    """Asks how a translation goes on under weights that were changed by hand.

    Args:
        edits: in their order.
        config: how the continuations are searched.
    """

    edits: tuple[AttentionEdit, ...]
    config: DecodeConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsRequest(AttentionRequest[Readings]):
    """Asks for attention, gradient times input and occlusion of every word."""
