"""Runs of the vanishing/exploding laboratory: fresh cells, noise in, one error back (syllabus B4, G5).

Each seed is a cell of its own that ``Cell.record`` runs and ``cell_gradients`` goes back through, in float64 with a
running power of two: the recursion and the range are those of the trained models' gradients.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqviz.config import check_range
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.laboratory import ACTIVATIONS, ActivationCurves, CellCurves, LaboratoryConfig, Spectra
from seqviz.models.activations import ACTIVATIONS as FUNCTIONS
from seqviz.models.cells import Cell, Values, make_cell
from seqviz.models.loading import LoadedModel
from seqviz.tracing import forward, jacobians
from seqviz.tracing.backward import cell_gradients
from seqviz.tracing.gradients import in_float64
from seqviz.tracing.jacobians import log_bound, recurrent_matrix, sigma_max
from seqviz.tracing.slopes import activation_slope
from seqviz.types import Direction, FloatArray, IntArray

_STREAMS = 8
"""Independent streams of random numbers a seed has: one for each recurrent matrix, then input matrix, error, inputs."""
_INPUT_MATRIX, _ERROR, _INPUTS = 5, 6, 7


class Run(NamedTuple):
    """One seed's forward pass; everything (step, ...), and no step behind the last one whose states are finite."""

    cell: Cell
    values: Values
    overflow_step: int


def curves(config: LaboratoryConfig) -> CellCurves:
    """The norms of an error on its way back, for every seed.

    Args:
        config: of one cell, see ``LaboratoryConfig.each``.

    Raises:
        InvalidInputError: the configuration has more than one cell.
    """
    started = time.perf_counter()
    runs = [run(config, seed) for seed in range(1, config.num_seeds + 1)]
    found = [_log_norms(one, seed) for seed, one in enumerate(runs, 1)]
    hidden, cells = (_rows([norms[which] for norms in found], config.steps + 1) for which in (0, 1))
    return CellCurves(
        config=config,
        hidden_state=hidden,
        cell_state=cells if runs[0].cell.has_cell_state else None,
        overflow_steps=tuple(one.overflow_step for one in runs),
        sigma_max=np.array([sigma_max(recurrent_matrix(one.cell)) for one in runs]),
        log_bound=np.array([log_bound(one.cell) for one in runs]) if config.cells[0] == "rnn" else None,
        seconds=time.perf_counter() - started,
    )


def run(config: LaboratoryConfig, seed: int) -> Run:
    """One seed's cell and its forward pass, cut before the first step at which a state leaves the range of float64."""
    if len(config.cells) != 1:
        raise InvalidInputError("A run is of one cell, not of {count}.", count=len(config.cells))
    cell = fresh_cell(config, seed)
    x = config.input_scale * _normal(seed, _INPUTS, config.steps + 1, config.hidden_size)
    with torch.no_grad():
        recorded, _ = cell.record(x.unsqueeze(0), cell.initial_carry(1))
        finite = torch.stack([recorded[name][0].isfinite().all(-1) for name in recorded if name.endswith("state")])
    bad = torch.nonzero(~finite.all(0))
    end = int(bad[0]) if len(bad) else config.steps + 1
    values = {
        name: value[0, :end].flatten(1) if value.dim() == 3 else value[0, :end] for name, value in recorded.items()
    }
    return Run(cell, values, end + 1 if end <= config.steps else 0)


def fresh_cell(config: LaboratoryConfig, seed: int) -> Cell:
    """A cell as ``config`` says, in float64; the candidate's matrices are those of every cell of this seed."""
    kind, units = config.cells[0], config.hidden_size
    cell = make_cell(f"rnn_{config.activation}" if kind == "rnn" else kind, units, units).double().requires_grad_(False)
    blocks = cell.block_names
    order = sorted(range(len(blocks)), key=lambda block: blocks[block] != "candidate")
    inputs = _normal(seed, _INPUT_MATRIX, 4, units, units) / math.sqrt(units)
    cell.bias_input.zero_()
    cell.bias_hidden.zero_()
    for number, block in enumerate(order):
        rows = slice(block * units, (block + 1) * units)
        cell.weight_hidden[rows] = config.radius * unit_matrix(config.start, units, seed, number)
        cell.weight_input[rows] = inputs[number]
        if blocks[block] == "forget_gate":
            cell.bias_input[rows] = config.forget_bias
    return cell


@lru_cache(maxsize=64)
def unit_matrix(start: str, units: int, seed: int, number: int) -> Tensor:
    """Recurrent matrix ``number`` of a seed with spectral radius 1, (unit, unit), float64."""
    if start == "identity":
        return torch.eye(units, dtype=torch.float64)
    normal = _normal(seed, number, units, units)
    if start == "gaussian":
        return normal / torch.linalg.eigvals(normal).abs().max()
    q, r = torch.linalg.qr(normal)
    return q * r.diagonal().sign()  # then every rotation is equally likely (Mezzadri 2007)


def spectra(config: LaboratoryConfig, *, seed: int, kind: str, part: str = "state") -> Spectra:
    """Singular values of the Jacobians of one seed's run; see ``seqviz.tracing.jacobians.spectra``.

    Raises:
        InvalidInputError: the seed is not one of the configuration's, or the cell has no such part.
    """
    check_range("seed", seed, 1, config.num_seeds)
    one = run(config, seed)
    found = jacobians.spectra(one.cell, one.values, kind=kind, part=part, first=1)
    return replace(found, overflow_step=one.overflow_step)


def trained_spectra(
    loaded: LoadedModel,
    text: str,
    *,
    layer: int = 0,
    direction: Direction = "forward",
    kind: str,
    part: str = "state",
    max_pieces: int | None = None,
) -> Spectra:
    """The same of one layer of a trained model that reads a text; places are numbered in the order of the text.

    Args:
        loaded: the model, from ``seqviz.load``.
        text: any Unicode text.
        layer, direction: which layer.
        kind, part: as in ``seqviz.tracing.jacobians.spectra``.
        max_pieces: longest text that is accepted; None for any.

    Raises:
        InvalidInputError: there is nothing to read, no such layer, or the cell has no such part.
        TextTooLongError: the text has more pieces than ``max_pieces``.
    """
    started = time.perf_counter()
    trace = forward.trace(loaded, text, max_pieces=max_pieces)
    double = in_float64(loaded.model)
    with torch.no_grad():
        _, recorded = double.stack.record(torch.tensor(trace.embeddings, dtype=torch.float64).unsqueeze(0))
    one = next((one for one in recorded if (one.layer, one.direction) == (layer, direction)), None)
    if one is None:
        raise unknown_name("layer", f"{layer} {direction}", [f"{one.layer} {one.direction}" for one in recorded])
    backward = direction == "backward"
    values = {name: value[0].flip(0) if backward else value[0] for name, value in one.values.items()}
    with torch.no_grad():
        found = jacobians.spectra(double.stack.cell(layer, direction), values, kind=kind, part=part)
    if backward and kind == "steps":
        found = replace(
            found,
            places=len(trace) - 1 - found.places[::-1],
            log_values=found.log_values[::-1],
            resolution=found.resolution[::-1],
        )
    return replace(found, pieces=trace.originals, seconds=time.perf_counter() - started)


def activation_curves(*, reach: float = 4.0, points: int = 161) -> ActivationCurves:
    """All activations and their slopes on z from -reach to reach (syllabus B6)."""
    z = torch.linspace(-reach, reach, points, dtype=torch.float64)
    return ActivationCurves(
        z=z.numpy(),
        values={name: FUNCTIONS[name](z).numpy().copy() for name in ACTIVATIONS},
        slopes={name: activation_slope(name, z).numpy() for name in ACTIVATIONS},
    )


def _log_norms(one: Run, seed: int) -> tuple[FloatArray, FloatArray | None]:
    """log10 ‖∂L/∂h‖ and log10 ‖∂L/∂c‖ by steps back."""
    h = one.values["hidden_state"]
    from_above = torch.zeros_like(h)
    error = _normal(seed, _ERROR, h.shape[1])
    from_above[-1] = error / torch.linalg.vector_norm(error)
    exponents = np.zeros(len(h), np.int64)
    found = cell_gradients(one.cell, one.values, from_above, exponents=exponents)
    cells = None if found.cell_state is None else _log_norm(found.cell_state.numpy(), exponents)[::-1]
    return _log_norm(found.hidden_state.numpy(), exponents)[::-1], cells


def _log_norm(rows: FloatArray, exponents: IntArray) -> FloatArray:
    """log10 of the norm of each row times 2^exponent; -inf for a row of zeros."""
    largest = np.abs(rows).max(1)
    scaled = rows / np.where(largest > 0, largest, 1.0)[:, None]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(largest) + np.log10(np.linalg.norm(scaled, axis=1)) + exponents * math.log10(2.0))


def _rows(found: list[FloatArray | None], steps: int) -> FloatArray:
    """(seed, step), nan behind the end of a run."""
    rows = np.full((len(found), steps), np.nan)
    for row, values in zip(rows, found, strict=True):
        if values is not None:
            row[: len(values)] = values
    return rows


def _normal(seed: int, stream: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(_STREAMS * seed + stream)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
