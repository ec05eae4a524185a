"""One unit through all steps: every pre-activation split into what comes from the input, the state and the bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqviz.errors import InvalidInputError
from seqviz.gates import UnitCourse
from seqviz.models.cells import Cell, GRUCell, GRUResetBeforeCell, LSTMPeepholeCell
from seqviz.models.loading import LoadedModel
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import Direction, FloatArray

_PEEPHOLE_ROWS = {"input_gate": 0, "forget_gate": 1, "output_gate": 2}


def unit_course(
    loaded: LoadedModel, trace: RecurrentTrace, *, layer: int, direction: Direction = "forward", unit: int
) -> UnitCourse:
    """Splits all pre-activations of one unit, in float64.

    Args:
        loaded: the model that made the trace.
        trace: the run.
        layer, direction, unit: which unit.

    Raises:
        InvalidInputError, UnknownNameError: a place outside the trace.
    """
    part = trace.layer(layer, direction)
    if not 0 <= unit < part.num_units:
        raise InvalidInputError(
            "{field} is {value}; allowed is 0 to {last}.", field="unit", value=unit, last=part.num_units - 1
        )
    cell = loaded.model.stack.cell(layer, direction)
    h, c = _before(part)
    parts = {block: _parts(cell, part, block, unit, h, c) for block in part.block_names}
    recurrent = None
    if isinstance(cell, (GRUCell, GRUResetBeforeCell)):
        recurrent = _recurrent(cell, part, "candidate", unit, h)
    peephole = None
    if isinstance(cell, LSTMPeepholeCell):
        p_i, p_f, p_o = (float(weights[unit]) for weights in cell.peephole)
        peephole = (p_i, p_f, p_o)
    return UnitCourse(
        model=trace.model,
        layer=layer,
        direction=direction,
        cell=part.cell,
        unit=unit,
        parts=parts,
        recurrent=recurrent,
        peephole=peephole,
    )


def _before(part: LayerTrace) -> tuple[FloatArray, FloatArray | None]:
    """The states that every step starts from, each (step, unit), float64."""
    pairs = [part.before(step) for step in range(len(part.hidden_state))]
    h = _float64(np.stack([h for h, _ in pairs]))
    cells = [c for _, c in pairs if c is not None]
    return h, _float64(np.stack(cells)) if cells else None


def _parts(
    cell: Cell, part: LayerTrace, block: str, unit: int, h: FloatArray, c: FloatArray | None
) -> dict[str, FloatArray]:
    row = part.block_names.index(block) * cell.hidden_size + unit
    steps = len(h)
    found: dict[str, FloatArray] = {"input": _float64(part.inputs) @ _float64(cell.weight_input[row])}
    bias = float(cell.bias_input[row])
    scaled = block == "candidate" and isinstance(cell, (GRUCell, GRUResetBeforeCell))
    if scaled and isinstance(cell, GRUCell):
        found["hidden"] = _float64(part.gates["reset_gate"][:, unit]) * _recurrent(cell, part, block, unit, h)
    elif scaled:
        found["hidden"] = (_float64(part.gates["reset_gate"]) * h) @ _float64(cell.weight_hidden[row])
        bias += float(cell.bias_hidden[row])
    else:
        found["hidden"] = h @ _float64(cell.weight_hidden[row])
        bias += float(cell.bias_hidden[row])
    if isinstance(cell, LSTMPeepholeCell) and block in _PEEPHOLE_ROWS and c is not None:
        seen = _float64(part.cell_state) if block == "output_gate" else c
        found["peephole"] = float(cell.peephole[_PEEPHOLE_ROWS[block], unit]) * seen[:, unit]
    found["bias"] = np.full(steps, bias)
    return found


def _recurrent(cell: Cell, part: LayerTrace, block: str, unit: int, h: FloatArray) -> FloatArray:
    """W h_{t-1} + b of a block, before any reset gate, (step,)."""
    row = part.block_names.index(block) * cell.hidden_size + unit
    return np.asarray(h @ _float64(cell.weight_hidden[row]) + float(cell.bias_hidden[row]))


def _float64(array: Any) -> FloatArray:
    return np.asarray(array, dtype=np.float64)
