"""What a model backend is: requests in, frozen answers out; where and how the model runs is its own affair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from seqviz.backends.requests import Request

DEFAULT_DEADLINE_SECONDS = 20.0

AnswerT = TypeVar("AnswerT")
AnswerT_co = TypeVar("AnswerT_co", covariant=True)


class Pending(Protocol[AnswerT_co]):
    """An answer that is on its way."""

    def result(self) -> AnswerT_co:
        """Waits for the answer, at most until the deadline of its request.

        Raises:
            SeqvizError: what the model run raised, or one of the kinds of BackendError.
        """

    def done(self) -> bool:
        """Whether ``result`` would return or raise at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendStatus:
    """How a backend is doing.

    Args:
        workers: worker processes that should be there.
        process_ids: of those that are up and warm.
        busy: workers that are not free (answering or starting).
        restarts: workers that were replaced so far.
        waiting: requests in the queue.
        queue_size: bound of the queue.
        cache_bytes, cache_limit_bytes: memory of the kept answers, and its bound.
        cache_hits: requests answered from kept answers.
        shared: requests that joined an identical one in flight.
    """

    workers: int
    process_ids: tuple[int, ...]
    busy: int
    restarts: int
    waiting: int
    queue_size: int
    cache_bytes: int
    cache_limit_bytes: int
    cache_hits: int
    shared: int


class Backend(Protocol):
    """Answers requests with model runs. All methods may be called from many threads at once."""

    def ask(self, request: Request[AnswerT], *, deadline_seconds: float = DEFAULT_DEADLINE_SECONDS) -> AnswerT:
        """Answers one request.

        Args:
            request: what is wanted.
            deadline_seconds: longest wait, counted from this call, time in the queue included.

        Returns:
            the answer, read-only; equal requests may get the same object.

        Raises:
            BackendBusyError: too many requests are waiting.
            DeadlineError: the answer did not come in time.
            WorkerDiedError: the worker process ended twice on this request.
            SeqvizError: what the model run raised.
        """

    def submit(
        self, request: Request[AnswerT], *, deadline_seconds: float = DEFAULT_DEADLINE_SECONDS
    ) -> Pending[AnswerT]:
        """Starts a request and returns at once; every error comes out of the result, none out of this call."""

    def status(self) -> BackendStatus:
        """How the backend is doing."""

    def close(self) -> None:
        """Stops all workers; requests that wait or run are answered with a BackendError."""
