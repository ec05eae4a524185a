"""The default backend: a supervised pool of warm worker processes on this machine.

The parent holds no torch. Each worker has a thread of the parent that starts it, hands it one request at a time, and
replaces it when it dies or runs past a deadline. See docs/decisions/0005-model-backend.md.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

import loky
from cachetools import LRUCache

from seqviz.backends.background import LocalBackgroundJobs
from seqviz.backends.jobs import Deadline, Job, Outcome, PendingAnswer, UpClock
from seqviz.backends.process import WorkerProcess
from seqviz.backends.protocol import DEFAULT_DEADLINE_SECONDS, AnswerT, BackendStatus, Pending
from seqviz.backends.requests import Request
from seqviz.checkpoints import checkpoints_root, fingerprint
from seqviz.errors import BackendBusyError, BackendError, DeadlineError, SeqvizError, WorkerDiedError
from seqviz.traces import num_bytes

WORKER_MODULE = "seqviz.backends.worker"
DEFAULT_QUEUE_SIZE = 64
DEFAULT_CACHE_BYTES = 256_000_000
CHECK_SECONDS = 2.0
WORKERS_VARIABLE = "SEQVIZ_WORKERS"


class _Slot:
    """A place for one worker: its process and its clock, its supervising thread's inbox, and whether it is free."""

    def __init__(self, process: WorkerProcess, clock: UpClock) -> None:
        self.process = process
        self.clock = clock
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()
        self.free = False
        self.job: Job | None = None


class LocalBackend:
    """Answers requests in worker processes; to be shared by all threads of a server. Closes as a context manager.

    Args:
        workers: number of processes; None for the environment's ``SEQVIZ_WORKERS``, or one for each usable core.
        root: folder of checkpoints; None for ``seqviz.checkpoints.checkpoints_root()``.
        models: checkpoints that every worker loads before its first request.
        queue_size: requests that may wait; further ones are refused.
        cache_bytes: memory of kept answers, in bytes; 0 keeps none.
        worker_module: name of the module that answers requests in the workers (``answer``, ``warm_up``).
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        root: Path | None = None,
        models: tuple[str, ...] = (),
        queue_size: int = DEFAULT_QUEUE_SIZE,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        worker_module: str = WORKER_MODULE,
    ) -> None:
        self._root = (root or checkpoints_root()).resolve()
        self._queue_size = queue_size
        self._cache_bytes = cache_bytes
        self._lock = threading.Lock()
        self._cache: LRUCache[object, tuple[Outcome, int]] = LRUCache(cache_bytes, getsizeof=lambda entry: entry[1])
        self._in_flight: dict[object, Job] = {}
        self._waiting: deque[Job] = deque()
        self._hits = self._shared = 0
        self._closed = False
        # One torch thread for each process: more would compete for the same cores, and only the environment holds
        # for all of torch's thread pools.
        environment = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "SEQVIZ_CHECKPOINTS": str(self._root)}
        environment["HF_HUB_OFFLINE"] = "1"  # a reader's own models come from a folder, never over a network
        self._background = LocalBackgroundJobs(environment=environment)
        self._clock = UpClock()

        def slot() -> _Slot:
            clock = UpClock()
            clocks = (clock, self._clock)
            process = WorkerProcess(module=worker_module, models=models, environment=environment, clocks=clocks)
            return _Slot(process, clock)

        count = workers or int(os.environ.get(WORKERS_VARIABLE) or loky.cpu_count())
        self._slots = [slot() for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._supervise, args=(slot,), name=f"seqviz-worker-{index}", daemon=True)
            for index, slot in enumerate(self._slots)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, request: Request[AnswerT], *, deadline_seconds: float = DEFAULT_DEADLINE_SECONDS) -> AnswerT:
        """Answers one request; see ``Backend.ask``."""
        return self.submit(request, deadline_seconds=deadline_seconds).result()

    def submit(
        self, request: Request[AnswerT], *, deadline_seconds: float = DEFAULT_DEADLINE_SECONDS
    ) -> Pending[AnswerT]:
        """Starts a request; see ``Backend.submit``."""
        run = request.run()
        home = hash(run or request) % len(self._slots)
        # What only one worker may answer waits for the start of that one.
        deadline = Deadline(deadline_seconds, self._slots[home].clock if request.stays else self._clock)
        try:
            key = (request, None if run is None else fingerprint(run.model, self._root))
            with self._lock:
                job = self._job(key, request, home, deadline)
        except SeqvizError as error:
            job = Job(request, key=None, deadline=deadline)
            job.finish(error)
        return PendingAnswer(job, deadline=deadline)

    def wait_started(self, seconds: float) -> bool:
        """Waits for the first worker; see ``Backend.wait_started``."""
        return self._clock.wait(seconds)

    @property
    def background(self) -> LocalBackgroundJobs:
        """Long work; see ``Backend.background``."""
        return self._background

    def status(self) -> BackendStatus:
        """How the backend is doing."""
        with self._lock:
            return BackendStatus(
                workers=len(self._slots),
                process_ids=tuple(s.process.process_id for s in self._slots if s.process.process_id is not None),
                busy=sum(not slot.free for slot in self._slots),
                restarts=sum(max(0, slot.process.starts - 1) for slot in self._slots),
                waiting=len(self._waiting),
                queue_size=self._queue_size,
                cache_bytes=int(self._cache.currsize),
                cache_limit_bytes=self._cache_bytes,
                cache_hits=self._hits,
                shared=self._shared,
            )

    def close(self) -> None:
        """Stops all workers and background jobs; requests that wait or run are answered with a BackendError."""
        self._background.close()
        with self._lock:
            self._closed = True
            for job in self._waiting:
                self._settle(job, _closed_error())
            self._waiting.clear()
        for slot in self._slots:
            slot.process.stop()
            slot.inbox.put(None)
        for thread in self._threads:
            thread.join(timeout=10.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _job(self, key: object, request: Request[Any], home: int, deadline: Deadline) -> Job:
        """The job of a request: finished from the cache, one in flight, or a new one. Called with the lock held."""
        if self._closed:
            raise _closed_error()
        if (kept := self._cache.get(key)) is not None:
            self._hits += 1
            job = Job(request, key=key, deadline=deadline)
            job.finish(kept[0])
            return job
        running = self._in_flight.get(key)
        if running is not None and running.seconds_left() > 0:
            self._shared += 1
            running.extend(deadline)
            return running
        job = Job(request, key=key, deadline=deadline, home=home)
        self._dispatch(job)
        self._in_flight[key] = job
        return job

    def _dispatch(self, job: Job) -> None:
        """To the worker that may still hold the trace, else to any free one that will do, else into the queue."""
        home = self._slots[job.home]
        others = () if job.request.stays else self._slots
        slot = home if home.free else next((slot for slot in others if slot.free), None)
        if slot is not None:
            slot.free, slot.job = False, job
            slot.inbox.put(job)
            return
        for late in [waiting for waiting in self._waiting if waiting.seconds_left() <= 0]:
            self._waiting.remove(late)
            self._settle(late, late.deadline_error())
        if len(self._waiting) >= self._queue_size:
            raise BackendBusyError(
                "The models are busy: {count} requests are waiting already; please try again in a moment.",
                count=len(self._waiting),
            )
        job.overtaken = bool(self._waiting) or any(slot.job is not None for slot in self._slots)
        self._waiting.append(job)

    def _supervise(self, slot: _Slot) -> None:
        """What the thread of a worker does, all its life."""
        slot.process.ensure_started()
        while (job := self._next(slot)) is not None:
            outcome = self._run(slot, job)
            with self._lock:
                slot.job = None
                self._settle(job, outcome)
            if isinstance(outcome, (DeadlineError, WorkerDiedError)):
                slot.process.ensure_started()  # now, not when the next request is already waiting for it
        slot.process.stop()

    def _next(self, slot: _Slot) -> Job | None:
        """The next job: of those that wait the oldest one at home here, else the oldest that may leave its home."""
        with self._lock:
            index = self._slots.index(slot)
            job = next((job for job in self._waiting if job.home == index), None)
            job = job or next((job for job in self._waiting if not job.request.stays), None)
            if job is not None:
                self._waiting.remove(job)
                for other in self._waiting:
                    other.overtaken = True
                slot.job = job
                return job
            slot.free = not self._closed
        while True:
            try:
                return slot.inbox.get(timeout=CHECK_SECONDS)
            except Empty:
                if not slot.process.check():
                    slot.process.ensure_started()

    def _run(self, slot: _Slot, job: Job) -> Outcome:
        """Runs a job; if the process ends meanwhile, once more on a fresh one."""
        outcome: Outcome = None
        for _ in range(2):
            if self._closed:
                return _closed_error()
            problem = slot.process.ensure_started()
            if problem is not None:
                return problem
            if job.seconds_left() <= 0:  # in the queue, or while a fresh process started
                return job.deadline_error()
            job.running = True
            outcome = slot.process.answer(job)
            if not isinstance(outcome, WorkerDiedError):
                return outcome
        return outcome

    def _settle(self, job: Job, outcome: Outcome) -> None:
        """Hands out and keeps an outcome. Called with the lock held."""
        if self._in_flight.get(job.key) is job:
            del self._in_flight[job.key]
        if job.request.kept and not isinstance(outcome, SeqvizError):
            size = num_bytes(outcome)
            if size <= self._cache.maxsize:
                self._cache[job.key] = (outcome, size)
        job.finish(outcome)


def _closed_error() -> BackendError:
    return BackendError("The model backend is closed.")
