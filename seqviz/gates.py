"""Frozen results about gates and units: how one unit's sums come about, who carries number, how fast models run.

No torch here. Arrays are in the axis order of ``seqviz.types``.
"""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.traces import freeze
from seqviz.types import Direction, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCourse:
    """One unit through all steps: what goes into its gates, and from where.

    Args:
        model, layer, direction, cell, unit: which one.
        parts: for each block of the cell the addends of its pre-activation by kind, each (step,), float64:
            ``"input"`` W_x x, ``"hidden"`` what comes of h_{t-1}, ``"peephole"``, ``"bias"``. Where a reset gate scales
            the recurrent part it is inside ``"hidden"``: r·(W h + b) after the product, W (r ⊙ h) before it.
        recurrent: a GRU's W h_{t-1} + b before the reset gate acts on it, (step,); None for other cells.
        peephole: p_i, p_f and p_o of the unit; None for cells without them.
    """

    model: str
    layer: int
    direction: Direction
    cell: str
    unit: int
    parts: dict[str, dict[str, FloatArray]]
    recurrent: FloatArray | None
    peephole: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUnit:
    """A unit as a detector of the subject's number, read at the word before the verb.

    Args:
        layer, quantity, unit: where it is read.
        threshold: between singular and plural, half-way between their means on the search pairs.
        plural_above: whether plurals lie above it.
        effect: distance of the two means over the pooled standard deviation, search pairs.
        search_auc, auc: probability that a plural lies on its side of a singular, search and held-out pairs.
        search_accuracy, accuracy: share of sentences on the right side of the threshold.
    """

    layer: int
    quantity: str
    unit: int
    threshold: float
    plural_above: bool
    effect: float
    search_auc: float
    auc: float
    search_accuracy: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUnits:
    """The units of a word language model that carry number from the subject to the verb (syllabus B4, G5).

    Args:
        model, cell: which one.
        searched: units and quantities that were compared.
        best: the best of them on the search pairs, the best first.
        search_pairs, held_out_pairs: pairs whose words the model knows.
        median_accuracy: held-out accuracy of the median unit.
        verb_accuracy: share of held-out sentences in which the model itself holds the right verb for likelier.
        words: of the example sentence, the subject in the singular.
        courses: of each unit of ``best`` through the example, (unit, number, step); number 0 is the singular.
        seconds: what it took in the worker.
    """

    model: str
    cell: str
    searched: int
    best: tuple[NumberUnit, ...]
    search_pairs: int
    held_out_pairs: int
    median_accuracy: float
    verb_accuracy: float
    words: tuple[str, ...]
    courses: FloatArray
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast a model reads, measured beside others.

    Args:
        model: which one.
        seconds: processor time, median of a forward pass over ``steps`` pieces, batch 1.
        steps: pieces a pass.
        fused: whether torch has a fused kernel for its cell.
    """

    model: str
    seconds: float
    steps: int
    fused: bool
