"""What a backend can be asked: small frozen dataclasses of plain values, whose content is also their cache key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from seqviz.gates import NumberUnits, Speed, UnitCourse
from seqviz.gradients import Agreement, BackwardTrace, GradientSum
from seqviz.interventions import Intervened, Intervention
from seqviz.laboratory import ActivationCurves, CellCurves, LaboratoryConfig, Spectra
from seqviz.traces import RecurrentTrace, Structure, UnitSum
from seqviz.types import Direction

MAX_PIECES = 200
"""Longest text, in pieces, that a view shows; longer ones are refused with the count and this limit."""


AnswerT_co = TypeVar("AnswerT_co", covariant=True)


class Request(Generic[AnswerT_co]):
    """A question whose type says the type of its answer.

    ``stays``: only the worker at home for its run may answer, because it holds what the answer is made from.
    ``kept``: the backend keeps the answer for the next one who asks.
    """

    __slots__ = ()
    stays: ClassVar[bool] = False
    kept: ClassVar[bool] = True

    def run(self) -> TraceRequest | None:
        """The run of a model that the question is about; None if it is about no checkpoint."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRequest(Request[RecurrentTrace]):
    """Asks for a RecurrentTrace of a text.

    Args:
        model: name of a checkpoint.
        text: as typed; one-to-many: the seed.
        structure: None for the natural structure of the model's task.
        generate: one-to-many: number of pieces to generate.
        temperature: one-to-many: 0 always takes the most probable piece.
        seed: one-to-many with a temperature above 0.
        targets: right labels, one for each piece (tagging) or a single one (classification); empty if unknown.
    """

    model: str
    text: str
    structure: Structure | None = None
    generate: int = 24
    temperature: float = 0.0
    seed: int = 1
    targets: tuple[str, ...] = ()

    def run(self) -> TraceRequest:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSumRequest(Request[UnitSum]):
    """Asks for the UnitSum of one pre-activation within the trace of ``trace``.

    Args:
        trace: which run.
        layer, direction, step, unit, block: which number; ``block`` is a name of the cell's blocks.
    """

    trace: TraceRequest
    layer: int
    direction: Direction
    step: int
    unit: int
    block: str

    def run(self) -> TraceRequest:
        """The run that the number is from."""
        return self.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class BackwardRequest(Request[BackwardTrace]):
    """Asks for the BackwardTrace of a loss in the run of ``trace``.

    Args:
        trace: which run; its text, model and targets count.
        loss_step: the step whose loss is carried back; None for the sum of all.
        multiplier: factor on the error of the last loss.
        weights: also the gradients of the shared matrices.
    """

    trace: TraceRequest
    loss_step: int | None = None
    multiplier: float = 1.0
    weights: bool = False

    def run(self) -> TraceRequest:
        """The run that is carried back."""
        return self.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientSumRequest(Request[GradientSum]):
    """Asks for the GradientSum of one ∂L/∂h within the backward pass of ``backward``.

    Args:
        backward: which pass.
        layer, direction, step, unit: which number.
    """

    backward: BackwardRequest
    layer: int
    direction: Direction
    step: int
    unit: int

    def run(self) -> TraceRequest:
        """The run that is carried back."""
        return self.backward.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRequest(Request[Agreement]):
    """Asks for the Agreement of a word language model.

    Args:
        model: name of the checkpoint.
        singular, plural, clause, verbs: as in ``seqviz.tracing.agreement.agreement``.
    """

    model: str
    clause: str
    singular: str = "cat"
    plural: str = "cats"
    verbs: tuple[str, str] = ("was", "were")

    def run(self) -> TraceRequest:
        """A run of the same model: the worker that has loaded it is asked first."""
        return TraceRequest(model=self.model, text=self.clause)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvesRequest(Request[CellCurves]):
    """Asks for the CellCurves of a laboratory configuration of one cell."""

    config: LaboratoryConfig

    def run(self) -> None:
        """No checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectraRequest(Request[Spectra]):
    """Asks for the Spectra of one seed of a laboratory configuration.

    Args:
        config: of one cell.
        seed: from 1.
        kind, part: as in ``Spectra``.
    """

    config: LaboratoryConfig
    kind: str
    seed: int = 1
    part: str = "state"

    def run(self) -> None:
        """No checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedSpectraRequest(Request[Spectra]):
    """Asks for the Spectra of one layer in the run of ``trace``.

    Args:
        trace: which run; its model and text count.
        layer, direction: which layer.
        kind, part: as in ``Spectra``.
    """

    trace: TraceRequest
    kind: str
    layer: int = 0
    direction: Direction = "forward"
    part: str = "state"

    def run(self) -> TraceRequest:
        """The run whose Jacobians are wanted."""
        return self.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCourseRequest(Request[UnitCourse]):
    """Asks for the UnitCourse of one unit in the run of ``trace``."""

    trace: TraceRequest
    layer: int
    direction: Direction
    unit: int

    def run(self) -> TraceRequest:
        """The run that the unit is from."""
        return self.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationsRequest(Request[ActivationCurves]):
    """Asks for the activations and their slopes."""

    def run(self) -> None:
        """No checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionRequest(Request[Intervened]):
    """Asks for the Intervened of the run of ``trace``.

    Args:
        trace: which run; its text, model and targets count.
        interventions: what is forced.
        loss_step: the step whose loss is carried back; None for the sum of all.
    """

    trace: TraceRequest
    interventions: tuple[Intervention, ...]
    loss_step: int | None = None

    def run(self) -> TraceRequest:
        """The run without the interventions."""
        return self.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUnitsRequest(Request[NumberUnits]):
    """Asks for the units of a word language model that carry the subject's number."""

    model: str

    def run(self) -> TraceRequest:
        """A run of the same model: the worker that has loaded it is asked first."""
        return TraceRequest(model=self.model, text="a")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRequest(Request[tuple[Speed, ...]]):
    """Asks how fast models read a text, measured in one worker."""

    models: tuple[str, ...]
    text: str

    def run(self) -> TraceRequest:
        """A run of the first model."""
        return TraceRequest(model=self.models[0], text=self.text)
