"""The sum behind one gradient, shown: each weight times each error that came back through it (syllabus B2)."""

from __future__ import annotations

import altair as alt

from seqviz.charts.arithmetic import Addend, SumRow, biggest_rows, waterfall_chart
from seqviz.charts.gradient_scale import scientific
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.palette import Theme
from seqviz.charts.svg import clean
from seqviz.gradients import GradientSum, GradientTerm
from seqviz.i18n import Translator, english


def gradient_sum_rows(found: GradientSum, *, count: int = 10, t: Translator = english) -> tuple[SumRow, ...]:
    """The addends as rows: the biggest ones, all others as one row, and the total."""

    def shown(term: GradientTerm) -> Addend:
        label = gradient_term_label(term, t)
        return Addend("gradient", label, label, term.weight, term.error, term.product)

    return biggest_rows(found.terms, shown, count=count, total=found.total, num_terms=found.num_terms, t=t)


def gradient_term_label(term: GradientTerm, t: Translator = english) -> str:
    """Where an addend comes from, in words."""
    if term.source == "output":
        return t("output ‘{label}’").format(label=clean(visible(term.label)))
    if term.source == "kept":
        return t("kept by the update gate")
    sentence = (
        t("{block} of unit {index}, layer above")
        if term.source == "above"
        else t("{block} of unit {index}, the step that read it")
    )
    return sentence.format(block=quantity_name(term.block, t), index=term.index)


def gradient_sum_sentence(found: GradientSum, t: Translator = english) -> str:
    """The number and where most of it comes from."""
    if not found.terms:
        return t("Nothing of this loss reaches unit {unit} at step {step}.").format(
            unit=found.unit, step=found.step + 1
        )
    biggest = found.terms[0]
    return t(
        "∂L/∂h of unit {unit} at step {step} is {total}: the sum of {count} products. The biggest is that of the "
        "{source}, {product}."
    ).format(
        unit=found.unit,
        step=found.step + 1,
        total=scientific(found.total, 4),
        count=found.num_terms,
        source=gradient_term_label(biggest, t),
        product=scientific(biggest.product, 3),
    )


def gradient_sum_chart(
    found: GradientSum, *, count: int = 10, theme: Theme = "light", font_size: int = 14, t: Translator = english
) -> alt.LayerChart:
    """The running sum as a waterfall.

    Args:
        found: the sum.
        count: addends with a bar of their own.
        theme, font_size, t: as in every chart.
    """
    rows = gradient_sum_rows(found, count=count, t=t)
    shown = []
    for row in rows:
        number = scientific(row.product, 3)
        if row.weight is None or row.value is None:
            shown.append(f"{row.short}: {number}" if row.kind == "rest" else f"{row.short} = {number}")
        else:
            shown.append(f"{row.short}: {scientific(row.weight, 3)} · {scientific(row.value, 3)} = {number}")
    return waterfall_chart(
        rows,
        shown,
        axis_title=t("running sum of weight · error"),
        description=gradient_sum_sentence(found, t),
        theme=theme,
        font_size=font_size,
        t=t,
    )
