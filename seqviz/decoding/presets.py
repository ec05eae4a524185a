"""Tables by hand to begin with; each shows one thing about search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seqviz.decoding.table import EOS, ProbabilityTable, TableRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A table with the search settings that show its point.

    Args:
        table: the probabilities.
        beam_size, min_length, max_length, alpha: as in ``DecodeConfig``.
        go_on: beams go on to the greatest length.
    """

    table: ProbabilityTable
    beam_size: int = 2
    min_length: int = 0
    max_length: int = 4
    alpha: float = 0.0
    go_on: bool = False


def _row(step: int, *probabilities: float, after: str | None = None) -> TableRow:
    return TableRow(step=step, after=None if after is None else tuple(after.split()), probabilities=probabilities)


_ABC = ("A", "B", "C", EOS)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # Syllabus S3: greedy 0.5·0.4·0.4·0.6 = 0.048, another path 0.5·0.3·0.6·0.6 = 0.054. Both have four tokens, so
        # three must stand before <eos>.
        "syllabus": Preset(
            table=ProbabilityTable(
                symbols=_ABC,
                rows=(
                    _row(1, 0.5, 0.2, 0.2, 0.1),
                    _row(2, 0.1, 0.4, 0.3, 0.2),
                    _row(3, 0.2, 0.2, 0.4, 0.2),
                    _row(3, 0.1, 0.6, 0.2, 0.1, after="A C"),
                    _row(4, 0.0, 0.2, 0.2, 0.6),
                    _row(4, 0.1, 0.2, 0.1, 0.6, after="A C B"),
                ),
            ),
            min_length=3,
        ),
        # The best beginning is third at step 1: a beam of 2 loses it, a beam of 3 does not.
        "missed": Preset(
            table=ProbabilityTable(
                symbols=_ABC,
                rows=(
                    _row(1, 0.4, 0.3, 0.25, 0.05),
                    _row(2, 0.35, 0.3, 0.25, 0.1),
                    _row(2, 0.05, 0.9, 0.05, 0.0, after="C"),
                    _row(3, 0.25, 0.25, 0.1, 0.4),
                    _row(3, 0.05, 0.05, 0.0, 0.9, after="C B"),
                    _row(4, 0.1, 0.1, 0.1, 0.7),
                ),
            ),
        ),
        # Three sentences of 2, 4 and 6 tokens win one after the other as α grows.
        "length": Preset(
            table=ProbabilityTable(
                symbols=_ABC,
                rows=(
                    _row(1, 0.5, 0.3, 0.2, 0.0),
                    _row(2, 0.3, 0.3, 0.0, 0.4, after="A"),
                    _row(2, 0.1, 0.8, 0.05, 0.05, after="B"),
                    _row(2, 0.0, 0.1, 0.9, 0.0, after="C"),
                    _row(2, 0.25, 0.25, 0.25, 0.25),
                    _row(3, 0.9, 0.05, 0.0, 0.05, after="B B"),
                    _row(3, 0.0, 0.05, 0.5, 0.45, after="C C"),
                    _row(3, 0.3, 0.3, 0.2, 0.2),
                    _row(4, 0.1, 0.2, 0.0, 0.7, after="B B A"),
                    _row(4, 0.95, 0.05, 0.0, 0.0, after="C C C"),
                    _row(4, 0.25, 0.25, 0.2, 0.3),
                    _row(5, 0.0, 0.95, 0.05, 0.0, after="C C C A"),
                    _row(5, 0.25, 0.25, 0.2, 0.3),
                    _row(6, 0.02, 0.02, 0.01, 0.95),
                ),
            ),
            beam_size=4,
            max_length=6,
            go_on=True,
        ),
        # Syllabus S3: P(going | Jane is) > P(visiting | Jane is), yet "visiting" leads to the better sentence.
        "jane": Preset(
            table=ProbabilityTable(
                symbols=("Jane", "is", "going", "visiting", "Africa", EOS),
                rows=(
                    _row(1, 0.85, 0.05, 0.0, 0.0, 0.1, 0.0),
                    _row(2, 0.0, 0.9, 0.04, 0.04, 0.0, 0.02),
                    _row(3, 0.02, 0.0, 0.5, 0.4, 0.06, 0.02),
                    _row(4, 0.05, 0.05, 0.05, 0.4, 0.3, 0.15),
                    _row(4, 0.0, 0.0, 0.0, 0.0, 0.9, 0.1, after="Jane is visiting"),
                    _row(5, 0.05, 0.05, 0.05, 0.1, 0.45, 0.3),
                    _row(5, 0.0, 0.0, 0.0, 0.05, 0.0, 0.95, after="Jane is visiting Africa"),
                    _row(6, 0.02, 0.02, 0.02, 0.02, 0.02, 0.9),
                ),
            ),
            max_length=6,
        ),
    }
)
