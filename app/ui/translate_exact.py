"""The exact search beside the page: asked for once the beam is there, waited for without holding anything up."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.ui.backend import backend
from seqviz.backends.protocol import Pending
from seqviz.backends.translation_requests import SearchRequest
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.translations import TranslationSearch

_KEY, _SAID = "translate-exact", "translate-exact-said"
_DEADLINE_SECONDS = 90.0
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactSearch:
    """How it stands.

    Args:
        found: the answer, if it is there.
        error: why there will be none.
    """

    found: TranslationSearch | None = None
    error: SeqvizError | None = None

    @property
    def running(self) -> bool:
        """Whether there will be news."""
        return self.found is None and self.error is None


def exact_search(request: SearchRequest) -> ExactSearch:
    """Starts the search, or looks whether it is done; a visitor's latest one is remembered."""
    state = st.session_state
    kept: tuple[SearchRequest, Pending[TranslationSearch]] | None = state.get(_KEY)
    if kept is None or kept[0] != request:
        kept = (request, backend().submit(request, deadline_seconds=_DEADLINE_SECONDS))
        state[_KEY] = kept
    pending = kept[1]
    if not pending.done():
        state[_SAID] = False
        return ExactSearch()
    try:
        return ExactSearch(found=pending.result())
    except SeqvizError as error:
        del state[_KEY]  # the next run asks once more
        return ExactSearch(error=error)


@st.fragment(run_every=_LOOK_SECONDS)
def wait_for_exact(request: SearchRequest, t: Translator) -> None:
    """Says that the search is under way, and draws the page anew when it is done."""
    kept = st.session_state.get(_KEY)
    if st.session_state.get(_SAID) and (kept is None or kept[0] != request or kept[1].done()):
        st.rerun()
    st.session_state[_SAID] = True  # the page itself is finished first
    st.caption(
        ":material/hourglass_top: "
        + t(
            "The exact search is looking for the most probable translation of all, at most {count} hypotheses …"
        ).format(count=request.config.max_expansions)
    )
