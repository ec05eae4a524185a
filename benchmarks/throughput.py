"""Answers per second for several callers at once: worker processes beside threads of one process."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loky import ProcessPoolExecutor
from loky.backend import get_context

from benchmarks.measure import Table
from seqviz.backends.local import LocalBackend
from seqviz.backends.requests import TraceRequest
from seqviz.models.loading import load_model
from seqviz.tracing.forward import trace
from tests.helpers import write_tiny_checkpoint

CALLERS = (1, 4, 8, 16)
SENTENCE = "Yesterday, Harry Potter met Hermione Granger and Teddy Roosevelt; bears are on sale, he said."
SECONDS = 0.6
ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of request: a model with 256 units and the number of characters that it reads."""

    name: str
    says: str
    cell: str
    steps: int
    num_layers: int = 1


WORK = (
    Work(name="sentence", says="LSTM, 20 characters", cell="lstm", steps=20),
    Work(
        name="loop",
        says="GRU with the reset gate before the product (no fused kernel), 80 characters",
        cell="gru_reset_before",
        steps=80,
    ),
    Work(name="fused", says="two-layer LSTM in fused kernels, 80 characters", cell="lstm", steps=80, num_layers=2),
)


def rate(answer: Callable[[str], object], steps: int, callers: int) -> float:
    """Answers per second of so many threads, each of which asks again as soon as it is answered."""
    numbers = itertools.count(time.monotonic_ns() % 10**9)  # no text comes twice: nothing is answered from a cache
    end = time.perf_counter() + SECONDS
    answered = [0] * callers

    def ask(caller: int) -> None:
        while time.perf_counter() < end:
            answer(f"{next(numbers):010d} {SENTENCE}"[:steps])
            answered[caller] += 1

    started = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / (time.perf_counter() - started)


def rate_in_threads(root: str, work: Work, callers: int) -> float:
    """The same, with all model runs in threads of this process."""
    return rate(partial(trace, load_model(work.name, root=Path(root))), work.steps, callers)


def measure() -> Table:
    """Pool and threads take turns for each kind of request and number of callers."""
    context = get_context("loky")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, context=context) as default,
        ProcessPoolExecutor(1, context=context, env={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}) as single,
    ):
        for work in WORK:
            write_tiny_checkpoint(
                Path(folder),
                name=work.name,
                cell=work.cell,
                hidden_size=256,
                embedding_size=256,
                num_layers=work.num_layers,
            )
        with LocalBackend(root=Path(folder), cache_bytes=0) as backend:

            def in_processes(work: Work, callers: int) -> float:
                return rate(lambda text: backend.ask(TraceRequest(model=work.name, text=text)), work.steps, callers)

            def in_threads(process: ProcessPoolExecutor, work: Work, callers: int) -> float:
                return float(process.submit(rate_in_threads, folder, work, callers).result())

            variants = (in_processes, partial(in_threads, default), partial(in_threads, single))
            rows, best = [], {}
            for work in WORK:
                for run in variants:
                    run(work, 2)  # starts the processes and loads the model
                for callers in CALLERS:
                    rates = _turns(variants, work, callers)
                    if callers == 8:
                        best[work.says] = rates[0] / rates[1], rates[0] / rates[2]
                    ratios = (f"{rates[0] / rates[1]:.1f}", f"{rates[0] / rates[2]:.1f}")
                    rows.append((work.says, str(callers), *(f"{value:.0f}" for value in rates), *ratios))
            workers = backend.status().workers
    found = "; ".join(f"{says}: {ratio:.1f} ({strict:.1f})" for says, (ratio, strict) in best.items())
    return Table(
        title="Many callers at once",
        says=(
            f"Whole traces by models with 256 units, the cache off; every caller asks again as soon as it is answered. "
            f"{workers} worker processes, beside threads of one process, which share Python's global lock: with "
            "torch's own threads as they are by default, and with one torch thread. Answers per second; the answers "
            "of the worker processes travel through a pipe, those of the threads stay where they are."
        ),
        header=("request", "callers", "processes", "threads", "threads, 1 torch thread", "ratio", "ratio, 1"),
        rows=tuple(rows),
        goals=(f"At 8 callers (in brackets: with one torch thread): {found}. The aim is 4.0.",),
    )


def _turns(variants: tuple[Callable[[Work, int], float], ...], work: Work, callers: int) -> list[float]:
    rounds = [[run(work, callers) for run in variants] for _ in range(ROUNDS)]
    return [statistics.median(values) for values in zip(*rounds, strict=True)]
