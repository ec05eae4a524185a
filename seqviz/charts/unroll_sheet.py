"""The sheet that the parts of an unrolled network are drawn on, from the top down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seqviz.charts.svg import arrow_head, num, path, rect, text_at, text_width, wrap
from seqviz.charts.unroll_layout import Columns, UnrollOptions
from seqviz.charts.unroll_math import math_at
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace


@dataclass(slots=True, kw_only=True)
class Sheet:
    """What is drawn so far, and how far down.

    Args:
        columns, options, t: hold for the whole picture.
        y: where the next part starts.
        body: elements that scroll with the steps.
        labels: elements that stay at the left.
        rows: of every row of tiles, what the interaction needs.
    """

    columns: Columns
    options: UnrollOptions
    t: Translator
    y: float
    body: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def label(
        self, title: str, y: float, *, symbols: Sequence[str] = (), small: Sequence[str] = (), spare: float = 16
    ) -> None:
        """Writes a row's name around a middle line: the title with its symbols, and dimmed lines below it.

        Args:
            title: in full strength; may be empty.
            y: of the middle of all lines.
            symbols: mathematics after the title.
            small: dimmed lines.
            spare: pixels to leave free at the right.
        """
        size = self.options.small
        room = self.columns.label - spare
        wrapped = [(line, "st") for line in wrap(title, size, room * 0.96, lines=2)]
        wrapped += [(line, "mu") for text in small for line in wrap(text, size, room, lines=3)]
        leading = size * 1.28
        top = y - (len(wrapped) - 1) * leading / 2 + size * 0.35
        for index, (line, classes) in enumerate(wrapped):
            self.labels.append(text_at(8, top + index * leading, line, size=size, classes=classes, anchor="start"))
        if symbols:
            x = 8 + text_width(wrapped[0][0], size) * 1.05 + 7
            self.labels.append(math_at(x, top, ", ".join(symbols), size=size, anchor="start"))

    def text(self, x: float, y: float, content: str, *, classes: str = "tx", anchor: str = "middle") -> None:
        """Secondary text in the body."""
        self.body.append(text_at(x, y, content, size=self.options.small, classes=classes, anchor=anchor))

    def arrows_up(self, height: float, *, steps: Sequence[int], faint: Sequence[int] = ()) -> None:
        """A gap with an arrow up in each column; those of ``faint`` steps are dotted."""
        bottom, top = self.y + height, self.y + 2
        for classes, chosen in (("ln", [s for s in steps if s not in faint]), ("lf", list(faint))):
            lines = "".join(f"M{num(self.columns.centre(s))} {num(bottom)}V{num(top + 3)}" for s in chosen)
            heads = "".join(arrow_head(self.columns.centre(s), top, towards="up") for s in chosen)
            self.body.append(path(lines, classes=classes))
            self.body.append(path(heads, classes="hd"))
        self.y = bottom

    def rule(self) -> None:
        """A hairline over the whole width."""
        right = self.columns.total
        self.body.append(path(f"M{self.columns.label} {num(self.y)}H{right}", classes="hr"))
        self.labels.append(path(f"M0 {num(self.y)}H{self.columns.label}", classes="hr"))


def share_bar(sheet: Sheet, step: int, y: float, share: float, *, width: float, height: float = 5) -> None:
    """A bar for a probability, centred in a column, on a track that shows what 1 would be."""
    left = sheet.columns.centre(step) - width / 2
    sheet.body.append(rect(left, y, width, height, classes="tk", radius=height / 2))
    if share * width >= 0.5:
        sheet.body.append(rect(left, y, max(share * width, height / 2), height, classes="br", radius=height / 2))


def short_share(value: float, room: float, size: float) -> str:
    """A probability with as many decimals as fit, without the zero before the point where it is tight."""
    for text in (f"{value:.3f}", f"{value:.2f}", f"{value:.2f}".removeprefix("0")):
        if text_width(text, size) <= room:
            return text
    return ""


def counted_steps(trace: RecurrentTrace) -> tuple[list[int], list[int]]:
    """Steps whose output counts, and steps whose output is only what would be said if the text ended there."""
    steps = list(range(len(trace)))
    if trace.structure in ("many_to_one", "one_to_one"):
        return steps[-1:], steps[:-1]
    return steps, []
