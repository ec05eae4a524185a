"""Training runs with and without gradient clipping (syllabus B5): what one is set up with, and what it says. No torch.

A run trains several *variants* of one model in lockstep: the same first weights, the same batches, the same seed; only
the clipping differs. Arrays cannot be written to; losses are in nats (next symbol) or squared (adding problem).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.i18n import msgid
from seqviz.traces import freeze
from seqviz.types import FloatArray, IntArray

LongTask = Literal["adding", "copy", "text"]
LONG_TASKS: tuple[LongTask, ...] = ("adding", "copy", "text")
Clipping = Literal["none", "norm", "value"]
CLIPPINGS: tuple[Clipping, ...] = ("none", "norm", "value")
OPTIMISERS = ("sgd", "adam")
INITIALISATIONS = ("uniform", "orthogonal", "identity")
RUN_CELLS = ("rnn_tanh", "rnn_relu", "rnn_leaky_relu", "rnn_elu", "rnn_logistic", "gru", "lstm")
MAX_VARIANTS = 6
"""Lines that a reader can still tell apart; forks included."""

COPIED_SYMBOLS, COPY_ALPHABET = 5, 8
MAX_TEXT = 1000
MIN_TEXT = 20
LIMITS = {
    "hidden_size": (2, 128),
    "length": (5, 400),
    "batch_size": (1, 128),
    "learning_rate": (1e-5, 10.0),
    "threshold": (1e-4, 1000.0),
    "value_threshold": (1e-6, 1000.0),
    "steps": (10, 5000),
    "seed": (0, 999_999),
}
FIELD_NAMES = {
    "hidden_size": msgid("Units"),
    "length": msgid("Length"),
    "batch_size": msgid("Sequences a step"),
    "learning_rate": msgid("Learning rate"),
    "threshold": msgid("θ of the norm"),
    "value_threshold": msgid("θ of the values"),
    "steps": msgid("Steps"),
    "seed": msgid("Seed"),
}
MEASURES = ("loss", "grad_norm", "update_norm", "weight_norm", "clipped")
"""Columns of ``StepChunk.values``; ``update_norm`` is the gradient's norm after clipping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClippingConfig:
    """What a run is set up with.

    Args:
        task: ``"adding"`` (Hochreiter and Schmidhuber 1997), ``"copy"`` (copy memory) or ``"text"`` (next character).
        text: what ``"text"`` learns; not used by the others.
        cell: one of ``RUN_CELLS``.
        initialisation: of the matrix from state to state: ``"uniform"`` as torch does, ``"orthogonal"``, or
            ``"identity"`` (Le et al. 2015); all else as torch does.
        hidden_size: units.
        length: adding: numbers in a row; copy: steps between reading and writing; text: characters in a row.
        batch_size: sequences a step.
        learning_rate: of every step.
        optimiser: ``"sgd"`` or ``"adam"``.
        variants: which ways of clipping run side by side, at least one.
        threshold: θ of g <- min(1, θ/‖g‖) g.
        value_threshold: bound of every component, for clipping by value.
        steps: at most.
        seed: of weights and data.
    """

    task: LongTask = "adding"
    text: str = ""
    cell: str = "rnn_relu"
    initialisation: str = "orthogonal"
    hidden_size: int = 32
    length: int = 30
    batch_size: int = 32
    learning_rate: float = 0.3
    optimiser: str = "sgd"
    variants: tuple[Clipping, ...] = CLIPPINGS
    threshold: float = 0.25
    value_threshold: float = 0.02
    steps: int = 3000
    seed: int = 1

    def __post_init__(self) -> None:
        for field, value, known in (
            ("task", self.task, LONG_TASKS),
            ("cell", self.cell, RUN_CELLS),
            ("initialisation", self.initialisation, INITIALISATIONS),
            ("optimiser", self.optimiser, OPTIMISERS),
            *(("clipping", variant, CLIPPINGS) for variant in self.variants),
        ):
            if value not in known:
                raise unknown_name(field, value, known)
        if not self.variants or len(set(self.variants)) < len(self.variants):
            raise InvalidInputError("Choose at least one way of clipping, each of them once.")
        for field in LIMITS:
            check_limit(field, getattr(self, field))
        if self.task == "text":
            self._check_text()

    def _check_text(self) -> None:
        count = len(self.text)
        if not max(MIN_TEXT, self.length + 1) <= count <= MAX_TEXT:
            raise InvalidInputError(
                "The text has {count} characters; for sequences of {length} it needs {low} to {high}.",
                count=count,
                length=self.length,
                low=max(MIN_TEXT, self.length + 1),
                high=MAX_TEXT,
            )
        if len(set(self.text)) < 2:
            raise InvalidInputError("The text has only one kind of character; there is nothing to learn from it.")

    @property
    def baseline(self) -> float:
        """The loss of an answer that has learned nothing of the order.

        adding: always 1, whose squared error is the variance of the sum of two uniform numbers, 1/6;
        copy and text: every symbol equally probable.
        """
        if self.task == "adding":
            return 1 / 6
        return math.log(COPY_ALPHABET if self.task == "copy" else len(set(self.text)))


def check_limit(field: str, value: object) -> None:
    """Raises InvalidInputError with the allowed range unless the value of a setting is in it."""
    low, high = LIMITS[field]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidInputError("{field} is {value!r}; it must be a number.", field=FIELD_NAMES[field], value=value)
    if isinstance(low, int) and not isinstance(value, int):
        raise InvalidInputError(
            "{field} is {value!r}; it must be a whole number.", field=FIELD_NAMES[field], value=value
        )
    if not low <= value <= high:
        raise InvalidInputError(
            "{field} is {value}; allowed is {low} to {high}.",
            field=FIELD_NAMES[field],
            value=value if isinstance(value, int) else f"{value:g}",
            low=f"{low:g}",
            high=f"{high:g}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One line of a run.

    Args:
        number: from 0, in the order in which they began.
        clipping: which way.
        threshold: θ; 0 without clipping.
        parent: number of the variant that it was forked from; None for one that began with the run.
        begins: steps that its weights had behind them when it began.
    """

    number: int
    clipping: Clipping
    threshold: float
    parent: int | None = None
    begins: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where numbers ended.

    Args:
        step: counted from 1.
        what: what was first found not to be a finite number, in the order of a step.
        value: ``"NaN"`` or ``"inf"``.
    """

    step: int
    what: Literal["loss", "gradient", "weights"]
    value: Literal["NaN", "inf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChunk:
    """Some steps of one variant.

    Args:
        variant: its number.
        first: the first step, counted from 1.
        values: (step, measure), measures as in ``MEASURES``.
    """

    variant: int
    first: int
    values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNews:
    """What a run says of itself since it last did.

    Args:
        variants: all so far.
        divergences: by number of variant.
        jumps: by number of variant, the step behind which the loss rose by the largest factor so far.
        chunks: new steps.
        seconds: of computing so far, pauses left out.
        seconds_left: at the present pace; None if not known yet.
    """

    variants: tuple[Variant, ...]
    divergences: dict[int, Divergence]
    jumps: dict[int, int]
    chunks: tuple[StepChunk, ...]
    seconds: float
    seconds_left: float | None

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCurve:
    """All steps of one variant so far.

    Args:
        variant: which.
        divergence: None as long as all numbers are finite.
        jump: the step behind which its loss rose by the largest factor, counted from 1; None if it never rose.
        values: (step, measure), measures as in ``MEASURES``; row i is step ``variant.begins + i + 1``.
    """

    variant: Variant
    divergence: Divergence | None
    jump: int | None
    values: FloatArray

    @property
    def steps(self) -> IntArray:
        """Number of every row's step, counted from 1."""
        return np.arange(self.variant.begins + 1, self.variant.begins + 1 + len(self.values))

    @property
    def last_step(self) -> int:
        """Steps that its weights have behind them."""
        return self.variant.begins + len(self.values)

    def measure(self, name: str) -> FloatArray:
        """One column of ``MEASURES``, (step,)."""
        return np.asarray(self.values[:, MEASURES.index(name)])

    @property
    def clipped_share(self) -> FloatArray:
        """Share of clipped steps from the variant's beginning up to each step, (step,)."""
        return np.cumsum(self.measure("clipped")) / np.arange(1, len(self.values) + 1)


def rise(before: float, after: float, *, cap: float) -> float:
    """ln of the factor from one loss to the next; beyond the cap, or not finite, a loss counts as the cap.

    So the step that is found is the one that led from a loss of use to none, not a later one of the blow-up.
    """
    low, high = (min(value, cap) if math.isfinite(value) else cap for value in (before, after))
    return math.log(max(high, 1e-30)) - math.log(max(low, 1e-30))


def merged(news: Iterable[RunNews]) -> tuple[VariantCurve, ...]:
    """The curves of all variants out of everything that a run has said."""
    pieces: dict[int, list[FloatArray]] = {}
    latest: RunNews | None = None
    for latest in news:
        for chunk in latest.chunks:
            pieces.setdefault(chunk.variant, []).append(chunk.values)
    if latest is None:
        return ()
    empty = np.zeros((0, len(MEASURES)))
    return tuple(
        VariantCurve(
            variant=variant,
            divergence=latest.divergences.get(variant.number),
            jump=latest.jumps.get(variant.number),
            values=np.concatenate([empty, *pieces.get(variant.number, [])]),
        )
        for variant in latest.variants
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CliffStep:
    """One update that could be made at the point of a Cliff.

    Args:
        clipping: how its gradient is clipped.
        threshold: θ; 0 without clipping.
        along: how far it goes along the negative gradient, in weight space.
        across: how far along the second direction of the surface.
        beyond: how far outside the surface's plane; 0 if the update lies in it.
        length: of the whole update.
        loss: of the same batch behind the update itself.
        taken: whether it is the one that the variant made.
    """

    clipping: Clipping
    threshold: float
    along: float
    across: float
    beyond: float
    length: float
    loss: float
    taken: bool


CliffDirection = Literal["previous", "value", "random"]
CLIFF_DIRECTIONS: tuple[CliffDirection, ...] = ("previous", "value", "random")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cliff:
    """The loss around the weights just before the step behind which it rose most.

    Args:
        variant: its number.
        step: that step, counted from 1; all losses are of its batch.
        loss, grad_norm: at these weights.
        next_loss: of the next step's batch behind the update that was made.
        distances, losses: L(w - s g/‖g‖) at distance s, wide enough for the longest update.
        near_distances, near_losses: the same close to the weights.
        second: what the second direction is made of; made perpendicular to the gradient.
        along, across: distances of the surface's grid in both directions.
        surface: loss, (across, along).
        steps: the updates of the ways of clipping.
        largest: names and derivatives of the two weights with the largest derivatives.
        seconds: what it took.
    """

    variant: int
    step: int
    loss: float
    grad_norm: float
    next_loss: float
    distances: FloatArray
    losses: FloatArray
    near_distances: FloatArray
    near_losses: FloatArray
    second: CliffDirection
    along: FloatArray
    across: FloatArray
    surface: FloatArray
    steps: tuple[CliffStep, ...]
    largest: tuple[tuple[str, float], tuple[str, float]]
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)
