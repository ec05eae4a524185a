"""Strips of tiles whose values go along for the interaction: of each tile the unit furthest from 0."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from seqviz.charts.palette import signed_buckets
from seqviz.charts.svg import num, rect, tile_paths
from seqviz.charts.unroll_layout import Grid, grouped
from seqviz.charts.unroll_network import encoded_floats
from seqviz.charts.unroll_sheet import Sheet
from seqviz.types import FloatArray

PADDING = 4


def draw_strip(
    sheet: Sheet,
    values: FloatArray,
    grid: Grid,
    *,
    top: float,
    limit: float,
    row: dict[str, Any],
    aside: float = 0,
) -> None:
    """The tiles of one vector a step.

    Args:
        sheet: to draw on; its columns say where.
        values: (step, unit).
        grid: of the tiles.
        top: y of the first row of tiles.
        limit: magnitude of the strongest colour.
        row: what the interaction is told besides.
        aside: pixels to the right of the columns' middle.
    """
    columns = sheet.columns
    shown = grouped(values, grid.per_tile)
    x = round((columns.width - grid.width) / 2 + aside)
    steps, tiles = np.meshgrid(np.arange(len(shown)), np.arange(shown.shape[1]), indexing="ij")
    drawn = tile_paths(
        (steps * columns.width + (tiles % grid.columns) * grid.tile).ravel(),
        ((tiles // grid.columns) * grid.tile).ravel(),
        signed_buckets(shown, limit).ravel(),
        prefix="d",
        step=grid.tile,
        draw=grid.draw,
    )
    sheet.body.append(
        f'<g transform="translate({columns.left + x} {num(round(top) + grid.draw / 2)})" stroke-width="{grid.draw}" '
        f'fill="none" shape-rendering="crispEdges" data-tiles="{len(sheet.rows)}">{drawn}</g>'
    )
    sheet.rows.append(
        {
            **row,
            "left": columns.left + x,
            "column": columns.width,
            "steps": len(values),
            "y": round(top),
            "tile": grid.tile,
            "draw": grid.draw,
            "columns": grid.columns,
            "tiles": shown.shape[1],
            "perTile": grid.per_tile,
            "units": grid.units,
            "values": encoded_floats(shown),
            "which": base64.b64encode(furthest(values, grid.per_tile).tobytes()).decode("ascii"),
        }
    )


def furthest(values: FloatArray, per_tile: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Which unit of each group a tile shows, counted from the group's first: (step, unit) -> (step, tile)."""
    steps, units = values.shape
    padded = np.zeros((steps, -(-units // per_tile) * per_tile))
    padded[:, :units] = np.abs(values)
    return padded.reshape(steps, -1, per_tile).argmax(-1).astype(np.uint8)


def boxed(sheet: Sheet, left: float, top: float, width: float, height: float, *, extra: str = "") -> None:
    """A box around a state."""
    sheet.body.append(rect(left, top, width, height, classes="bx", radius=min(7, width / 4), extra=extra))
