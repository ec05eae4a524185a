"""Unroll: a sentence flows through a trained recurrent model, step by step."""

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.downloads import download_menu
from app.ui.installed import installed_models
from app.ui.settings import header, read_settings
from app.ui.unroll_inputs import structure_notes, unroll_inputs
from app.ui.unroll_view import drawn, picture_options, unroll_view
from seqviz.backends.requests import MAX_PIECES
from seqviz.errors import SeqvizError
from seqviz.traces import RecurrentTrace

settings = read_settings()
t = settings.t

header(
    t("Unroll"),
    t(
        "Type a sentence and watch a trained recurrent network read it: the same weights at every step, the state "
        "handed on from left to right. Click a step or a unit to see its equation with the live numbers."
    ),
    settings,
)
inputs = unroll_inputs(installed_models(t), t)
answers = ask_all(inputs.requests)
errors = [answer for answer in answers if isinstance(answer, SeqvizError)]
for error in errors:
    show_error(error, t)
if errors and "unroll-good" in st.session_state:
    st.caption(t("Below: the last text that could be read."))
    inputs = st.session_state["unroll-good"]
    answers = ask_all(inputs.requests)
traces = [answer for answer in answers if isinstance(answer, RecurrentTrace)]
if len(traces) < len(answers):
    st.stop()
st.session_state["unroll-good"] = inputs

left, right = st.columns([7, 3], vertical_alignment="center")
note = structure_notes(t)[traces[0].structure]
steps = t("{count} steps").format(count=len(traces[0])) if len(traces[0]) > 1 else t("1 step")
left.caption(f"**{steps}** · {note}")
with right.popover(t("Heatmap"), icon=":material/grid_on:", width="stretch"):
    options = picture_options(traces[0], settings)
figure = drawn(inputs, traces, options, settings)
unroll_view(figure, inputs, traces, options, settings)

left, right = st.columns([3, 1], vertical_alignment="center")
left.caption(
    t(
        "Try next: compare two sentences that begin alike, read the same one with a plain RNN and an LSTM, "
        "or let a language model write. At most {limit} pieces are shown."
    ).format(limit=MAX_PIECES)
)
with right:
    download_menu(figure, traces, name=inputs.request.text, t=t)
