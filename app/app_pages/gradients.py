"""Gradients: the loss of a sentence goes back through time, step by step."""

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.clipping_view import clipping_view
from app.ui.gradient_inputs import backward_requests, loss_inputs, reading_inputs
from app.ui.gradient_views import dependency_view, gradient_downloads, time_view, weights_view
from app.ui.settings import header, read_settings
from app.ui.url import keep, take
from seqviz.checkpoints import list_checkpoints
from seqviz.errors import SeqvizError
from seqviz.i18n import translate_error

VIEWS = ("time", "weights", "dependency", "clipping")

settings = read_settings()
t = settings.t

header(
    t("Gradients"),
    t(
        "Back-propagation through time on a trained model: choose a loss and see how much of it reaches every earlier "
        "step. All of it in float64, equal to autograd."
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
        "clipping": t("Clipping"),
    }[name],
)
keep("view", VIEWS[0])

if view == "clipping":
    clipping_view(settings)
    st.stop()
if view == "dependency":
    dependency_view(models, settings)
    st.stop()

reading = reading_inputs(models, t)
read = ask_all(reading.requests[:1])[0]
if isinstance(read, SeqvizError):
    show_error(read, t)
    st.stop()
loss_step, multiplier = loss_inputs(read, t)
answers = ask_all(backward_requests(reading, loss_step, multiplier))
errors = [answer for answer in answers if isinstance(answer, SeqvizError)]
for error in errors:
    show_error(error, t)
traces = [answer for answer in answers if not isinstance(answer, SeqvizError)]
if errors:
    st.stop()

if view == "time":
    time_view(traces, [models[trace.model].title for trace in traces], settings)
else:
    weights_view(traces[0], settings)
left, right = st.columns([3, 1], vertical_alignment="center")
left.caption(
    t("L = {loss} nats at {count} steps; the forward pass and all losses stay as they are at every factor.").format(
        loss=f"{traces[0].loss:.6g}", count=len(traces[0].loss_steps)
    )
    if len(traces[0].loss_steps) > 1
    else t("L = {loss} nats; the forward pass and the loss stay as they are at every factor.").format(
        loss=f"{traces[0].losses[traces[0].loss_steps[0]]:.6g}"
    )
)
with right:
    gradient_downloads(traces, t)
