"""What every picture with a step in focus has: the marks of step and unit, the finished SVG, the words of the module.

``assets/figure.js`` finds the marks by their classes and moves them.
"""

from __future__ import annotations

from typing import Any

from seqviz.charts.svg import esc, group, num, path, rect
from seqviz.charts.unroll_layout import UnrollFocus
from seqviz.charts.unroll_sheet import Sheet
from seqviz.i18n import Translator


def focus_marks(sheet: Sheet, panels: list[dict[str, Any]], focus: UnrollFocus, bottom: float) -> tuple[str, str]:
    """What lies behind and in front of the drawing: the band of the step, and the marks of the unit."""
    columns = sheet.columns
    x, top = columns.left + focus.step * columns.width, panels[0]["ranges"][0][0] + sheet.options.font_size * 1.5
    behind = rect(0, top, columns.width, bottom - top, classes="sv-hover", radius=8, extra=' visibility="hidden"')
    moved = f' transform="translate({x} 0)"'
    behind += rect(0, top, columns.width, bottom - top, classes="sv-band", radius=8, extra=moved)
    front = rect(0.7, top, columns.width - 1.4, bottom - top, classes="sv-lens", radius=8, extra=' visibility="hidden"')
    front += rect(0.8, top, columns.width - 1.6, bottom - top, classes="sv-frame", radius=8, extra=moved)
    for index, row in enumerate(sheet.rows):
        if "layer" not in row:  # an input has no unit
            continue
        steps = next(len(panel["tokens"]) for panel in panels if index in panel["rows"])
        own = row["layer"] == focus.layer and row["direction"] == focus.direction
        unit = min(focus.unit, row["units"] - 1)
        front += _tile_marks(sheet, row, unit, steps, index, shown=own)
    for number, panel in enumerate(panels):
        heat = panel["heatmap"]
        own = (heat["layer"], heat["direction"]) == (focus.layer, focus.direction)
        unit = min(focus.unit, len(heat["order"]) - 1)
        y = heat["top"] + heat["order"].index(unit) * heat["rowHeight"]
        hidden = "" if own else ' visibility="hidden"'
        front += rect(
            columns.left - 1, -1, columns.width * len(panel["tokens"]) + 2, heat["rowHeight"] + 2,
            classes="sv-row", radius=1.5, extra=f' transform="translate(0 {num(y)})" data-panel="{number}"{hidden}',
        )  # fmt: skip
    return behind, front


def _tile_marks(sheet: Sheet, row: dict[str, Any], unit: int, steps: int, index: int, *, shown: bool) -> str:
    """A frame around one unit's tile in every column."""
    columns = sheet.columns
    size = row["draw"] + 2
    data = "".join(
        f"M{columns.left + row['x'] - 1 + s * columns.width} -1h{size}v{size}h-{size}z" for s in range(steps)
    )
    tile = unit // row["perTile"]
    x, y = tile % row["columns"] * row["tile"], row["y"] + tile // row["columns"] * row["tile"]
    hidden = "" if shown else ' visibility="hidden"'
    return path(data, classes="sv-mark", extra=f' data-row="{index}" transform="translate({x} {y})"{hidden}')


def assembled(
    sheet: Sheet, marks: tuple[str, str], foot: str, width: int, body_height: float, height: float, alt: str
) -> str:
    """The finished SVG: the scrolling part, the labels that stay, the legend at the foot."""
    columns = sheet.columns
    behind, front = marks
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {width} {num(height)}" width="{width}" height="{num(height)}">'
        + rect(0, 0, width, height, classes="bg")
        + group([behind, *sheet.body, front], classes="sv-body")
        + group([rect(0, 0, columns.label, body_height, classes="bg"), *sheet.labels], classes="sv-labels")
        + group([foot], classes="sv-foot")
        + "</svg>"
    )


def interaction_texts(t: Translator) -> dict[str, Any]:
    """Everything that the module says, but for the names of quantities."""
    return {
        "toolbar": t("Steps"),
        "first": t("First step"),
        "back": t("One step back"),
        "play": t("Play"),
        "pause": t("Pause"),
        "forward": t("One step forward"),
        "last": t("Last step"),
        "step": t("step {step} of {steps}"),
        "unit": t("Unit {unit}"),
        "slider": t("Step"),
        "png": t("Save this picture as PNG"),
        "svg": t("Save this picture as SVG"),
        "read_as": t("read as {piece}"),
        "came": t("came next"),
        "right": t("right"),
        "surprisal": t("surprisal"),
        "nats": t("nats"),
        "group": t("units {first} to {last}, furthest from 0"),
        "keys": t("Arrow keys: step and unit. Space: play. Click a column, a tile or a row."),
    }
