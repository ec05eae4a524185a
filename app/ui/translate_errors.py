"""The view "Error analysis" of the Translate page (syllabus S6): one pair, or a file of pairs."""

from __future__ import annotations

import streamlit as st

from app.ui.error_file import JOB, file_part
from app.ui.error_pair import example_button, pair_part
from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate
from app.ui.views import view_choice

PART = "errors_part"


def errors_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    left, right = st.columns([3, 2], vertical_alignment="center")
    # A link to a run shows the run.
    part = view_choice(
        {"pair": t("One pair"), "file": t("A set of pairs")},
        t,
        key=PART,
        label=t("Part"),
        first="file" if JOB in st.query_params else "pair",
        place=left,
    )
    if part == "file":
        if sentence.own is not None and sentence.own.config.task_prefixes:
            st.info(t("The file's sources are read as they are: write the task's words into them."))
        file_part(sentence, settings)
    else:
        with right:
            example_button(sentence, t)
        pair_part(sentence, settings)
