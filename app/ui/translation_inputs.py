"""The sentence and the translation model, the same on every page that translates.

They have keys of their own: a sentence of another language that was typed for a model of one sequence stays there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import error_sentence
from app.ui.installed import take_model
from app.ui.own_models import task_prefix
from app.ui.sentence_input import sentence_input
from app.ui.url import bring_back, forget, hold, keep
from seqviz.checkpoints import TranslatorInfo, list_translators
from seqviz.i18n import Translator
from seqviz.own_models import OwnModelInfo, list_own
from seqviz.translation_examples import TranslationExample, translation_examples

TEXT_KEY, MODEL_KEY, REFERENCE_KEY = "source", "translator", "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTranslate:
    """What is translated.

    Args:
        text: the source as typed.
        model: name of the checkpoint.
        models: all installed translation models by name.
        own: the reader's own model from a folder, if that is chosen; the views of recurrent models leave it out.
        example: the example that the text is from, unchanged; None for a sentence of the reader's own.
    """

    text: str
    model: str
    models: dict[str, TranslatorInfo]
    example: TranslationExample | None
    own: OwnModelInfo | None = None

    @property
    def info(self) -> TranslatorInfo | OwnModelInfo:
        """What is known of the model."""
        return self.own or self.models[self.model]


def installed_translators(t: Translator) -> dict[str, TranslatorInfo]:
    """All of them by name, fine-tuned ones last.

    A broken one is said in a sentence, and where there is none the run of the page ends.
    """
    found, broken = list_translators()
    for error in broken.values():
        st.warning(error_sentence(error, t), icon=":material/broken_image:")
    if not found:
        st.info(
            t("No translation model is installed. Train one with: seqviz train fra-eng-attention"),
            icon=":material/info:",
        )
        st.stop()
    # What was fine-tuned stands behind what it was fine-tuned from.
    return {info.name: info for info in sorted(found, key=lambda info: info.base is not None)}


def translation_input(
    t: Translator,
    *,
    forgets: Callable[[], None] | None = None,
    places: tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator] | None = None,
) -> ToTranslate:
    """Draws the sentence, the examples and the model.

    Args:
        t: the reader's language.
        forgets: called before an example or another model is taken, to drop what belongs to the old sentence.
        places: where the sentence, the examples and the model stand; None for a row of their own.
    """
    models = installed_translators(t)
    own = {info.name: info for info in list_own()[0]}
    titles = {info.name: info.title for info in (*models.values(), *own.values())}
    examples = [example for example in translation_examples(t) if example.model in models]
    first = examples[0] if examples else None
    name = first.model if first else next(iter(models))
    sentence, picker, chooser = places or st.columns([16, 5, 8], vertical_alignment="bottom")
    bring_back(TEXT_KEY)
    text = sentence_input(
        examples,
        first,
        lambda example: _take_example(example, forgets),
        t,
        key=TEXT_KEY,
        mark="translation-",
        places=(sentence, picker),
    )
    hold(TEXT_KEY)
    bring_back(MODEL_KEY)
    take_model(titles, name, t, key=MODEL_KEY)
    model = chooser.selectbox(
        t("Model"),
        list(titles),
        key=MODEL_KEY,
        on_change=forgets,
        format_func=titles.__getitem__,
    )
    keep(MODEL_KEY, name)
    hold(MODEL_KEY)
    if model in own:
        text = f"{task_prefix(own[model], t)}{text}" if text.strip() else text
    return ToTranslate(
        text=text,
        own=own.get(model),
        model=model,
        models=models,
        example=next((one for one in examples if (one.text, one.model) == (text.strip(), model)), None),
    )


def _take_example(example: TranslationExample, forgets: Callable[[], None] | None) -> None:
    if forgets is not None:
        forgets()
    forget(REFERENCE_KEY)
    st.session_state[TEXT_KEY] = example.text
    st.session_state[MODEL_KEY] = example.model
