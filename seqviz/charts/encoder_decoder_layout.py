"""Where everything of the encoder-decoder's picture stands. Numbers in, numbers out.

From left to right: the encoder's columns, the hand-over, the decoder's columns; both runs of the decoder have the same
columns, one below the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from seqviz.charts.piece_words import piece_labels
from seqviz.charts.svg import text_width
from seqviz.charts.unroll_layout import Columns, Grid, UnrollOptions, tile_grid
from seqviz.translation_network import TranslationNetwork

Row = Literal["forward", "backward", "forced", "free"]
ROWS: tuple[Row, ...] = ("forward", "backward", "forced", "free")

LEAST_TILE = 3
"""Pixels of the smallest tile; units share tiles where smaller ones would be needed."""

MAX_TILES = 13_000
"""Of a picture; more of them would be too many bytes for a browser far away, about 13 each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFocus:
    """One unit at one moment.

    Args:
        step: counted through the whole picture: the source's pieces, the hand-over, the target's pieces.
        layer: of the encoder before the hand-over, of the decoder from it on.
        row: the encoder's direction, or the decoder's run.
        unit: of that layer.
    """

    step: int
    layer: int
    row: Row
    unit: int

    def to_dict(self) -> dict[str, Any]:
        """As the picture's module speaks of it, which calls the row a direction."""
        return {"step": self.step, "layer": self.layer, "direction": self.row, "unit": self.unit}

    def to_text(self) -> str:
        """As it stands in a URL: ``9.1.free.17``."""
        return f"{self.step}.{self.layer}.{self.row}.{self.unit}"


def resolved_pair_focus(network: TranslationNetwork, given: PairFocus | None) -> PairFocus:
    """The moment that is shown: the given one kept within the runs, or the step at which the runs part."""
    count = len(network.source)
    longest = max(len(run) for run in network.runs.values())
    if given is None:
        step = count + 1 + min(network.parted if network.parted is not None else 0, longest - 1)
        given = PairFocus(step=step, layer=len(network.free.layers) - 1, row="free", unit=0)
        given = replace(given, unit=int(network.free.layers[-1].hidden_state.var(0).argmax()))
    step = min(max(given.step, 0), count + longest)
    rows: tuple[Row, ...] = ("forward", "backward") if step < count else tuple(network.runs)
    row = given.row if given.row in rows else rows[0] if step < count else rows[-1]
    parts = [part for part in network.encoder if part.direction == row] if step < count else network.free.layers
    layer = min(max(given.layer, 0), len(parts) - 1)
    return PairFocus(step=step, layer=layer, row=row, unit=min(max(given.unit, 0), parts[layer].num_units - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The plan of the picture.

    Args:
        encoder, decoder: their columns.
        bridge_left, bridge_width: the box of the hand-over.
        start_left: left edge of the boxes with s_0.
        encoder_grid, decoder_grid: tiles of a state.
        context_grid, readout_grid, input_grid, source_grid, last_grid: of c_t, o_t, x_t, x_{t'} and the last states.
        ribbon: width of a ribbon that carries α = 1.
    """

    encoder: Columns
    decoder: Columns
    bridge_left: int
    bridge_width: int
    start_left: int
    encoder_grid: Grid
    decoder_grid: Grid
    context_grid: Grid
    readout_grid: Grid
    input_grid: Grid
    source_grid: Grid
    last_grid: Grid
    ribbon: float

    @property
    def width(self) -> int:
        """Of the whole picture."""
        return self.decoder.right + 12

    def tiles(self, network: TranslationNetwork) -> int:
        """All tiles of the picture."""
        source = _count(self.source_grid) + len(network.encoder) * _count(self.encoder_grid)
        context = _count(self.context_grid) if network.free.context is not None else 0
        target = _count(self.readout_grid) + _count(self.input_grid) + context
        target += len(network.free.layers) * _count(self.decoder_grid)
        return self.encoder.count * source + sum(len(run) for run in network.runs.values()) * target


def _count(grid: Grid) -> int:
    return math.ceil(grid.units / grid.per_tile)


def coarse_grid(units: int, width: float, height: float, *, shared: int = 1, largest: int = 9) -> Grid:
    """Tiles of ``LEAST_TILE`` pixels or more for a vector in a box; ``shared`` units or 2, 4 ... times that to one."""
    while True:
        grid = tile_grid(math.ceil(units / shared), width, height, largest=largest)
        if (grid.per_tile == 1 and grid.tile >= LEAST_TILE) or shared >= units:
            return replace(grid, per_tile=shared, units=units)
        shared *= 2


def ground_plan(network: TranslationNetwork, options: UnrollOptions) -> Ground:
    """The plan for a network: narrower columns where there are many, down to what can still be read."""
    k = options.unit
    sources = len(network.source)
    targets = max(len(run) for run in network.runs.values())
    label, bridge_width = round(92 * k), round(146 * k)
    gaps = round(30 * k), round(36 * k), round(26 * k)
    start = round(52 * k)
    room = options.room - label - bridge_width - sum(gaps) - start - 12
    widest = max(text_width(label, options.small) for label in piece_labels(network.source))
    decoder_width = round(min(max(room * 0.7 / targets, 66 * k), 116 * k))
    narrowest = min(max(widest + 10, 38 * k), 58 * k)
    encoder_width = round(min(max((room - decoder_width * targets) / sources, narrowest), 76 * k))
    bridge_left = label + sources * encoder_width + gaps[0]
    start_left = bridge_left + bridge_width + gaps[1]
    encoder = Columns(
        left=label, width=encoder_width, box=encoder_width - round(9 * k), count=sources, label=label, start=0, end=0
    )
    decoder = Columns(
        left=start_left + start + gaps[2] - round(7 * k),
        width=decoder_width,
        box=decoder_width - round(15 * k),
        count=targets,
        label=start,
        start=0,
        end=0,
    )
    shared = 1
    while True:
        ground = Ground(
            encoder=encoder,
            decoder=decoder,
            bridge_left=bridge_left,
            bridge_width=bridge_width,
            start_left=start_left,
            ribbon=13 * k,
            **_grids(network, options, encoder.box - 4, decoder.box - 6, start, shared),
        )
        if ground.tiles(network) <= MAX_TILES or shared >= 64:
            return ground
        shared *= 2


def _grids(
    network: TranslationNetwork, options: UnrollOptions, narrow: float, inner: float, start: float, shared: int
) -> dict[str, Grid]:
    """The tiles of every kind of vector, with ``shared`` units or more to a tile of a state."""
    k, embedding = options.unit, network.embeddings.shape[1]
    decoder_units, encoder_units = network.free.layers[0].num_units, network.encoder[0].num_units
    return {
        "encoder_grid": coarse_grid(encoder_units, narrow, 46 * k, shared=shared),
        "decoder_grid": coarse_grid(decoder_units, min(inner, start + 20 * k), 42 * k, shared=shared),
        "context_grid": coarse_grid(2 * encoder_units, inner - 10 * k, 13 * k, shared=shared),
        "readout_grid": coarse_grid(network.free.readout.shape[1], inner, 9 * k, shared=shared),
        "input_grid": coarse_grid(embedding, inner, 9 * k, shared=shared),
        "source_grid": coarse_grid(embedding, narrow, 13 * k, shared=shared),
        "last_grid": coarse_grid(2 * encoder_units, 126 * k, 42 * k),
    }
