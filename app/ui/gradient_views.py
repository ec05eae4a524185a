"""What the Gradients page shows: the way back through time, the shared matrices, the long dependency."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.ui.backend import ask_all, show_error
from app.ui.charts import show_chart
from app.ui.settings import Settings, look_of, page_theme
from app.ui.url import keep, take
from seqviz.backends.requests import AgreementRequest
from seqviz.charts.agreement import agreement_chart, agreement_sentence
from seqviz.charts.backward import Scale, delta_heatmap, gradient_norm_chart, reach_sentence
from seqviz.charts.notation import quantity_name
from seqviz.charts.shared_weights import weight_contribution_chart, weight_tiles_chart
from seqviz.checkpoints import CheckpointInfo
from seqviz.errors import SeqvizError
from seqviz.examples import CLAUSE
from seqviz.export import backward_csv, backward_json
from seqviz.gradients import Agreement, BackwardTrace, WeightGradient
from seqviz.i18n import Translator

SCALES: tuple[Scale, ...] = ("log", "relative")
QUANTITIES = ("hidden_state", "cell_state", "embedding")


def time_view(traces: list[BackwardTrace], titles: list[str], settings: Settings) -> None:
    """Norms of every step for all models, and the signed errors of the first one's units."""
    t, trace = settings.t, traces[0]
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    places = {f"{part.layer}.{part.direction}": part for part in trace.layers}
    first = next(iter(places))
    take("layer", list(places), first)
    place = places[
        left.selectbox(
            t("Layer"),
            list(places),
            key="layer",
            format_func=lambda name: t("{layer}, {direction}").format(
                layer=places[name].layer + 1,
                direction=t("forward") if places[name].direction == "forward" else t("backward"),
            ),
        )
    ]
    keep("layer", first)
    take("scale", SCALES, SCALES[0])
    scale = middle.segmented_control(
        t("Scale"),
        SCALES,
        required=True,
        key="scale",
        format_func=lambda name: {"log": t("absolute, log"), "relative": t("share of the largest")}[name],
    )
    keep("scale", SCALES[0])
    quantities = [name for name in QUANTITIES if name != "cell_state" or any(_has_cells(one) for one in traces)]
    take("quantity", quantities, quantities[0])
    quantity = right.selectbox(
        t("Gradient of"),
        quantities,
        key="quantity",
        format_func=lambda name: quantity_name("input" if name == "embedding" else name, t=t),
    )
    keep("quantity", quantities[0])
    shown = [i for i, one in enumerate(traces) if quantity != "cell_state" or _has_cells(one)]
    show_chart(
        gradient_norm_chart(
            [traces[i] for i in shown],
            names=[titles[i] for i in shown],
            layer=place.layer,
            direction=place.direction,
            quantity=quantity,
            scale=scale or SCALES[0],
            theme=page_theme(),
            font_size=settings.font_size,
            t=t,
        )
    )
    for i in shown:
        st.caption(f"**{titles[i]}** · {reach_sentence(traces[i], layer=place.layer, direction=place.direction, t=t)}")
    options = ["hidden_state", *(["cell_state"] if place.cell_state is not None else []), *place.block_names]
    take("delta", options, options[0])
    delta = st.selectbox(
        t("Every unit: the signed gradient of"),
        options,
        key="delta",
        format_func=lambda name: _delta_name(name, t),
    )
    keep("delta", options[0])
    show_chart(
        delta_heatmap(
            trace,
            layer=place.layer,
            direction=place.direction,
            quantity=delta,
            theme=page_theme(),
            font_size=settings.font_size,
            t=t,
        )
    )


def weights_view(trace: BackwardTrace, settings: Settings) -> None:
    """One shared matrix: what every step adds, the running sum, the proof."""
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
    st.markdown(r"$\displaystyle \frac{\partial L}{\partial W} = \sum_t \delta_t\, a_{t-1}^{\top}$")
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
    show_chart(weight_contribution_chart(weight, trace.originals, **look))
    show_chart(weight_tiles_chart(weight, trace.originals, **look))


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
    show_chart(agreement_chart(found, names=titles, **look))
    show_chart(agreement_chart(found, names=titles, measured="gradient", **look))
    for title, one in zip(titles, found, strict=True):
        st.caption(f"**{title}** · {agreement_sentence(one, t=t)}")
    unknown = found[0].unknown
    if unknown:
        st.caption(t("Not in the vocabulary, read as <unk>: {words}.").format(words=", ".join(dict.fromkeys(unknown))))


def gradient_downloads(traces: list[BackwardTrace], t: Translator) -> None:
    """JSON and CSV of every number of the backward pass."""
    with st.popover(t("Download"), icon=":material/download:", width="stretch"):
        for trace in traces:
            for label, write, ending, mime in (
                (t("Every number, JSON"), backward_json, "json", "application/json"),
                (t("Every number, CSV"), backward_csv, "csv", "text/csv"),
            ):
                st.download_button(
                    f"{label} ({trace.model})",
                    _maker(write, trace),
                    file_name=f"gradients-{trace.model}.{ending}",
                    mime=mime,
                    key=f"download-{trace.model}-{ending}",
                    on_click="ignore",
                    type="tertiary",
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


def _has_cells(trace: BackwardTrace) -> bool:
    return trace.layers[0].cell_state is not None


def _delta_name(name: str, t: Translator) -> str:
    if name in ("hidden_state", "cell_state"):
        return quantity_name(name, t=t)
    return t("{block}, before its activation (δ)").format(block=quantity_name(name, t=t))


def _maker(write: Callable[[BackwardTrace], str], trace: BackwardTrace) -> Callable[[], str]:
    return lambda: write(trace)
