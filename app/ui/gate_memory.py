"""Memory carried: how long a unit keeps what it wrote, and which unit carries number from the noun to the verb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.focus import SHOWN
from app.ui.gate_inputs import place_inputs, shown_focus
from app.ui.settings import Settings, look_of
from app.ui.unroll_inputs import Inputs
from app.ui.url import keep, take
from app.ui.views import side_by_side
from seqviz.backends.requests import NumberUnitsRequest
from seqviz.charts.gate_words import convention_lines
from seqviz.charts.memory import (
    carried_triangle,
    carried_units,
    half_life_chart,
    half_life_sentence,
    number_chart,
    number_sentence,
)
from seqviz.charts.notation import quantity_name
from seqviz.charts.unroll_layout import UnrollFocus, UnrollOptions, resolved_focus
from seqviz.checkpoints import CheckpointInfo
from seqviz.errors import SeqvizError
from seqviz.examples import LONG_CAT
from seqviz.gate_export import carried_csv, half_lives_csv, number_units_json
from seqviz.gates import NumberUnit, NumberUnits
from seqviz.memory import keep_gate
from seqviz.traces import LayerTrace, RecurrentTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """One of the runs on the page.

    Args:
        trace: the run.
        focus: its layer, direction, unit and step.
        mark: ``"A"`` or ``"B"`` where two runs are compared, else empty.
    """

    trace: RecurrentTrace
    focus: UnrollFocus
    mark: str

    @property
    def part(self) -> LayerTrace:
        """The layer that is shown."""
        return self.trace.layer(self.focus.layer, self.focus.direction)

    def named(self, name: str) -> str:
        """What tells the files of two runs apart, in labels."""
        return f"{name} ({self.mark})" if self.mark else name

    def ending(self, ending: str) -> str:
        """The same, in names of files."""
        return f"{ending}-{self.mark.lower()}" if self.mark else ending


@st.fragment
def memory_view(
    inputs: Inputs, traces: Sequence[RecurrentTrace], models: dict[str, CheckpointInfo], settings: Settings
) -> None:
    """Triangle, all units, half-lives, of one run or of two side by side; below them the search for the number unit."""
    t = settings.t
    focus = shown_focus(traces[0])
    place_inputs(traces[0], focus, t, with_step=True)
    runs = [
        _Kept(
            trace=trace,
            focus=resolved_focus(trace, UnrollOptions(focus=focus)),
            mark="AB"[index] if len(traces) > 1 else "",
        )
        for index, trace in enumerate(traces)
    ]
    files = [*_triangles(runs, settings), *_units_and_lives(runs, settings)]
    files += _number_search(traces[0].model, models, settings)
    _, right = st.columns([3, 1])
    with right:
        if files:
            download_popover(files, name=inputs.request.text, t=t)


def _triangles(runs: Sequence[_Kept], settings: Settings) -> list[Download]:
    """What one unit carries from every step to every other, and how long it keeps half."""
    t, look, files = settings.t, look_of(settings), list[Download]()
    for run, place in zip(runs, side_by_side(len(runs)), strict=True):
        part, originals, unit = run.part, run.trace.originals, run.focus.unit
        with place:
            if run.mark:
                st.subheader(f"{run.mark} · {run.trace.model}", anchor=False)
            if keep_gate(part) is None:
                st.info(
                    t(
                        "A plain cell has no gate that keeps: at every step its whole state is written anew. Choose an "
                        "LSTM or a GRU."
                    ),
                    icon=":material/info:",
                )
                continue
            triangle = partial(carried_triangle, part, originals, unit=unit, **look)
            st.caption(" ".join([_product_note(part.cell, settings), *convention_lines(part.cell, t)[:1]]))
            show_chart(triangle())
            st.markdown(half_life_sentence(part, unit=unit, step=run.focus.step, originals=originals, t=t))
        files += chart_files(triangle, name=run.named(t("Triangle")), ending=run.ending("triangle"), t=t)
        files.append(
            Download(label=run.named(t("Triangle, CSV")), ending=run.ending("triangle") + ".csv", mime="text/csv",
                     make=partial(carried_csv, part, unit, originals))
        )  # fmt: skip
    return files


def _units_and_lives(runs: Sequence[_Kept], settings: Settings) -> list[Download]:
    """What is left in all units from the chosen step on, and how many lose half when."""
    t, look, files = settings.t, look_of(settings), list[Download]()
    steps = [(run.part, run.focus.step) for run in runs if keep_gate(run.part) is not None]
    # Charts of one kind begin at one height, whatever stands above them.
    above = side_by_side(len(runs))
    below = side_by_side(len(runs)) if len(runs) > 1 else above
    for run, upper, lower in zip(runs, above, below, strict=True):
        if keep_gate(run.part) is None:
            continue
        part, step = run.part, run.focus.step
        units = partial(carried_units, part, run.trace.originals, step=step, **look)
        lives = partial(half_life_chart, part, step=step, beside=steps, **look)
        left, right = (upper, lower) if run.mark else upper.columns([3, 2])
        with left:
            show_chart(units())
        with right:
            show_chart(lives())
        files += chart_files(units, name=run.named(t("All units")), ending=run.ending("memory"), t=t)
        files += chart_files(lives, name=run.named(t("Half-lives")), ending=run.ending("half-lives"), t=t)
        files.append(
            Download(label=run.named(t("Half-lives of all units, CSV")), ending=run.ending("half-lives") + ".csv",
                     mime="text/csv", make=partial(half_lives_csv, part, step))
        )  # fmt: skip
    return files


def _product_note(cell: str, settings: Settings) -> str:
    t = settings.t
    if cell.startswith("gru"):
        symbol = "1 − Γ_u" if settings.notation == "ng" else "Z"
        return t(
            "In a GRU the share of an old state that still stands directly in a later one is the product of {symbol} "
            "over the steps between; what goes through the candidate comes on top."
        ).format(symbol=symbol)
    symbol = "Γ_f" if settings.notation == "ng" else "F"
    return t(
        "In an LSTM the share of an old cell state that still stands in a later one is the product of {symbol} over "
        "the steps between; what goes through gates and candidates comes on top."
    ).format(symbol=symbol)


def _number_search(model: str, models: dict[str, CheckpointInfo], settings: Settings) -> list[Download]:
    """Every word model's best unit; the model that the page shows comes first."""
    t, look = settings.t, look_of(settings)
    st.subheader(t("From 'cat(s)' to 'was/were': the unit that carries number"), anchor=False)
    names = [name for name, info in models.items() if info.family == "wikitext"]
    if not names:
        st.info(t("This needs a word language model: seqviz train wikitext-lstm"), icon=":material/info:")
        return []
    answers = ask_all([NumberUnitsRequest(model=name) for name in names])
    found: dict[str, NumberUnits] = {}
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, SeqvizError):
            show_error(answer, t)
        else:
            found[name] = answer
    if not found:
        return []
    st.dataframe([_row(models[name].title, one, settings) for name, one in found.items()], hide_index=True)
    name = first = model if model in found else next(iter(found))
    take("number", list(found), first)
    if len(found) > 1:
        name = st.segmented_control(
            t("Word model"), list(found), required=True, key="number", format_func=lambda each: models[each].title
        ) or name  # fmt: skip
        keep("number", first)
    one = found[name]
    show_chart(number_chart(one, **look))
    st.caption(number_sentence(one, t=t))
    st.button(
        t("Follow this unit through the sentence"),
        icon=":material/account_tree:",
        on_click=_follow,
        args=(name, one.best[0]),
    )
    return [
        *chart_files(lambda: number_chart(one, **look), name=t("Number unit"), ending="number-unit", t=t),
        Download(label=t("Number units, JSON"), ending="number-units.json", mime="application/json",
                 make=lambda: number_units_json(list(found.values()))),
    ]  # fmt: skip


def _row(title: str, found: NumberUnits, settings: Settings) -> dict[str, object]:
    t, best = settings.t, found.best[0]
    return {
        t("Model"): title,
        t("Best unit"): t("unit {unit}, layer {layer}, {quantity}").format(
            unit=best.unit, layer=best.layer + 1, quantity=quantity_name(best.quantity, t)
        ),
        t("Held-out sentences right"): f"{100 * best.accuracy:.1f} %",
        t("AUC"): f"{best.auc:.3f}",
        t("Median unit"): f"{100 * found.median_accuracy:.1f} %",
        t("The model's own verb right"): f"{100 * found.verb_accuracy:.1f} %",
        t("Pairs (search + held out)"): f"{found.search_pairs} + {found.held_out_pairs}",
    }


def _follow(model: str, unit: NumberUnit) -> None:
    """Goes to the gate view with this unit in the syllabus' sentence."""
    state = st.session_state
    state["text"], state["model"], state["view"], state["compare"] = LONG_CAT, model, "cell", "none"
    state[SHOWN] = UnrollFocus(step=1, layer=unit.layer, direction="forward", unit=unit.unit)
