"""The loss on its way back through the unrolled network: one picture, the counterpart of ``charts.unroll``.

The loss stands on top, the gradient comes down to the last layer and runs from right to left through time: the wider
and darker an arrow, the more of the loss is left. Below stand the norms of every step on a log axis, the states of the
forward pass, and under them, unit for unit, the gradients that reached them (syllabus B2, B4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz.charts.backflow_curves import Curve, draw_curves
from seqviz.charts.backflow_legend import draw_backflow_legend
from seqviz.charts.backflow_network import draw_backflow
from seqviz.charts.backflow_words import GRADIENT, backflow_alt, gradient_names, heatmap_title, step_lines
from seqviz.charts.figure import Figure
from seqviz.charts.gradient_scale import GradientScale, Scale, compact, scale_of, scaled_floats
from seqviz.charts.notation import QUANTITY_NAMES, quantity_name
from seqviz.charts.palette import is_signed
from seqviz.charts.stage import (
    assembled,
    draw_title,
    file_name,
    focus_marks,
    interaction_texts,
    panel_tokens,
    stage_payload,
)
from seqviz.charts.svg import clean, path, text_at
from seqviz.charts.unroll_heatmap import (
    Shown,
    draw_heatmap,
    draw_unit_strip,
    shown_quantity,
    strip_bars,
    strip_label,
)
from seqviz.charts.unroll_layout import (
    UnrollFocus,
    UnrollOptions,
    make_columns,
    resolved_focus,
    row_height,
    unit_order,
)
from seqviz.charts.unroll_network import encoded_floats
from seqviz.charts.unroll_sheet import Sheet
from seqviz.gradients import BackwardTrace, LayerGradients
from seqviz.i18n import Translator, english
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import FloatArray

__all__ = ["Run", "backflow_figure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A text read by a model, and its loss carried back.

    Args:
        forward: the run.
        backward: of the same text by the same model.
    """

    forward: RecurrentTrace
    backward: BackwardTrace


def backflow_figure(
    run: Run,
    *,
    compare: Run | None = None,
    curves: Sequence[Curve] = (),
    curve: str = "hidden_state",
    scale: Scale = "log",
    options: UnrollOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws a backward pass.

    Args:
        run: the pass.
        compare: a second one, drawn below the first with the same columns and the same scales.
        curves: passes of other models over the same text, of which only the norms are drawn.
        curve: whose norms the curves are: ``"hidden_state"``, ``"cell_state"`` or ``"embedding"``.
        scale: absolute on a log scale, or as a share of the largest.
        options: as for the unrolled network; ``quantity`` is that of the heatmaps (a state, or a block for its δ),
            ``show_cell_state`` draws the way through the cell states.
        t: the reader's language.
        language: its code, for the HTML page.

    Raises:
        UnknownNameError: the cell has no such quantity, or no pass has such norms.
    """
    options = options or UnrollOptions()
    runs = [run] if compare is None else [run, compare]
    letters = [""] if compare is None else ["A", "B"]
    sheet = Sheet(columns=make_columns([each.forward for each in runs], options), options=options, t=t, y=6)
    focus = _resolved(run, options)
    # One scale a kind: tiles show numbers, arrows and curves show norms.
    tiles = scale_of([array for each in runs for array in _arrays(each.backward)], scale)
    norms = scale_of([norm for each in runs for norm in _norms(each.backward)], scale, smallest_share=0.0)
    networks = []
    for each, letter in zip(runs, letters, strict=True):
        top, first = sheet.y, len(sheet.rows)
        draw_title(sheet, each.forward, letter)
        draw_backflow(sheet, each.forward, each.backward, tiles=tiles, norms=norms)
        networks.append({"range": [round(top, 1), round(sheet.y, 1)], "rows": list(range(first, len(sheet.rows)))})
        sheet.y += 8
    named = [
        Curve(trace=each.backward, name=_curve_name(each, runs, letter))
        for each, letter in zip(runs, letters, strict=True)
    ]
    draw_curves(sheet, [*named, *curves], quantity=curve, layer=options.layer, direction=options.direction, scale=scale)
    panels: list[dict[str, Any]] = []
    for each, letter, network in zip(runs, letters, networks, strict=True):
        panels += _details(sheet, each, network, letter=letter, focus=focus, tiles=tiles)
    body_height = sheet.y + 4
    width = max(sheet.columns.total, min(options.room, 640))
    foot, height = draw_backflow_legend(
        [each.forward for each in runs],
        tiles,
        norms,
        options=options,
        t=t,
        top=body_height,
        width=min(width, options.room),
    )
    alt = " ".join(backflow_alt(each.backward, layer=focus.layer, direction=focus.direction, t=t) for each in runs)
    svg = assembled(sheet, focus_marks(sheet, panels, focus, body_height), foot, width, body_height, height, alt)
    payload = _payload(sheet, runs, panels, focus, body_height, t) | {"language": language}
    payload["id"] = hashlib.sha256((svg + repr(payload["texts"])).encode("utf-8", "replace")).hexdigest()[:16]
    title = " / ".join(f"{each.forward.model}: {clean(each.forward.text)[:60]}" for each in runs)
    return Figure(svg=svg, payload=payload, alt=alt, width=width, height=round(height), title=title)


def _resolved(run: Run, options: UnrollOptions) -> UnrollFocus:
    """The focus asked for, or the step of the loss."""
    focus = resolved_focus(run.forward, options)
    if options.focus is not None:
        return focus
    return UnrollFocus(step=run.backward.loss_steps[-1], layer=focus.layer, direction=focus.direction, unit=focus.unit)


def _arrays(backward: BackwardTrace) -> list[FloatArray]:
    found = [backward.embeddings]
    for part in backward.layers:
        found += [part.hidden_state, part.pre_activation] + ([] if part.cell_state is None else [part.cell_state])
    return found


def _norms(backward: BackwardTrace) -> list[FloatArray]:
    return [
        backward.outputs,
        *(norm for part in backward.layers for norm in backward.norms(part.layer, part.direction).values()),
    ]


def _curve_name(run: Run, runs: Sequence[Run], letter: str) -> str:
    return run.forward.model if len(runs) == 1 else f"{letter} · {run.forward.model}"


def _details(
    sheet: Sheet, run: Run, network: dict[str, Any], *, letter: str, focus: UnrollFocus, tiles: GradientScale
) -> list[dict[str, Any]]:
    """Forward states and gradients, unit for unit under each other; two panels of the interaction."""
    options, t = sheet.options, sheet.t
    shown = shown_quantity(run.forward, options, fallback=True)
    gradients = run.backward.layer(shown.part.layer, shown.part.direction)
    quantity = _gradient_quantity(options.quantity, gradients)
    values = _gradient(gradients, quantity)
    order = unit_order(shown.values, options.sort)
    limit = float(np.abs(shown.values).max()) or 1.0
    at = UnrollFocus(step=focus.step, layer=shown.part.layer, direction=shown.part.direction, unit=focus.unit)
    sheet.rule()
    top = sheet.y
    sheet.y += 8
    strip = draw_unit_strip(sheet, run.forward, shown, at, limit if is_signed(shown.quantity) else 1.0, letter=letter)
    sheet.y += 6
    height = max(1, row_height(len(order)) // 2)  # both heatmaps of a layer are to be seen at once
    title = t("Forward: {quantity}").format(quantity=quantity_name(shown.quantity, t))
    heatmap = draw_heatmap(sheet, shown, limit=limit, letter=letter, title=title, order=order, height=height)
    heatmap["values"] = encoded_floats(shown.values)
    forward = {
        "strip": strip | {"alone": True},
        "heatmap": heatmap,
        "rows": network["rows"],
        "ranges": [network["range"], [round(top, 1), round(sheet.y, 1)]],
        "letter": letter,
    }
    sheet.rule()
    top = sheet.y
    sheet.y += 8
    coded = Shown(part=shown.part, quantity=GRADIENT + quantity, values=tiles.codes(values), signed=True)
    unit = values[:, min(focus.unit, values.shape[1] - 1)]
    backward_strip = _gradient_strip(sheet, shown.part, unit, tiles, at, gradient_names(t)[GRADIENT + quantity], letter)
    sheet.y += 6
    title = heatmap_title(quantity, part=shown.part, notation=options.notation, t=t)
    below = draw_heatmap(sheet, coded, limit=1.0, letter=letter, title=title, order=order, height=height)
    mantissas, powers = scaled_floats(values)
    below |= {"values": encoded_floats(mantissas), "scales": powers}
    backward = {
        "strip": backward_strip,
        "heatmap": below,
        "rows": network["rows"],
        "ranges": [[round(top, 1), round(sheet.y, 1)]],
        "letter": letter,
    }
    texts = panel_tokens(run.forward) | {
        "lines": step_lines(run.backward, layer=shown.part.layer, direction=shown.part.direction, t=t),
    }
    return [forward | texts, backward | texts]


def _gradient_quantity(quantity: str, gradients: LayerGradients) -> str:
    """What the lower heatmap shows: the gradient of a state, or δ of a block; that of h where the cell has no such."""
    known = ["hidden_state", *(["cell_state"] if gradients.cell_state is not None else []), *gradients.block_names]
    return quantity if quantity in known else "hidden_state"


def _gradient(gradients: LayerGradients, quantity: str) -> FloatArray:
    if quantity == "hidden_state":
        return gradients.hidden_state
    if quantity == "cell_state" and gradients.cell_state is not None:
        return gradients.cell_state
    return gradients.pre_activation[:, gradients.block_names.index(quantity)]


def _gradient_strip(
    sheet: Sheet, part: LayerTrace, values: FloatArray, tiles: GradientScale, focus: UnrollFocus, name: str, letter: str
) -> dict[str, Any]:
    """The gradient of the unit in focus as a bar for each step, on the scale of the colours."""
    columns, options = sheet.columns, sheet.options
    height, top = 52 * options.unit, sheet.y + 4
    strip: dict[str, Any] = {
        "top": round(top, 2),
        "height": height,
        "width": round(min(columns.width * 0.5, 30 * options.unit), 2),
        "numbers": 2 if columns.width >= 48 * options.unit else 0,
        "limit": 1.0,
        "hiddenLimit": 1.0,
        "scientific": True,
        "code": {"log": tiles.kind == "log", "top": tiles.top, "decades": tiles.decades, "largest": tiles.largest},
    }
    bars, line = strip_bars(tiles.codes(values), strip, columns.left, columns.width, signed=True, limit=1.0)
    sheet.body.append(path(line, classes="hr", extra=' data-strip="zero"'))
    sheet.body.append(f'<path d="{bars[0]}" class="bp" data-strip="up"/>')
    sheet.body.append(f'<path d="{bars[1]}" class="bn" data-strip="down"/>')
    for step, value in enumerate(values.tolist()):
        text = compact(abs(value)) if strip["numbers"] else ""
        text = f"−{text}" if value < 0 and text else text
        x, y = columns.centre(step), top + height + options.small * 1.05
        sheet.body.append(text_at(x, y, text, size=options.small, classes="mu", extra=' data-strip="number"'))
    strip_label(sheet, part, name, focus.unit, top + height / 2, letter)
    sheet.y = top + height + options.small * 1.6
    return strip


def _payload(
    sheet: Sheet,
    runs: Sequence[Run],
    panels: list[dict[str, Any]],
    focus: UnrollFocus,
    body_height: float,
    t: Translator,
) -> dict[str, Any]:
    traces = [run.forward for run in runs]
    return stage_payload(sheet, traces, panels, focus, body_height, t) | {
        "file": file_name(traces, "gradients"),
        "kinds": [GRADIENT + "hidden_state", GRADIENT + "cell_state"],
        "backwards": True,
        "texts": interaction_texts(t)
        | {"quantities": {name: quantity_name(name, t) for name in QUANTITY_NAMES} | gradient_names(t)},
    }
