"""The view "Clipping" of the Gradients page (syllabus B5): one gradient, a live run, and the cliff."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import show_error
from app.ui.background import jobs, own_jobs, problem
from app.ui.clipping_cliff import cliff_section
from app.ui.clipping_inputs import clipping_inputs
from app.ui.clipping_picture import PART, clipping_picture
from app.ui.clipping_run import RUN, condition_name, config_sentence, run_panel, shown_run, start_run
from app.ui.settings import Settings
from app.ui.url import keep, take
from seqviz.backends.background_requests import ClippingRunRequest

PARTS = ("gradient", "training")


def clipping_view(settings: Settings) -> None:
    """Draws the whole view."""
    t = settings.t
    # A link to a run shows the run.
    default = PARTS[1] if RUN in st.query_params else PARTS[0]
    take(PART, PARTS, default)
    part = st.segmented_control(
        t("Part"),
        PARTS,
        required=True,
        key=PART,
        label_visibility="collapsed",
        format_func=lambda name: {"gradient": t("One gradient"), "training": t("Training runs side by side")}[name],
    )
    keep(PART, default)
    if part == "gradient":
        if not settings.presenter:  # whoever projects explains it, and the picture gets the room
            says = t(
                "Clipping by norm shortens a gradient and keeps its direction; clipping by value cuts every component."
            )
            formula = r"\hat{g} = \min\!\left(1, \frac{\theta}{\lVert g \rVert}\right) g"
            st.markdown(rf"$\displaystyle {formula}$ &emsp; {says}")
        clipping_picture(settings)
        return
    view = shown_run()
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
            on_click=start_run,
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
                on_click=_show,
                args=(view.id,),
            )


def _show(job_id: str) -> None:
    st.query_params[RUN] = job_id
