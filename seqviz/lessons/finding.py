"""What a claim found, and how its numbers get into a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Protocol, TypeVar

from seqviz.backends.requests import Request
from seqviz.charts.numbers import shown_number

AnswerT = TypeVar("AnswerT")
Number = float | int | str
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Ask(Protocol):
    """Answers a request; ``Backend.ask`` is one."""

    def __call__(self, request: Request[AnswerT], /) -> AnswerT:
        """The answer; raises SeqvizError where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the models say to a lesson's question.

    Args:
        answer: id of the right choice, computed.
        numbers: what the revealed sentence shows, by the names of its placeholders.
    """

    answer: str
    numbers: Mapping[str, Number]


class _Numbers(Formatter):
    def format_field(self, value: Number, format_spec: str) -> str:
        """``percent`` of a share, ``power`` of a log10, ``number`` with three digits, or Python's own formats."""
        if format_spec == "percent":
            share = 100 * float(value)
            # What is rounded must not read as certain.
            return f"{share:.1f} %" if 0 < share < 1 or 99 < share < 100 else f"{share:.0f} %"
        if format_spec == "power":
            return f"10{str(round(float(value))).translate(_SUPERSCRIPTS)}"
        if format_spec == "number":
            large = 100 <= abs(float(value)) < 1e6
            return f"{float(value):,.0f}" if large else shown_number(float(value), 3).text
        return str(super().format_field(value, format_spec)).replace("-", "−" if not isinstance(value, str) else "-")


def filled(template: str, numbers: Mapping[str, Number]) -> str:
    """A sentence with its numbers: ``{share:percent}``, ``{left:power}``, ``{norm:number}``, ``{nats:.2f}``."""
    return _Numbers().vformat(template, (), numbers)


def placeholders(template: str) -> set[str]:
    """The names that a sentence wants."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}
