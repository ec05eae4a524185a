"""The loss around the point where it jumped: along the gradient, and as a surface (Pascanu et al. 2013, figure 6)."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from seqviz.charts.clipping_text import clipping_name
from seqviz.charts.gradient_axes import power_axis
from seqviz.charts.palette import Theme, category_colours, sequential_ramp
from seqviz.charts.scales import power_of_ten
from seqviz.charts.style import colour, styled
from seqviz.clipping import CLIPPINGS, Cliff, CliffDirection, CliffStep
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray

_LOG_FROM = 30.0
"""Losses whose ratio is beyond this are shown on a log axis."""
_SURFACE_DECADES = 6.0
"""A surface shows so many powers of ten above its lowest point."""


def cliff_chart(
    cliff: Cliff,
    *,
    near: bool = False,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The loss of one batch along the negative gradient, with the steps that could be taken.

    Args:
        cliff: what was measured.
        near: only close to the weights.
        theme, font_size, t: as in every chart.
    """
    distances = cliff.near_distances if near else cliff.distances
    losses = cliff.near_losses if near else cliff.losses
    steps = [step for step in cliff.steps if distances[0] <= step.along <= distances[-1]]
    log = _needs_log(losses)
    names = [step_name(step, t) for step in cliff.steps]
    colours = [category_colours(theme)[CLIPPINGS.index(step.clipping)] for step in cliff.steps]
    y = _loss_axis(losses, [step.loss for step in steps], t, log=log)
    x = alt.X("s:Q", title=t("distance along the negative gradient"), axis=alt.Axis(tickCount=6, grid=False))
    curve = (
        alt.Chart(alt.InlineData(values=_rows(distances, losses, log=log)))
        .mark_line(strokeWidth=2.5, color=colour("text", theme))
        .encode(x=x, y=y, tooltip=[alt.Tooltip("s:Q", format=".4g", title=t("distance")), _loss_tip(t)])
    )
    here = (
        alt.Chart(alt.InlineData(values=[{"s": 0.0}]))
        .mark_rule(strokeDash=[3, 3], color=colour("line", theme))
        .encode(x="s:Q")
    )
    rows = [
        {
            "s": step.along,
            "loss": _height(step.loss, log=log),
            "exact": f"{step.loss:.6g}",
            "step": step_name(step, t),
            "length": f"{step.length:.4g}",
        }
        for step in steps
        if np.isfinite(step.loss)
    ]
    marks = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_point(size=180, filled=True, opacity=1, stroke=colour("surface", theme), strokeWidth=1.5)
        .encode(
            x="s:Q",
            y=alt.Y("loss:Q"),
            color=alt.Color(
                "step:N",
                title=None,
                scale=alt.Scale(domain=names, range=colours),
                legend=alt.Legend(orient="top", labelLimit=0, columns=1, symbolOpacity=1),
            ),
            tooltip=[
                alt.Tooltip("step:N", title=t("update")),
                alt.Tooltip("length:N", title=t("length")),
                alt.Tooltip("exact:N", title=t("loss behind it")),
            ],
        )
    )
    title = t("Close to the weights") if near else t("As far as the longest update")
    layered = alt.layer(
        here,
        curve,
        marks,
        height=17 * font_size,
        title=alt.TitleParams(title),
        description=" ".join(cliff_lines(cliff, t)),
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def cliff_surface(
    cliff: Cliff, *, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> dict[str, Any]:
    """The loss on the plane of the gradient and the second direction, as a Plotly figure in plain values."""
    surface = np.where(np.isfinite(cliff.surface) & (cliff.surface > 0), cliff.surface, np.nan)
    lowest = float(np.nanmin(surface))
    log = _needs_log(surface[np.isfinite(surface)])
    heights = np.minimum(surface, lowest * 10**_SURFACE_DECADES)
    heights = np.log10(heights) if log else heights
    ramp = sequential_ramp("loss", theme)
    scale = [[i / (len(ramp) - 1), shade] for i, shade in enumerate(ramp)]
    text = {"family": "Inter, sans-serif", "size": font_size, "color": colour("text", theme)}
    axis = {
        "gridcolor": colour("faint", theme),
        "backgroundcolor": "rgba(0,0,0,0)",
        "zerolinecolor": colour("line", theme),
    }
    data: list[dict[str, Any]] = [
        {
            "type": "surface",
            "x": _plain(cliff.along),
            "y": _plain(cliff.across),
            "z": [_plain(row) for row in heights],
            "customdata": [[f"{value:.4g}" for value in row] for row in surface],
            "hovertemplate": t("along {x}, across {y}: loss {loss}").format(
                x="%{x:.3g}", y="%{y:.3g}", loss="%{customdata}"
            )
            + "<extra></extra>",
            "colorscale": scale,
            "showscale": False,
            "contours": {"z": {"show": True, "width": 1, "color": colour("muted", theme)}},
            "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
        },
        *(
            _surface_step(cliff, step, name=step_name(step, t), shade=shade, log=log, lowest=lowest)
            for step, shade in zip(cliff.steps, category_colours(theme), strict=False)
            if np.isfinite(step.loss) and cliff.along[0] <= step.along <= cliff.along[-1]
        ),
    ]
    layout = {
        "height": 34 * font_size,
        "margin": {"l": 0, "r": 0, "t": 8, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "font": text,
        "legend": {"orientation": "h", "y": 1.02, "x": 0},
        "scene": {
            "xaxis": {**axis, "title": {"text": t("along −g")}},
            "yaxis": {**axis, "title": {"text": t("across")}},
            "zaxis": {**axis, "title": {"text": t("loss")}, **_height_ticks(heights, log=log)},
            "camera": {"eye": {"x": -1.62, "y": -1.3, "z": 0.66}, "center": {"x": 0, "y": 0, "z": -0.16}},
            "aspectratio": {"x": 1.25, "y": 1.0, "z": 0.7},
        },
    }
    return {"data": data, "layout": layout}


def step_name(step: CliffStep, t: Translator) -> str:
    """An update with its θ; the one that was made says so."""
    name = clipping_name(step.clipping, t)
    if step.threshold:
        name = f"{name}, θ = {step.threshold:g}"
    return t("{name} (the step that was taken)").format(name=name) if step.taken else name


def second_name(second: CliffDirection, t: Translator) -> str:
    """What the direction across is made of, for people."""
    return {
        "previous": t("the update before"),
        "value": t("the update clipped by value"),
        "random": t("a random direction"),
    }[second]


def cliff_lines(cliff: Cliff, t: Translator) -> list[str]:
    """What was measured: at these weights, behind each update, and how the run went on."""
    return [
        t("Before step {step} the loss of its batch is {loss}, the gradient's norm {norm}.").format(
            step=cliff.step, loss=f"{cliff.loss:.4g}", norm=f"{cliff.grad_norm:.4g}"
        ),
        *(
            t("{step}: an update of length {length} leads to a loss of {loss}.").format(
                step=step_name(step, t), length=f"{step.length:.3g}", loss=f"{step.loss:.4g}"
            )
            for step in cliff.steps
        ),
        t("The next batch then has a loss of {loss}.").format(loss=f"{cliff.next_loss:.4g}"),
    ]


def _needs_log(losses: FloatArray) -> bool:
    good = losses[np.isfinite(losses) & (losses > 0)]
    return len(good) > 0 and float(good.max()) > _LOG_FROM * float(good.min())


def _height(loss: float, *, log: bool) -> float:
    return float(np.log10(loss)) if log else loss


def _height_ticks(heights: FloatArray, *, log: bool) -> dict[str, Any]:
    """Powers of ten where the heights are logarithms."""
    if not log:
        return {}
    low, high = int(np.floor(np.nanmin(heights))), int(np.ceil(np.nanmax(heights)))
    marks = list(range(low, high + 1, max(1, -(-(high - low) // 5))))
    return {"tickvals": marks, "ticktext": [power_of_ten(mark) for mark in marks]}


def _rows(distances: FloatArray, losses: FloatArray, *, log: bool) -> list[dict[str, object]]:
    return [
        {"s": float(s), "loss": _height(float(loss), log=log), "exact": f"{loss:.6g}"}
        for s, loss in zip(distances, losses, strict=True)
        if np.isfinite(loss) and loss > 0
    ]


def _loss_axis(losses: FloatArray, others: list[float], t: Translator, *, log: bool) -> alt.Y:
    if not log:
        return alt.Y("loss:Q", title=t("loss"), axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=False))
    good = np.concatenate([losses, others])
    logs = np.log10(good[np.isfinite(good) & (good > 0)])
    return alt.Y(
        "loss:Q", title=t("loss, log scale"), axis=power_axis(logs.tolist(), ticks=5), scale=alt.Scale(zero=False)
    )


def _loss_tip(t: Translator) -> alt.Tooltip:
    return alt.Tooltip("exact:N", title=t("loss"))


def _surface_step(cliff: Cliff, step: CliffStep, *, name: str, shade: str, log: bool, lowest: float) -> dict[str, Any]:
    """The way from the weights to where an update leads, just above the surface."""
    top = lowest * 10**_SURFACE_DECADES
    ends = [min(value, top) for value in (cliff.loss, step.loss)]
    return {
        "type": "scatter3d",
        "mode": "lines+markers",
        "name": name,
        "x": [0.0, step.along],
        "y": [0.0, step.across],
        "z": [_height(value, log=log) for value in ends],
        "line": {"color": shade, "width": 7},
        "marker": {"color": shade, "size": [3, 7]},
        "hovertemplate": f"{name}: {step.loss:.4g}<extra></extra>",
    }


def _plain(values: FloatArray) -> list[float | None]:
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]
