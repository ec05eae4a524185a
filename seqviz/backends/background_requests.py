"""What a backend can be asked to do in the background, and what a running job can be told. Frozen, plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from seqviz.backends.translation_requests import SearchRequest
from seqviz.clipping import Cliff, CliffDirection, Clipping, ClippingConfig, RunNews, Variant
from seqviz.error_report import ErrorNews, ErrorReportConfig
from seqviz.pair_files import SentencePair
from seqviz.translations import ExactProgress, TranslationSearch

RecordT_co = TypeVar("RecordT_co", covariant=True)
ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class JobRequest(Generic[RecordT_co]):
    """A long piece of work whose type says the type of the records that it sends on the way."""

    __slots__ = ()


class JobCommand(Generic[ReplyT_co]):
    """Something that a job is told or asked while it is there; the type says that of the reply."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClippingRunRequest(JobRequest[RunNews]):
    """Trains the variants of a ClippingConfig side by side.

    Args:
        config: what to train.
    """

    config: ClippingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkCommand(JobCommand[Variant]):
    """Begins a new variant of a clipping run; resume the job if it had finished.

    Args:
        parent, clipping, threshold, before_jump: as in ``seqviz.training.clipping.ClippingRun.fork``.
    """

    parent: int
    clipping: Clipping
    threshold: float
    before_jump: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CliffCommand(JobCommand[Cliff]):
    """Measures the loss around the largest jump of a variant of a clipping run.

    Args:
        variant, second: as in ``seqviz.training.cliff.cliff``.
    """

    variant: int
    second: CliffDirection = "previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReportRequest(JobRequest[ErrorNews]):
    """Judges sentence pairs one by one.

    Args:
        config: how.
        pairs: what.
        title: of the set: a file's name, or that of a lesson set.
    """

    config: ErrorReportConfig
    pairs: tuple[SentencePair, ...]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactRunRequest(JobRequest[ExactProgress]):
    """Searches for the best translation of all until it is proven or the budget is spent.

    Args:
        search: the sentence and an ``"exact"`` configuration with the budget.
    """

    search: SearchRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowCommand(JobCommand[ExactProgress]):
    """Gives an exact search another budget; resume the job if it had finished.

    Args:
        max_expansions: as in ``DecodeConfig``.
    """

    max_expansions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCommand(JobCommand[TranslationSearch]):
    """Asks an exact search for its record as it stands."""
