"""The laboratory's curves: what is left of an error on its way back through time (syllabus B4, G5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np

from seqviz.charts.activations import activation_name
from seqviz.charts.gradient_axes import power_axis
from seqviz.charts.gradient_scale import Scale, power
from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.style import colour, styled
from seqviz.i18n import Translator, english
from seqviz.laboratory import FLOAT32_FLOOR, CellCurves, LaboratoryConfig
from seqviz.types import FloatArray, IntArray

Quantity = Literal["memory", "hidden_state"]
QUANTITIES: tuple[Quantity, ...] = ("memory", "hidden_state")
_POINTS = 240
_FLOAT32_TOP, _FLOAT64_FLOOR, _FLOAT64_TOP = np.log10(3.4028235e38), -324.0 + np.log10(4.94), np.log10(1.7976931e308)


def norm_curve_chart(
    curves: Sequence[CellCurves],
    *,
    names: Sequence[str],
    colours: Sequence[int],
    quantity: Quantity = "memory",
    scale: Scale = "log",
    bounded: bool = True,
    symbol: str = "",
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """One line a cell, the median over the seeds, on a band from the least to the greatest seed.

    Args:
        curves: of cells with one length.
        names: of the curves, for people.
        colours: of the curves, numbers of the category palette.
        quantity: ``"memory"`` for what carries over: h of RNN and GRU, c of an LSTM; or ``"hidden_state"``.
        scale: ``"log"`` for the norm on a log axis, ``"relative"`` for its share of the curve's largest.
        bounded: with the bound of the plain RNN.
        symbol: of the norm, if not that of the quantity.
        theme, font_size, t: as in every chart.
    """
    bounded, symbol = bounded and scale == "log", symbol or _symbol(curves, quantity)
    spans = [spread(one, quantity) for one in curves]
    rows = [row for name, span in zip(names, spans, strict=True) for row in _rows(name, span, scale, t)]
    x = alt.X("back:Q", title=t("steps back from where the error enters"), axis=count_axis())
    if scale == "log":
        low, high = _view(rows, curves if bounded else ())
        y_scale = alt.Scale(domain=[low, high], nice=False, zero=False)
        y = alt.Y("value:Q", title=symbol, axis=power_axis([low, high]), scale=y_scale)
    else:
        y = alt.Y(
            "value:Q",
            title=t("{symbol}, share of the curve's largest").format(symbol=symbol),
            axis=alt.Axis(format="%", tickCount=5),
            scale=alt.Scale(domain=[0, 1]),
        )
    palette = category_colours(theme)
    colour_of = alt.Color(
        "cell:N",
        title=None,
        scale=alt.Scale(domain=list(names), range=[palette[index] for index in colours]),
        legend=alt.Legend(orient="top", labelLimit=0, symbolStrokeWidth=3, symbolType="stroke", symbolOpacity=1),
    )
    base = alt.Chart().encode(x=x, color=colour_of)  # all read the rows of the whole chart, which stand there once
    nearest = alt.selection_point(name="nearest", nearest=True, on="pointerover", fields=["back"], empty=False)
    tooltip = [
        alt.Tooltip("cell:N", title=t("cell")),
        alt.Tooltip("back:Q", title=t("steps back")),
        alt.Tooltip("exact:N", title=t("median of the seeds")),
        alt.Tooltip("span:N", title=t("least to greatest")),
    ]
    layers: list[alt.Chart] = [
        base.mark_area(opacity=0.18, clip=True).encode(y=y.copy(), y2="high:Q"),
        base.mark_line(strokeWidth=3, clip=True).encode(y=y),
        base.mark_point(size=90, opacity=0).encode(y=y, tooltip=tooltip).add_params(nearest),
        base.mark_point(size=80, filled=True).encode(y=y, tooltip=tooltip).transform_filter(nearest),
    ]
    layers[0].encoding.y.shorthand = "low:Q"
    if scale == "log":
        limits = range_limits([low, high], lines=[span[1] for span in spans], theme=theme, t=t)
        layers = [*limits, *layers, *(_bounds(curves, names, x, y, colour_of) if bounded else [])]
    chart = alt.layer(
        *layers,
        data=alt.InlineData(values=rows),
        height=20 * font_size,
        title=alt.TitleParams(
            t("What is left of an error of norm 1"), subtitle=_subtitle(curves, bounded=bounded, t=t)
        ),
        description=" ".join(sentences(curves, names=names, quantity=quantity, t=t)),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def memory_cell_chart(
    curves: Sequence[CellCurves], *, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """The same for linear units that are linked to themselves (syllabus G5).

    Args:
        curves: of ``memory_configs``, the weight 1 in the middle.
        theme, font_size, t: as in every chart.
    """
    return norm_curve_chart(
        curves,
        names=memory_names(curves, t),
        colours=[1, 0, 2],
        bounded=False,
        symbol="‖∂L/∂c‖",
        theme=theme,
        font_size=font_size,
        t=t,
    )


def memory_names(curves: Sequence[CellCurves], t: Translator = english) -> list[str]:
    """What the units of ``memory_cell_chart`` are called: by the weight of their link."""
    return [t("weight {weight}").format(weight=f"{one.config.radius:g}") for one in curves]


def cell_name(config: LaboratoryConfig, t: Translator = english) -> str:
    """The one cell of a configuration, for people."""
    cell = config.cells[0]
    return cell.upper() if cell != "rnn" else f"RNN, {activation_name(config.activation, t)}"


def spread(curves: CellCurves, quantity: Quantity) -> FloatArray:
    """Least, median and greatest log10 norm of the seeds, (3, step); -inf is an exact zero, nan where no seed ran."""
    cells = curves.cell_state if quantity == "memory" else None
    logs = curves.hidden_state if cells is None else cells
    ran = ~np.isnan(logs).all(0)
    found = np.full((3, logs.shape[1]), np.nan)
    # An exact zero is below every number, also where the median lies between two seeds.
    found[0, ran], found[2, ran] = np.nanmin(logs[:, ran], axis=0), np.nanmax(logs[:, ran], axis=0)
    found[1, ran] = np.nanmedian(logs[:, ran], axis=0)
    return found


def magnitude(log: float) -> str:
    """10^log for people: 0.04, 12, 3.2·10⁻⁹; 0 for -inf."""
    if log == -math.inf:
        return "0"
    if -3 <= log < 4:
        return f"{10**log:.2g}" if log < 2 else f"{10**log:.0f}"
    exponent = math.floor(log)
    mantissa = f"{10 ** (log - exponent):.1f}"
    return power(exponent + 1) if mantissa == "10.0" else f"{mantissa}·{power(exponent)}"


def sentences(
    curves: Sequence[CellCurves], *, names: Sequence[str], quantity: Quantity = "memory", t: Translator = english
) -> list[str]:
    """What happened, in words, from the numbers."""
    spans = {name: spread(one, quantity)[1] for name, one in zip(names, curves, strict=True)}
    last = min(int(np.flatnonzero(~np.isnan(span))[-1]) for span in spans.values())
    parts = [
        t("{value} ({cell})").format(value=magnitude(float(span[last])), cell=name) for name, span in spans.items()
    ]
    found = [t("{count} steps back, an error of norm 1 has become {list}.").format(count=last, list=listed(parts, t))]
    for name, one in zip(names, curves, strict=True):
        span = spans[name]
        below = np.flatnonzero(span < FLOAT32_FLOOR)
        zero = np.flatnonzero(span == -np.inf)
        if zero.size:
            found.append(
                t("{cell}: exactly 0 from {count} steps back on, because every path is cut.").format(
                    cell=name, count=int(zero[0])
                )
            )
        elif below.size:
            found.append(
                t("{cell}: float32 would show 0 from {count} steps back on.").format(cell=name, count=int(below[0]))
            )
        over = [step for step in one.overflow_steps if step]
        if over:
            found.append(
                t(
                    "{cell}: the state overflowed at step {step} in {count} of {seeds} seeds; there the error enters "
                    "at the step before."
                ).format(cell=name, step=min(over), count=len(over), seeds=len(one.overflow_steps))
            )
    return found


def listed(parts: Sequence[str], t: Translator = english) -> str:
    """One, two or three phrases as one; more are set apart by semicolons."""
    if len(parts) == 2:
        return t("{a} and {b}").format(a=parts[0], b=parts[1])
    if len(parts) == 3:
        return t("{a}, {b} and {c}").format(a=parts[0], b=parts[1], c=parts[2])
    return "; ".join(parts)


def range_limits(view: Sequence[float], *, lines: Sequence[FloatArray], theme: Theme, t: Translator) -> list[alt.Chart]:
    """Labelled rules where the number types end, those that are in view.

    Args:
        view: least and greatest power of ten that are shown.
        lines: what is drawn, along the x axis; a label goes to the side that they leave free.
        theme, t: as in every chart.
    """
    limits: list[tuple[float, str, Literal["top", "bottom"]]] = [
        (FLOAT32_FLOOR, t("float32 would show 0 from here on"), "top"),
        (_FLOAT64_FLOOR, t("and float64, too"), "top"),
        (_FLOAT32_TOP, t("float32 would show ∞ from here on"), "bottom"),
        (_FLOAT64_TOP, t("and float64, too"), "bottom"),
    ]
    found = []
    muted = colour("muted", theme)
    for value, label, side in limits:
        if not view[0] < value < view[1]:
            continue
        data = alt.Chart(alt.InlineData(values=[{"value": float(value), "label": label}]))
        y, down = alt.Y("value:Q"), 5 if side == "top" else -5
        crossed = [np.flatnonzero(line < value if side == "top" else line > value) for line in lines]
        early = any(places.size and places[0] < 0.4 * len(line) for places, line in zip(crossed, lines, strict=True))
        text = (
            data.mark_text(color=muted, align="right", baseline=side, dx=-6, dy=down).encode(x=alt.value("width"))
            if early
            else data.mark_text(color=muted, align="left", baseline=side, dx=6, dy=down).encode(x=alt.value(0))
        )
        found += [
            data.mark_rule(color=muted, strokeDash=[2, 4], strokeWidth=1.5).encode(y=y),
            text.encode(y=y, text="label:N"),
        ]
    return found


def count_axis() -> alt.Axis:
    """An axis of whole numbers."""
    return alt.Axis(tickMinStep=1, tickCount=10, labelOverlap=True, grid=False)


def thinned(count: int, most: int = _POINTS) -> IntArray:
    """At most ``most`` of the numbers from 0 to count - 1, both ends among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _rows(name: str, span: FloatArray, scale: Scale, t: Translator) -> list[dict[str, object]]:
    largest = float(np.nanmax(span[1]))
    rows = []
    for back in thinned(span.shape[1]):
        low, middle, high = (float(value) for value in span[:, back])
        if not math.isfinite(middle):
            continue
        low = low if math.isfinite(low) else middle
        values = (low, middle, high)
        if scale == "relative":
            values = tuple(min(1.0, 10 ** (value - largest)) for value in values)  # type: ignore[assignment]
        rows.append(
            {
                "cell": name,
                "back": int(back),
                "low": round(values[0], 5),
                "value": round(values[1], 5),
                "high": round(values[2], 5),
                "exact": magnitude(middle),
                "span": t("{low} to {high}").format(low=magnitude(float(span[0, back])), high=magnitude(high)),
            }
        )
    return rows


def _view(rows: Sequence[dict[str, object]], curves: Sequence[CellCurves]) -> tuple[float, float]:
    """The powers of ten that are shown: all bands, and of the bound as much as leaves them large."""
    low = min((float(str(row["low"])) for row in rows), default=-1.0)
    high = max((float(str(row["high"])) for row in rows), default=0.0)
    room = max(0.5, 0.04 * (high - low))
    ends = [float(one.log_bound.max()) * one.config.steps for one in curves if one.log_bound is not None]
    bound = max((end for end in ends if math.isfinite(end)), default=high)
    return low - room, max(high, min(bound, high + 0.25 * (high - low + 1))) + room


def _bounds(
    curves: Sequence[CellCurves], names: Sequence[str], x: alt.X, y: alt.Y, colour_of: alt.Color
) -> list[alt.Chart]:
    """Dashed: the most that k steps of the plain RNN can make of a norm, for the seed with the largest matrix."""
    rows = []
    for name, one in zip(names, curves, strict=True):
        if one.log_bound is not None and np.isfinite(most := float(one.log_bound.max())):
            last = one.hidden_state.shape[1] - 1
            rows += [{"cell": name, "back": back, "value": round(most * back, 5)} for back in (0, last)]
    if not rows:
        return []
    data = alt.Chart(alt.InlineData(values=rows))
    return [data.mark_line(strokeDash=[7, 5], strokeWidth=2, clip=True).encode(x=x, y=y, color=colour_of)]


def _symbol(curves: Sequence[CellCurves], quantity: Quantity) -> str:
    if quantity == "memory" and any(one.cell_state is not None for one in curves):
        return "‖∂L/∂c‖" if all(one.cell_state is not None for one in curves) else "‖∂L/∂h‖, LSTM ‖∂L/∂c‖"
    return "‖∂L/∂h‖"


def _subtitle(curves: Sequence[CellCurves], *, bounded: bool, t: Translator) -> list[str]:
    parts = [t("Line: median of {count} seeds; band: least to greatest.").format(count=curves[0].config.num_seeds)]
    if curves[0].config.num_seeds == 1:
        parts = []
    if bounded and any(one.log_bound is not None for one in curves):
        parts.append(t("Dashed: bound of the RNN, (max g′ · σₘₐₓ)ᵏ."))
    return parts
