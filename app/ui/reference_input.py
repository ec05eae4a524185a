"""The human translations of the sentence: one a line, from the example, from the URL, or typed."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.translation_inputs import REFERENCE_KEY, TEXT_KEY, ToTranslate
from app.ui.url import keep, take_matching
from seqviz.i18n import Translator

MAX_REFERENCES = 8
MAX_CHARACTERS = 4000
_OF = "reference-of"


def references_input(sentence: ToTranslate, t: Translator, *, place: DeltaGenerator | None = None) -> tuple[str, ...]:
    """Draws the field; returns the lines that are not empty.

    Args:
        sentence: whose translations they are: an example brings its own, another sentence begins without.
        t: the reader's language.
        place: where the field stands; None for here.
    """
    default = sentence.example.reference if sentence.example else ""
    state = st.session_state
    # What was written for another sentence would say nothing about this one, unless a link brings both.
    moved = st.query_params.get(REFERENCE_KEY) != state.get(f"url-{REFERENCE_KEY}")
    if not moved and state.get(_OF, sentence.text) != sentence.text:
        state[REFERENCE_KEY] = default
    state[_OF] = sentence.text
    take_matching(REFERENCE_KEY, rf".{{1,{MAX_CHARACTERS}}}", default)
    (place or st).text_area(
        t("Human translations y*, one a line"),
        key=REFERENCE_KEY,
        height=68,
        max_chars=MAX_CHARACTERS,
        placeholder=t("Type a translation of your own: BLEU and the error analysis compare with it"),
    )
    keep(REFERENCE_KEY, default)
    lines = [line.strip() for line in str(state[REFERENCE_KEY] or "").splitlines()]
    found = tuple(dict.fromkeys(line for line in lines if line))
    if len(found) > MAX_REFERENCES:
        st.warning(
            t("Of {count} translations the first {limit} are used.").format(count=len(found), limit=MAX_REFERENCES),
            icon=":material/info:",
        )
    return found[:MAX_REFERENCES]


def set_pair(source: str, reference: str) -> None:
    """Takes a sentence with its translation; for callbacks."""
    st.session_state[TEXT_KEY] = source
    st.session_state[REFERENCE_KEY] = reference
    st.session_state[_OF] = source
