"""Gradients: a loss carried back, what a shared matrix adds up, long dependencies, the laboratory's cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from seqviz.backends.requests import (
    AgreementRequest,
    BackwardRequest,
    CurvesRequest,
    SpectraRequest,
    TraceRequest,
    TrainedSpectraRequest,
)
from seqviz.charts.agreement import agreement_chart
from seqviz.charts.backflow import Run, backflow_figure
from seqviz.charts.backflow_curves import Curve
from seqviz.charts.figure import Figure
from seqviz.charts.gradient_scale import Scale
from seqviz.charts.laboratory import norm_curve_chart
from seqviz.charts.palette import Theme, cell_categories
from seqviz.charts.shared_weights import weight_contribution_chart, weight_tiles_chart
from seqviz.charts.spectra import product_spectrum_chart, step_spectrum_chart
from seqviz.charts.unroll_alt import cell_title
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.errors import unknown_name
from seqviz.examples import CLAUSE
from seqviz.laboratory import LaboratoryConfig
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask
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
    options = UnrollOptions(font_size=appearance.font_size, notation=appearance.notation, show_cell_state=True)
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
    if (matrix, layer) not in named:
        raise unknown_name("matrix", f"{matrix}.{layer}", [f"{name}.{place}" for name, place in reversed(named)])
    make = weight_contribution_chart if drawn == "steps" else weight_tiles_chart

    def draw(theme: Theme) -> object:
        return make(named[matrix, layer], trace.originals, **appearance.look(theme))

    return ChartPicture(draw=draw, title=f"{model}: {matrix}", language=appearance.tag)  # type: ignore[arg-type]


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
    names = cells if len(set(cells)) == len(cells) else list(models)

    def draw(theme: Theme) -> object:
        return agreement_chart(found, names=names, measured=measured, **appearance.look(theme))

    title = f"{singular} … {clause}"
    return ChartPicture(draw=draw, title=title, language=appearance.tag)  # type: ignore[arg-type]


def laboratory(config: LaboratoryConfig | None = None, *, appearance: Appearance = DEFAULT) -> ChartPicture:
    """How fast gradients vanish or explode in freshly initialised cells.

    Args:
        config: cells, spectral radius, steps ...; None for the app's own.
        appearance: how it looks.
    """
    configs = (config or LaboratoryConfig()).each()
    curves = [ask(CurvesRequest(config=one)) for one in configs]
    cells = [one.cells[0] for one in configs]
    names = [f"RNN, {one.activation}" if one.cells[0] == "rnn" else one.cells[0].upper() for one in configs]

    def draw(theme: Theme) -> object:
        return norm_curve_chart(curves, names=names, colours=cell_categories(cells), **appearance.look(theme))

    return ChartPicture(draw=draw, title=", ".join(names), language=appearance.tag)  # type: ignore[arg-type]


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
        trace = TraceRequest(model=model, text=text)
        return ask(TrainedSpectraRequest(trace=trace, kind=kind, layer=layer, direction=direction))

    steps = spectra("steps")
    draw = (
        partial(step_spectrum_chart, steps)  # type: ignore[arg-type]
        if kind == "steps"
        else partial(product_spectrum_chart, spectra("products"), steps=steps)  # type: ignore[arg-type]
    )
    name = "Jacobians" if isinstance(model, LaboratoryConfig) else f"{model}: {text}"
    return ChartPicture(draw=lambda theme: draw(**appearance.look(theme)), title=name, language=appearance.tag)
