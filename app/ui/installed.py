"""The installed models, for the pages that need one."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.ui.backend import error_sentence
from app.ui.plain import as_text, shortened
from app.ui.url import take
from seqviz.checkpoints import CheckpointInfo, list_all, list_checkpoints
from seqviz.i18n import Translator


def installed_models(t: Translator) -> dict[str, CheckpointInfo]:
    """All of them by name; a broken one is said in a sentence, and where there is none the run of the page ends."""
    found, broken = list_checkpoints()
    for error in broken.values():
        st.warning(error_sentence(error, t), icon=":material/broken_image:")
    if not found:
        st.info(t("No model is installed. Train one with: seqviz train shakespeare-lstm"), icon=":material/info:")
        st.stop()
    return {info.name: info for info in found}


def take_model(titles: Mapping[str, str], default: str, t: Translator, *, key: str = "model") -> None:
    """``take`` for the name of a model; says so where a link or the reader has one that is not installed (any more).

    Args:
        titles: of the models that may be chosen, by name.
        default: what is shown where nothing is named, or nothing that is there.
        t: the reader's language.
        key: of the widget and of the query parameter.
    """
    named = [name for name in (st.query_params.get(key), st.session_state.get(key)) if name]
    take(key, list(titles), default)
    missing = next((name for name in named if name not in titles), None)
    if missing is None or st.session_state[key] != default:
        return
    found, broken = list_all()
    if missing in broken or any(info.name == missing for info in found):  # of another kind, or told already
        return
    st.warning(
        t("The model {name} is not installed here (any more); below: {title}.").format(
            name=as_text(str(shortened(key, missing))), title=as_text(titles[default])
        ),
        icon=":material/info:",
    )
