"""Gates: the cell of one unit, all gates of a layer, what is kept how long, variants, interventions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import altair as alt

from seqviz.backends.requests import (
    InterventionRequest,
    NumberUnitsRequest,
    TraceRequest,
    UnitCourseRequest,
)
from seqviz.charts.figure import Figure
from seqviz.charts.gate_cell import CellOptions, gate_cell_figure
from seqviz.charts.gate_maps import ALL, MapOptions, gate_maps_figure
from seqviz.charts.intervention_gradients import gradient_norm_chart, norm_span
from seqviz.charts.interventions import change_map, divergence_chart, moved_chart
from seqviz.charts.memory import carried_triangle, carried_units, half_life_chart, number_chart
from seqviz.charts.variants import role_chart, variant_title
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.interventions import Intervened, Intervention, parse_intervention
from seqviz.memory import keep_gate
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask, chart_picture, focus_of, traced
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import Direction

INTERVENTION_CHARTS = ("states", "divergence", "moved", "gradients")


def gates(
    model: str,
    text: str,
    *,
    layer: int | None = None,
    direction: Direction = "forward",
    unit: int | None = None,
    step: int | None = None,
    appearance: Appearance = DEFAULT,
) -> Figure:
    """The textbook figure of the cell, alive with the numbers of one unit.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        layer, direction, unit, step: what is shown first, from 0; None for the app's own choice, a lively moment.
        appearance: how it looks.
    """
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, direction=direction, unit=unit, step=step)
    course = ask(
        UnitCourseRequest(
            trace=TraceRequest(model=model, text=text),
            layer=place.layer,
            direction=place.direction,
            unit=place.unit,
        )
    )
    options = CellOptions(font_size=appearance.font_size, notation=appearance.notation, step=place.step)
    return gate_cell_figure(trace, course, options=options, t=appearance.t, language=appearance.tag)


def all_gates(
    model: str,
    text: str,
    *,
    layer: int | None = None,
    direction: Direction = "forward",
    quantity: str = ALL,
    appearance: Appearance = DEFAULT,
) -> Figure:
    """Every gate and state of a layer, unit by unit and step by step.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        layer, direction: which layer, from 0; None for the top one.
        quantity: one of the layer, or ``"all"``.
        appearance: how it looks.
    """
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, direction=direction)
    return gate_maps_figure(
        trace,
        layer=place.layer,
        direction=place.direction,
        options=MapOptions(quantity=quantity, font_size=appearance.font_size, notation=appearance.notation),
        t=appearance.t,
        language=appearance.tag,
    )


def carried_memory(
    model: str,
    text: str,
    *,
    layer: int | None = None,
    unit: int | None = None,
    step: int | None = None,
    drawn: Literal["unit", "all"] = "unit",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """How much of what a unit wrote still stands later: the triangle of one unit, or all units from one step on.

    Args:
        model: name of a checkpoint with gates.
        text: the sentence.
        layer, unit, step: as in ``gates``.
        drawn: ``"unit"`` or ``"all"``.
        appearance: how it looks.
    """
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, unit=unit, step=step)
    part = _with_memory(trace, place.layer)

    make = (
        partial(carried_units, part, trace.originals, step=place.step)
        if drawn == "all"
        else partial(carried_triangle, part, trace.originals, unit=place.unit)
    )
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def half_lives(
    model: str, text: str, *, layer: int | None = None, step: int | None = None, appearance: Appearance = DEFAULT
) -> ChartPicture:
    """After how many steps the units of a layer have forgotten half; arguments as in ``carried_memory``."""
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, step=step)
    part = _with_memory(trace, place.layer)
    make = partial(half_life_chart, part, step=place.step)
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def number_unit(model: str = "wikitext-lstm", *, appearance: Appearance = DEFAULT) -> ChartPicture:
    """The unit of a word language model that carries number from the subject to the verb.

    Args:
        model: name of a checkpoint.
        appearance: how it looks.
    """
    found = ask(NumberUnitsRequest(model=model))
    return chart_picture(partial(number_chart, found), title=model, appearance=appearance)


def variants(
    models: Sequence[str], text: str, *, role: str = "keeps", appearance: Appearance = DEFAULT
) -> ChartPicture:
    """The mean of a gate in several cells that read one text.

    Args:
        models: names of checkpoints of one kind.
        text: the sentence.
        role: ``"keeps"``, ``"writes"``, ``"reset"`` or ``"shows"``.
        appearance: how it looks.

    Raises:
        InvalidInputError: no model has such a gate.
    """
    traces = [traced(name, text) for name in models]
    cells = [variant_title(trace.layers[0].cell, appearance.t) for trace in traces]
    names = cells if len(set(cells)) == len(cells) else list(models)
    if role_chart(traces, names=names, role=role) is None:
        raise InvalidInputError("None of these models has a gate for {role!r}.", role=role)
    make = partial(role_chart, traces, names=names, role=role)
    return chart_picture(make, title=", ".join(models), appearance=appearance)  # type: ignore[arg-type]


def intervention(
    model: str,
    text: str,
    interventions: Sequence[Intervention | str],
    *,
    drawn: Literal["states", "divergence", "moved", "gradients"] = "states",
    quantity: str = "hidden_state",
    layer: int | None = None,
    direction: Direction = "forward",
    step: int | None = None,
    loss_step: int | None = None,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """What forcing a gate or a state does to a run.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        interventions: what is forced; as a text they have the form of the app's links, ``"forget_gate=0@3"``.
        drawn: ``"states"`` for the change of a layer, ``"divergence"`` of the outputs, ``"moved"`` for the
            probabilities of one step, ``"gradients"`` for the norms of a loss that goes back through both runs.
        quantity, layer, direction: of the change of the states or gradients.
        step: that stands out, from 0; None for that at which the output moves furthest.
        loss_step: the step whose loss goes back, from 0; None for the sum of all.
        appearance: how it looks.

    Raises:
        UnknownNameError: of ``drawn`` or of a quantity.
        InvalidInputError: an intervention cannot be read, or does not fit the run; or there is nothing to draw.
    """
    if drawn not in INTERVENTION_CHARTS:
        raise unknown_name("picture", drawn, INTERVENTION_CHARTS)
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, direction=direction, step=step)
    forced = tuple(parse_intervention(one) if isinstance(one, str) else one for one in interventions)
    run = TraceRequest(model=model, text=text)
    found = ask(InterventionRequest(trace=run, interventions=forced, loss_step=loss_step))
    seen = int(found.divergence.argmax()) if step is None else place.step
    make: Callable[..., alt.TopLevelMixin]
    if drawn == "divergence":
        make = partial(divergence_chart, found, step=seen)
    elif drawn == "moved":
        if not found.moved[seen]:
            raise InvalidInputError("At this step no probability moved.")
        make = partial(moved_chart, found, step=seen)
    elif drawn == "gradients":
        make = _gradient_norms(found, place.layer, place.direction, quantity, seen)
    else:
        known = list(trace.layer(place.layer, place.direction).quantities())
        if quantity not in known:
            raise unknown_name("quantity", quantity, known)
        make = partial(change_map, found, layer=place.layer, direction=place.direction, quantity=quantity)
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def _gradient_norms(
    found: Intervened, layer: int, direction: Direction, quantity: str, step: int
) -> Callable[..., alt.TopLevelMixin]:
    gradients = found.gradients
    if gradients is None:
        raise InvalidInputError("One piece has no next piece to be compared with, so there is no loss and no gradient.")
    known = list(gradients.layers[0].before)
    if quantity not in known:
        raise unknown_name("quantity", quantity, known)
    span = norm_span([gradients.norms(layer, direction, name) for name in known])
    return partial(
        gradient_norm_chart, found, gradients, layer=layer, direction=direction, quantity=quantity, step=step, span=span
    )


def _with_memory(trace: RecurrentTrace, layer: int) -> LayerTrace:
    part = trace.layer(layer)
    if keep_gate(part) is None:
        raise InvalidInputError("A plain cell has no gate that keeps; choose an LSTM or a GRU.")
    return part
