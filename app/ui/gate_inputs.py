"""The inputs of the Gates page: sentence, model, comparison, and the unit in focus. All of them stand in the URL."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import ask_all
from app.ui.focus import SHOWN, focus_of, focus_to_url
from app.ui.gradient_inputs import siblings
from app.ui.installed import take_model
from app.ui.sentence_input import fallback_example, sentence_input
from app.ui.unroll_inputs import COMPARISONS, Inputs, compared, take_example
from app.ui.unroll_view import layer_name
from app.ui.url import keep, take
from seqviz.backends.requests import NumberUnitsRequest, TraceRequest
from seqviz.charts.notation import visible
from seqviz.charts.unroll_layout import UnrollFocus, UnrollOptions, resolved_focus
from seqviz.checkpoints import CheckpointInfo
from seqviz.errors import SeqvizError
from seqviz.examples import LONG_CAT, Example, gate_examples
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace

CELL_PICTURES = ("gate-cell-0", "gate-cell-1")
MAP_PICTURES = ("gate-maps-0", "gate-maps-1")


def gate_inputs(models: dict[str, CheckpointInfo], t: Translator, *, above: DeltaGenerator | None) -> Inputs:
    """Draws sentence and model; ``above`` is the place of the comparison, None where the view has none."""
    examples = [
        example
        for example in gate_examples(t)
        if example.model in models and (not example.compare_model or example.compare_model in models)
    ]
    first = fallback_example(examples, list(models))
    sentence, middle, picker = st.columns([11, 6, 3], vertical_alignment="bottom")
    text = sentence_input(examples, first, _take_example, t, places=(sentence, picker))
    take_model({name: info.title for name, info in models.items()}, first.model, t)
    model = middle.selectbox(t("Model"), list(models), key="model", format_func=lambda name: models[name].title)
    keep("model", first.model)
    request = TraceRequest(model=model, text=text)
    if above is None:
        return Inputs(request=request)
    take("compare", COMPARISONS, "none")
    comparison = above.segmented_control(
        t("Compare with"),
        COMPARISONS,
        required=True,
        wrap=True,
        key="compare",
        label_visibility="collapsed",
        format_func=lambda name: {
            "none": t("One run"),
            "text": t("Compare a sentence"),
            "model": t("Compare a model"),
        }[name],
    )
    keep("compare", "none")
    return Inputs(request=request, compare=compared(request, comparison, models, t, preferred=siblings(model, models)))


def shown_focus(trace: RecurrentTrace) -> UnrollFocus:
    """The step and unit in focus, from the pictures, the URL or the last page; it is kept for all of them."""
    wanted = focus_of([*CELL_PICTURES, *MAP_PICTURES]) or _number_focus(trace)
    focus = resolved_focus(trace, UnrollOptions(focus=wanted))
    st.session_state[SHOWN] = focus
    focus_to_url(focus)
    return focus


def _number_focus(trace: RecurrentTrace) -> UnrollFocus | None:
    """The syllabus' cat opens with the unit that carries number, found by search, at its noun."""
    if trace.text != LONG_CAT:
        return None
    found = ask_all([NumberUnitsRequest(model=trace.model)])[0]
    if isinstance(found, SeqvizError):
        return None
    best = found.best[0]
    return UnrollFocus(step=1, layer=best.layer, direction="forward", unit=best.unit)


def _take_example(example: Example) -> None:
    """An example brings its own step and unit."""
    take_example(example)
    st.session_state.pop(SHOWN, None)
    st.query_params.pop("focus", None)


def place_inputs(trace: RecurrentTrace, focus: UnrollFocus, t: Translator, *, with_step: bool = False) -> None:
    """Draws the choice of layer and unit (and step); they are the focus, seen as widgets."""
    state = st.session_state
    places = {f"{part.layer}.{part.direction}": part for part in trace.layers}
    state["gate-place"], state["gate-unit"] = f"{focus.layer}.{focus.direction}", focus.unit
    columns = st.columns([3, 2, 4] if with_step else [3, 2], vertical_alignment="bottom")
    columns[0].selectbox(
        t("Layer"),
        list(places),
        key="gate-place",
        format_func=lambda name: layer_name(places[name], t),
        on_change=_place_chosen,
    )
    units = trace.layer(focus.layer, focus.direction).num_units
    columns[1].number_input(
        t("Unit"), 0, units - 1, step=1, key="gate-unit", on_change=_unit_chosen, help=t("Counted from 0.")
    )
    if with_step:
        state["gate-step"] = focus.step
        columns[2].select_slider(
            t("Step"),
            list(range(len(trace))),
            key="gate-step",
            format_func=lambda step: f"{step + 1} · {visible(trace.originals[step])[:16]}",
            on_change=_step_chosen,
        )


def _moved(**change: object) -> None:
    shown: UnrollFocus = st.session_state[SHOWN]
    st.session_state[SHOWN] = replace(shown, **change)  # type: ignore[arg-type]


def _place_chosen() -> None:
    layer, direction = str(st.session_state["gate-place"]).split(".")
    _moved(layer=int(layer), direction=direction)


def _unit_chosen() -> None:
    _moved(unit=int(st.session_state["gate-unit"]))


def _step_chosen() -> None:
    _moved(step=int(st.session_state["gate-step"]))
