"""The picture of a backward pass on the Gradients page: its options, its drawing, the moment in focus, its numbers."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.ui.backend import ask, show_error
from app.ui.charts import show_chart
from app.ui.figure import show_figure
from app.ui.focus import picture_focus
from app.ui.same_moment import moment_heading
from app.ui.settings import Settings, numbers_columns, page_theme
from app.ui.unroll_view import layer_name, sort_name
from app.ui.url import keep, take
from seqviz.backends.requests import BackwardRequest, GradientSumRequest
from seqviz.charts.backflow import Run, backflow_figure
from seqviz.charts.backflow_curves import Curve
from seqviz.charts.backflow_words import reach_sentence
from seqviz.charts.backward_equations import backward_equations
from seqviz.charts.figure import Figure
from seqviz.charts.gradient_scale import Scale, scientific
from seqviz.charts.gradient_sum import gradient_sum_chart, gradient_sum_rows, gradient_sum_sentence
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.unroll_layout import SORTS, UnrollFocus, UnrollOptions, resolved_focus
from seqviz.checkpoints import fingerprint
from seqviz.errors import SeqvizError
from seqviz.gradients import BackwardTrace, GradientSum
from seqviz.i18n import translator
from seqviz.traces import RecurrentTrace

CURVES = ("hidden_state", "cell_state", "embedding")
_FIGURE_KEY = "gradient-figure"


def picture_inputs(trace: RecurrentTrace, traces: list[BackwardTrace], settings: Settings) -> tuple[UnrollOptions, str]:
    """Draws the options of the picture; returns them and whose norms the curves show."""
    t = settings.t
    parts = {f"{part.layer}.{part.direction}": part for part in trace.layers}
    top = list(parts)[-2 if trace.layers[-1].direction == "backward" else -1]
    take("layer", list(parts), top)
    name = st.selectbox(t("Layer"), list(parts), key="layer", format_func=lambda name: layer_name(parts[name], t))
    keep("layer", top)
    part = parts[name]
    quantities = ["hidden_state", *(["cell_state"] if part.cell_state is not None else []), *part.block_names]
    take("quantity", quantities, quantities[0])
    quantity = st.selectbox(
        t("Heatmaps"),
        quantities,
        key="quantity",
        format_func=lambda name: (
            quantity_name(name, t)
            if name in ("hidden_state", "cell_state")
            else t("{block}, before its activation (δ)").format(block=quantity_name(name, t))
        ),
    )
    keep("quantity", quantities[0])
    known = [
        name for name in CURVES if name != "cell_state" or any(one.layers[0].cell_state is not None for one in traces)
    ]
    take("curve", known, known[0])
    curve = st.selectbox(
        t("Curves: norm of the gradient of"),
        known,
        key="curve",
        format_func=lambda name: quantity_name("input" if name == "embedding" else name, t),
    )
    keep("curve", known[0])
    take("sort", SORTS, SORTS[0])
    sort = st.selectbox(
        t("Order of units"),
        SORTS,
        key="sort",
        format_func=lambda name: sort_name(name, t),
    )
    keep("sort", SORTS[0])
    cells = part.cell_state is not None and st.toggle(
        t("Show the way through the cell states"), value=True, key="cells", bind="query-params"
    )
    options = UnrollOptions(
        font_size=settings.font_size,
        notation=settings.notation,
        layer=part.layer,
        direction=part.direction,
        quantity=quantity,
        sort=sort,
        show_cell_state=cells,
    )
    return options, curve


def drawn_backflow(
    requests: list[BackwardRequest],
    runs: list[Run],
    curves: list[Curve],
    *,
    curve: str,
    scale: Scale,
    options: UnrollOptions,
    language: str,
) -> Figure:
    """The picture, drawn once for all visitors who look at the same thing."""
    versions = tuple(fingerprint(request.trace.model) for request in requests)
    names = tuple(one.name for one in curves)
    return _drawn(tuple(requests), versions, names, curve, scale, options, language, runs, curves)


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn(
    requests: tuple[BackwardRequest, ...],
    versions: tuple[str, ...],
    names: tuple[str, ...],
    curve: str,
    scale: Scale,
    options: UnrollOptions,
    language: str,
    _runs: list[Run],
    _curves: list[Curve],
) -> Figure:
    # The runs follow from the requests and the models' versions, so they are no part of the key.
    del requests, versions, names
    return backflow_figure(
        _runs[0],
        compare=_runs[1] if len(_runs) > 1 else None,
        curves=_curves,
        curve=curve,
        scale=scale,
        options=options,
        t=translator(language),
        language=language.replace("_", "-"),
    )


@st.fragment
def backflow_view(
    figure: Figure,
    requests: list[BackwardRequest],
    runs: list[Run],
    options: UnrollOptions,
    says: list[str],
    settings: Settings,
) -> None:
    """The picture, what it says, and the numbers of the moment in focus; stepping reruns only this."""
    first = replace(options, focus=_first_focus(runs[0], options))
    focus = picture_focus(_FIGURE_KEY, runs[0].forward, first)
    show_figure(figure, key=_FIGURE_KEY, focus=focus.to_dict())
    st.caption("  \n".join(says))
    for letter, request, run in zip("AB", requests, runs, strict=False):
        place = resolved_focus(run.forward, UnrollOptions(focus=focus))
        _numbers(letter if len(runs) > 1 else "", request, run, place, settings)


def _first_focus(run: Run, options: UnrollOptions) -> UnrollFocus:
    """The step of the loss, the liveliest unit."""
    return replace(resolved_focus(run.forward, options), step=run.backward.loss_steps[-1])


def _numbers(letter: str, request: BackwardRequest, run: Run, focus: UnrollFocus, settings: Settings) -> None:
    """Equations on the left, the sum behind ∂L/∂h on the right."""
    t = settings.t
    part = run.forward.layer(focus.layer, focus.direction)
    if letter:
        st.subheader(f"{letter} · {run.forward.model}", anchor=False)
    moment_heading("gradients", letter, request.trace, run.forward, focus, t)
    try:
        found = ask(
            GradientSumRequest(
                backward=request, layer=focus.layer, direction=focus.direction, step=focus.step, unit=focus.unit
            )
        )
    except SeqvizError as error:
        show_error(error, t)
        return
    left, right = numbers_columns(settings)
    with left:
        st.caption(_arrived(run.backward, focus, settings))
        gradients = run.backward.layer(focus.layer, focus.direction)
        for equation in backward_equations(part, gradients, found, notation=settings.notation, t=t):
            st.markdown(rf"$\displaystyle {equation.latex}$")
            if equation.note:
                st.caption(equation.note)
    with right:
        show_chart(gradient_sum_chart(found, theme=page_theme(), font_size=settings.font_size, t=t))
        st.caption(gradient_sum_sentence(found, t))
        _addends(letter, found, settings)


def _arrived(backward: BackwardTrace, focus: UnrollFocus, settings: Settings) -> str:
    """How much of the loss reaches this step, beside the step where it starts."""
    t = settings.t
    norms = backward.norms(focus.layer, focus.direction)["hidden_state"]
    start = int(norms.argmax())
    if norms[focus.step] == 0:
        return t("Nothing of this loss reaches ‘{token}’.").format(token=visible(backward.originals[focus.step]))
    if focus.step == start:
        return t("‖∂L/∂h‖ at ‘{token}’: {norm}, the largest of all steps.").format(
            token=visible(backward.originals[start]), norm=scientific(float(norms[start]), 4)
        )
    return t("‖∂L/∂h‖ at ‘{token}’: {norm}, {share} times the largest, which stands at ‘{other}’.").format(
        token=visible(backward.originals[focus.step]),
        norm=scientific(float(norms[focus.step]), 4),
        share=scientific(float(norms[focus.step] / norms[start]), 3),
        other=visible(backward.originals[start]),
    )


def _addends(letter: str, found: GradientSum, settings: Settings) -> None:
    t = settings.t
    with st.expander(t("Every addend, and the same in PyTorch")):
        titles = {"label": t("source"), "weight": t("weight"), "value": t("error"), "product": t("product")}
        rows = [
            {title: getattr(row, name) for name, title in {**titles, "running": t("running sum")}.items()}
            for row in gradient_sum_rows(found, count=60, t=t)
        ]
        st.dataframe(rows, hide_index=True, height=260, key=f"addends-{letter}")
        st.code(found.snippet, language="python")


def reach_captions(runs: list[Run], others: list[Curve], options: UnrollOptions, settings: Settings) -> list[str]:
    """One sentence a model: how much is left at the far end of the text."""
    named = [(run.backward.model, run.backward) for run in runs] + [(one.name, one.trace) for one in others]
    layer = options.layer or 0
    return [
        f"**{name}** · {reach_sentence(trace, layer=layer, direction=options.direction, t=settings.t)}"
        for name, trace in named
    ]
