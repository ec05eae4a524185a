"""What runs in the process of a background job. It imports torch; the parent process must never import it."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from seqviz.backends.background_entry import Work
from seqviz.backends.background_requests import (
    AllowCommand,
    CliffCommand,
    ClippingRunRequest,
    ErrorReportRequest,
    ExactRunRequest,
    ForkCommand,
    FoundCommand,
)
from seqviz.backends.requests import MAX_PIECES
from seqviz.clipping import ClippingConfig, RunNews
from seqviz.error_report import ErrorNews
from seqviz.models.huggingface import load_any_translator
from seqviz.tracing.error_report import ErrorRun
from seqviz.tracing.translation import ExactRun
from seqviz.training.cliff import cliff
from seqviz.training.clipping import ClippingRun
from seqviz.translations import ExactProgress


@singledispatch
def begin(request: object) -> Work:
    """The work of a request, by its kind."""
    raise TypeError(f"no background work for {type(request).__name__}")


class _ClippingWork:
    """A ClippingRun as the work of a job."""

    def __init__(self, request: ClippingRunRequest) -> None:
        self._run = ClippingRun(request.config)

    def advance(self) -> bool:
        return self._run.advance()

    def news(self) -> RunNews:
        return self._run.news()

    def answer(self, command: Any) -> object:
        if isinstance(command, ForkCommand):
            return self._run.fork(
                command.parent,
                clipping=command.clipping,
                threshold=command.threshold,
                before_jump=command.before_jump,
            )
        if isinstance(command, CliffCommand):
            return cliff(self._run, command.variant, second=command.second)
        raise TypeError(f"no command {type(command).__name__}")


class _ErrorReportWork:
    """An ErrorRun as the work of a job."""

    def __init__(self, request: ErrorReportRequest) -> None:
        loaded = load_any_translator(request.config.model)
        self._run = ErrorRun(loaded, request.pairs, request.config, max_pieces=MAX_PIECES)

    def advance(self) -> bool:
        return self._run.advance()

    def news(self) -> ErrorNews:
        return self._run.news()

    def answer(self, command: Any) -> object:
        raise TypeError(f"no command {type(command).__name__}")


class _ExactWork:
    """An ExactRun as the work of a job."""

    def __init__(self, request: ExactRunRequest) -> None:
        asked = request.search
        loaded = load_any_translator(asked.model)
        self._run = ExactRun(loaded, asked.text, asked.config, max_pieces=MAX_PIECES)

    def advance(self) -> bool:
        return self._run.advance()

    def news(self) -> ExactProgress:
        return self._run.progress()

    def answer(self, command: Any) -> object:
        if isinstance(command, AllowCommand):
            self._run.allow(command.max_expansions)
            return self._run.progress()
        if isinstance(command, FoundCommand):
            return self._run.found()
        raise TypeError(f"no command {type(command).__name__}")


def warm_up() -> None:
    """Trains two steps of next to nothing: torch loads much of itself only when it is used."""
    run = ClippingRun(ClippingConfig(hidden_size=2, length=5, batch_size=1, steps=10))
    for _ in range(2):
        run.advance()


@begin.register
def _(request: ClippingRunRequest) -> Work:
    return _ClippingWork(request)


@begin.register
def _(request: ErrorReportRequest) -> Work:
    return _ErrorReportWork(request)


@begin.register
def _(request: ExactRunRequest) -> Work:
    return _ExactWork(request)
