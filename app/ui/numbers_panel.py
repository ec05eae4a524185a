"""The numbers of the moment in focus: equations with live values, the sum behind a unit, the output of the step."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import ask, ask_ahead, show_error
from app.ui.charts import show_chart
from app.ui.downloads import sum_files
from app.ui.same_moment import moment_heading
from app.ui.settings import Settings, numbers_columns, page_theme
from app.ui.unroll_inputs import Inputs
from app.ui.url import keep, take
from seqviz.backends.requests import TraceRequest, UnitSumRequest
from seqviz.charts.arithmetic import sum_note, sum_table, unit_sum_chart, unit_sum_sentence
from seqviz.charts.equations import cell_equations, output_equation
from seqviz.charts.filled import filled_equations
from seqviz.charts.filled_output import output_equations
from seqviz.charts.notation import conventions, quantity_name
from seqviz.charts.unroll_layout import UnrollFocus, UnrollOptions, resolved_focus
from seqviz.charts.verdict import distribution_chart
from seqviz.errors import SeqvizError
from seqviz.export import unit_sum_csv
from seqviz.traces import RecurrentTrace, UnitSum


def ask_sums(inputs: Inputs, traces: list[RecurrentTrace], focus: UnrollFocus) -> None:
    """Asks for the sums that ``numbers_panel`` will show, so that they are worked out while the page is drawn."""
    for name, request, trace in zip("AB", inputs.requests, traces, strict=False):
        place = resolved_focus(trace, UnrollOptions(focus=focus))
        ask_ahead(_sum_request(name, request, trace, place))


def numbers_panel(
    page: str, inputs: Inputs, traces: list[RecurrentTrace], focus: UnrollFocus, settings: Settings
) -> None:
    """Equations on the left, the sum on the right; for two runs one under the other. ``page`` is where they stand."""
    for name, request, trace in zip("AB", inputs.requests, traces, strict=False):
        place = resolved_focus(trace, UnrollOptions(focus=focus))
        if len(traces) > 1:
            st.subheader(f"{name} · {trace.model}", anchor=False)
        _moment(page, name, request, trace, place, settings)


def _moment(
    page: str, name: str, request: TraceRequest, trace: RecurrentTrace, focus: UnrollFocus, settings: Settings
) -> None:
    t = settings.t
    part = trace.layer(focus.layer, focus.direction)
    moment_heading(page, name, request, trace, focus, t)
    left, right = numbers_columns(settings)
    with left:
        _equations(trace, focus, settings)
    with right:
        wanted = _sum_request(name, request, trace, focus)
        if len(part.block_names) > 1:
            st.segmented_control(
                t("The sum behind"),
                part.block_names,
                required=True,
                key=f"block{name}",
                format_func=lambda quantity: quantity_name(quantity, t=t),
            )
            keep(f"block{name}", part.block_names[0])
        try:
            unit_sum = ask(wanted)
        except SeqvizError as error:
            show_error(error, t)
        else:
            _sum(name, unit_sum, trace, settings)
        show_chart(
            distribution_chart(trace, step=focus.step, count=8, theme=page_theme(), font_size=settings.font_size, t=t)
        )


def _sum_request(name: str, request: TraceRequest, trace: RecurrentTrace, focus: UnrollFocus) -> UnitSumRequest:
    """The sum behind the block that is chosen; a plain cell has only one."""
    blocks = trace.layer(focus.layer, focus.direction).block_names
    block = blocks[0]
    if len(blocks) > 1:
        take(f"block{name}", blocks, block)
        block = st.session_state[f"block{name}"]
    return UnitSumRequest(
        trace=request, layer=focus.layer, direction=focus.direction, step=focus.step, unit=focus.unit, block=block
    )


def _equations(trace: RecurrentTrace, focus: UnrollFocus, settings: Settings) -> None:
    t, notation = settings.t, settings.notation
    part = trace.layer(focus.layer, focus.direction)
    layers = 1 + max(layer.layer for layer in trace.layers)
    both = any(layer.direction == "backward" for layer in trace.layers)
    filled = filled_equations(
        part,
        step=focus.step,
        unit=focus.unit,
        notation=notation,
        num_layers=layers,
        bidirectional=both,
        theme=page_theme(),
        t=t,
    )
    for equation in filled:
        _formula(equation.stacked)
        if equation.note:
            st.caption(equation.note)
    with st.expander(t("The equations of this cell")):
        output = output_equation(
            trace.task, cell=part.cell, notation=notation, num_layers=layers, bidirectional=both, t=t
        )
        for general in (*cell_equations(part.cell, notation=notation, t=t), output):
            _formula(general.latex)
            st.caption(general.says)
        st.caption(" ".join(conventions(part.cell, notation=notation, t=t)))
    for equation in output_equations(trace, step=focus.step, notation=notation, t=t):
        _formula(equation.stacked)
        if equation.note:
            st.caption(equation.note)


def _formula(latex: str) -> None:
    """A formula at the left edge; st.latex centres."""
    st.markdown(rf"$\displaystyle {latex}$")


def _sum(name: str, unit_sum: UnitSum, trace: RecurrentTrace, settings: Settings) -> None:
    t = settings.t
    cell = trace.layer(unit_sum.layer, unit_sum.direction).cell
    show_chart(unit_sum_chart(unit_sum, cell=cell, theme=page_theme(), font_size=settings.font_size, t=t))
    st.caption(" ".join([unit_sum_sentence(unit_sum, cell=cell, t=t), sum_note(unit_sum, cell=cell, t=t)]))
    with st.expander(t("Every addend, and the same in PyTorch")):
        names = {"label": t("source"), "weight": t("weight"), "value": t("value"), "product": t("product")}
        rows = [
            {title: getattr(row, name) for name, title in {**names, "running": t("running sum")}.items()}
            for row in sum_table(unit_sum, count=60, t=t)
        ]
        st.dataframe(rows, hide_index=True, height=260)
        st.code(unit_sum.snippet, language="python")
        sum_files(lambda: unit_sum.plain_snippet, lambda: unit_sum_csv(unit_sum), name="unit_sum", key=name, t=t)
