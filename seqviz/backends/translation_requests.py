"""What a backend can be asked about a translation model."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.backends.requests import AnswerT_co, Request, TraceRequest
from seqviz.config import DecodeConfig
from seqviz.translations import ForcedTranslation, TranslationSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationRequest(Request[AnswerT_co]):
    """A question about a translation model and a source.

    Args:
        model: name of a checkpoint of a translation model.
        text: the source as typed.
    """

    model: str
    text: str

    def run(self) -> TraceRequest:
        """A run of the same model: the worker that has loaded it is asked first."""
        return TraceRequest(model=self.model, text="")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest(TranslationRequest[TranslationSearch]):
    """Asks for the TranslationSearch of a sentence.

    Args:
        config: how it is searched.
        watch: token ids of sequences whose beginnings are recorded wherever they are looked at.
    """

    config: DecodeConfig
    watch: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedRequest(TranslationRequest[ForcedTranslation]):
    """Asks for the ForcedTranslation of a pair.

    Args:
        target: the translation as typed.
        ids: the translation as ids with <eos>, for a hypothesis of a search; it goes before ``target``.
    """

    target: str = ""
    ids: tuple[int, ...] = ()
