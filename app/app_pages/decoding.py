"""Decoding: how a sequence is searched for, on probability tables that anyone can edit."""

import streamlit as st

from app.ui.backend import show_error
from app.ui.decoding_inputs import TREE, URL_KEYS, preset_picker, search_inputs
from app.ui.decoding_table import begin, table_editor, write_table
from app.ui.decoding_view import counters, downloads, forced, searched, side_by_side, tree
from app.ui.settings import header, read_settings
from app.ui.url import recall, remember
from seqviz.errors import SeqvizError

settings = read_settings()
t = settings.t

header(
    t("Decoding"),
    t(
        "Which sequence is the most probable? Watch greedy, beam and exact search look for it on a table of "
        "probabilities, see where the optimum is lost, and click a hypothesis to force its beginning."
    ),
    settings,
)
recall("decoding", URL_KEYS, widget="search")
begin(t)
left, right = st.columns([5, 2], vertical_alignment="top")
with right:
    preset_picker(t)
with left.expander(t("The table of probabilities: edit it"), icon=":material/edit:"):
    table = table_editor(t)
write_table(table)
choices = search_inputs(table, t)
alpha = TREE.alpha_from_url()
remember("decoding", URL_KEYS)
try:
    searches = searched(table, choices, alpha)
except SeqvizError as error:
    show_error(error, t)
    st.stop()

with st.container():  # one element, also while nothing is forced: the picture below stays the same element
    forced(searches, table, choices, t)
tree(searches, table, choices, alpha, settings)
side_by_side(searches, alpha, t)
counters(searches, t)

left, middle, right = st.columns([6, 3, 2], vertical_alignment="center")
middle.page_link("app_pages/translate.py", label=t("The same for a typed sentence"), icon=":material/translate:")
left.caption(
    t(
        "Try next: let no minimum length hold and see the optimum become too short; widen the beam until the flag is "
        "gone; drag α past a crossover; change one probability in the table."
    )
)
with right:
    downloads(searches, alpha, settings)
