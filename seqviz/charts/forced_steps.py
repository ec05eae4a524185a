"""A human's y* and the algorithm's ŷ piece by piece: what each costs, and their running sums (syllabus S6)."""

from __future__ import annotations

import math

import altair as alt
import numpy as np

from seqviz.charts.palette import COLOURS, Theme, category_colours
from seqviz.charts.piece_words import piece_label
from seqviz.charts.style import shortened, styled
from seqviz.i18n import Translator, english
from seqviz.translations import ForcedTranslation

HUMAN, OUTPUT = "y*", "ŷ"
_TOKEN = 13


def parting_step(human: ForcedTranslation, output: ForcedTranslation) -> int | None:
    """The first step, from 0, at which the pieces differ; None if they are the same."""
    pairs = zip(human.target.ids, output.target.ids, strict=False)
    found = next((step for step, (one, other) in enumerate(pairs) if one != other), None)
    if found is None and len(human.target) != len(output.target):
        return min(len(human.target), len(output.target))
    return found


def costliest_step(forced: ForcedTranslation) -> int:
    """The step, from 0, whose piece the model finds least probable."""
    return int(np.argmin(forced.log_probs))


def step_chart(
    human: ForcedTranslation,
    output: ForcedTranslation,
    *,
    step: int | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """Two bars a step, hanging from 0: log p of the piece of y* and of that of ŷ.

    Args:
        human: y*, scored.
        output: ŷ, scored.
        step: that is looked at, from 0; None for none.
        theme, font_size, t: as in every chart.
    """
    steps = max(len(human.target), len(output.target))
    rows = [*_rows(human, HUMAN), *_rows(output, OUTPUT)]
    low = min(-0.5, *(float(str(row["log_prob"])) for row in rows))
    height, size = 20 * font_size, font_size if steps <= 24 else max(10, font_size - 3)
    longest = max(len(str(row["label"])) for row in rows)
    letters = min(height * 0.5, 0.62 * size * longest + 8)
    top = -low * letters / (height - letters)
    x = _step_axis(steps, t)
    y = alt.Y(
        "log_prob:Q",
        title=t("log p of the piece"),
        scale=alt.Scale(domain=[low * 1.02, top], nice=False),
        axis=alt.Axis(values=_ticks(low), grid=True),
    )
    offset = alt.XOffset("which:N", sort=[HUMAN, OUTPUT])
    base = alt.Chart(alt.InlineData(values=rows))
    bars = base.mark_bar().encode(
        x=x,
        xOffset=offset,
        y=y,
        y2=alt.Y2(datum=0),
        color=_colour(theme, legend=True),
        tooltip=[
            alt.Tooltip("which:N", title=t("translation")),
            alt.Tooltip("step:O", title=t("step")),
            alt.Tooltip("piece:N", title=t("piece")),
            alt.Tooltip("log_prob:Q", title="log p", format=".4f"),
            alt.Tooltip("p:Q", title="p", format=".4g"),
            alt.Tooltip("rank:Q", title=t("place among all pieces")),
        ],
    )
    words = base.mark_text(angle=270, align="left", baseline="middle", dx=5, fontSize=size).encode(
        x=x, xOffset=offset, y=alt.Y(datum=0), text="label:N", color=_colour(theme, legend=False)
    )
    layers = [bars, words]
    if step is not None:
        band = alt.Chart(alt.InlineData(values=[{"step": step + 1}])).mark_rect(color=COLOURS["tint"][theme])
        layers.insert(0, band.encode(x=x))
    chart = alt.layer(
        *layers,
        height=height,
        title=alt.TitleParams(t("What each piece costs"), subtitle=t("Shaded: the step that is looked at below.")),
        description=steps_sentence(human, output, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def sum_chart(
    human: ForcedTranslation,
    output: ForcedTranslation,
    *,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The running sums Σ log p of both; arguments as ``step_chart``."""
    steps = max(len(human.target), len(output.target))
    rows = [
        {"which": name, "step": index + 1, "total": float(total), "label": piece_label(forced.target.pieces[index])}
        for forced, name in ((human, HUMAN), (output, OUTPUT))
        for index, total in enumerate(np.cumsum(forced.log_probs))
    ]
    x = _step_axis(steps, t)
    low = 1.15 * min(-0.1, human.log_prob, output.log_prob)  # room for the number below the last point
    y = alt.Y(
        "total:Q",
        title=t("Σ log p so far"),
        axis=alt.Axis(tickCount=6),
        scale=alt.Scale(domain=[low, 0], nice=False),
    )
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=50))
        .encode(
            x=x,
            y=y,
            color=_colour(theme, legend=True, lines=True),
            strokeDash=alt.StrokeDash(
                "which:N", legend=None, scale=alt.Scale(domain=[HUMAN, OUTPUT], range=[[1, 0], [6, 3]])
            ),
            tooltip=[
                alt.Tooltip("which:N", title=t("translation")),
                alt.Tooltip("step:O", title=t("step")),
                alt.Tooltip("label:N", title=t("piece")),
                alt.Tooltip("total:Q", title="Σ log p", format=".4f"),
            ],
        )
    )
    ends = [
        {"which": name, "step": len(forced.target), "total": forced.log_prob, "says": f"{forced.log_prob:.2f}"}
        for forced, name in ((human, HUMAN), (output, OUTPUT))
    ]
    labels = (
        alt.Chart(alt.InlineData(values=ends))
        .mark_text(align="right", dx=-8, dy=14, fontWeight=600, fontSize=font_size)
        .encode(x=x, y=y, text="says:N", color=_colour(theme, legend=False))
    )
    chart = alt.layer(
        lines,
        labels,
        height=20 * font_size,
        title=alt.TitleParams(t("Running sums"), subtitle=t("Their ends are log P of the whole translations.")),
        description=steps_sentence(human, output, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def steps_sentence(human: ForcedTranslation, output: ForcedTranslation, *, t: Translator = english) -> str:
    """Where the two part, and which piece of y* costs the most."""
    parting, costly = parting_step(human, output), costliest_step(human)
    says = (
        t("y* and ŷ are the same, piece by piece.")
        if parting is None
        else t("They part at step {step}: y* goes on with “{human}”, ŷ with “{output}”.").format(
            step=parting + 1, human=_piece_at(human, parting), output=_piece_at(output, parting)
        )
    )
    cost = t("The piece of y* that costs the most is “{piece}” at step {step}: log p = {value:.2f}.").format(
        piece=_piece_at(human, costly), step=costly + 1, value=float(human.log_probs[costly])
    )
    return f"{says} {cost}"


def _piece_at(forced: ForcedTranslation, step: int) -> str:
    return piece_label(forced.target.pieces[step]) if step < len(forced.target) else "–"


def _rows(forced: ForcedTranslation, name: str) -> list[dict[str, object]]:
    return [
        {
            "which": name,
            "step": index + 1,
            "piece": piece_label(piece),
            "label": shortened(piece_label(piece), _TOKEN),
            "log_prob": float(forced.log_probs[index]),
            "p": math.exp(float(forced.log_probs[index])),
            "rank": 1 + int(forced.ranks[index]),
        }
        for index, piece in enumerate(forced.target.pieces)
    ]


def _colour(theme: Theme, *, legend: bool, lines: bool = False) -> alt.Color:
    look = (
        alt.Legend(orient="top", labelLimit=0, symbolType="stroke", symbolStrokeWidth=3, symbolSize=400)
        if lines
        else alt.Legend(orient="top", labelLimit=0)
    )
    return alt.Color(
        "which:N",
        title=None,
        scale=alt.Scale(domain=[HUMAN, OUTPUT], range=list(category_colours(theme)[:2])),
        legend=look if legend else None,
    )


def _step_axis(steps: int, t: Translator) -> alt.X:
    return alt.X(
        "step:O",
        title=t("step"),
        scale=alt.Scale(domain=list(range(1, steps + 1))),
        axis=alt.Axis(labelAngle=0, labelOverlap=True),
    )


def _ticks(low: float) -> list[float]:
    rough = -low / 4
    size = 10 ** math.floor(math.log10(rough))
    stride = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [-stride * index for index in range(math.floor(-low / stride) + 1)]
