"""One supervised worker process: started warm, stopped when it hangs, replaced when it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Future
from typing import Any

from loky import ProcessPoolExecutor
from loky.backend import get_context
from loky.process_executor import ShutdownExecutorError

from seqviz.backends import entry
from seqviz.backends.jobs import Job, Outcome
from seqviz.errors import BackendError, SeqvizError, WorkerDiedError
from seqviz.traces import freeze

START_LIMIT_SECONDS = 120.0
PING_LIMIT_SECONDS = 10.0


class _EndedError(Exception):
    """The process ended or was stopped."""


class WorkerProcess:
    """A pool of one: the library starts and watches the process, this class decides about its life.

    Used by one supervising thread; only ``stop`` and the attributes are for others.

    Args:
        module: name of the module that answers (``seqviz.backends.worker``); imported in the worker only.
        models: checkpoints that a fresh worker loads before it takes requests.
        environment: set in the worker before anything is imported there.
    """

    def __init__(self, *, module: str, models: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._module = module
        self._models = models
        self._environment = dict(environment)
        self._executor: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self.starts = 0
        self.process_id: int | None = None

    def ensure_started(self) -> BackendError | None:
        """Starts the process if there is none; returns why that failed."""
        if self.process_id is not None:
            return None
        try:
            self._launch()
            future = self._call(lambda: START_LIMIT_SECONDS, entry.warm_up, self._module, self._models)
            problem = future.exception()
        except (TimeoutError, OSError, _EndedError) as error:
            problem = error.__cause__ or error
        if problem is None:
            self.process_id = future.result()
            return None
        self._discard()
        return BackendError("The model's worker process could not start: {reason}.", reason=_named(problem))

    def answer(self, job: Job) -> Outcome:
        """Runs a job; the process is gone afterwards if it ran past the deadline or ended by itself."""
        try:
            future = self._call(job.seconds_left, entry.answer, self._module, job.request)
        except TimeoutError:
            self._discard()
            return job.deadline_error()
        except _EndedError:
            self._discard()
            return WorkerDiedError(
                "The model's worker process ended while it was answering and was replaced; please try again."
            )
        error = future.exception()
        if error is None:
            return freeze(future.result())  # pickling loses the read-only flags
        if isinstance(error, SeqvizError):
            return error
        return BackendError("The model could not answer: {reason}.", reason=_named(error))

    def check(self) -> bool:
        """False if the process has ended, or hangs, while it had nothing to do; it is gone then."""
        if self.process_id is not None:
            try:
                self._call(lambda: PING_LIMIT_SECONDS, entry.ping)
            except (TimeoutError, _EndedError):
                self._discard()
                return False
        return True

    def stop(self) -> None:
        """Ends the process for good, whatever it is doing; may be called from any thread."""
        with self._lock:
            self._stopped = True
        self._discard()

    def _launch(self) -> None:
        with self._lock:
            if self._stopped:
                raise _EndedError("the backend is closed")
            # "loky" starts a fresh interpreter (no fork of a threaded server) and leaves __main__ alone, which
            # Streamlit replaces by the page's script.
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                context=get_context("loky"),
                timeout=None,
                initializer=entry.begin,
                initargs=(os.getpid(),),
                env=self._environment,
            )
            self.starts += 1

    def _call(self, seconds_left: Callable[[], float], function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Calls a function in the process and returns the finished future; raises TimeoutError or _EndedError."""
        executor = self._executor
        if executor is None:
            raise _EndedError("the worker was stopped")
        try:
            future: Future[Any] = executor.submit(function, *arguments)
        except (RuntimeError, OSError) as error:  # it ended before, cannot be started, or this interpreter is ending
            raise _EndedError from error
        while (seconds := seconds_left()) > 0:
            try:
                problem = future.exception(timeout=seconds)
            except TimeoutError:
                continue  # the deadline may have moved meanwhile
            if isinstance(problem, (BrokenExecutor, ShutdownExecutorError)):
                raise _EndedError from problem
            return future
        raise TimeoutError("no answer in time")

    def _discard(self) -> None:
        with self._lock:
            executor, self._executor, self.process_id = self._executor, None, None
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
