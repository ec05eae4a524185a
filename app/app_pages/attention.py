"""Attention: where the decoder looks while it writes each word of a translation."""

import streamlit as st

from app.ui.attention_compare import compare_view
from app.ui.attention_edit import edit_view
from app.ui.attention_explain import explain_view
from app.ui.attention_heatmap import heatmap_view
from app.ui.attention_inputs import forget_attention
from app.ui.settings import header, read_settings
from app.ui.translation_inputs import translation_input
from app.ui.url import keep, take

VIEWS = {"heatmap": heatmap_view, "edit": edit_view, "explain": explain_view, "compare": compare_view}

settings = read_settings()
t = settings.t

header(
    t("Attention"),
    t(
        "For every word it writes, the decoder weighs all words of the source. See the weights, take one apart, change "
        "them by hand, and ask whether they explain anything."
    ),
    settings,
)
take("view", list(VIEWS), "heatmap")
view = st.segmented_control(
    t("View"),
    list(VIEWS),
    required=True,
    key="view",
    label_visibility="collapsed",
    format_func=lambda name: {
        "heatmap": t("Heatmap"),
        "edit": t("Edit"),
        "explain": t("Explanation"),
        "compare": t("Against no attention"),
    }[name],
)
keep("view", "heatmap")
VIEWS[view or "heatmap"](translation_input(t, forgets=forget_attention), settings)
