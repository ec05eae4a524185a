"""What an intervention does: outputs, probabilities, gradients and states of a run beside the same run without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import ask_all, show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.gradient_inputs import SUM, loss_name, loss_steps
from app.ui.settings import Settings, look_of
from app.ui.unroll_inputs import Inputs
from app.ui.url import keep, take
from app.ui.views import divided, side_by_side
from seqviz.backends.requests import InterventionRequest
from seqviz.charts.gradient_scale import scientific
from seqviz.charts.intervention_gradients import GRADIENT_SYMBOLS, gradient_norm_chart, gradient_sentence, norm_span
from seqviz.charts.interventions import (
    change_map,
    divergence_chart,
    divergence_sentence,
    intervention_sentence,
    moved_chart,
)
from seqviz.charts.notation import quantity_name, visible
from seqviz.charts.unroll_layout import UnrollFocus, UnrollOptions, resolved_focus
from seqviz.errors import SeqvizError
from seqviz.gate_export import gradient_norms_csv, intervened_csv, intervened_json
from seqviz.i18n import Translator
from seqviz.interventions import ChangedGradients, Intervened, Intervention, MovedNorm, MovedUnit, fitted
from seqviz.traces import RecurrentTrace
from seqviz.types import Direction, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """One of the runs on the page.

    Args:
        found: both sides of the intervention.
        focus: layer and direction that are shown, and the step that is looked at.
        quantity: whose change is shown.
        mark: ``"A"`` or ``"B"`` where two runs are compared, else empty.
    """

    found: Intervened
    focus: UnrollFocus
    quantity: str
    mark: str

    def titled(self, title: str) -> str:
        """A heading that says which run it is of."""
        return f"**{title} · {self.mark}**" if self.mark else f"**{title}**"

    def place(self) -> tuple[int, Direction]:
        """Layer and direction."""
        return self.focus.layer, self.focus.direction


def effects_view(
    inputs: Inputs,
    traces: Sequence[RecurrentTrace],
    focus: UnrollFocus,
    interventions: tuple[Intervention, ...],
    settings: Settings,
) -> None:
    """The effects in one run, or in two of them side by side; the second gets the same interventions."""
    t = settings.t
    left, right = st.columns([2, 3], gap="large")
    with left:
        loss_step = _loss_input(traces[0], t)
    lists = [interventions, *(_fitted(interventions, trace) for trace in traces[1:])]
    answers = ask_all(
        [
            InterventionRequest(trace=request, interventions=chosen, loss_step=_own_loss(loss_step, traces, index))
            for index, (request, chosen) in enumerate(zip(inputs.requests, lists, strict=True))
        ]
    )
    first = answers[0]
    if isinstance(first, SeqvizError):
        show_error(first, t)
        return
    with right:
        seen = _step_input(first, t)
    quantities = list(traces[0].layer(focus.layer, focus.direction).quantities())
    take("changed", quantities, "hidden_state")
    places = side_by_side(len(traces))
    runs: list[_Shown] = []
    for index, (place, trace, answer) in enumerate(zip(places, traces, answers, strict=True)):
        with place:
            if len(traces) > 1:
                st.subheader(f"{'AB'[index]} · {trace.model}", anchor=False)
            _other_words(interventions, lists[index], trace, t)
            if isinstance(answer, SeqvizError):
                show_error(answer, t)
                continue
            own = resolved_focus(trace, UnrollOptions(focus=replace(focus, step=min(seen, len(answer) - 1))))
            known = st.session_state["changed"] in trace.layer(own.layer, own.direction).quantities()
            runs.append(
                _Shown(
                    found=answer,
                    focus=own,
                    quantity=st.session_state["changed"] if known else "hidden_state",
                    mark="AB"[index] if len(traces) > 1 else "",
                )
            )
    files = [*_outputs(runs, places, settings), *_gradients(runs, settings), *_states(runs, quantities, settings)]
    _, right = st.columns([3, 1])
    with right:
        download_popover([*files, *_numbers(runs, t)], name=inputs.request.text, t=t)


def _fitted(interventions: tuple[Intervention, ...], trace: RecurrentTrace) -> tuple[Intervention, ...]:
    return fitted(interventions, quantities=list(trace.layers[0].quantities()), steps=len(trace))


def _other_words(
    first: tuple[Intervention, ...], own: tuple[Intervention, ...], trace: RecurrentTrace, t: Translator
) -> None:
    """What is forced in the second run, where that is not what is forced in the first."""
    for one, other in zip(first, own, strict=True):
        if one.quantity != other.quantity:
            st.caption(
                t("This cell has no {quantity}; forced in its place: {intervention}.").format(
                    quantity=quantity_name(one.quantity, t),
                    intervention=intervention_sentence(other, steps=len(trace), originals=trace.originals, t=t),
                )
            )


def _loss_input(trace: RecurrentTrace, t: Translator) -> int | None:
    """Draws the choice of the loss that goes back; None for the sum, or where there is only one."""
    steps = loss_steps(trace)
    if len(steps) < 2:
        return None
    options = [SUM, *(str(step) for step in steps)]
    take("loss", options, SUM)
    name = st.selectbox(
        t("Loss that goes back"), options, key="loss", format_func=lambda option: loss_name(option, trace, t)
    )
    keep("loss", SUM)
    return None if name == SUM else int(name)


def _own_loss(step: int | None, traces: Sequence[RecurrentTrace], index: int) -> int | None:
    """The loss of a run: of the same step, or of its last one where the text is shorter."""
    own = loss_steps(traces[index])
    if step is None or not own:
        return None
    return step if step in own else own[-1]


def _step_input(found: Intervened, t: Translator) -> int:
    steps = list(range(len(found)))
    if "gate-seen" not in st.session_state or st.session_state["gate-seen"] not in steps:
        st.session_state["gate-seen"] = int(found.divergence.argmax())
    if len(steps) == 1:
        return 0
    return st.select_slider(
        t("Look at step"),
        steps,
        key="gate-seen",
        format_func=lambda step: f"{step + 1} · {visible(found.originals[step])[:16]}",
    )


def _outputs(runs: Sequence[_Shown], places: Sequence[DeltaGenerator], settings: Settings) -> list[Download]:
    """How far the output moved at every step, and which probabilities moved furthest at the step looked at."""
    t, look, files = settings.t, look_of(settings), list[Download]()
    top = float(max(run.found.divergence.max() for run in runs)) if len(runs) > 1 else None
    for run, place in zip(runs, places, strict=False):
        divergence = partial(divergence_chart, run.found, step=run.focus.step, top=top, **look)
        moved = partial(moved_chart, run.found, step=run.focus.step, **look)
        with place:
            st.markdown(divergence_sentence(run.found, t=t))
            left, right = divided([3, 2], narrow=bool(run.mark))
        with left:
            show_chart(divergence())
        with right:
            if run.found.moved[run.focus.step]:
                show_chart(moved())
            else:
                st.caption(t("At this step no probability moved."))
        name, end = _named(run)
        files += chart_files(divergence, name="KL" + name, ending=f"divergence{end}", t=t)
        files += chart_files(moved, name=t("What moved") + name, ending=f"moved{end}", t=t)
    return files


def _gradients(runs: Sequence[_Shown], settings: Settings) -> list[Download]:
    """One loss carried back through both sides: norms at every step, and what moved furthest."""
    t, look, files = settings.t, look_of(settings), list[Download]()
    norms = [
        run.found.gradients.norms(*run.place(), quantity)
        for run in runs
        if run.found.gradients is not None
        for quantity in run.found.gradients.layers[0].before
    ]
    for run, place in zip(runs, side_by_side(len(runs)), strict=True):
        with place:
            st.markdown(run.titled(t("Gradients")))
            gradients = run.found.gradients
            if gradients is None:
                st.caption(t("One piece has no next piece to be compared with, so there is no loss and no gradient."))
                continue
            st.markdown(gradient_sentence(run.found, gradients, t=t))
            layer, direction = run.place()
            quantities = list(gradients.layers[0].before)
            name, end = _named(run)
            for column, quantity in zip(st.columns(len(quantities)), quantities, strict=True):
                chart = partial(
                    gradient_norm_chart, run.found, gradients, layer=layer, direction=direction, quantity=quantity,
                    step=run.focus.step, span=norm_span(norms), **look,
                )  # fmt: skip
                with column:
                    show_chart(chart())
                title = f"‖{GRADIENT_SYMBOLS[quantity]}‖{name}"
                files += chart_files(chart, name=title, ending=f"gradient-{quantity}{end}", t=t)
            with st.expander(t("The gradients that moved most")):
                _moved_gradients(run, gradients, t)
    st.caption(
        t(
            "The same loss goes back through both runs, in float64. A forced number is a constant: no gradient goes "
            "through a forced gate, and none goes on behind an edited state."
        )
    )
    return files


def _moved_gradients(run: _Shown, gradients: ChangedGradients, t: Translator) -> None:
    """Two tables: norms of whole layers, and single units."""
    left, right = divided([1, 1], narrow=bool(run.mark))

    def where(one: MovedNorm | MovedUnit) -> dict[str, object]:
        return {
            t("Layer"): one.layer + 1,
            t("at"): visible(run.found.originals[one.step]),
            t("before"): scientific(one.before, 3),
            t("after"): scientific(one.after, 3),
        }

    norms = gradients.moved_norms(10)
    left.dataframe([{t("Norm"): f"‖{GRADIENT_SYMBOLS[one.quantity]}‖", **where(one)} for one in norms], hide_index=True)
    right.dataframe(
        [
            {t("Gradient"): GRADIENT_SYMBOLS[one.quantity], t("Unit"): one.unit, **where(one)}
            for one in gradients.moved_units(10)
        ],
        hide_index=True,
    )


def _states(runs: Sequence[_Shown], quantities: list[str], settings: Settings) -> list[Download]:
    """The change of one quantity in all units, and the units that moved furthest."""
    t, look, files = settings.t, look_of(settings), list[Download]()
    st.selectbox(t("What became of"), quantities, key="changed", format_func=lambda name: quantity_name(name, t))
    keep("changed", "hidden_state")
    limit = max(float(np.abs(_difference(run)).max()) for run in runs)
    for run, place in zip(runs, side_by_side(len(runs)), strict=True):
        layer, direction = run.place()
        chart = partial(
            change_map, run.found, layer=layer, direction=direction, quantity=run.quantity, limit=limit, **look
        )
        with place:
            left, right = divided([3, 2], narrow=bool(run.mark))
        with left:
            show_chart(chart())
        with right:
            st.markdown(run.titled(t("The units that moved most")))
            st.dataframe(_unit_rows(run.found, t), hide_index=True)
        name, end = _named(run)
        files += chart_files(chart, name=quantity_name(run.quantity, t).capitalize() + name, ending=f"states{end}", t=t)
    return files


def _difference(run: _Shown) -> FloatArray:
    part = next(one for one in run.found.layers if (one.layer, one.direction) == run.place())
    return part.difference(run.quantity)


def _numbers(runs: Sequence[_Shown], t: Translator) -> list[Download]:
    """Every number of the runs."""
    files = []
    for run in runs:
        name, end = _named(run)
        files += [
            Download(label=t("Both runs, JSON") + name, ending=f"interventions{end}.json", mime="application/json",
                     make=partial(intervened_json, run.found)),
            Download(label=t("Both runs, CSV") + name, ending=f"interventions{end}.csv", mime="text/csv",
                     make=partial(intervened_csv, run.found)),
            Download(label=t("Norms of the gradients, CSV") + name, ending=f"gradients{end}.csv", mime="text/csv",
                     make=partial(gradient_norms_csv, run.found)),
        ]  # fmt: skip
    return files


def _named(run: _Shown) -> tuple[str, str]:
    """What tells the files of two runs apart, in labels and in names."""
    return (f" ({run.mark})", f"-{run.mark.lower()}") if run.mark else ("", "")


def _unit_rows(found: Intervened, t: Translator) -> list[dict[str, object]]:
    return [
        {
            t("Unit"): moved.unit,
            t("Layer"): moved.layer + 1,
            t("at"): visible(found.originals[moved.step]),
            t("before"): f"{moved.before:.3f}".replace("-", "−"),
            t("after"): f"{moved.after:.3f}".replace("-", "−"),
        }
        for moved in found.moved_units(10)
    ]
