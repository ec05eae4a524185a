"""20,000 characters through the two-layer LSTM with every gate, in chunks: seconds and memory beside the fused pass."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from pathlib import Path

from benchmarks.measure import Table

MODEL, STEPS, ROUNDS = "shakespeare-lstm-2x512", 20_000, 3
CHUNKS = (100, 500, 2000, 20_000)
LIMIT_MB = 1000


def text() -> str:
    """Any characters of the vocabulary: the recurrence takes as long whatever they are."""
    return ("The king is here, and all his men with him;\n" * (STEPS // 40))[:STEPS]


def _run(chunk: int, results: multiprocessing.Queue[tuple[float, float, float, float]]) -> None:
    """In a process of its own, since the peak of memory is that of a process."""
    import torch

    from seqviz.api import load
    from seqviz.tracing.forward import to_tensors
    from seqviz.tracing.long_trace import LongTrace

    torch.set_num_threads(1)
    loaded = load(MODEL)
    ids, _ = to_tensors(loaded.encoder.encode(text()))
    with torch.inference_mode():
        loaded.model.output_states(ids[:, :200])
    before = _resident()
    fused, ours = [], []
    for _ in range(ROUNDS):
        with torch.inference_mode():
            started, carries = time.perf_counter(), None
            for part in ids.split(500, 1):
                _, carries = loaded.model.output_states(part, carries=carries)
            fused.append(time.perf_counter() - started)
        long = LongTrace(loaded, text(), chunk_steps=chunk)
        while not long.advance(seconds=60.0).finished:
            pass
        ours.append(long.seconds)
        del long
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    results.put((statistics.median(ours), statistics.median(fused), peak, before))


def _resident() -> float:
    """Memory of this process now, MB."""
    page = resource.getpagesize()
    return int(Path("/proc/self/statm").read_text().split()[1]) * page / 1e6


def measure() -> Table:
    """One row for each length of a chunk."""
    context = multiprocessing.get_context("spawn")
    rows, best, peaks = [], [], []
    for chunk in CHUNKS:
        results = context.Queue()
        process = context.Process(target=_run, args=(chunk, results))
        process.start()
        ours, fused, peak, before = results.get()
        process.join()
        best.append((ours / fused, ours))
        peaks.append(peak)
        rows.append((f"{chunk:,}", f"{ours:.1f} s", f"{ours / fused:.2f}", f"{before:.0f} MB", f"{peak:.0f} MB"))
    ratio, seconds = best[CHUNKS.index(500)]
    goal = (
        f"In use (500 steps): {seconds:.1f} s, {ratio:.2f} times the fused pass, peak {peaks[CHUNKS.index(500)]:.0f} "
        f"MB; the limit is {LIMIT_MB} MB."
    )
    return Table(
        title="A long text, every gate kept",
        says=f"{STEPS:,} characters through {MODEL}, one thread, each row in a process of its own. The numbers kept: "
        "hidden and cell states as float32 (164 MB), gates and candidates as float16 (164 MB); all as float32 would "
        "be 492 MB, all as float16 246 MB and the states no longer exact. Ratio: to the fused pass that keeps nothing "
        "but the carry. Memory is that of the whole process, before and at its peak.",
        header=("steps in a chunk", "time", "ratio to the fused pass", "before", "peak"),
        rows=tuple(rows),
        goals=(goal,),
    )
