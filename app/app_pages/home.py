"""Home: one live picture of a sentence, and the way with it into every view."""

import streamlit as st

from app.ui.backend import ask_sorted, show_error
from app.ui.home_inputs import home_inputs
from app.ui.home_models import model_list
from app.ui.home_view import ask_for_cards, cards, live_picture
from app.ui.installed import installed_models
from app.ui.settings import header, read_settings

settings = read_settings()
t = settings.t

header(
    "seqviz",
    t(
        "See a recurrent model think: type a sentence and a trained network reads it while you type. Every number "
        "comes out of the model; step through the picture, then take the sentence along into any view below."
    ),
    settings,
)
models = installed_models(t)
request, own = home_inputs(models, t)
traces, errors = ask_sorted([request])
for error in errors:
    show_error(error, t)
if traces:
    st.session_state["home-good"] = (request, own)
elif "home-good" in st.session_state:
    st.caption(t("Below: the last text that could be read."))
    request, own = st.session_state["home-good"]
    traces, _ = ask_sorted([request])
if traces:
    asked = ask_for_cards(request, traces[0], models, t, own=own)
    live_picture(traces[0], settings)
    st.subheader(t("The views"), anchor=False)
    cards(request, traces[0], asked, settings)
st.subheader(t("The models"), anchor=False)
st.caption(t("Measured on held-out data; a click opens the card: data, training, known weaknesses."))
model_list(t)
