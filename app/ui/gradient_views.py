"""Views of the Gradients page: the shared matrices, the long dependency."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.settings import Settings, look_of
from app.ui.url import keep, take
from seqviz.backends.requests import AgreementRequest
from seqviz.charts.agreement import agreement_chart, agreement_sentence
from seqviz.charts.notation import visible
from seqviz.charts.shared_weights import weight_contribution_chart, weight_tiles_chart
from seqviz.charts.unroll_alt import cell_title
from seqviz.checkpoints import CheckpointInfo
from seqviz.errors import SeqvizError
from seqviz.examples import CLAUSE
from seqviz.export import agreement_csv, agreement_json
from seqviz.gradients import Agreement, BackwardTrace, WeightGradient
from seqviz.i18n import Translator


def weights_view(trace: BackwardTrace, settings: Settings) -> list[Download]:
    """One shared matrix: what every step adds, the running sum, the proof; returns the files of its charts."""
    t = settings.t
    names = {f"{weight.name}.{weight.layer}.{weight.direction}": weight for weight in trace.weights}
    first = next(iter(names))
    take("matrix", list(names), first)
    weight = names[
        st.selectbox(
            t("Shared matrix"), list(names), key="matrix", format_func=lambda name: matrix_name(names[name], settings)
        )
    ]
    keep("matrix", first)
    seen = {"weight_hidden": ("a", "H", "_{t-1}"), "weight_input": ("x", "X", "_t"), "weight_output": ("a", "H", "_t")}
    ng, d2l, time = seen[weight.name]
    state = f"{ng if settings.notation == 'ng' else d2l}{time}"
    st.markdown(rf"$\displaystyle \frac{{\partial L}}{{\partial W}} = \sum_t \delta_t\, {state}^{{\top}}$")
    st.caption(
        t(
            "One matrix serves all steps, so its gradient is the sum of what every step adds: {rows} by {columns} "
            "numbers. Norm of the sum {ours}, of autograd's gradient {theirs}; no number differs by more than "
            "{difference} of the largest."
        ).format(
            rows=weight.shape[0],
            columns=weight.shape[1],
            ours=f"{weight.total_norm:.12g}",
            theirs=f"{weight.autograd_norm:.12g}",
            difference=f"{weight.difference:.1e}",
        )
    )
    look = look_of(settings)
    steps, tiles = (make(weight, trace.originals, **look) for make in (weight_contribution_chart, weight_tiles_chart))
    show_chart(steps)
    show_chart(tiles)
    return [
        *chart_files(lambda: steps, name=t("What every step adds"), ending="steps", t=t),
        *chart_files(lambda: tiles, name=t("The strongest steps"), ending="tiles", t=t),
    ]


def dependency_view(models: dict[str, CheckpointInfo], settings: Settings) -> None:
    """The verb behind a growing clause, for every word language model."""
    t = settings.t
    names = [name for name, info in models.items() if info.family == "wikitext"]
    if not names:
        st.info(t("This needs a word language model: seqviz train wikitext-lstm"), icon=":material/info:")
        return
    left, middle, right = st.columns([1, 1, 5], vertical_alignment="bottom")
    singular = left.text_input(t("One"), "cat", key="one", bind="query-params", autocomplete="off")
    plural = middle.text_input(t("Many"), "cats", key="many", bind="query-params", autocomplete="off")
    clause = right.text_input(t("Clause between subject and verb"), CLAUSE, key="clause", bind="query-params")
    answers = ask_all(
        [
            AgreementRequest(model=name, clause=clause or "", singular=singular or "", plural=plural or "")
            for name in names
        ]
    )
    found: list[Agreement] = []
    for answer in answers:
        if isinstance(answer, SeqvizError):
            show_error(answer, t)
            return
        found.append(answer)
    look = look_of(settings)
    titles = [models[name].title for name in names]
    cells = [cell_title(one.cell) for one in found]
    short = cells if len(set(cells)) == len(cells) else titles
    odds = agreement_chart(found, names=short, **look)
    gradient = agreement_chart(found, names=short, measured="gradient", **look)
    show_chart(odds)
    show_chart(gradient)
    for title, one in zip(titles, found, strict=True):
        st.caption(f"**{title}** · {agreement_sentence(one, t=t)}")
    unknown = found[0].unknown
    if unknown:
        st.caption(t("Not in the vocabulary, read as <unk>: {words}.").format(words=", ".join(dict.fromkeys(unknown))))
    files = [
        *chart_files(lambda: odds, name=t("The verb"), ending="verb", t=t),
        *chart_files(lambda: gradient, name=t("The gradient"), ending="gradient", t=t),
    ]
    for label, ending, mime, make in (
        (t("Every number, JSON"), "json", "application/json", lambda: agreement_json(found)),
        (t("Every number, CSV"), "csv", "text/csv", lambda: agreement_csv(found)),
    ):
        files.append(Download(label=label, ending=ending, mime=mime, make=make))
    _, right = st.columns([3, 1])
    with right:
        download_popover(files, name=f"long dependency {singular} {plural}", t=t)


def loss_caption(trace: BackwardTrace, t: Translator) -> str:
    """What goes back."""
    if len(trace.loss_steps) > 1:
        said = t("L = {loss} nats, the sum over {count} steps")
        text = said.format(loss=f"{trace.losses[list(trace.loss_steps)].sum():.6g}", count=len(trace.loss_steps))
    else:
        step = trace.loss_steps[0]
        said = t("L = −log P(‘{target}’) = {loss} nats, at step {step}")
        text = said.format(target=visible(trace.target_names[0]), loss=f"{trace.losses[step]:.6g}", step=step + 1)
    if trace.multiplier == 1.0:
        return f"{text}."
    return t("{loss}; its last error times {factor}: every gradient scales with it, the forward pass stays.").format(
        loss=text, factor=f"{trace.multiplier:g}".replace("-", "−")
    )


def matrix_name(weight: WeightGradient, settings: Settings) -> str:
    """What a matrix is called in the reader's notation."""
    t = settings.t
    ng = settings.notation == "ng"
    symbols = {
        "weight_hidden": ("W_aa", "W_hh"),
        "weight_input": ("W_ax", "W_xh"),
        "weight_output": ("W_ya", "W_hq"),
    }
    says = {
        "weight_hidden": t("from state to state"),
        "weight_input": t("from input to state"),
        "weight_output": t("from state to output"),
    }
    place = "" if weight.name == "weight_output" else f" · {weight.layer + 1}, {t(weight.direction)}"
    return f"{symbols[weight.name][0 if ng else 1]}: {says[weight.name]}{place}"
