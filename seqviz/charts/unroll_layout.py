"""Where everything of the unrolled network stands: type sizes, columns and tile grids. Numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqviz.charts.notation import NOTATIONS, Notation, visible
from seqviz.charts.svg import text_width
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.text import UNKNOWN
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import Direction, FloatArray

Sort = Literal["index", "variance", "similarity"]
SORTS: tuple[Sort, ...] = ("index", "variance", "similarity")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrollFocus:
    """One unit of one layer at one step, all counted from 0."""

    step: int
    layer: int
    direction: Direction
    unit: int

    def to_dict(self) -> dict[str, Any]:
        """As the picture's module speaks of it."""
        return {"step": self.step, "layer": self.layer, "direction": self.direction, "unit": self.unit}

    def to_text(self) -> str:
        """As it stands in a URL: ``3.0.forward.17``."""
        return f"{self.step}.{self.layer}.{self.direction}.{self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrollOptions:
    """How a trace is drawn.

    Args:
        width: room for the picture in pixels; longer texts are wider and scroll. None for 1200, in presenter size
            1080: then a page of 1280 has room for it, margins and all.
        font_size: of the tokens, in pixels; from 16 on (presenter size) no text is smaller than 16.
        notation: of all symbols.
        layer, direction: of the heatmap; layer None for the top one.
        quantity: of the heatmap, a name of ``LayerTrace.quantities()``.
        sort: order of the heatmap's units.
        relative: heatmap colours normalised for each unit apart.
        show_cell_state: draw c under h where the cell has one.
        focus: the moment in focus; None for an early step and the unit that changes most.
    """

    width: int | None = None
    font_size: int = 14
    notation: Notation = "ng"
    layer: int | None = None
    direction: Direction = "forward"
    quantity: str = "hidden_state"
    sort: Sort = "index"
    relative: bool = False
    show_cell_state: bool = False
    focus: UnrollFocus | None = None

    def __post_init__(self) -> None:
        if self.notation not in NOTATIONS:
            raise unknown_name("notation", self.notation, NOTATIONS)
        if self.sort not in SORTS:
            raise unknown_name("sort", self.sort, SORTS)
        for field, low, high in (("width", 320, 8000), ("font_size", 10, 40)):
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                raise InvalidInputError(
                    "{field} is {value}; allowed is {low} to {high}.", field=field, value=value, low=low, high=high
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
        return max(16.0, self.font_size * 0.92) if self.presenter else max(10.0, self.font_size - 2.0)

    @property
    def unit(self) -> float:
        """Scale of distances: 1 at the normal size."""
        return self.font_size / 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Tiles of one vector, row by row from the top left.

    Args:
        tile: distance of tiles in pixels.
        draw: drawn size of a tile.
        columns, rows: tiles side by side and on top of each other.
        per_tile: units that share a tile; 1 where each has its own.
        units: units of the vector.
    """

    tile: int
    draw: int
    columns: int
    rows: int
    per_tile: int
    units: int

    @property
    def width(self) -> int:
        return self.columns * self.tile

    @property
    def height(self) -> int:
        return self.rows * self.tile


def tile_grid(units: int, width: float, height: float, *, largest: int = 12) -> Grid:
    """The largest tiles with which a vector fits a box; units share tiles only where 2 pixels each are too many.

    Args:
        units: components of the vector.
        width, height: of the box in pixels.
        largest: tile size to stop at.
    """
    per_tile = 1
    while True:
        tiles = math.ceil(units / per_tile)
        tile, columns = next(
            ((size, fitting) for size in range(largest, 1, -1) if (fitting := _columns(tiles, size, width, height))),
            (0, 0),
        )
        if tile:
            break
        per_tile *= 2
    # Somewhat smaller tiles where the last row then comes out full.
    for size in range(tile, max(2, math.ceil(tile * 0.75)) - 1, -1):
        most = _columns(tiles, size, width, height)
        even = [n for n in range(most, most * 2 // 3, -1) if tiles % n == 0 and tiles // n * size <= height]
        if even:
            tile, columns = size, even[0]
            break
    draw = tile if tile < 5 else tile - 1
    rows = math.ceil(tiles / columns)
    return Grid(tile=tile, draw=draw, columns=columns, rows=rows, per_tile=per_tile, units=units)


def _columns(tiles: int, tile: int, width: float, height: float) -> int:
    """Tiles of a size side by side; 0 if they do not all fit the box."""
    columns = min(int(width // tile), tiles)
    return columns if columns and math.ceil(tiles / columns) * tile <= height else 0


def grouped(values: FloatArray, per_tile: int) -> FloatArray:
    """For tiles that several units share: of each group the value furthest from 0; (step, unit) -> (step, tile)."""
    if per_tile == 1:
        return values
    steps, units = values.shape
    padded = np.zeros((steps, math.ceil(units / per_tile) * per_tile), values.dtype)
    padded[:, :units] = values
    groups = padded.reshape(steps, -1, per_tile)
    furthest = np.abs(groups).argmax(-1)
    return np.take_along_axis(groups, furthest[..., None], -1)[..., 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The steps, left to right.

    Args:
        left: x of the first column's left edge.
        width: of a column, whole pixels.
        box: width of a cell's box in the column's middle.
        count: number of steps drawn.
        label: width of the row labels' column, at x = 0.
        start: width of the place of the initial state, between labels and first column.
        end: the same after the last column, for a backward direction; 0 without one.
    """

    left: int
    width: int
    box: int
    count: int
    label: int
    start: int
    end: int

    def centre(self, step: int) -> float:
        return self.left + (step + 0.5) * self.width

    @property
    def right(self) -> int:
        return self.left + self.count * self.width

    @property
    def total(self) -> int:
        return self.right + self.end

    @property
    def gap(self) -> int:
        """Between two boxes."""
        return self.width - self.box

    @property
    def roomy(self) -> bool:
        """Whether symbols fit between and inside the boxes."""
        return self.width >= 84


def make_columns(traces: Sequence[RecurrentTrace], options: UnrollOptions) -> Columns:
    """Columns for one trace, or for two above each other."""
    count = max(len(trace) for trace in traces)
    k = options.unit
    label = round((118 if options.presenter else 126) * k)
    backward = any(part.direction == "backward" for trace in traces for part in trace.layers)
    room = options.room - label - 12
    start = round((78 if room / max(count, 1) > 100 * k else 46) * k)
    end = start if backward else 0
    narrowest = max(_narrowest(trace, options) for trace in traces)
    width = int(min(max((room - start - end) // count, narrowest), round(230 * k)))
    gap = min(max(round(width * 0.27), 9), round(44 * k))
    box = width - gap
    return Columns(left=label + start, width=width, box=box, count=count, label=label, start=start, end=end + 12)


def _narrowest(trace: RecurrentTrace, options: UnrollOptions) -> int:
    """The narrowest column in which the tokens of a trace can be read."""
    small = options.small
    characters = is_character_level(trace)
    width = 30 * options.unit if characters else 50 * options.unit
    if characters and options.presenter:
        width = 40
    if UNKNOWN in trace.pieces:
        width = max(width, text_width(UNKNOWN, small) + 4)
    if trace.task == "tagging":
        width = max(width, max(text_width(label, small) for label in trace.labels) + 5)
    return math.ceil(width)


def is_character_level(trace: RecurrentTrace) -> bool:
    """Whether every piece is a single character."""
    return all(len(visible(original)) <= 2 for original in trace.originals)


def row_height(units: int) -> int:
    """Height of a unit's row in the heatmap, in pixels."""
    for most, height in ((16, 12), (32, 9), (48, 7), (64, 6), (80, 5), (128, 4), (192, 3)):
        if units <= most:
            return height
    return 2 if units <= 320 else 1


def unit_order(values: FloatArray, sort: Sort) -> NDArray[np.int64]:
    """The heatmap's units from top to bottom.

    Args:
        values: (step, unit).
        sort: by index; by variance over the steps, the largest first; or by similarity: a chain in which each unit is
            followed by the one whose course correlates most with its own, starting with the liveliest.
    """
    units = values.shape[1]
    if sort == "index" or units < 3:
        return np.arange(units)
    exact = values.astype(np.float64)
    by_variance = np.argsort(-exact.var(0), kind="stable")
    if sort == "variance" or len(values) < 2:
        return by_variance
    centred = exact - exact.mean(0)
    norms = np.linalg.norm(centred, axis=0)
    scaled = centred / np.where(norms > 0, norms, 1.0)
    alike = scaled.T @ scaled
    left = np.ones(units, bool)
    chain = [int(by_variance[0])]
    left[chain[0]] = False
    while len(chain) < units:
        following = int(np.where(left, alike[chain[-1]], -np.inf).argmax())
        chain.append(following)
        left[following] = False
    return np.array(chain)


def heatmap_part(trace: RecurrentTrace, options: UnrollOptions) -> LayerTrace:
    """The layer and direction of the heatmap: the chosen one, or the nearest that the trace has."""
    top = max(part.layer for part in trace.layers)
    layer = top if options.layer is None else min(max(options.layer, 0), top)
    fitting = [part for part in trace.layers if part.layer == layer]
    return next((part for part in fitting if part.direction == options.direction), fitting[0])


def resolved_focus(trace: RecurrentTrace, options: UnrollOptions) -> UnrollFocus:
    """The focus that the picture starts with: the given one kept within the trace, or a lively moment."""
    if options.focus is not None:
        given = options.focus
        known = {(part.layer, part.direction): part for part in trace.layers}
        part = known.get((given.layer, given.direction), trace.layers[-1])
        return UnrollFocus(
            step=min(max(given.step, 0), len(trace) - 1),
            layer=part.layer,
            direction=part.direction,
            unit=min(max(given.unit, 0), part.num_units - 1),
        )
    part = heatmap_part(trace, options)
    unit = int(part.hidden_state.astype(np.float64).var(0).argmax())
    return UnrollFocus(step=min(len(trace) // 2, 8), layer=part.layer, direction=part.direction, unit=unit)
