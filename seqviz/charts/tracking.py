"""A unit beside a property of the text: both over time, and the unit's values where the property holds."""

from __future__ import annotations

import altair as alt
import numpy as np

from seqviz.charts.palette import Theme, sequential_ramp
from seqviz.charts.style import colour, sign_colours, styled
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray, IntArray
from seqviz.units import Tracked, UnitSeries

MAX_POINTS = 400
"""Points of the chart over time; a longer stretch is averaged."""
HISTOGRAM_BINS = 40
MAX_LEVELS = 40


def series_chart(
    series: UnitSeries,
    *,
    unit_name: str,
    axis_name: str = "",
    property_name: str = "",
    start: int = 0,
    end: int | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.TopLevelMixin:
    """A unit over a stretch of the text, with the property behind it.

    Args:
        series: of the unit, with a property or without.
        unit_name, property_name: for people; ``axis_name`` is a short form of the first.
        start, end: the stretch, the end not included; None for the end of the text.
        theme, font_size, t: as in every chart.
    """
    stretch = slice(start, end)
    values = series.values[stretch]
    holds = None if series.property is None else series.property[stretch]
    width = max(1, -(-len(values) // MAX_POINTS))
    steps = start + 1 + width * np.arange(-(-len(values) // width))
    x = alt.X(
        "step:Q",
        title=t("step"),
        scale=alt.Scale(domain=[start + 1, start + len(values)], nice=False),
        axis=alt.Axis(grid=False),
    )
    chart = _values_layer(values, steps, width, axis_name or unit_name, theme, x)
    if holds is not None:
        top = 1.0 if series.binary else max(float(holds.max(initial=0)), 1.0)
        band = _property_layer(holds, steps, width, property_name, theme, x, top=top)
        chart = alt.layer(band, chart).resolve_scale(y="independent")
    subtitle = t("Every point is the mean of {count} steps; the band goes from their lowest to their highest value.")
    title = alt.TitleParams(
        unit_name,
        subtitle=subtitle.format(count=width) if width > 1 else "",
    )
    chart = chart.properties(height=14 * font_size, title=title, description=f"{unit_name}. {property_name}".strip())
    return styled(chart, theme=theme, font_size=font_size)


def values_chart(
    series: UnitSeries,
    *,
    unit_name: str,
    axis_name: str = "",
    property_name: str,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.TopLevelMixin:
    """The unit's values by the property: two histograms for yes or no, mean and spread at every number otherwise."""
    if series.property is None:
        raise ValueError("the series has no property")
    chart: alt.Chart | alt.LayerChart | alt.FacetChart
    if series.binary:
        chart = _histograms(series.values, series.property, axis_name or unit_name, property_name, theme, t)
    else:
        chart = _levels(series.values, series.property, axis_name or unit_name, property_name, theme, t)
    chart = chart.properties(height=14 * font_size)
    return styled(chart, theme=theme, font_size=font_size)


def tracked_sentence(
    one: Tracked, *, unit_name: str, property_name: str, num_units: int, t: Translator = english
) -> str:
    """What the best unit reaches, what it rests on, and what chance reaches."""
    best = one.best[0]
    measured = f"r = {best.held_out:+.2f}".replace("-", "\u2212")
    says = t(
        "Best unit for ‘{property}’: {unit}, {measured}, measured on {steps} pieces that had no part in choosing it "
        "among {units} units."
    ).format(
        unit=unit_name,
        property=property_name,
        measured=f"{measured}, AUC {best.auc:.2f}" if one.binary else measured,
        steps=f"{one.steps:,}",
        units=f"{num_units:,}",
    )
    rests = t("The property holds at {count} of them.").format(count=f"{one.positives:,}") if one.binary else ""
    chance = t("With the property shifted in time the best unit reaches |r| = {chance} by chance.").format(
        chance=f"{one.chance:.2f}"
    )
    weak = abs(best.held_out) <= one.chance
    verdict = t("So this is no more than chance: no unit of the model is made for it.") if weak else ""
    return " ".join(part for part in (says, rests, chance, verdict) if part)


def _values_layer(
    values: FloatArray, steps: IntArray, width: int, axis_name: str, theme: Theme, x: alt.X
) -> alt.LayerChart | alt.FacetChart:
    mean, low, high = (_windowed(values, width, how) for how in ("mean", "low", "high"))
    numbers = zip(steps.tolist(), mean.tolist(), low.tolist(), high.tolist(), strict=True)
    rows = [{"step": s, "value": _short(v), "low": _short(a), "high": _short(b)} for s, v, a, b in numbers]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    ink = sign_colours(theme)[1]
    line = base.mark_line(color=ink, strokeWidth=1.8).encode(
        y=alt.Y("value:Q", title=axis_name, axis=alt.Axis(tickCount=5)), tooltip=["step:Q", "value:Q"]
    )
    if width == 1:
        return alt.layer(line)
    return alt.layer(
        base.mark_area(opacity=0.25, color=ink).encode(y=alt.Y("low:Q", title=axis_name), y2="high:Q"), line
    )


def _property_layer(
    holds: FloatArray, steps: IntArray, width: int, name: str, theme: Theme, x: alt.X, *, top: float
) -> alt.Chart:
    mean = _windowed(holds, width, "mean")
    rows = [{"step": s, "value": _short(v)} for s, v in zip(steps.tolist(), mean.tolist(), strict=True)]
    shades = sequential_ramp("share", theme)
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_area(interpolate="step-after", color=shades[5], opacity=0.7)
        .encode(
            x=x,
            y=alt.Y(
                "value:Q",
                title=name,
                scale=alt.Scale(domain=[0, top], nice=False),
                axis=alt.Axis(orient="right", grid=False, tickCount=1 if top == 1 else 4),
            ),
        )
    )


def _histograms(
    values: FloatArray, holds: FloatArray, unit_name: str, property_name: str, theme: Theme, t: Translator
) -> alt.Chart:
    edges = np.linspace(float(values.min()), float(values.max()) or 1.0, HISTOGRAM_BINS + 1)
    names = {True: property_name, False: t("elsewhere")}
    rows = []
    for yes in (True, False):
        mine = values[(holds > 0) == yes]
        counts, _ = np.histogram(mine, edges)
        rows += [
            {
                "low": _short(edges[i]),
                "high": _short(edges[i + 1]),
                "share": round(count / max(len(mine), 1), 5),
                "where": names[yes],
            }
            for i, count in enumerate(counts.tolist())
        ]
    _, positive = sign_colours(theme)
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(opacity=0.62)
        .encode(
            x=alt.X("low:Q", bin="binned", title=unit_name, scale=alt.Scale(nice=False, zero=False)),
            x2="high:Q",
            y=alt.Y("share:Q", title=t("share of pieces"), stack=None, axis=alt.Axis(format="%", tickCount=4)),
            color=alt.Color(
                "where:N",
                title=None,
                scale=alt.Scale(domain=[names[True], names[False]], range=[positive, colour("neutral", theme)]),
                legend=alt.Legend(orient="top", labelLimit=0),
            ),
            tooltip=[
                alt.Tooltip("where:N"),
                alt.Tooltip("low:Q"),
                alt.Tooltip("high:Q"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        .properties(title=t("Its values where it holds, and elsewhere"), description=f"{unit_name}. {property_name}")
    )


def _levels(
    values: FloatArray, numbers: FloatArray, unit_name: str, property_name: str, theme: Theme, t: Translator
) -> alt.LayerChart | alt.FacetChart:
    rows = []
    top = float(numbers.max())
    width = max(1, int(np.ceil((top + 1) / MAX_LEVELS)))
    for low in range(0, int(top) + 1, width):
        mine = values[(numbers >= low) & (numbers < low + width)]
        if len(mine):
            mean, spread = float(mine.mean()), float(mine.std())
            rows.append(
                {
                    "number": low,
                    "mean": _short(mean),
                    "low": _short(mean - spread),
                    "high": _short(mean + spread),
                    "count": len(mine),
                }
            )
    base = alt.Chart(alt.InlineData(values=rows))
    x = alt.X("number:Q", title=property_name, scale=alt.Scale(nice=False))
    ink = sign_colours(theme)[1]
    tooltip = [
        alt.Tooltip("number:Q", title=property_name),
        alt.Tooltip("mean:Q", title=t("mean")),
        alt.Tooltip("count:Q", title=t("pieces")),
    ]
    return alt.layer(
        base.mark_area(opacity=0.25, color=ink).encode(x=x, y=alt.Y("low:Q", title=unit_name), y2="high:Q"),
        base.mark_line(color=ink, strokeWidth=2, point=alt.OverlayMarkDef(size=30)).encode(
            x=x, y="mean:Q", tooltip=tooltip
        ),
        title=t("Mean ± deviation at every value"),
        description=f"{unit_name}. {property_name}",
    )


def _windowed(values: FloatArray, width: int, how: str) -> FloatArray:
    """Mean, lowest or highest of every ``width`` values."""
    edges = np.arange(0, len(values), width)
    if how == "mean":
        return np.asarray(np.add.reduceat(values.astype(np.float64), edges) / np.diff([*edges, len(values)]))
    return np.asarray({"low": np.minimum, "high": np.maximum}[how].reduceat(values, edges))


def _short(value: float) -> float:
    return float(f"{float(value):.5g}")
