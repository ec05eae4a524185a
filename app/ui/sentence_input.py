"""The sentence and its examples, the same on every page: what is typed on one stands on the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.url import bring_along
from seqviz.examples import Example
from seqviz.i18n import Translator
from seqviz.translation_examples import TranslationExample

ExampleT = TypeVar("ExampleT", Example, TranslationExample)


def sentence_input(
    examples: Sequence[ExampleT],
    first: ExampleT | None,
    take: Callable[[ExampleT], None],
    t: Translator,
    *,
    key: str = "text",
    mark: str = "",
    live: bool = False,
    places: tuple[DeltaGenerator, DeltaGenerator] | None = None,
) -> str:
    """Draws the sentence box and the examples.

    Args:
        examples: those whose models are there.
        first: whose sentence an untouched page shows; None for an empty box.
        take: called with the example that was chosen.
        t: the reader's language.
        key: of the box and of its query parameter.
        mark: what the keys of the examples' buttons begin with.
        live: follow every key, not only Enter.
        places: where the sentence and the examples stand; None for a row of their own.
    """
    sentence, picker = places or st.columns([5, 2], vertical_alignment="bottom")
    bring_along(key)
    text = sentence.text_input(
        t("Sentence"),
        first.text if first else "",
        key=key,
        bind="query-params",
        placeholder=t("Type a sentence"),
        autocomplete="off",
        live=live,
    )
    with picker.popover(t("Examples"), icon=":material/menu_book:", width="stretch"):
        for example in examples:
            st.button(
                example.title,
                key=f"{mark}example-{example.id}",
                on_click=take,
                args=(example,),
                type="tertiary",
                help=example.text,
            )
    return text or ""


def fallback_example(examples: Sequence[Example], models: Sequence[str]) -> Example:
    """The example that opens a page; without one, a sentence for whatever model there is."""
    return examples[0] if examples else Example(id="", title="", text="To be, or not to be", model=models[0])
