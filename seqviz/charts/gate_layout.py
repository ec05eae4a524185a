"""The textbook figure of a cell: where its lines, gates and operations stand. Geometry only, in pixels at scale 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

WIDTH = 1120
BOX_WIDTH, BOX_HEIGHT = 124, 58
OP_RADIUS = 16

Shape = Literal["gate", "function", "matrix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that carries a signal.

    Args:
        points: its corners.
        signal: what it carries; None for a whole vector.
        arrow: whether it ends in an arrow head.
        peephole: drawn dashed.
    """

    points: tuple[tuple[float, float], ...]
    signal: str | None
    arrow: bool = True
    peephole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A gate or candidate (with its gauge), a bare function, or a matrix."""

    x: float
    y: float
    shape: Shape
    signal: str | None
    label: str = ""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return {"gate": (BOX_WIDTH, BOX_HEIGHT), "function": (66, 36), "matrix": (46, 34)}[self.shape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """A circle: ``⊙``, ``+`` or ``1−``; ``signal`` is its result."""

    x: float
    y: float
    sign: str
    signal: str


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything of a cell's figure.

    Args:
        height: of the whole.
        body: x, y, width and height of the cell's outline.
        chips: centres of the numbers by signal.
        ends: where a state enters or leaves: signal to the place of its symbol.
        token: where the input's word stands.
    """

    height: float
    body: tuple[float, float, float, float]
    lines: list[Line] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    dots: list[tuple[float, float]] = field(default_factory=list)
    chips: dict[str, tuple[float, float]] = field(default_factory=dict)
    ends: dict[str, tuple[float, float]] = field(default_factory=dict)
    token: tuple[float, float] = (0, 0)

    def line(
        self,
        signal: str | None,
        *points: tuple[float, float],
        arrow: bool = True,
        peephole: bool = False,
    ) -> None:
        """Adds a line through the points."""
        self.lines.append(Line(points=points, signal=signal, arrow=arrow, peephole=peephole))

    def gate(self, x: float, y: float, signal: str, function: str) -> None:
        """Adds a gate or candidate."""
        self.boxes.append(Box(x=x, y=y, shape="gate", signal=signal, label=function))


def scene(cell: str, *, ng: bool, activation: str = "tanh") -> Scene:
    """The figure of a cell; a GRU's differs between the notations, because Z keeps and Γ_u writes."""
    if cell.startswith("lstm"):
        return _lstm(peephole=cell == "lstm_peephole", linear=cell == "lstm_linear_output")
    if cell.startswith("gru"):
        return _gru(cell, ng=ng)
    return _plain(activation)


def _lstm(*, peephole: bool, linear: bool) -> Scene:
    top, row, bus = 92, 262, 344
    s = Scene(height=436, body=(142, 38, 856, 358), token=(196, 428))
    f, i, g, o, end = 262, 428, 580, 744, 906
    half, r = BOX_HEIGHT / 2, OP_RADIUS
    box = BOX_WIDTH / 2
    # The memory's way, straight through.
    s.line("c_before", (30, top), (f - r, top))
    s.line("kept", (f + r, top), (g - r, top))
    s.line("c", (g + r, top), (1092, top))
    # All inputs of this step, side by side.
    s.line("h_before", (30, bus), (196, bus), arrow=False)
    s.line(None, (196, 408), (196, bus), arrow=False)
    s.line(None, (196, bus), (o, bus), arrow=False)
    for x, name in ((f, "f"), (i, "i"), (g, "g"), (o, "o")):
        s.line(f"z.{name}", (x, bus), (x, row + half))
        s.gate(x, row, name, "tanh" if name == "g" else "σ")
        s.chips[f"z.{name}"] = (x, (bus + row + half) / 2)
        s.dots.append((x, bus))
    s.dots.append((196, bus))
    s.line("f", (f, row - half), (f, top + r))
    s.line("i", (i, row - half), (i, 172), (g - r, 172))
    s.line("g", (g, row - half), (g, 172 + r))
    s.line("written", (g, 172 - r), (g, top + r))
    s.ops += [
        Op(x=f, y=top, sign="⊙", signal="kept"),
        Op(x=g, y=172, sign="⊙", signal="written"),
        Op(x=g, y=top, sign="+", signal="c"),
        Op(x=end, y=row, sign="⊙", signal="h"),
    ]
    s.line("o", (o + box, row), (end - r, row))
    s.dots.append((end, top))
    if linear:
        s.line("c", (end, top), (end, row - r))
    else:
        s.boxes.append(Box(x=end, y=164, shape="function", signal="squashed", label="tanh"))
        s.line("c", (end, top), (end, 164 - 18))
        s.line("squashed", (end, 164 + 18), (end, row - r))
        s.chips["squashed"] = (end, 211)
    s.line("h", (end, row + r), (end, bus), (1092, bus))
    if peephole:
        s.line("c_before", (172, top), (172, row), (f - box, row), peephole=True)
        s.line("c_before", (172, 212), (345, 212), (345, row), (i - box, row), peephole=True)
        s.line("c", (662, top), (662, row), (o - box, row), peephole=True)
        s.dots += [(172, top), (172, 212), (662, top)]
    s.chips |= {
        "c_before": (86, top), "kept": (420, top), "c": (776, top), "f": (f, 160), "i": (492, 172), "g": (g, 209),
        "written": (g, 132), "o": (841, row), "h_before": (86, bus), "h": (986 - 40, bus),
    }  # fmt: skip
    s.ends.update({"c_before": (86, top), "c": (1046, top), "h_before": (86, bus), "h": (1046, bus)})
    return s


def _gru(cell: str, *, ng: bool) -> Scene:
    top, row, bus = 86, 276, 362
    reset = cell != "gru_simplified"
    s = Scene(height=452, body=(142, 32, 856, 380), token=(222, 444))
    r_, u, g = 290, 544, 806
    half, r = BOX_HEIGHT / 2, OP_RADIUS
    s.line("h_before", (30, top), (u - r, top))
    s.line("kept", (u + r, top), (g - r, top))
    s.line("h", (g + r, top), (1092, top))
    s.line("h_before", (178, top), (178, bus), (222, bus), arrow=False)
    s.line(None, (222, 424), (222, bus), arrow=False)
    s.line(None, (222, bus), (g, bus), arrow=False)
    s.dots += [(178, top), (222, bus), (u, bus), (g, bus)]
    taps = [(u, "u", "z.u"), (g, "g", "from_x" if reset else "z.g")]
    if reset:
        taps.insert(0, (r_, "r", "z.r"))
        s.dots.append((r_, bus))
    for x, name, signal in taps:
        s.line(signal, (x, bus), (x, row + half))
        s.gate(x, row, name, "tanh" if name == "g" else "σ")
        s.chips[signal] = (x, 339)
    if reset:
        _reset_way(s, before=cell == "gru_reset_before", r=r_, g=g, top=top, row=row)
    s.ops += [
        Op(x=u, y=top, sign="⊙", signal="kept"),
        Op(x=g, y=158, sign="⊙", signal="written"),
        Op(x=g, y=top, sign="+", signal="h"),
    ]
    s.dots.append((u, 158))
    s.line("u", (u, row - half), (u, 158), arrow=False)
    if ng:  # Γ_u writes, the rest keeps
        s.line("u", (u, 158), (g - r, 158))
        s.line("u", (u, 158), (u, 142), arrow=False)
        s.line("rest", (u, 116), (u, top + r), arrow=False)
        s.ops.append(Op(x=u, y=129, sign="1−", signal="rest"))
        s.chips["rest"] = (u + 52, 122)
    else:  # Z keeps, the rest writes
        s.line("u", (u, 158), (u, top + r))
        s.line("u", (u, 158), (632, 158), arrow=False)
        s.line("rest", (658, 158), (g - r, 158))
        s.ops.append(Op(x=645, y=158, sign="1−", signal="rest"))
        s.chips["rest"] = (726, 158)
    s.line("g", (g, row - half), (g, 158 + r))
    s.line("written", (g, 158 - r), (g, top + r))
    s.chips |= {
        "h_before": (86, top), "kept": (676, top), "u": (u, 203), "g": (g, 211), "written": (g, 122), "h": (912, top)
    }  # fmt: skip
    s.ends.update({"h_before": (86, top), "h": (1046, top)})
    return s


def _reset_way(s: Scene, *, before: bool, r: float, g: float, top: float, row: float) -> None:
    """h goes through its matrix and the reset gate into the candidate, in the order of the convention."""
    x, low, radius = 408, 320, OP_RADIUS
    half, box = BOX_HEIGHT / 2, BOX_WIDTH / 2
    gate_y, matrix_y = (158, 232) if before else (206, 142)
    s.dots.append((x, top))
    s.boxes.append(Box(x=x, y=matrix_y, shape="matrix", signal="from_h" if before else "recurrent", label="W"))
    s.ops.append(Op(x=x, y=gate_y, sign="⊙", signal="reset" if before else "from_h"))
    s.line("r", (r, row - half), (r, gate_y), (x - radius, gate_y))
    s.chips["r"] = (r + 48, gate_y)
    turn = g - box - 32
    way = ((x, low), (turn, low), (turn, row), (g - box, row))
    if before:
        s.line("h_before", (x, top), (x, gate_y - radius))
        s.line("reset", (x, gate_y + radius), (x, matrix_y - 17))
        s.line("from_h", (x, matrix_y + 17), *way)
        s.chips["reset"] = (x, 195)
    else:
        s.line("h_before", (x, top), (x, matrix_y - 17))
        s.line("recurrent", (x, matrix_y + 17), (x, gate_y - radius))
        s.line("from_h", (x, gate_y + radius), *way)
        s.chips["recurrent"] = (x + 58, 174)
    s.chips["from_h"] = (640, low)


def _plain(activation: str) -> Scene:
    y = 120
    s = Scene(height=332, body=(142, 32, 856, 260), token=(500, 324))
    r, box = OP_RADIUS, BOX_WIDTH / 2
    s.line("h_before", (30, y), (300 - 23, y))
    s.boxes += [
        Box(x=300, y=y, shape="matrix", signal="from_h", label="W"),
        Box(x=500, y=228, shape="matrix", signal="from_x", label="W"),
    ]
    s.line("from_h", (323, y), (500 - r, y))
    s.line(None, (500, 304), (500, 228 + 17))
    s.line("from_x", (500, 228 - 17), (500, y + r))
    s.ops.append(Op(x=500, y=y, sign="+", signal="z.h"))
    s.line("z.h", (500 + r, y), (720 - box, y))
    s.gate(720, y, "h", activation or "=")
    s.line("h", (720 + box, y), (1092, y))
    s.chips |= {
        "h_before": (86, y), "from_h": (402, y), "from_x": (500, 174), "z.h": (592, y), "h": (890, y)
    }  # fmt: skip
    s.ends.update({"h_before": (86, y), "h": (1046, y)})
    return s
