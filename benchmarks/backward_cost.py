"""Back-propagation through time from recorded gates beside autograd with retained gradients, forward pass included."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.measure import Table, interleaved_medians
from seqviz.models.cells import Cell, make_cell
from seqviz.tracing.backward import CellGradients, cell_gradients

CELLS = ("rnn_tanh", "gru", "lstm")
STEPS, HIDDEN_SIZE, ROUNDS, AIM = 1000, 256, 7, 3.5


def analytic(cell: Cell, x: Tensor, from_above: Tensor) -> CellGradients:
    """Fused forward pass, all gates, then the recursion."""
    with torch.no_grad():
        values, _ = cell.record(x, cell.initial_carry(1))
        return cell_gradients(cell, {name: value[0] for name, value in values.items()}, from_above)


def retained(cell: Cell, x: Tensor, from_above: Tensor) -> list[Tensor]:
    """A loop over the steps whose every tensor keeps its gradient, and autograd; gradients of h (and c)."""
    carry = cell.initial_carry(1)
    kept: list[list[Tensor]] = [[] for _ in carry]
    for projected in cell.project_input(x).unbind(1):
        carry, values = cell.step(projected, carry)
        values["pre_activation"].retain_grad()
        for state, list_ in zip(carry, kept, strict=True):
            state.retain_grad()
            list_.append(state)
    (torch.cat(kept[0]) * from_above).sum().backward(inputs=[state for states in kept for state in states])
    return [torch.cat([state.grad for state in states if state.grad is not None]) for states in kept]


def measure() -> Table:
    """One row for each cell and number type; 1,000 steps, 256 units, one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rows: list[tuple[str, ...]] = []
    ratios: dict[str, list[float]] = {"float32": [], "float64": []}
    for name in CELLS:
        for precision in ratios:
            dtype = getattr(torch, precision)
            cell = make_cell(name, HIDDEN_SIZE, HIDDEN_SIZE).to(dtype)
            x = torch.randn(1, STEPS, HIDDEN_SIZE, dtype=dtype)
            from_above = torch.randn(STEPS, HIDDEN_SIZE, dtype=dtype)
            seconds = interleaved_medians(
                {
                    "analytic": lambda cell=cell, x=x, d=from_above: analytic(cell, x, d),
                    "retained": lambda cell=cell, x=x, d=from_above: retained(cell, x, d),
                },
                rounds=ROUNDS,
            )
            ratios[precision].append(seconds["retained"] / seconds["analytic"])
            rows.append(
                (
                    name,
                    precision,
                    f"{1e3 * seconds['retained']:.0f} ms",
                    f"{1e3 * seconds['analytic']:.0f} ms",
                    f"{ratios[precision][-1]:.1f}",
                )
            )
    return Table(
        title="The backward pass, beside autograd",
        says=f"Forward and backward pass of one cell, {STEPS:,} steps, {HIDDEN_SIZE} units, batch 1, one thread, "
        "gradients of every state: our recursion over the recorded gates, and a loop over the steps whose tensors "
        "keep their gradients (retain_grad). Autograd is spared the gradients of the weights.",
        header=("cell", "numbers", "autograd", "recursion", "ratio"),
        rows=tuple(rows),
        goals=(
            f"Smallest ratio in float32 {min(ratios['float32']):.1f}, in float64 {min(ratios['float64']):.1f}; "
            f"the aim is {AIM}. In float64 torch has no fused recurrence, so both sides spend most of their time in "
            "the same forward products.",
        ),
    )
