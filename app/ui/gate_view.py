"""The gate view: the cell of one unit alive, all gates of its layer, and the numbers of the moment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.downloads import Download, download_popover, figure_files, number_files
from app.ui.figure import show_figure
from app.ui.gate_graves import graves_panel
from app.ui.gate_inputs import CELL_PICTURES, MAP_PICTURES, place_inputs, shown_focus
from app.ui.numbers_panel import ask_sums, numbers_panel
from app.ui.settings import Settings
from app.ui.unroll_inputs import Inputs
from app.ui.unroll_view import sort_name
from app.ui.url import keep, take
from seqviz.backends.requests import TraceRequest, UnitCourseRequest
from seqviz.charts.figure import Figure
from seqviz.charts.gate_cell import CellOptions, gate_cell_figure
from seqviz.charts.gate_maps import ALL, MapOptions, gate_maps_figure
from seqviz.charts.notation import quantity_name
from seqviz.charts.unroll_layout import SORTS, UnrollFocus, UnrollOptions, resolved_focus
from seqviz.checkpoints import fingerprint
from seqviz.errors import SeqvizError
from seqviz.gates import UnitCourse
from seqviz.i18n import translator
from seqviz.traces import RecurrentTrace


@st.fragment
def gate_view(inputs: Inputs, traces: list[RecurrentTrace], settings: Settings) -> None:
    """Stepping and choosing a unit reruns only this."""
    t = settings.t
    focus = shown_focus(traces[0])
    place_inputs(traces[0], focus, t)
    places = [resolved_focus(trace, UnrollOptions(focus=focus)) for trace in traces]
    courses = ask_all(
        [
            UnitCourseRequest(trace=request, layer=place.layer, direction=place.direction, unit=place.unit)
            for request, place in zip(inputs.requests, places, strict=True)
        ]
    )
    ask_sums(inputs, traces, focus)
    keys = [*CELL_PICTURES[: len(traces)], *MAP_PICTURES[: len(traces)]]
    for index, (request, trace, place, course) in enumerate(zip(inputs.requests, traces, places, courses, strict=True)):
        if isinstance(course, SeqvizError):
            show_error(course, t)
            return
        letter = "AB"[index] if len(traces) > 1 else ""
        figure = _cell(request, fingerprint(request.model), place, settings, letter, trace, course)
        key = CELL_PICTURES[index]
        show_figure(figure, key=key, focus=place.to_dict(), peers=[other for other in keys if other != key])
    st.caption(
        t(
            "Play it, or step with the arrow keys; click a token. Point at any line, gate or circle to see its "
            "arithmetic. Below, every gate of the layer: click a row to follow another unit."
        )
    )
    options = _map_options(traces[0], focus, settings)
    maps = []
    for index, (request, trace, place) in enumerate(zip(inputs.requests, traces, places, strict=True)):
        if len(traces) > 1:
            st.subheader(f"{'AB'[index]} · {trace.model}", anchor=False)
        quantity = options[0] if options[0] in (ALL, *trace.layer(place.layer, place.direction).quantities()) else ALL
        figure = _maps(
            request, fingerprint(request.model), (place.layer, place.direction), (quantity, options[1]), settings, trace
        )
        maps.append(figure)
        key = MAP_PICTURES[index]
        show_figure(figure, key=key, focus=place.to_dict(), peers=[other for other in keys if other != key])
    numbers_panel("gates", inputs, traces, focus, settings)
    if isinstance(courses[0], UnitCourse):
        graves_panel(inputs.request, traces[0], courses[0], places[0], settings)
    _downloads(inputs, traces, places, [one for one in courses if isinstance(one, UnitCourse)], maps, settings)


def _map_options(trace: RecurrentTrace, focus: UnrollFocus, settings: Settings) -> tuple[str, str]:
    t = settings.t
    left, right, _ = st.columns([3, 3, 3], vertical_alignment="bottom")
    quantities = [ALL, *trace.layer(focus.layer, focus.direction).quantities()]
    take("maps", quantities, ALL)
    quantity = left.selectbox(
        t("Gates and states"),
        quantities,
        key="maps",
        format_func=lambda name: t("all of them") if name == ALL else quantity_name(name, t),
    )
    keep("maps", ALL)
    take("sort", SORTS, SORTS[0])
    sort = right.selectbox(t("Order of units"), SORTS, key="sort", format_func=lambda name: sort_name(name, t))
    keep("sort", SORTS[0])
    return quantity, sort


@st.cache_resource(show_spinner=False, max_entries=64)
def _cell(
    request: TraceRequest,
    version: str,
    place: UnrollFocus,
    settings: Settings,
    letter: str,
    _trace: RecurrentTrace,
    _course: UnitCourse,
) -> Figure:
    del request, version
    return _drawn_cell(place, settings, letter, _trace, _course)


def _drawn_cell(
    place: UnrollFocus, settings: Settings, letter: str, trace: RecurrentTrace, course: UnitCourse
) -> Figure:
    options = CellOptions(font_size=settings.font_size, notation=settings.notation, step=place.step, letter=letter)
    return gate_cell_figure(
        trace,
        course,
        options=options,
        t=translator(settings.language),
        language=settings.language.replace("_", "-"),
    )


@st.cache_resource(show_spinner=False, max_entries=64)
def _maps(
    request: TraceRequest,
    version: str,
    place: tuple[int, str],
    chosen: tuple[str, str],
    settings: Settings,
    _trace: RecurrentTrace,
) -> Figure:
    del request, version
    return gate_maps_figure(
        _trace,
        layer=place[0],
        direction="backward" if place[1] == "backward" else "forward",
        options=MapOptions(
            quantity=chosen[0],
            sort=next(sort for sort in SORTS if sort == chosen[1]),
            font_size=settings.font_size,
            notation=settings.notation,
        ),
        t=translator(settings.language),
        language=settings.language.replace("_", "-"),
    )


def _downloads(
    inputs: Inputs,
    traces: Sequence[RecurrentTrace],
    places: Sequence[UnrollFocus],
    courses: Sequence[UnitCourse],
    maps: Sequence[Figure],
    settings: Settings,
) -> None:
    t = settings.t
    files: list[Download] = []
    for index, (trace, place, course) in enumerate(zip(traces, places, courses, strict=True)):
        mark = f" ({index + 1})" if len(traces) > 1 else ""
        end = f"-{index + 1}" if len(traces) > 1 else ""
        letter = "AB"[index] if len(traces) > 1 else ""
        cell = partial(_drawn_cell, place, settings, letter, trace, course)
        files += figure_files(cell, name=t("Cell") + mark, ending=f"cell{end}", t=t)
        files += figure_files(partial(maps.__getitem__, index), name=t("All gates") + mark, ending=f"gates{end}", t=t)
        files += number_files(trace, mark=mark, ending=end, t=t)
    _, right = st.columns([3, 1])
    with right:
        download_popover(files, name=inputs.request.text, t=t)
