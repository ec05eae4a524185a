"""The inputs of the Gradients page: sentence, model, which loss goes back. All of them stand in the URL."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.ui.sentence_input import fallback_example, sentence_input
from app.ui.url import keep, take
from seqviz.backends.requests import BackwardRequest, TraceRequest
from seqviz.charts.notation import visible
from seqviz.checkpoints import CheckpointInfo
from seqviz.examples import Example, gradient_examples
from seqviz.i18n import Translator
from seqviz.traces import NO_TARGET, RecurrentTrace

SUM = "sum"
CELLS = ("one", "family")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read, before a loss is chosen."""

    text: str
    models: tuple[str, ...]

    @property
    def requests(self) -> list[TraceRequest]:
        """A run for each model, the chosen one first."""
        return [TraceRequest(model=model, text=self.text) for model in self.models]


def reading_inputs(models: dict[str, CheckpointInfo], t: Translator) -> Reading:
    """Draws sentence, examples, model and comparison."""
    examples = [example for example in gradient_examples(t) if example.model in models]
    first = fallback_example(examples, list(models))
    text = sentence_input(examples, first, _take_example, t)
    left, right = st.columns([5, 4], vertical_alignment="bottom")
    take("model", list(models), first.model)
    model = left.selectbox(t("Model"), list(models), key="model", format_func=lambda name: models[name].title)
    keep("model", first.model)
    take("cells", CELLS, CELLS[1])
    cells = right.segmented_control(
        t("Curves"),
        CELLS,
        required=True,
        key="cells",
        format_func=lambda choice: {"one": t("this model"), "family": t("RNN, GRU and LSTM together")}[choice],
    )
    keep("cells", CELLS[1])
    return Reading(text=text, models=(model, *(siblings(model, models) if cells == "family" else ())))


def siblings(model: str, models: dict[str, CheckpointInfo]) -> list[str]:
    """Models of the same family and shape with another cell."""
    own = models[model]

    def shape(info: CheckpointInfo) -> tuple[object, ...]:
        return info.family, info.config.num_layers, info.config.bidirectional

    return [name for name, info in models.items() if shape(info) == shape(own) and info.config.cell != own.config.cell]


def loss_inputs(trace: RecurrentTrace, t: Translator) -> tuple[int | None, float]:
    """Draws the choice of the loss and the factor on its error; returns them."""
    left, right = st.columns([5, 4], vertical_alignment="bottom")
    steps = _loss_steps(trace)
    chosen: int | None = steps[-1] if steps else None
    if len(steps) > 1:
        options = [SUM, *(str(step) for step in steps)]
        take("loss", options, options[-1])
        name = left.selectbox(
            t("Loss that goes back"), options, key="loss", format_func=lambda option: _loss_name(option, trace, t)
        )
        keep("loss", options[-1])
        chosen = None if name == SUM else int(name)
    else:
        left.caption(
            t("The loss of the one answer goes back; where no label is given, that of the model's own answer.")
        )
    multiplier = right.slider(
        t("Multiply the last error by"),
        -4.0,
        4.0,
        1.0,
        0.5,
        key="multiplier",
        bind="query-params",
        help=t("The backward pass is linear: every gradient scales with this number exactly, the forward pass stays."),
    )
    return chosen, float(multiplier)


def backward_requests(reading: Reading, loss_step: int | None, multiplier: float) -> list[BackwardRequest]:
    """The questions for the backend, one a model."""
    return [BackwardRequest(trace=request, loss_step=loss_step, multiplier=multiplier) for request in reading.requests]


def _loss_steps(trace: RecurrentTrace) -> list[int]:
    if trace.task == "classification":
        return [len(trace) - 1]
    if trace.task == "tagging":
        return list(range(len(trace)))
    return [step for step in range(len(trace)) if trace.targets[step] != NO_TARGET]


def _loss_name(option: str, trace: RecurrentTrace, t: Translator) -> str:
    if option == SUM:
        return t("the sum over all steps")
    step = int(option)
    piece = visible(trace.originals[step])
    if trace.task != "language_model":
        return t("step {step}: the answer at ‘{piece}’").format(step=step + 1, piece=piece)
    return t("step {step}: ‘{next}’ after ‘{piece}’").format(
        step=step + 1, piece=piece, next=visible(trace.originals[step + 1])
    )


def _take_example(example: Example) -> None:
    state = st.session_state
    state["text"], state["model"] = example.text, example.model
    state.pop("loss", None)
