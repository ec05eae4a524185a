"""log P and BLEU against the size of the beam: a wider beam is not always a better translation (syllabus S5)."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from seqviz.charts.palette import Theme, category_colours, sequential_ramp
from seqviz.charts.style import styled
from seqviz.comparison import ComparedSearch
from seqviz.i18n import Translator, english

_LOSS = 14  # of the ramp: plum, strong enough for a line


def by_beam(rows: Sequence[ComparedSearch]) -> list[ComparedSearch]:
    """One line for each B, the smallest first; greedy search is B = 1."""
    sizes = {row.beam_size: row for row in rows if row.beam_size is not None and row.text}
    return [sizes[size] for size in sorted(sizes)]


def log_prob_chart(
    rows: Sequence[ComparedSearch], *, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """log P of the winner for each B; a dashed line where an exact search has proven the best.

    Args:
        rows: searches of one sentence; those without a B are left out.
        theme, font_size, t: as in every chart.
    """
    beams = by_beam(rows)
    values = [{"beam": str(row.beam_size), "value": row.log_prob, "text": row.text} for row in beams]
    proven = next((row for row in rows if row.config.search == "exact" and row.proven), None)
    numbers = [row.log_prob for row in beams] + ([proven.log_prob] if proven else [])
    room = max(0.05, 0.12 * (max(numbers) - min(numbers))) if numbers else 1.0
    scale = alt.Scale(domain=[min(numbers) - room, max(numbers) + room], nice=False, zero=False)
    y = alt.Y("value:Q", title=t("log P of the winner"), scale=scale, axis=alt.Axis(tickCount=5))
    shade = sequential_ramp("loss", theme)[_LOSS]
    layers = [
        alt.Chart(alt.InlineData(values=values))
        .mark_line(strokeWidth=2.5, color=shade, point=alt.OverlayMarkDef(size=70, color=shade))
        .encode(
            x=_beam_axis(beams, t),
            y=y,
            tooltip=[
                alt.Tooltip("beam:O", title="B"),
                alt.Tooltip("value:Q", title="log P", format=".4f"),
                alt.Tooltip("text:N", title=t("translation")),
            ],
        )
    ]
    if proven:
        rule = [{"value": proven.log_prob, "text": proven.text}]
        layers.append(
            alt.Chart(alt.InlineData(values=rule))
            .mark_rule(strokeDash=[5, 4], strokeWidth=2, color=shade)
            .encode(y=y, tooltip=[alt.Tooltip("value:Q", title=t("proven best, log P"), format=".4f"), "text:N"])
        )
    chart = alt.layer(
        *layers,
        height=14 * font_size,
        title=alt.TitleParams(
            t("log P by beam size"), subtitle=t("Dashed: the best of all sequences, proven.") if proven else ""
        ),
        description=beam_sentence(rows, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def bleu_chart(
    rows: Sequence[ComparedSearch], *, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.Chart:
    """BLEU of the winner for each B, by the lecture's formula and by sacrebleu; arguments as ``log_prob_chart``."""
    beams = [row for row in by_beam(rows) if row.table is not None and row.bleu is not None]
    names = [t("lecture"), "sacrebleu"]
    values = [
        {"beam": str(row.beam_size), "kind": kind, "value": value, "text": row.text}
        for row in beams
        if row.table is not None and row.bleu is not None
        for kind, value in zip(names, (100 * row.table.score, row.bleu.score), strict=True)
    ]
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=70))
        .encode(
            x=_beam_axis(beams, t),
            y=alt.Y(
                "value:Q", title=t("BLEU in percent"), scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=5)
            ),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=names, range=list(category_colours(theme)[2:4])),
                legend=alt.Legend(orient="top", labelLimit=0, symbolType="stroke", symbolStrokeWidth=3, symbolSize=400),
            ),
            strokeDash=alt.StrokeDash(
                "kind:N", title=None, legend=None, scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]])
            ),
            tooltip=[
                alt.Tooltip("beam:O", title="B"),
                alt.Tooltip("kind:N", title="BLEU"),
                alt.Tooltip("value:Q", title=t("percent"), format=".2f"),
                alt.Tooltip("text:N", title=t("translation")),
            ],
        )
        .properties(height=14 * font_size, title=t("BLEU by beam size"), description=beam_sentence(rows, t=t))
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def beam_sentence(rows: Sequence[ComparedSearch], *, t: Translator = english) -> str:
    """What became of log P and BLEU from the narrowest to the widest beam."""
    beams = by_beam(rows)
    if len(beams) < 2:
        return t("Choose at least two beam sizes to compare them.")
    first, last = beams[0], beams[-1]
    if first.text == last.text:
        says = t("B = {low} and B = {high} find the same translation, log P = {value:.3f}.").format(
            low=first.beam_size, high=last.beam_size, value=last.log_prob
        )
    else:
        says = t("From B = {low} to B = {high} log P goes from {first:.3f} to {last:.3f}").format(
            low=first.beam_size, high=last.beam_size, first=first.log_prob, last=last.log_prob
        )
        if first.bleu is not None and last.bleu is not None:
            says += t(", sentence BLEU from {first:.1f} to {last:.1f}").format(
                first=first.bleu.score, last=last.bleu.score
            )
        says += t(".")
    return says + " " + t("A beam can lose what a narrower one found; only exact search promises the highest score.")


def _beam_axis(beams: Sequence[ComparedSearch], t: Translator) -> alt.X:
    # Evenly spaced: the sizes are the reader's choice, and 1, 2, 5 would crowd before 20.
    return alt.X(
        "beam:O",
        title=t("beam size B"),
        sort=[str(row.beam_size) for row in beams],
        axis=alt.Axis(labelAngle=0),
        scale=alt.Scale(type="point", padding=0.4),
    )
