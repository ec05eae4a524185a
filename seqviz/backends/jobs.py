"""One request on its way through the local backend, and the handle that its callers hold."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import Any

from seqviz.backends.requests import Request
from seqviz.errors import DeadlineError, SeqvizError

Outcome = Any  # an answer, or the SeqvizError to raise in its place

START_LIMIT_SECONDS = 120.0
"""Longest time that a worker process may take to start: it imports torch and loads models, on a machine at work."""


class UpClock:
    """Counts the seconds during which at least one worker process is up: a start is no part of an answer's time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._up = 0
        self._seconds = self._since = 0.0

    def rise(self) -> None:
        """One more process is up."""
        with self._changed:
            if self._up == 0:
                self._since = time.monotonic()
            self._up += 1
            self._changed.notify_all()

    def fall(self) -> None:
        """One process less."""
        with self._changed:
            self._up -= 1
            if self._up == 0:
                self._seconds += time.monotonic() - self._since

    def seconds(self) -> float:
        """What it has counted so far."""
        with self._changed:
            return self._seconds + (time.monotonic() - self._since if self._up else 0.0)

    def wait(self, seconds: float) -> bool:
        """Waits until a process is up, at most so long; says whether one is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._up > 0, timeout=seconds)


class Deadline:
    """The end of somebody's patience. The start of the workers does not use it up, but is not waited for without end.

    Args:
        seconds: of a clock.
        clock: stands still while no worker that may answer is up.
    """

    def __init__(self, seconds: float, clock: UpClock) -> None:
        self.seconds = seconds
        self._clock = clock
        self._up_before = clock.seconds()
        self._last = time.monotonic() + START_LIMIT_SECONDS + seconds

    def seconds_left(self) -> float:
        """At least so long it takes until the deadline; negative once it is over."""
        return min(self._seconds_up_left(), self._last - time.monotonic())

    def met_no_worker(self) -> bool:
        """Whether it is over because no worker came up in time."""
        return self._seconds_up_left() > 0 >= self.seconds_left()

    def _seconds_up_left(self) -> float:
        return self.seconds - (self._clock.seconds() - self._up_before)


class Job:
    """A request that is computed once for all callers that want it.

    Args:
        request: what is wanted.
        key: its content and that of its checkpoint.
        deadline: of its first caller.
        home: number of the worker that may still hold what the request needs.
    """

    def __init__(self, request: Request[Any], *, key: object, deadline: Deadline, home: int = 0) -> None:
        self.request = request
        self.key = key
        self.home = home
        self.running = False
        self.overtaken = False
        """Whether a worker was busy with another request while this one waited."""
        self._future: Future[Any] = Future()
        self._deadline = deadline

    def extend(self, deadline: Deadline) -> None:
        """Another caller joins, whose deadline may be later."""
        if deadline.seconds_left() > self.seconds_left():
            self._deadline = deadline

    def seconds_left(self) -> float:
        """Time to the latest deadline of all callers; negative once it is over."""
        return self._deadline.seconds_left()

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

    def deadline_error(self, deadline: Deadline | None = None) -> DeadlineError:
        """What to tell a caller who waited in vain for a deadline; None for the one who waited longest."""
        deadline = deadline or self._deadline
        if deadline.met_no_worker():
            return DeadlineError(
                "The models' worker processes did not start within {seconds:g} seconds; please try again in a moment.",
                seconds=START_LIMIT_SECONDS,
            )
        seconds = deadline.seconds
        if self.running:
            return DeadlineError(
                "The model did not answer within {seconds:g} seconds and was stopped; a shorter text is faster.",
                seconds=seconds,
            )
        if self.overtaken:
            return DeadlineError(
                "There was no answer within {seconds:g} seconds, because other requests came first; please try again.",
                seconds=seconds,
            )
        return DeadlineError("There was no answer within {seconds:g} seconds; please try again.", seconds=seconds)


class PendingAnswer:
    """What a caller holds of a job: its own deadline, and the answer when it is there."""

    def __init__(self, job: Job, *, deadline: Deadline) -> None:
        self._job = job
        self._deadline = deadline

    def result(self) -> Any:
        """Waits for the answer, at most until the deadline; raises what the run or the backend raised."""
        while True:
            seconds = self._deadline.seconds_left()
            try:
                return self._job.wait(seconds)
            except TimeoutError:
                if seconds <= 0:  # else its clock may have stood still meanwhile
                    raise self._job.deadline_error(self._deadline) from None

    def done(self) -> bool:
        """Whether ``result`` would return or raise at once."""
        return self._job.done() or self._deadline.seconds_left() <= 0
