"""The main loop of a background job's process: works, tells, and obeys. What works is addressed by name.

The module of the work has ``warm_up()``, which prepares for any request, and ``begin(request)``, which returns a
``Work``. It is imported in the job's process only.
"""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal, Protocol

from seqviz.backends.entry import Failed, end_with_parent, outcome_of
from seqviz.backends.protocol import JobCondition
from seqviz.errors import BackendError, SeqvizError

NEWS_SECONDS = 0.25
NICENESS = 5  # a reader who waits for an answer goes before a job that goes on anyway


class Work(Protocol):
    """A piece of work that is done bit by bit."""

    def advance(self) -> bool:
        """Does a little of it (some milliseconds); False once there is nothing left to do."""

    def news(self) -> object:
        """A frozen record of everything since the last call."""

    def answer(self, command: Any) -> object:
        """Does or answers what the job is told, between two bits of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """From the parent: begin (with the request), go on, wait, end, or a command, whose reply bears its number."""

    name: Literal["begin", "pause", "resume", "stop", "ask"]
    number: int = 0
    command: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """From the job: its condition (with the error that led to it), a record, or the reply to a command."""

    kind: Literal["condition", "record", "reply"]
    value: Any
    number: int = 0
    condition: JobCondition = "running"


def serve(orders: Connection, messages: Connection, module: str, limit_seconds: float, parent_id: int) -> None:
    """Works on one request until it is done, told to stop, or has had its time; then answers until the pipe closes.

    The first order brings the request; what the work needs is made ready before it comes.

    Args:
        orders: pickled Orders come in here.
        messages: pickled Messages go out here.
        module: name of the module that begins the work.
        limit_seconds: of computing.
        parent_id: process id of the parent; the job outlives it by a second at most.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    threading.Thread(target=end_with_parent, args=(parent_id,), name="parent-watch", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    service = _Service(orders, messages, limit_seconds)
    # What goes wrong here is said when there is somebody to hear it.
    outcome_of(lambda: importlib.import_module(module).warm_up())
    try:
        first = pickle.loads(orders.recv_bytes())  # noqa: S301 (from the parent)
    except EOFError:
        return
    work = outcome_of(lambda: importlib.import_module(module).begin(first.command))
    if isinstance(work, (SeqvizError, Failed)):
        service.tell("failed", work)
        return
    service.run(work)  # type: ignore[arg-type]


class _Service:
    def __init__(self, orders: Connection, messages: Connection, limit_seconds: float) -> None:
        self._orders, self._messages, self._limit = orders, messages, limit_seconds
        self._condition: JobCondition = "running"
        self._seconds = 0.0

    def run(self, work: Work) -> None:
        self.tell("running")
        while self._condition != "failed":
            # Waits for orders without an end while there is nothing to do.
            while self._orders.poll(0 if self._condition == "running" else None):
                try:
                    order = pickle.loads(self._orders.recv_bytes())  # noqa: S301 (from the parent)
                except EOFError:
                    return
                self._obey(work, order)
            if self._condition == "running":
                self._advance(work)

    def tell(self, condition: JobCondition, error: object = None) -> None:
        self._condition = condition
        self._send(Message(kind="condition", value=error, condition=condition))

    def _advance(self, work: Work) -> None:
        started = time.monotonic()
        more: object = True
        while more is True and time.monotonic() - started < NEWS_SECONDS and not self._orders.poll():
            more = outcome_of(work.advance)
        self._seconds += time.monotonic() - started
        self._report(work)
        if more is False:
            self.tell("finished")
        elif more is not True:
            self.tell("failed", more)
        elif self._seconds > self._limit:
            minutes = self._limit / 60
            self.tell("stopped", BackendError("It was stopped after {minutes:g} minutes of work.", minutes=minutes))

    def _obey(self, work: Work, order: Order) -> None:
        if order.name == "ask":
            reply = outcome_of(lambda: work.answer(order.command))
            self._report(work)
            self._send(Message(kind="reply", value=reply, number=order.number))
        elif order.name == "stop" and self._condition != "stopped":
            self.tell("stopped")
        elif order.name == "pause" and self._condition == "running":
            self.tell("paused")
        elif order.name == "resume" and self._condition in ("paused", "finished"):
            self.tell("running")

    def _report(self, work: Work) -> None:
        self._send(Message(kind="record", value=work.news()))

    def _send(self, message: Message) -> None:
        self._messages.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
