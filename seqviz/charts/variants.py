"""Cells of one family side by side: their gates' means on one scale, and a table of what they cost (syllabus G6)."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np

from seqviz.charts.gradient_axes import token_axis
from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.style import legend_columns, styled
from seqviz.errors import unknown_name
from seqviz.i18n import Translator, english, msgid
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import FloatArray

ROLES = {
    "keeps": msgid("Share of the old memory that is kept"),
    "writes": msgid("Share of the candidate that is written"),
    "reset": msgid("Share of the old state that the candidate sees"),
    "shows": msgid("Share of the memory that is shown"),
}
"""What a gate does, whatever it is called; every role is measured between 0 and 1."""
_DASHES = ([1, 0], [7, 3], [2, 3], [10, 3, 2, 3], [4, 2], [1, 3])


def variant_title(cell: str, t: Translator = english) -> str:
    """A cell for people, so that each of its variants has a name of its own."""
    return {
        "gru": t("GRU, reset after the product"),
        "gru_reset_before": t("GRU, reset before the product"),
        "gru_simplified": t("GRU, simplified"),
        "lstm": "LSTM",
        "lstm_linear_output": t("LSTM with a = Γ_o c"),
        "lstm_peephole": t("LSTM with peepholes"),
        "rnn_tanh": t("plain RNN, tanh"),
    }.get(cell, cell)


def role_values(part: LayerTrace, role: str) -> FloatArray | None:
    """A role's gate, (step, unit); None where the cell has none.

    keeps: f, or z. writes: i, or 1 - z. reset: r. shows: o. A GRU's keeping and writing always add up to 1.
    """
    gates = part.gates
    if role == "keeps":
        return gates.get("forget_gate", gates.get("update_gate"))
    if role == "writes":
        return 1 - gates["update_gate"] if "update_gate" in gates else gates.get("input_gate")
    if role not in ROLES:
        raise unknown_name("role", role, ROLES)
    return gates.get("reset_gate" if role == "reset" else "output_gate")


def role_chart(
    traces: Sequence[RecurrentTrace],
    *,
    names: Sequence[str],
    role: str,
    layer: int = 0,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart | None:
    """The mean of a role's gate over all units at every step, one line a model; None if no model has it.

    Args:
        traces: of one text; the first one's pieces label the axis.
        names: of the models, for people.
        role: one of ``ROLES``.
        layer: counted from 0.
        theme, font_size, t: as in every chart.
    """
    rows = []
    shown = []
    for trace, name in zip(traces, names, strict=True):
        values = role_values(trace.layer(layer), role)
        if values is None:
            continue
        shown.append(name)
        low, high = np.percentile(values, (25, 75), axis=1)
        rows += [
            {
                "step": step,
                "model": name,
                "mean": round(float(values[step].mean()), 5),
                "low": round(float(low[step]), 5),
                "high": round(float(high[step]), 5),
            }
            for step in range(len(values))
        ]
    if not rows:
        return None
    colours = list(category_colours(theme))
    order = [names.index(name) % len(colours) for name in shown]
    title = t(ROLES[role])
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=token_axis(traces[0].originals, font_size),
        color=alt.Color(
            "model:N",
            title=None,
            scale=alt.Scale(domain=shown, range=[colours[i] for i in order]),
            legend=alt.Legend(
                orient="top",
                labelLimit=0,
                symbolType="stroke",
                symbolSize=420,
                symbolStrokeWidth=3,
                columns=legend_columns(3),
            ),
        ),
    )
    lines = base.mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=40)).encode(
        y=alt.Y(
            "mean:Q",
            title=None,
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f"),
        ),
        strokeDash=alt.StrokeDash(
            "model:N", title=None, scale=alt.Scale(domain=shown, range=[list(_DASHES[i]) for i in order]), legend=None
        ),
        tooltip=[
            alt.Tooltip("model:N", title=t("model")),
            alt.Tooltip("mean:Q", title=t("mean of all units"), format=".4f"),
            alt.Tooltip("low:Q", title=t("lower quartile"), format=".3f"),
            alt.Tooltip("high:Q", title=t("upper quartile"), format=".3f"),
        ],
    )
    description = f"{title}. " + ", ".join(
        f"{name}: {np.mean([row['mean'] for row in rows if row['model'] == name]):.2f}" for name in shown
    )
    layered = alt.layer(lines, height=12 * font_size, title=title, description=description)
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]
