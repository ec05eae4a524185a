"""Background jobs of the app: orders with their errors kept for the next drawing, and a visitor's own runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.ui.backend import backend
from seqviz.backends.protocol import BackgroundJobs, JobView
from seqviz.errors import SeqvizError

_PROBLEM = "background-problem"
_OWN = "background-own"
_OWN_KEPT = 5


def jobs() -> BackgroundJobs:
    """The one registry for all visitors."""
    return backend().background


def tried(order: Callable[..., Any], *arguments: Any) -> Any:
    """Gives an order, for callbacks of buttons; what goes wrong is kept for ``problem``."""
    try:
        return order(*arguments)
    except SeqvizError as error:
        st.session_state[_PROBLEM] = error
        return None


def problem() -> SeqvizError | None:
    """What the last order led to, once."""
    error: SeqvizError | None = st.session_state.pop(_PROBLEM, None)
    return error


def remember(job_id: str) -> None:
    """Counts a job among those that the visitor has begun or seen in this window."""
    own = [name for name in st.session_state.get(_OWN, []) if name != job_id]
    st.session_state[_OWN] = [job_id, *own][:_OWN_KEPT]


def own_jobs() -> list[JobView[Any]]:
    """The visitor's jobs that are still remembered, the latest first."""
    found = []
    for job_id in st.session_state.get(_OWN, []):
        try:
            found.append(jobs().view(job_id))
        except SeqvizError:
            continue
    return found
