"""How long a unit keeps what it wrote: products of the gates that keep. Plain numpy on a trace.

In c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t the share of c_s that still stands in c_t is the product of f_{s+1} to f_t; in
h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ n_t it is that of z (syllabus G5). It is the direct way through the memory; what goes
through gates and candidates comes on top.
"""

from __future__ import annotations

import numpy as np

from seqviz.traces import LayerTrace
from seqviz.types import FloatArray, IntArray

NEVER = -1
"""Half-life of a unit that keeps more than half up to the end of the text."""


def keep_gate(trace: LayerTrace) -> str | None:
    """Name of the gate that keeps the old memory; None for a plain cell, which has none."""
    return next((name for name in ("forget_gate", "update_gate") if name in trace.gates), None)


def _in_reading_order(trace: LayerTrace) -> FloatArray:
    """The keeping gate, (step, unit), float64, the direction's first step first."""
    name = keep_gate(trace)
    if name is None:
        return np.zeros((len(trace.hidden_state), trace.num_units))
    gate = trace.gates[name].astype(np.float64)
    return gate if trace.direction == "forward" else gate[::-1]


def carried(trace: LayerTrace, unit: int) -> FloatArray:
    """The share of what stood in the memory after step s that still stands after step t, for one unit.

    Returns:
        (s, t), in the order of the text; 1 where s = t; nan where t lies before s in the direction of reading. A
        plain cell keeps nothing: 0 for every t behind s.
    """
    keep = _in_reading_order(trace)[:, unit]
    steps = len(keep)
    shares = np.full((steps, steps), np.nan)
    for source in range(steps):
        shares[source, source:] = np.concatenate([[1.0], np.cumprod(keep[source + 1 :])])
    return shares if trace.direction == "forward" else shares[::-1, ::-1]


def carried_from(trace: LayerTrace, step: int) -> FloatArray:
    """The same from one step, for all units: (step, unit), nan where nothing was written yet."""
    keep = _in_reading_order(trace)
    source = step if trace.direction == "forward" else len(keep) - 1 - step
    shares = np.full(keep.shape, np.nan)
    shares[source] = 1.0
    shares[source + 1 :] = np.cumprod(keep[source + 1 :], axis=0)
    return shares if trace.direction == "forward" else shares[::-1]


def half_lives(trace: LayerTrace, step: int) -> IntArray:
    """Steps until at most half of the memory after ``step`` is left; ``NEVER`` if not within the text, (unit,)."""
    shares = carried_from(trace, step)
    shares = shares[step:] if trace.direction == "forward" else shares[: step + 1][::-1]
    fallen = shares <= 0.5
    return np.where(fallen.any(0), fallen.argmax(0), NEVER)


def mean_half_lives(trace: LayerTrace) -> FloatArray:
    """ln 2 / mean(-ln keep) over the steps, (unit,): the half-life of the unit's average gate; inf for one at 1."""
    keep = _in_reading_order(trace)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(2.0) / -np.log(keep.clip(max=1.0)).mean(0))
