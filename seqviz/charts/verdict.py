"""Charts of what the model says: a verdict word by word, one step's distribution, the surprise of every token."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from seqviz.charts.notation import visible
from seqviz.charts.palette import Theme, category_colours, sequential_ramp
from seqviz.charts.style import colour, labels_expression, shortened, styled
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator, english
from seqviz.traces import NO_TARGET, RecurrentTrace, largest

_BAR_SHADE = 13  # of the 21 of a sequential ramp: stands out from the page in both themes


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFigures:
    """What one output distribution amounts to.

    Args:
        entropy: -Σ p log p in nats.
        surprisal: -log p of the right label in nats; None where it is not known.
        rank: place of the right label among all, 1 is the most probable; None where it is not known.
    """

    entropy: float
    surprisal: float | None
    rank: int | None

    @property
    def entropy_bits(self) -> float:
        """-Σ p log₂ p."""
        return self.entropy / math.log(2)

    @property
    def surprisal_bits(self) -> float | None:
        """-log₂ p of the right label."""
        return None if self.surprisal is None else self.surprisal / math.log(2)


def step_figures(trace: RecurrentTrace, step: int) -> StepFigures:
    """Entropy of the output at a step, and surprisal and rank of the right label where it is known."""
    _check_step(trace, step)
    log_probs = trace.log_probs_at(step).astype(np.float64)
    probabilities = np.exp(log_probs)
    entropy = -float(np.sum(np.where(probabilities > 0, probabilities * log_probs, 0.0)))
    target = int(trace.targets[step])
    if target == NO_TARGET:
        return StepFigures(entropy=entropy, surprisal=None, rank=None)
    rank = 1 + int((log_probs > log_probs[target]).sum())
    return StepFigures(entropy=entropy, surprisal=-float(log_probs[target]), rank=rank)


def _check_step(trace: RecurrentTrace, step: int) -> None:
    if not 0 <= step < len(trace):
        raise InvalidInputError(
            "{field} is {value}; allowed is 0 to {last}.", field="step", value=step, last=len(trace) - 1
        )


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f} %" if probability >= 0.001 else f"{100 * probability:.2g} %"


def _token_axis(trace: RecurrentTrace, font_size: int) -> alt.Axis:
    labels = [shortened(visible(piece), 12) for piece in trace.originals]
    characters = max(len(label) for label in labels) <= 1
    return alt.Axis(
        labelExpr=labels_expression(labels),
        # All three are said: merged with the axis of the focus line, Vega-Lite would align upright text.
        labelAngle=0 if characters else -40,
        labelAlign="center" if characters else "right",
        labelBaseline="top" if characters else "middle",
        labelOverlap=True,
        labelLimit=10 * font_size,
        ticks=False,
        grid=False,
    )


def _focus_rule(step: int | None, theme: Theme) -> alt.Chart:
    values = [] if step is None else [{"step": step}]
    return (
        alt.Chart(alt.InlineData(values=values))
        .mark_rule(color=colour("accent", theme), strokeWidth=2)
        .encode(x=alt.X("step:O"))
    )


def class_probability_chart(
    trace: RecurrentTrace,
    *,
    step: int | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The probability of the classes after every word, had the text ended there (many-to-one).

    Args:
        trace: of a classifier.
        step: in focus, counted from 0; None for none.
        theme: of the page.
        font_size: of all text, in pixels.
        t: the reader's language.

    Returns:
        One line for each class; with two classes that of the second one only, since both add up to 1.
    """
    shown = range(len(trace.labels)) if len(trace.labels) != 2 else range(1, 2)
    rows = [
        {
            "step": index,
            "word": visible(trace.originals[index]),
            "label": trace.labels[k],
            "probability": float(row[k]),
            "exact": str(row[k]),
        }
        for index, row in enumerate(trace.probabilities)
        for k in shown
    ]
    only = trace.labels[1] if len(trace.labels) == 2 else ""
    title = t("P({label}) after this word").format(label=only) if only else t("probability after this word")
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("step:O", title=None, axis=_token_axis(trace, font_size), scale=alt.Scale(padding=0.5)),
        y=alt.Y(
            "probability:Q",
            title=None,
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", values=[0, 0.5, 1]),
        ),
        color=_class_colours(trace, theme),
        tooltip=[
            alt.Tooltip("word:N", title=t("word")),
            alt.Tooltip("label:N", title=t("class")),
            alt.Tooltip("exact:N", title=t("probability")),
        ],
    )
    middle = (
        alt.Chart(alt.InlineData(values=[{"half": 0.5}]))
        .mark_rule(color=colour("line", theme), strokeDash=[4, 4])
        .encode(y="half:Q")
    )
    chart = alt.layer(
        middle,
        _focus_rule(step, theme),
        base.mark_line(strokeWidth=2.5, interpolate="monotone"),
        base.mark_point(filled=True, size=70, opacity=1),
        height=11 * font_size,
        title=title,
        description=class_probability_alt(trace, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _class_colours(trace: RecurrentTrace, theme: Theme) -> alt.Color:
    names, colours = list(trace.labels), category_colours(theme)
    scale = alt.Scale(domain=names, range=[colours[index % len(colours)] for index in range(len(names))])
    return alt.Color("label:N", title=None, scale=scale, legend=None if len(names) == 2 else alt.Legend(orient="top"))


def class_probability_alt(trace: RecurrentTrace, t: Translator = english) -> str:
    """What ``class_probability_chart`` shows, for those who do not see it."""
    probabilities = trace.probabilities
    best = int(probabilities[-1].argmax())
    sentences = [
        t("After all {count} words the verdict is {label} with probability {probability}.").format(
            count=len(trace), label=trace.labels[best], probability=_percent(float(probabilities[-1, best]))
        )
    ]
    if len(trace) > 1:
        moves = np.abs(np.diff(probabilities[:, best]))
        word = int(moves.argmax()) + 1
        sentences.append(
            t("The word that moves it most is {word} (number {number}): from {before} to {after}.").format(
                word=visible(trace.originals[word]),
                number=word + 1,
                before=_percent(float(probabilities[word - 1, best])),
                after=_percent(float(probabilities[word, best])),
            )
        )
    return " ".join(sentences)


def distribution_chart(
    trace: RecurrentTrace,
    *,
    step: int,
    count: int = 10,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The output at one step: the most probable next tokens, tags or classes, the right one marked.

    Args:
        trace: the run.
        step: counted from 0.
        count: bars; a right label that is less probable gets one more, with its rank.
        theme: of the page.
        font_size: of all text, in pixels.
        t: the reader's language.

    Returns:
        Bars with their probabilities; the caption gives entropy and surprisal in nats and bits.
    """
    _check_step(trace, step)
    rows = _distribution_rows(trace, step, count)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "row:O",
            title=None,
            axis=alt.Axis(
                labelExpr=labels_expression([row["name"] for row in rows]),
                ticks=False,
                domain=False,
                labelLimit=16 * font_size,
                labelPadding=8,
            ),
        ),
        x=alt.X(
            "probability:Q",
            title=t("probability"),
            scale=alt.Scale(domain=[0, float(rows[0]["probability"])], nice=False),
            axis=alt.Axis(format="%", tickCount=3, grid=False),
        ),
        tooltip=[
            alt.Tooltip("label:N", title=t("output")),
            alt.Tooltip("exact:N", title=t("probability")),
            alt.Tooltip("logit:N", title=t("logit")),
            alt.Tooltip("rank:Q", title=t("rank")),
        ],
    )
    bars = base.mark_bar(cornerRadiusEnd=2, height={"band": 0.75}).encode(
        # Spelt out: what alt.condition makes is held against the whole schema of Vega-Lite.
        color=alt.ColorValue(
            sequential_ramp("share", theme)[_BAR_SHADE],
            condition={"test": "datum.target", "value": colour("accent", theme)},
        )
    )
    subtitle = _figures_lines(trace, step, t)
    if any(row["target"] for row in rows):
        subtitle.append(f"▶ {_target_name(trace, t)}")
    chart = alt.layer(
        bars,
        height=(font_size + 12) * len(rows),
        title=alt.TitleParams(text=_step_title(trace, step, t), subtitle=subtitle),
        description=distribution_alt(trace, step=step, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _distribution_rows(trace: RecurrentTrace, step: int, count: int) -> list[dict[str, Any]]:
    logits, target = trace.logits[step], int(trace.targets[step])
    shown = [int(index) for index in largest(logits, count)]
    if target != NO_TARGET and target not in shown:
        shown.append(target)
    probabilities = np.exp(trace.log_probs_at(step))
    rows = []
    for row, index in enumerate(shown):
        label, probability = visible(trace.labels[index]), probabilities[index]
        # Equals stand by their place, as in ``largest``.
        before = (logits > logits[index]).sum() + (logits[:index] == logits[index]).sum()
        rank = row + 1 if row < count else 1 + int(before)
        mark = "▶ " if index == target else ""
        late = f" (#{rank})" if rank > count else ""
        percent = _percent(float(probability))
        rows.append(
            {
                "row": row,
                "label": label,
                "name": f"{mark}{shortened(label)}{late}  {percent}",
                "probability": float(probability),
                "exact": str(probability),
                "logit": str(trace.logits[step, index]),
                "rank": rank,
                "target": index == target,
                "percent": percent,
            }
        )
    return rows


def _target_name(trace: RecurrentTrace, t: Translator) -> str:
    return t("comes next") if trace.task == "language_model" else t("right answer")


def _step_title(trace: RecurrentTrace, step: int, t: Translator) -> str:
    sentences = {
        "language_model": t("What comes after {token}"),
        "tagging": t("The tag of {token}"),
        "classification": t("The verdict after {token}"),
    }
    token = shortened(visible(trace.originals[step]))
    return sentences[trace.task].format(token=f"“{token}” ({step + 1})")


def figures_sentence(trace: RecurrentTrace, step: int, t: Translator = english) -> str:
    """Entropy of a step's output, and surprisal of what is right where that is known, in nats and bits."""
    return "; ".join(_figures_lines(trace, step, t))


def _figures_lines(trace: RecurrentTrace, step: int, t: Translator) -> list[str]:
    figures = step_figures(trace, step)
    sentence = t("Entropy {nats} nats ({bits} bits)").format(
        nats=f"{figures.entropy:.2f}", bits=f"{figures.entropy_bits:.2f}"
    )
    if figures.surprisal is None or figures.surprisal_bits is None:
        return [sentence]
    surprise = t("surprisal {nats} nats ({bits} bits)").format(
        nats=f"{figures.surprisal:.2f}", bits=f"{figures.surprisal_bits:.2f}"
    )
    return [sentence, surprise]


def distribution_alt(trace: RecurrentTrace, *, step: int, t: Translator = english) -> str:
    """What ``distribution_chart`` shows, for those who do not see it."""
    rows = _distribution_rows(trace, step, 3)
    listed = ", ".join(
        f"{row['label']} {row['percent']}" + (f" ({_target_name(trace, t)})" if row["target"] else "") for row in rows
    )
    return f"{_step_title(trace, step, t)}: {listed}. {figures_sentence(trace, step, t)}."


def surprisal_chart(
    trace: RecurrentTrace,
    *,
    step: int | None = None,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """How surprised the model was: -log p of what was right, at every step where that is known.

    Args:
        trace: the run. A language model's bar stands over the token that came, which the step before foresaw.
        step: in focus, counted from 0; None for none.
        theme: of the page.
        font_size: of all text, in pixels.
        t: the reader's language.

    Returns:
        Bars in nats with bits in the tooltips, and the mean as a line.
    """
    rows = _surprisal_rows(trace)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "step:O",
            title=None,
            axis=_token_axis(trace, font_size),
            scale=alt.Scale(domain=list(range(len(trace)))),
        ),
    )
    bars = base.mark_bar(color=sequential_ramp("loss", theme)[_BAR_SHADE], cornerRadiusEnd=2).encode(
        y=alt.Y("nats:Q", title=None, axis=alt.Axis(tickCount=4), scale=alt.Scale(domainMin=0)),
        tooltip=[
            alt.Tooltip("token:N", title=t("token")),
            alt.Tooltip("exact:N", title=t("nats")),
            alt.Tooltip("bits:N", title=t("bits")),
            alt.Tooltip("probability:N", title=t("probability")),
        ],
    )
    mean = float(np.mean([row["nats"] for row in rows])) if rows else 0.0
    line = (
        alt.Chart(alt.InlineData(values=[{"mean": mean}] if rows else []))
        .mark_rule(color=colour("text", theme), strokeDash=[6, 4])
        .encode(y="mean:Q")
    )
    chart = alt.layer(
        _focus_rule(step, theme),
        bars,
        line,
        height=9 * font_size,
        title=alt.TitleParams(text=t("Surprisal in nats"), subtitle=_mean_sentence(rows, t)),
        description=surprisal_alt(trace, t=t),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _mean_sentence(rows: list[dict[str, Any]], t: Translator) -> str:
    if not rows:
        return t("What is right is not known at any step, so there is no surprisal to show.")
    mean = float(np.mean([row["nats"] for row in rows]))
    return t("Mean {mean} nats, perplexity {perplexity}").format(mean=f"{mean:.3f}", perplexity=f"{math.exp(mean):.2f}")


def _surprisal_rows(trace: RecurrentTrace) -> list[dict[str, Any]]:
    shift = 1 if trace.task == "language_model" else 0
    return [
        {
            "step": index + shift,
            "token": visible(trace.originals[index + shift]),
            "nats": float(loss),
            "exact": str(loss),
            "bits": f"{float(loss) / math.log(2):.4f}",
            "probability": _percent(math.exp(-float(loss))),
        }
        for index, loss in enumerate(trace.losses)
        if not np.isnan(loss)
    ]


def surprisal_alt(trace: RecurrentTrace, t: Translator = english) -> str:
    """What ``surprisal_chart`` shows, for those who do not see it: mean, perplexity and the greatest surprise."""
    rows = _surprisal_rows(trace)
    if not rows:
        return _mean_sentence(rows, t)
    mean = float(np.mean([row["nats"] for row in rows]))
    worst = max(rows, key=lambda row: row["nats"])
    return t(
        "Mean surprisal {mean} nats over {count} tokens, perplexity {perplexity}. "
        "The greatest surprise is {token} (number {number}) with {nats} nats."
    ).format(
        mean=f"{mean:.3f}",
        count=len(rows),
        perplexity=f"{math.exp(mean):.2f}",
        token=worst["token"],
        number=worst["step"] + 1,
        nats=f"{worst['nats']:.3f}",
    )
