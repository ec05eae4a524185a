"""How often gates are wide open or shut: the scatter of Karpathy, Johnson and Li 2015, figure 3."""

from __future__ import annotations

import altair as alt

from seqviz.charts.notation import quantity_name
from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.style import styled
from seqviz.errors import unknown_name
from seqviz.i18n import Translator, english
from seqviz.units import GateCounts, Saturation

SELECTION = "unit"


def gates_of(saturation: Saturation) -> list[str]:
    """The gates that there are counts of, in the order of the cell."""
    return list(dict.fromkeys(one.gate for one in saturation.gates))


def layer_name(layer: int, direction: str, *, both: bool, t: Translator = english) -> str:
    """A layer for a legend."""
    if not both:
        return t("layer {layer}").format(layer=layer + 1)
    way = t("forward") if direction == "forward" else t("backward")
    return t("layer {layer}, {direction}").format(layer=layer + 1, direction=way)


def saturation_chart(
    saturation: Saturation,
    gate: str,
    *,
    title: str = "",
    left: float = 0.1,
    right: float = 0.9,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.Chart:
    """One dot a unit: the share of steps at which the gate is right-saturated (x) and left-saturated (y).

    Args:
        saturation: counts over a text.
        gate: one of ``gates_of``.
        title: of the chart; empty for the gate's name.
        left, right: a gate is left-saturated below the one, right-saturated from the other on.
        theme, font_size, t: as in every chart.
    """
    layers = [one for one in saturation.gates if one.gate == gate]
    if not layers:
        raise unknown_name("gate", gate, gates_of(saturation))
    both = any(one.direction == "backward" for one in layers)
    names = [layer_name(one.layer, one.direction, both=both, t=t) for one in layers]
    rows = [row for one, name in zip(layers, names, strict=True) for row in _rows(one, name, left=left, right=right)]
    share = alt.Axis(format="%", tickCount=4)
    choice = alt.selection_point(name=SELECTION, fields=["place"], on="click", clear=False)
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_circle(size=46, opacity=0.6)
        .encode(
            x=alt.X(
                "right:Q",
                title=t("share of steps > {limit:g}").format(limit=right),
                axis=share,
                scale=alt.Scale(domain=[0, 1]),
            ),
            y=alt.Y(
                "left:Q",
                title=t("share of steps < {limit:g}").format(limit=left),
                axis=share,
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color(
                "layer:N",
                title=None,
                scale=alt.Scale(domain=names, range=list(category_colours(theme))[: len(names)]),
                legend=alt.Legend(orient="top", labelLimit=0) if len(names) > 1 else None,
            ),
            tooltip=[
                alt.Tooltip("layer:N", title=t("layer")),
                alt.Tooltip("unit:Q", title=t("unit")),
                alt.Tooltip("left:Q", title=f"< {left:g}", format=".1%"),
                alt.Tooltip("right:Q", title=f"> {right:g}", format=".1%"),
            ],
        )
        .add_params(choice)
        .properties(
            height=21 * font_size,
            title=title or quantity_name(gate, t=t),
            description=saturation_sentence(saturation, gate, left=left, right=right, t=t),
        )
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def saturation_sentence(
    saturation: Saturation, gate: str, *, left: float = 0.1, right: float = 0.9, t: Translator = english
) -> str:
    """How many units are shut or open most of the time."""
    shut = opened = units = 0
    for one in saturation.gates:
        if one.gate == gate:
            below, above = one.saturation(left, right)
            shut, opened, units = shut + int((below > 0.5).sum()), opened + int((above > 0.5).sum()), units + len(below)
    return t("{gate}: of {units} units, {shut} are shut and {open} are open at more than half of the steps.").format(
        gate=quantity_name(gate, t=t), shut=shut, open=opened, units=units
    )


def _rows(one: GateCounts, name: str, *, left: float, right: float) -> list[dict[str, object]]:
    below, above = one.saturation(left, right)
    return [
        {
            "layer": name,
            "unit": unit,
            "place": f"{one.layer}.{one.direction}.{unit}",
            "left": round(float(below[unit]), 4),
            "right": round(float(above[unit]), 4),
        }
        for unit in range(len(below))
    ]
