"""What every picture with a step in focus has: the marks of step and unit, the finished SVG, the words of the module.

``assets/figure.js`` finds the marks by their classes and moves them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from seqviz.charts.notation import visible
from seqviz.charts.svg import clean, esc, group, num, path, rect
from seqviz.charts.unroll_alt import panel_title
from seqviz.charts.unroll_heatmap import where_words
from seqviz.charts.unroll_layout import UnrollFocus, is_character_level
from seqviz.charts.unroll_sheet import Sheet
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace


def draw_title(sheet: Sheet, trace: RecurrentTrace, letter: str) -> float:
    """The model's name over its panel, behind a rule where it is the second; returns the y of its top."""
    if letter == "B":
        sheet.y += 12
        sheet.rule()
        sheet.y += 10
    top = sheet.y
    title, rest = panel_title(trace, sheet.t)
    size = sheet.options.font_size
    name = f"{letter}  {title}" if letter else title
    sheet.labels.append(
        f'<text x="8" y="{num(top + size)}" font-size="{num(size)}" class="st">{esc(name)}'
        f'<tspan class="mu" dx="10" font-weight="400" font-size="{num(sheet.options.small)}">{esc(rest)}</tspan></text>'
    )
    sheet.y += size * 1.9
    return top


def panel_tokens(trace: RecurrentTrace) -> dict[str, Any]:
    """The pieces of a text as the tooltips name them: as written, and as read."""
    return {
        "tokens": [clean(visible(original)) or "∅" for original in trace.originals],
        "pieces": [clean(visible(piece)) for piece in trace.pieces],
    }


def file_name(traces: Sequence[RecurrentTrace], view: str) -> str:
    """What a saved picture is called, without its ending."""
    return re.sub(r"[^\w-]+", "-", " ".join(trace.model for trace in traces)) + f"-{view}"


def stage_payload(
    sheet: Sheet,
    traces: Sequence[RecurrentTrace],
    panels: list[dict[str, Any]],
    focus: UnrollFocus,
    body_height: float,
    t: Translator,
) -> dict[str, Any]:
    """What the module needs of every such picture: geometry, rows, panels, focus."""
    columns = sheet.columns
    parts = {(part.layer, part.direction): part for trace in traces for part in trace.layers}
    return {
        "steps": columns.count,
        "left": columns.left,
        "column": columns.width,
        "label": columns.label,
        "roomWidth": sheet.options.room,
        "bodyHeight": round(body_height, 1),
        "fontSize": sheet.options.font_size,
        "small": sheet.options.small,
        "character": is_character_level(traces[0]),
        "focus": focus.to_dict(),
        "rows": sheet.rows,
        "panels": panels,
        "where": {f"{layer}.{direction}": where_words(part, t) for (layer, direction), part in parts.items()},
    }


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
        if "heatmap" not in panel:  # the network alone
            continue
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
