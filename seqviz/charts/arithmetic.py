"""How one number comes about, shown: each weight times each value, the biggest first, adding up to the sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

import altair as alt

from seqviz.charts.notation import quantity_name
from seqviz.charts.numbers import factor, shown_number
from seqviz.charts.palette import Theme
from seqviz.charts.style import colour, sign_colours, styled
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator, english
from seqviz.traces import Term, TermKind, UnitSum

RowKind = TermKind | Literal["gradient", "rest", "total"]
TermT = TypeVar("TermT")
MAX_ROWS = 60
ACTIVATION_SIGNS = {
    "sigmoid": "σ",
    "logistic": "σ",
    "tanh": "tanh",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRow:
    """One row of a sum.

    Args:
        kind: where the value comes from; ``"rest"`` for all smaller addends together, ``"total"`` for their sum.
        label: the source in words.
        short: the source in one or two words, for an axis.
        weight, value: None for the rest and the total.
        product: what is added; of the total, the sum.
        before, running: the sum without this row and with it.
    """

    kind: RowKind
    label: str
    short: str
    weight: float | None
    value: float | None
    product: float
    before: float
    running: float


def sum_table(unit_sum: UnitSum, *, count: int = 12, t: Translator = english) -> tuple[SumRow, ...]:
    """The addends as rows: the biggest ones, all others as one row, and the total.

    Args:
        unit_sum: the sum.
        count: addends with a row of their own, 1 to 60; the rest is one row.
        t: the reader's language.

    Returns:
        ``count`` rows or fewer, the rest if there is one, the total. The total is the float64 sum of all addends.

    Raises:
        InvalidInputError: count outside its range.
    """
    if not 1 <= count <= MAX_ROWS:
        raise InvalidInputError(
            "{field} is {value}; allowed is {low} to {high}.", field="count", value=count, low=1, high=MAX_ROWS
        )
    return biggest_rows(
        unit_sum.terms,
        lambda term: Addend(
            term.kind, term_label(unit_sum, term, t), _short_label(term, t), term.weight, term.value, term.product
        ),
        count=count,
        total=unit_sum.total,
        t=t,
    )


class Addend(NamedTuple):
    """One addend of a sum as it is shown: the fields of a SumRow, without the running sum."""

    kind: RowKind
    label: str
    short: str
    weight: float
    value: float
    product: float


def biggest_rows(
    terms: Sequence[TermT],
    shown: Callable[[TermT], Addend],
    *,
    count: int,
    total: float,
    num_terms: int | None = None,
    t: Translator,
) -> tuple[SumRow, ...]:
    """The first addends as rows of their own, all others as one row, and the total.

    Args:
        terms: the addends, the biggest first.
        shown: one of them as it is shown; asked only for those with a row of their own.
        count: addends with a row of their own.
        total: the whole sum.
        num_terms: how many addends there are, if ``terms`` has only the biggest; None for as many as it has.
        t: the reader's language.
    """
    num_terms = len(terms) if num_terms is None else num_terms
    rows: list[SumRow] = []
    running = 0.0
    # One addend alone is shown as itself, not as "1 more".
    for term in terms if num_terms <= count + 1 else terms[:count]:
        addend = shown(term)
        after = running + addend.product
        rows.append(SumRow(**addend._asdict(), before=running, running=after))
        running = after
    if hidden := num_terms - len(rows):
        label = t("… {count} more").format(count=hidden)
        rows.append(plain_row("rest", label, total - running, running, total))
    rows.append(plain_row("total", t("sum"), total, 0.0, total))
    return tuple(rows)


def plain_row(kind: RowKind, label: str, product: float, before: float, running: float) -> SumRow:
    """A row without weight and value."""
    return SumRow(
        kind=kind, label=label, short=label, weight=None, value=None, product=product, before=before, running=running
    )


def term_label(unit_sum: UnitSum, term: Term, t: Translator = english) -> str:
    """The source of an addend in words: ``"hidden unit 17 of the step before"``."""
    if term.kind == "bias":
        return t("bias")
    if term.kind == "peephole":
        if unit_sum.block == "output_gate":
            return t("cell state of this unit, new (peephole)")
        return t("cell state of this unit, old (peephole)")
    if term.kind == "input":
        sentence = t("input component {index}") if unit_sum.layer == 0 else t("unit {index} of the layer below")
    elif unit_sum.direction == "backward":
        sentence = t("hidden unit {index} of the step after (read backwards)")
    else:
        sentence = t("hidden unit {index} of the step before")
    return sentence.format(index=term.index)


def _short_label(term: Term, t: Translator) -> str:
    if term.kind == "bias":
        return t("bias")
    if term.kind == "peephole":
        return t("peephole")
    return (t("input {index}") if term.kind == "input" else t("hidden {index}")).format(index=term.index)


def sum_note(unit_sum: UnitSum, *, cell: str, t: Translator = english) -> str:
    """What a reader of the addends must know about the cell, in one sentence; empty if nothing."""
    if unit_sum.block == "candidate" and cell == "gru":
        return t("The weights of the hidden units and of the hidden bias are already multiplied by the reset gate.")
    if unit_sum.block == "candidate" and cell == "gru_reset_before":
        return t("The values of the hidden units are already multiplied by their reset gates.")
    if unit_sum.block == "update_gate":
        return t("This is the stored gate z, which keeps the old state; Ng's Γ_u is 1 − z.")
    return ""


def unit_sum_sentence(unit_sum: UnitSum, *, cell: str, digits: int = 4, t: Translator = english) -> str:
    """Why a gate, a candidate or a state has its value, in words.

    Args:
        unit_sum: the sum.
        cell: name of the cell that made it; the only block of a plain cell is its hidden state.
        digits: decimals of the numbers.
        t: the reader's language.
    """
    quantity = "hidden_state" if cell.startswith("rnn_") else unit_sum.block
    total, activated = (shown_number(number, digits).text for number in (unit_sum.total, unit_sum.activated))
    function = ACTIVATION_SIGNS.get(unit_sum.activation, "")
    biggest = t("{first}, {second} and {third}") if len(unit_sum.terms) > 2 else "{first}"
    parts = [f"{term_label(unit_sum, term, t)} ({_with_sign(term.product, digits)})" for term in unit_sum.terms[:3]]
    named = dict(zip(("first", "second", "third"), parts, strict=False))
    sentence = t(
        "Unit {unit}, step {step}: the {quantity} is {activated} because its sum is {total} and "
        "{function} = {activated}. The biggest addends are {biggest}."
    )
    return sentence.format(
        unit=unit_sum.unit,
        step=unit_sum.step + 1,
        quantity=quantity_name(quantity, t),
        activated=activated,
        total=total,
        function=f"{function}({total})" if function else total,
        biggest=biggest.format(**named),
    )


def _with_sign(value: float, digits: int) -> str:
    text = shown_number(value, digits).text
    return text if value < 0 else f"+{text}"


def unit_sum_alt(unit_sum: UnitSum, *, cell: str, t: Translator = english) -> str:
    """What ``unit_sum_chart`` shows, for those who do not see it."""
    return t("Bars of the {count} addends of a sum, the biggest first. {sentence}").format(
        count=len(unit_sum.terms), sentence=unit_sum_sentence(unit_sum, cell=cell, t=t)
    )


def unit_sum_chart(
    unit_sum: UnitSum,
    *,
    cell: str,
    count: int = 12,
    theme: Theme = "light",
    font_size: int = 14,
    digits: int = 4,
    t: Translator = english,
) -> alt.LayerChart:
    """The running sum as a waterfall: every bar starts where the one above it ended.

    Args:
        unit_sum: the sum.
        cell: name of the cell that made it.
        count: addends with a bar of their own, 1 to 60.
        theme: of the page.
        font_size: of all text, in pixels.
        digits: decimals beside the bars; the tooltips have all digits.
        t: the reader's language.

    Returns:
        Positive addends in blue, negative ones in orange, the total in grey.
    """
    rows = sum_table(unit_sum, count=count, t=t)
    return waterfall_chart(
        rows,
        [_shown(unit_sum, row, digits) for row in rows],
        axis_title=t("running sum of weight · value"),
        description=unit_sum_alt(unit_sum, cell=cell, t=t),
        theme=theme,
        font_size=font_size,
        t=t,
    )


def waterfall_chart(
    rows: Sequence[SumRow],
    shown: Sequence[str],
    *,
    axis_title: str,
    description: str,
    theme: Theme,
    font_size: int,
    t: Translator,
) -> alt.LayerChart:
    """Any sum as a waterfall.

    Args:
        rows: the addends and the total.
        shown: the words over each bar.
        axis_title: what the bars measure.
        description: the text alternative.
        theme, font_size, t: as in every chart.
    """
    words, bar = -0.5 * font_size, 0.55 * font_size  # each row: its words, and its bar below them
    base = alt.Chart(alt.InlineData(values=_chart_rows(rows, shown))).encode(
        y=alt.Y("row:O", axis=None),
        tooltip=[
            alt.Tooltip("label:N", title=t("source")),
            alt.Tooltip("weight:N", title=t("weight")),
            alt.Tooltip("value:N", title=t("value")),
            alt.Tooltip("product:N", title=t("product")),
            alt.Tooltip("running_exact:N", title=t("running sum")),
        ],
    )
    axis = alt.Axis(title=axis_title, tickCount=5, grid=False, domain=False)
    bars = base.mark_bar(cornerRadius=2, size=0.6 * font_size, yOffset=bar).encode(
        x=alt.X("start:Q", axis=axis),
        x2=alt.X2("end:Q"),
        color=_sign_colour(theme),
        # Spelt out: what alt.condition makes is held against the whole schema of Vega-Lite.
        opacity=alt.OpacityValue(1, condition={"test": "datum.kind == 'rest'", "value": 0.6}),
    )
    steps = (
        alt.Chart(alt.InlineData(values=_connectors(rows)))
        .mark_rule(color=colour("faint", theme), strokeWidth=1.5, yOffset=bar, y2Offset=bar)
        .encode(x=alt.X("running:Q", axis=axis), y=alt.Y("row:O", axis=None), y2=alt.Y2("next:O"))
    )
    numbers = base.mark_text(
        align="left", baseline="middle", yOffset=words, fontSize=font_size, color=colour("text", theme)
    ).encode(x=alt.XValue(0), text=alt.Text("shown:N"))
    zero = (
        alt.Chart(alt.InlineData(values=[{"zero": 0}]))
        .mark_rule(color=colour("faint", theme), strokeWidth=1)
        .encode(x=alt.X("zero:Q", axis=axis))
    )
    chart = alt.layer(zero, steps, bars, numbers, height=2.7 * font_size * len(rows), description=description)
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def _sign_colour(theme: Theme) -> alt.Color:
    scale = alt.Scale(domain=["negative", "positive", "total"], range=[*sign_colours(theme), colour("neutral", theme)])
    return alt.Color("sign:N", legend=None, scale=scale)


def _chart_rows(rows: Sequence[SumRow], shown: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "row": index,
            "kind": row.kind,
            "label": row.label,
            "sign": "total" if row.kind == "total" else ("negative" if row.product < 0 else "positive"),
            "start": row.before,
            "end": row.running,
            "right": max(row.before, row.running),
            "weight": "" if row.weight is None else repr(row.weight),
            "value": "" if row.value is None else repr(row.value),
            "product": repr(row.product),
            "running_exact": repr(row.running),
            "shown": words,
        }
        for index, (row, words) in enumerate(zip(rows, shown, strict=True))
    ]


def _shown(unit_sum: UnitSum, row: SumRow, digits: int) -> str:
    """``"hidden 117: 0.1352 · 0.8259 = +0.1117"``."""
    if row.kind == "total":
        text = f"{row.short} = {shown_number(row.product, digits).text}"
        function = ACTIVATION_SIGNS.get(unit_sum.activation, "")
        return f"{text} → {function} → {shown_number(unit_sum.activated, digits).text}" if function else text
    if row.weight is None or row.value is None or row.kind == "bias":
        return f"{row.short}: {_with_sign(row.product, digits)}"
    weight, value = shown_number(row.weight, digits), shown_number(row.value, digits)
    return f"{row.short}: {weight.text} · {factor(value).text} = {_with_sign(row.product, digits)}"


def _connectors(rows: Sequence[SumRow]) -> list[dict[str, Any]]:
    return [{"row": index, "next": index + 1, "running": row.running} for index, row in enumerate(rows[:-1])]
