"""The unrolled network, and the numbers of one moment of it."""

from __future__ import annotations

from functools import partial

from seqviz.backends.requests import TraceRequest, UnitSumRequest
from seqviz.charts.arithmetic import unit_sum_chart
from seqviz.charts.figure import Figure
from seqviz.charts.network import network_figure
from seqviz.charts.unroll import unroll_figure
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.charts.verdict import distribution_chart
from seqviz.errors import unknown_name
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask, chart_picture, focus_of, traced
from seqviz.traces import Structure
from seqviz.types import Direction


def home(model: str, text: str, *, appearance: Appearance = DEFAULT) -> Figure:
    """The network that reads a sentence, without the heatmap below it (the app's first page).

    Args:
        model: name of a checkpoint.
        text: the sentence.
        appearance: how it looks.
    """
    options = UnrollOptions(font_size=appearance.font_size, notation=appearance.notation)
    return network_figure(traced(model, text), options=options, t=appearance.t, language=appearance.tag)


def unroll(
    model: str,
    text: str,
    *,
    structure: Structure | None = None,
    beside: tuple[str, str] | None = None,
    quantity: str = "hidden_state",
    layer: int | None = None,
    appearance: Appearance = DEFAULT,
) -> Figure:
    """A sentence flowing through a recurrent model (the app's Unroll).

    Args:
        model: name of a checkpoint.
        text: the sentence.
        structure: None for the natural one of the model's task.
        beside: model and text of a second run, for a comparison.
        quantity, layer: of the heatmap; the layer from 0, None for the top one.
        appearance: how it looks.
    """
    trace = ask(TraceRequest(model=model, text=text, structure=structure))
    if layer is not None:
        focus_of(trace, layer=layer)  # or its error
    options = UnrollOptions(
        font_size=appearance.font_size, notation=appearance.notation, quantity=quantity, layer=layer
    )
    compare = None if beside is None else traced(*beside)
    return unroll_figure(trace, options=options, compare=compare, t=appearance.t, language=appearance.tag)


def unit_sum(
    model: str,
    text: str,
    *,
    block: str = "",
    layer: int | None = None,
    direction: Direction = "forward",
    unit: int | None = None,
    step: int | None = None,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """The sum behind one number of a unit: each weight times what it weighs, and the bias.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        block: which gate or candidate; empty for the cell's first.
        layer, direction, unit, step: which unit when, from 0; None for the app's own choice.
        appearance: how it looks.

    Raises:
        UnknownNameError: the cell has no such block.
    """
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, direction=direction, unit=unit, step=step)
    part = trace.layer(place.layer, place.direction)
    block = block or part.block_names[0]
    if block not in part.block_names:
        raise unknown_name("quantity", block, part.block_names)
    found = ask(
        UnitSumRequest(
            trace=TraceRequest(model=model, text=text),
            layer=place.layer,
            direction=place.direction,
            step=place.step,
            unit=place.unit,
            block=block,
        )
    )
    make = partial(unit_sum_chart, found, cell=part.cell)
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def output(
    model: str, text: str, *, step: int | None = None, count: int = 8, appearance: Appearance = DEFAULT
) -> ChartPicture:
    """The most probable answers of a model at one step.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        step: from 0; None for the app's own choice.
        count: how many answers.
        appearance: how it looks.
    """
    trace = traced(model, text)
    make = partial(distribution_chart, trace, step=focus_of(trace, step=step).step, count=count)
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)
