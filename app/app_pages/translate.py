"""Translate: a typed sentence, the model's translation, and the search that found it."""

import streamlit as st

from app.ui.settings import header, read_settings
from app.ui.translate_compare import compare_view
from app.ui.translate_errors import errors_view
from app.ui.translate_network import network_view
from app.ui.translate_tree import tree_view
from app.ui.translate_tree_inputs import forget_ids
from app.ui.translation_inputs import translation_input
from app.ui.views import view_choice

VIEWS = {"compare": compare_view, "errors": errors_view, "network": network_view}

settings = read_settings()
t = settings.t

header(
    t("Translate"),
    t(
        "Type a sentence and watch a trained model search for its translation: every hypothesis it looked at, what was "
        "cut and why, and whether the best one was lost on the way."
    ),
    settings,
)
# The tree's own switch stands beside that of the views: the picture gets the room.
row = st.container(key="translate-top", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
view = view_choice(
    {
        "tree": t("Search tree"),
        "compare": t("Side by side"),
        "errors": t("Error analysis"),
        "network": t("Encoder and decoder"),
    },
    t,
    place=row,
)
if view == "tree":
    tree_view(settings, row)
else:
    VIEWS[view](translation_input(t, forgets=forget_ids), settings)
