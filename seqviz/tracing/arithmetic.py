"""How one number of a trace comes about: each weight times each input."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.models.cells import Cell, GRUCell, GRUResetBeforeCell, LSTMPeepholeCell, RNNCell
from seqviz.models.loading import LoadedModel
from seqviz.traces import LayerTrace, RecurrentTrace, Term, TermKind, UnitSum
from seqviz.types import Direction, FloatArray

_PEEPHOLE_ROWS = {"input_gate": 0, "forget_gate": 1, "output_gate": 2}


def unit_sum(
    loaded: LoadedModel,
    trace: RecurrentTrace,
    *,
    layer: int,
    direction: Direction = "forward",
    step: int,
    unit: int,
    block: str,
) -> UnitSum:
    """Takes one pre-activation apart: z = Σ_j W_x[j] x[j] + Σ_k W_h[k] h_{t-1}[k] + biases (+ peephole).

    Args:
        loaded: the model that made the trace.
        trace: the run.
        layer, direction, step, unit: which unit and when.
        block: name of one of the cell's blocks, for example ``"forget_gate"``.

    Returns:
        All addends, largest magnitude first, their float64 sum and the model's own float32 number. Where a reset gate
        scales the recurrent part, it is inside the addends: r·(W h + b) after the product, W (r ⊙ h) before it.

    Raises:
        InvalidInputError, UnknownNameError: a place outside the trace.
    """
    layer_trace = trace.layer(layer, direction)
    for field, value, count in (("step", step, len(trace)), ("unit", unit, layer_trace.num_units)):
        if not 0 <= value < count:
            raise InvalidInputError(
                "{field} is {value}; allowed is 0 to {last}.", field=field, value=value, last=count - 1
            )
    if block not in layer_trace.block_names:
        raise unknown_name("block", block, layer_trace.block_names)
    cell = loaded.model.stack.cell(layer, direction)
    block_index = layer_trace.block_names.index(block)
    terms = block_terms(cell, layer_trace, step, unit, block)
    activation, activated = block_activation(cell, layer_trace, step, unit, block)
    return UnitSum(
        model=trace.model,
        layer=layer,
        direction=direction,
        step=step,
        unit=unit,
        block=block,
        terms=tuple(sorted(terms, key=lambda term: -abs(term.product))),
        total=sum(term.product for term in sorted(terms, key=lambda term: abs(term.product))),
        pre_activation=float(layer_trace.pre_activation[step, block_index, unit]),
        activation=activation,
        activated=activated,
        snippet=_snippet(trace, cell, layer_trace, step=step, unit=unit, block=block),
    )


def block_terms(cell: Cell, trace: LayerTrace, step: int, unit: int, block: str) -> list[Term]:
    """Every addend of a pre-activation of one unit at one step, in the order input, hidden, peephole, bias."""
    row = trace.block_names.index(block) * cell.hidden_size + unit
    h, c = trace.before(step)
    hidden_weights = _float64(cell.weight_hidden[row])
    hidden_values = _float64(h)
    hidden_bias = float(cell.bias_hidden[row])
    if block == "candidate" and isinstance(cell, GRUResetBeforeCell):
        hidden_values = _float64(trace.gates["reset_gate"][step]) * hidden_values
    if block == "candidate" and isinstance(cell, GRUCell):
        reset = float(trace.gates["reset_gate"][step, unit])
        hidden_weights, hidden_bias = reset * hidden_weights, reset * hidden_bias
    terms = weighted_terms("input", _float64(cell.weight_input[row]), _float64(trace.inputs[step]))
    terms += weighted_terms("hidden", hidden_weights, hidden_values)
    if (
        isinstance(cell, LSTMPeepholeCell)
        and block in _PEEPHOLE_ROWS
        and c is not None
        and trace.cell_state is not None
    ):
        seen = trace.cell_state[step] if block == "output_gate" else c
        weight = float(cell.peephole[_PEEPHOLE_ROWS[block], unit])
        terms.append(_term("peephole", unit, weight, float(seen[unit])))
    terms.append(_term("bias", 0, float(cell.bias_input[row]) + hidden_bias, 1.0))
    return terms


def weighted_terms(kind: TermKind, weights: FloatArray, values: FloatArray) -> list[Term]:
    """One addend for each component."""
    pairs = zip(weights.tolist(), values.tolist(), strict=True)
    return [Term(kind, index, weight, value, weight * value) for index, (weight, value) in enumerate(pairs)]


def _term(kind: TermKind, index: int, weight: float, value: float) -> Term:
    return Term(kind=kind, index=index, weight=weight, value=value, product=weight * value)


def _float64(array: Any) -> FloatArray:
    return np.asarray(array, dtype=np.float64)


def block_activation(cell: Cell, trace: LayerTrace, step: int, unit: int, block: str) -> tuple[str, float]:
    """The function that a block goes through, and what it made of one unit at one step."""
    if isinstance(cell, RNNCell):
        return cell.activation, float(trace.hidden_state[step, unit])
    return "tanh" if block == "candidate" else "sigmoid", float(trace.gates[block][step, unit])


def _snippet(trace: RecurrentTrace, cell: Cell, layer_trace: LayerTrace, *, step: int, unit: int, block: str) -> str:
    """Code on top of seqviz that computes the pre-activation with PyTorch."""
    hidden = "cell.weight_hidden[row] @ h + cell.bias_hidden[row]"
    lines = []
    if block == "candidate" and isinstance(cell, (GRUCell, GRUResetBeforeCell)):
        lines.append(f'r = torch.tensor(layer.gates["reset_gate"][{step}])')
        after = f"r[{unit}] * ({hidden})"
        hidden = after if isinstance(cell, GRUCell) else hidden.replace("@ h", "@ (r * h)")
    if isinstance(cell, LSTMPeepholeCell) and block in _PEEPHOLE_ROWS:
        seen = f"layer.cell_state[{step}, {unit}]" if block == "output_gate" else f"c[{unit}]"
        hidden += f" + cell.peephole[{_PEEPHOLE_ROWS[block]}, {unit}] * {seen}"
    # A text that the model wrote itself gives the same states when it is read as typed.
    written = trace.structure == "one_to_many"
    text = "".join(trace.originals) if written else trace.text
    structure = "many_to_many" if written else trace.structure
    place = f"{layer_trace.layer}, {layer_trace.direction!r}"
    return "\n".join(
        [
            "import torch, seqviz",
            f"loaded = seqviz.load({trace.model!r})",
            f"trace = seqviz.trace(loaded, {text!r}, structure={structure!r})",
            f"layer = trace.layer({place})",
            f"cell = loaded.model.stack.cell({place})",
            f"h, c = layer.before({step})",
            f"x, h = torch.tensor(layer.inputs[{step}]), torch.tensor(h)",
            *lines,
            f"row = {layer_trace.block_names.index(block)} * cell.hidden_size + {unit}  # {block} of unit {unit}",
            f"z = cell.weight_input[row] @ x + cell.bias_input[row] + {hidden}",
            "print(z.item())",
        ]
    )
