"""Charts of a backward pass: how much of the loss reaches every step, and every unit of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np

from seqviz.charts.notation import visible
from seqviz.charts.palette import Theme, category_colours, signed_ramp
from seqviz.charts.style import labels_expression, shortened, styled
from seqviz.errors import unknown_name
from seqviz.gradients import BackwardTrace
from seqviz.i18n import Translator, english
from seqviz.types import Direction, FloatArray

Scale = Literal["log", "relative"]
DECADES = 6
"""Powers of ten that a signed colour scale spans; smaller magnitudes are neutral."""
_TILES_SHOWN = 1600
_STRIDES = (1, 2, 3, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def gradient_norm_chart(
    traces: Sequence[BackwardTrace],
    *,
    names: Sequence[str],
    layer: int = 0,
    direction: Direction = "forward",
    quantity: str = "hidden_state",
    scale: Scale = "log",
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The norm of the gradient at every step, one line a model.

    Args:
        traces: of one text, one for each model; the first one's pieces label the axis.
        names: of the models, for people.
        layer, direction: which layer; a model without it is left out.
        quantity: ``"hidden_state"``, ``"cell_state"`` or ``"embedding"``.
        scale: ``"log"`` for the norm itself on a log axis, ``"relative"`` for its share of the model's largest norm.
        theme, font_size, t: as in every chart.
    """
    series = [
        (name, norms)
        for trace, name in zip(traces, names, strict=True)
        if any((part.layer, part.direction) == (layer, direction) for part in trace.layers)
        and (norms := trace.norms(layer, direction).get(quantity)) is not None
    ]
    if not series:
        raise unknown_name("quantity", quantity, traces[0].norms(layer, direction))
    symbol = {"hidden_state": "h", "cell_state": "c", "embedding": "x"}[quantity]
    rows = [row for name, norms in series for row in _norm_rows(name, norms, scale)]
    if scale == "log":
        axis = power_axis([float(str(row["value"])) for row in rows])
        says = t("‖∂L/∂{symbol}‖ at this step, log scale").format(symbol=symbol)
        y = alt.Y("value:Q", title=says, axis=axis, scale=alt.Scale(zero=False, nice=False))
    else:
        says = t("‖∂L/∂{symbol}‖, share of the model's largest").format(symbol=symbol)
        y = alt.Y("value:Q", title=says, axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1]))
    unreached = any((norms == 0).any() for _, norms in series)
    title = alt.TitleParams(
        t("How much of the loss reaches every step"),
        subtitle=t("No point: nothing of this loss gets there.") if unreached else "",
    )
    shown = [name for name, _ in series]
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=50))
        .encode(
            x=token_axis(traces[0].originals, font_size),
            y=y,
            color=alt.Color(
                "model:N",
                title=None,
                scale=alt.Scale(domain=shown, range=list(category_colours(theme))[: len(shown)]),
                legend=alt.Legend(orient="top", labelLimit=0, symbolStrokeWidth=3),
            ),
            tooltip=[
                alt.Tooltip("model:N", title=t("model")),
                alt.Tooltip("number:Q", title=t("step")),
                alt.Tooltip("exact:N", title=f"‖∂L/∂{symbol}‖"),
                alt.Tooltip("share:N", title=t("share of the largest")),
            ],
        )
    )
    description = " ".join(
        f"{name}: {reach_sentence(trace, layer=layer, direction=direction, t=t)}"
        for trace, name in zip(traces, names, strict=True)
        if name in shown
    )
    layered = alt.layer(chart).properties(height=22 * font_size, title=title, description=description)
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _norm_rows(name: str, norms: FloatArray, scale: Scale) -> list[dict[str, object]]:
    largest = float(norms.max()) or 1.0
    return [
        {
            "model": name,
            "step": step,
            "number": step + 1,
            "value": round(float(np.log10(norm) if scale == "log" else norm / largest), 5),
            "exact": f"{norm:.6g}",
            "share": f"{100 * norm / largest:.3g} %",
        }
        for step, norm in enumerate(norms)
        if norm > 0
    ]


def delta_heatmap(
    trace: BackwardTrace,
    *,
    layer: int = 0,
    direction: Direction = "forward",
    quantity: str = "hidden_state",
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The signed gradient of every unit at every step; large layers in groups, each with its largest unit's.

    Args:
        trace: the backward pass.
        layer, direction: which layer.
        quantity: ``"hidden_state"``, ``"cell_state"``, or the name of a block for its δ.
        theme, font_size, t: as in every chart.
    """
    values, labels = grouped(_signed(trace, layer, direction, quantity), max(12, min(64, _TILES_SHOWN // len(trace))))
    codes, top = signed_log(values)
    rows = [
        {"step": s, "group": g, "code": round(float(codes[s, g]), 3), "exact": f"{values[s, g]:.3g}"}
        for s, g in np.ndindex(*values.shape)
        if values[s, g] != 0
    ]
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect()
        .encode(
            x=token_axis(trace.originals, font_size),
            y=alt.Y(
                "group:O",
                title=t("unit") if len(labels) == _units(trace, layer, direction) else t("units, in groups"),
                scale=alt.Scale(domain=list(range(len(labels)))),
                axis=alt.Axis(labelExpr=labels_expression(labels), labelOverlap=True, ticks=False, grid=False),
            ),
            color=signed_colour(top, theme=theme, title=t("gradient, signed log scale")),
            tooltip=[
                alt.Tooltip("step:Q", title=t("step, from 0")),
                alt.Tooltip("group:O", title=t("group")),
                alt.Tooltip("exact:N", title=t("gradient")),
            ],
        )
    )
    description = t("Signed gradients of {units} units at {steps} steps; the largest is {top}.").format(
        units=_units(trace, layer, direction), steps=len(trace), top=f"{np.abs(values).max():.3g}"
    )
    layered = alt.layer(chart).properties(
        height=max(240, min(26 * font_size, 9 * len(labels))), title=t("Every unit's share"), description=description
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def reach_sentence(
    trace: BackwardTrace, *, layer: int = 0, direction: Direction = "forward", t: Translator = english
) -> str:
    """How much of the gradient is left at the far end of the text."""
    norms = trace.norms(layer, direction)["hidden_state"]
    start = trace.loss_steps[-1] if direction == "forward" else 0
    end = 0 if direction == "forward" else len(trace) - 1
    if start == end or norms[start] == 0:
        return t("The loss stands at one step; there is no way back to go.")
    return t("From ‘{near}’ to ‘{far}’, {count} steps: the gradient is {share} times what it was.").format(
        near=visible(trace.originals[start]),
        far=visible(trace.originals[end]),
        count=abs(start - end),
        share=f"{norms[end] / norms[start]:.2g}",
    )


def token_axis(originals: Sequence[str], font_size: int) -> alt.X:
    """An axis of the pieces of a text; field ``step``."""
    labels = [shortened(visible(piece), 12) for piece in originals]
    upright = max(len(label) for label in labels) <= 1
    return alt.X(
        "step:O",
        title=None,
        scale=alt.Scale(domain=list(range(len(labels)))),
        axis=alt.Axis(
            labelExpr=labels_expression(labels),
            labelAngle=0 if upright else -40,
            labelAlign="center" if upright else "right",
            labelBaseline="top" if upright else "middle",
            labelOverlap=True,
            labelLimit=10 * font_size,
            ticks=False,
            grid=False,
        ),
    )


def power(exponent: int) -> str:
    """10⁻⁴ for -4; 1 and 10 as themselves."""
    return {0: "1", 1: "10"}.get(exponent, "10" + str(exponent).translate(_SUPERSCRIPTS))


def power_axis(logs: Sequence[float], *, ticks: int = 7) -> alt.Axis:
    """An axis of powers of ten over their logarithms; between two powers it also marks 2 and 5."""
    low, high = (int(np.floor(min(logs))), int(np.ceil(max(logs)))) if logs else (0, 1)
    if high - low <= 2:
        marks = {e + np.log10(m): f"{m * 10.0**e:g}" for e in range(low, high + 1) for m in (1, 2, 5)}
    else:
        stride = next((nice for nice in _STRIDES if nice * ticks >= high - low), _STRIDES[-1])
        marks = {float(e): power(e) for e in range(-(-low // stride) * stride, high + 1, stride)}
    values = [round(float(value), 6) for value in marks]
    labels = json.dumps(list(marks.values()))
    return alt.Axis(values=values, labelExpr=f"{labels}[indexof({json.dumps(values)}, datum.value)]")


def grouped(values: FloatArray, count: int) -> tuple[FloatArray, list[str]]:
    """(step, unit) -> at most ``count`` groups of neighbouring units, each with its value of largest magnitude."""
    parts = np.array_split(np.arange(values.shape[1]), min(count, values.shape[1]))
    picked = [values[:, part][np.arange(len(values)), np.abs(values[:, part]).argmax(1)] for part in parts]
    return np.stack(picked, 1), [str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts]


def signed_log(values: FloatArray, *, decades: int = DECADES) -> tuple[FloatArray, int]:
    """Signed values on a log scale from -1 to 1, and the power of ten of the ends; 0 is ``decades`` below it."""
    largest = float(np.abs(values).max())
    top = int(np.ceil(np.log10(largest))) if largest > 0 else 0
    with np.errstate(divide="ignore"):
        strength = (np.log10(np.abs(values)) - (top - decades)) / decades
    return np.asarray(np.sign(values) * strength.clip(0.0, 1.0)), top


def signed_colour(top: int, *, theme: Theme, title: str, decades: int = DECADES) -> alt.Color:
    """The colours of ``signed_log`` with a legend in powers of ten; field ``code``."""
    names = {
        "-1": f"−{power(top)}",
        "-0.5": f"−{power(top - decades // 2)}",
        "0": f"< {power(top - decades)}",
        "0.5": power(top - decades // 2),
        "1": power(top),
    }
    return alt.Color(
        "code:Q",
        title=title,
        scale=alt.Scale(domain=[-1, 1], range=list(signed_ramp(theme)), interpolate="rgb"),
        legend=alt.Legend(
            orient="top",
            direction="horizontal",
            gradientLength=320,
            titleLimit=0,
            values=[-1, -0.5, 0, 0.5, 1],
            labelExpr=f"({json.dumps(names)})[datum.value]",
        ),
    )


def _signed(trace: BackwardTrace, layer: int, direction: Direction, quantity: str) -> FloatArray:
    part = trace.layer(layer, direction)
    states = {"hidden_state": part.hidden_state, "cell_state": part.cell_state}
    found = states.get(quantity)
    if found is not None:
        return found
    if quantity not in part.block_names:
        raise unknown_name("quantity", quantity, [n for n, v in states.items() if v is not None] + [*part.block_names])
    return part.pre_activation[:, part.block_names.index(quantity)]


def _units(trace: BackwardTrace, layer: int, direction: Direction) -> int:
    return int(trace.layer(layer, direction).hidden_state.shape[1])
