"""Charts of measured attention: alignment error of the readings, BLEU by the length of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from seqviz.attention import AlignmentScores
from seqviz.charts.palette import Theme, category_colours, sequential_ramp
from seqviz.charts.style import colour, labels_expression, legend_columns, styled
from seqviz.i18n import Translator, english
from seqviz.length_bleu import LengthBleu

_SHADE = 13


def error_rate_chart(
    scores: AlignmentScores,
    *,
    names: Mapping[str, str],
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.Chart:
    """A bar for each reading, and the diagonal as what needs no model.

    Args:
        scores: the measurement.
        names: of the readings, for people.
        theme, font_size, t: of the reader.
    """
    rates = {**{names[name]: rate for name, rate in scores.error_rates.items()}, t("Diagonal"): scores.baseline}
    rows = [
        {"row": index, "rate": rate, "shown": f"{100 * rate:.1f} %", "baseline": index == len(rates) - 1}
        for index, rate in enumerate(rates.values())
    ]
    axis = alt.Axis(labelExpr=labels_expression(list(rates)), ticks=False, domain=False)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("row:O", title=None, axis=axis),
        x=alt.X(
            "rate:Q", title=t("alignment error rate, lower is better"), scale=alt.Scale(domain=[0, 0.6]),
            axis=alt.Axis(format="%", tickCount=6),
        ),
    )  # fmt: skip
    bars = base.mark_bar(cornerRadiusEnd=3).encode(
        color=alt.ColorValue(
            sequential_ramp("share", theme)[_SHADE],
            condition={"test": "datum.baseline", "value": colour("line", theme)},
        )
    )
    words = base.mark_text(align="left", dx=6, fontSize=font_size, color=colour("text", theme)).encode(text="shown:N")
    description = ", ".join(f"{name}: {100 * rate:.1f} %" for name, rate in rates.items())
    chart = alt.layer(bars, words, height=2.2 * font_size * len(rows), description=description)
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def length_chart(
    measured: Sequence[LengthBleu],
    *,
    titles: Mapping[str, str],
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.Chart:
    """BLEU against the length of the source: a curve with a band of 95 % for each model, and counts below.

    Args:
        measured: the figures of each model.
        titles: of the models, by name.
        theme, font_size, t: of the reader.
    """
    names = [titles[one.model] for one in measured]
    rows = [
        {
            "model": titles[one.model], "length": each.mean, "words": each.label, "bleu": each.bleu,
            "low": each.low_bleu, "high": each.high_bleu, "sources": each.sources,
            "interval": f"{each.low_bleu:.1f} – {each.high_bleu:.1f}",
        }
        for one in measured
        for each in one.bins
    ]  # fmt: skip
    top = max((each.high_bleu for one in measured for each in one.bins), default=60.0)
    scale = alt.Color(
        "model:N", sort=names, legend=_legend(),
        scale=alt.Scale(domain=names, range=list(category_colours(theme)[: len(names)])),
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "length:Q",
            title=t("words of the source, mean of the bin"),
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickMinStep=1, format="d"),
        ),
        color=scale,
    )
    band = base.mark_area(opacity=0.18).encode(
        y=alt.Y("low:Q", title="BLEU", scale=alt.Scale(domain=[0, top])), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2.4).encode(y="bleu:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        y="bleu:Q",
        tooltip=[
            alt.Tooltip("model:N", title=t("model")), alt.Tooltip("words:N", title=t("words")),
            alt.Tooltip("bleu:Q", title="BLEU", format=".1f"), alt.Tooltip("interval:N", title="95 %"),
            alt.Tooltip("sources:Q", title=t("sentences")),
        ],
    )  # fmt: skip
    first = [row for row in rows if row["model"] == names[0]] if names else []
    counts = (
        alt.Chart(alt.InlineData(values=first))
        .mark_text(baseline="bottom", dy=-3, fontSize=font_size - 1, color=colour("muted", theme))
        .encode(x="length:Q", y=alt.datum(0), text=alt.Text("sources:Q"))
    )
    description = "; ".join(
        f"{titles[one.model]}: " + ", ".join(f"{each.label}: {each.bleu:.1f} (n = {each.sources})" for each in one.bins)
        for one in measured
    )
    chart = alt.layer(band, line, points, counts, height=22 * font_size, description=description)
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def growth_chart(
    curves: Mapping[str, Sequence[float]],
    *,
    chosen: int,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.Chart:
    """chrF of each model's translation while a sentence grows.

    Args:
        curves: chrF in percent for 1, 2, ... clauses, by the model's title.
        chosen: number of clauses that is shown above.
        theme, font_size, t: of the reader.
    """
    names = list(curves)
    rows = [
        {"model": name, "clauses": index + 1, "chrf": value}
        for name, values in curves.items()
        for index, value in enumerate(values)
    ]
    scale = alt.Color(
        "model:N", sort=names, legend=_legend(),
        scale=alt.Scale(domain=names, range=list(category_colours(theme)[: len(names)])),
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("clauses:Q", title=t("clauses"), scale=alt.Scale(zero=False), axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("chrf:Q", title="chrF", scale=alt.Scale(domain=[0, 100])),
        color=scale,
    )
    here = (
        alt.Chart(alt.InlineData(values=[{"clauses": chosen}]))
        .mark_rule(color=colour("accent", theme), strokeDash=[5, 3])
        .encode(x="clauses:Q")
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        tooltip=[alt.Tooltip("model:N", title=t("model")), alt.Tooltip("chrf:Q", title="chrF", format=".1f")]
    )
    description = "; ".join(f"{name}: " + ", ".join(f"{value:.0f}" for value in curves[name]) for name in names)
    chart = alt.layer(here, base.mark_line(strokeWidth=2.4), points, height=14 * font_size, description=description)
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _legend() -> alt.Legend:
    """Of models by their titles, which are long."""
    limit = alt.ExprRef("min(420, width - 24)")
    return alt.Legend(title=None, orient="top", columns=legend_columns(2), labelLimit=limit)
