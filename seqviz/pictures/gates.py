"""Gates: the cell of one unit, all gates of a layer, what is kept how long, variants, interventions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from seqviz.backends.requests import (
    InterventionRequest,
    NumberUnitsRequest,
    TraceRequest,
    UnitCourseRequest,
)
from seqviz.charts.figure import Figure
from seqviz.charts.gate_cell import CellOptions, gate_cell_figure
from seqviz.charts.gate_maps import ALL, MapOptions, gate_maps_figure
from seqviz.charts.interventions import change_map, divergence_chart, moved_chart
from seqviz.charts.memory import carried_triangle, carried_units, half_life_chart, number_chart
from seqviz.charts.palette import Theme
from seqviz.charts.variants import role_chart
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.interventions import Intervention, parse_intervention
from seqviz.memory import keep_gate
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask, focus_of, traced
from seqviz.traces import LayerTrace, RecurrentTrace
from seqviz.types import Direction


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

    def draw(theme: Theme) -> object:
        look = appearance.look(theme)
        if drawn == "all":
            return carried_units(part, trace.originals, step=place.step, **look)
        return carried_triangle(part, trace.originals, unit=place.unit, **look)

    return ChartPicture(draw=draw, title=f"{model}: {text}", language=appearance.tag)  # type: ignore[arg-type]


def half_lives(
    model: str, text: str, *, layer: int | None = None, step: int | None = None, appearance: Appearance = DEFAULT
) -> ChartPicture:
    """After how many steps the units of a layer have forgotten half; arguments as in ``carried_memory``."""
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, step=step)
    part = _with_memory(trace, place.layer)

    def draw(theme: Theme) -> object:
        return half_life_chart(part, step=place.step, **appearance.look(theme))

    return ChartPicture(draw=draw, title=f"{model}: {text}", language=appearance.tag)  # type: ignore[arg-type]


def number_unit(model: str = "wikitext-lstm", *, appearance: Appearance = DEFAULT) -> ChartPicture:
    """The unit of a word language model that carries number from the subject to the verb.

    Args:
        model: name of a checkpoint.
        appearance: how it looks.
    """
    found = ask(NumberUnitsRequest(model=model))

    def draw(theme: Theme) -> object:
        return number_chart(found, **appearance.look(theme))

    return ChartPicture(draw=draw, title=model, language=appearance.tag)  # type: ignore[arg-type]


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
    if role_chart(traces, names=models, role=role) is None:
        raise InvalidInputError("None of these models has a gate for {role!r}.", role=role)

    def draw(theme: Theme) -> object:
        return role_chart(traces, names=models, role=role, **appearance.look(theme))

    return ChartPicture(draw=draw, title=", ".join(models), language=appearance.tag)  # type: ignore[arg-type]


def intervention(
    model: str,
    text: str,
    interventions: Sequence[Intervention | str],
    *,
    drawn: Literal["states", "divergence", "moved"] = "states",
    quantity: str = "hidden_state",
    layer: int | None = None,
    direction: Direction = "forward",
    step: int | None = None,
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """What forcing a gate or a state does to a run.

    Args:
        model: name of a checkpoint.
        text: the sentence.
        interventions: what is forced; as a text they have the form of the app's links, ``"forget_gate=0@3"``.
        drawn: ``"states"`` for the change of a layer, ``"divergence"`` of the outputs, ``"moved"`` for the
            probabilities of one step.
        quantity, layer, direction: of the change of the states.
        step: of ``"divergence"`` and ``"moved"``, from 0; None for the app's own choice.
        appearance: how it looks.

    Raises:
        UnknownNameError: of ``drawn`` or of a quantity.
        InvalidInputError: an intervention cannot be read, or does not fit the run.
    """
    if drawn not in ("states", "divergence", "moved"):
        raise unknown_name("picture", drawn, ("states", "divergence", "moved"))
    trace = traced(model, text)
    place = focus_of(trace, layer=layer, direction=direction, step=step)
    forced = tuple(parse_intervention(one) if isinstance(one, str) else one for one in interventions)
    found = ask(InterventionRequest(trace=TraceRequest(model=model, text=text), interventions=forced))

    def draw(theme: Theme) -> object:
        look = appearance.look(theme)
        if drawn == "divergence":
            return divergence_chart(found, step=place.step, **look)
        if drawn == "moved":
            return moved_chart(found, step=place.step, **look)
        return change_map(found, layer=place.layer, direction=place.direction, quantity=quantity, **look)

    return ChartPicture(draw=draw, title=f"{model}: {text}", language=appearance.tag)  # type: ignore[arg-type]


def _with_memory(trace: RecurrentTrace, layer: int) -> LayerTrace:
    part = trace.layer(layer)
    if keep_gate(part) is None:
        raise InvalidInputError("A plain cell has no gate that keeps; choose an LSTM or a GRU.")
    return part
