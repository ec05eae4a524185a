"""The door of a worker process: what the parent may name without importing torch.

A worker is a fresh interpreter. Its first call is ``begin``; the module that does the work is addressed by name and
imported there, never in the parent.
"""

from __future__ import annotations

import importlib
import numbers
import os
import signal
import threading
import time
from typing import Any

from seqviz.errors import SeqvizError

PARENT_CHECK_SECONDS = 1.0


def begin(parent_id: int) -> None:
    """Prepares a fresh worker: it outlives its parent by a second at most and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(parent_id,), name="parent-watch", daemon=True).start()


def warm_up(module: str, models: tuple[str, ...]) -> int:
    """Imports the worker module and lets it prepare for the first request; returns the process id."""
    importlib.import_module(module).warm_up(models)
    return os.getpid()


def ping() -> int:
    """Shows that the worker is alive; returns its process id."""
    return os.getpid()


def answer(module: str, request: object) -> Any:
    """Answers a request; errors of seqviz are made fit for the way back."""
    try:
        return importlib.import_module(module).answer(request)
    except SeqvizError as error:
        raise _portable(error) from None


def _portable(error: SeqvizError) -> SeqvizError:
    """The same error with parameters that every process can unpickle."""
    return type(error)(error.template, **{name: _plain(value) for name, value in error.parameters.items()})


def _plain(value: object) -> object:
    if isinstance(value, SeqvizError):
        return _portable(value)
    return value if isinstance(value, (str, numbers.Number, type(None))) else str(value)


def _end_with_parent(parent_id: int) -> None:
    # A killed parent cannot say goodbye: its children notice that they were handed to another parent.
    while os.getppid() == parent_id:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
