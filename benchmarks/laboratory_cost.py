"""The laboratory's curves and Jacobians beside what autograd and jacrev take for the same numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.measure import Table, interleaved_medians
from seqviz.laboratory import CellCurves, LaboratoryConfig
from seqviz.models.cells import Cell
from seqviz.tracing import jacobians, laboratory

STEPS, UNITS, SEEDS, ROUNDS = 200, 64, 5, 5
CURVES_AIM, SPECTRA_AIM = 0.3, 1.0


def fresh_curves(config: LaboratoryConfig) -> CellCurves:
    """The curves of a configuration that was never asked before: the matrices are drawn anew."""
    laboratory.unit_matrix.cache_clear()
    return laboratory.curves(config)


def autograd_norms(config: LaboratoryConfig) -> list[Tensor]:
    """The norms at every step of every seed from a loop whose states keep their gradients."""
    found = []
    for seed in range(1, config.num_seeds + 1):
        cell = laboratory.fresh_cell(config, seed).requires_grad_(True)
        x = torch.randn(1, config.steps + 1, config.hidden_size, dtype=torch.float64)
        carry, kept = cell.initial_carry(1), []
        for projected in cell.project_input(x).unbind(1):
            carry, _ = cell.step(projected, carry)
            carry[0].retain_grad()
            kept.append(carry[0])
        carry[0].sum().backward()
        found.append(torch.stack([state.grad.norm() for state in kept if state.grad is not None]))
    return found


def jacrev_steps(cell: Cell, x: Tensor, values: dict[str, Tensor]) -> Tensor:
    """The Jacobian of every step by torch.func, vectorised over the steps."""
    names = ("hidden_state", "cell_state")[: 2 if cell.has_cell_state else 1]
    states = torch.cat([values[name] for name in names], 1)
    before = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
    projected = cell.project_input(x)

    def advance(state: Tensor, row: Tensor) -> Tensor:
        carry, _ = cell.step(row, tuple(state.split(cell.hidden_size)))
        return torch.cat(carry)

    return torch.func.vmap(torch.func.jacrev(advance))(before, projected)


def measure() -> Table:
    """One row for each cell; 200 steps, 64 units, one thread."""
    torch.set_num_threads(1)
    config = LaboratoryConfig(steps=STEPS, hidden_size=UNITS, num_seeds=SEEDS)
    rows: list[tuple[str, ...]] = []
    curves_total = spectra_total = 0.0
    ratios: list[float] = []
    for one in config.each():
        run = laboratory.run(one, 1)
        x = torch.randn(STEPS + 1, UNITS, dtype=torch.float64)
        build = jacobians.jacobians(run.cell, run.values)
        seconds = interleaved_medians(
            {
                "curves": lambda one=one: fresh_curves(one),
                "autograd": lambda one=one: autograd_norms(one),
                "jacobians": lambda build=build: build(slice(None)),
                "jacrev": lambda run=run, x=x: jacrev_steps(run.cell, x, run.values),
                "spectra": lambda one=one: [laboratory.spectra(one, seed=1, kind=kind) for kind in jacobians.KINDS],
            },
            rounds=ROUNDS,
        )
        curves_total += seconds["curves"]
        spectra_total = max(spectra_total, seconds["spectra"])
        ratios.append(seconds["jacrev"] / seconds["jacobians"])
        rows.append(
            (
                one.cells[0].upper(),
                f"{1e3 * seconds['curves']:.0f} ms",
                f"{1e3 * seconds['autograd']:.0f} ms",
                f"{seconds['autograd'] / seconds['curves']:.1f}",
                f"{1e3 * seconds['jacobians']:.1f} ms",
                f"{1e3 * seconds['jacrev']:.0f} ms",
                f"{ratios[-1]:.0f}",
                f"{1e3 * seconds['spectra']:.0f} ms",
            )
        )
    return Table(
        title="The laboratory, beside autograd and jacrev",
        says=f"{STEPS} steps, {UNITS} units, float64, one thread. Curves: the norms of ∂L/∂h and ∂L/∂c at every step "
        f"of {SEEDS} seeds, weights drawn and forward pass included, beside a loop with retain_grad (norms of ∂L/∂h). "
        "Jacobians of all steps of one seed from the recorded gates, beside torch.func.jacrev vectorised over the "
        "steps. Spectra: forward pass, all Jacobians, all products of the last k, all singular values of both.",
        header=("cell", "curves", "autograd", "ratio", "Jacobians", "jacrev", "ratio", "spectra"),
        rows=tuple(rows),
        goals=(
            f"Curves of three cells, one after the other: {1e3 * curves_total:.0f} ms; the aim is {CURVES_AIM} s.",
            f"All singular values of the slowest cell: {1e3 * spectra_total:.0f} ms; the aim is {SPECTRA_AIM} s.",
            f"Smallest ratio of jacrev to ours: {min(ratios):.0f}.",
        ),
    )
