"""The installed models of one sequence, for the pages that need one."""

from __future__ import annotations

import streamlit as st

from seqviz.checkpoints import CheckpointInfo, list_checkpoints
from seqviz.i18n import Translator, translate_error


def installed_models(t: Translator) -> dict[str, CheckpointInfo]:
    """All of them by name; a broken one is said in a sentence, and where there is none the run of the page ends."""
    found, broken = list_checkpoints()
    for error in broken.values():
        st.warning(translate_error(error, t), icon=":material/broken_image:")
    if not found:
        st.info(t("No model is installed. Train one with: seqviz train shakespeare-lstm"), icon=":material/info:")
        st.stop()
    return {info.name: info for info in found}
