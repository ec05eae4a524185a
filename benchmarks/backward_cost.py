"""Back-propagation through time from recorded gates beside autograd with retained gradients, forward pass included."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.measure import Table, interleaved_medians
from seqviz.models.cells import Cell, make_cell
from seqviz.tracing.backward import CellGradients, cell_gradients

CELLS = ("rnn_tanh", "gru", "lstm")
STEPS, HIDDEN_SIZE, ROUNDS, AIM = 1000, 256, 7, 3.5


def analytic(cell: Cell, x: Tensor, from_above: Tensor) -> tuple[CellGradients, Tensor, Tensor]:
    """Fused forward pass, all gates, the recursion, and the gradients of both matrices."""
    with torch.no_grad():
        values, _ = cell.record(x, cell.initial_carry(1))
        found = cell_gradients(cell, {name: value[0] for name, value in values.items()}, from_above)
        return (
            found,
            found.recurrent[1:].flatten(1).T @ values["hidden_state"][0, :-1],
            found.pre_activation.flatten(1).T @ x[0],
        )


def retained(cell: Cell, x: Tensor, from_above: Tensor) -> list[Tensor]:
    """A loop over the steps whose states keep their gradients, and autograd; gradients of h, c and the weights."""
    carry = cell.initial_carry(1)
    kept: list[list[Tensor]] = [[] for _ in carry]
    for projected in cell.project_input(x).unbind(1):
        carry, values = cell.step(projected, carry)
        values["pre_activation"].retain_grad()  # δ
        for state, list_ in zip(carry, kept, strict=True):
            state.retain_grad()
            list_.append(state)
    (torch.cat(kept[0]) * from_above).sum().backward()
    found = [torch.cat([state.grad for state in states if state.grad is not None]) for states in kept]
    cell.zero_grad(set_to_none=True)
    return found


def measure() -> Table:
    """One row for each cell and number type; 1,000 steps, 256 units, one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rows: list[tuple[str, ...]] = []
    ratios: dict[torch.dtype, list[float]] = {torch.float32: [], torch.float64: []}
    for name in CELLS:
        for dtype, found in ratios.items():
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
            found.append(seconds["retained"] / seconds["analytic"])
            rows.append(
                (
                    name,
                    str(dtype).removeprefix("torch."),
                    f"{1e3 * seconds['retained']:.0f} ms",
                    f"{1e3 * seconds['analytic']:.0f} ms",
                    f"{found[-1]:.1f}",
                )
            )
    return Table(
        title="The backward pass, beside autograd",
        says=f"Forward and backward pass of one cell, {STEPS:,} steps, {HIDDEN_SIZE} units, batch 1, one thread, "
        "gradients of every state: our recursion over the recorded gates, and a loop over the steps whose tensors "
        "keep their gradients (retain_grad). Both sides find the gradients of the weights as well.",
        header=("cell", "numbers", "autograd", "recursion", "ratio"),
        rows=tuple(rows),
        goals=(
            f"Smallest ratio in float32: {min(ratios[torch.float32]):.1f}; the aim is {AIM}.",
            f"Smallest ratio in float64: {min(ratios[torch.float64]):.1f} (no fused recurrence runs in float64).",
        ),
    )
