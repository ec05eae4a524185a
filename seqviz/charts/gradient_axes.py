"""Axes and colours that the charts of gradients share: powers of ten, pieces of a text, signed log scales."""

from __future__ import annotations

import json
from collections.abc import Sequence

import altair as alt
import numpy as np

from seqviz.charts.gradient_scale import GradientScale, power
from seqviz.charts.notation import visible
from seqviz.charts.palette import Theme, signed_ramp
from seqviz.charts.style import labels_expression, shortened
from seqviz.types import FloatArray

_STRIDES = (1, 2, 3, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)


def token_axis(originals: Sequence[str], font_size: int) -> alt.X:
    """An axis of the pieces of a text; field ``step``. Where there is no room for all, every so many are named."""
    labels = [shortened(visible(piece), 12) for piece in originals]
    upright = max(len(label) for label in labels) <= 1
    # Vega's own thinning takes slanting labels for the boxes around them and leaves out more than it must.
    room = (1.0 if upright else 1.5) * font_size
    left_out = f"datum.value % ceil({room * len(labels):g} / max(width, 1))"
    return alt.X(
        "step:O",
        title=None,
        scale=alt.Scale(domain=list(range(len(labels)))),
        axis=alt.Axis(
            labelExpr=f"{left_out} ? '' : {labels_expression(labels)}",
            labelAngle=0 if upright else -40,
            labelAlign="center" if upright else "right",
            labelBaseline="top",
            labelPadding=6,
            labelOverlap=False,
            labelLimit=10 * font_size,
            ticks=False,
            grid=False,
        ),
    )


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


def signed_colour(scale: GradientScale, *, theme: Theme, title: str) -> alt.Color:
    """The colours of a log scale's codes with a legend in powers of ten; field ``code``."""
    top, decades = scale.top, scale.decades
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


def grouped(values: FloatArray, count: int) -> tuple[FloatArray, list[str]]:
    """(step, unit) -> at most ``count`` groups of neighbouring units, each with its value of largest magnitude."""
    parts = np.array_split(np.arange(values.shape[1]), min(count, values.shape[1]))
    picked = [values[:, part][np.arange(len(values)), np.abs(values[:, part]).argmax(1)] for part in parts]
    return np.stack(picked, 1), [str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts]
