"""Background work without a model: the request says what happens. Runs in the processes of jobs only."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz.backends.background_requests import JobCommand, JobRequest
from seqviz.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRequest(JobRequest[Any]):
    """Counts up to a number."""

    to: int
    pause_ms: float = 1.0
    bad_at: int = -1
    bad: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCommand(JobCommand[int]):
    """Raises the number to count up to; answers it."""

    more: int = 0
    fail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountNews:
    """How far it is."""

    count: int
    process_id: int
    numbers: np.ndarray


def warm_up() -> None:
    """Has nothing to prepare."""


def begin(request: CountRequest) -> _Counting:
    if request.bad == "begin":
        raise InvalidInputError("{field} is {value}; allowed is {low} to {high}.", field="to", value=1, low=2, high=3)
    return _Counting(request)


class _Counting:
    def __init__(self, request: CountRequest) -> None:
        self._request, self._to, self._count = request, request.to, 0
        self._told = 0

    def advance(self) -> bool:
        time.sleep(self._request.pause_ms / 1000)
        if self._count == self._request.bad_at:
            if self._request.bad == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("no more")
        self._count += 1
        return self._count < self._to

    def news(self) -> CountNews:
        first, self._told = self._told, self._count
        return CountNews(count=self._count, process_id=os.getpid(), numbers=np.arange(first, self._count))

    def answer(self, command: AddCommand) -> int:
        if command.fail:
            raise InvalidInputError("There is no variant {number}.", number=7)
        self._to += command.more
        return self._to
