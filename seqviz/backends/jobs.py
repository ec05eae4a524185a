"""One request on its way through the local backend, and the handle that its callers hold."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from seqviz.backends.requests import Request
from seqviz.errors import DeadlineError, SeqvizError

Outcome = Any  # an answer, or the SeqvizError to raise in its place


class Job:
    """A request that is computed once for all callers that want it.

    Args:
        request: what is wanted.
        key: its content and that of its checkpoint.
        seconds: from now to the deadline.
        home: number of the worker that may still hold what the request needs.
    """

    def __init__(self, request: Request[Any], *, key: object, seconds: float, home: int = 0) -> None:
        self.request = request
        self.key = key
        self.home = home
        self.running = False
        self._future: Future[Any] = Future()
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Another caller joins, whose deadline may be later."""
        if seconds > self.seconds_left():
            self._seconds = seconds
            self._deadline = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Time to the latest deadline of all callers; negative once it is over."""
        return self._deadline - time.monotonic()

    def finish(self, outcome: Outcome) -> None:
        """Hands the outcome to all callers."""
        if isinstance(outcome, SeqvizError):
            self._future.set_exception(outcome)
        else:
            self._future.set_result(outcome)

    def done(self) -> bool:
        """Whether there is an outcome."""
        return self._future.done()

    def wait(self, seconds: float) -> Any:
        """The answer; raises its error, or TimeoutError when the time is over."""
        return self._future.result(timeout=max(0.0, seconds))

    def deadline_error(self, seconds: float | None = None) -> DeadlineError:
        """What to tell a caller who waited in vain for so many seconds; None for the one who waited longest."""
        seconds = self._seconds if seconds is None else seconds
        if self.running:
            return DeadlineError(
                "The model did not answer within {seconds:g} seconds and was stopped; a shorter text is faster.",
                seconds=seconds,
            )
        return DeadlineError(
            "There was no answer within {seconds:g} seconds, because other requests came first; please try again.",
            seconds=seconds,
        )


class PendingAnswer:
    """What a caller holds of a job: its own deadline, and the answer when it is there."""

    def __init__(self, job: Job, *, seconds: float) -> None:
        self._job = job
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def result(self) -> Any:
        """Waits for the answer, at most until the deadline; raises what the run or the backend raised."""
        try:
            return self._job.wait(self._deadline - time.monotonic())
        except TimeoutError:
            raise self._job.deadline_error(self._seconds) from None

    def done(self) -> bool:
        """Whether ``result`` would return or raise at once."""
        return self._job.done() or time.monotonic() > self._deadline
