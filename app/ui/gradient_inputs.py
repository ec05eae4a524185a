"""The inputs of the Gradients page: sentence, model, which loss goes back, what stands beside. All in the URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.focus import forget_focus
from app.ui.installed import take_model
from app.ui.sentence_input import fallback_example, sentence_input
from app.ui.unroll_inputs import compared
from app.ui.url import forget, keep, take
from seqviz.backends.requests import BackwardRequest, TraceRequest
from seqviz.charts.gradient_scale import SCALES, Scale
from seqviz.charts.notation import visible
from seqviz.checkpoints import CheckpointInfo
from seqviz.examples import Example, gradient_examples
from seqviz.i18n import Translator
from seqviz.traces import NO_TARGET, RecurrentTrace

SUM = "sum"
Beside = Literal["cells", "none", "text", "model"]
BESIDE: tuple[Beside, ...] = ("cells", "none", "text", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read, before a loss is chosen.

    Args:
        request: the run.
        siblings: models of the same family with another cell, of which only the norms are shown.
        compare: a second run, to be drawn in full.
        first_loss: the step whose loss goes back unless the reader chooses; None for the last.
        loss_place: where the choice of the loss is drawn.
    """

    request: TraceRequest
    siblings: tuple[str, ...] = ()
    compare: TraceRequest | None = None
    first_loss: int | None = None
    loss_place: DeltaGenerator | None = None

    @property
    def requests(self) -> list[TraceRequest]:
        """The runs that are drawn in full."""
        return [self.request] if self.compare is None else [self.request, self.compare]


def reading_inputs(
    models: dict[str, CheckpointInfo], t: Translator, *, choices: tuple[Beside, ...] = BESIDE
) -> Reading:
    """Draws sentence, examples, model and what stands beside; ``choices`` are those of the last."""
    examples = [example for example in gradient_examples(t) if example.model in models]
    first = fallback_example(examples, list(models))
    text = sentence_input(examples, first, _take_example, t)
    left, middle, right = st.columns([7, 7, 10], vertical_alignment="bottom")
    take_model({name: info.title for name, info in models.items()}, first.model, t)
    model = left.selectbox(t("Model"), list(models), key="model", format_func=lambda name: models[name].title)
    keep("model", first.model)
    take("beside", choices, choices[0])
    beside = right.segmented_control(
        t("Compare with"),
        choices,
        required=True,
        wrap=True,
        key="beside",
        format_func=lambda choice: {
            "cells": t("the other cells"),
            "none": t("nothing"),
            "text": t("a sentence"),
            "model": t("a model"),
        }[choice],
    )
    keep("beside", choices[0])
    request = TraceRequest(model=model, text=text)
    return Reading(
        request=request,
        siblings=tuple(siblings(model, models)) if beside == "cells" else (),
        compare=compared(request, beside, models, t, preferred=siblings(model, models)),
        first_loss=next((one.loss for one in examples if (one.text, one.model) == (request.text, model)), None),
        loss_place=middle,
    )


def siblings(model: str, models: dict[str, CheckpointInfo]) -> list[str]:
    """Models of the same family and shape with another cell."""
    own = models[model]

    def shape(info: CheckpointInfo) -> tuple[object, ...]:
        return info.family, info.config.num_layers, info.config.bidirectional

    return [name for name, info in models.items() if shape(info) == shape(own) and info.config.cell != own.config.cell]


def loss_input(trace: RecurrentTrace, reading: Reading, t: Translator) -> int | None:
    """Draws the choice of the loss; returns its step, or None for the sum of all."""
    place, first = reading.loss_place or st, reading.first_loss
    steps = loss_steps(trace)
    if len(steps) < 2:
        place.caption(t("The loss of the one answer goes back: −log P of the model's own verdict."))
        return steps[-1] if steps else None
    options = [SUM, *(str(step) for step in steps)]
    start = str(first) if first in steps else options[-1]
    take("loss", options, start)
    name = place.selectbox(
        t("Loss that goes back"), options, key="loss", format_func=lambda option: loss_name(option, trace, t)
    )
    keep("loss", start)
    return None if name == SUM else int(name)


def multiplier_input(t: Translator) -> float:
    """Draws the factor on the last error."""
    return float(
        st.slider(
            t("Multiply the last error by"),
            -4.0,
            4.0,
            1.0,
            0.5,
            key="multiplier",
            bind="query-params",
            help=t(
                "The backward pass is linear: every gradient scales with this number exactly, the forward pass and "
                "its loss stay."
            ),
        )
    )


def scale_input(t: Translator, place: DeltaGenerator | None = None) -> Scale:
    """Draws the choice of the scale of all gradients."""
    take("scale", SCALES, SCALES[0])
    scale = (place or st).segmented_control(
        t("Scale"),
        SCALES,
        required=True,
        key="scale",
        format_func=lambda name: {"log": t("absolute, log"), "relative": t("share of the largest")}[name],
    )
    keep("scale", SCALES[0])
    return scale or SCALES[0]


def loss_steps(trace: RecurrentTrace) -> list[int]:
    """Steps that have a loss."""
    if trace.task == "classification":
        return [len(trace) - 1]
    if trace.task == "tagging":
        return list(range(len(trace)))
    return [step for step in range(len(trace)) if trace.targets[step] != NO_TARGET]


def backward_requests(
    reading: Reading, traces: list[RecurrentTrace], loss_step: int | None, multiplier: float, *, weights: bool
) -> list[BackwardRequest]:
    """The backward passes: of the runs that are drawn, then of the siblings; ``weights`` for those of the first run.

    A second run gets its own last loss where the first one has its last, else the loss of the same step.
    """
    plain = BackwardRequest(trace=reading.request, loss_step=loss_step, multiplier=multiplier)
    runs = [replace(plain, weights=weights)]
    if reading.compare is not None and len(traces) > 1:
        own = loss_steps(traces[1])
        step = loss_step if loss_step in own and loss_step != loss_steps(traces[0])[-1] else own[-1] if own else None
        runs.append(
            BackwardRequest(trace=reading.compare, loss_step=None if loss_step is None else step, multiplier=multiplier)
        )
    return runs + [replace(plain, trace=replace(reading.request, model=name)) for name in reading.siblings]


def loss_name(option: str, trace: RecurrentTrace, t: Translator) -> str:
    """A choice of the loss for people."""
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
    """Fills the inputs with an example; its loss is the first one unless the reader chooses another."""
    state = st.session_state
    state["text"], state["model"] = example.text, example.model
    state["beside"] = "text" if example.compare_text else "model" if example.compare_model else "cells"
    for key, value in (("text2", example.compare_text), ("model2", example.compare_model)):
        if value:
            state[key] = value
    forget("loss")
    forget_focus()
