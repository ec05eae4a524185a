"""The six activations and their slopes side by side (syllabus B6)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import altair as alt
import numpy as np

from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.style import colour, styled
from seqviz.i18n import Translator, english, msgid
from seqviz.laboratory import ACTIVATIONS, MAX_SLOPES, ActivationCurves

ACTIVATION_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "logistic": msgid("logistic"),
        "tanh": "tanh",
        "relu": "ReLU",
        "leaky_relu": "Leaky ReLU",
        "elu": "ELU",
        "identity": msgid("none (identity)"),
    }
)
_COLUMNS = 3
_WIDTH, _HEIGHT, _GAP, _HEAD = 8.0, 3.4, 1.0, 1.5
_BOTTOM, _TOP = -1.2, 2.2


def activation_name(name: str, t: Translator = english) -> str:
    """What an activation is called."""
    return t(ACTIVATION_NAMES[name])


def activation_chart(
    curves: ActivationCurves,
    *,
    chosen: str,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """Six small panels of g and g', with the greatest slope of each in words; the chosen one stands out.

    Args:
        curves: values and slopes.
        chosen: name of the activation that the cells have.
        theme, font_size, t: as in every chart.
    """
    lines, heads, frames = _panels(curves, chosen, t)
    rows = -(-len(ACTIVATIONS) // _COLUMNS)
    across = alt.Scale(domain=[0, _COLUMNS * (_WIDTH + _GAP) - _GAP], nice=False)
    down = alt.Scale(domain=[-rows * (_HEIGHT + _HEAD), 0], nice=False)
    x, y = alt.X("x:Q", scale=across, axis=None), alt.Y("y:Q", scale=down, axis=None)
    series = (t("g(z)"), t("slope g′(z)"))
    palette = category_colours(theme)
    zero = alt.Chart(alt.InlineData(values=frames)).mark_rule(color=colour("faint", theme)).encode(
        x=x, y=y, x2="x2:Q", y2="y2:Q"
    )  # fmt: skip
    curves_layer = (
        alt.Chart(alt.InlineData(values=lines))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=x,
            y=y,
            detail="panel:N",
            opacity=alt.Opacity("chosen:N", scale=alt.Scale(domain=[True, False], range=[1.0, 0.55]), legend=None),
            color=alt.Color(
                "series:N",
                title=None,
                scale=alt.Scale(domain=list(series), range=[palette[3], palette[4]]),
                legend=alt.Legend(orient="top", labelLimit=0, symbolType="stroke", symbolStrokeWidth=3),
            ),
            tooltip=[
                alt.Tooltip("panel:N", title=t("activation")),
                alt.Tooltip("z:Q", title="z", format=".2f"),
                alt.Tooltip("series:N", title=t("curve")),
                alt.Tooltip("exact:N", title=t("value")),
            ],
        )
    )
    titles = alt.Chart(alt.InlineData(values=heads)).encode(x=x, y=y, text="text:N")
    chart = alt.layer(
        zero,
        curves_layer,
        titles.transform_filter("datum.chosen").mark_text(align="left", baseline="top", fontWeight=700),
        titles.transform_filter("!datum.chosen").mark_text(align="left", baseline="top"),
        height=20 * font_size,
        title=alt.TitleParams(
            t("Activations and their slopes"),
            subtitle=t("z from {low} to {high}; one scale for all.").format(
                low=f"{curves.z[0]:g}", high=f"{curves.z[-1]:g}"
            ),
        ),
        description=slope_sentence(chosen, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def slope_sentence(chosen: str, *, t: Translator = english) -> str:
    """What the greatest slope means for a gradient."""
    if MAX_SLOPES[chosen] < 1:
        return t(
            "The slope of {name} is never above 1/4: W_aa must multiply by more than 4 to make up for one step."
        ).format(name=activation_name(chosen, t))
    if chosen == "identity":
        return t("Without an activation the slope is 1 everywhere: only W_aa decides.")
    return t(
        "The slope of {name} is never above 1: the activation alone can only shrink a gradient, or keep it."
    ).format(name=activation_name(chosen, t))


def _panels(
    curves: ActivationCurves, chosen: str, t: Translator
) -> tuple[list[dict[str, object]], list[dict[str, object]], list[dict[str, object]]]:
    """Rows of the lines, of the headings and of the axes."""
    lines: list[dict[str, object]] = []
    heads: list[dict[str, object]] = []
    frames: list[dict[str, object]] = []
    low, high = float(curves.z[0]), float(curves.z[-1])
    for number, name in enumerate(ACTIVATIONS):
        left = (number % _COLUMNS) * (_WIDTH + _GAP)
        top = -(number // _COLUMNS) * (_HEIGHT + _HEAD)

        def place(value: float, top: float = top) -> float:
            return round(top - _HEAD - _HEIGHT * (_TOP - value) / (_TOP - _BOTTOM), 4)

        title = activation_name(name, t)
        slope = {0.25: "1/4", 1.0: "1"}[MAX_SLOPES[name]]
        heads += [
            {"x": left, "y": top, "text": title, "chosen": name == chosen},
            {"x": left, "y": top - 0.75, "text": t("slope ≤ {most}").format(most=slope), "chosen": False},
        ]
        middle = left + _WIDTH * -low / (high - low)
        frames += [
            {"x": left, "x2": left + _WIDTH, "y": place(0.0), "y2": place(0.0)},
            {"x": middle, "x2": middle, "y": place(_BOTTOM), "y2": place(_TOP)},
        ]
        for series, values in ((t("g(z)"), curves.values[name]), (t("slope g′(z)"), curves.slopes[name])):
            lines += [
                {
                    "panel": title, "series": series, "chosen": name == chosen, "z": round(float(z), 3),
                    "x": round(left + _WIDTH * (float(z) - low) / (high - low), 4), "y": place(float(value)),
                    "exact": f"{value:.4g}",
                }
                for z, value in zip(curves.z[::4], np.asarray(values)[::4], strict=True)
                if _BOTTOM <= value <= _TOP
            ]  # fmt: skip
    return lines, heads, frames
