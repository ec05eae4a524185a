"""A background job on a page: the one that the URL names, drawn anew while it is at work, with its buttons."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.ui.background import jobs, remember, tried
from seqviz.backends.background_requests import JobRequest
from seqviz.backends.protocol import JobView
from seqviz.i18n import Translator

REFRESH_SECONDS, PAUSED_SECONDS = 1.0, 5.0
_SETTLE_SECONDS = 1.0


def start_job(key: str, request: JobRequest[Any]) -> None:
    """Begins a job and shows it; ``key`` is the query parameter that names it."""
    job_id = tried(jobs().start, request)
    if job_id is not None:
        show_job(key, job_id)


def show_job(key: str, job_id: str) -> None:
    """The page shows this job from now on."""
    st.query_params[key] = job_id


def linked_job(key: str, kind: type[JobRequest[Any]]) -> JobView[Any] | None:
    """The job that the URL names; None if it names none, or none of this kind that is still known."""
    job_id = st.query_params.get(key)
    if not job_id:
        return None
    view: JobView[Any] | None = tried(jobs().view, job_id)
    if view is None or not isinstance(view.request, kind):
        del st.query_params[key]
        return None
    remember(job_id)
    return view


def live_panel(view: JobView[Any], panel: Callable[..., None], *arguments: Any, name: str) -> None:
    """Draws ``panel(job id, *arguments, watching=...)``; as long as the job is at work, only this is drawn anew.

    Args:
        view: the job.
        panel: what draws it.
        arguments: handed to it.
        name: of the panel's element.
    """
    # A paused job is looked at now and then: it may be resumed in another tab.
    every = REFRESH_SECONDS if view.active else PAUSED_SECONDS if view.condition == "paused" else None
    with st.container(key=name):
        # Streamlit dims what a slow rerun has not reached yet; what is drawn anew every second would flicker.
        st.html(f"<style>.st-key-{name} [data-stale=true]{{opacity:1!important;transition:none!important}}</style>")
        st.fragment(panel, run_every=every)(view.id, *arguments, watching=view.active)


def condition_name(view: JobView[Any], t: Translator) -> str:
    """How a job is, in a word or two."""
    return {
        "starting": t("starting"),
        "running": t("running"),
        "paused": t("paused"),
        "finished": t("finished"),
        "stopped": t("stopped"),
        "failed": t("failed"),
    }[view.condition]


def job_buttons(view: JobView[Any], t: Translator, *, prefix: str, stop: str) -> None:
    """Draws pause or resume, and the button that ends the job.

    Args:
        view: the job.
        t: the reader's language.
        prefix: of the buttons' keys.
        stop: what the last one says.
    """
    if view.condition == "paused":
        st.button(
            t("Resume"), icon=":material/play_arrow:", key=f"{prefix}-resume", type="primary",
            on_click=_order, args=("resume", view.id), disabled=not view.answers,
        )  # fmt: skip
    else:
        st.button(
            t("Pause"), icon=":material/pause:", key=f"{prefix}-pause",
            on_click=_order, args=("pause", view.id), disabled=not view.active,
        )  # fmt: skip
    st.button(
        stop, icon=":material/stop:", key=f"{prefix}-stop", on_click=_order, args=("stop", view.id),
        disabled=not (view.active or view.condition == "paused"),
    )  # fmt: skip


def _order(name: str, job_id: str) -> None:
    """Gives an order and waits a moment for it to be obeyed, so that the page shows its effect."""
    before = tried(jobs().view, job_id)
    tried(getattr(jobs(), name), job_id)
    end = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < end:
        view = tried(jobs().view, job_id)
        if view is None or before is None or view.condition != before.condition:
            return
        time.sleep(0.03)
