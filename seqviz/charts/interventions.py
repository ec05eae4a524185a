"""Charts of a run with interventions beside the same run without."""

from __future__ import annotations

import altair as alt
import numpy as np

from seqviz.charts.gradient_axes import grouped, token_axis
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.palette import Theme, category_colours, signed_ramp
from seqviz.charts.style import labels_expression, shortened, styled
from seqviz.i18n import Translator, english
from seqviz.interventions import Intervened, Intervention
from seqviz.types import Direction

_CELLS = 2600


def divergence_chart(
    found: Intervened,
    *,
    step: int,
    top: float | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """How far the output moved at every step, in nats; the step in focus stands out.

    Args:
        found: both runs.
        step: in focus.
        top: end of the axis, so that two charts can have the same one; None for the chart's own.
        theme, font_size, t: as in every chart.
    """
    rows = [{"step": s, "value": float(f"{value:.6g}"), "focus": s == step} for s, value in enumerate(found.divergence)]
    colours = category_colours(theme)
    title = alt.TitleParams(t("How far the output moved"), subtitle=t("KL(before ‖ after), nats"))
    scale = alt.Scale(domainMin=0) if top is None else alt.Scale(domain=[0, top or 1.0])
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=token_axis(found.originals, font_size),
            y=alt.Y("value:Q", title=t("nats"), axis=alt.Axis(tickCount=4), scale=scale),
            color=alt.ColorValue(colours[0], condition={"test": "datum.focus", "value": colours[1]}),
            tooltip=[
                alt.Tooltip("piece:N", title=t("after")),
                alt.Tooltip("value:Q", title=t("nats"), format=".5g"),
            ],
        )
        .transform_calculate(piece=labels_expression([visible(one) for one in found.originals], field="datum.step"))
    )
    layered = alt.layer(bars, height=12 * font_size, title=title, description=divergence_sentence(found, t=t))
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def divergence_sentence(found: Intervened, *, t: Translator = english) -> str:
    """Where the output moved first and furthest."""
    first = found.first_changed()
    if first is None:
        return t("No output moved: every number is the same as before.")
    furthest = int(found.divergence.argmax())
    return t("The output moves from ‘{first}’ on, furthest after ‘{furthest}’: {nats} nats.").format(
        first=visible(found.originals[first]),
        furthest=visible(found.originals[furthest]),
        nats=f"{found.divergence[furthest]:.3g}",
    )


def moved_chart(
    found: Intervened, *, step: int, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """The labels whose probability moved furthest at a step, before and after."""
    moved = found.moved[step][:8]
    names = [shortened(visible(one.label), 16) for one in moved]
    before, after = t("before"), t("after")
    rows = [
        {"row": n, "side": side, "p": float(f"{p:.6g}")}
        for n, one in enumerate(moved)
        for side, p in ((before, one.before), (after, one.after))
    ]
    colours = category_colours(theme)
    y = alt.Y(
        "row:O",
        title=None,
        scale=alt.Scale(domain=list(range(len(names)))),
        axis=alt.Axis(labelExpr=labels_expression(names), ticks=False, labelLimit=0, domain=False, labelPadding=12),
    )
    base = alt.Chart(alt.InlineData(values=rows))
    links = alt.Chart(
        alt.InlineData(values=[{"row": n, "a": one.before, "b": one.after} for n, one in enumerate(moved)])
    ).mark_rule(strokeWidth=3, opacity=0.45, color=colours[0]).encode(y=y, x=alt.X("a:Q"), x2="b:Q")  # fmt: skip
    points = base.mark_point(filled=True, size=130, opacity=1).encode(
        y=y,
        x=alt.X("p:Q", title=t("probability"), axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domainMin=0)),
        color=alt.Color(
            "side:N",
            title=None,
            scale=alt.Scale(domain=[before, after], range=[colours[0], colours[1]]),
            legend=alt.Legend(orient="top"),
        ),
        shape=alt.Shape("side:N", title=None, scale=alt.Scale(domain=[before, after], range=["circle", "diamond"])),
        tooltip=[alt.Tooltip("side:N", title=" "), alt.Tooltip("p:Q", title=t("probability"), format=".5f")],
    )
    title = t("What moved most after ‘{token}’").format(token=visible(found.originals[step]))
    description = f"{title}: " + ", ".join(f"{visible(m.label)} {m.before:.3f} → {m.after:.3f}" for m in moved)
    layered = alt.layer(
        links, points, height=max(90, 2.1 * font_size * max(len(moved), 1)), title=title, description=description
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def change_map(
    found: Intervened,
    *,
    layer: int,
    direction: Direction,
    quantity: str,
    limit: float | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """After minus before of a quantity, all units at all steps; large layers in groups, each its largest unit's.

    ``limit`` is the change of the strongest colour; None for the largest.
    """
    part = next(one for one in found.layers if (one.layer, one.direction) == (layer, direction))
    difference = part.difference(quantity)
    steps, units = difference.shape
    values, labels = grouped(difference, max(12, min(64, _CELLS // steps)))
    largest = float(np.abs(values).max())
    limit = (largest if limit is None else limit) or 1.0
    rows = [
        {"step": s, "row": n, "value": float(f"{values[s, n]:.5g}")}
        for s, n in np.ndindex(*values.shape)
        if values[s, n] != 0
    ]
    title = t("{quantity}: after minus before").format(quantity=quantity_name(quantity, t).capitalize())
    subtitle = (
        [t("one row a unit")]
        if len(labels) == units
        else [
            t("{count} units in {rows} rows,").format(count=units, rows=len(labels)),
            t("each its group's largest change"),
        ]
    )
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect()
        .encode(
            x=token_axis(found.originals, font_size),
            y=alt.Y(
                "row:O",
                title=t("unit"),
                scale=alt.Scale(domain=list(range(len(labels)))),
                axis=alt.Axis(labelExpr=labels_expression(labels), labelOverlap=True, ticks=False, grid=False),
            ),
            color=alt.Color(
                "value:Q",
                title=t("change"),
                scale=alt.Scale(domain=[-limit, limit], range=list(signed_ramp(theme)), interpolate="rgb"),
                legend=alt.Legend(orient="top", direction="horizontal", gradientLength=220, format=".2~f"),
            ),
            tooltip=[
                alt.Tooltip("units:N", title=t("unit")),
                alt.Tooltip("piece:N", title=t("step")),
                alt.Tooltip("value:Q", title=t("change"), format=".4f"),
            ],
        )
        .transform_calculate(
            units=labels_expression(labels, field="datum.row"),
            piece=labels_expression([visible(one) for one in found.originals], field="datum.step"),
        )
    )
    layered = alt.layer(
        chart,
        height=20 * font_size,
        title=alt.TitleParams(title, subtitle=subtitle),
        description=f"{title}. {t('The largest change is {value}.').format(value=f'{largest:.3g}')}",
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def intervention_sentence(one: Intervention, *, steps: int, originals: tuple[str, ...], t: Translator = english) -> str:
    """An intervention in words."""
    quantity = quantity_name(one.quantity, t)
    if one.layer is None:
        where = t("all units of all layers")
    elif one.unit is None:
        where = t("all units of layer {layer}, {direction}").format(
            layer=one.layer + 1, direction=t(str(one.direction or "forward"))
        )
    else:
        where = t("unit {unit} of layer {layer}, {direction}").format(
            unit=one.unit, layer=one.layer + 1, direction=t(str(one.direction or "forward"))
        )
    last = steps - 1 if one.last is None else min(one.last, steps - 1)
    first = min(one.first, steps - 1)
    when = (
        t("at ‘{token}’ (step {step})").format(token=visible(originals[first]), step=first + 1)
        if first == last
        else t("from ‘{first}’ to ‘{last}’ (steps {a} to {b})").format(
            first=visible(originals[first]), last=visible(originals[last]), a=first + 1, b=last + 1
        )
    )
    return t("{quantity} = {value}, {where}, {when}").format(
        quantity=quantity, value=f"{one.value:g}".replace("-", "−"), where=where, when=when
    )
