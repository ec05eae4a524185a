"""The view "Error analysis" of the Translate page (syllabus S6): one pair, or a file of pairs."""

from __future__ import annotations

import streamlit as st

from app.ui.error_file import JOB, file_part
from app.ui.error_pair import example_button, pair_part
from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate
from app.ui.url import keep, take

PART = "errors_part"
PARTS = ("pair", "file")


def errors_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    # A link to a run shows the run.
    default = PARTS[1] if JOB in st.query_params else PARTS[0]
    take(PART, PARTS, default)
    left, right = st.columns([3, 2], vertical_alignment="center")
    part = left.segmented_control(
        t("Part"),
        PARTS,
        required=True,
        key=PART,
        label_visibility="collapsed",
        format_func=lambda name: {"pair": t("One pair"), "file": t("A set of pairs")}[name],
    )
    keep(PART, default)
    if part == "file":
        file_part(sentence, settings)
    else:
        with right:
            example_button(sentence, t)
        pair_part(sentence, settings)
