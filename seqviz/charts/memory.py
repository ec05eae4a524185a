"""Charts of memory carried: the triangle of one unit, all units from one step, half-lives, number units."""

from __future__ import annotations

import json
from collections.abc import Sequence

import altair as alt
import numpy as np

from seqviz.charts.gradient_axes import token_axis
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.palette import Theme, category_colours, sequential_ramp
from seqviz.charts.style import labels_expression, styled
from seqviz.gates import NumberUnits
from seqviz.i18n import Translator, english
from seqviz.memory import NEVER, carried, carried_from, half_lives, keep_gate
from seqviz.traces import LayerTrace
from seqviz.types import IntArray

_CELLS = 2600
"""Cells of a heatmap at most; beyond them neighbours are drawn together."""


def carried_triangle(
    part: LayerTrace,
    originals: Sequence[str],
    *,
    unit: int,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """How much of what stood in a unit's memory after each step still stands after every later one.

    Args:
        part: a layer with a gate that keeps.
        originals: the pieces of the text.
        unit: which unit.
        theme, font_size, t: as in every chart.
    """
    shares = carried(part, unit)
    stride = max(1, int(np.ceil(len(shares) / np.sqrt(2 * _CELLS))))
    picked = list(range(0, len(shares), stride))
    rows = [
        {"s": n, "t": m, "share": round(float(shares[a, b]), 4), "exact": f"{shares[a, b]:.4g}"}
        for n, a in enumerate(picked)
        for m, b in enumerate(picked)
        if np.isfinite(shares[a, b])
    ]
    tokens = [visible(originals[step]) for step in picked]
    title = t("Unit {unit}: what its memory keeps").format(unit=unit)
    # Two lines, for charts beside each other.
    subtitle = [
        t("of each step (row) at every later one (column):"),
        t("product of the {gate} in between").format(gate=quantity_name(str(keep_gate(part)), t)),
    ]
    if stride > 1:
        subtitle.append(t("one step in {stride} is drawn").format(stride=stride))
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect()
        .encode(
            x=_named(token_axis(tokens, font_size), "t"),
            y=alt.Y(
                "s:O",
                title=None,
                scale=alt.Scale(domain=list(range(len(picked)))),
                axis=alt.Axis(labelExpr=labels_expression(tokens), labelOverlap=True, ticks=False, grid=False),
            ),
            color=_share_colour(theme, t("share that is left")),
            tooltip=[
                alt.Tooltip("written:N", title=t("stood in it after")),
                alt.Tooltip("read:N", title=t("still does after")),
                alt.Tooltip("exact:N", title=t("share that is left")),
            ],
        )
        .transform_calculate(
            written=labels_expression(tokens, field="datum.s"), read=labels_expression(tokens, field="datum.t")
        )
    )
    height = max(200, min(24 * font_size, (font_size + 8) * len(picked)))
    layered = alt.layer(
        chart,
        height=height,
        title=alt.TitleParams(title, subtitle=subtitle),
        description=f"{title}. {half_life_sentence(part, unit=unit, step=0, originals=originals, t=t)}",
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def carried_units(
    part: LayerTrace,
    originals: Sequence[str],
    *,
    step: int,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The same from one step for all units, those that keep longest on top; many units in groups by their rank."""
    shares = np.nan_to_num(carried_from(part, step), nan=-1.0)
    order = np.argsort(-np.where(shares < 0, 0, shares).sum(0), kind="stable")
    count = min(len(order), max(12, min(64, _CELLS // len(shares))))
    groups = np.array_split(order, count)
    names = [str(group[0]) if len(group) == 1 else f"{group[0]} …" for group in groups]
    rows = [
        {"step": s, "row": n, "share": round(float(shares[s, group].mean()), 4)}
        for n, group in enumerate(groups)
        for s in range(len(shares))
        if shares[s, group[0]] >= 0
    ]
    members = [", ".join(str(unit) for unit in group[:8]) + (" …" if len(group) > 8 else "") for group in groups]
    title = t("All units: what is left after ‘{token}’").format(token=visible(originals[step]))
    subtitle = (
        [t("one row a unit, those that keep longest on top")]
        if count == len(order)
        else [
            t("{count} units by rank in {rows} rows,").format(count=len(order), rows=count),
            t("each the mean of its group"),
        ]
    )
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect()
        .encode(
            x=token_axis(originals, font_size),
            y=alt.Y(
                "row:O",
                title=t("unit"),
                scale=alt.Scale(domain=list(range(count))),
                axis=alt.Axis(labelExpr=labels_expression(names), labelOverlap=True, ticks=False, grid=False),
            ),
            color=_share_colour(theme, t("share that is left")),
            tooltip=[
                alt.Tooltip("units:N", title=t("units")),
                alt.Tooltip("piece:N", title=t("after")),
                alt.Tooltip("share:Q", title=t("share that is left"), format=".4f"),
            ],
        )
        .transform_calculate(
            units=labels_expression(members, field="datum.row"),
            piece=labels_expression([visible(piece) for piece in originals], field="datum.step"),
        )
    )
    layered = alt.layer(
        chart,
        height=24 * font_size,
        title=alt.TitleParams(title, subtitle=subtitle),
        description=f"{title}. {' '.join(subtitle)}.",
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def half_life_chart(
    part: LayerTrace,
    *,
    step: int,
    beside: Sequence[tuple[LayerTrace, int]] = (),
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """How many units forget half after how many steps; those that never do within the text stand apart.

    Args:
        part: a layer with a gate that keeps.
        step: from which on.
        beside: layers and steps of charts that stand beside this one: all get the same bars and the same scale.
        theme, font_size, t: as in every chart.
    """
    lives = half_lives(part, step)
    others = [half_lives(*other) for other in beside]
    longest = max(1, *(int(one.max()) for one in (lives, *others)))
    width = -(-longest // 12)
    starts = range(1, longest + 1, width)
    labels = [str(start) if width == 1 else f"{start}–{start + width - 1}" for start in starts]
    counts = _counted(lives, starts, width)
    top = max(max(_counted(one, starts, width)) for one in (lives, *others))
    never = t("never")
    labels.append(never)
    rows = [
        {"steps": label, "units": count, "kept": label == never} for label, count in zip(labels, counts, strict=True)
    ]
    title = alt.TitleParams(t("Half-life: steps until at most half is left"), subtitle=t("never: not within the text"))
    colours = category_colours(theme)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "steps:N",
            title=t("steps"),
            sort=labels,
            axis=alt.Axis(labelExpr=_some_of(labels, font_size), labelAngle=0, ticks=False, labelOverlap=False),
        ),
        y=alt.Y("units:Q", title=t("units"), scale=alt.Scale(domain=[0, top], nice=True), axis=alt.Axis(tickCount=4)),
    )
    bars = base.mark_bar(cornerRadiusEnd=3).encode(
        color=alt.ColorValue(colours[0], condition={"test": "datum.kept", "value": colours[3]}),
        tooltip=[alt.Tooltip("steps:N", title=t("steps")), alt.Tooltip("units:Q", title=t("units"))],
    )
    numbers = base.mark_text(dy=-font_size * 0.7).encode(text="units:Q")
    layered = alt.layer(
        bars,
        numbers,
        height=13 * font_size,
        title=title,
        description=f"{title.text}: "
        + ", ".join(f"{label}: {count}" for label, count in zip(labels, counts, strict=True)),
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _some_of(labels: Sequence[str], font_size: int) -> str:
    """Names as many bars as there is room for, the last one in any case."""
    room = 0.68 * font_size * max(len(label) for label in labels)
    from_last = f"({len(labels) - 1} - indexof({json.dumps(list(labels))}, datum.value))"
    return f"{from_last} % ceil({room * len(labels):g} / max(width, 1)) ? '' : datum.value"


def _counted(lives: IntArray, starts: Sequence[int], width: int) -> list[int]:
    """Units in each bar, those that never lose half in the last one."""
    return [
        *(int(((lives >= start) & (lives < start + width)).sum()) for start in starts),
        int((lives == NEVER).sum()),
    ]


def half_life_sentence(
    part: LayerTrace, *, unit: int, step: int, originals: Sequence[str], t: Translator = english
) -> str:
    """How long one unit keeps what stood in it after a step."""
    life = int(half_lives(part, step)[unit])
    token = visible(originals[step])
    if life == NEVER:
        return t("Unit {unit} never loses half of what stood in it after ‘{token}’ within the text.").format(
            unit=unit, token=token
        )
    if life == 1:
        return t("Unit {unit} has lost half of what stood in it after ‘{token}’ at the very next step.").format(
            unit=unit, token=token
        )
    return t("Unit {unit} has lost half of what stood in it after ‘{token}’ {count} steps later.").format(
        unit=unit, token=token, count=life
    )


def number_chart(
    found: NumberUnits, *, rank: int = 0, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """One number unit through the example sentence, with a singular and with a plural subject."""
    best = found.best[rank]
    subjects = (found.words[1], found.words[1] + "s")
    rows = [
        {"step": step, "subject": subject, "value": round(float(found.courses[rank, row, step]), 5)}
        for row, subject in enumerate(subjects)
        for step in range(len(found.words))
    ]
    words = [word if step != 1 else "cat(s)" for step, word in enumerate(found.words)]
    colours = category_colours(theme)
    base = alt.Chart(alt.InlineData(values=rows))
    lines = base.mark_line(strokeWidth=2.6, point=alt.OverlayMarkDef(size=55)).encode(
        x=token_axis(words, font_size),
        y=alt.Y("value:Q", title=quantity_name(best.quantity, t), axis=alt.Axis(tickCount=5)),
        color=alt.Color(
            "subject:N",
            title=None,
            scale=alt.Scale(domain=list(subjects), range=[colours[0], colours[1]]),
            legend=alt.Legend(orient="top", symbolStrokeWidth=3, labelLimit=0),
        ),
        tooltip=[
            alt.Tooltip("subject:N", title=t("subject")),
            alt.Tooltip("value:Q", title=quantity_name(best.quantity, t), format=".4f"),
        ],
    )
    rule = (
        alt.Chart(alt.InlineData(values=[{"value": best.threshold}]))
        .mark_rule(strokeDash=[5, 4], color=colours[4])
        .encode(y="value:Q")
    )
    title = t("Unit {unit}, layer {layer}: {quantity}").format(
        unit=best.unit, layer=best.layer + 1, quantity=quantity_name(best.quantity, t)
    )
    layered = alt.layer(
        rule,
        lines,
        height=16 * font_size,
        title=alt.TitleParams(title, subtitle=t("dashed: the threshold between one and many")),
        description=f"{title}. {number_sentence(found, rank=rank, t=t)}",
    )
    return styled(layered, theme=theme, font_size=font_size)  # type: ignore[return-value]


def number_sentence(found: NumberUnits, *, rank: int = 0, t: Translator = english) -> str:
    """How well a unit tells one from many, in words and with what the score rests on."""
    best = found.best[rank]
    last = found.courses[rank, :, -1]
    right = sum(((value > best.threshold) == best.plural_above) == plural for plural, value in enumerate(last.tolist()))
    example = t("In the sentence drawn here it ends on the right side for {right} of the two subjects.").format(
        right=right
    )
    score = t(
        "Its side of the threshold tells the subject's number in {accuracy} of {sentences} held-out sentences "
        "({pairs} pairs; AUC {auc}); guessing has 50 %, the median unit {median}, and the model itself prefers the "
        "right verb in {verb}. It was chosen among {searched} states by {search} other pairs."
    ).format(
        accuracy=_percent(best.accuracy),
        sentences=2 * found.held_out_pairs,
        pairs=found.held_out_pairs,
        auc=f"{best.auc:.2f}",
        median=_percent(found.median_accuracy),
        verb=_percent(found.verb_accuracy),
        searched=found.searched,
        search=found.search_pairs,
    )
    return f"{score} {example}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _share_colour(theme: Theme, title: str) -> alt.Color:
    return alt.Color(
        "share:Q",
        title=title,
        scale=alt.Scale(domain=[0, 1], range=list(sequential_ramp("share", theme)), interpolate="rgb"),
        legend=alt.Legend(
            orient="top", direction="horizontal", gradientLength=220, titleLimit=0, format=".0%", values=[0, 0.5, 1]
        ),
    )


def _named(axis: alt.X, field: str) -> alt.X:
    """The token axis on another field."""
    copy = axis.copy()
    copy.shorthand = f"{field}:O"
    return copy
