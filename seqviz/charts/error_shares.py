"""An error report as pictures: the fraction due to search and model, and both scores of every pair (syllabus S6)."""

from __future__ import annotations

import altair as alt

from seqviz.charts.palette import COLOURS, Theme, category_colours
from seqviz.charts.style import colour, shortened, styled
from seqviz.error_report import BLAMES, Blame, ErrorReport
from seqviz.i18n import Translator, english


def blame_name(blame: Blame, t: Translator = english) -> str:
    """Whose fault it is, in a word or two."""
    return {"none": t("no error"), "search": t("search"), "model": t("model")}[blame]


def _blame_colour(t: Translator, theme: Theme, *, legend: bool) -> alt.Color:
    kinds = category_colours(theme)
    return alt.Color(
        "blame:N",
        title=None,
        scale=alt.Scale(
            domain=[blame_name(blame, t) for blame in BLAMES], range=[COLOURS["line"][theme], kinds[3], kinds[4]]
        ),
        legend=alt.Legend(orient="top", labelLimit=0) if legend else None,
    )


def share_chart(
    report: ErrorReport, *, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """One bar: how many pairs are no error, due to the search, due to the model.

    Args:
        report: as far as it has come.
        theme, font_size, t: as in every chart.
    """
    rows: list[dict[str, str | float]] = []
    start = 0
    for blame in BLAMES:
        count = report.count(blame)
        name = blame_name(blame, t)
        rows.append({"blame": name, "count": count, "start": start, "end": start + count, "middle": start + count / 2})
        start += count
    base = alt.Chart(alt.InlineData(values=rows))
    bars = base.mark_bar(size=2.6 * font_size).encode(
        x=alt.X(
            "start:Q",
            title=t("pairs"),
            axis=alt.Axis(tickCount=6, format="d"),
            scale=alt.Scale(domain=[0, max(start, 1)], nice=False),
        ),
        x2="end:Q",
        color=_blame_colour(t, theme, legend=True),
        tooltip=[alt.Tooltip("blame:N", title=t("due to")), alt.Tooltip("count:Q", title=t("pairs"))],
    )
    labels = (
        base.transform_filter("datum.count > 0")
        .mark_text(fontWeight=600, fontSize=font_size + 1, color=colour("on_category", theme))
        .encode(x="middle:Q", text="count:Q")
    )
    chart = alt.layer(
        bars, labels, height=3.4 * font_size, title=t("Whose fault?"), description=report_sentence(report, t=t)
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def score_chart(
    report: ErrorReport, *, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """A dot a pair: the score of ŷ to the right, that of y* upwards; above the diagonal the search is at fault."""
    rows = [
        {
            "number": pair.number,
            "blame": blame_name(pair.blame, t),
            "output": pair.output.score,
            "reference": pair.reference.score,
            "source": shortened(pair.source, 80),
            "human": shortened(pair.reference.text, 80),
            "machine": shortened(pair.output.text, 80),
        }
        for pair in report.judged
    ]
    low = min((min(float(str(row["output"])), float(str(row["reference"]))) for row in rows), default=-1.0) * 1.05
    scale = alt.Scale(domain=[low, 0], nice=False, type="symlog", constant=1)
    ticks = [tick for tick in (0, -1, -2, -5, -10, -20, -50, -100, -200, -500) if tick >= low]
    axis = alt.Axis(values=ticks)
    x = alt.X("output:Q", title=t("score of ŷ"), scale=scale, axis=axis)
    y = alt.Y("reference:Q", title=t("score of y*"), scale=scale, axis=axis)
    ends = [{"output": low, "reference": low}, {"output": 0.0, "reference": 0.0}]
    diagonal = (
        alt.Chart(alt.InlineData(values=ends))
        .mark_line(color=colour("line", theme), strokeDash=[4, 4])
        .encode(x=x, y=y)
    )
    dots = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_circle(size=90, opacity=0.75)
        .encode(
            x=x,
            y=y,
            color=_blame_colour(t, theme, legend=False),
            tooltip=[
                alt.Tooltip("number:Q", title=t("pair")),
                alt.Tooltip("source:N", title=t("source")),
                alt.Tooltip("human:N", title="y*"),
                alt.Tooltip("machine:N", title="ŷ"),
                alt.Tooltip("reference:Q", title=t("score of y*"), format=".3f"),
                alt.Tooltip("output:Q", title=t("score of ŷ"), format=".3f"),
                alt.Tooltip("blame:N", title=t("due to")),
            ],
        )
    )
    chart = alt.layer(
        diagonal,
        dots,
        height=22 * font_size,
        title=alt.TitleParams(
            t("Both scores of every pair"), subtitle=t("Above the dashed line the model prefers y*: a search error.")
        ),
        description=report_sentence(report, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def report_sentence(report: ErrorReport, *, t: Translator = english) -> str:
    """The fraction due to each, and how often the wider beam ends worse."""
    if not report.judged:
        return t("No pair is judged yet.")
    wider = report.wider_counts()
    if report.errors:
        says = t(
            "{errors} of {count} translations differ from y*: {search} ({search_share:.0%}) are due to the search, "
            "{model} ({model_share:.0%}) to the model."
        ).format(
            errors=report.errors,
            count=len(report.judged),
            search=report.count("search"),
            search_share=report.fraction("search"),
            model=report.count("model"),
            model_share=report.fraction("model"),
        )
    else:
        says = t("All {count} translations are y* itself.").format(count=len(report.judged))
    return says + " " + t(
        "By sentence BLEU the beam of {wider} ends worse than that of {beam} for {worse} pairs and better for {better}."
    ).format(
        wider=report.config.wider, beam=report.config.beam_size, worse=wider["worse"], better=wider["better"]
    )  # fmt: skip
