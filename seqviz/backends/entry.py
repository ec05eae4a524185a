"""The main loop of a worker process: what the parent may name without importing torch.

A worker is a fresh interpreter. The module that does the work is addressed by name and imported there, never in the
parent.
"""

from __future__ import annotations

import importlib
import numbers
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from seqviz.errors import SeqvizError

PARENT_CHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """In place of an answer: something that seqviz did not raise on purpose went wrong."""

    reason: str


def serve(requests: Connection, answers: Connection, module: str, models: tuple[str, ...], parent_id: int) -> None:
    """Answers requests one after the other until there is nobody left to ask.

    Args:
        requests: pickled requests come in here.
        answers: a pickled outcome goes out here for each, after a first one (None, or Failed) for the start.
        module: name of the module that answers (``answer``) and prepares for it (``warm_up``).
        models: checkpoints to load beforehand.
        parent_id: process id of the parent; the worker outlives it by a second at most.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    threading.Thread(target=end_with_parent, args=(parent_id,), name="parent-watch", daemon=True).start()
    started = outcome_of(lambda: importlib.import_module(module).warm_up(models))
    answers.send_bytes(pickle.dumps(started, pickle.HIGHEST_PROTOCOL))
    if started is not None:
        return
    answer = importlib.import_module(module).answer
    while True:
        try:
            request = pickle.loads(requests.recv_bytes())  # noqa: S301 (from the parent)
        except EOFError:
            return
        answers.send_bytes(pickle.dumps(outcome_of(lambda: answer(request)), pickle.HIGHEST_PROTOCOL))  # noqa: B023


def outcome_of(call: Callable[[], object]) -> object:
    """What a call returns; or the error of seqviz that it raises, made fit for the way back; or Failed."""
    try:
        return call()
    except SeqvizError as error:
        return _portable(error)
    except Exception as error:  # noqa: BLE001 (whatever a model may raise, the worker goes on and the asker is told)
        return Failed(reason=f"{type(error).__name__}: {error}")


def _portable(error: SeqvizError) -> SeqvizError:
    """The same error with parameters that every process can unpickle."""
    return type(error)(error.template, **{name: _plain(value) for name, value in error.parameters.items()})


def _plain(value: object) -> object:
    if isinstance(value, SeqvizError):
        return _portable(value)
    return value if isinstance(value, (str, numbers.Number, type(None))) else str(value)


def end_with_parent(parent_id: int) -> None:
    """Ends this process within a second of its parent; for a thread of its own."""
    # A worker that computes does not see its pipe closed; but it is handed to another parent when its own is killed.
    while os.getppid() == parent_id:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
