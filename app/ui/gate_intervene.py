"""Intervene: force a gate or a state, from a step on or for a while. The list stands in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import streamlit as st

from app.ui.backend import show_error
from app.ui.gate_effects import effects_view
from app.ui.gate_inputs import place_inputs, shown_focus
from app.ui.plain import as_text
from app.ui.settings import Settings
from app.ui.unroll_inputs import Inputs
from app.ui.url import keep, take
from seqviz.charts.interventions import intervention_sentence
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.unroll_layout import UnrollFocus
from seqviz.errors import SeqvizError
from seqviz.interventions import (
    MAX_INTERVENTIONS,
    STATE_LIMIT,
    Intervention,
    parse_intervention,
    without_last,
)
from seqviz.memory import keep_gate
from seqviz.traces import RecurrentTrace

_KEY = "do"
_NONE = "none"
SCOPES = ("unit", "layer", "all")


@dataclass(frozen=True, slots=True)
class _List:
    """The interventions in force, and whether they are the page's own example."""

    interventions: tuple[Intervention, ...]
    example: bool
    error: SeqvizError | None = None


@st.fragment
def intervene_view(inputs: Inputs, traces: Sequence[RecurrentTrace], settings: Settings) -> None:
    """The form, the list, and what they do."""
    t, trace = settings.t, traces[0]
    focus = shown_focus(trace)
    current = _from_url(trace)
    if current.error is not None:
        show_error(current.error, t)
    place_inputs(trace, focus, t)
    _form(trace, focus, current, settings)
    _listed(trace, current, settings)
    effects_view(inputs, traces, focus, current.interventions, settings)


def example_intervention(trace: RecurrentTrace) -> tuple[Intervention, ...]:
    """What an untouched page shows: everything is forgotten in the middle of the text."""
    part = trace.layers[0]
    step = len(trace) // 2
    gate = keep_gate(part)
    if gate is None:
        return (Intervention(quantity="hidden_state", value=0.0, first=step, last=step),)
    return (Intervention(quantity=gate, value=0.0, first=step, last=step),)


def _from_url(trace: RecurrentTrace) -> _List:
    text = st.query_params.get(_KEY)
    if text is None:
        return _List(example_intervention(trace), example=True)
    if text == _NONE:
        return _List((), example=False)
    found = []
    for part in text.split("~")[: MAX_INTERVENTIONS + 1]:
        try:
            found.append(parse_intervention(part))
        except SeqvizError as error:
            return _List((), example=False, error=error)
    return _List(tuple(found), example=False)


def _to_url(interventions: tuple[Intervention, ...]) -> None:
    st.query_params[_KEY] = "~".join(one.to_text() for one in interventions) or _NONE


def _form(trace: RecurrentTrace, focus: UnrollFocus, current: _List, settings: Settings) -> None:
    t = settings.t
    part = trace.layer(focus.layer, focus.direction)
    quantities = list(part.quantities())
    first = keep_gate(part) or quantities[0]
    columns = st.columns([6, 10, 8, 4, 5], vertical_alignment="bottom")
    take("force", quantities, first)
    quantity = columns[0].selectbox(
        t("Force"), quantities, key="force", format_func=lambda name: quantity_name(name, t)
    )
    keep("force", first)
    take("scope", SCOPES, "layer")
    scope = columns[1].segmented_control(
        t("Of"),
        SCOPES,
        required=True,
        key="scope",
        format_func=lambda name: {
            "unit": t("this unit"),
            "layer": t("the layer"),
            "all": t("all layers"),
        }[name],
    )
    keep("scope", "layer")
    steps = list(range(len(trace)))
    if len(steps) > 1:
        # A text that became shorter must not leave the ends behind it.
        chosen = st.session_state.get("gate-range")
        if not isinstance(chosen, tuple) or max(chosen) >= len(steps):
            st.session_state["gate-range"] = (focus.step, len(steps) - 1)
        ends = columns[2].select_slider(
            t("From step to step"),
            steps,
            key="gate-range",
            format_func=lambda step: f"{step + 1} · {visible(trace.originals[step])[:12]}",
        )
        start, end = cast(tuple[int, int], ends)
    else:
        start = end = 0
    low, high = (0.0, 1.0) if quantity.endswith("gate") else (-1.0, 1.0)
    if quantity.endswith("_state"):
        low, high = -STATE_LIMIT, STATE_LIMIT
    value_key = f"gate-value-{'gate' if low == 0 else quantity}"
    value = columns[3].number_input(t("To"), low, high, 0.0, 0.1, key=value_key)
    new = Intervention(
        quantity=quantity,
        value=float(value),
        first=int(start),
        last=None if end == len(steps) - 1 and end > start else int(end),
        layer=None if scope == "all" else focus.layer,
        direction=None if scope == "all" else focus.direction,
        unit=focus.unit if scope == "unit" else None,
    )
    kept = () if current.example else current.interventions
    columns[4].button(
        t("Force it"),
        type="primary",
        icon=":material/bolt:",
        width="stretch",
        disabled=len(kept) >= MAX_INTERVENTIONS,
        on_click=_to_url,
        args=((*kept, new),),
    )


def _listed(trace: RecurrentTrace, current: _List, settings: Settings) -> None:
    t = settings.t
    if not current.interventions:
        st.caption(t("Nothing is forced: both runs are the same, digit for digit. Choose what to force."))
        return
    if current.example:
        st.caption(t("An example; your own takes its place."))
    for number, one in enumerate(current.interventions):
        left, right = st.columns([10, 2], vertical_alignment="center")
        left.markdown(
            f"{number + 1}. " + as_text(intervention_sentence(one, steps=len(trace), originals=trace.originals, t=t))
        )
        right.button(
            t("Remove"),
            key=f"gate-remove-{number}",
            icon=":material/close:",
            type="tertiary",
            on_click=_to_url,
            args=((*current.interventions[:number], *current.interventions[number + 1 :]),),
        )
    left, middle, _ = st.columns([2, 2, 8])
    left.button(
        t("Undo"),
        icon=":material/undo:",
        width="stretch",
        on_click=_to_url,
        args=(without_last(current.interventions),),
    )
    middle.button(t("Remove all"), icon=":material/delete:", width="stretch", on_click=_to_url, args=((),))
