"""The arithmetic of the moment in focus: an encoder's state, the hand-over, or a decoder's step, with live numbers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.ui.backend import ask_sorted, show_error
from app.ui.charts import show_chart
from app.ui.downloads import sum_files
from app.ui.settings import Settings, numbers_columns, page_theme
from app.ui.url import keep, take
from seqviz.backends.translation_requests import NetworkRequest, NetworkSumRequest
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
from seqviz.network_export import network_sum_csv
from seqviz.traces import LayerTrace
from seqviz.translation_network import NetworkSum, RunName, TranslationNetwork
from seqviz.types import Direction


def pair_numbers(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus, settings: Settings) -> None:
    """Equations on the left, the sum behind one of them on the right."""
    sources = len(network.source)
    if focus.step < sources:
        _encoder(request, network, focus, settings)
    elif focus.step == sources:
        _hand_over(request, network, focus, settings)
    else:
        _decoder(request, network, focus, settings)


def _encoder(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus, settings: Settings) -> None:
    t = settings.t
    direction: Direction = "backward" if focus.row == "backward" else "forward"
    part = next(p for p in network.encoder if (p.layer, p.direction) == (focus.layer, direction))
    st.markdown(
        t("Encoder, piece **{step}** of {count}, `{piece}` · layer {layer}, {direction} · unit **{unit}**").format(
            step=focus.step + 1,
            count=len(network.source),
            piece=_plain(piece_labels(network.source)[focus.step]),
            layer=focus.layer + 1,
            direction=t("forward") if direction == "forward" else t("backward"),
            unit=focus.unit,
        )
    )
    requests = [
        NetworkSumRequest(
            network=request,
            quantity="encoder",
            unit=focus.unit,
            step=focus.step,
            layer=focus.layer,
            direction=direction,
            block=block,
        )
        for block in part.block_names
    ]
    left, right = numbers_columns(settings)
    with left:
        layers = 1 + max(p.layer for p in network.encoder)
        _cell(part, focus.step, focus.unit, layers, settings, bidirectional=True)
    with right:
        _sums(network, requests, settings)


def _hand_over(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus, settings: Settings) -> None:
    t = settings.t
    st.markdown(
        t("Hand-over to decoder layer {layer} · unit **{unit}** of {count}").format(
            layer=focus.layer + 1, unit=focus.unit, count=network.hand_over.hidden_state.shape[1]
        )
    )
    blocks = ("hidden_state",) if network.hand_over.cell_state is None else ("hidden_state", "cell_state")
    requests = [
        NetworkSumRequest(network=request, quantity="hand_over", unit=focus.unit, layer=focus.layer, block=block)
        for block in blocks
    ]
    found, errors = ask_sorted(requests)
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
        for error in errors:
            show_error(error, t)
        _one_of(network, found, settings)


def _decoder(request: NetworkRequest, network: TranslationNetwork, focus: PairFocus, settings: Settings) -> None:
    t, step = settings.t, focus.step - len(network.source) - 1
    name: RunName = "forced" if focus.row == "forced" and network.forced is not None else "free"
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
            fed="<bos>" if step == 0 else _plain(written[step - 1]),
            written=_plain(written[step]),
            layer=focus.layer + 1,
            unit=focus.unit,
        )
    )
    part = run.layers[focus.layer]

    def asked(quantity: str, unit: int, block: str = "") -> NetworkSumRequest:
        return NetworkSumRequest(
            network=request,
            quantity=quantity,  # type: ignore[arg-type]
            unit=unit,
            step=step,
            run_name=name,
            layer=focus.layer,
            block=block,
        )

    requests = [asked("state", focus.unit, block) for block in part.block_names]
    if run.context is not None:
        requests.append(asked("context", focus.unit % run.context.shape[1]))
    requests.append(asked("readout", focus.unit % run.readout.shape[1]))
    requests.append(asked("logit", run.target.ids[step]))
    right_ids = () if network.forced is None else network.forced.target.ids
    if step < len(right_ids) and right_ids[step] != run.target.ids[step]:
        requests.append(asked("logit", right_ids[step]))
    left, right = numbers_columns(settings)
    with right:
        found = _sums(network, requests, settings)
    with left:
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


def _sums(network: TranslationNetwork, requests: Sequence[NetworkSumRequest], settings: Settings) -> list[NetworkSum]:
    """Asks for the numbers and shows the chosen one; returns all."""
    found, errors = ask_sorted(requests)
    for error in errors:
        show_error(error, settings.t)
    _one_of(network, found, settings)
    return found


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
        sum_files(taken.plain_snippet, lambda: network_sum_csv(taken), name="network_sum", key="pair", t=t)


def _key(taken: NetworkSum, index: int) -> str:
    """A name for the URL that holds for every step: the quantity and its block; of logits the place."""
    if taken.quantity == "logit":
        return f"logit-{index}"
    return f"{taken.quantity}-{taken.block}" if taken.block else taken.quantity


def _formula(latex: str) -> None:
    """A formula at the left edge; st.latex centres."""
    st.markdown(rf"$\displaystyle {latex}$")


def _plain(text: str) -> str:
    return text.replace("`", "ˋ")
