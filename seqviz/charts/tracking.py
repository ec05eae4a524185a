"""A unit beside a property of the text: both over time, and the unit's values where the property holds."""

from __future__ import annotations

import altair as alt
import numpy as np

from seqviz.charts.palette import Theme, sequential_ramp
from seqviz.charts.style import colour, sign_colours, styled
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray
from seqviz.units import Tracked, UnitSeries

MAX_POINTS = 400
HISTOGRAM_BINS = 40
MAX_LEVELS = 40


def windows(count: int) -> int:
    """Steps that one point of the chart over time stands for."""
    return max(1, -(-count // MAX_POINTS))


def series_chart(
    series: UnitSeries,
    *,
    unit_name: str,
    property_name: str = "",
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """A unit over the whole text, with the property as a band (yes or no) or as a second line.

    Args:
        series: of the unit, with a property or without.
        unit_name, property_name: for people.
        theme, font_size, t: as in every chart.
    """
    width = windows(len(series.values))
    mean = _windowed(series.values, width, np.mean)
    low, high = _windowed(series.values, width, np.min), _windowed(series.values, width, np.max)
    rows = [
        {"step": i * width + 1, "value": _short(mean[i]), "low": _short(low[i]), "high": _short(high[i])}
        for i in range(len(mean))
    ]
    base = alt.Chart(alt.InlineData(values=rows))
    x = alt.X(
        "step:Q",
        title=t("step"),
        scale=alt.Scale(domain=[1, len(series.values)], nice=False),
        axis=alt.Axis(grid=False),
    )
    value = alt.Y("value:Q", title=unit_name)
    ink = sign_colours(theme)[1]
    layers: list[alt.Chart] = []
    if series.property is not None:
        layers.append(_property_layer(series, width, property_name, theme, x))
    if width > 1:
        layers.append(
            base.mark_area(opacity=0.25, color=ink).encode(x=x, y=alt.Y("low:Q", title=unit_name), y2="high:Q")
        )
    layers.append(
        base.mark_line(color=ink, strokeWidth=1.8).encode(
            x=x, y=value, tooltip=[alt.Tooltip("step:Q", title=t("step")), alt.Tooltip("value:Q", title=unit_name)]
        )
    )
    subtitle = t("Every point is the mean of {count} steps; the band goes from their lowest to their highest value.")
    title = alt.TitleParams(
        f"{unit_name} · {property_name}" if property_name else unit_name,
        subtitle=subtitle.format(count=width) if width > 1 else "",
    )
    chart = alt.layer(*layers).resolve_scale(y="independent") if _second_axis(series) else alt.layer(*layers)
    chart = chart.properties(height=14 * font_size, title=title, description=f"{unit_name}. {property_name}".strip())
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def values_chart(
    series: UnitSeries,
    *,
    unit_name: str,
    property_name: str,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.Chart | alt.LayerChart:
    """The unit's values by the property: two histograms for yes or no, mean and spread at every number otherwise."""
    if series.property is None:
        raise ValueError("the series has no property")
    chart: alt.Chart | alt.LayerChart
    if series.binary:
        chart = _histograms(series.values, series.property, unit_name, property_name, theme, t)
    else:
        chart = _levels(series.values, series.property, unit_name, property_name, theme, t)
    chart = chart.properties(height=14 * font_size)
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def tracked_sentence(
    one: Tracked, *, unit_name: str, property_name: str, num_units: int, t: Translator = english
) -> str:
    """What the best unit reaches, what it rests on, and what chance reaches."""
    best = one.best[0]
    measured = f"r = {best.held_out:+.2f}".replace("-", "\u2212")
    if one.binary:
        measured += f", AUC {best.auc:.2f}"
    says = t(
        "{unit} tracks ‘{property}’: {measured}, measured on {steps} pieces that had no part in choosing it among "
        "{units} units ({positives} with the property)."
    ).format(
        unit=unit_name,
        property=property_name,
        measured=measured,
        steps=one.steps,
        units=num_units,
        positives=one.positives,
    )
    chance = t("With the property shifted in time the best unit reaches |r| = {chance} by chance.").format(
        chance=f"{one.chance:.2f}"
    )
    weak = abs(best.held_out) <= one.chance
    verdict = t("This is no more than chance: the model has no unit for it here.") if weak else ""
    return " ".join(part for part in (says, chance, verdict) if part)


def _second_axis(series: UnitSeries) -> bool:
    return series.property is not None


def _property_layer(series: UnitSeries, width: int, name: str, theme: Theme, x: alt.X) -> alt.Chart:
    assert series.property is not None  # noqa: S101 (its caller looked)
    mean = _windowed(series.property, width, np.mean)
    rows = [{"step": i * width + 1, "value": _short(mean[i])} for i in range(len(mean))]
    top = 1.0 if series.binary else max(float(mean.max()), 1.0)
    ramp = sequential_ramp("share", theme)
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_area(interpolate="step-after", color=ramp[6], opacity=0.8, line={"color": ramp[10], "strokeWidth": 0.8})
        .encode(
            x=x,
            y=alt.Y(
                "value:Q",
                title=name,
                scale=alt.Scale(domain=[0, top], nice=False),
                axis=alt.Axis(orient="right", grid=False, tickCount=2 if series.binary else 4),
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
            x=alt.X("low:Q", title=unit_name, scale=alt.Scale(nice=False, zero=False)),
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
) -> alt.LayerChart:
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
    ).properties(title=t("Mean and standard deviation at every value"), description=f"{unit_name}. {property_name}")


def _windowed(values: FloatArray, width: int, reduce: object) -> FloatArray:
    edges = np.arange(0, len(values), width)
    ufunc = {np.min: np.minimum, np.max: np.maximum}.get(reduce)  # type: ignore[call-overload]
    if ufunc is not None:
        return np.asarray(ufunc.reduceat(values, edges))
    return np.asarray(np.add.reduceat(values.astype(np.float64), edges) / np.diff([*edges, len(values)]))


def _short(value: float) -> float:
    return float(f"{float(value):.5g}")
