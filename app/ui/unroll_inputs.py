"""The inputs of the Unroll page: sentence, model, structure, comparison. All of them stand in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from app.ui.installed import take_model
from app.ui.sentence_input import fallback_example, sentence_input
from app.ui.url import keep, take
from seqviz.backends.requests import TraceRequest
from seqviz.checkpoints import CheckpointInfo
from seqviz.examples import Example, unroll_examples
from seqviz.i18n import Translator, english
from seqviz.traces import STRUCTURES, Structure, structures_of

Comparison = Literal["none", "text", "model"]
COMPARISONS: tuple[Comparison, ...] = ("none", "text", "model")
WRITING_TEMPERATURES = (0.0, 0.5, 0.8, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the visitor asks for: one run, or two to compare."""

    request: TraceRequest
    compare: TraceRequest | None = None

    @property
    def requests(self) -> list[TraceRequest]:
        """The runs, the compared one last."""
        return [self.request] if self.compare is None else [self.request, self.compare]


def unroll_inputs(models: dict[str, CheckpointInfo], t: Translator) -> Inputs:
    """Draws the inputs and returns what they say."""
    examples = [example for example in unroll_examples(t) if example.model in models]
    first = fallback_example(examples, list(models))
    names = list(models)
    text = sentence_input(examples, first, take_example, t, live=True)
    left, middle, right = st.columns([27, 44, 29], vertical_alignment="bottom")
    take_model({name: info.title for name, info in models.items()}, first.model, t)
    model = left.selectbox(
        t("Model"),
        names,
        key="model",
        format_func=lambda name: models[name].title,
        on_change=_fit_structure,
        args=(models,),
    )
    keep("model", first.model)
    possible = structures_of(models[model].config.task)
    take("structure", possible, possible[0])
    structure = middle.segmented_control(
        t("Structure"),
        STRUCTURES,
        required=True,
        wrap=True,
        key="structure",
        format_func=lambda name: structure_titles(t)[name],
        on_change=_fit_model,
        args=(models,),
    )
    keep("structure", possible[0])
    take("compare", COMPARISONS, "none")
    comparison = right.segmented_control(
        t("Compare with"),
        COMPARISONS,
        required=True,
        wrap=True,
        key="compare",
        format_func=lambda name: {"none": t("nothing"), "text": t("a sentence"), "model": t("a model")}[name],
    )
    keep("compare", "none")
    request = TraceRequest(model=model, text=text, structure=structure)
    if request.structure == "one_to_many":
        request = _writing(request, t)
    return Inputs(request=request, compare=compared(request, comparison, models, t))


def structure_titles(t: Translator) -> dict[Structure, str]:
    """The structure types of the syllabus, for people."""
    return {
        "many_to_many": t("many to many"),
        "many_to_one": t("many to one"),
        "one_to_many": t("one to many"),
        "one_to_one": t("one to one"),
    }


def structure_notes(t: Translator) -> dict[Structure, str]:
    """What each structure type is, in a sentence."""
    return {
        "many_to_many": t("One output for every input: tags of words, or the next character at every place."),
        "many_to_one": t("The whole sentence in, one answer out: only the last output counts."),
        "one_to_many": t("One input starts it; from then on every output is fed back as the next input."),
        "one_to_one": t("One step only: nothing is carried over, so a plain feed-forward network is left."),
    }


def _writing(request: TraceRequest, t: Translator) -> TraceRequest:
    left, middle, _ = st.columns([2, 2, 3], vertical_alignment="bottom")
    generate = left.slider(t("Steps to write"), 4, 100, 40, key="generate", bind="query-params")
    temperature = middle.select_slider(
        t("Temperature"),
        WRITING_TEMPERATURES,
        0.0,
        key="temperature",
        bind="query-params",
        help=t("0 always takes the most probable character; higher values draw from softmax(logits / temperature)."),
    )
    return replace(request, generate=int(generate), temperature=float(temperature))


def compared(
    request: TraceRequest,
    comparison: str | None,
    models: dict[str, CheckpointInfo],
    t: Translator,
    *,
    preferred: Sequence[str] = (),
) -> TraceRequest | None:
    """Draws what a comparison needs and returns the second run; a model of ``preferred`` is the first choice."""
    if comparison == "text":
        text = st.text_input(t("Second sentence"), request.text, key="text2", bind="query-params", autocomplete="off")
        return replace(request, text=text or "")
    if comparison == "model":
        task = models[request.model].config.task
        others = [name for name, info in models.items() if info.config.task == task and name != request.model]
        if not others:
            st.caption(t("There is no second model for this task."))
            return None
        first = next(iter(preferred), others[0])
        take("model2", others, first)
        model = st.selectbox(t("Second model"), others, key="model2", format_func=lambda name: models[name].title)
        keep("model2", first)
        return replace(request, model=model)
    return None


def take_example(example: Example) -> None:
    """Fills the inputs with an example; the visitor's own sentence stays one step back in the browser."""
    state = st.session_state
    state["text"], state["model"] = example.text, example.model
    state["compare"] = "text" if example.compare_text else "model" if example.compare_model else "none"
    for key, value in (("text2", example.compare_text), ("model2", example.compare_model)):
        if value:
            state[key] = value
    if example.structure:
        state["structure"] = example.structure
    else:
        state.pop("structure", None)


def _fit_structure(models: dict[str, CheckpointInfo]) -> None:
    """A new model keeps the structure if its task has it, else shows its natural one."""
    possible = structures_of(models[st.session_state["model"]].config.task)
    if st.session_state.get("structure") not in possible:
        st.session_state["structure"] = possible[0]


def _fit_model(models: dict[str, CheckpointInfo]) -> None:
    """A structure that the model's task does not have brings a model that has it."""
    structure = st.session_state["structure"]
    if structure in structures_of(models[st.session_state["model"]].config.task):
        return
    natural = [name for name, info in models.items() if structures_of(info.config.task)[0] == structure]
    possible = [name for name, info in models.items() if structure in structures_of(info.config.task)]
    shown = [example.model for example in unroll_examples(english)]
    if candidates := natural or possible:
        # A model that an example shows goes before one that none does.
        st.session_state["model"] = next((name for name in shown if name in candidates), candidates[-1])
