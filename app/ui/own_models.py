"""A reader's own models of the Hugging Face family: their task, their layers and heads, and what they do not have."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import error_sentence
from app.ui.settings import Settings
from app.ui.url import keep, take, take_matching
from seqviz.analysis.attention import Unit, attention_grid, cell_in_every_head
from seqviz.charts.notation import visible
from seqviz.checkpoints import TranslatorInfo
from seqviz.i18n import Translator
from seqviz.own_models import EXTRA, ROOT_VARIABLE, OwnModelInfo, has_transformers, list_own
from seqviz.translations import ForcedTranslation

TASK_KEY, LAYER_KEY, HEAD_KEY = "task", "layer", "head"
MEAN = "mean"
_MOST_PREFIX = 80


def task_prefix(info: OwnModelInfo, t: Translator) -> str:
    """Draws the words that are put before the source of a model that was trained for several tasks."""
    prefixes = info.config.task_prefixes
    if not prefixes:
        return ""
    first = next((words for task, words in prefixes if task.startswith("translation")), prefixes[0][1])
    take_matching(TASK_KEY, rf".{{0,{_MOST_PREFIX}}}", first)
    if st.session_state[TASK_KEY] is None:  # the URL says nothing; an empty field is a reader's choice
        st.session_state[TASK_KEY] = first
    st.text_input(
        t("Task: words put before the sentence"),
        key=TASK_KEY,
        max_chars=_MOST_PREFIX,
        help=t("The model was trained with: {tasks}").format(tasks=" · ".join(words.strip() for _, words in prefixes)),
        autocomplete="off",
    )
    keep(TASK_KEY, first)
    words = str(st.session_state[TASK_KEY]).strip()
    return f"{words} " if words else ""


def needs_recurrent(own: OwnModelInfo | None, t: Translator) -> bool:
    """Whether a view of recurrent models has to say that it has nothing for this one; it then says so."""
    if own is None:
        return False
    st.info(
        t(
            "{title} is a Transformer from a folder. This view shows the inner parts of a recurrent model, which it "
            "does not have; its attention is in the heatmap, its searches are on the page Translate."
        ).format(title=own.title),
        icon=":material/info:",
    )
    return True


def head_choice(info: OwnModelInfo, t: Translator) -> tuple[int, int | None]:
    """Draws the choice of a decoder layer and of a head or the mean over heads; both from 0, None for the mean."""
    layers = [str(layer + 1) for layer in range(info.config.decoder_layers)]
    heads = [MEAN, *(str(head + 1) for head in range(info.config.heads))]
    row = st.container(horizontal=True, vertical_alignment="bottom")
    layer = _choice(row, t("Layer of the decoder"), LAYER_KEY, layers, layers[-1], {})
    head = _choice(row, t("Head"), HEAD_KEY, heads, MEAN, {MEAN: t("mean")})
    return int(layer) - 1, None if head == MEAN else int(head) - 1


def head_panel(forced: ForcedTranslation, unit: Unit, row: int, column: int, settings: Settings) -> None:
    """Draws one cell of the map in every layer and head, and what else the model might have written.

    Args:
        forced: the translation with all heads; its attention is that of the choice.
        unit: what rows and columns are.
        row, column: of the cell, from 0.
        settings: of the reader.
    """
    t = settings.t
    grid = attention_grid(forced, unit)
    st.markdown(
        t("To write {target}, the decoder gives {percent} of its attention to {source}.").format(
            target=_code(grid.rows[row]),
            source=_code(grid.columns[column]),
            percent=f"{100 * float(grid.weights[row, column]):.1f} %",
        )
    )
    every = cell_in_every_head(forced, unit, row, column)
    st.caption(t("The same cell in every layer (from the lowest) and every head:"))
    frame = pd.DataFrame(every, columns=[str(head + 1) for head in range(every.shape[1])])
    frame.insert(0, t("layer"), range(1, len(every) + 1))
    frame[t("mean")] = every.mean(1)
    numbers = {name: st.column_config.NumberColumn(format="%.4f") for name in frame.columns[1:]}
    st.dataframe(frame, hide_index=True, column_config=numbers)
    start, end = forced.target.words[row] if unit == "words" else (row, row + 1)
    st.caption(
        t("log P of {word} = {value}; the most probable pieces at its first step:").format(
            word=_code(grid.rows[row]), value=f"{float(forced.log_probs[start:end].sum()):.4f}"
        )
    )
    tokens, log_probs = forced.candidate_tokens[start], forced.candidate_log_probs[start]
    st.dataframe(
        [
            {t("piece"): visible(forced.names[int(token)]), "p": math.exp(value), "log p": float(value)}
            for token, value in zip(tokens, log_probs, strict=True)
        ],
        hide_index=True,
        column_config={
            "p": st.column_config.ProgressColumn("p", min_value=0.0, max_value=1.0, format="%.4f"),
            "log p": st.column_config.NumberColumn("log p", format="%.3f"),
        },
    )
    st.caption(
        t(
            "Each head compares its own query of the decoder with its own keys of the source and takes the softmax "
            "(Vaswani et al. 2017, section 3.2). The arithmetic of a cell is shown for recurrent models."
        )
    )


def _code(text: str) -> str:
    return f"`` {visible(text).replace('`', 'ˋ')} ``"


def own_models_table(t: Translator) -> None:
    """Draws what is known of the models in the reader's folder; nothing where no folder is named."""
    found, refused = list_own()
    if not found and not refused:
        return
    st.subheader(t("Own models"))
    st.caption(
        t("From the folder that {variable} names. Their quality is not measured here.").format(variable=ROOT_VARIABLE)
    )
    if found:
        rows = [
            {
                t("Model"): info.title,
                t("Type"): info.config.model_type,
                t("Parameters"): info.num_parameters,
                t("Encoder layers"): info.config.encoder_layers,
                t("Decoder layers"): info.config.decoder_layers,
                t("Heads"): info.config.heads,
                t("Size of a state"): info.config.size,
                t("Vocabulary"): info.config.vocabulary_size,
                t("MB"): info.num_bytes / 1e6,
                t("Measured"): t("not measured here"),
            }
            for info in found
        ]
        numbers = {
            name: st.column_config.NumberColumn(format="localized") for name in (t("Parameters"), t("Vocabulary"))
        }
        numbers[t("MB")] = st.column_config.NumberColumn(format="%.1f")
        st.dataframe(rows, hide_index=True, column_config=numbers)
        if not has_transformers():
            st.info(
                t("Models of the Hugging Face family need the package transformers: pip install '{extra}'.").format(
                    extra=EXTRA
                )
            )
    for error in refused.values():
        st.warning(error_sentence(error, t), icon=":material/broken_image:")


def settings_note(info: TranslatorInfo | OwnModelInfo, t: Translator) -> None:
    """A sentence where the model's own settings would bend its probabilities, which are shown as they are."""
    if isinstance(info, OwnModelInfo) and info.config.not_applied:
        st.caption(
            t("Left out here, for it bends the model's probabilities: {settings}.").format(
                settings=", ".join(info.config.not_applied)
            )
        )


def _choice(
    place: DeltaGenerator, label: str, key: str, options: list[str], default: str, names: dict[str, str]
) -> str:
    take(key, options, default)
    chosen = place.segmented_control(
        label, options, required=True, key=key, format_func=lambda name: names.get(name, name)
    )
    keep(key, default)
    return chosen or default
