"""The unrolled recurrent network of a trace as one picture: outputs on top, tokens below, time to the right.

One renderer for page, notebook and file. The picture is complete as it is; its payload lets the module
``assets/figure.js`` add hovering, keys and play without asking Python again.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import numpy as np

from seqviz.charts.figure import Figure
from seqviz.charts.notation import QUANTITY_NAMES, quantity_name, visible
from seqviz.charts.stage import (
    assembled,
    draw_title,
    file_name,
    focus_marks,
    interaction_texts,
    panel_tokens,
    stage_payload,
)
from seqviz.charts.svg import clean
from seqviz.charts.unroll_alt import alt_text
from seqviz.charts.unroll_heatmap import Shown, draw_heatmap, draw_unit_strip, shown_quantity
from seqviz.charts.unroll_layout import (
    Sort,
    UnrollFocus,
    UnrollOptions,
    make_columns,
    resolved_focus,
)
from seqviz.charts.unroll_legend import draw_legend
from seqviz.charts.unroll_network import draw_feedback, draw_inputs, draw_layers
from seqviz.charts.unroll_outputs import TOP_SENT, draw_outputs
from seqviz.charts.unroll_sheet import Sheet
from seqviz.i18n import Translator, english
from seqviz.traces import NO_TARGET, RecurrentTrace

__all__ = [
    "Sort",
    "UnrollFocus",
    "UnrollOptions",
    "draw_network",
    "panel_texts",
    "shared_limits",
    "unroll_figure",
    "unroll_payload",
]

MAX_STEPS = 200
"""Longest trace that is drawn."""


def unroll_figure(
    trace: RecurrentTrace,
    *,
    compare: RecurrentTrace | None = None,
    options: UnrollOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws the unrolled network.

    Args:
        trace: the run.
        compare: a second run, drawn below the first with the same columns and the same colour scales.
        options: sizes, notation, heatmap and focus; None for the defaults.
        t: the reader's language.
        language: its code, for the HTML page.

    Returns:
        The figure; its ``payload`` has the starting focus under ``"focus"``.

    Raises:
        InvalidInputError: a trace is longer than ``MAX_STEPS``.
        UnknownNameError: the cell of ``trace`` has no such quantity.
    """
    options = options or UnrollOptions()
    traces = [trace] if compare is None else [trace, compare]
    columns = make_columns(traces, options)
    shown = [shown_quantity(each, options, fallback=index > 0) for index, each in enumerate(traces)]
    limits = shared_limits(traces, shown)
    sheet = Sheet(columns=columns, options=options, t=t, y=6)
    focus = resolved_focus(trace, options)
    letters = [""] if compare is None else ["A", "B"]
    networks = [draw_network(sheet, each, limits, name) for each, name in zip(traces, letters, strict=True)]
    details = [
        _draw_details(sheet, each, what, limits=limits, focus=_focus_in(each, focus, options), letter=name)
        for each, what, name in zip(traces, shown, letters, strict=True)
    ]
    panels = [
        {**network, **detail, "ranges": [network["range"], detail["range"]], **panel_texts(each, t)}
        for network, detail, each in zip(networks, details, traces, strict=True)
    ]
    body_height = sheet.y + 4
    width = max(columns.total, min(options.room, 640))
    foot, height = draw_legend(
        traces, shown, sheet.rows, limits=limits, options=options, t=t, top=body_height, width=min(width, options.room)
    )
    marks = focus_marks(sheet, panels, focus, body_height)
    alt = alt_text(traces, shown, t)
    svg = assembled(sheet, marks, foot, width, body_height, height, alt)
    payload = unroll_payload(sheet, traces, panels, focus, body_height, t) | {"language": language}
    payload["id"] = picture_id(svg, payload)
    title = " / ".join(f"{each.model}: {clean(each.text)[:60]}" for each in traces)
    return Figure(svg=svg, payload=payload, alt=alt, width=width, height=round(height), title=title)


def picture_id(svg: str, payload: dict[str, Any]) -> str:
    """Tells the module whether a picture is another one than the last."""
    return hashlib.sha256((svg + repr(payload["texts"])).encode("utf-8", "replace")).hexdigest()[:16]


def shared_limits(traces: list[RecurrentTrace], shown: list[Shown]) -> dict[str, float]:
    """The strongest colour of each quantity, the same for all traces: the largest magnitude of what is drawn."""

    def largest(arrays: list[Any]) -> float:
        return max((float(np.abs(array).max()) for array in arrays if array.size), default=0.0) or 1.0

    layers = [part for trace in traces for part in trace.layers]
    losses = [trace.losses[np.isfinite(trace.losses)] for trace in traces]
    limits = {
        "embedding": largest([trace.embeddings for trace in traces]),
        "hidden_state": largest([part.hidden_state for part in layers]),
        "cell_state": largest([part.cell_state for part in layers if part.cell_state is not None]),
        "loss": max(largest(losses), 2.0),
    }
    own = largest([what.values for what in shown if what.quantity not in limits and what.signed])
    return {**limits, "heatmap": limits.get(shown[0].quantity, own)}


def _focus_in(trace: RecurrentTrace, focus: UnrollFocus, options: UnrollOptions) -> UnrollFocus:
    """The same place in another trace, or the nearest one that it has."""
    return resolved_focus(trace, replace(options, focus=focus))


def draw_network(sheet: Sheet, trace: RecurrentTrace, limits: dict[str, float], letter: str) -> dict[str, Any]:
    """Title, outputs, layers and tokens of one trace; returns its rows of tiles and where it stands."""
    top, first_row = draw_title(sheet, trace, letter), len(sheet.rows)
    source_y = draw_outputs(sheet, trace, loss_limit=limits["loss"])
    draw_layers(sheet, trace, limits=limits)
    target_y = draw_inputs(sheet, trace, limit=limits["embedding"])
    if trace.fed_back < len(trace):
        draw_feedback(sheet, trace, source_y=source_y, target_y=target_y)
    return {"range": [round(top, 1), round(sheet.y, 1)], "rows": list(range(first_row, len(sheet.rows)))}


def _draw_details(
    sheet: Sheet, trace: RecurrentTrace, shown: Shown, *, limits: dict[str, float], focus: UnrollFocus, letter: str
) -> dict[str, Any]:
    """The unit in focus and the heatmap of one trace; returns what the interaction needs of them."""
    sheet.y += 2
    sheet.rule()
    top = sheet.y
    sheet.y += 8
    limit = limits["heatmap"] if shown.signed else 1.0
    strip = draw_unit_strip(sheet, trace, shown, focus, limit, letter=letter)
    sheet.y += 6
    heatmap = draw_heatmap(sheet, shown, limit=limits["heatmap"], letter=letter)
    return {
        "strip": strip | {"hiddenLimit": limits["hidden_state"]},
        "heatmap": heatmap,
        "range": [round(top, 1), round(sheet.y, 1)],
        "letter": letter,
    }


def panel_texts(trace: RecurrentTrace, t: Translator) -> dict[str, Any]:
    """What the tooltip says of each step."""
    probabilities = trace.probabilities
    targets = [
        None if target == NO_TARGET else [visible(trace.labels[target]), float(probabilities[step, target])]
        for step, target in enumerate(trace.targets.tolist())
    ]
    return panel_tokens(trace) | {
        "top": [
            [[clean(visible(label)), share] for label, share in trace.top(step, TOP_SENT)] for step in range(len(trace))
        ],
        "targets": targets,
        "losses": [None if math.isnan(loss) else loss for loss in trace.losses.tolist()],
        "outputs": {
            "language_model": t("next token"),
            "classification": t("if the text ended here"),
            "tagging": t("tag"),
        }[trace.task],
    }


def unroll_payload(
    sheet: Sheet,
    traces: list[RecurrentTrace],
    panels: list[dict[str, Any]],
    focus: UnrollFocus,
    body_height: float,
    t: Translator,
) -> dict[str, Any]:
    """What the module needs of a picture of the unrolled network."""
    return stage_payload(sheet, traces, panels, focus, body_height, t) | {
        "file": file_name(traces, "unrolled"),
        "kinds": ["hidden_state", "cell_state"],
        "texts": interaction_texts(t)
        | {"quantities": {name: quantity_name(name, t) for name in QUANTITY_NAMES} | {"embedding": t("input")}},
    }
