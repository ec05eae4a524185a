"""Jacobians of one step and of many, their singular values, and the bound on them (syllabus B4).

    ∂s_t/∂s_{t-1}, s = h or (h, c);    RNN: diag(g'(z_t)) W_aa;    ∂s_T/∂s_{T-k} = ∂s_T/∂s_{T-1} ··· ∂s_{T-k+1}/∂s_{T-k}

An error at step T, times the product, is the error k steps earlier, so the product's singular values are the least and
the most that k steps can make of it (Pascanu et al. 2013). Everything is taken from recorded gates, in float64; the
running product carries a power of two beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.laboratory import MAX_SLOPES, Spectra
from seqviz.models.cells import (
    Cell,
    GRUCell,
    GRUResetBeforeCell,
    GRUSimplifiedCell,
    LSTMCell,
    LSTMLinearOutputCell,
    LSTMPeepholeCell,
    RNNCell,
    Values,
)
from seqviz.tracing.slopes import gru_reset_before_slopes, gru_slopes, lstm_slopes, rnn_slopes
from seqviz.types import FloatArray, IntArray

KINDS = ("steps", "products")
PARTS = ("state", "cell_state")
MAX_PRODUCT_WORK, MAX_SVD_WORK = 5e10, 3e9
"""Bounds on components³ times the number of matrices: a few seconds of one core each. Where a sequence asks for more,
its last steps are taken, and of those every second, third ... matrix is decomposed."""
LEAST_DECOMPOSED = 8
_CHUNK_BYTES = 32_000_000
_RESCALED_EVERY = 8
Builder = Callable[[slice], Tensor]


def jacobians(cell: Cell, values: Values) -> Builder:
    """The Jacobians ∂s_t/∂s_{t-1} of a recorded run.

    Args:
        cell: the cell.
        values: what ``cell.record`` returned, without the batch axis, in the order of computation.

    Returns:
        A function from a slice of steps to (step, new component, old component); the components of an LSTM are
        those of h, then those of c.
    """
    return _BUILDERS[type(cell)](cell, values)


def spectra(
    cell: Cell,
    values: Values,
    *,
    kind: str,
    part: str = "state",
    first: int = 0,
    max_product_work: float = MAX_PRODUCT_WORK,
    max_svd_work: float = MAX_SVD_WORK,
) -> Spectra:
    """Singular values of every step's Jacobian, or of the product of the last k for every k.

    Args:
        cell, values: as for ``jacobians``.
        kind: ``"steps"`` or ``"products"``.
        part: ``"state"`` or ``"cell_state"``, see ``Spectra``.
        first: first step whose Jacobian is looked at; 1 leaves out the one with respect to the zeros before all steps.
        max_product_work, max_svd_work: bounds on the work, see ``MAX_PRODUCT_WORK``.

    Raises:
        InvalidInputError: the cell has no cell state.
        UnknownNameError: kind or part is not known.
    """
    started = time.perf_counter()
    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    if part not in PARTS:
        raise unknown_name("part", part, PARTS)
    if part == "cell_state" and not cell.has_cell_state:
        raise InvalidInputError("This cell has no cell state c; its whole state is h.")
    total = len(values["hidden_state"])
    size = cell.hidden_size * (2 if cell.has_cell_state and part == "state" else 1)
    window = min(total - first, max(LEAST_DECOMPOSED, int(max_product_work / size**3)))
    if part == "cell_state":
        window = total - first
        places, logs, resolution = _kept(lstm_slopes(cell, values).keep[first:], kind, first)
    else:
        build = jacobians(cell, values)
        chosen = _chosen(window, max(LEAST_DECOMPOSED, int(max_svd_work / size**3)))
        spans = _decomposed_steps if kind == "steps" else _decomposed_products
        places, logs, resolution = spans(build, total, chosen, size)
    return Spectra(
        kind=kind,
        part=part,
        places=places,
        log_values=logs,
        resolution=resolution,
        num_steps=window,
        total_steps=total - first,
        log_bound=log_bound(cell),
        seconds=time.perf_counter() - started,
    )


def recurrent_matrix(cell: Cell) -> Tensor:
    """W_aa: of a gated cell the candidate's."""
    row = cell.block_names.index("candidate") * cell.hidden_size
    return cell.weight_hidden[row : row + cell.hidden_size].detach()


def sigma_max(matrix: Tensor) -> float:
    """Greatest singular value."""
    return float(torch.linalg.svdvals(matrix)[0])


def log_bound(cell: Cell) -> float | None:
    """log10 (max g' · σ_max(W_aa)), the most by which a step of the plain RNN multiplies a norm; None for others."""
    if not isinstance(cell, RNNCell):
        return None
    most = MAX_SLOPES[cell.activation] * sigma_max(recurrent_matrix(cell))
    return math.log10(most) if most > 0 else -math.inf


def _rnn(cell: RNNCell, values: Values) -> Builder:
    slope = rnn_slopes(cell, values)
    return lambda steps: slope[steps].unsqueeze(2) * cell.weight_hidden


def _gru(cell: Cell, values: Values) -> Builder:
    slopes = gru_slopes(cell, values)
    blocks = cell.weight_hidden.unflatten(0, (len(cell.block_names), -1))

    def build(steps: slice) -> Tensor:
        found = torch.diag_embed(slopes.keep[steps])
        for slope, weight in zip(slopes.recurrent[steps].unbind(1), blocks, strict=True):
            found = found.addcmul_(slope.unsqueeze(2), weight)
        return found

    return build


def _gru_reset_before(cell: GRUResetBeforeCell, values: Values) -> Builder:
    slopes = gru_reset_before_slopes(values)
    w_r, w_z, w_n = cell.weight_hidden.unflatten(0, (3, -1))

    def build(steps: slice) -> Tensor:
        read = torch.diag_embed(slopes.reset_gate[steps]) + slopes.reset[steps].unsqueeze(2) * w_r
        candidate = slopes.candidate[steps].unsqueeze(2) * (w_n @ read)
        return torch.diag_embed(slopes.keep[steps]) + slopes.update[steps].unsqueeze(2) * w_z + candidate

    return build


def _lstm(cell: Cell, values: Values) -> Builder:
    slopes = lstm_slopes(cell, values)
    *gates, w_o = cell.weight_hidden.unflatten(0, (4, -1))
    n = cell.hidden_size

    def build(steps: slice) -> Tensor:
        to_hidden, keep = slopes.cell_to_hidden[steps], slopes.keep[steps]
        found = keep.new_zeros(len(keep), 2 * n, 2 * n)
        for slope, weight in zip(slopes.gates[steps].unbind(1), gates, strict=True):
            found[:, n:, :n].addcmul_(slope.unsqueeze(2), weight)
        found[:, n:, n:].diagonal(dim1=1, dim2=2).copy_(keep)
        found[:, :n] = to_hidden.unsqueeze(2) * found[:, n:]
        found[:, :n, :n].addcmul_(slopes.output[steps].unsqueeze(2), w_o)
        return found

    return build


def _chosen(count: int, most: int) -> IntArray:
    """At most ``most`` of the numbers 1 to ``count``, evenly spread, both ends among them."""
    return np.unique(np.linspace(1, count, min(count, most)).round().astype(np.int64))


def _decomposed_steps(
    build: Builder, total: int, chosen: IntArray, size: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    places = np.sort(total - chosen)
    chunk = max(1, _CHUNK_BYTES // (8 * size * size))
    found = []
    for part in np.array_split(places, -(-len(places) // chunk)):
        if len(part) == part[-1] - part[0] + 1:
            matrices = build(slice(part[0], part[-1] + 1))
        else:
            matrices = torch.cat([build(slice(place, place + 1)) for place in part])
        found.append(_log_singular_values(matrices, np.zeros(len(part))))
    return places, *(np.concatenate(arrays) for arrays in zip(*found, strict=True))  # type: ignore[return-value]


def _decomposed_products(
    build: Builder, total: int, chosen: IntArray, size: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    chunk = max(1, _CHUNK_BYTES // (8 * size * size))
    product, exponent, wanted = torch.eye(size, dtype=torch.float64), 0, set(chosen.tolist())
    kept: list[Tensor] = []
    exponents: list[int] = []
    found = []
    for start in range(0, int(chosen[-1]), chunk):
        stop = min(int(chosen[-1]), start + chunk)
        matrices = build(slice(total - stop, total - start))
        for length in range(start + 1, stop + 1):
            product = product @ matrices[stop - length]
            if length % _RESCALED_EVERY == 0 and 0 < (largest := float(product.abs().max())) < math.inf:
                power = math.frexp(largest)[1]
                product, exponent = torch.ldexp(product, torch.tensor(-power)), exponent + power
            if length in wanted:
                kept.append(product)
                exponents.append(exponent)
        if kept:
            found.append(_log_singular_values(torch.stack(kept), np.array(exponents)))
            kept, exponents = [], []
    return chosen, *(np.concatenate(arrays) for arrays in zip(*found, strict=True))  # type: ignore[return-value]


def _log_singular_values(matrices: Tensor, exponents: IntArray | FloatArray) -> tuple[FloatArray, FloatArray]:
    """log10 of the singular values of matrices times 2^exponent, nan below the resolution; and that resolution."""
    values = torch.linalg.svdvals(matrices).numpy()
    size = values.shape[1]
    shift = exponents * math.log10(2.0)
    with np.errstate(divide="ignore"):
        logs = np.log10(values) + shift[:, None]
        # A singular value is known to some units in the last place of the greatest one, whatever its own size.
        resolution = np.log10(values[:, 0] * size * np.finfo(float).eps) + shift
    hidden = (logs < resolution[:, None]) & (values[:, :1] > 0)
    return np.where(hidden, np.nan, logs), resolution


def _kept(keep: Tensor, kind: str, first: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Of the diagonal ∂c_t/∂c_{t-1}: its products are products of numbers, known to the last digit at any length."""
    with np.errstate(divide="ignore"):
        logs = np.log10(np.abs(keep.detach().numpy()))
    places = np.arange(len(logs)) + first
    if kind == "products":
        logs, places = np.cumsum(logs[::-1], axis=0), np.arange(len(logs)) + 1
    return places, -np.sort(-logs, axis=1), np.full(len(logs), -np.inf)


_BUILDERS: Mapping[type[Cell], Callable[..., Builder]] = MappingProxyType(
    {
        RNNCell: _rnn,
        GRUCell: _gru,
        GRUSimplifiedCell: _gru,
        GRUResetBeforeCell: _gru_reset_before,
        LSTMCell: _lstm,
        LSTMLinearOutputCell: _lstm,
        LSTMPeepholeCell: _lstm,
    }
)
