"""Gradients: a loss carried back, what a shared matrix adds up, long dependencies, the laboratory's cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from seqviz.backends.requests import (
    ActivationsRequest,
    AgreementRequest,
    BackwardRequest,
    CurvesRequest,
    GradientSumRequest,
    SpectraRequest,
    TraceRequest,
    TrainedSpectraRequest,
)
from seqviz.charts.activations import activation_chart, activation_name
from seqviz.charts.agreement import agreement_chart
from seqviz.charts.backflow import Run, backflow_figure
from seqviz.charts.backflow_curves import Curve
from seqviz.charts.figure import Figure
from seqviz.charts.gradient_scale import Scale
from seqviz.charts.gradient_sum import gradient_sum_chart
from seqviz.charts.laboratory import Quantity, cell_name, memory_cell_chart, memory_names, norm_curve_chart
from seqviz.charts.palette import cell_categories
from seqviz.charts.product_norms import product_norm_chart
from seqviz.charts.shared_weights import weight_contribution_chart, weight_tiles_chart
from seqviz.charts.spectra import product_spectrum_chart, step_spectrum_chart
from seqviz.charts.unroll_alt import cell_title
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.checkpoints import read_info
from seqviz.config import check_range
from seqviz.errors import unknown_name
from seqviz.examples import CLAUSE
from seqviz.laboratory import ACTIVATIONS, LaboratoryConfig
from seqviz.laboratory_examples import MEMORY_DIFFERENCES, memory_configs
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask, chart_picture, focus_of, traced
from seqviz.types import Direction

WORD_MODELS = ("wikitext-rnn", "wikitext-gru", "wikitext-lstm")


def gradients(
    model: str,
    text: str,
    *,
    loss_step: int | None = None,
    multiplier: float = 1.0,
    beside: Sequence[str] = (),
    scale: Scale = "log",
    layer: int | None = None,
    appearance: Appearance = DEFAULT,
) -> Figure:
    """A loss on its way back through time (the app's Gradients).

    Args:
        model: name of a checkpoint.
        text: the sentence.
        loss_step: the step whose loss goes back, from 0; None for the sum of all.
        multiplier: factor on the error of the last loss.
        beside: models of which only the norms are drawn.
        scale: ``"log"`` or ``"relative"``.
        layer: of the heatmaps, from 0; None for the top one.
        appearance: how it looks.
    """
    trace = TraceRequest(model=model, text=text)
    run = Run(
        forward=ask(trace),
        backward=ask(BackwardRequest(trace=trace, loss_step=loss_step, multiplier=multiplier)),
    )
    curves = []
    for name in beside:
        other = BackwardRequest(trace=TraceRequest(model=name, text=text), loss_step=loss_step, multiplier=multiplier)
        curves.append(Curve(trace=ask(other), name=name))
    if layer is not None:
        focus_of(run.forward, layer=layer)  # or its error
    options = UnrollOptions(
        font_size=appearance.font_size, notation=appearance.notation, layer=layer, show_cell_state=True
    )
    return backflow_figure(run, curves=curves, scale=scale, options=options, t=appearance.t, language=appearance.tag)


def shared_weights(
    model: str,
    text: str,
    *,
    matrix: str = "weight_hidden",
    layer: int = 0,
    loss_step: int | None = None,
    drawn: Literal["steps", "tiles"] = "steps",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """What every step adds to the gradient of one shared matrix.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        matrix: ``"weight_hidden"``, ``"weight_input"`` or ``"weight_output"``.
        layer: whose matrix, from 0.
        loss_step: as in ``gradients``.
        drawn: ``"steps"`` for the norms, ``"tiles"`` for the matrices of the strongest steps.
        appearance: how it looks.

    Raises:
        UnknownNameError: the model has no such matrix.
    """
    trace = ask(BackwardRequest(trace=TraceRequest(model=model, text=text), loss_step=loss_step, weights=True))
    named = {(one.name, one.layer): one for one in reversed(trace.weights)}
    focus_of(traced(model, text), layer=layer)  # or its error
    if (matrix, layer) not in named:
        raise unknown_name("matrix", matrix, [name for name, place in reversed(named) if place == layer])
    make = partial(
        weight_contribution_chart if drawn == "steps" else weight_tiles_chart, named[matrix, layer], trace.originals
    )
    return chart_picture(make, title=f"{model}: {matrix}", appearance=appearance)


def gradient_sum(
    model: str,
    text: str,
    *,
    layer: int | None = None,
    direction: Direction = "forward",
    unit: int | None = None,
    step: int | None = None,
    loss_step: int | None = None,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """What ∂L/∂h of one unit is the sum of: each weight times each error that came back through it.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        layer, direction, unit, step: which number, from 0; None for the app's own choice, where the loss starts.
        loss_step: as in ``gradients``.
        appearance: how it looks.
    """
    backward = BackwardRequest(trace=TraceRequest(model=model, text=text), loss_step=loss_step)
    trace = ask(backward.trace)
    step = ask(backward).loss_steps[-1] if step is None else step
    place = focus_of(trace, layer=layer, direction=direction, unit=unit, step=step)
    found = ask(
        GradientSumRequest(
            backward=backward, layer=place.layer, direction=place.direction, step=place.step, unit=place.unit
        )
    )
    return chart_picture(partial(gradient_sum_chart, found), title=f"{model}: {text}", appearance=appearance)


def dependency(
    clause: str = CLAUSE,
    *,
    models: Sequence[str] = WORD_MODELS,
    singular: str = "cat",
    plural: str = "cats",
    measured: Literal["odds", "gradient"] = "odds",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """The verb behind a growing clause: does the model still know the subject's number?

    Args:
        clause: between subject and verb.
        models: word language models.
        singular, plural: the subject.
        measured: ``"odds"`` of was and were, or the ``"gradient"`` that reaches the subject.
        appearance: how it looks.
    """
    found = [ask(AgreementRequest(model=name, clause=clause, singular=singular, plural=plural)) for name in models]
    cells = [cell_title(one.cell) for one in found]
    names = cells if len(set(cells)) == len(cells) else [read_info(name).title for name in models]
    make = partial(agreement_chart, found, names=names, measured=measured)
    return chart_picture(make, title=f"{singular} … {clause}", appearance=appearance)


def laboratory(
    config: LaboratoryConfig | None = None,
    *,
    quantity: Quantity = "memory",
    scale: Scale = "log",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """How fast gradients vanish or explode in freshly initialised cells.

    Args:
        config: cells, spectral radius, steps ...; None for the app's own.
        quantity: ``"memory"`` for what carries over, the LSTM's c, or ``"hidden_state"`` for h in all cells.
        scale: ``"log"`` or ``"relative"``.
        appearance: how it looks.
    """
    configs = (config or LaboratoryConfig()).each()
    curves = [ask(CurvesRequest(config=one)) for one in configs]
    names = [cell_name(one, appearance.t) for one in configs]
    colours = cell_categories([one.cells[0] for one in configs])
    make = partial(norm_curve_chart, curves, names=names, colours=colours, quantity=quantity, scale=scale)
    return chart_picture(make, title=", ".join(names), appearance=appearance)


def memory_cell(difference: float = 0.1, steps: int = 100, *, appearance: Appearance = DEFAULT) -> ChartPicture:
    """Why a memory's link to itself has the weight 1: with less the gradient vanishes, with more it explodes.

    Args:
        difference: of the two other weights from 1, above 0 and up to 0.5.
        steps: how far the error goes back.
        appearance: how it looks.

    Raises:
        InvalidInputError: a number is out of range.
    """
    check_range("difference", difference, *MEMORY_DIFFERENCES)
    curves = [ask(CurvesRequest(config=one)) for one in memory_configs(difference, steps)]
    title = ", ".join(memory_names(curves, appearance.t))
    return chart_picture(partial(memory_cell_chart, curves), title=title, appearance=appearance)


def activations(chosen: str = "tanh", *, appearance: Appearance = DEFAULT) -> ChartPicture:
    """Six activations and their slopes, on one scale.

    Args:
        chosen: the one that stands out, of ``seqviz.laboratory.ACTIVATIONS``.
        appearance: how it looks.

    Raises:
        UnknownNameError: there is no such activation.
    """
    if chosen not in ACTIVATIONS:
        raise unknown_name("activation", chosen, ACTIVATIONS)
    make = partial(activation_chart, ask(ActivationsRequest()), chosen=chosen)
    return chart_picture(make, title=activation_name(chosen, appearance.t), appearance=appearance)


def jacobians(
    model: str | LaboratoryConfig,
    text: str = "",
    *,
    layer: int = 0,
    direction: Direction = "forward",
    kind: Literal["steps", "products"] = "products",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """Singular values of the Jacobians of every step, or of their products.

    Args:
        model: name of a checkpoint; or a configuration of the laboratory with one cell, then without a text.
        text: the sentence.
        layer, direction: of the checkpoint.
        kind: ``"steps"`` or ``"products"``.
        appearance: how it looks.
    """

    def spectra(kind: str) -> object:
        if isinstance(model, LaboratoryConfig):
            return ask(SpectraRequest(config=model, kind=kind))
        return ask(_spectra(model, text, kind, layer, direction))

    steps = spectra("steps")
    make = (
        partial(step_spectrum_chart, steps)  # type: ignore[arg-type]
        if kind == "steps"
        else partial(product_spectrum_chart, spectra("products"), steps=steps)  # type: ignore[arg-type]
    )
    name = "Jacobians" if isinstance(model, LaboratoryConfig) else f"{model}: {text}"
    return chart_picture(make, title=name, appearance=appearance)


def product_norms(
    models: Sequence[str],
    text: str,
    *,
    layer: int = 0,
    direction: Direction = "forward",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """The most that k steps can make of an error, for several trained models on one text.

    Args:
        models: names of checkpoints.
        text: the sentence.
        layer, direction: of each of them.
        appearance: how it looks.
    """
    infos = [read_info(name) for name in models]
    found = [ask(_spectra(name, text, "products", layer, direction)) for name in models]
    make = partial(
        product_norm_chart,
        found,
        names=[info.title for info in infos],
        colours=cell_categories([info.config.cell for info in infos]),
    )
    return chart_picture(make, title=f"{', '.join(models)}: {text}", appearance=appearance)


def _spectra(model: str, text: str, kind: str, layer: int, direction: Direction) -> TrainedSpectraRequest:
    """Asks for the Jacobians of a layer that the model has."""
    focus_of(traced(model, text), layer=layer, direction=direction)
    trace = TraceRequest(model=model, text=text)
    return TrainedSpectraRequest(trace=trace, kind=kind, layer=layer, direction=direction)
