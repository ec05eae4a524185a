"""Measuring side by side: variants take turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


def interleaved_medians(
    variants: Mapping[str, Callable[[], object]], *, rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds of each variant.

    Args:
        variants: calls by name; each is made twice beforehand, unmeasured.
        rounds: how often every variant takes its turn.
        clock: what is measured; ``time.process_time`` leaves out other processes, for variants that use one thread.
    """
    for call in variants.values():
        call()
        call()
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, call in variants.items():
            started = clock()
            call()
            seconds[name].append(clock() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a benchmark found.

    Args:
        title: of its section.
        says: what was measured, and how to read it.
        header, rows: of the table, as text.
        goals: one sentence for each goal, with what was reached.
    """

    title: str
    says: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    goals: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The section as Markdown."""
        lines = [f"## {self.title}", "", self.says, "", _row(self.header), _row(("---",) * len(self.header))]
        lines += [_row(row) for row in self.rows]
        return "\n".join([*lines, "", *(f"- {goal}" for goal in self.goals)]).rstrip() + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def machine() -> str:
    """The machine in plain words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        models = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{cores} cores ({name}), {platform.system()}, Python {platform.python_version()}"
