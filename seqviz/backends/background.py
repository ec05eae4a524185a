"""Background jobs on this machine: each in a process of its own, remembered for a while after it has ended.

The parent holds no torch. Each job has a thread of the parent that starts its process, reads what it sends, and alone
decides about the process's life. See docs/decisions/0006-background-jobs.md.
"""

from __future__ import annotations

import os
import pickle
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from multiprocessing.connection import wait
from typing import Any

import loky

from seqviz.backends import background_entry
from seqviz.backends.background_entry import Message, Order
from seqviz.backends.background_requests import JobCommand, JobRequest
from seqviz.backends.entry import Failed
from seqviz.backends.process import LiveProcess
from seqviz.backends.protocol import ACTIVE_CONDITIONS, AnswerT, BackgroundStatus, JobCondition, JobView
from seqviz.errors import BackendBusyError, BackendError, DeadlineError, JobGoneError, SeqvizError, WorkerDiedError
from seqviz.traces import freeze, num_bytes

WORK_MODULE = "seqviz.backends.background_worker"
JOBS_VARIABLE = "SEQVIZ_JOBS"
TICK_SECONDS = 0.2
LIMIT_SECONDS = 1800.0
ASK_SECONDS = 60.0
IDLE_SECONDS = 600.0
"""After so long without a visitor a job that has nothing to do loses its process."""
FORGET_SECONDS = 3 * 3600.0
KEPT_JOBS = 32
KEPT_BYTES = 128_000_000
JOB_BYTES = 32_000_000


class _Job:
    """One job: what it has said, and the thread that looks after its process."""

    def __init__(self, request: JobRequest[Any], *, launch: Callable[[], LiveProcess], idle_seconds: float) -> None:
        self.id = secrets.token_urlsafe(12)
        self.request = request
        self.condition: JobCondition = "starting"
        self.error: SeqvizError | None = None
        self.bytes = 0
        self.touched = time.monotonic()
        self._records: list[Any] = []
        self._replies: dict[int, Future[Any]] = {}
        self._asked = 0
        self._idle_seconds = idle_seconds
        self._live: LiveProcess | None = None
        self._unsent: list[Order] = []
        self._ending = False
        self._lock = threading.Lock()
        self.thread = threading.Thread(target=self._look_after, args=(launch,), name="seqviz-job", daemon=True)
        self.thread.start()

    @property
    def has_process(self) -> bool:
        """Whether its process is there, or will be in a moment."""
        return self._live is not None or self.condition == "starting"

    def view(self) -> JobView[Any]:
        """As it is now."""
        with self._lock:
            self.touched = time.monotonic()
            return JobView(
                id=self.id,
                request=self.request,
                condition=self.condition,
                records=tuple(self._records),
                error=self.error,
                answers=self.has_process,
            )

    def order(self, order: Order) -> None:
        """Sends an order, or keeps it until the process is there; nobody hears it once that has ended."""
        with self._lock:
            self.touched = time.monotonic()
            if self._live is None:
                self._unsent.append(order)
                return
            try:
                self._live.requests.send_bytes(pickle.dumps(order))
            except OSError:  # it has just ended: its thread will notice
                return

    def ask(self, command: JobCommand[Any]) -> Future[Any]:
        """Sends a command; the future gets the reply."""
        future: Future[Any] = Future()
        with self._lock:
            if not self.has_process:
                raise _process_gone()
            self._asked += 1
            number = self._asked
            self._replies[number] = future
        self.order(Order(name="ask", number=number, command=command))
        return future

    def end(self) -> None:
        """Has the process ended within a tick."""
        self._ending = True

    def expect(self, condition: JobCondition) -> None:
        """Shows at once what an order will lead to; the job's own word follows."""
        with self._lock:
            self.condition = condition

    def _look_after(self, launch: Callable[[], LiveProcess]) -> None:
        """What the job's thread does, all its life."""
        try:
            live = launch()
        except OSError as error:
            self._over("failed", BackendError("The job's process could not start: {reason}.", reason=str(error)))
            return
        with self._lock:
            self._live = live
            unsent, self._unsent = self._unsent, []
        for order in unsent:
            self.order(order)
        died = False
        try:
            while not self._ending:
                ready = wait([live.answers, live.process.sentinel], timeout=TICK_SECONDS)
                if live.answers in ready:
                    self._hear(pickle.loads(live.answers.recv_bytes()))  # noqa: S301 (from the job)
                elif ready:
                    raise EOFError
                if self._has_been_idle():
                    self.end()
        except (EOFError, OSError):
            died = True
        live.kill()  # before anybody is told that there is no process any more
        if self.condition not in (*ACTIVE_CONDITIONS, "paused"):
            self._over(None, None)  # its work was done: nothing is lost but the answers to further commands
        elif died:
            died_error = WorkerDiedError(
                "The process of this job ended by itself; what it had found until then is kept."
            )
            self._over("failed", died_error)
        else:
            room_error = BackendError("Its process was ended to make room; what it had found is kept.")
            self._over("stopped", self.error or room_error)
        live.close()

    def _hear(self, message: Message) -> None:
        with self._lock:
            if message.kind == "reply":
                future = self._replies.pop(message.number)
                outcome = _as_error(message.value)
                if isinstance(outcome, SeqvizError):
                    future.set_exception(outcome)
                else:
                    future.set_result(freeze(outcome))
            elif message.kind == "record":
                self._records.append(freeze(message.value))
                self.bytes += num_bytes(message.value)
                if self.bytes > JOB_BYTES:
                    self._ending = True
                    self.error = BackendError("It was stopped because its results need too much memory.")
            else:
                self.condition, error = message.condition, _as_error(message.value)
                self.error = error if isinstance(error, SeqvizError) else self.error

    def _has_been_idle(self) -> bool:
        return self.condition not in ACTIVE_CONDITIONS and time.monotonic() - self.touched > self._idle_seconds

    def _over(self, condition: JobCondition | None, error: SeqvizError | None) -> None:
        with self._lock:
            self._live = None
            if condition is not None and self.condition != "failed":
                self.condition, self.error = condition, error
            waiting, self._replies = self._replies, {}
        for future in waiting.values():
            future.set_exception(_process_gone())


class _Spare:
    """A process that has imported what a job needs and waits for one; it ends if none comes."""

    def __init__(self, launch: Callable[[], LiveProcess], *, expire: Callable[[_Spare], None], seconds: float) -> None:
        self._launch, self._expire, self._seconds = launch, expire, seconds
        self._live: LiveProcess | None = None
        self._launched, self._taken = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._wait, name="seqviz-spare", daemon=True)

    def take(self) -> LiveProcess | None:
        """The process, for whoever calls first; None if there is none any more."""
        self._launched.wait()
        self._taken.set()
        live, self._live = self._live, None
        return live if live is not None and live.process.is_alive() else None

    def _wait(self) -> None:
        try:
            self._live = self._launch()
        except OSError:
            self._live = None
        self._launched.set()
        if self._taken.wait(self._seconds):
            return
        self._expire(self)  # from now on nobody finds it
        if (live := self.take()) is not None:
            live.close()


class LocalBackgroundJobs:
    """See ``seqviz.backends.protocol.BackgroundJobs``.

    Args:
        limit: jobs at work at once; None for the environment's ``SEQVIZ_JOBS``, or as many as there are usable cores,
            but at least two.
        module: name of the module that begins the work (``begin``); imported in the jobs' processes only.
        environment: set in the jobs' processes before anything is imported there.
        limit_seconds: of computing, for each job.
        idle_seconds: without a visitor, after which a job that has nothing to do loses its process.
        kept_jobs: remembered at most.
    """

    def __init__(
        self,
        *,
        limit: int | None = None,
        module: str = WORK_MODULE,
        environment: Mapping[str, str] | None = None,
        limit_seconds: float = LIMIT_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        kept_jobs: int = KEPT_JOBS,
    ) -> None:
        self._limit = limit or int(os.environ.get(JOBS_VARIABLE) or max(2, loky.cpu_count()))
        self._module = module
        self._environment = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **(environment or {})}
        self._limit_seconds, self._idle_seconds, self._kept_jobs = limit_seconds, idle_seconds, kept_jobs
        self._lock = threading.Lock()
        self._jobs: dict[str, _Job] = {}
        self._spare: _Spare | None = None
        self._closed = False

    def start(self, request: JobRequest[Any]) -> str:
        """Starts a job; see ``BackgroundJobs.start``."""
        with self._lock:
            if self._closed:
                raise BackendError("The model backend is closed.")
            self._check_room()
            self._tidy()
            job = _Job(request, launch=lambda: self._begun(request), idle_seconds=self._idle_seconds)
            self._jobs[job.id] = job
            return job.id

    def view(self, job_id: str) -> JobView[Any]:
        """The job as it is now; see ``BackgroundJobs.view``."""
        return self._find(job_id).view()

    def pause(self, job_id: str) -> None:
        """Lets it wait; see ``BackgroundJobs.pause``."""
        self._find(job_id).order(Order(name="pause"))

    def resume(self, job_id: str) -> None:
        """Lets it go on; see ``BackgroundJobs.resume``."""
        job = self._find(job_id)
        with self._lock:
            if job.condition not in ("paused", "finished"):
                return
            if not job.has_process:
                raise _process_gone()
            self._check_room()
            job.expect("running")  # counts from now on
        job.order(Order(name="resume"))

    def stop(self, job_id: str) -> None:
        """Ends its work; see ``BackgroundJobs.stop``."""
        self._find(job_id).order(Order(name="stop"))

    def ask(self, job_id: str, command: JobCommand[AnswerT], *, deadline_seconds: float = ASK_SECONDS) -> AnswerT:
        """Tells the job something; see ``BackgroundJobs.ask``."""
        try:
            return self._find(job_id).ask(command).result(timeout=deadline_seconds)
        except TimeoutError:
            raise DeadlineError(
                "The run did not answer within {seconds:g} seconds; it goes on, please try again.",
                seconds=deadline_seconds,
            ) from None

    def status(self) -> BackgroundStatus:
        """How the jobs are doing."""
        with self._lock:
            jobs = list(self._jobs.values())
        return BackgroundStatus(
            active=sum(job.condition in ACTIVE_CONDITIONS for job in jobs),
            limit=self._limit,
            processes=sum(job.has_process for job in jobs),
            kept=len(jobs),
            kept_bytes=sum(job.bytes for job in jobs),
        )

    def close(self) -> None:
        """Ends all jobs and forgets them."""
        with self._lock:
            self._closed = True
            jobs, self._jobs = list(self._jobs.values()), {}
            spare, self._spare = self._spare, None
        if spare is not None and (live := spare.take()) is not None:
            live.close()
        for job in jobs:
            job.end()
        for job in jobs:
            job.thread.join(timeout=10.0)

    def _find(self, job_id: str) -> _Job:
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise JobGoneError("There is no such run any more: runs are kept for some hours, and end with the server.")
        return job

    def prepare(self) -> None:
        """Has a process warmed up; see ``BackgroundJobs.prepare``."""
        with self._lock:
            if self._closed or self._spare is not None:
                return
            self._spare = spare = _Spare(self._launched, expire=self._without_spare, seconds=self._idle_seconds)
        spare.thread.start()

    def _without_spare(self, spare: _Spare) -> None:
        with self._lock:
            if self._spare is spare:
                self._spare = None

    def _begun(self, request: JobRequest[Any]) -> LiveProcess:
        """A process at work on a request: the one that was warmed up, or a fresh one."""
        with self._lock:
            spare, self._spare = self._spare, None
        live = (spare.take() if spare is not None else None) or self._launched()
        live.requests.send_bytes(pickle.dumps(Order(name="begin", command=request)))
        return live

    def _launched(self) -> LiveProcess:
        return LiveProcess.launch(
            background_entry.serve,
            (self._module, self._limit_seconds),
            environment=self._environment,
            name="seqviz-job",
        )

    def _check_room(self) -> None:
        active = sum(job.condition in ACTIVE_CONDITIONS for job in self._jobs.values())
        if active >= self._limit:
            raise BackendBusyError(
                "{count} runs are at work already, which is the limit; please try again when one of them has ended.",
                count=active,
            )

    def _tidy(self) -> None:
        """Makes room for one more: the least recently visited jobs without work lose their process or are forgotten."""
        idle = sorted(
            (job for job in self._jobs.values() if job.condition not in ACTIVE_CONDITIONS), key=lambda job: job.touched
        )
        idle.sort(key=lambda job: job.condition == "paused")  # stable: what waits to go on keeps its process longest
        alive = [job for job in idle if job.has_process]
        for job in alive[: max(0, len(alive) - self._limit)]:
            job.end()
        oldest = [job for job in sorted(idle, key=lambda job: job.touched) if not job.has_process]
        now, total = time.monotonic(), sum(job.bytes for job in self._jobs.values())
        for job in oldest:
            if (
                now - job.touched > FORGET_SECONDS
                or len(self._jobs) >= self._kept_jobs
                or total > KEPT_BYTES - JOB_BYTES
            ):
                total -= job.bytes
                del self._jobs[job.id]


def _as_error(value: Any) -> Any:
    """The error to raise in place of a value that says that something failed."""
    if isinstance(value, Failed):
        return BackendError("The job failed: {reason}.", reason=value.reason)
    return value


def _process_gone() -> JobGoneError:
    return JobGoneError("The process of this run has ended, so it cannot be asked any more; its curves are kept.")
