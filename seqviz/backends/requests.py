"""What a backend can be asked: small frozen dataclasses of plain values, whose content is also their cache key."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.traces import Structure
from seqviz.types import Direction

MAX_PIECES = 200
"""Longest text, in pieces, that a view shows; longer ones are refused with the count and this limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRequest:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSumRequest:
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


Request = TraceRequest | UnitSumRequest
