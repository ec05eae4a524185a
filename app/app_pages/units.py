"""Units: what the units of a model do over a long text, and which of them track something."""

import streamlit as st

from app.ui.backend import show_error
from app.ui.installed import installed_models
from app.ui.settings import header, read_settings
from app.ui.unit_compare import compared_texts
from app.ui.unit_inputs import offer_cut, reading_inputs
from app.ui.unit_moments import moments_view
from app.ui.unit_saturation import saturation_view
from app.ui.unit_tracking import unit_view
from seqviz.errors import SeqvizError, TextTooLongError
from seqviz.units import MAX_LONG_PIECES

settings = read_settings()
t = settings.t

header(
    t("Units"),
    t(
        "A long text through a trained model: colour it by any unit, find the units that follow something in it, and "
        "see which gates are open or shut nearly always. Scores are measured on text that had no part in the search."
    ),
    settings,
)
models = installed_models(t)
reading = reading_inputs(models, t)
view = st.session_state["view"]
try:
    texts = compared_texts(reading, models, t)
    if view == "saturation":
        saturation_view(texts, settings)
    elif view == "moments":
        moments_view(texts, settings)
    else:
        unit_view(texts, settings)
    st.caption(
        t(
            "Try next: let the model write 5,000 characters and colour them by their best units, search with a pattern "
            "of your own, brush a speaker's name. At most {limit} pieces are read."
        ).format(limit=f"{MAX_LONG_PIECES:,}")
    )
except SeqvizError as problem:
    show_error(problem, t)
    if isinstance(problem, TextTooLongError) and reading.source == "own":
        offer_cut(int(str(problem.parameters["end"])), t)
