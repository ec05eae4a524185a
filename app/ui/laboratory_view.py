"""The view "Laboratory" of the Gradients page: fresh cells, the memory cell, and trained models' Jacobians."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from app.ui.backend import backend, show_error, wait_started
from app.ui.charts import show_chart
from app.ui.gradient_inputs import reading_inputs, scale_input
from app.ui.laboratory_downloads import laboratory_downloads
from app.ui.laboratory_inputs import CELL_TITLES, fresh_inputs, memory_inputs, mode_input
from app.ui.settings import Settings, page_theme
from app.ui.url import keep, take
from seqviz.backends.requests import (
    ActivationsRequest,
    CurvesRequest,
    Request,
    SpectraRequest,
    TraceRequest,
    TrainedSpectraRequest,
)
from seqviz.charts.activations import activation_chart, slope_sentence
from seqviz.charts.gradient_scale import Scale
from seqviz.charts.laboratory import (
    QUANTITIES,
    Quantity,
    cell_name,
    memory_cell_chart,
    memory_names,
    norm_curve_chart,
    sentences,
)
from seqviz.charts.palette import cell_categories
from seqviz.charts.product_norms import product_norm_chart
from seqviz.charts.spectra import product_sentence, product_spectrum_chart, step_sentence, step_spectrum_chart
from seqviz.checkpoints import CheckpointInfo
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.laboratory import LaboratoryConfig, Spectra
from seqviz.types import Direction

AnswerT = TypeVar("AnswerT")
DEADLINE_SECONDS = 60.0
PARTS = ("state", "cell_state")
KINDS = ("steps", "products")


def laboratory_view(models: dict[str, CheckpointInfo], settings: Settings) -> None:
    """All of the view."""
    t = settings.t
    mode = mode_input(t)
    try:
        if mode == "trained":
            _trained(models, settings)
        elif mode == "memory":
            _memory(settings)
        else:
            _fresh(settings)
    except SeqvizError as error:
        show_error(error, t)


def ask_with_progress(requests: Sequence[Request[AnswerT]], t: Translator) -> list[AnswerT]:
    """Asks side by side; a bar counts the answers once it takes longer than a moment. Raises the first error."""
    futures = [backend().submit(request, deadline_seconds=DEADLINE_SECONDS) for request in requests]
    wait_started(lambda: all(future.done() for future in futures))
    place, started, shown = st.empty(), time.monotonic(), -1
    while (done := sum(future.done() for future in futures)) < len(futures):
        if done != shown and time.monotonic() - started > 0.3:
            text = t("{done} of {count} computations are done").format(done=done, count=len(futures))
            place.progress(done / len(futures), text)
            shown = done
        time.sleep(0.01)
    place.empty()
    return [future.result() for future in futures]


def _fresh(settings: Settings) -> None:
    t = settings.t
    config = fresh_inputs(t)
    configs = config.each()
    curves = ask_with_progress([CurvesRequest(config=one) for one in configs], t)
    names = [cell_name(one, t) for one in configs]
    place = st.container()  # the picture first, its switches below it
    quantity, scale = _curve_inputs(config, t)
    words = sentences(curves, names=names, quantity=quantity, t=t)
    chart = norm_curve_chart(
        curves,
        names=names,
        colours=cell_categories([one.cells[0] for one in configs]),
        quantity=quantity,
        scale=scale,
        theme=page_theme(),
        font_size=settings.font_size,
        t=t,
    )
    with place:
        st.markdown(f"**{words[0]}**")
        show_chart(chart)
        if words[1:]:
            st.caption(" ".join(words[1:]))
    if "rnn" in config.cells:
        _activations(config.activation, settings)
    spectra = _jacobians(configs, settings)
    laboratory_downloads(chart, curves, spectra, name="laboratory", t=t)


def _curve_inputs(config: LaboratoryConfig, t: Translator) -> tuple[Quantity, Scale]:
    left, right = st.columns(2, vertical_alignment="bottom")
    quantity: Quantity = QUANTITIES[0]
    if "lstm" in config.cells:
        take("carrier", QUANTITIES, QUANTITIES[0])
        left.segmented_control(
            t("Gradient of"),
            QUANTITIES,
            required=True,
            key="carrier",
            wrap=True,
            format_func=lambda name: {
                "memory": t("the memory: h, in the LSTM c"),
                "hidden_state": t("the hidden state h in all"),
            }[name],
        )
        keep("carrier", QUANTITIES[0])
        quantity = st.session_state["carrier"]
    return quantity, scale_input(t, right)


def _activations(chosen: str, settings: Settings) -> None:
    t = settings.t
    box = st.expander(
        t("Activations and their slopes"),
        icon=":material/show_chart:",
        key="slopes",
        on_change="rerun",
        bind="query-params",
    )
    if not box.open:  # nothing is asked and drawn that nobody sees
        return
    with box:
        left, right = st.columns([3, 2], vertical_alignment="center")
        (found,) = ask_with_progress([ActivationsRequest()], t)
        with left:
            show_chart(activation_chart(found, chosen=chosen, theme=page_theme(), font_size=settings.font_size, t=t))
        right.markdown(slope_sentence(chosen, t=t))
        right.latex(_jacobian_equation(settings))


def _jacobians(configs: Sequence[LaboratoryConfig], settings: Settings) -> list[Spectra]:
    """One seed's Jacobians of one of the cells: steps and products."""
    t = settings.t
    st.subheader(t("Why: the Jacobian of every step"), anchor=False)
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    cells = [one.cells[0] for one in configs]
    take("of", cells, cells[0])
    cell = left.segmented_control(t("Cell"), cells, required=True, key="of", format_func=CELL_TITLES.__getitem__)
    keep("of", cells[0])
    config = configs[cells.index(cell or cells[0])]
    part = _part_input(middle, t) if cell == "lstm" else PARTS[0]
    seeds = [str(seed) for seed in range(1, config.num_seeds + 1)]
    take("seed", seeds, seeds[0])
    seed = right.selectbox(t("Seed"), seeds, key="seed")
    keep("seed", seeds[0])
    requests = [SpectraRequest(config=config, seed=int(seed), kind=kind, part=part) for kind in KINDS]
    spectra = ask_with_progress(requests, t)
    _spectra(spectra, settings)
    return spectra


def _part_input(place: st.delta_generator.DeltaGenerator, t: Translator) -> str:
    take("part", PARTS, PARTS[0])
    part = place.segmented_control(
        t("State"),
        PARTS,
        required=True,
        key="part",
        format_func=lambda name: {"state": t("(h, c)"), "cell_state": t("c alone")}[name],
        help=t("c alone: ∂c_t/∂c_{t-1} with h held, the path that the forget gate keeps open."),
    )
    keep("part", PARTS[0])
    return part or PARTS[0]


def _spectra(spectra: Sequence[Spectra], settings: Settings) -> None:
    t, size = settings.t, settings.font_size
    steps, products = spectra
    left, right = st.columns(2)
    with left:
        show_chart(step_spectrum_chart(steps, theme=page_theme(), font_size=size, t=t))
        st.caption(step_sentence(steps, t=t))
    with right:
        show_chart(product_spectrum_chart(products, steps=steps, theme=page_theme(), font_size=size, t=t))
        st.caption(product_sentence(products, t=t))
    if products.num_steps < products.total_steps or len(products.places) < products.num_steps:
        st.caption(
            t(
                "The matrices are large: of {total} steps the last {count} are multiplied, and {chosen} of these "
                "products are decomposed."
            ).format(total=products.total_steps, count=products.num_steps, chosen=len(products.places))
        )


def _memory(settings: Settings) -> None:
    t = settings.t
    configs = memory_inputs(t)
    curves = ask_with_progress([CurvesRequest(config=one) for one in configs], t)
    words = sentences(curves, names=memory_names(curves, t), t=t)
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.markdown(f"**{words[0]}**")
    right.latex(_memory_equation(settings))
    chart = memory_cell_chart(curves, theme=page_theme(), font_size=settings.font_size, t=t)
    show_chart(chart)
    if words[1:]:
        st.caption(" ".join(words[1:]))
    st.caption(
        t(
            "A linear unit that is linked to itself: each step back multiplies the gradient by the weight of the link. "
            "Only at weight 1 it arrives as it left, after any number of steps. The LSTM's cell is such a unit; its "
            "forget gate is the weight."
        )
    )
    laboratory_downloads(chart, curves, [], name="memory-cell", t=t)


def _trained(models: dict[str, CheckpointInfo], settings: Settings) -> None:
    t = settings.t
    reading = reading_inputs(models, t, choices=("cells", "none"))
    own, others = reading.request.model, reading.siblings
    config = models[own].config
    left, right = (reading.loss_place or st.container()), st.container()
    directions: tuple[Direction, ...] = ("forward", "backward") if config.bidirectional else ("forward",)
    places = {f"{layer}.{name}": (layer, name) for layer in range(config.num_layers) for name in directions}
    first = next(iter(places))
    take("layer", list(places), first)
    layer, direction = places[
        left.selectbox(
            t("Layer"),
            list(places),
            key="layer",
            format_func=lambda key: t("{layer}, {direction}").format(
                layer=places[key][0] + 1, direction=t("forward") if places[key][1] == "forward" else t("backward")
            ),
        )
    ]
    keep("layer", first)
    part = _part_input(right, t) if config.cell.startswith("lstm") else PARTS[0]

    def request(model: str, kind: str, part: str = PARTS[0]) -> TrainedSpectraRequest:
        trace = TraceRequest(model=model, text=reading.request.text)
        return TrainedSpectraRequest(trace=trace, kind=kind, layer=layer, direction=direction, part=part)

    requests = [request(own, kind, part) for kind in KINDS] + [request(model, KINDS[1]) for model in others]
    steps, products, *beside = ask_with_progress(requests, t)
    if beside:
        show_chart(
            product_norm_chart(
                [products, *beside],
                names=[models[model].title for model in (own, *others)],
                colours=cell_categories([models[model].config.cell for model in (own, *others)]),
                theme=page_theme(),
                font_size=settings.font_size,
                t=t,
            )
        )
    _spectra((steps, products), settings)
    chart = product_spectrum_chart(products, steps=steps, theme=page_theme(), font_size=settings.font_size, t=t)
    laboratory_downloads(chart, [], [steps, products], name=f"jacobians-{own}", t=t)


def _jacobian_equation(settings: Settings) -> str:
    if settings.notation == "ng":
        return (
            r"\frac{\partial a^{\langle t\rangle}}{\partial a^{\langle t-1\rangle}} = "
            r"\operatorname{diag}\bigl(g'(z^{\langle t\rangle})\bigr)\, W_{aa}"
        )
    return r"\frac{\partial H_t}{\partial H_{t-1}} = W_{hh}\,\operatorname{diag}\bigl(g'(Z_t)\bigr)"


def _memory_equation(settings: Settings) -> str:
    if settings.notation == "ng":
        return (
            r"c^{\langle t\rangle} = w\, c^{\langle t-1\rangle} + \dots \qquad "
            r"\frac{\partial L}{\partial c^{\langle t-k\rangle}} = w^k \frac{\partial L}{\partial c^{\langle t\rangle}}"
        )
    return r"C_t = w\, C_{t-1} + \dots \qquad \frac{\partial L}{\partial C_{t-k}} = w^k \frac{\partial L}{\partial C_t}"
