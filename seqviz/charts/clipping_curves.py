"""The curves of a clipping run: loss, gradient norm and clipped share over one axis of steps (syllabus B5).

Drawn anew with every news of a running run; the module ``assets/curves.js`` exchanges the picture and keeps the
reader's place. Long runs are thinned for drawing; the exports have every step.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqviz.charts.clipping_text import (
    LATEST_STEPS,
    latest_steps,
    loss_title,
    run_sentence,
    variant_name,
    variant_state,
)
from seqviz.charts.figure import Figure
from seqviz.charts.scales import AxisScale, log_limits
from seqviz.charts.svg import esc, fit, group, num, path, rect, text_at, text_width, wrap
from seqviz.clipping import ClippingConfig, VariantCurve
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray, IntArray

WIDE, NARROW = 1180, 400
POINTS = 480
"""Points of a curve that are drawn; narrow pictures have half of them."""
_FIRST_STEPS = 40  # all of them are drawn: on a log axis they have room
_ABOVE = 1000.0  # a log axis ends at so many times the first value of the curves that did not diverge


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """Sizes of one layout."""

    width: int
    font: float
    narrow: bool
    x: AxisScale

    @property
    def left(self) -> float:
        return self.x.start


def clipping_figure(
    curves: Sequence[VariantCurve],
    config: ClippingConfig,
    *,
    log_steps: bool = False,
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws all variants of a run.

    Args:
        curves: of the run so far.
        config: what it was set up with.
        log_steps: a log axis of steps, on which the first steps have room.
        font_size: in pixels; at least 16 for projection.
        t, language: of the reader.
    """
    alt = run_sentence(curves, config, t)
    wide, height, geometry = _drawn(curves, config, width=WIDE, log_steps=log_steps, font=font_size, alt=alt, t=t)
    narrow, _, narrow_geometry = _drawn(
        curves, config, width=NARROW, log_steps=log_steps, font=min(font_size, 14), alt=alt, t=t
    )
    payload: dict[str, Any] = {
        "language": language,
        "fontSize": font_size,
        "geometry": geometry,
        "narrow": narrow,
        "narrowGeometry": narrow_geometry,
        "variants": [_numbers(curve, t) for curve in curves],
        "texts": {
            "step": t("step {step}"),
            "loss": t("loss"),
            "grad_norm": t("gradient norm"),
            "update_norm": t("after clipping"),
            "clipped_share": t("clipped so far"),
            "keys": t("Curves of the run: arrow keys move along the steps"),
        },
    }
    title = t("Training with and without clipping")
    return Figure(svg=wide, payload=payload, alt=alt, width=WIDE, height=height, title=title, module="curves")


def kept_points(curve: VariantCurve, limit: int) -> IntArray:
    """Indices of the steps that are drawn: all, or of every stretch those of its extremes; the last is among them."""
    count = len(curve.values)
    if count <= limit:
        return np.arange(count)
    stretches = np.array_split(np.arange(count), max(1, limit // 4))
    losses, norms = curve.measure("loss"), curve.measure("grad_norm")
    kept = {*range(_FIRST_STEPS), count - 1}
    for stretch in stretches:
        for values in (losses[stretch], norms[stretch]):
            known = np.where(np.isfinite(values), values, np.inf)
            kept |= {int(stretch[known.argmax()]), int(stretch[known.argmin()])}
    return np.array(sorted(kept))


def running_median(values: FloatArray, count: int = LATEST_STEPS) -> FloatArray:
    """Median of each value and those before it, at most ``count``; single spikes leave it alone."""
    if not len(values):
        return values
    padded = np.concatenate([np.full(count - 1, np.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a window without a number has none
        return np.asarray(np.nanmedian(windows, axis=1))


def _numbers(curve: VariantCurve, t: Translator) -> dict[str, Any]:
    """What the reader sees beside the pointer."""
    kept = kept_points(curve, POINTS)

    def shown(values: FloatArray) -> list[str]:
        return [f"{value:.4g}" if math.isfinite(value) else "NaN" if math.isnan(value) else "∞" for value in values]

    return {
        "name": variant_name(curve.variant, t),
        "colour": curve.variant.number,
        "clips": curve.variant.clipping != "none",
        "steps": curve.steps[kept].tolist(),
        "loss": shown(curve.measure("loss")[kept]),
        "grad_norm": shown(curve.measure("grad_norm")[kept]),
        "update_norm": shown(curve.measure("update_norm")[kept]),
        "clipped_share": [f"{100 * share:.0f} %" for share in curve.clipped_share[kept]],
    }


def _drawn(
    curves: Sequence[VariantCurve],
    config: ClippingConfig,
    *,
    width: int,
    log_steps: bool,
    font: float,
    alt: str,
    t: Translator,
) -> tuple[str, int, dict[str, Any]]:
    narrow = width == NARROW
    left, right = (font * 3.4, font * 1.3) if narrow else (font * 4.6, font * 1.7)
    x = AxisScale(low=1, high=config.steps, start=left, end=width - right, log=log_steps)
    sheet = _Sheet(width=width, font=font, narrow=narrow, x=x)
    legend, top = _legend(curves, latest_steps(config), sheet, t)
    parts, panels = [legend], []
    for title, drawing, tall in (
        (loss_title(config, t), "loss", 165 if narrow else 185),
        (t("Norm of the gradient before clipping, log scale"), "grad_norm", 145 if narrow else 160),
        (t("Share of clipped steps so far"), "clipped_share", 60 if narrow else 64),
    ):
        top += font * 2.1
        parts.append(text_at(0, top - font * 0.75, fit(title, font, width), size=font, classes="mu", anchor="start"))
        y = _scale(curves, drawing, top, tall)
        parts.append(_panel(curves, config, sheet, drawing, y))
        panels.append({"measure": drawing, "top": top, "height": tall})
        top += tall
    parts.append(_step_axis(sheet, top, t))
    top += font * 2.7
    note = _note(curves, config, sheet, t)
    for line in note:
        parts.append(text_at(0, top, line, size=font * 0.92, classes="mu", anchor="start"))
        top += font * 1.3
    height = math.ceil(top)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        + rect(0, 0, width, height, classes="bg")
        + group(parts)
        + "</svg>"
    )
    return svg, height, {"x": x.to_dict(), "panels": panels, "width": width, "height": height}


def _legend(curves: Sequence[VariantCurve], latest: int, sheet: _Sheet, t: Translator) -> tuple[str, float]:
    """A line for each variant: its colour, its name, how it stands. And where the next thing may begin."""
    parts, y, font = [], sheet.font * 1.2, sheet.font
    names = max((text_width(variant_name(curve.variant, t), font) for curve in curves), default=0.0)
    place = 30 + 1.08 * names + 18
    for curve in curves:
        number = curve.variant.number
        name, state = variant_name(curve.variant, t), variant_state(curve, t, latest=latest)
        parts.append(rect(0, y - font * 0.62, 22, 5, classes=f"k{number}", radius=2))
        parts.append(text_at(30, y, name, size=font, classes="st", anchor="start"))
        if sheet.narrow:
            y += font * 1.3
            parts.append(text_at(30, y, fit(state, font, sheet.width - 30), size=font, classes="tx", anchor="start"))
        else:
            parts.append(
                text_at(place, y, fit(state, font, sheet.width - place), size=font, classes="tx", anchor="start")
            )
        y += font * 1.5
    return group(parts), y - font * 0.9


def _scale(curves: Sequence[VariantCurve], measure: str, top: float, tall: float) -> AxisScale:
    if measure == "clipped_share":
        return AxisScale(low=0.0, high=1.0, start=top + tall, end=top)
    low, high = _limits(curves, measure)
    return AxisScale(low=low, high=high, start=top + tall, end=top, log=True)


def _limits(curves: Sequence[VariantCurve], measure: str) -> tuple[float, float]:
    """Ends of a log axis: all of the variants that did not diverge, and of the others what does not flatten them."""
    values = [curve.measure(measure) for curve in curves]
    firsts = [float(one[0]) for one in values if len(one) and math.isfinite(one[0])]
    good = [
        float(np.nanmax(one)) for one, curve in zip(values, curves, strict=True) if len(one) and not curve.divergence
    ]
    ceiling = max([_ABOVE * min(firsts, default=math.inf), *good]) if firsts else math.inf
    return log_limits(np.concatenate(values) if values else np.zeros(0), ceiling=ceiling)


def _beyond(curves: Sequence[VariantCurve], measure: str) -> bool:
    _, high = _limits(curves, measure)
    return any(bool((values[np.isfinite(values)] > high).any()) for values in (one.measure(measure) for one in curves))


def _panel(curves: Sequence[VariantCurve], config: ClippingConfig, sheet: _Sheet, measure: str, y: AxisScale) -> str:
    x, font = sheet.x, sheet.font
    parts = [rect(x.start, y.end, x.end - x.start, y.start - y.end, classes="tb", radius=4)]
    for value, label in [(0.0, "0"), (0.5, "50 %"), (1.0, "100 %")] if not y.log else y.ticks(5):
        place = float(y(value))
        parts.append(path(f"M{num(x.start)} {num(place)}H{num(x.end)}", classes="hr"))
        parts.append(text_at(x.start - 7, place + font * 0.34, label, size=font * 0.92, classes="mu", anchor="end"))
    if measure == "loss":
        parts.append(_baseline(config, sheet, y))
    for curve in curves:
        if measure == "grad_norm" and curve.variant.clipping == "norm" and y.low < curve.variant.threshold < y.high:
            start, height = float(x(curve.variant.begins + 1)), float(y(curve.variant.threshold))
            parts.append(path(f"M{num(start)} {num(height)}H{num(x.end)}", classes=f"cx{curve.variant.number}"))
    known = [curve for curve in curves if len(curve.values)]
    if measure != "clipped_share":
        parts += [_every_step(curve, sheet, measure, y) for curve in known]
    parts += [_curve(curve, latest_steps(config), sheet, measure, y) for curve in known]
    parts += [_ending(curve, sheet, measure, y) for curve in curves]
    return group(parts)


def _baseline(config: ClippingConfig, sheet: _Sheet, y: AxisScale) -> str:
    """The loss of an answer that has learned nothing of the order."""
    if not y.low < config.baseline < y.high:
        return ""
    return path(f"M{num(sheet.x.start)} {num(float(y(config.baseline)))}H{num(sheet.x.end)}", classes="lf")


def _every_step(curve: VariantCurve, sheet: _Sheet, measure: str, y: AxisScale) -> str:
    """The thin line behind the curve."""
    kept = kept_points(curve, _points(sheet))
    return path(_line(curve.steps[kept], curve.measure(measure)[kept], sheet.x, y), classes=f"cr{curve.variant.number}")


def _curve(curve: VariantCurve, latest: int, sheet: _Sheet, measure: str, y: AxisScale) -> str:
    """The thick line: the running median, or the share of clipped steps."""
    if measure == "clipped_share" and curve.variant.clipping == "none":
        return ""
    values = curve.clipped_share if measure == "clipped_share" else running_median(curve.measure(measure), latest)
    kept = np.unique(np.linspace(0, len(values) - 1, min(len(values), _points(sheet))).astype(int))
    return path(_line(curve.steps[kept], values[kept], sheet.x, y), classes=f"c{curve.variant.number}")


def _points(sheet: _Sheet) -> int:
    return POINTS // 2 if sheet.narrow else POINTS


def _line(steps: IntArray, values: FloatArray, x: AxisScale, y: AxisScale) -> str:
    """Path data through all finite points."""
    good = np.isfinite(values)
    points = zip(x(steps[good].astype(float)).tolist(), y(values[good]).tolist(), strict=True)
    data = "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
    return f"M{data}" if "L" in data else ""


def _ending(curve: VariantCurve, sheet: _Sheet, measure: str, y: AxisScale) -> str:
    """Marks of a variant's ends: a ring where it was forked, a cross and a line where it diverged."""
    x, number, parts = sheet.x, curve.variant.number, []
    values = curve.clipped_share if measure == "clipped_share" else curve.measure(measure)
    if curve.variant.parent is not None and len(values) and math.isfinite(values[0]):
        left, height = num(float(x(curve.variant.begins + 1))), num(float(y(float(values[0]))))
        parts.append(f'<circle cx="{left}" cy="{height}" r="5" class="cp{number}"/>')
    if curve.divergence is not None:
        place = float(x(curve.divergence.step))
        parts.append(path(f"M{num(place)} {num(y.end)}V{num(y.start)}", classes=f"cx{number}"))
        if measure != "clipped_share":
            top = y.end + 9
            cross = f"M{num(place - 5)} {num(top - 5)}l10 10m0 -10l-10 10"
            parts.append(path(cross, classes=f"c{number}"))
            side = 1 if place < (x.start + x.end) / 2 else -1
            parts.append(
                text_at(
                    place + 12 * side, y.end + 9 + sheet.font * 0.34, f"{curve.divergence.step}",
                    size=sheet.font, classes=f"k{number}", anchor="start" if side > 0 else "end",
                )
            )  # fmt: skip
    return group(parts) if parts else ""


def _step_axis(sheet: _Sheet, top: float, t: Translator) -> str:
    x, font = sheet.x, sheet.font
    parts = []
    for value, label in x.ticks(4 if sheet.narrow else 8):
        if value >= 1:
            parts.append(text_at(float(x(value)), top + font * 1.25, label, size=font * 0.92, classes="mu"))
    parts.append(text_at(x.start - 9, top + font * 1.25, t("step"), size=font * 0.92, classes="mu", anchor="end"))
    return group(parts)


def _note(curves: Sequence[VariantCurve], config: ClippingConfig, sheet: _Sheet, t: Translator) -> list[str]:
    """How the curves are to be read."""
    baseline = (
        t("Grey: the loss of always answering 1, which is 1/6.")
        if config.task == "adding"
        else t("Grey: the loss of taking all symbols for equally probable.")
    )
    lines = [
        baseline,
        t("Thin: every step; thick: median of the last {count}.").format(count=latest_steps(config)),
        t("Dotted: θ, and where a variant diverged (×)."),
    ]
    if any(_beyond(curves, measure) for measure in ("loss", "grad_norm")):
        lines.append(t("At the upper edge: beyond the frame."))
    if any(curve.variant.parent is not None for curve in curves):
        lines.append(t("Ring: a fork begins."))
    longest = max((len(curve.values) for curve in curves), default=0)
    if longest > POINTS:
        lines.append(
            t("Thinned for drawing: of {count} steps the extremes of every stretch; the files have all.").format(
                count=longest
            )
        )
    return wrap(" ".join(lines), sheet.font * 0.92, sheet.width, lines=9)
