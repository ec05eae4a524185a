"""Gates: what GRU and LSTM remember, forget and show."""

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.gate_inputs import gate_inputs
from app.ui.gate_intervene import intervene_view
from app.ui.gate_memory import memory_view
from app.ui.gate_variants import variants_view
from app.ui.gate_view import gate_view
from app.ui.installed import installed_models
from app.ui.settings import header, read_settings
from app.ui.views import view_choice
from seqviz.errors import SeqvizError
from seqviz.traces import RecurrentTrace

settings = read_settings()
t = settings.t

header(
    t("Gates"),
    t(
        "The figure of the cell from the lecture, alive: one unit of a trained network reads your sentence, and every "
        "line carries its own number. See how long it remembers, compare cells, or force a gate and watch what follows."
    ),
    settings,
)
models = installed_models(t)

left, right = st.columns(2, vertical_alignment="bottom")
view = view_choice(
    {
        "cell": t("Gate view"),
        "memory": t("Memory carried"),
        "variants": t("Variants"),
        "intervene": t("Intervene"),
    },
    t,
    place=left,
)
inputs = gate_inputs(models, t, above=None if view == "variants" else right)
answers = ask_all(inputs.requests)
errors = [answer for answer in answers if isinstance(answer, SeqvizError)]
for error in errors:
    show_error(error, t)
if errors and "gates-good" in st.session_state:
    st.caption(t("Below: the last text that could be read."))
    inputs = st.session_state["gates-good"]
    answers = ask_all(inputs.requests)
traces = [answer for answer in answers if isinstance(answer, RecurrentTrace)]
if len(traces) < len(answers):
    st.stop()
st.session_state["gates-good"] = inputs

if view == "cell":
    gate_view(inputs, traces, settings)
elif view == "memory":
    memory_view(inputs, traces, models, settings)
elif view == "variants":
    variants_view(inputs, models, settings)
else:
    intervene_view(inputs, traces, settings)
