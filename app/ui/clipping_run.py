"""One clipping run on the page: how it stands, its buttons, its curves, its forks; drawn anew while it is at work."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import show_error
from app.ui.background import jobs, problem, tried
from app.ui.downloads import Download, download_popover, figure_files
from app.ui.job_view import condition_name, job_buttons, live_panel
from app.ui.live_figure import show_live_figure
from app.ui.settings import Settings
from app.ui.url import keep, take
from seqviz.backends.background_requests import ClippingRunRequest, ForkCommand
from seqviz.backends.protocol import JobView
from seqviz.charts.clipping_curves import clipping_figure
from seqviz.charts.clipping_text import (
    cell_names,
    clipping_name,
    initialisation_names,
    task_name,
    variant_name,
)
from seqviz.charts.figure import Figure
from seqviz.clipping import CLIPPINGS, Clipping, ClippingConfig, RunNews, VariantCurve, merged
from seqviz.errors import SeqvizError
from seqviz.export import clipping_csv, clipping_json
from seqviz.i18n import Translator, translator

RUN = "run"
STEP_AXES = ("linear", "log")


def run_panel(view: JobView[RunNews], settings: Settings) -> None:
    """Everything of a run; as long as it is at work, only this is drawn anew, once a second."""
    live_panel(view, _panel, settings, name="clipping-run")


def _panel(job_id: str, settings: Settings, *, watching: bool) -> None:
    t = settings.t
    try:
        view: JobView[RunNews] = jobs().view(job_id)
    except SeqvizError as error:
        show_error(error, t)
        return
    if view.active != watching:
        st.rerun()  # the page has to look at it more often, or no longer
    config = _config(view)
    curves = merged(view.records)
    _state_line(view, curves, config, t)
    with st.container(horizontal=True, vertical_alignment="center"):
        job_buttons(view, t, prefix="run", stop=t("Stop"))
        if curves:
            _fork(view, curves, config, t)
            _downloads(view, curves, config, settings)
            log_steps = _step_axis(t)
    for trouble in (problem(), view.error):
        if trouble is not None:
            show_error(trouble, t)
    if curves:
        show_live_figure(_figure(view, curves, config, settings, log_steps=log_steps), key="clipping-curves")
    st.caption(config_sentence(config, t))


def _figure(
    view: JobView[RunNews],
    curves: tuple[VariantCurve, ...],
    config: ClippingConfig,
    settings: Settings,
    *,
    log_steps: bool,
) -> Figure:
    return _drawn(view.id, len(view.records), config, settings.language, settings.font_size, log_steps, curves)


def _downloads(
    view: JobView[RunNews], curves: tuple[VariantCurve, ...], config: ClippingConfig, settings: Settings
) -> None:
    t = settings.t
    figure = _figure(view, curves, config, settings, log_steps=st.session_state.get("step_axis") == "log")
    files = figure_files(lambda: figure, name="", ending="", t=t)
    for label, ending, mime, make in (
        (t("Every number, JSON"), "json", "application/json", lambda: clipping_json(curves, config)),
        (t("Every number, CSV"), "csv", "text/csv", lambda: clipping_csv(curves)),
    ):
        files.append(Download(label=label, ending=ending, mime=mime, make=make))
    download_popover(files, name="clipping-curves", t=t, key="curves")


def config_sentence(config: ClippingConfig, t: Translator) -> str:
    """What a run was set up with."""
    return t(
        "{task}, length {length} · {cell}, {units} units, {initialisation} · {optimiser}, learning rate {rate} · "
        "{batch} sequences a step · {steps} steps · seed {seed}"
    ).format(
        task=task_name(config, t),
        length=config.length,
        cell=cell_names(t)[config.cell],
        units=config.hidden_size,
        initialisation=initialisation_names(t)[config.initialisation],
        optimiser={"sgd": "SGD", "adam": "Adam"}[config.optimiser],
        rate=f"{config.learning_rate:g}",
        batch=config.batch_size,
        steps=config.steps,
        seed=config.seed,
    )


def progress(curves: tuple[VariantCurve, ...]) -> int:
    """The step that all variants have behind them, those that diverged left out."""
    steps = [curve.last_step for curve in curves if curve.divergence is None]
    return min(steps) if steps else max((curve.last_step for curve in curves), default=0)


def _state_line(
    view: JobView[RunNews], curves: tuple[VariantCurve, ...], config: ClippingConfig, t: Translator
) -> None:
    step = progress(curves)
    text = t("{state}: step {step} of {steps}").format(state=condition_name(view, t), step=step, steps=config.steps)
    left = view.records[-1].seconds_left if view.records else None
    if view.active and left is not None:
        text += " · " + t("about {seconds} s left").format(seconds=max(1, round(left)))
    st.progress(min(1.0, step / config.steps), text=text)


def _step_axis(t: Translator) -> bool:
    take("step_axis", STEP_AXES, STEP_AXES[0])
    chosen = st.segmented_control(
        t("Axis of steps"),
        STEP_AXES,
        required=True,
        key="step_axis",
        label_visibility="collapsed",
        format_func=lambda name: {"linear": t("steps evenly"), "log": t("steps on a log axis")}[name],
    )
    keep("step_axis", STEP_AXES[0])
    return chosen == "log"


@st.cache_resource(show_spinner=False, max_entries=32)
def _drawn(
    job_id: str,
    records: int,
    config: ClippingConfig,
    language: str,
    font_size: int,
    log_steps: bool,  # noqa: FBT001 (a part of the key)
    _curves: tuple[VariantCurve, ...],
) -> Figure:
    """Drawn once for all who watch the same run."""
    del job_id, records
    return clipping_figure(
        _curves,
        config,
        log_steps=log_steps,
        font_size=font_size,
        t=translator(language),
        language=language.replace("_", "-"),
    )


def _fork(view: JobView[RunNews], curves: tuple[VariantCurve, ...], config: ClippingConfig, t: Translator) -> None:
    """Another θ from here on, as a branch."""
    possible = view.answers and view.condition not in ("stopped", "failed", "starting")
    with st.popover(t("Change θ and fork"), icon=":material/call_split:", disabled=not possible):
        st.caption(
            t("A new variant goes on from the weights and the place in the data of another one, clipped its own way.")
        )
        names = {curve.variant.number: variant_name(curve.variant, t) for curve in curves}
        first = next((i for i, one in enumerate(curves) if one.variant.clipping == "norm"), 0)
        parent = st.selectbox(t("From"), list(names), first, key="fork_parent", format_func=names.__getitem__)
        curve = next(one for one in curves if one.variant.number == parent)
        where = {"now": t("where it is now"), "jump": t("before its jump")}
        over = curve.divergence is not None or curve.last_step >= config.steps
        options = ["jump"] if over else ["now", "jump"] if curve.jump else ["now"]
        left, right = st.columns([3, 2])
        place = left.segmented_control(
            t("Begin"), options, default=options[0], required=True, key=f"fork_place_{'_'.join(options)}",
            format_func=where.__getitem__,
        )  # fmt: skip
        clipping: Clipping = st.segmented_control(
            t("Clipping"), CLIPPINGS, default="norm", required=True, key="fork_clipping",
            format_func=lambda name: clipping_name(name, t),
        )  # fmt: skip
        threshold = right.number_input("θ", value=config.threshold / 5, format="%g", key="fork_threshold")
        command = ForkCommand(
            parent=parent, clipping=clipping, threshold=float(threshold or 0.0), before_jump=place == "jump"
        )
        st.button(t("Fork"), icon=":material/call_split:", key="run-fork", on_click=_forked, args=(view, command))


def _forked(view: JobView[RunNews], command: ForkCommand) -> None:
    if tried(jobs().ask, view.id, command) is not None and view.condition == "finished":
        tried(jobs().resume, view.id)


def _config(view: JobView[RunNews]) -> ClippingConfig:
    request = view.request
    assert isinstance(request, ClippingRunRequest)  # noqa: S101 (the view has looked)
    return request.config
