"""What a backend can be asked about a translation model."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.backends.requests import AnswerT_co, Request, TraceRequest
from seqviz.config import DecodeConfig
from seqviz.translation_network import NetworkSum, RunName, SumQuantity, TranslationNetwork
from seqviz.translations import ForcedTranslation, TranslationSearch
from seqviz.types import Direction

MAX_NETWORK_PIECES = 80
"""Longest text on either side of which every state is kept and drawn."""


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
class PairRequest(TranslationRequest[AnswerT_co]):
    """A question about one translation of the source.

    Args:
        target: the translation as typed.
        ids: the translation as ids with <eos>, for a hypothesis of a search; it goes before ``target``.
    """

    target: str = ""
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedRequest(PairRequest[ForcedTranslation]):
    """Asks for the ForcedTranslation of a pair.

    Args:
        heads: whether a Transformer's weights of every layer and head come along.
    """

    heads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRequest(TranslationRequest[TranslationNetwork]):
    """Asks for the TranslationNetwork of a pair.

    Args:
        reference: the right translation; empty for none.
        beam_size: of the search that chooses the free run's pieces; 1 for greedy.
    """

    reference: str = ""
    beam_size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSumRequest(Request[NetworkSum]):
    """Asks for one number of a TranslationNetwork taken apart; the arguments are those of ``network_sum``."""

    network: NetworkRequest
    quantity: SumQuantity
    unit: int
    step: int = 0
    run_name: RunName = "free"
    layer: int = 0
    direction: Direction = "forward"
    block: str = ""

    def run(self) -> TraceRequest:
        """A run of the same model."""
        return self.network.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSumsRequest(Request[tuple[NetworkSum, ...]]):
    """Asks for several such numbers of one network: all that is shown of a moment.

    Args:
        sums: at least one.
    """

    sums: tuple[NetworkSumRequest, ...]

    def run(self) -> TraceRequest:
        """A run of the same model."""
        return self.sums[0].run()
