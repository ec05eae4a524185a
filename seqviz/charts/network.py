"""The unrolled network alone, without the heatmap under it: small enough to stand above other things on a page."""

from __future__ import annotations

from seqviz.charts.figure import Figure
from seqviz.charts.notation import quantity_name
from seqviz.charts.stage import assembled, focus_marks
from seqviz.charts.svg import text_at, text_width
from seqviz.charts.unroll import draw_network, panel_texts, picture_id, shared_limits, unroll_payload
from seqviz.charts.unroll_alt import network_alt_text
from seqviz.charts.unroll_heatmap import shown_quantity
from seqviz.charts.unroll_layout import UnrollOptions, make_columns, resolved_focus
from seqviz.charts.unroll_legend import colour_bar
from seqviz.charts.unroll_sheet import Sheet
from seqviz.i18n import Translator, english
from seqviz.traces import RecurrentTrace


def network_figure(
    trace: RecurrentTrace,
    *,
    options: UnrollOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws inputs, states and outputs of every step, live as in ``unroll_figure``.

    Args:
        trace: the run.
        options: sizes, notation and focus; None for the defaults.
        t: the reader's language.
        language: its code, for the HTML page.
    """
    options = options or UnrollOptions()
    limits = shared_limits([trace], [shown_quantity(trace, UnrollOptions())])
    sheet = Sheet(columns=make_columns([trace], options), options=options, t=t, y=6)
    focus = resolved_focus(trace, options)
    panel = draw_network(sheet, trace, limits, "")
    panels = [{**panel, "ranges": [panel["range"]], **panel_texts(trace, t)}]
    body_height = sheet.y + 4
    width = max(sheet.columns.total, min(options.room, 640))
    foot, height = _legend(limits, options, t, top=body_height)
    marks = focus_marks(sheet, panels, focus, body_height)
    alt = network_alt_text(trace, t)
    svg = assembled(sheet, marks, foot, width, body_height, height, alt)
    payload = unroll_payload(sheet, [trace], panels, focus, body_height, t) | {"language": language}
    payload["id"] = picture_id(svg, payload)
    return Figure(svg=svg, payload=payload, alt=alt, width=width, height=round(height), title=trace.model)


def _legend(limits: dict[str, float], options: UnrollOptions, t: Translator, *, top: float) -> tuple[str, float]:
    """One colour bar a quantity, each from -max|x| to max|x| of this text; returns the y below it as well."""
    small, x, y = options.small, 8.0, top + 6
    parts: list[str] = []
    for name, limit in ((quantity_name("hidden_state", t), "hidden_state"), (quantity_name("input", t), "embedding")):
        for text, classes in ((name, "st"), (f"−{limits[limit]:.2f}", "mu")):
            parts.append(text_at(x, y + small, text, size=small, classes=classes, anchor="start"))
            x += text_width(text, small) * 1.04 + 8
        parts.append(colour_bar(x, y + small * 0.68, 90 * options.unit, signed=True))
        x += 90 * options.unit + 6
        parts.append(text_at(x, y + small, f"{limits[limit]:.2f}", size=small, classes="mu", anchor="start"))
        x += text_width("0.00", small) + 28
    return "".join(parts), y + small * 1.7
