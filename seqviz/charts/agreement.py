"""Charts of the long-dependency test: the verb's odds and the gradient at the subject as the clause grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np

from seqviz.charts.gradient_axes import power_axis
from seqviz.charts.palette import Theme, category_colours, cell_categories
from seqviz.charts.style import colour, labels_expression, shortened, styled
from seqviz.gradients import Agreement
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray

Measured = Literal["odds", "gradient"]


def agreement_chart(
    found: Sequence[Agreement],
    *,
    names: Sequence[str],
    measured: Measured = "odds",
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """Lines over the words of the clause, one colour a model, solid for the singular and dashed for the plural.

    Args:
        found: of one clause, one for each model.
        names: of the models, for people.
        measured: ``"odds"`` for log₁₀ P(was)/P(were), ``"gradient"`` for log₁₀ of the gradient's norm at the
            subject's word vector.
        theme, font_size, t: as in every chart.
    """
    rows = [row for one, name in zip(found, names, strict=True) for row in _rows(one, name, measured)]
    labels = [t("no clause"), *(shortened(word, 12) for word in found[0].clause)]
    verbs = found[0].verbs
    title, axis = {
        "odds": (
            t("‘{one}’ or ‘{many}’?").format(one=verbs[0], many=verbs[1]),
            t("P({one}) / P({many}), log scale").format(one=verbs[0], many=verbs[1]),
        ),
        "gradient": (
            t("What still hangs on the subject"),
            t("‖gradient at the subject‖, log scale"),
        ),
    }[measured]
    x = alt.X(
        "length:O",
        title=t("the clause up to this word"),
        axis=alt.Axis(
            labelExpr=labels_expression(labels),
            labelAngle=-40,
            labelAlign="right",
            labelBaseline="top",
            labelPadding=6,
            labelOverlap=True,
            labelLimit=10 * font_size,
            ticks=False,
            grid=False,
        ),
    )
    y = alt.Y(
        "value:Q",
        title=axis,
        axis=power_axis([float(str(row["value"])) for row in rows]),
        scale=alt.Scale(zero=False, nice=False),
    )
    data = alt.InlineData(values=rows)
    palette = category_colours(theme)
    colours = alt.Color(
        "model:N",
        title=None,
        scale=alt.Scale(
            domain=list(names),
            range=[palette[index] for index in cell_categories([one.cell for one in found])],
        ),
        legend=alt.Legend(orient="top", labelLimit=0, symbolStrokeWidth=3),
    )
    dashes = alt.StrokeDash(
        "subject:N", scale=alt.Scale(domain=list(found[0].subjects), range=[[1, 0], [6, 4]]), legend=None
    )
    tooltip = [
        alt.Tooltip("model:N", title=t("model")),
        alt.Tooltip("subject:N", title=t("subject")),
        alt.Tooltip("text:N", title=t("text")),
        alt.Tooltip("exact:N", title=axis.partition(",")[0]),
    ]
    lines = alt.Chart(data).mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=45)).encode(
        x=x, y=y, color=colours, strokeDash=dashes, tooltip=tooltip
    )  # fmt: skip
    layers: list[alt.Chart] = [lines]
    if measured == "odds":
        zero = alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(color=colour("muted", theme)).encode(y=y)
        layers.insert(0, zero)
    chart = alt.layer(
        *layers,
        height=20 * font_size,
        title=alt.TitleParams(title, subtitle=_subtitle(found[0], measured, t)),
        description=f"{title}. " + " ".join(agreement_sentence(o, t=t) for o in found),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _subtitle(found: Agreement, measured: Measured, t: Translator) -> list[str]:
    """How to read the chart, in lines that fit a phone."""
    (one, many), (was, were) = found.subjects, found.verbs
    lines = [t("Solid: the {one}; dashed: the {many}.").format(one=one, many=many)]
    if measured == "odds":
        lines.insert(0, t("Above the line: {one}; below it: {many}.").format(one=was, many=were))
    return lines


def agreement_sentence(found: Agreement, *, t: Translator = english) -> str:
    """How far the model keeps the number, and how the gradient falls."""
    total = len(found.clause) + 1
    first, last = found.subject_embedding.mean(0)[[0, -1]]
    return t(
        "The right verb is the likelier one in {right} of {total} texts; from no clause to {count} words the gradient "
        "at the subject goes from {first} to {last}."
    ).format(right=int(found.right.sum()), total=2 * total, count=total - 1, first=f"{first:.2g}", last=f"{last:.2g}")


def _rows(found: Agreement, name: str, measured: Measured) -> list[dict[str, object]]:
    values = found.log_ratio / math.log(10) if measured == "odds" else _log10(found.subject_embedding)
    return [
        {
            "model": name,
            "subject": subject,
            "length": length,
            "value": round(float(values[row, length]), 5),
            "exact": f"{10 ** values[row, length]:.6g}",
            "text": f"The {subject}" + (f", {' '.join(found.clause[:length])}," if length else "") + " …",
        }
        for row, subject in enumerate(found.subjects)
        for length in range(len(found.clause) + 1)
        if np.isfinite(values[row, length])
    ]


def _log10(values: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(values))
