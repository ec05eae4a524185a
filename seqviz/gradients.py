"""Frozen results of a backward pass: numpy float64 arrays that cannot be written to, and plain values. No torch here.

Shapes are given in the axis names of ``seqviz.types``; row t belongs to token t, in the order of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqviz.errors import unknown_name
from seqviz.traces import freeze
from seqviz.types import Direction, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerGradients:
    """What reached one recurrent layer in one direction.

    Args:
        layer, direction: as in the layer's LayerTrace.
        block_names: names of the blocks of ``pre_activation``.
        hidden_state: ∂L/∂h_t, everything that reaches h_t, (step, unit).
        cell_state: ∂L/∂c_t, (step, unit); None for cells without one.
        hidden_handed_back: what step t hands to the state that it read, (step, unit); the first step that was computed
            hands it to the zeros before it.
        cell_handed_back: the same for the cell state; None for cells without one.
        pre_activation: δ_t, (step, block, unit).
        inputs: ∂L/∂ of the layer's input through this direction, (step, embedding or unit of the layer below).
    """

    layer: int
    direction: Direction
    block_names: tuple[str, ...]
    hidden_state: FloatArray
    cell_state: FloatArray | None
    hidden_handed_back: FloatArray
    cell_handed_back: FloatArray | None
    pre_activation: FloatArray
    inputs: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightGradient:
    """∂L/∂W of one weight matrix that all steps share, as the sum of what each step adds (syllabus B2).

    Args:
        name: ``"weight_hidden"`` (W_aa), ``"weight_input"`` (W_ax) or ``"weight_output"`` (W_ya).
        layer, direction: whose matrix; the output's is that of the last layer, forward.
        step_norms: L2 norm of what step t adds, (step,).
        running_norms: L2 norm of the sum from the last step computed back to step t, (step,).
        agreement: cosine between what step t adds and the whole gradient, (step,); 0 where step t adds nothing.
        tiles: what step t adds, averaged over tiles of the matrix, (step, row tile, column tile).
        total_tiles: the whole gradient, averaged over the same tiles.
        shape: (rows, columns) of the matrix.
        total_norm: L2 norm of the whole gradient.
        autograd_norm: L2 norm of the gradient that autograd finds.
        difference: greatest |ours - autograd's| of an entry, divided by autograd's greatest entry.
    """

    name: str
    layer: int
    direction: Direction
    step_norms: FloatArray
    running_norms: FloatArray
    agreement: FloatArray
    tiles: FloatArray
    total_tiles: FloatArray
    shape: tuple[int, int]
    total_norm: float
    autograd_norm: float
    difference: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BackwardTrace:
    """Everything that one backward pass through time computed, in float64.

    Args:
        model: name of the checkpoint.
        originals: the pieces of the text as they were written.
        loss_steps: steps whose losses are added up to L.
        target_names: the right label at each of ``loss_steps``.
        multiplier: factor on the error of the last of ``loss_steps`` (syllabus B3).
        losses: loss of every step in nats, (step,), without the multiplier; nan where the target is not known.
        loss: L in nats, the multiplier included.
        outputs: ∂L/∂logits, norms only, (step,).
        embeddings: ∂L/∂x_t, (step, embedding).
        layers: by layer, forward before backward.
        weights: the shared matrices; empty if they were not asked for.
        seconds: what the run took in the worker.
    """

    model: str
    originals: tuple[str, ...]
    loss_steps: tuple[int, ...]
    target_names: tuple[str, ...]
    multiplier: float
    losses: FloatArray
    loss: float
    outputs: FloatArray
    embeddings: FloatArray
    layers: tuple[LayerGradients, ...]
    weights: tuple[WeightGradient, ...]
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)

    def __len__(self) -> int:
        return len(self.originals)

    def layer(self, layer: int, direction: Direction = "forward") -> LayerGradients:
        """One layer in one direction; raises UnknownNameError if there is none."""
        for gradients in self.layers:
            if gradients.layer == layer and gradients.direction == direction:
                return gradients
        raise unknown_name("layer", f"{layer} {direction}", [f"{g.layer} {g.direction}" for g in self.layers])

    def norms(self, layer: int, direction: Direction = "forward") -> dict[str, FloatArray]:
        """L2 norms at every step, (step,): hidden_state, cell_state (where there is one) and embedding."""
        gradients = self.layer(layer, direction)
        states = {"hidden_state": gradients.hidden_state, "cell_state": gradients.cell_state}
        found = {name: np.linalg.norm(array, axis=1) for name, array in states.items() if array is not None}
        return {**found, "embedding": np.linalg.norm(self.embeddings, axis=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a language model makes of "The cat, which ..., was" as the clause grows (syllabus B4).

    Args:
        model: name of the checkpoint.
        cell: its cell.
        subjects: singular and plural.
        verbs: the singular's and the plural's.
        clause: all words of the clause; entry k of the arrays stands behind the first k of them.
        unknown: words of the clause that are not in the vocabulary.
        log_probs: ln P(verb) behind the text, (subject, length, verb).
        subject_state: ‖∂(ln P(was) - ln P(were))/∂h‖ at the subject, first layer, (subject, length).
        subject_embedding: the same for the subject's word vector, (subject, length).
        seconds: what it took in the worker.
    """

    model: str
    cell: str
    subjects: tuple[str, str]
    verbs: tuple[str, str]
    clause: tuple[str, ...]
    unknown: tuple[str, ...]
    log_probs: FloatArray
    subject_state: FloatArray
    subject_embedding: FloatArray
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def log_ratio(self) -> FloatArray:
        """ln P(was)/P(were), (subject, length); above 0 the model says the singular's verb."""
        return np.asarray(self.log_probs[:, :, 0] - self.log_probs[:, :, 1])

    @property
    def right(self) -> FloatArray:
        """1 where the subject's own verb is the more probable one, else 0; (subject, length)."""
        return np.stack([self.log_ratio[0] > 0, self.log_ratio[1] < 0]).astype(float)


GradientSource = Literal["output", "above", "later", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientTerm:
    """One addend of ∂L/∂h_t[unit]: weight times error.

    Args:
        source: ``"output"``: an output of step t; ``"above"``: a pre-activation of the layer above at step t;
            ``"later"``: a pre-activation of this layer at the step that read h_t; ``"kept"``: the gradient of the state
            that kept h_t through the update gate of a GRU.
        block: of a pre-activation, else empty.
        direction: of the layer above.
        index: number of the output or unit.
        label: of the output, else empty.
        weight: what the forward pass multiplied h_t[unit] with, slopes of reset gates included.
        error: ∂L/∂ of what it went into.
        product: weight · error.
    """

    source: GradientSource
    block: str
    direction: Direction
    index: int
    label: str
    weight: float
    error: float
    product: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientSum:
    """How one ∂L/∂h_t[unit] comes about (syllabus B2).

    Args:
        model, layer, direction, step, unit: which number it is.
        terms: the addends of largest magnitude, the largest first; at most ``KEPT_TERMS``.
        num_terms: of all addends that are not 0.
        from_outputs, from_above, from_later: what the outputs, the layer above and the step that read h_t add up to.
        total: their sum.
        deltas: δ of each block of this unit at this step, by name.
        cell_gradient: ∂L/∂c_t[unit]; None for cells without one.
        snippet: code that prints ``total``.
    """

    model: str
    layer: int
    direction: Direction
    step: int
    unit: int
    terms: tuple[GradientTerm, ...]
    num_terms: int
    from_outputs: float
    from_above: float
    from_later: float
    total: float
    deltas: dict[str, float]
    cell_gradient: float | None
    snippet: str
