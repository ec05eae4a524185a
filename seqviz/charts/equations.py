"""The equations of every cell and of the output (syllabus R1, R5, R6, G1 to G4), in both notations.

They say exactly what ``seqviz.models.cells`` and ``seqviz.models.sequence_model`` compute. The same equations with the
numbers of one step filled in are made by ``seqviz.charts.filled`` and ``filled_output`` and handed on here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seqviz.charts.filled import FilledEquation, Number, filled_equations
from seqviz.charts.filled_output import output_equations
from seqviz.charts.notation import Notation, Symbol, as_notation, join, symbol, weight_symbols
from seqviz.charts.writing import Place, activation_symbol, recurrent_memory
from seqviz.config import CELL_NAMES
from seqviz.errors import unknown_name
from seqviz.i18n import Translator, english, msgid
from seqviz.types import TASKS, Direction, Task

__all__ = [
    "Equation",
    "FilledEquation",
    "Number",
    "cell_equations",
    "filled_equations",
    "output_equation",
    "output_equations",
]

_MEANING = {
    "input_gate": msgid("How much of the candidate is written into the cell."),
    "forget_gate": msgid("How much of the old cell state is kept."),
    "output_gate": msgid("How much of the cell state is shown to the outside."),
    "reset_gate": msgid("How much of the old state the candidate may see."),
    "update_gate": msgid("How much of the old state is kept; the rest is overwritten."),
    "write_gate": msgid("How much of the old state is overwritten with the candidate."),
    "candidate": msgid("What could be written now, from the input and the old state."),
    "cell_state": msgid("The memory: what is kept plus what is written."),
    "hidden_state": msgid("What the cell hands on: to the next step, to the layer above, to the output."),
}
_RNN_MEANING = msgid("The new state: the old state and the input, weighted, added and squashed.")
_GRU_MEANING = msgid("The new state: a mixture of the old state and the candidate.")
_SAME_MEANING = msgid("In a GRU the memory and what the cell hands on are the same.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """One equation of a cell or of the output.

    Args:
        name: the quantity on the left, as in ``seqviz.charts.notation.QUANTITIES``.
        latex: for KaTeX.
        text: plain Unicode.
        says: what it says, in one short sentence.
    """

    name: str
    latex: str
    text: str
    says: str


def cell_equations(
    cell: str,
    *,
    notation: Notation,
    layer: int | None = None,
    direction: Direction | None = None,
    both_below: bool = False,
    t: Translator = english,
) -> tuple[Equation, ...]:
    """The equations of a cell in the order in which they are computed.

    Args:
        cell: one of ``seqviz.config.CELL_NAMES``.
        notation: ``"ng"`` or ``"d2l"``.
        layer: writes the number of the layer, counted from 0, and the layer below as input; None for a single layer.
        direction: draws arrows, and lets a backward layer start from the step behind; None for a one-way network.
        both_below: the layer below runs both ways.
        t: the reader's language.

    Returns:
        One equation for each gate, the candidate, the cell state and the hidden state.

    Raises:
        UnknownNameError: an unknown cell or notation.
    """
    if cell not in CELL_NAMES:
        raise unknown_name("cell", cell, CELL_NAMES)
    place = Place(
        notation=as_notation(notation),
        cell=cell,
        layer=layer,
        direction=direction,
        both_below=both_below,
        backward=direction == "backward",
    )
    if cell.startswith("rnn_"):
        return (_equation("hidden_state", place.now("hidden_state"), (_rnn_right(place),), t(_RNN_MEANING)),)
    if cell.startswith("gru"):
        return _gru_equations(place, t)
    return _lstm_equations(place, t)


def _equation(name: str, left: Symbol, right: tuple[Symbol | str, ...], says: str) -> Equation:
    whole = join(left, " = ", *right)
    return Equation(name=name, latex=whole.latex, text=whole.text, says=says)


def _rnn_right(place: Place) -> Symbol:
    inner = _weighted(place, "candidate", place.before("hidden_state"), stacked=False)
    activation = activation_symbol(place.cell, "candidate")
    return join(f"{activation}(", inner, ")") if activation else inner


def _weighted(
    place: Place, block: str, state: Symbol, *, stacked: bool = True, peephole: Symbol | None = None
) -> Symbol:
    """W_u[a, x] + b_u, or X W_xi + H W_hi + b_i."""
    weights = weight_symbols(block, notation=place.notation, cell=place.cell)
    extra: tuple[Symbol | str, ...] = () if peephole is None else (weights.peephole, " ⊙ ", peephole, " + ")
    if place.notation == "d2l":
        state = join("(", state, ")") if "⊙" in state.text else state
        products = (place.input(), " ", weights.input, " + ", state, " ", weights.hidden)
        return join(*products, " + ", *extra, weights.bias)
    if stacked and weights.stacked is not None:
        return join(weights.stacked, "[", state, ", ", place.input(), "] + ", *extra, weights.bias)
    return join(weights.hidden, " ", state, " + ", weights.input, " ", place.input(), " + ", *extra, weights.bias)


def _gru_equations(place: Place, t: Translator) -> tuple[Equation, ...]:
    ng, cell = place.notation == "ng", place.cell
    memory = recurrent_memory(place)
    old, update = place.before(memory), "write_gate" if ng else "update_gate"
    equations = []
    if cell != "gru_simplified":
        equations.append(_gate_equation(place, "reset_gate", "reset_gate", old, t=t))
    equations.append(_gate_equation(place, update, "update_gate", old, t=t))
    equations.append(
        _equation("candidate", place.now("candidate"), (_gru_candidate(place, old),), t(_MEANING["candidate"]))
    )
    equations.append(_equation("hidden_state", place.now(memory), (_gru_mixture(place),), t(_GRU_MEANING)))
    if ng:
        equations.append(
            _equation("hidden_state", place.now("hidden_state"), (place.now("cell_state"),), t(_SAME_MEANING))
        )
    return tuple(equations)


def _gate_equation(
    place: Place, name: str, block: str, state: Symbol, *, t: Translator, peephole: Symbol | None = None
) -> Equation:
    right = ("σ(", _weighted(place, block, state, peephole=peephole), ")")
    return _equation(name, place.now(name), right, t(_MEANING[name]))


def _gru_candidate(place: Place, old: Symbol) -> Symbol:
    reset = place.now("reset_gate")
    if place.cell == "gru_simplified":
        return join("tanh(", _weighted(place, "candidate", old), ")")
    if place.cell == "gru_reset_before":
        return join("tanh(", _weighted(place, "candidate", join(reset, " ⊙ ", old)), ")")
    weights = weight_symbols("candidate", notation=place.notation, cell=place.cell)
    x = place.input()
    if place.notation == "ng":
        inputs, recurrent = join(weights.input, " ", x), join(weights.hidden, " ", old)
    else:
        inputs, recurrent = join(x, " ", weights.input), join(old, " ", weights.hidden)
    return join(
        "tanh(", inputs, " + ", weights.bias_input, " + ", reset, " ⊙ (", recurrent, " + ", weights.bias_hidden, "))"
    )


def _gru_mixture(place: Place) -> Symbol:
    memory, candidate = recurrent_memory(place), place.now("candidate")
    old = place.before(memory)
    if place.notation == "ng":
        gate = place.now("write_gate")
        return join(gate, " ⊙ ", candidate, " + (1 − ", gate, ") ⊙ ", old)
    gate = place.now("update_gate")
    return join(gate, " ⊙ ", old, " + (1 − ", gate, ") ⊙ ", candidate)


def _lstm_equations(place: Place, t: Translator) -> tuple[Equation, ...]:
    old, peephole = place.before("hidden_state"), place.cell == "lstm_peephole"
    equations = {
        name: _gate_equation(place, name, name, old, t=t, peephole=place.before("cell_state") if peephole else None)
        for name in ("input_gate", "forget_gate")
    }
    equations["output_gate"] = _gate_equation(
        place, "output_gate", "output_gate", old, t=t, peephole=place.now("cell_state") if peephole else None
    )
    equations["candidate"] = _equation(
        "candidate",
        place.now("candidate"),
        ("tanh(", _weighted(place, "candidate", old), ")"),
        t(_MEANING["candidate"]),
    )
    equations["cell_state"] = _equation(
        "cell_state", place.now("cell_state"), (_lstm_memory(place),), t(_MEANING["cell_state"])
    )
    equations["hidden_state"] = _equation(
        "hidden_state", place.now("hidden_state"), (_lstm_output(place),), t(_MEANING["hidden_state"])
    )
    # With peepholes the output gate looks at the new cell state, so it comes after it.
    order = ["input_gate", "forget_gate", "output_gate", "candidate", "cell_state", "hidden_state"]
    if place.notation == "ng":
        order = ["candidate", "input_gate", "forget_gate", "output_gate", "cell_state", "hidden_state"]
    if peephole:
        order.remove("output_gate")
        order.insert(-1, "output_gate")
    return tuple(equations[name] for name in order)


def _lstm_memory(place: Place) -> Symbol:
    write = (place.now("input_gate"), " ⊙ ", place.now("candidate"))
    keep = (place.now("forget_gate"), " ⊙ ", place.before("cell_state"))
    first, second = (write, keep) if place.notation == "ng" else (keep, write)
    return join(*first, " + ", *second)


def _lstm_output(place: Place) -> Symbol:
    state = place.now("cell_state")
    inner = state if place.cell == "lstm_linear_output" else join("tanh(", state, ")")
    return join(place.now("output_gate"), " ⊙ ", inner)


_OUTPUT_MEANING: Mapping[Task, str] = MappingProxyType(
    {
        "language_model": msgid("The probability of every token that may come next."),
        "tagging": msgid("The probability of every tag of this word."),
        "classification": msgid("The probability of every class, read from the last state."),
    }
)


def output_equation(
    task: Task,
    *,
    cell: str,
    notation: Notation,
    num_layers: int = 1,
    bidirectional: bool = False,
    t: Translator = english,
) -> Equation:
    """How the outputs come from the top layer's states (syllabus R1, R5, R6).

    Args:
        task: one of ``seqviz.types.TASKS``; a classifier reads the last state of each direction.
        cell: one of ``seqviz.config.CELL_NAMES``.
        notation: ``"ng"`` or ``"d2l"``.
        num_layers: of the model; with more than one the state carries the number of the top layer.
        bidirectional: the two directions' states stand side by side.
        t: the reader's language.

    Raises:
        UnknownNameError: an unknown task, cell or notation.
    """
    if task not in TASKS:
        raise unknown_name("task", task, TASKS)
    last = task == "classification"
    layer = num_layers - 1 if num_layers > 1 else None

    def written(quantity: str, time: str | None, direction: Direction | None = None) -> Symbol:
        level = layer if quantity == "hidden_state" else None
        return symbol(quantity, notation=as_notation(notation), cell=cell, time=time, layer=level, direction=direction)

    if bidirectional:
        forward = written("hidden_state", "T" if last else "t", "forward")
        state = join("[", forward, ", ", written("hidden_state", "1" if last else "t", "backward"), "]")
    else:
        state = written("hidden_state", "T" if last else "t")
    weights = weight_symbols("output", notation=notation, cell=cell)
    if notation == "d2l":
        inner = join(state, " ", weights.hidden, " + ", weights.bias)
    else:
        matrix = weights.stacked if bidirectional and weights.stacked is not None else weights.hidden
        inner = join(matrix, " ", state, " + ", weights.bias)
    left = written("output", None if last else "t")
    return _equation("output", left, ("softmax(", inner, ")"), t(_OUTPUT_MEANING[task]))
