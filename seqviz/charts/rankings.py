"""How well the best units of several models track each property of a text."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.properties import property_name
from seqviz.charts.style import colour, labels_expression, styled
from seqviz.i18n import Translator, english
from seqviz.units import Tracking

_SHAPES = ("circle", "diamond", "square", "triangle-up")


def rankings_chart(
    trackings: Sequence[Tracking],
    *,
    names: Sequence[str],
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """A row for each property: the best unit's ``|r|`` on held-out text, a point a model, and what chance reaches.

    Args:
        trackings: of the models, over one text.
        names: of the models, for people.
        theme, font_size, t: as in every chart.
    """
    order = list(dict.fromkeys(one.property for tracking in trackings for one in tracking.tracked))
    titles = [property_name(name, t) for name in order]
    rows = [
        {
            "row": order.index(one.property),
            "model": name,
            "r": round(abs(one.best[0].held_out), 5),
            "chance": round(one.chance, 5),
            "unit": str(one.best[0].place),
        }
        for name, tracking in zip(names, trackings, strict=True)
        for one in tracking.tracked
    ]
    y = alt.Y(
        "row:O",
        title=None,
        scale=alt.Scale(domain=list(range(len(order)))),
        axis=alt.Axis(labelExpr=labels_expression(titles), labelLimit=0, ticks=False, domain=False, labelPadding=8),
    )
    x = alt.X(
        "r:Q", title=t("|r| of the best unit, held out"), scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5)
    )
    domain, colours = list(names), list(category_colours(theme))[: len(names)]
    base = alt.Chart(alt.InlineData(values=rows))
    points = base.mark_point(filled=True, size=130, opacity=1).encode(
        x=x,
        y=y,
        color=alt.Color(
            "model:N",
            title=None,
            scale=alt.Scale(domain=domain, range=colours),
            legend=alt.Legend(orient="top", labelLimit=0, columns=1),
        ),
        shape=alt.Shape("model:N", title=None, scale=alt.Scale(domain=domain, range=list(_SHAPES[: len(names)]))),
        tooltip=[
            alt.Tooltip("model:N", title=t("model")),
            alt.Tooltip("unit:N", title=t("unit")),
            alt.Tooltip("r:Q", title="|r|", format=".3f"),
            alt.Tooltip("chance:Q", title=t("chance"), format=".3f"),
        ],
    )
    chance = base.mark_tick(color=colour("muted", theme), thickness=2, size=1.1 * font_size).encode(
        x=alt.X("chance:Q"), y=y
    )
    title = t("Best unit of each model")
    subtitle = t("the stroke: what chance reaches")
    layered = alt.layer(
        chance,
        points,
        height=max(100, 2.0 * font_size * max(len(order), 1)),
        title=alt.TitleParams(title, subtitle=subtitle),
        description=f"{title}. {rankings_sentence(trackings, names=names, t=t)}",
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def rankings_sentence(trackings: Sequence[Tracking], *, names: Sequence[str], t: Translator = english) -> str:
    """Of how many properties each model has a unit that is better than chance."""
    return " ".join(
        t("{model}: better than chance at {count} of {all} properties.").format(
            model=name,
            count=sum(abs(one.best[0].held_out) > one.chance for one in tracking.tracked),
            all=len(tracking.tracked),
        )
        for name, tracking in zip(names, trackings, strict=True)
    )
