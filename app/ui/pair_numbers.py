"""The arithmetic of the moment in focus: an encoder's state, the hand-over, or a decoder's step, with live numbers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.ui.backend import ask, show_error
from app.ui.charts import show_chart
from app.ui.downloads import sum_files
from app.ui.plain import in_code
from app.ui.settings import Settings, numbers_columns, page_theme
from app.ui.url import keep, take
from seqviz.backends.translation_requests import NetworkRequest, NetworkSumRequest, NetworkSumsRequest
from seqviz.charts.encoder_decoder_layout import PairFocus
from seqviz.charts.encoder_decoder_words import run_title
from seqviz.charts.equations import cell_equations
from seqviz.charts.filled import filled_equations
from seqviz.charts.network_sums import (
    addend_table,
    context_equation,
    hand_over_equation,
    network_sum_chart,
    notation_note,
    readout_equation,
    softmax_equation,
    sum_name,
    sum_rows,
    sum_sentence,
)
from seqviz.charts.notation import conventions
from seqviz.charts.piece_words import piece_labels
from seqviz.errors import SeqvizError
from seqviz.network_export import network_sum_csv
from seqviz.traces import LayerTrace
from seqviz.translation_network import NetworkSum, RunName, SumQuantity, TranslationNetwork
from seqviz.types import Direction


def sums_request(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus) -> NetworkSumsRequest | None:
    """Every number that is taken apart at a moment; None behind the end of a run."""
    step = focus.step - len(network.source) - 1
    if step < -1:
        asked = _encoder_sums(request, network, focus)
    elif step == -1:
        asked = _hand_over_sums(request, network, focus)
    else:
        asked = _decoder_sums(request, network, focus, step)
    return NetworkSumsRequest(sums=tuple(asked)) if asked else None


def _encoder_sums(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus) -> list[NetworkSumRequest]:
    part = _encoder_part(network, focus)
    return [
        NetworkSumRequest(
            network=request,
            quantity="encoder",
            unit=focus.unit,
            step=focus.step,
            layer=focus.layer,
            direction=part.direction,
            block=block,
        )
        for block in part.block_names
    ]


def _hand_over_sums(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus) -> list[NetworkSumRequest]:
    blocks = ("hidden_state",) if network.hand_over.cell_state is None else ("hidden_state", "cell_state")
    return [
        NetworkSumRequest(network=request, quantity="hand_over", unit=focus.unit, layer=focus.layer, block=block)
        for block in blocks
    ]


def _decoder_sums(
    request: NetworkRequest, network: TranslationNetwork, focus: PairFocus, step: int
) -> list[NetworkSumRequest]:
    name = _run_name(network, focus)
    run = network.run(name)
    if step >= len(run):
        return []

    def asked(quantity: SumQuantity, unit: int, block: str = "") -> NetworkSumRequest:
        return NetworkSumRequest(
            network=request,
            quantity=quantity,
            unit=unit,
            step=step,
            run_name=name,
            layer=focus.layer,
            block=block,
        )

    sums = [asked("state", focus.unit, block) for block in run.layers[focus.layer].block_names]
    if run.context is not None:
        sums.append(asked("context", focus.unit % run.context.shape[1]))
    sums.append(asked("readout", focus.unit % run.readout.shape[1]))
    sums.append(asked("logit", run.target.ids[step]))
    right_ids = () if network.forced is None else network.forced.target.ids
    if step < len(right_ids) and right_ids[step] != run.target.ids[step]:
        sums.append(asked("logit", right_ids[step]))
    return sums


def pair_numbers(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus, settings: Settings) -> None:
    """Equations on the left, the sum behind one of them on the right."""
    wanted = sums_request(request, network, focus)
    found: tuple[NetworkSum, ...] = ()
    if wanted is not None:
        try:
            found = ask(wanted)
        except SeqvizError as error:
            show_error(error, settings.t)
    sources = len(network.source)
    if focus.step < sources:
        _encoder(network, found, focus, settings)
    elif focus.step == sources:
        _hand_over(network, found, focus, settings)
    else:
        _decoder(network, found, focus, settings)


def _encoder_part(network: TranslationNetwork, focus: PairFocus) -> LayerTrace:
    direction: Direction = "backward" if focus.row == "backward" else "forward"
    return next(p for p in network.encoder if (p.layer, p.direction) == (focus.layer, direction))


def _run_name(network: TranslationNetwork, focus: PairFocus) -> RunName:
    return "forced" if focus.row == "forced" and network.forced is not None else "free"


def _encoder(network: TranslationNetwork, found: Sequence[NetworkSum], focus: PairFocus, settings: Settings) -> None:
    t = settings.t
    part = _encoder_part(network, focus)
    st.markdown(
        t("Encoder, piece **{step}** of {count}, `{piece}` · layer {layer}, {direction} · unit **{unit}**").format(
            step=focus.step + 1,
            count=len(network.source),
            piece=in_code(piece_labels(network.source)[focus.step]),
            layer=focus.layer + 1,
            direction=t("forward") if part.direction == "forward" else t("backward"),
            unit=focus.unit,
        )
    )
    left, right = numbers_columns(settings)
    with left:
        layers = 1 + max(p.layer for p in network.encoder)
        _cell(part, focus.step, focus.unit, layers, settings, bidirectional=True)
    with right:
        _one_of(network, found, settings)


def _hand_over(network: TranslationNetwork, found: Sequence[NetworkSum], focus: PairFocus, settings: Settings) -> None:
    t = settings.t
    st.markdown(
        t("Hand-over to decoder layer {layer} · unit **{unit}** of {count}").format(
            layer=focus.layer + 1, unit=focus.unit, count=network.hand_over.hidden_state.shape[1]
        )
    )
    left, right = numbers_columns(settings)
    with left:
        for taken in found:
            _formula(hand_over_equation(network, taken, notation=settings.notation))
        st.caption(
            t(
                "The encoder has no output of its own. Its last forward state has read the whole sentence, its last "
                "backward state too, from the end: both together become the decoder's first state, so the decoder is a "
                "language model that knows the source."
            )
        )
    with right:
        _one_of(network, found, settings)


def _decoder(network: TranslationNetwork, found: Sequence[NetworkSum], focus: PairFocus, settings: Settings) -> None:
    t, step = settings.t, focus.step - len(network.source) - 1
    name = _run_name(network, focus)
    run = network.run(name)
    if step >= len(run):
        st.caption(t("This run has ended at step {step}.").format(step=len(run)))
        return
    written = piece_labels(run.target)
    st.markdown(
        t(
            "{run}, step **{step}** of {count}: fed `{fed}`, writes `{written}` · layer {layer} · unit **{unit}**"
        ).format(
            run=run_title(network, name, t)[0],
            step=step + 1,
            count=len(run),
            fed="<bos>" if step == 0 else in_code(written[step - 1]),
            written=in_code(written[step]),
            layer=focus.layer + 1,
            unit=focus.unit,
        )
    )
    left, right = numbers_columns(settings)
    with left:
        part = run.layers[focus.layer]
        _cell(part, step, focus.unit, len(run.layers), settings, bidirectional=False)
        for taken in found:
            if taken.quantity == "context":
                _formula(context_equation(taken, notation=settings.notation))
            elif taken.quantity == "readout":
                _formula(readout_equation(network, taken, notation=settings.notation))
            elif taken.quantity == "logit":
                normaliser = float(run.log_normaliser[step])
                _formula(softmax_equation(network, taken, normaliser, notation=settings.notation))
        st.caption(notation_note(network, notation=settings.notation, t=t))
    with right:
        _one_of(network, found, settings)


def _cell(part: LayerTrace, step: int, unit: int, layers: int, settings: Settings, *, bidirectional: bool) -> None:
    t, notation = settings.t, settings.notation
    for equation in filled_equations(
        part,
        step=step,
        unit=unit,
        notation=notation,
        num_layers=layers,
        bidirectional=bidirectional,
        theme=page_theme(),
        t=t,
    ):
        _formula(equation.stacked)
        if equation.note:
            st.caption(equation.note)
    with st.expander(t("The equations of this cell")):
        for general in cell_equations(part.cell, notation=notation, t=t):
            _formula(general.latex)
            st.caption(general.says)
        st.caption(" ".join(conventions(part.cell, notation=notation, t=t)))


def _one_of(network: TranslationNetwork, found: Sequence[NetworkSum], settings: Settings) -> None:
    """The sum that the reader chose, as a waterfall, a table and code."""
    t = settings.t
    if not found:
        return
    names = {_key(taken, index): sum_name(network, taken, t) for index, taken in enumerate(found)}
    first = next(iter(names))
    take("sum", list(names), first)
    st.selectbox(t("The sum behind"), list(names), key="sum", format_func=names.__getitem__)
    keep("sum", first)
    taken = found[list(names).index(st.session_state["sum"])]
    show_chart(network_sum_chart(network, taken, theme=page_theme(), font_size=settings.font_size, t=t))
    st.caption(sum_sentence(network, taken, t=t))
    with st.expander(t("Every addend, and the same in PyTorch")):
        st.dataframe(addend_table(sum_rows(network, taken, count=60, t=t), t), hide_index=True, height=260)
        st.code(taken.snippet, language="python")
        sum_files(lambda: taken.plain_snippet, lambda: network_sum_csv(taken), name="network_sum", key="pair", t=t)


def _key(taken: NetworkSum, index: int) -> str:
    """A name for the URL that holds for every step: the quantity and its block; of logits the place."""
    if taken.quantity == "logit":
        return f"logit-{index}"
    return f"{taken.quantity}-{taken.block}" if taken.block else taken.quantity


def _formula(latex: str) -> None:
    """A formula at the left edge; st.latex centres."""
    st.markdown(rf"$\displaystyle {latex}$")
