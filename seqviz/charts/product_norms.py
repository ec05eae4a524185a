"""The greatest singular value of the product of k Jacobians, for several models side by side (syllabus B4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt

from seqviz.charts.gradient_axes import power_axis
from seqviz.charts.laboratory import count_axis, magnitude, thinned
from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.spectra import product_sentence
from seqviz.charts.style import colour, styled
from seqviz.i18n import Translator, english
from seqviz.laboratory import Spectra


def product_norm_chart(
    spectra: Sequence[Spectra],
    *,
    names: Sequence[str],
    colours: Sequence[int],
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """One line a model: the most that k steps can make of an error.

    Args:
        spectra: of kind ``"products"``, of one text.
        names: of the models, for people.
        colours: of the models, numbers of the category palette.
        theme, font_size, t: as in every chart.
    """
    rows = [
        {"model": name, "length": int(one.places[index]), "value": round(value, 5), "exact": magnitude(value)}
        for name, one in zip(names, spectra, strict=True)
        for index in thinned(len(one.places))
        if math.isfinite(value := float(one.log_values[index, 0]))
    ]
    logs = [float(str(row["value"])) for row in rows] + [0.0]
    room = max(0.3, 0.05 * (max(logs) - min(logs)))
    view = [min(logs) - room, max(logs) + room]
    y = alt.Y("value:Q", title=t("greatest singular value, log scale"), axis=power_axis(view),
              scale=alt.Scale(domain=view, nice=False, zero=False))  # fmt: skip
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=45))
        .encode(
            x=alt.X("length:Q", title=t("k, steps multiplied"), axis=count_axis(), scale=alt.Scale(nice=False)),
            y=y,
            color=alt.Color(
                "model:N",
                title=None,
                scale=alt.Scale(domain=list(names), range=[category_colours(theme)[i] for i in colours]),
                legend=alt.Legend(orient="top", labelLimit=0, symbolStrokeWidth=3),
            ),
            tooltip=[
                alt.Tooltip("model:N", title=t("model")),
                alt.Tooltip("length:Q", title="k"),
                alt.Tooltip("exact:N", title=t("greatest singular value")),
            ],
        )
    )
    one = alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(color=colour("text", theme)).encode(y=y)
    chart = alt.layer(
        one,
        lines,
        height=18 * font_size,
        title=alt.TitleParams(
            t("The most that k steps can make of an error"), subtitle=t("Black: 1, an error keeps its norm.")
        ),
        description=" ".join(f"{n}: {product_sentence(s, t=t)}" for n, s in zip(names, spectra, strict=True)),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]
