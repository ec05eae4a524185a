"""Singular values of Jacobians: of every step, and of the product of the last k (syllabus B4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt
import numpy as np

from seqviz.charts.gradient_axes import power_axis, token_axis
from seqviz.charts.laboratory import count_axis, magnitude, range_limits, thinned
from seqviz.charts.notation import visible
from seqviz.charts.palette import Theme, sequential_ramp
from seqviz.charts.style import colour, styled
from seqviz.i18n import Translator, english
from seqviz.laboratory import Spectra
from seqviz.types import FloatArray, IntArray

RANKS = 12
"""Singular values of a product that get a line of their own; the greatest and the least are always among them."""
_POINTS_SHOWN = 40
_PRODUCTS, _STEPS = 60, 200  # points along the x axis
_BANDS = ((0.0, 1.0, 0.18), (0.25, 0.75, 0.4))


def step_spectrum_chart(
    spectra: Spectra, *, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """The singular values of every step's Jacobian: least to greatest, the middle half, the median, the greatest.

    Args:
        spectra: of kind ``"steps"``.
        theme, font_size, t: as in every chart.
    """
    rows = _step_rows(spectra)
    if spectra.pieces:
        x: alt.X = token_axis(spectra.pieces, font_size)
    else:
        x = alt.X("step:Q", title=t("step"), axis=count_axis(), scale=alt.Scale(nice=False))
    bound = spectra.log_bound if spectra.log_bound is not None and math.isfinite(spectra.log_bound) else None
    low, high = _view([float(str(row[end])) for row in rows for end in ("low", "high")] + [0.0], bound)
    scale, axis = alt.Scale(domain=[low, high], nice=False, zero=False), power_axis([low, high])
    y = {name: alt.Y(f"{name}:Q", title=t("singular value, log scale"), axis=axis, scale=scale)
         for name in ("low", "lower", "median", "high", "value")}  # fmt: skip
    ramp = sequential_ramp("loss", theme)
    base = alt.Chart().encode(x=x)
    tooltip = [
        alt.Tooltip("where:N", title=t("step")),
        alt.Tooltip("greatest:N", title=t("greatest")),
        alt.Tooltip("middle:N", title=t("median")),
        alt.Tooltip("least:N", title=t("least that is known")),
        alt.Tooltip("hidden:Q", title=t("below the resolution")),
    ]
    points = alt.OverlayMarkDef(size=40, color=ramp[-1], opacity=1.0 if len(rows) <= _POINTS_SHOWN else 0.0)
    layers = [
        base.mark_area(color=ramp[10], opacity=_BANDS[0][2]).encode(y=y["low"], y2="high:Q"),
        base.mark_area(color=ramp[10], opacity=_BANDS[1][2]).encode(y=y["lower"], y2="upper:Q"),
        base.mark_line(color=ramp[14], strokeWidth=2).encode(y=y["median"]),
        base.mark_line(color=ramp[-1], strokeWidth=3, point=points)
        .encode(y=y["high"], tooltip=tooltip),
        _level(0.0, [1, 0], y["value"], theme),
        *([] if bound is None else [_level(bound, [7, 5], y["value"], theme)]),
    ]  # fmt: skip
    chart = alt.layer(
        *layers,
        data=alt.InlineData(values=rows),
        height=22 * font_size,
        title=alt.TitleParams(
            t("What one step does to an error"),
            subtitle=[
                t("singular values of the step's Jacobian"),
                t("Lines: greatest, median. Bands: all, middle half."),
                t("Black: 1, kept.") + ("" if bound is None else " " + t("Dashed: max g′ · σₘₐₓ.")),
            ],
        ),
        description=step_sentence(spectra, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def product_spectrum_chart(
    spectra: Spectra,
    *,
    steps: Spectra | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The singular values of the product of the last k Jacobians over k, with the bounds on the greatest.

    Args:
        spectra: of kind ``"products"``.
        steps: of the same run, for the product of the greatest singular values of the steps; used if it has them all.
        theme, font_size, t: as in every chart.
    """
    rows = _product_rows(spectra)
    bounds = _bound_rows(spectra, steps, t)
    low, high = _view([float(str(row["value"])) for row in rows] + [0.0], max((r[2] for r in bounds), default=None))
    x = alt.X("length:Q", title=t("k, steps multiplied"), axis=count_axis(),
              scale=alt.Scale(nice=False))  # fmt: skip
    y = alt.Y("value:Q", title=t("singular value, log scale"), axis=power_axis([low, high]),
              scale=alt.Scale(domain=[low, high], nice=False, zero=False))  # fmt: skip
    size = spectra.log_values.shape[1]
    ramp = list(reversed(sequential_ramp("loss", theme)))[:-5]
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2, clip=True)
        .encode(
            x=x,
            y=y,
            detail="rank:N",
            color=alt.Color(
                "rank:Q",
                title=t("rank"),
                scale=alt.Scale(domain=[1, size], range=ramp, interpolate="rgb"),
                legend=alt.Legend(orient="top", direction="horizontal", gradientLength=200, titleOrient="left",
                                  values=sorted({1, size // 2, size})),
            ),
            tooltip=[
                alt.Tooltip("length:Q", title="k"),
                alt.Tooltip("rank:Q", title=t("rank")),
                alt.Tooltip("exact:N", title=t("singular value")),
            ],
        )
    )  # fmt: skip
    dashed = [
        alt.Chart(alt.InlineData(values=[{"length": float(k), "value": round(float(v), 5), "bound": label}
                                         for k, v in zip(ks, vs, strict=True)]))
        .mark_line(color=colour("text", theme), strokeDash=dash, strokeWidth=2, clip=True)
        .encode(x=x, y=y, tooltip=[alt.Tooltip("bound:N", title=t("bound"))])
        for label, dash, _, ks, vs in bounds
    ]  # fmt: skip
    rest = alt.Chart(alt.InlineData(values=_resolution_rows(spectra, low)))
    floor = rest.mark_area(color=colour("neutral", theme), opacity=0.13, clip=True).encode(x=x, y=y, y2="bottom:Q")
    limits = range_limits([low, high], lines=_outer(spectra), theme=theme, t=t)
    chart = alt.layer(floor, *limits, lines, *dashed,
        height=20 * font_size,
        title=alt.TitleParams(
            t("What k steps do to an error"),
            subtitle=[
                t("singular values of the product of k Jacobians"),
                " ".join(label for label, *_ in bounds),
                t("Grey: below the resolution of float64."),
            ],
        ),
        description=product_sentence(spectra, t=t),
    )  # fmt: skip
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def step_sentence(spectra: Spectra, *, t: Translator = english) -> str:
    """The greatest and the median singular value over all steps."""
    greatest = spectra.log_values[:, 0]
    place = int(np.nanargmax(greatest))
    where = visible(spectra.pieces[spectra.places[place]]) if spectra.pieces else str(int(spectra.places[place]) + 1)
    return t(
        "The greatest singular value of a step is {most}, at step ‘{where}’; the median over all is {median}, and "
        "{share} of all are above 1."
    ).format(
        most=magnitude(float(greatest[place])),
        where=where,
        median=magnitude(float(np.median(_known(spectra.log_values)))),
        share=f"{100 * np.mean(np.nan_to_num(spectra.log_values, nan=-np.inf) > 0):.0f} %",
    )


def product_sentence(spectra: Spectra, *, t: Translator = english) -> str:
    """What the longest product can make of an error at most, and how many of its singular values are known."""
    last, length = spectra.log_values[-1], int(spectra.places[-1])
    known = int(np.sum(np.isfinite(last)))
    return t(
        "{count} steps multiply an error by at most {most}; {known} of {size} singular values of their product are "
        "above the resolution, the least of these is {least}."
    ).format(
        count=length,
        most=magnitude(float(last[0])),
        known=known,
        size=len(last),
        least=magnitude(float(last[known - 1])) if known else "0",
    )


def _known(row: FloatArray) -> FloatArray:
    """Unknown values as the exact zeros that they may be."""
    return np.asarray(np.nan_to_num(row, nan=-np.inf))


def _step_rows(spectra: Spectra) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for index in thinned(len(spectra.places), _STEPS):
        row = spectra.log_values[index]
        known = row[np.isfinite(row)]
        if not known.size:
            continue
        place, size = int(spectra.places[index]), len(row)
        # By rank among all, so that what is below the resolution counts as small; a band ends at what is known.
        low, lower, median, upper, high = (
            float(known[min(len(known) - 1, round(q * (size - 1)))]) for q in (1.0, 0.75, 0.5, 0.25, 0.0)
        )
        rows.append(
            {
                "step": place if spectra.pieces else place + 1,
                "where": visible(spectra.pieces[place]) if spectra.pieces else str(place + 1),
                "low": round(low, 5), "lower": round(lower, 5), "median": round(median, 5),
                "upper": round(upper, 5), "high": round(high, 5),
                "greatest": magnitude(high), "middle": magnitude(median), "least": magnitude(low),
                "hidden": int(spectra.hidden[index]),
            }
        )  # fmt: skip
    return rows


def _product_rows(spectra: Spectra) -> list[dict[str, object]]:
    size = spectra.log_values.shape[1]
    ranks = np.unique(np.linspace(0, size - 1, min(size, RANKS)).round().astype(int))
    return [
        {"length": int(spectra.places[index]), "rank": int(rank) + 1, "value": round(value, 5),
         "exact": magnitude(value)}
        for rank in ranks
        for index in thinned(len(spectra.places), _PRODUCTS)
        if math.isfinite(value := float(spectra.log_values[index, rank]))
    ]  # fmt: skip


def _bound_rows(
    spectra: Spectra, steps: Spectra | None, t: Translator
) -> list[tuple[str, list[int], float, IntArray, FloatArray]]:
    """Label, dashes, end, k and log10 of every bound on the greatest singular value."""
    found: list[tuple[str, list[int], float, IntArray, FloatArray]] = []
    if spectra.log_bound is not None and math.isfinite(spectra.log_bound):
        ks = np.array([0, spectra.places[-1]])
        found.append(
            (t("Dashed: (max g′ · σₘₐₓ)ᵏ."), [7, 5], float(spectra.log_bound * ks[-1]), ks, spectra.log_bound * ks)
        )
    if steps is not None and len(steps.places) == steps.num_steps == spectra.num_steps:
        logs = np.cumsum(steps.log_values[::-1, 0])
        ks = thinned(len(logs), 120)
        if np.isfinite(logs).all():
            label = t("Dotted: Π σₘₐₓ of the steps.")
            found.append((label, [2, 4], float(logs[-1]), ks + 1, logs[ks]))
    return found


def _resolution_rows(spectra: Spectra, low: float) -> list[dict[str, float]]:
    return [
        {"length": float(spectra.places[index]), "value": round(float(value), 5), "bottom": low}
        for index in thinned(len(spectra.places), 120)
        if math.isfinite(value := spectra.resolution[index]) and value > low
    ]


def _outer(spectra: Spectra) -> list[FloatArray]:
    """The greatest values, and the least that are known."""
    known = np.where(np.isfinite(spectra.log_values), spectra.log_values, np.inf)
    return [spectra.log_values[:, 0], known.min(1)]


def _view(logs: Sequence[float], bound: float | None) -> tuple[float, float]:
    low, high = min(logs), max(logs)
    room = max(0.3, 0.05 * (high - low))
    most = high if bound is None else min(bound, high + 0.3 * (high - low + 1))
    return low - room, max(high, most) + room


def _level(value: float, dash: list[int], y: alt.Y, theme: Theme) -> alt.Chart:
    data = alt.Chart(alt.InlineData(values=[{"value": value}]))
    return data.mark_rule(color=colour("text", theme), strokeDash=dash, strokeWidth=1.5).encode(y=y)
