"""Frozen results of a model run: numpy arrays that cannot be written to, and plain values. No torch here.

Shapes are given in the axis names of ``seqviz.types``. Arrays of a backward direction are in the order of the text:
row t belongs to token t, and the state before it is row t + 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.types import Direction, FloatArray, IntArray, Task

Structure = Literal["one_to_one", "one_to_many", "many_to_one", "many_to_many"]
STRUCTURES: tuple[Structure, ...] = ("one_to_one", "one_to_many", "many_to_one", "many_to_many")

_STRUCTURES_OF_TASK: dict[Task, tuple[Structure, ...]] = {
    "language_model": ("many_to_many", "one_to_many", "many_to_one", "one_to_one"),
    "classification": ("many_to_one", "one_to_one"),
    "tagging": ("many_to_many", "one_to_one"),
}


def structures_of(task: Task) -> tuple[Structure, ...]:
    """The structure types that a task's models can show, the natural one first."""
    return _STRUCTURES_OF_TASK[task]


NO_TARGET = -1
"""Target of a step whose right output is not known."""


def freeze(value: Any) -> Any:
    """Makes every array inside a result read-only, in place, and returns the result."""
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            freeze(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            freeze(item)
    elif isinstance(value, (tuple, list)) and value and not isinstance(value[0], (str, int, float)):
        for item in value:
            freeze(item)
    return value


def num_bytes(value: Any) -> int:
    """Memory of all arrays and strings inside a result, in bytes (small objects are counted as 64)."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, str):
        return len(value) + 49
    if is_dataclass(value) and not isinstance(value, type):
        return sum(num_bytes(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, dict):
        value = (*value, *value.values())
    if isinstance(value, (tuple, list)):
        if set(map(type, value)) == {str}:  # the labels of a language model are tens of thousands
            return sum(map(len, value)) + 49 * len(value)
        return sum(num_bytes(item) for item in value)
    return 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTrace:
    """One recurrent layer in one direction.

    Args:
        layer: 0 reads the embeddings.
        direction: ``"forward"`` or ``"backward"``.
        cell: name of the cell, one of ``seqviz.config.CELL_NAMES``.
        block_names: names of the blocks of ``pre_activation``.
        inputs: x of this layer, (step, embedding or unit of the layer below).
        pre_activation: what goes into σ, tanh or g, (step, block, unit).
        gates: activated blocks by name, each (step, unit); empty for a plain recurrent cell, whose only activated
            block is its hidden state.
        cell_state: c, (step, unit); None for cells without one.
        hidden_state: h, (step, unit).
        first: what the direction's first step starts from: h_0 and c_0, each (unit,), c_0 None for cells without one;
            None for zeros.
    """

    layer: int
    direction: Direction
    cell: str
    block_names: tuple[str, ...]
    inputs: FloatArray
    pre_activation: FloatArray
    gates: dict[str, FloatArray]
    cell_state: FloatArray | None
    hidden_state: FloatArray
    first: tuple[FloatArray, FloatArray | None] | None = None

    @property
    def num_units(self) -> int:
        """Units of this layer and direction."""
        return int(self.hidden_state.shape[1])

    def quantities(self) -> dict[str, FloatArray]:
        """Everything that is (step, unit), by name: gates, cell state, hidden state."""
        cell = {} if self.cell_state is None else {"cell_state": self.cell_state}
        return {**self.gates, **cell, "hidden_state": self.hidden_state}

    def before(self, step: int) -> tuple[FloatArray, FloatArray | None]:
        """What a step starts from: (h, c), ``first`` at the direction's first step; c is None without one."""
        source = step - 1 if self.direction == "forward" else step + 1
        if 0 <= source < len(self.hidden_state):
            return self.hidden_state[source], None if self.cell_state is None else self.cell_state[source]
        if self.first is not None:
            return self.first
        zero = np.zeros(self.num_units, self.hidden_state.dtype)
        return zero, None if self.cell_state is None else zero


_BLOCK = 64


def largest(values: FloatArray, count: int) -> IntArray:
    """Places of the greatest values, the greatest first, equals by their place, (at most count,).

    As the beginning of a stable sort, without sorting all: a vocabulary has tens of thousands of entries.
    """
    known = np.arange(len(values))
    blocks = values[: len(values) - len(values) % _BLOCK].reshape(-1, _BLOCK)
    if 0 < count <= len(blocks):
        # So many blocks have a value as great, so each of the greatest values is.
        least = np.partition(blocks.max(1), len(blocks) - count)[len(blocks) - count]
        known = np.flatnonzero(values >= least)
    return known[np.argsort(-values[known], kind="stable")][:count]


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentTrace:
    """Everything that a recurrent model computed on a text.

    Args:
        model: name of the checkpoint, or of the model's class for a model without one.
        task: what the outputs mean.
        structure: which of the syllabus' structure types this run is (R3).
        text: as it was typed.
        pieces: vocabulary entries, ``<unk>`` where there is none.
        originals: the pieces as they were written.
        ids: (step,) index of each piece in the vocabulary.
        fed_back: number of the first step whose input is the model's own output (one-to-many); the number of steps
            if there is none.
        embeddings: (step, embedding).
        layers: by layer, forward before backward.
        labels: names of the outputs.
        logits: (step, label). Language model: for the token at step + 1. Tagging: for this token. Classification:
            the verdict if the text ended here; the last row is the model's answer.
        targets: (step,) index of the right label, ``NO_TARGET`` where it is not known.
        seconds: what the run took in the worker.
    """

    model: str
    task: Task
    structure: Structure
    text: str
    pieces: tuple[str, ...]
    originals: tuple[str, ...]
    ids: IntArray
    fed_back: int
    embeddings: FloatArray
    layers: tuple[LayerTrace, ...]
    labels: tuple[str, ...]
    logits: FloatArray
    targets: IntArray
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def log_probs(self) -> FloatArray:
        """log softmax of the logits, nats, (step, label)."""
        return _log_softmax(self.logits)

    def log_probs_at(self, step: int) -> FloatArray:
        """One row of ``log_probs``, (label,): what a page asks for at every step of a large vocabulary."""
        return _log_softmax(self.logits[step])

    @property
    def probabilities(self) -> FloatArray:
        """Softmax of the logits, (step, label)."""
        return np.exp(self.log_probs)

    @property
    def losses(self) -> FloatArray:
        """-log P(target) of each step in nats, (step,); nan where the target is not known."""
        known = self.targets != NO_TARGET
        losses = np.full(len(self), np.nan, self.logits.dtype)
        losses[known] = -self.log_probs[np.flatnonzero(known), self.targets[known]]
        return losses

    def layer(self, layer: int, direction: Direction = "forward") -> LayerTrace:
        """One layer in one direction; raises InvalidInputError if there is none."""
        for trace in self.layers:
            if trace.layer == layer and trace.direction == direction:
                return trace
        known = [f"{trace.layer} {trace.direction}" for trace in self.layers]
        raise unknown_name("layer", f"{layer} {direction}", known)

    def top(self, step: int, count: int = 5) -> list[tuple[str, float]]:
        """The most probable labels after a step with their probabilities, the most probable first."""
        if not 0 <= step < len(self):
            raise InvalidInputError("step is {step}; allowed is 0 to {last}.", step=step, last=len(self) - 1)
        row = self.log_probs_at(step)
        return [(self.labels[i], float(np.exp(row[i]))) for i in largest(row, count)]

    def rows(self) -> Iterator[dict[str, object]]:
        """Every number as a row for a table: layer, direction, step, token, quantity, unit, value."""
        for trace in self.layers:
            parts = dict(trace.quantities())
            for index, name in enumerate(trace.block_names):
                parts[f"pre_activation.{name}"] = trace.pre_activation[:, index]
            for name, array in parts.items():
                for step, token in enumerate(self.originals):
                    for unit, value in enumerate(array[step]):
                        yield {
                            "layer": trace.layer,
                            "direction": trace.direction,
                            "step": step,
                            "token": token,
                            "quantity": name,
                            "unit": unit,
                            "value": str(value),
                        }


TermKind = Literal["input", "hidden", "peephole", "bias"]


class Term(NamedTuple):
    """One addend of a pre-activation: weight times value; a tuple, for a sum has up to some thousands.

    Args:
        kind: where the value comes from.
        index: component of the input or unit of the state before; 0 for a bias.
        weight, value, product: product = weight · value; a bias has value 1.
    """

    kind: TermKind
    index: int  # type: ignore[assignment]  # nobody asks an addend where a value stands in it
    weight: float
    value: float
    product: float


def plain_snippet(terms: Sequence[Term]) -> str:
    """Code with all numbers in it: products of weights and values, summed in float64."""
    weights = ", ".join(repr(term.weight) for term in terms)
    values = ", ".join(repr(term.value) for term in terms)
    return (
        "import torch\n"
        f"weights = torch.tensor([{weights}], dtype=torch.float64)\n"
        f"values = torch.tensor([{values}], dtype=torch.float64)\n"
        "print((weights @ values).item())"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSum:
    """How one pre-activation of one unit comes about.

    Args:
        model, layer, direction, step, unit, block: which number it is; ``block`` is a name of the cell's blocks.
        terms: all addends, those of largest magnitude first.
        total: their sum, added up in float64.
        pre_activation: the model's own float32 number.
        activation: ``"sigmoid"``, ``"tanh"`` or the name of the plain cell's function.
        activated: what the activation makes of it, from the model.
        snippet: PyTorch code on top of seqviz that prints the pre-activation.
    """

    model: str
    layer: int
    direction: Direction
    step: int
    unit: int
    block: str
    terms: tuple[Term, ...]
    total: float
    pre_activation: float
    activation: str
    activated: float
    snippet: str

    @property
    def plain_snippet(self) -> str:
        """PyTorch code with all numbers in it, without seqviz."""
        return plain_snippet(self.terms)
