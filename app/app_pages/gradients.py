"""Gradients: the loss of a sentence goes back through time, step by step."""

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.backflow_view import backflow_view, drawn_backflow, picture_inputs, reach_captions, scale_input
from app.ui.downloads import download_menu
from app.ui.gradient_inputs import Reading, backward_requests, loss_input, multiplier_input, reading_inputs
from app.ui.gradient_views import dependency_view, loss_caption, weights_view
from app.ui.settings import header, read_settings
from app.ui.url import keep, take
from seqviz.charts.backflow import Run
from seqviz.charts.backflow_curves import Curve
from seqviz.charts.gradient_scale import SCALES
from seqviz.checkpoints import list_checkpoints
from seqviz.errors import SeqvizError
from seqviz.gradients import BackwardTrace
from seqviz.i18n import translate_error
from seqviz.traces import RecurrentTrace

VIEWS = ("time", "weights", "dependency")

settings = read_settings()
t = settings.t

header(
    t("Gradients"),
    t(
        "Back-propagation through time: choose a loss and watch how much of it reaches every earlier step. Click a "
        "step or a unit to see where its gradient comes from."
    ),
    settings,
)
found, broken = list_checkpoints()
for error in broken.values():
    st.warning(translate_error(error, t), icon=":material/broken_image:")
if not found:
    st.info(t("No model is installed. Train one with: seqviz train shakespeare-lstm"), icon=":material/info:")
    st.stop()
models = {info.name: info for info in found}

take("view", VIEWS, VIEWS[0])
view = st.segmented_control(
    t("View"),
    VIEWS,
    required=True,
    key="view",
    label_visibility="collapsed",
    format_func=lambda name: {
        "time": t("Through time"),
        "weights": t("Shared weights"),
        "dependency": t("A long dependency"),
    }[name],
)
keep("view", VIEWS[0])

if view == "dependency":
    dependency_view(models, settings)
    st.stop()

reading: Reading = reading_inputs(models, t)
reads = ask_all(reading.requests)
errors = [answer for answer in reads if isinstance(answer, SeqvizError)]
for error in errors:
    show_error(error, t)
if errors and "gradients-good" in st.session_state:
    st.caption(t("Below: the last text that could be read."))
    reading = st.session_state["gradients-good"]
    reads = ask_all(reading.requests)
traces = [answer for answer in reads if isinstance(answer, RecurrentTrace)]
if len(traces) < len(reads):
    st.stop()

loss_step = loss_input(traces[0], reading, t)
left, middle, right = st.columns([7, 7, 10], vertical_alignment="bottom")
with left:
    multiplier = multiplier_input(t)
scale = SCALES[0]
if view == "time":
    with middle:
        scale = scale_input(settings)
requests = backward_requests(reading, traces, loss_step, multiplier)
answers = ask_all(requests)
for answer in answers:
    if isinstance(answer, SeqvizError):
        show_error(answer, t)
passes = [answer for answer in answers if isinstance(answer, BackwardTrace)]
if len(passes) < len(answers):
    st.stop()
st.session_state["gradients-good"] = reading
runs = [Run(forward=trace, backward=one) for trace, one in zip(traces, passes, strict=False)]
others = [Curve(trace=one, name=one.model) for one in passes[len(runs) :]]

figure = None
if view == "weights":
    st.caption(loss_caption(passes[0], t))
    weights_view(passes[0], settings)
else:
    with right.popover(t("Picture"), icon=":material/grid_on:", width="stretch"):
        options, curve = picture_inputs(traces[0], passes, settings)
    figure = drawn_backflow(
        requests, runs, others, curve=curve, scale=scale, options=options, language=settings.language
    )
    says = [loss_caption(passes[0], t), *reach_captions(runs, others, options, settings)]
    backflow_view(figure, requests, runs, options, says, settings)

left, right = st.columns([3, 1], vertical_alignment="center")
left.caption(
    t(
        "Try next: let the sum of all losses go back, multiply the last error by −1, compare a plain RNN with an LSTM, "
        "or read how the shared matrices add up what every step contributes."
    )
)
with right:
    download_menu(figure, passes, name=f"gradients {reading.request.text}", t=t)
