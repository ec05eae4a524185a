"""What the Gradients page shows: the runs that its inputs ask for, or the last ones that could be read."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import ask_sorted, show_error
from app.ui.gradient_inputs import Reading, backward_requests, loss_input, multiplier_input, reading_inputs, scale_input
from app.ui.settings import Settings
from seqviz.backends.requests import BackwardRequest
from seqviz.charts.backflow import Run
from seqviz.charts.backflow_curves import Curve
from seqviz.charts.gradient_scale import SCALES, Scale
from seqviz.checkpoints import CheckpointInfo
from seqviz.gradients import BackwardTrace

_GOOD = "gradients-good"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRuns:
    """The runs on the page.

    Args:
        requests: the backward passes, those of ``runs`` first.
        runs: drawn in full, one or two.
        others: of which only the norms are drawn.
        scale: of all gradients.
        place: beside the inputs, for the options of the picture.
    """

    requests: list[BackwardRequest]
    runs: list[Run]
    others: list[Curve]
    scale: Scale
    place: DeltaGenerator

    @property
    def passes(self) -> list[BackwardTrace]:
        """All backward passes."""
        return [run.backward for run in self.runs] + [other.trace for other in self.others]


def gradient_runs(models: dict[str, CheckpointInfo], settings: Settings, *, weights: bool) -> ShownRuns | None:
    """Draws the inputs and asks for what they say; ``weights`` for the view of the shared matrices, which has no scale.

    A text that cannot be used is said in place, and the last good runs stay; None if there are none.
    """
    t = settings.t
    reading = reading_inputs(models, t)
    traces, errors = ask_sorted(reading.requests)
    scale, requests, passes, place = SCALES[0], list[BackwardRequest](), list[BackwardTrace](), st.container()
    if not errors:
        loss_step = loss_input(traces[0], reading, t)
        left, middle, place = st.columns([6, 8, 10], vertical_alignment="bottom")
        with left:
            multiplier = multiplier_input(t)
        with middle:
            scale = scale if weights else scale_input(t)
        requests = backward_requests(reading, traces, loss_step, multiplier, weights=weights)
        passes, errors = ask_sorted(requests)
    for error in {str(error): error for error in errors}.values():  # of three models one sentence
        show_error(error, t)
    if errors:
        good: tuple[Reading, list[BackwardRequest]] | None = st.session_state.get(_GOOD)
        if good is None:
            return None
        st.caption(t("Below: the last text that could be read."))
        reading, requests = good
        traces, missing = ask_sorted(reading.requests)
        passes, also_missing = ask_sorted(requests)
        if missing or also_missing:
            return None
    st.session_state[_GOOD] = reading, requests
    runs = [Run(forward=trace, backward=one) for trace, one in zip(traces, passes, strict=False)]
    others = [Curve(trace=one, name=one.model) for one in passes[len(runs) :]]
    return ShownRuns(requests=requests, runs=runs, others=others, scale=scale, place=place)
