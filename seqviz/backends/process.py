"""One supervised worker process: started warm, stopped when it hangs, replaced when it ends."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Self

from loky.backend import get_context

from seqviz.backends import entry
from seqviz.backends.jobs import START_LIMIT_SECONDS, Job, Outcome, UpClock
from seqviz.errors import BackendError, WorkerDiedError
from seqviz.traces import freeze

PIPE_BYTES = 1 << 20


class EndedError(Exception):
    """The process ended, or could not be launched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProcess:
    """A process and the parent's ends of its two pipes."""

    process: BaseProcess
    requests: Connection
    answers: Connection

    @classmethod
    def launch(
        cls, target: Callable[..., None], arguments: tuple[Any, ...], *, environment: Mapping[str, str], name: str
    ) -> Self:
        """Starts ``target(requests, answers, *arguments, parent_id)`` in a fresh interpreter."""
        # "loky" starts a fresh interpreter (no fork of a threaded server) and leaves __main__ alone, which
        # Streamlit replaces by the page's script. A daemon is ended with this interpreter.
        context = get_context("loky")
        requests_in, requests_out = context.Pipe(duplex=False)
        answers_in, answers_out = context.Pipe(duplex=False)
        _widen(answers_out)
        process = context.Process(
            target=target,
            args=(requests_in, answers_out, *arguments, os.getpid()),
            env=dict(environment),
            name=name,
            daemon=True,
        )
        process.start()
        # The worker's ends must be open in the worker only: that is how each side notices that the other ended.
        requests_in.close()
        answers_out.close()
        return cls(process=process, requests=requests_out, answers=answers_in)

    def receive(self, seconds_left: Callable[[], float]) -> Outcome:
        """The next outcome; raises TimeoutError or EndedError."""
        while (seconds := seconds_left()) > 0:
            ready = wait([self.answers, self.process.sentinel], timeout=seconds)
            if self.answers in ready:
                try:
                    return pickle.loads(self.answers.recv_bytes())  # noqa: S301 (from the worker)
                except (EOFError, OSError) as error:
                    raise EndedError("it ended while it was answering") from error
            if ready:
                raise EndedError(f"it ended with code {self.process.exitcode}")
        raise TimeoutError("it took too long")

    def kill(self) -> None:
        """Ends the process, whatever it is doing."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self.process.join()

    def close(self) -> None:
        """Ends the process and closes the pipes."""
        self.kill()
        self.requests.close()
        self.answers.close()


class WorkerProcess:
    """Decides about the life of one process.

    Used by one supervising thread; only ``stop`` and the attributes are for others.

    Args:
        module: name of the module that answers (``seqviz.backends.worker``); imported in the worker only.
        models: checkpoints that a fresh worker loads before it takes requests.
        environment: set in the worker before anything is imported there.
        clocks: are told when the process is up, and when it no longer is.
    """

    def __init__(
        self,
        *,
        module: str,
        models: tuple[str, ...],
        environment: Mapping[str, str],
        clocks: Sequence[UpClock] = (),
    ) -> None:
        self._clocks = tuple(clocks)
        self._module = module
        self._models = models
        self._environment = dict(environment)
        self._live: LiveProcess | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self.starts = 0
        self.process_id: int | None = None

    def ensure_started(self) -> BackendError | None:
        """Starts the process if there is none; returns why that failed."""
        if self.process_id is not None:
            return None
        try:
            live = self._launch()
            outcome = live.receive(lambda: START_LIMIT_SECONDS)
        except (TimeoutError, OSError, EndedError) as error:
            outcome = entry.Failed(reason=str(error))
        if isinstance(outcome, entry.Failed):
            self._discard()
            return BackendError("The model's worker process could not start: {reason}.", reason=outcome.reason)
        with self._lock:
            if not self._stopped:
                self.process_id = live.process.pid
                for clock in self._clocks:
                    clock.rise()
        return None

    def answer(self, job: Job) -> Outcome:
        """Runs a job; the process is gone afterwards if it ran past the deadline or ended by itself."""
        live = self._live
        try:
            if live is None:
                raise EndedError("it was stopped")
            live.requests.send_bytes(pickle.dumps(job.request))
            outcome = live.receive(job.seconds_left)
        except TimeoutError:
            self._discard()
            return job.deadline_error()
        except (OSError, EndedError):
            self._discard()
            return WorkerDiedError(
                "The model's worker process ended while it was answering and was replaced; please try again."
            )
        if isinstance(outcome, entry.Failed):
            return BackendError("The model could not answer: {reason}.", reason=outcome.reason)
        return freeze(outcome)  # pickling loses the read-only flags

    def check(self) -> bool:
        """False if the process has ended while it had nothing to do; it is gone then."""
        if self._live is None or self._live.process.is_alive():
            return True
        self._discard()
        return False

    def stop(self) -> None:
        """Ends the process for good, whatever it is doing; may be called from any thread."""
        with self._lock:
            self._stopped = True
            if self._live is not None:
                self._live.kill()
            self._gone()

    def _launch(self) -> LiveProcess:
        with self._lock:
            if self._stopped:
                raise EndedError("the backend is closed")
            self._live = LiveProcess.launch(
                entry.serve, (self._module, self._models), environment=self._environment, name="seqviz-worker"
            )
            self.starts += 1
            return self._live

    def _discard(self) -> None:
        with self._lock:
            live, self._live = self._live, None
            self._gone()
        if live is not None:
            live.close()

    def _gone(self) -> None:
        """Called with the lock held."""
        if self.process_id is not None:
            self.process_id = None
            for clock in self._clocks:
                clock.fall()


def _widen(pipe: Connection) -> None:
    """Lets a pipe hold a whole trace where the system can do that; else it goes through in slices of 64 KiB."""
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:  # the user's pipes already take all that they may
            return
