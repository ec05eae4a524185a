"""What a model backend is: requests in, frozen answers out; where and how the model runs is its own affair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from seqviz.backends.background_requests import JobCommand, JobRequest
from seqviz.backends.requests import Request
from seqviz.errors import SeqvizError

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

    @property
    def starting(self) -> bool:
        """Whether no worker is up, so that an answer takes longer than usual."""
        return not self.process_ids


JobCondition = Literal["starting", "running", "paused", "finished", "stopped", "failed"]
ACTIVE_CONDITIONS: tuple[JobCondition, ...] = ("starting", "running")

RecordT = TypeVar("RecordT")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView(Generic[RecordT]):
    """A background job as it is now.

    Args:
        id: its unguessable name.
        request: what it does.
        condition: how it is.
        records: what it has sent, the oldest first.
        error: why it failed or was stopped from outside; None if it was not.
        answers: whether its process is still there to be told something.
    """

    id: str
    request: JobRequest[RecordT]
    condition: JobCondition
    records: tuple[RecordT, ...]
    error: SeqvizError | None
    answers: bool

    @property
    def active(self) -> bool:
        """Whether it is at work, so that there will be news."""
        return self.condition in ACTIVE_CONDITIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundStatus:
    """How the background jobs are doing.

    Args:
        active: jobs at work.
        limit: how many may be.
        processes: jobs whose process is there.
        kept: all jobs that are remembered.
        kept_bytes: memory of their records.
    """

    active: int
    limit: int
    processes: int
    kept: int
    kept_bytes: int


class BackgroundJobs(Protocol):
    """Long work that goes on by itself. All methods may be called from many threads at once.

    Whoever has the id of a job may see and steer it. All but ``start`` and ``status`` raise JobGoneError for an unknown
    or forgotten id.
    """

    def prepare(self) -> None:
        """Says that a job will probably be started soon, so that it may begin at once."""

    def start(self, request: JobRequest[Any]) -> str:
        """Starts a job and returns its id at once; raises BackendBusyError when too many are at work."""

    def view(self, job_id: str) -> JobView[Any]:
        """The job as it is now."""

    def pause(self, job_id: str) -> None:
        """Lets it wait; it keeps what it has."""

    def resume(self, job_id: str) -> None:
        """Lets it go on after a pause, or after a command that gave a finished job new work.

        Raises:
            BackendBusyError: too many are at work.
        """

    def stop(self, job_id: str) -> None:
        """Ends its work for good; what it found stays, and so does its process for a while, to answer commands."""

    def ask(self, job_id: str, command: JobCommand[AnswerT], *, deadline_seconds: float = ...) -> AnswerT:
        """Tells the job something and waits for the reply.

        Raises:
            JobGoneError: its process has ended.
            DeadlineError: no reply in time; the job goes on.
            SeqvizError: what the job raised.
        """

    def status(self) -> BackgroundStatus:
        """How the jobs are doing."""


class Backend(Protocol):
    """Answers requests with model runs. All methods may be called from many threads at once."""

    def ask(self, request: Request[AnswerT], *, deadline_seconds: float = DEFAULT_DEADLINE_SECONDS) -> AnswerT:
        """Answers one request.

        Args:
            request: what is wanted.
            deadline_seconds: longest wait, counted from this call, time in the queue included; time during which no
                worker is up yet does not count, and has a limit of its own.

        Returns:
            the answer, read-only; equal requests may get the same object.

        Raises:
            BackendBusyError: too many requests are waiting.
            DeadlineError: the answer did not come in time, or no worker came up.
            WorkerDiedError: the worker process ended twice on this request.
            SeqvizError: what the model run raised.
        """

    def submit(
        self, request: Request[AnswerT], *, deadline_seconds: float = DEFAULT_DEADLINE_SECONDS
    ) -> Pending[AnswerT]:
        """Starts a request and returns at once; every error comes out of the result, none out of this call."""

    def wait_started(self, seconds: float) -> bool:
        """Waits until a worker is up, at most so long; says whether one is."""

    @property
    def background(self) -> BackgroundJobs:
        """Long work, apart from the workers that answer requests."""

    def status(self) -> BackendStatus:
        """How the backend is doing."""

    def close(self) -> None:
        """Stops all workers and background jobs; requests that wait or run are answered with a BackendError."""
