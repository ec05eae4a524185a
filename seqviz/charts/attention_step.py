"""Charts of one step of attention: the row of weights with its scores, the distribution over the next piece."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np

from seqviz.attention import AttentionStep, EditedStep, EditedTranslation
from seqviz.charts.notation import visible
from seqviz.charts.numbers import shown_number
from seqviz.charts.palette import Theme, sequential_ramp
from seqviz.charts.style import colour, labels_expression, shortened, styled
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray

MOST_BARS = 14
_SHADE = 13


def weights_chart(
    step: AttentionStep, *, column: int, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.Chart:
    """A bar for each source piece, its weight and its score before the softmax; of a long source the heaviest."""
    weights = np.asarray(step.weights, np.float64)
    heaviest = np.argsort(-weights, kind="stable")[:MOST_BARS]
    places = sorted({*heaviest.tolist(), column})
    hidden = len(weights) - len(places)
    more = t("{count} more have less").format(count=hidden) if hidden else ""
    title = t("Scores e and weights α of this step")
    return _bars(
        [shortened(visible(step.source.pieces[place]), 14) for place in places],
        weights[places],
        [f"α {weights[place]:.3f}   e {shown_number(float(step.scores[place]), 2).text}" for place in places],
        chosen=places.index(column),
        title=f"{title} ({more})" if more else title,
        theme=theme,
        font_size=font_size,
    )


def next_pieces_chart(
    step: AttentionStep, *, count: int = 6, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.Chart:
    """The most probable next pieces under this context."""
    tokens = step.candidate_tokens[:count].tolist()
    probabilities = np.exp(np.asarray(step.candidate_log_probs[:count], np.float64))
    own = step.target.ids[step.step]
    return _bars(
        [shortened(visible(step.names[token]), 14) for token in tokens],
        probabilities,
        [f"P {value:.4f}" for value in probabilities.tolist()],
        chosen=tokens.index(own) if own in tokens else -1,
        title=t("The next piece, most probable first"),
        theme=theme,
        font_size=font_size,
    )


def edited_step_chart(
    edited: EditedTranslation,
    step: EditedStep,
    *,
    count: int = 6,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.Chart:
    """The distribution of a step whose attention was changed by hand, before and after.

    Args:
        edited: the translation.
        step: one of its steps.
        count: of the pieces that are shown, the most probable first.
        theme, font_size, t: of the reader.
    """
    return changed_pieces_chart(
        [edited.names[token] for token in step.candidate_tokens.tolist()[:count]],
        step.before_log_probs[:count],
        step.after_log_probs[:count],
        theme=theme,
        font_size=font_size,
        t=t,
    )


def changed_pieces_chart(
    names: Sequence[str],
    before: FloatArray,
    after: FloatArray,
    *,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.Chart:
    """The next piece's probabilities before and after an edit, side by side.

    Args:
        names: of the pieces.
        before, after: their log probabilities in nats.
        theme, font_size, t: of the reader.
    """
    series = (t("before"), t("after"))
    values = [
        {"row": index, "series": kind, "p": float(np.exp(value)), "shown": f"{float(np.exp(value)):.4f}"}
        for index, pair in enumerate(zip(before, after, strict=True))
        for kind, value in zip(series, pair, strict=True)
    ]
    labels = [shortened(visible(name), 14) for name in names]
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("row:O", title=None, axis=alt.Axis(labelExpr=labels_expression(labels), ticks=False, domain=False)),
        yOffset=alt.YOffset("series:N", sort=list(series)),
        x=alt.X("p:Q", title="P", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5)),
    )
    ramp = [colour("line", theme), sequential_ramp("share", theme)[_SHADE]]
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color("series:N", sort=list(series), scale=alt.Scale(domain=list(series), range=ramp),
                        legend=alt.Legend(title=None, orient="top")),
        tooltip=[alt.Tooltip("series:N", title=" "), alt.Tooltip("shown:N", title="P")],
    )  # fmt: skip
    chart = alt.layer(
        bars,
        height=2.6 * font_size * max(len(names), 1),
        description=", ".join(
            f"{name}: {float(np.exp(old)):.3f} → {float(np.exp(new)):.3f}"
            for name, old, new in zip(names, before, after, strict=True)
        ),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _bars(
    labels: Sequence[str],
    values: FloatArray,
    shown: Sequence[str],
    *,
    chosen: int,
    title: str,
    theme: Theme,
    font_size: int,
) -> alt.Chart:
    rows = [
        {"row": index, "value": float(value), "shown": text, "chosen": index == chosen}
        for index, (value, text) in enumerate(zip(values, shown, strict=True))
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("row:O", title=None, axis=alt.Axis(labelExpr=labels_expression(labels), ticks=False, domain=False))
    )
    fill = sequential_ramp("share", theme)[_SHADE]
    bars = base.mark_bar(cornerRadiusEnd=3).encode(
        x=alt.X("value:Q", title=None, scale=alt.Scale(domain=[0, 1.45]), axis=None),
        color=alt.ColorValue(fill, condition={"test": "datum.chosen", "value": colour("accent", theme)}),
    )
    words = base.mark_text(align="left", dx=6, fontSize=font_size, color=colour("text", theme)).encode(
        x="value:Q", text="shown:N"
    )
    description = f"{title}: " + ", ".join(f"{label} {text}" for label, text in zip(labels, shown, strict=True))
    chart = alt.layer(bars, words, height=1.6 * font_size * max(len(rows), 1), description=description, title=title)
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]
