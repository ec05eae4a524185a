"""One loss carried back through a run with interventions, beside the run without."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt
import numpy as np

from seqviz.charts.gradient_axes import power_axis, token_axis
from seqviz.charts.gradient_scale import scientific
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.style import colour, labels_expression, styled
from seqviz.i18n import Translator, english
from seqviz.interventions import ChangedGradients, Intervened
from seqviz.types import Direction, FloatArray

GRADIENT_SYMBOLS = {"hidden_state": "∂L/∂h", "cell_state": "∂L/∂c"}


def gradient_norm_chart(
    found: Intervened,
    gradients: ChangedGradients,
    *,
    layer: int,
    direction: Direction,
    quantity: str,
    step: int,
    span: tuple[float, float] | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The norm of a state's gradient at every step, before and after, on an absolute log axis; 0 has no place there.

    Args:
        found, gradients: the runs, and the loss carried back through them.
        layer, direction: whose.
        quantity: ``"hidden_state"`` or ``"cell_state"``.
        step: in focus, marked by a rule.
        span: powers of ten where the axis begins and ends, so that two charts can have the same one; None for the
            chart's own.
        theme, font_size, t: as in every chart.
    """
    norms = gradients.norms(layer, direction, quantity)
    before, after = t("before"), t("after")
    rows = [row for name, line in zip((before, after), norms, strict=True) for row in _rows(name, line)]
    low, high = norm_span([norms]) if span is None else span
    colours = category_colours(theme)
    names = [visible(one) for one in found.originals]
    base = (
        alt.Chart(alt.InlineData(values=rows))
        .encode(
            x=token_axis(found.originals, font_size),
            y=alt.Y(
                "log:Q",
                title=f"‖{GRADIENT_SYMBOLS[quantity]}‖",
                axis=power_axis([low, high]),
                scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            ),
            color=alt.Color(
                "side:N",
                title=None,
                scale=alt.Scale(domain=[before, after], range=list(colours[:2])),
                legend=alt.Legend(orient="top"),
            ),
        )
        .transform_calculate(piece=labels_expression(names, field="datum.step"))
    )
    lines = base.mark_line(strokeWidth=2.5).encode(
        detail="stretch:N",
        strokeDash=alt.StrokeDash(
            "side:N", legend=None, scale=alt.Scale(domain=[before, after], range=[[1, 0], [6, 4]])
        ),
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        shape=alt.Shape("side:N", title=None, scale=alt.Scale(domain=[before, after], range=["circle", "diamond"])),
        tooltip=[
            alt.Tooltip("side:N", title=" "),
            alt.Tooltip("piece:N", title=t("step")),
            alt.Tooltip("norm:Q", title=f"‖{GRADIENT_SYMBOLS[quantity]}‖", format=".5g"),
        ],
    )
    mark = (
        alt.Chart(alt.InlineData(values=[{"step": step}]))
        .mark_rule(color=colour("muted", theme), strokeDash=[3, 3])
        .encode(x=token_axis(found.originals, font_size))
    )
    title = t("Gradient of the {quantity}").format(quantity=quantity_name(quantity, t))
    subtitle = t("norm, layer {layer}, {direction}").format(layer=layer + 1, direction=t(str(direction)))
    layered = alt.layer(
        mark,
        lines,
        points,
        height=14 * font_size,
        title=alt.TitleParams(title, subtitle=subtitle),
        description=f"{title}: {subtitle}. {gradient_sentence(found, gradients, t=t)}",
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def norm_span(norms: Sequence[FloatArray]) -> tuple[float, float]:
    """Powers of ten between which all norms lie that are not 0; the axis marks 1, 2 and 5 of each."""
    logs = np.concatenate([np.log10(one[one > 0]) for one in norms])
    if not logs.size:
        return -1.0, 0.0
    marks = (0.0, math.log10(2), math.log10(5), 1.0)
    low, high = float(logs.min()), float(logs.max())
    lower = max(math.floor(low) + mark for mark in marks if math.floor(low) + mark <= low)
    upper = min(math.floor(high) + mark for mark in marks if math.floor(high) + mark >= high)
    return (lower, upper) if upper > lower else (lower - 1, upper)


def gradient_sentence(found: Intervened, gradients: ChangedGradients, *, t: Translator = english) -> str:
    """What became of the loss and where its gradient moved furthest."""
    loss = (
        t("L, the sum of {count} losses").format(count=len(gradients.loss_steps))
        if len(gradients.loss_steps) > 1
        else t("L = −log P(‘{target}’)").format(target=visible(gradients.target_names[0]))
    )
    parts = [
        t("{loss}: {before} nats before, {after} after.").format(
            loss=loss, before=f"{gradients.losses[0]:.4g}", after=f"{gradients.losses[1]:.4g}"
        )
    ]
    moved = gradients.moved_norms(1)
    if not moved:
        return " ".join([*parts, t("No gradient moved.")])
    one = moved[0]
    parts.append(
        t("Its gradient moved furthest at ‘{token}’: ‖{gradient}‖ of layer {layer} from {before} to {after}.").format(
            token=visible(found.originals[one.step]),
            gradient=GRADIENT_SYMBOLS[one.quantity],
            layer=one.layer + 1,
            before=scientific(one.before),
            after=scientific(one.after),
        )
    )
    cut = _cut(gradients)
    if cut:
        parts.append(
            t("Where a line ends, nothing goes back any more: {count} norms are exactly 0 now.").format(count=cut)
        )
    return " ".join(parts)


def _cut(gradients: ChangedGradients) -> int:
    """How many norms became exactly 0."""
    count = 0
    for part in gradients.layers:
        for quantity in part.before:
            before, after = gradients.norms(part.layer, part.direction, quantity)
            count += int(((before > 0) & (after == 0)).sum())
    return count


def _rows(name: str, norms: FloatArray) -> list[dict[str, object]]:
    """Points above 0; a line does not go on over a gap."""
    rows, stretch = list[dict[str, object]](), 0
    for step, norm in enumerate(norms.tolist()):
        if norm > 0:
            rows.append(
                {
                    "side": name,
                    "step": step,
                    "stretch": f"{name} {stretch}",
                    "log": round(math.log10(norm), 5),
                    "norm": float(f"{norm:.6g}"),
                }
            )
        else:
            stretch += 1
    return rows
