"""How fast models read, measured side by side in one process (syllabus G6)."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from seqviz.errors import InvalidInputError
from seqviz.gates import Speed
from seqviz.models.cells import Cell
from seqviz.models.loading import LoadedModel

# Processor time says what a cell costs however busy the machine is; some systems count it too coarsely.
_FINE = time.get_clock_info("process_time").resolution < 1e-4
_clock = time.process_time if _FINE else time.perf_counter
STEPS = 128
ROUNDS = 7


def speeds(models: Sequence[LoadedModel], text: str, *, steps: int = STEPS, rounds: int = ROUNDS) -> tuple[Speed, ...]:
    """Forward passes of the recurrent layers over a text, repeated to ``steps`` pieces, batch 1.

    Measured is processor time. The models take turns, so that whatever else the machine does meets all of them; each
    has the median of its rounds.

    Raises:
        InvalidInputError: the text has no piece.
    """
    inputs = []
    for loaded in models:
        ids = loaded.encoder.encode(text).ids
        if not ids:
            raise InvalidInputError("There is nothing to read yet: type at least one word.")
        inputs.append(torch.tensor([(ids * (steps // len(ids) + 1))[:steps]]))
    taken = np.zeros((rounds + 1, len(models)))
    with torch.inference_mode():
        embedded = [loaded.model.embed(ids) for loaded, ids in zip(models, inputs, strict=True)]
        for turn in range(rounds + 1):
            for index, (loaded, x) in enumerate(zip(models, embedded, strict=True)):
                started = _clock()
                loaded.model.stack(x)
                taken[turn, index] = _clock() - started
    medians = np.median(taken[1:], 0)  # the first round warms up
    return tuple(
        Speed(model=loaded.info.name, seconds=float(seconds), steps=steps, fused=has_fused_kernel(loaded))
        for loaded, seconds in zip(models, medians, strict=True)
    )


def has_fused_kernel(loaded: LoadedModel) -> bool:
    """Whether torch runs the cell in one kernel over all steps."""
    cell = loaded.model.stack.cell(0, "forward")
    if type(cell).run is Cell.run:
        return False
    return getattr(cell, "activation", "tanh") in ("tanh", "relu")
