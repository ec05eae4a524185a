"""The equations of the output and of the loss with the numbers of one step filled in."""

from __future__ import annotations

import numpy as np

from seqviz.charts.filled import FilledEquation, Number, Pen
from seqviz.charts.notation import Notation, Symbol, as_notation, join
from seqviz.charts.numbers import factor, shown_number
from seqviz.charts.writing import Place
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator, english
from seqviz.traces import NO_TARGET, RecurrentTrace


def output_equations(
    trace: RecurrentTrace,
    *,
    step: int,
    notation: Notation,
    label: str | None = None,
    digits: int = 4,
    t: Translator = english,
) -> tuple[FilledEquation, ...]:
    """How the probability of a label comes about at one step, and the loss where the right label is known.

    Args:
        trace: the run.
        step: counted from 0; written t = step + 1.
        notation: ``"ng"`` or ``"d2l"``.
        label: whose probability; None for the most probable one.
        digits: decimals that are shown.
        t: the reader's language.

    Returns:
        ŷ of the label; with exactly two labels also as σ of the difference; ŷ of the right label where that is
        another one; the loss of the step in nats; the total loss where more than one step has one.

    Raises:
        InvalidInputError: a step outside the trace or a label that the model does not have.
    """
    if not 0 <= step < len(trace):
        raise InvalidInputError(
            "{field} is {value}; allowed is 0 to {last}.", field="step", value=step, last=len(trace) - 1
        )
    if label is not None and label not in trace.labels:
        raise InvalidInputError("The model has no label {label!r}.", label=label)
    place = Place(notation=as_notation(notation), cell=trace.layers[0].cell, step=step)
    shown = int(np.argmax(trace.logits[step])) if label is None else trace.labels.index(label)
    target = int(trace.targets[step])
    equations = [_probability(trace, place, shown, digits, t)]
    if len(trace.labels) == 2:
        equations.append(_two_classes(trace, place, step, shown, digits))
    if target != NO_TARGET:
        if target != shown:
            equations.append(_probability(trace, place, target, digits, t))
        equations += _losses(trace, place, step, target, digits)
    return tuple(equations)


def _output_pen(trace: RecurrentTrace, place: Place, index: int, digits: int) -> Pen:
    return Pen(place=place, unit=trace.labels[index], digits=digits, theme=None)


def _probability(trace: RecurrentTrace, place: Place, index: int, digits: int, t: Translator) -> FilledEquation:
    pen, step = _output_pen(trace, place, index, digits), place.step or 0
    row = trace.logits[step].astype(np.float64)
    normaliser = float(row.max() + np.log(np.exp(row - row.max()).sum()))
    logit, total = pen.number("pre_activation", trace.logits[step, index]), shown_number(normaliser, digits)
    result = pen.number("output", np.exp(trace.log_probs_at(step))[index])
    mass = Symbol(
        latex=rf"e^{{{logit.shown.latex} - {factor(total).latex}}}",
        text=f"exp({logit.shown.text} − {factor(total).text})",
    )
    softmax = Symbol(latex=r"\frac{e^{z}}{\sum_j e^{z_j}}", text="exp(z) / Σⱼ exp(zⱼ)")
    return FilledEquation(
        name="output",
        left=result.symbol,
        chain=(softmax, mass, pen.result(result)),
        numbers=(logit, result),
        block=None,
        note=t("{total} is log Σ exp(z) over all {count} outputs.").format(total=total.text, count=len(trace.labels)),
    )


def _two_classes(trace: RecurrentTrace, place: Place, step: int, index: int, digits: int) -> FilledEquation:
    """A softmax over two classes is σ of the difference of their logits."""
    pen = _output_pen(trace, place, index, digits)
    own = pen.number("pre_activation", trace.logits[step, index])
    other = pen.number("pre_activation", trace.logits[step, 1 - index])
    result = pen.number("output", np.exp(trace.log_probs_at(step))[index])
    return FilledEquation(
        name="output",
        left=result.symbol,
        chain=(join("σ(", own.shown, " − ", factor(other.shown), ")"), pen.result(result)),
        numbers=(own, other, result),
        block=None,
    )


def _losses(trace: RecurrentTrace, place: Place, step: int, target: int, digits: int) -> list[FilledEquation]:
    pen, losses = _output_pen(trace, place, target, digits), trace.losses
    probability = pen.number("output", np.exp(trace.log_probs_at(step))[target])
    left = place.now("loss")
    value = losses[step]
    loss = Number(
        role="loss", symbol=left, shown=shown_number(float(value), digits), value=float(value), exact=str(value)
    )
    equations = [
        FilledEquation(
            name="loss",
            left=left,
            chain=(
                join("−log ", probability.symbol),
                join("−log ", factor(probability.shown)),
                loss.shown,
            ),
            numbers=(probability, loss),
            block=None,
        )
    ]
    known = losses[trace.targets != NO_TARGET]
    if len(known) > 1:
        total = known.sum()
        letter = Symbol(latex=r"\mathcal{L}", text="L") if place.notation == "ng" else Symbol(latex="L", text="L")
        summed = Number(
            role="loss", symbol=letter, shown=shown_number(float(total), digits), value=float(total), exact=str(total)
        )
        each = Place(notation=place.notation, cell=place.cell).now("loss")
        addends = Symbol(latex=rf"\sum_t {each.latex}", text=f"Σₜ {each.text}")
        equations.append(
            FilledEquation(name="loss", left=letter, chain=(addends, summed.shown), numbers=(summed,), block=None)
        )
    return equations
