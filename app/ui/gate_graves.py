"""The LSTM block in Graves' letters, forward and backward, with the numbers of the moment."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.settings import Settings
from seqviz.backends.requests import BackwardRequest, TraceRequest
from seqviz.charts.graves import GravesLine, graves_backward, graves_forward
from seqviz.charts.unroll_layout import UnrollFocus
from seqviz.errors import SeqvizError
from seqviz.gates import UnitCourse
from seqviz.traces import RecurrentTrace


def graves_panel(
    request: TraceRequest, trace: RecurrentTrace, course: UnitCourse, focus: UnrollFocus, settings: Settings
) -> None:
    """Shown for LSTMs on demand, so that nobody waits for a backward pass that nobody reads."""
    t = settings.t
    part = trace.layer(focus.layer, focus.direction)
    if not part.cell.startswith("lstm"):
        return
    if not st.toggle(t("The same in Graves' notation: b, s forward; ε, δ backward"), key="graves", bind="query-params"):
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{t('Forward')}**")
        for line in graves_forward(part, course, step=focus.step, t=t):
            _written(line)
    answer = ask_all([BackwardRequest(trace=request)])[0]
    with right:
        st.markdown(f"**{t('Backward, L is the sum of all losses')}**")
        if isinstance(answer, SeqvizError):
            show_error(answer, t)
            return
        gradients = answer.layer(focus.layer, focus.direction)
        found = graves_backward(
            part, gradients, step=focus.step, unit=focus.unit, peephole=course.peephole or (0.0, 0.0, 0.0), t=t
        )
        for line in found:
            _written(line)
    st.caption(
        t(
            "Graves 2012, chapter 4: input, forget and output gate are ι, φ and ω; f is σ, g and h are tanh; θ is the "
            "bias, which his equations leave out. ε are errors at outputs and states, δ at the sums. The backward "
            "numbers come from float64."
        )
    )


def _written(line: GravesLine) -> None:
    st.markdown(rf"$\displaystyle {line.general}$")
    st.markdown(rf"$\displaystyle \quad {line.filled}$")
