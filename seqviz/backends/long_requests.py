"""What a backend can be asked about the units of a long text; see ``seqviz.units`` for the answers.

The numbers of a long text stay with the worker that made them. ``ReadRequest`` makes them little by little and says how
far it is; all others ask for a part, and raise ``TraceGoneError`` if the worker does not hold the text (any more).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seqviz.backends.requests import AnswerT_co, Request, TraceRequest
from seqviz.types import Direction
from seqviz.units import LongText, Moments, Progress, Saturation, Tracking, UnitSeries


class LongRequest(Request[AnswerT_co]):
    """A question about a long text; only the worker that is at home for its ``trace`` can answer.

    ``trace`` names model and text; with the structure one-to-many the model writes on behind the text, ``generate``
    pieces.
    """

    __slots__ = ()
    stays: ClassVar[bool] = True
    trace: TraceRequest

    def run(self) -> TraceRequest:
        """Model and text."""
        return self.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest(LongRequest[Progress]):
    """Goes on reading for a moment; to be asked again until it is finished."""

    kept: ClassVar[bool] = False
    trace: TraceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTextRequest(LongRequest[LongText]):
    """Asks for the text as it was read or written."""

    trace: TraceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SaturationRequest(LongRequest[Saturation]):
    """Asks how often every gate had which value."""

    trace: TraceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingRequest(LongRequest[Tracking]):
    """Asks which units track which property.

    Args:
        trace: which run.
        quantity: which numbers are searched.
        pattern: a regular expression of the reader's own; empty for none.
    """

    trace: TraceRequest
    quantity: str
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRequest(LongRequest[UnitSeries]):
    """Asks for one quantity of one unit at every step, and how well it tracks every property.

    Args:
        trace: which run.
        layer, direction, unit, quantity: which number.
        property: name of a property to be given along; empty for none.
        pattern: as in ``TrackingRequest``.
    """

    trace: TraceRequest
    layer: int
    direction: Direction
    unit: int
    quantity: str
    property: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentsRequest(LongRequest[Moments]):
    """Asks for spans like [start, end); see ``seqviz.analysis.moments``.

    Args:
        trace: which run.
        quantity: which numbers decide.
        start, end: steps of the brushed span, the end not included.
        threshold: a unit is on above it.
        slack: steps by which the border is soft.
    """

    trace: TraceRequest
    quantity: str
    start: int
    end: int
    threshold: float
    slack: int = 1
