"""The cliff of a run: the loss around the weights where it jumped, measured in the run's own process."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.ui.backend import show_error
from app.ui.background import jobs
from app.ui.charts import chart_files, show_chart
from app.ui.clipping_picture import show_gradient
from app.ui.downloads import Download, download_popover
from app.ui.settings import Settings, look_of, page_theme
from app.ui.url import keep, take
from seqviz.backends.background_requests import CliffCommand, ClippingRunRequest
from seqviz.backends.protocol import JobView
from seqviz.charts.cliff import cliff_chart, cliff_lines, cliff_surface, second_name
from seqviz.charts.clipping_text import variant_name
from seqviz.charts.surface_files import surface_html
from seqviz.clipping import CLIFF_DIRECTIONS, Cliff, CliffDirection, RunNews, merged
from seqviz.errors import SeqvizError


def cliff_section(view: JobView[RunNews], settings: Settings) -> None:
    """Choices and pictures of the cliff; while the run is at work, a sentence."""
    t = settings.t
    curves = {str(c.variant.number): c for c in merged(view.records) if c.jump is not None}
    if view.active or not curves:
        st.caption(t("Once the run is paused or over, the loss around its largest jump can be measured here."))
        return
    left, middle, right = st.columns([4, 3, 2], vertical_alignment="bottom")
    first = next(iter(curves))
    take("cliff_of", list(curves), first)
    number = left.selectbox(
        t("Jump of"),
        list(curves),
        key="cliff_of",
        format_func=lambda name: t("{name}: behind step {step}").format(
            name=variant_name(curves[name].variant, t), step=curves[name].jump
        ),
    )
    keep("cliff_of", first)
    take("across", CLIFF_DIRECTIONS, CLIFF_DIRECTIONS[0])
    across: CliffDirection = middle.selectbox(
        t("Second direction of the surface"),
        CLIFF_DIRECTIONS,
        key="across",
        format_func=lambda name: second_name(name, t),
    )
    keep("across", CLIFF_DIRECTIONS[0])
    wanted = right.toggle(t("Measure the loss"), key="cliff", bind="query-params")
    if not wanted:
        return
    try:
        with st.spinner(t("The run's process measures the loss around the jump …")):
            found = _measured(view.id, curves[number].jump, CliffCommand(variant=int(number), second=across))
    except SeqvizError as error:
        show_error(error, t)
        return
    _pictures(found, view, settings)


@st.cache_resource(show_spinner=False, max_entries=16)
def _measured(job_id: str, jump: int | None, command: CliffCommand) -> Cliff:
    """Measured once for all who look; the jump is a part of the key, since a run that goes on may find a larger one."""
    del jump
    return jobs().ask(job_id, command)


def _pictures(cliff: Cliff, view: JobView[RunNews], settings: Settings) -> None:
    t, theme = settings.t, page_theme()
    first, *steps, last = cliff_lines(cliff, t)
    st.markdown("\n".join([first, "", *(f"- {line}" for line in steps), "", last]))
    far, close = (partial(cliff_chart, cliff, near=near, **look_of(settings)) for near in (False, True))
    for place, chart in zip(st.columns(2), (far, close), strict=True):
        with place:
            show_chart(chart())
    st.caption(
        t(
            "All losses are of the batch of step {step}. A point beside the curve: its update does not go along the "
            "gradient. The surface spans the negative gradient and, across it, {second}."
        ).format(step=cliff.step, second=second_name(cliff.second, t))
    )
    surface = cliff_surface(cliff, **look_of(settings))
    st.plotly_chart(surface, theme=None, key="cliff-surface")
    files = [
        *chart_files(far, name=t("As far as the longest update"), ending="far", t=t),
        *chart_files(close, name=t("Close to the weights"), ending="near", t=t),
        Download(
            label=t("Surface") + ": " + t("Interactive page, HTML (works offline)"),
            ending="surface.html",
            mime="text/html",
            make=lambda: surface_html(
                surface,
                theme=theme,
                title=t("The cliff"),
                alt=" ".join(cliff_lines(cliff, t)),
                font_size=settings.font_size,
                language=settings.language.replace("_", "-"),
            ),
        ),
    ]
    with st.columns([3, 1])[1]:
        download_popover(files, name="cliff", t=t, key="cliff-files")
    request = view.request
    if isinstance(request, ClippingRunRequest):
        names = ", ".join(name for name, _ in cliff.largest)
        st.button(
            t("Clip the two largest derivatives of this gradient in the picture"),
            icon=":material/arrow_upward:",
            key="cliff-gradient",
            help=names,
            on_click=show_gradient,
            args=(cliff, request.config.threshold, request.config.value_threshold),
        )
