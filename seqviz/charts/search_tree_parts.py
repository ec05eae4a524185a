"""What a search tree is drawn from: its options, marked paths, hypotheses and columns; and how numbers are written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from seqviz.decoding.trace import NONE, SearchTrace
from seqviz.errors import InvalidInputError

MAX_NODES = 800
"""Hypotheses that are drawn at most; of the others only number and mass are shown."""

GHOST = "ghost"
"""Fate of a hypothesis on a marked path that this search never looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPath:
    """The result of a search, to be marked in the tree of another one.

    Args:
        key: ``"greedy"``, ``"beam"``, ``"optimum"`` or another short name.
        label: for people.
        tokens: ids.
        token_log_probs: log P of each token in nats.
        names: of the tokens.
        text: the result as people read it; empty for the names one after the other.
    """

    key: str
    label: str
    tokens: tuple[int, ...]
    token_log_probs: tuple[float, ...]
    names: tuple[str, ...]
    text: str = ""

    @property
    def words(self) -> str:
        """The result for people."""
        return self.text or " ".join(self.names)

    @classmethod
    def of(cls, trace: SearchTrace, *, key: str, label: str, text: str = "") -> SearchPath | None:
        """The winner of a trace; None if it has none."""
        if trace.best is None:
            return None
        rows = trace.path(trace.best)
        return cls(
            key=key,
            label=label,
            tokens=trace.tokens(trace.best),
            token_log_probs=tuple(float(trace.token_log_prob[row]) for row in rows),
            names=tuple(trace.names[int(trace.token[row])] for row in rows),
            text=text,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTreeOptions:
    """How a search is drawn.

    Args:
        width: room for the picture in pixels; a longer search is wider and scrolls. None for 1200 (presenter 1080).
        font_size: of the tokens that survive; from 16 on (presenter size) no text is smaller than 16.
        alpha: of the ranking below the tree; None for the search's own.
        rows: hypotheses of a column that are shown before the rest is folded.
        least: hypotheses with a smaller P are folded; those on a marked path never are.
        most: hypotheses that are drawn at all; of the others only number and mass are shown.
        pieces: tokens are subword pieces: they are named as people read them, and texts are joined without blanks.
        narrow: beside a token stands only log P of the whole so far; its own P is read from the edge and the tooltip.
    """

    width: int | None = None
    font_size: int = 14
    alpha: float | None = None
    rows: int = 26
    least: float = 0.0
    most: int = MAX_NODES
    pieces: bool = False
    narrow: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("width", 320, 8000), ("font_size", 10, 40), ("alpha", 0, 2), ("rows", 4, MAX_NODES), ("least", 0, 1),
            ("most", 50, MAX_NODES),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidInputError(
                    "{field} is {value}; allowed is {low} to {high}.", field=name, value=value, low=low, high=high
                )

    @property
    def presenter(self) -> bool:
        """Whether the type is as large as a lecture hall needs."""
        return self.font_size >= 16

    @property
    def room(self) -> int:
        """The width in pixels that is laid out for."""
        return self.width if self.width is not None else 1080 if self.presenter else 1200

    @property
    def small(self) -> float:
        """Size of secondary text in pixels."""
        return max(16.0, self.font_size - 2) if self.presenter else self.font_size - 1.5


@dataclass(slots=True)
class Node:
    """A hypothesis in the picture.

    ``born`` is the frame in which it appears: its step, or in an exact search the number of the expansion.
    """

    parent: int
    token: int
    name: str
    step: int
    token_log_prob: float
    log_prob: float
    fate: str
    reason: str = ""
    margin: float = math.nan
    rank: int = -1
    born: int = 0
    count: int = 1
    row: int = NONE  # of the trace
    label: str = ""
    values: str = ""
    note: str = ""
    hidden: bool = False
    x: float = 0.0
    y: float = 0.0
    height: float = 0.0

    @property
    def kept(self) -> bool:
        """Whether it stands above the cut."""
        return self.fate in ("open", "expanded", "finished")


@dataclass(slots=True)
class Column:
    """One step."""

    step: int
    kept: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    left_out: int = 0
    left_out_mass: float = 0.0
    expanded: int = 0  # hypotheses whose extensions stand here
    x: float = 0.0
    width: float = 0.0
    note_width: float = 0.0
    cut_y: float = math.nan
    more_y: float = math.nan
    folded: int = 0
    folded_mass: float = 0.0


@dataclass(slots=True)
class Layout:
    """The finished arrangement."""

    nodes: list[Node]
    columns: list[Column]
    paths: dict[str, list[int]]  # nodes of each marked path, first token first
    top: float
    width: float
    height: float
    row_height: float
    small_height: float
    gap: float


def probability(value: float) -> str:
    """A probability in few digits."""
    if value >= 0.995:
        return "1.00" if value < 1 else "1"
    if value >= 0.01:
        return f"{value:.2f}"
    if value >= 0.001:
        return f"{value:.3f}"
    return f"{value:.0e}".replace("e-0", "e-").replace("-", "−") if value > 0 else "0"


def nats(value: float) -> str:
    """A log probability with two decimals."""
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "−∞"
