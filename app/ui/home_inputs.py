"""The home page's sentence and model."""

from __future__ import annotations

import streamlit as st

from app.ui.focus import forget_focus
from app.ui.installed import take_model
from app.ui.sentence_input import fallback_example, sentence_input
from app.ui.url import keep
from seqviz.backends.requests import TraceRequest
from seqviz.checkpoints import CheckpointInfo
from seqviz.examples import Example, home_examples
from seqviz.i18n import Translator


def home_inputs(models: dict[str, CheckpointInfo], t: Translator) -> tuple[TraceRequest, bool]:
    """Draws the inputs; returns the run, and whether its text is the reader's own."""
    examples = [example for example in home_examples(t) if example.model in models]
    first = fallback_example(examples, list(models))
    sentence, middle, picker = st.columns([11, 6, 3], vertical_alignment="bottom")
    text = sentence_input(examples, first, _take_example, t, live=True, places=(sentence, picker))
    take_model({name: info.title for name, info in models.items()}, first.model, t)
    model = middle.selectbox(t("Model"), list(models), key="model", format_func=lambda name: models[name].title)
    keep("model", first.model)
    own = text.strip() not in {example.text for example in (*examples, first)}
    return TraceRequest(model=model, text=text), own


def _take_example(example: Example) -> None:
    st.session_state["text"], st.session_state["model"] = example.text, example.model
    forget_focus()
