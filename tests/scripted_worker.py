"""A worker module without a model: the text of a request says what happens. Runs in worker processes only."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from seqviz.backends.requests import Request, TraceRequest, UnitSumRequest
from seqviz.errors import CheckpointError


class HomeRequest(TraceRequest):
    """One that only the worker at home for it may answer, and whose answer nobody keeps."""

    stays = True
    kept = False


def warm_up(models: tuple[str, ...]) -> None:
    """Is ready as soon as the files are there whose paths stand for models."""
    for gate in models:
        while not Path(gate).exists():
            time.sleep(0.01)


def answer(request: Request) -> dict[str, Any]:
    """Does what the words of the text say, one after the other, and returns the process id and 1000 bytes."""
    words = (request.trace if isinstance(request, UnitSumRequest) else request).text.split()
    for name, value in zip(words[::2], words[1::2], strict=False):
        _COMMANDS[name](value)
    return {"process_id": os.getpid(), "bytes": np.zeros(1000, np.uint8)}


def _note(path: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")


def _die(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _refuse(name: str) -> None:
    raise CheckpointError("Checkpoint {name}: {file} is missing.", name=name, file=Path("model.safetensors"))


def _fail(reason: str) -> None:
    raise RuntimeError(reason)


_COMMANDS = {
    "note": _note,
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "die": _die,
    "refuse": _refuse,
    "fail": _fail,
    "say": lambda _: None,
}
