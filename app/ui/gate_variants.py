"""Variants: one sentence in every cell of a family, with what each costs (syllabus G6)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial

import altair as alt
import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.settings import Settings, look_of
from app.ui.unroll_inputs import Inputs
from seqviz.backends.requests import SpeedRequest, TraceRequest
from seqviz.charts.gate_words import convention_lines
from seqviz.charts.variants import ROLES, role_chart, variant_title
from seqviz.checkpoints import CheckpointInfo
from seqviz.errors import SeqvizError
from seqviz.gates import Speed
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace

_BLOCKS = {"rnn": 1, "gru": 3, "gru_reset_before": 3, "gru_simplified": 2}


def variants_of(model: str, models: dict[str, CheckpointInfo]) -> list[str]:
    """The models of one family and shape, one for each cell, the plain cell first."""
    own = models[model]
    same = {
        info.config.cell: name
        for name, info in models.items()
        if info.family == own.family
        and (info.config.num_layers, info.config.bidirectional) == (own.config.num_layers, own.config.bidirectional)
    }
    order = ("rnn", "gru_simplified", "gru_reset_before", "gru", "lstm_linear_output", "lstm_peephole", "lstm")

    def place(cell: str) -> int:
        return order.index(cell) if cell in order else 0

    return [same[cell] for cell in sorted(same, key=place)]


def variants_view(inputs: Inputs, models: dict[str, CheckpointInfo], settings: Settings) -> None:
    """Table of costs, and the gates' means on one scale."""
    t = settings.t
    names = variants_of(inputs.request.model, models)
    text = inputs.request.text
    answers = ask_all([TraceRequest(model=name, text=text) for name in names])
    traces: list[RecurrentTrace] = []
    for answer in answers:
        if isinstance(answer, SeqvizError):
            show_error(answer, t)
            return
        traces.append(answer)
    speeds = ask_all([SpeedRequest(models=tuple(names), text=text)])[0]
    if isinstance(speeds, SeqvizError):
        show_error(speeds, t)
        return
    rows = _rows([models[name] for name in names], speeds, t)
    # The cell says which model it is; its name stands in the file, and the held-out figure is in view instead.
    st.dataframe(rows, hide_index=True, column_order=[name for name in rows[0] if name != t("Name")])
    st.caption(
        t(
            "Gates and candidate are the blocks of weights: an LSTM has 4 (3 gates), a GRU 3 (2 gates), so 3 : 2. "
            "Time: processor time of the recurrent layers alone over {steps} pieces, one text at a time, median of "
            "several rounds in which the models take turns; cells without a fused kernel of PyTorch run step by "
            "step. The models are as many as are installed."
        ).format(steps=speeds[0].steps)
    )
    if len(names) < 2:
        st.info(t("Only one cell of this family is installed: train another one to compare."), icon=":material/info:")
    look = look_of(settings)
    titles = [variant_title(models[name].config.cell, t) for name in names]
    files: list[Download] = []
    for role in ROLES:
        chart = role_chart(traces, names=titles, role=role, **look)
        if chart is not None:
            show_chart(chart)
            files += chart_files(partial(_same, chart), name=t(ROLES[role]), ending=role, t=t)
    for cell in dict.fromkeys(models[name].config.cell for name in names):
        st.caption(f"**{variant_title(cell, t)}** · " + " ".join(convention_lines(cell, t)))
    files.append(Download(label=t("Table, CSV"), ending="variants.csv", mime="text/csv", make=lambda: _csv(rows)))
    _, right = st.columns([3, 1])
    with right:
        download_popover(files, name=text, t=t)


def _rows(infos: Sequence[CheckpointInfo], speeds: Sequence[Speed], t: Translator) -> list[dict[str, object]]:
    fastest = min(speed.seconds for speed in speeds)
    figure_names = {
        "nats_per_token": t("nats per token"),
        "accuracy": t("accuracy, %"),
        "f1": t("entity F1, %"),
    }
    rows = []
    for info, speed in zip(infos, speeds, strict=True):
        figure = str(info.details.get("figure", ""))
        blocks = _BLOCKS.get(info.config.cell, 1 if info.config.cell.startswith("rnn") else 4)
        rows.append(
            {
                t("Cell"): variant_title(info.config.cell, t),
                t("Name"): info.name,
                t("Hidden units"): info.config.hidden_size,
                t("Gates + candidate"): f"{blocks - 1} + 1",
                t("Parameters"): f"{info.num_parameters:,}",
                t("Time, ratio"): f"{speed.seconds / fastest:.2f} ×",
                t("Microseconds a step"): f"{1e6 * speed.seconds / speed.steps:.1f}",
                t("Fused kernel"): t("yes") if speed.fused else t("no"),
                t("Held-out figure"): f"{info.figures[figure]:#.4g} {figure_names.get(figure, figure)}"
                if figure in info.figures
                else "–",
            }
        )
    return rows


def _same(chart: alt.LayerChart) -> alt.LayerChart:
    return chart


def _csv(rows: list[dict[str, object]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
