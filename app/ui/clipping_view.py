"""The view "Clipping" of the Gradients page (syllabus B5): one gradient, a live run, and the cliff."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import show_error
from app.ui.background import jobs, own_jobs, problem
from app.ui.clipping_cliff import cliff_section
from app.ui.clipping_inputs import clipping_inputs
from app.ui.clipping_picture import PART, clipping_picture
from app.ui.clipping_run import RUN, config_sentence, run_panel
from app.ui.job_view import condition_name, linked_job, show_job, start_job
from app.ui.settings import Settings
from app.ui.views import view_choice
from seqviz.backends.background_requests import ClippingRunRequest
from seqviz.clipping import ClippingConfig


def clipping_view(settings: Settings) -> None:
    """Draws the whole view."""
    t = settings.t
    # A link to a run shows the run.
    part = view_choice(
        {"gradient": t("One gradient"), "training": t("Training runs side by side")},
        t,
        key=PART,
        label=t("Part"),
        first="training" if RUN in st.query_params else "gradient",
    )
    if part == "gradient":
        if not settings.presenter:  # whoever projects explains it, and the picture gets the room
            says = t(
                "Clipping by norm shortens a gradient and keeps its direction; clipping by value cuts every component."
            )
            formula = r"\hat{g} = \min\!\left(1, \frac{\theta}{\lVert g \rVert}\right) g"
            st.markdown(rf"$\displaystyle {formula}$ &emsp; {says}")
        clipping_picture(settings)
        return
    view = linked_job(RUN, ClippingRunRequest)
    if view is None:
        _setup(settings)
        return
    run_panel(view, settings)
    with st.expander(t("Set up another run"), icon=":material/add:"):  # drawn always: so its values stay in the URL
        _setup(settings, shown=view.id)
    st.subheader(t("The cliff"), anchor=False)
    cliff_section(view, settings)


def _setup(settings: Settings, *, shown: str = "") -> None:
    """Inputs and the button that begins a run, and the way back to earlier ones."""
    t = settings.t
    if not shown:
        jobs().prepare()
    st.caption(
        t(
            "The same first weights, the same data in the same order, only the clipping differs. The runs are trained "
            "now, in a process of their own, and go on while you look at other pages."
        )
    )
    config = clipping_inputs(t)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("Start the run"),
            icon=":material/play_arrow:",
            type="primary",
            key="run-start",
            disabled=config is None,
            on_click=_start,
            args=(config,),
        )
    if (error := problem()) is not None:
        show_error(error, t)
    for view in own_jobs():
        if isinstance(view.request, ClippingRunRequest) and view.id != shown:
            st.button(
                t("Back to your run ({state}): {what}").format(
                    state=condition_name(view, t), what=config_sentence(view.request.config, t)
                ),
                icon=":material/history:",
                type="tertiary",
                key=f"own-{view.id}",
                on_click=show_job,
                args=(RUN, view.id),
            )


def _start(config: ClippingConfig) -> None:
    start_job(RUN, ClippingRunRequest(config=config))
