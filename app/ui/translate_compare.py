"""A view of the Translate page."""

from __future__ import annotations

import streamlit as st

from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate


def compare_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    st.write(sentence.text, settings.language)
