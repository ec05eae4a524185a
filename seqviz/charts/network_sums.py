"""Numbers of the encoder-decoder taken apart: the equation with live numbers, the sum as a waterfall, in words."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from seqviz.charts.arithmetic import ACTIVATION_SIGNS, Addend, SumRow, biggest_rows, waterfall_chart
from seqviz.charts.encoder_decoder_words import decoder_symbol, encoder_symbol, layer_index
from seqviz.charts.notation import Notation, escaped, quantity_name
from seqviz.charts.numbers import factor, shown_number
from seqviz.charts.palette import Theme
from seqviz.charts.piece_words import piece_label, piece_labels
from seqviz.i18n import Translator, english
from seqviz.traces import Term
from seqviz.translation_network import NetworkSum, TranslationNetwork


def sum_name(network: TranslationNetwork, taken: NetworkSum, t: Translator = english) -> str:
    """Which number it is, in words."""
    if taken.quantity == "hand_over":
        name = t("handed-over cell state") if taken.block == "cell_state" else t("handed-over state")
        return t("{name}, layer {layer}, unit {unit}").format(name=name, layer=taken.layer + 1, unit=taken.unit)
    if taken.quantity in ("state", "encoder"):
        plain = network.encoder[0].cell.startswith("rnn_")
        name = quantity_name("hidden_state" if plain else taken.block, t)
        return t("{name}, layer {layer}, unit {unit}").format(name=name, layer=taken.layer + 1, unit=taken.unit)
    if taken.quantity == "logit":
        return t("score of ‘{piece}’ before the softmax").format(piece=token_label(network, taken.unit))
    name = t("context c") if taken.quantity == "context" else t("readout o")
    return t("{name}, component {unit}").format(name=name, unit=taken.unit)


def token_label(network: TranslationNetwork, token: int) -> str:
    """A piece of the vocabulary by itself; its number where the runs never meet it."""
    name = network.names.get(token)
    return str(token) if name is None else piece_label(name)


def addend_label(network: TranslationNetwork, taken: NetworkSum, term: Term, t: Translator = english) -> str:
    """Where the value of an addend comes from."""
    if term.kind == "bias":
        return t("bias")
    if term.kind == "peephole":
        return t("peephole")
    if term.kind == "hidden":
        return (t("state after, {index}") if _backward(taken) else t("state before, {index}")).format(index=term.index)
    if taken.quantity == "context":
        return t("state of ‘{piece}’").format(piece=piece_labels(network.source)[term.index])
    place, index = _input_place(network, taken, term.index)
    return {
        "forward": t("last forward state, {index}"),
        "backward": t("last backward state, {index}"),
        "readout": t("readout o, {index}"),
        "input": t("input x, {index}"),
        "below": t("layer below, {index}"),
        "state": t("state s, {index}"),
        "context": t("context c, {index}"),
    }[place].format(index=index)


def _input_place(network: TranslationNetwork, taken: NetworkSum, index: int) -> tuple[str, int]:
    """Which vector a component of the input belongs to, and its place in that."""
    units, half = network.free.layers[0].num_units, network.encoder[0].num_units
    seen = 0 if network.free.context is None else 2 * half
    if taken.quantity == "hand_over":
        parts = [("forward", half), ("backward", half)]
    elif taken.quantity == "logit":
        parts = [("readout", index + 1)]
    elif taken.quantity == "readout":
        parts = [("state", units), ("context", seen), ("input", index + 1)]
    elif taken.layer == 0:
        parts = [("input", index + 1)]
    elif taken.quantity == "encoder":
        parts = [("below", index + 1)]
    else:
        parts = [("below", units), ("context", seen)]
    for place, size in parts:
        if index < size:
            return place, index
        index -= size
    raise IndexError(index)


def _backward(taken: NetworkSum) -> bool:
    return taken.quantity == "encoder" and taken.direction == "backward"


def sum_rows(
    network: TranslationNetwork, taken: NetworkSum, *, count: int = 10, t: Translator = english
) -> tuple[SumRow, ...]:
    """The biggest addends, the rest together, the total."""

    def shown(term: Term) -> Addend:
        label = addend_label(network, taken, term, t)
        return Addend(term.kind, label, label, term.weight, term.value, term.product)

    return biggest_rows(taken.terms, shown, count=count, total=taken.total, t=t)


def sum_sentence(network: TranslationNetwork, taken: NetworkSum, *, digits: int = 4, t: Translator = english) -> str:
    """The number, what it is the sum of, and the biggest addends."""
    biggest = ", ".join(
        f"{addend_label(network, taken, term, t)} ({_signed(term.product, digits)})" for term in taken.terms[:3]
    )
    return t("{name} = {value}: the sum of {count} addends is {total}. The biggest: {biggest}.").format(
        name=sum_name(network, taken, t),
        value=shown_number(taken.activated, digits).text,
        count=len(taken.terms),
        total=shown_number(taken.total, digits).text,
        biggest=biggest,
    )


def network_sum_chart(
    network: TranslationNetwork,
    taken: NetworkSum,
    *,
    count: int = 10,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """The running sum as a waterfall.

    Args:
        network: the runs.
        taken: one of its numbers.
        count: addends with a bar of their own.
        theme, font_size, t: as in every chart.
    """
    rows = sum_rows(network, taken, count=count, t=t)
    return waterfall_chart(
        rows,
        [_shown(taken, row) for row in rows],
        axis_title=t("running sum of α · state") if taken.quantity == "context" else t("running sum of weight · value"),
        description=sum_sentence(network, taken, t=t),
        theme=theme,
        font_size=font_size,
        t=t,
    )


def _signed(value: float, digits: int) -> str:
    text = shown_number(value, digits).text
    return text if value < 0 else f"+{text}"


def _shown(taken: NetworkSum, row: SumRow, digits: int = 4) -> str:
    if row.kind == "total":
        text = f"{row.short} = {shown_number(row.product, digits).text}"
        function = ACTIVATION_SIGNS.get(taken.activation, "softmax" if taken.activation == "softmax" else "")
        return f"{text} → {function} → {shown_number(taken.activated, digits).text}" if function else text
    if row.weight is None or row.value is None or row.kind == "bias":
        return f"{row.short}: {_signed(row.product, digits)}"
    weight, value = shown_number(row.weight, digits), shown_number(row.value, digits)
    return f"{row.short}: {weight.text} · {factor(value).text} = {_signed(row.product, digits)}"


# ---- equations with live numbers


def hand_over_equation(network: TranslationNetwork, taken: NetworkSum, *, notation: Notation) -> str:
    """s_0 = tanh(W [h→_S, h←_1] + b) of one unit, in LaTeX; c_0 of an LSTM has no tanh."""
    layer = layer_index(network, taken.layer)
    state = decoder_symbol("s", notation=notation, time=0, layer=layer).latex
    if taken.block == "cell_state":
        state = state.replace("s", "c", 1).replace("S", "C", 1)
    end = len(network.source)
    forward = encoder_symbol(network, notation=notation, time=end, direction="forward").latex
    backward = encoder_symbol(network, notation=notation, time=1, direction="backward").latex
    inner = _affine(rf"[{forward}, {backward}]", "W_s", notation)
    return _lines(rf"{state}\,[{taken.unit}]", inner, taken, "" if taken.block == "cell_state" else r"\tanh")


def context_equation(taken: NetworkSum, *, notation: Notation) -> str:
    """c_t = Σ α h of one component, with the two biggest addends, in LaTeX."""
    time = taken.step + 1
    left = decoder_symbol("c", notation=notation, time=time).latex
    if notation == "ng":
        general = rf"\sum_{{t'}} \alpha^{{\langle {time},t' \rangle}} a^{{\langle t' \rangle}}"
    else:
        general = rf"\sum_{{t'}} \alpha_{{{time},t'}} \mathbf{{H}}_{{t'}}"
    addends = " + ".join(
        rf"{shown_number(term.weight).latex} \cdot {factor(shown_number(term.value)).latex}" for term in taken.terms[:2]
    )
    more = r" + \dots" if len(taken.terms) > 2 else ""
    result = shown_number(taken.result).latex
    return (
        rf"\begin{{aligned}} {left}\,[{taken.unit}] &= {general} \\ &= {addends}{more} \\ &= {result} \end{{aligned}}"
    )


def readout_equation(network: TranslationNetwork, taken: NetworkSum, *, notation: Notation) -> str:
    """o_t = tanh(W_o [s_t, c_t, x_t] + b_o) of one component, in LaTeX."""
    time = taken.step + 1
    top = layer_index(network, len(network.free.layers) - 1)
    parts = [decoder_symbol("s", notation=notation, time=time, layer=top).latex]
    if network.free.context is not None:
        parts.append(decoder_symbol("c", notation=notation, time=time).latex)
    parts.append(decoder_symbol("x", notation=notation, time=time).latex)
    left = decoder_symbol("o", notation=notation, time=time).latex
    return _lines(rf"{left}\,[{taken.unit}]", _affine(rf"[{', '.join(parts)}]", "W_o", notation), taken, r"\tanh")


def softmax_equation(
    network: TranslationNetwork, taken: NetworkSum, log_normaliser: float, *, notation: Notation
) -> str:
    """P(y_t) = exp(E o_t + b) / Σ exp of one piece, in LaTeX."""
    piece = escaped(token_label(network, taken.unit))
    time = taken.step + 1
    symbol = decoder_symbol("o", notation=notation, time=time).latex
    y = rf"y^{{\langle {time} \rangle}}" if notation == "ng" else f"y_{{{time}}}"
    logit, total = shown_number(taken.result), shown_number(log_normaliser)
    inner = rf"{symbol} \cdot E_{{\text{{{piece}}}}} + b"
    return (
        rf"\begin{{aligned}} P({y} = \text{{{piece}}}) "
        rf"&= \frac{{e^{{{inner}}}}}{{\sum_j e^{{{symbol} \cdot E_j + b_j}}}} "
        rf"\\ &= e^{{{logit.latex} - {factor(total).latex}}} = {shown_number(taken.activated).latex} \end{{aligned}}"
    )


def _affine(inner: str, weight: str, notation: Notation) -> str:
    if notation == "ng":
        return rf"{weight} {inner} + b_{{{weight[2:]}}}"
    return rf"{inner} \mathbf{{W}}_{{{weight[2:]}}} + \mathbf{{b}}_{{{weight[2:]}}}"


def _lines(left: str, inner: str, taken: NetworkSum, function: str) -> str:
    total, result = shown_number(taken.total).latex, shown_number(taken.activated).latex
    if not function:
        return rf"\begin{{aligned}} {left} &= {inner} \\ &= {result} \end{{aligned}}"
    return rf"\begin{{aligned}} {left} &= {function}({inner}) \\ &= {function}({total}) = {result} \end{{aligned}}"


def notation_note(network: TranslationNetwork, *, notation: Notation, t: Translator = english) -> str:
    """Which letters the cell's own equations have for the decoder's state."""
    gated = not network.encoder[0].cell.startswith("rnn_")
    if notation == "ng":
        letters = "c, a" if gated else "a"
    else:
        letters = "C, H" if network.hand_over.cell_state is not None else "H"
    state = decoder_symbol("s", notation=notation, time="t").text
    return t("In the cell's own equations the state {state} is written {letters}, as on the other pages.").format(
        state=state, letters=letters
    )


def addend_table(rows: Sequence[SumRow], t: Translator = english) -> list[dict[str, object]]:
    """The rows of a sum as a table for people."""
    names = {"label": t("source"), "weight": t("weight"), "value": t("value"), "product": t("product")}
    return [
        {title: getattr(row, name) for name, title in {**names, "running": t("running sum")}.items()} for row in rows
    ]
