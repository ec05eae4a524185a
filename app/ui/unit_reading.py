"""Questions about a long text: numbers that are not there yet are made first, with progress and a way to stop."""

from __future__ import annotations

import time
from typing import TypeVar

import streamlit as st

from app.ui.backend import ask, backend, wait_started
from seqviz.backends.long_requests import LongRequest, ReadRequest
from seqviz.backends.protocol import Pending
from seqviz.backends.requests import TraceRequest
from seqviz.errors import TraceGoneError
from seqviz.i18n import Translator
from seqviz.units import Progress

AnswerT = TypeVar("AnswerT")
WAIT_SECONDS = 0.3
BAR_AFTER_SECONDS = 0.6
_STOPPED, _READ = "units-stopped", "units-read"


def ask_about(request: LongRequest[AnswerT], t: Translator) -> AnswerT:
    """Answers a question about a long text; reads the text first if no worker holds its numbers.

    Raises:
        SeqvizError: the text cannot be read, or the question cannot be answered.
    """
    for _ in range(3):  # other long texts may crowd this one out again
        try:
            return ask(request)
        except TraceGoneError:
            _read(request.run(), t)
    return ask(request)


def _read(run: TraceRequest, t: Translator) -> None:
    """Reads on and on until all numbers are there; ends the run of the page if the visitor stopped it."""
    if st.session_state.get(_STOPPED) == run:
        st.info(t("Stopped. What was read so far is kept for a while."), icon=":material/pause_circle:")
        st.button(t("Go on"), icon=":material/play_arrow:", on_click=go_on)
        st.stop()
    place = st.empty()
    pending = backend().submit(ReadRequest(trace=run))
    wait_started(pending.done)
    _wait(pending)
    if pending.done() and pending.result().finished:
        return
    with place.container():
        left, right = st.columns([6, 1], vertical_alignment="center")
        bar = left.progress(0.0, t("Reading ..."))
        # One run of the page may read several texts.
        number = st.session_state[_READ] = st.session_state.get(_READ, 0) + 1
        right.button(t("Stop"), key=f"units-stop-{number}", icon=":material/stop:", on_click=stop_reading, args=(run,))
    while not (progress := pending.result()).finished:
        bar.progress(progress.done / progress.total, _says(progress, t))
        if progress.waiting:
            time.sleep(WAIT_SECONDS)
        pending = backend().submit(ReadRequest(trace=run))
    place.empty()


def _wait(pending: Pending[Progress]) -> None:
    """A moment, so that a short text needs no bar that only flickers."""
    end = time.monotonic() + BAR_AFTER_SECONDS
    while not pending.done() and time.monotonic() < end:
        time.sleep(0.01)


def stop_reading(run: TraceRequest) -> None:
    """The page no longer asks for more of this text."""
    st.session_state[_STOPPED] = run


def go_on() -> None:
    """Reading goes on where it was stopped."""
    st.session_state.pop(_STOPPED, None)


def _says(progress: Progress, t: Translator) -> str:
    if progress.waiting:
        return t("Another long text is being read; yours is next.")
    return t("{done} of {total} steps through all layers · {seconds} s · {size} MB").format(
        done=f"{progress.done:,}",
        total=f"{progress.total:,}",
        seconds=f"{progress.seconds:.1f}",
        size=round(progress.num_bytes / 1e6),
    )
