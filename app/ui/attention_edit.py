"""The edit view: a row of attention is changed by hand and the translation goes on from there, before beside after."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import streamlit as st

from app.ui.attention_editor import EDITS_PATTERN, NONE, weights_row
from app.ui.attention_heatmap import attention_files
from app.ui.attention_inputs import EDITS_KEY, Chosen, chosen_translation, has_attention
from app.ui.backend import ask, show_error
from app.ui.charts import show_chart
from app.ui.downloads import Download, download_popover, figure_files
from app.ui.figure import show_figure
from app.ui.own_models import needs_recurrent
from app.ui.plain import as_text
from app.ui.settings import Settings, look_of
from app.ui.translation_inputs import ToTranslate
from app.ui.url import keep, take, take_matching
from seqviz.analysis.attention import by_words
from seqviz.attention import AttentionEdit, EditedTranslation
from seqviz.attention_edits import edits_text, parse_edits
from seqviz.attention_export import edited_json
from seqviz.backends.attention_requests import AttentionEditRequest
from seqviz.charts.attention_panels import edited_figure
from seqviz.charts.attention_step import edited_step_chart
from seqviz.charts.figure import Figure
from seqviz.charts.notation import visible
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.translation_examples import JANE
from seqviz.translation_searches import attention_search
from seqviz.translations import ForcedTranslation

MAP_KEY, ROW_KEY, STEP_KEY, HOW_KEY = "attention-edited", "attention-row", "at", "goes-on"
_OWNER, _UNDO = "edits-owner", "edits-undo"
_EXAMPLE = "5f6"  # "Af(rica)" is written while the decoder is made to look at "septembre"


def edit_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    if needs_recurrent(sentence.own, t):
        return
    if not has_attention(sentence, t):
        return
    left, right = st.columns([12, 5], vertical_alignment="bottom")
    with left:
        chosen = chosen_translation(sentence, settings)
    take(HOW_KEY, ("beam", "greedy"), "beam")
    how = right.segmented_control(
        t("Goes on by"),
        ("beam", "greedy"),
        required=True,
        key=HOW_KEY,
        format_func=lambda name: {"beam": t("beam search"), "greedy": t("greedy search")}[name],
    )
    keep(HOW_KEY, "beam")
    if chosen is None:
        return
    edits = _edits(chosen)
    try:
        edited = _ask(chosen, edits, how or "beam")
    except SeqvizError as error:
        show_error(error, t)
        st.button(t("Undo all edits"), on_click=_remember, args=((),), icon=":material/restart_alt:")
        return
    _controls(chosen, edited, edits, settings)
    _before_and_after(chosen, edited, settings)


def _ask(chosen: Chosen, edits: tuple[AttentionEdit, ...], how: str) -> EditedTranslation:
    return ask(
        AttentionEditRequest(
            model=chosen.model, text=chosen.text, ids=chosen.ids, edits=edits, config=attention_search(chosen.text, how)
        )
    )


def _edits(chosen: Chosen) -> tuple[AttentionEdit, ...]:
    """The edits in force; those of another sentence or another translation are dropped."""
    state, owner = st.session_state, (chosen.text, chosen.model, chosen.ids)
    if state.get(_OWNER) not in (None, owner):
        state.pop(EDITS_KEY, None)
        if EDITS_KEY in st.query_params:
            del st.query_params[EDITS_KEY]
        state[_UNDO] = []
        state.pop(STEP_KEY, None)
    state[_OWNER] = owner
    default = _EXAMPLE if chosen.text.strip() == JANE and chosen.which == "beam-1" else NONE
    text = take_matching(EDITS_KEY, EDITS_PATTERN, default)
    keep(EDITS_KEY, default)
    return () if text == NONE else parse_edits(text)


def _remember(edits: tuple[AttentionEdit, ...]) -> None:
    """Takes new edits and notes the old ones for undo."""
    state = st.session_state
    state.setdefault(_UNDO, []).append(state.get(EDITS_KEY, NONE))
    state[EDITS_KEY] = edits_text(edits) or NONE


def _undo(edits: tuple[AttentionEdit, ...]) -> None:
    """The edits before the last change; of a link that was opened, all but its last edit."""
    state = st.session_state
    state[EDITS_KEY] = state[_UNDO].pop() if state.get(_UNDO) else edits_text(edits[:-1]) or NONE


def _add(edits: tuple[AttentionEdit, ...], new: AttentionEdit) -> None:
    """A step that is changed again is changed in place."""
    kept = edits[:-1] if edits and edits[-1].step == new.step else edits
    _remember((*kept, new))


def _dragged(edits: tuple[AttentionEdit, ...], step: int) -> None:
    weights = getattr(st.session_state.get(ROW_KEY), "weights", None)
    if isinstance(weights, (list, tuple)) and all(isinstance(one, (int, float)) and one >= 0 for one in weights):
        _add(edits, AttentionEdit(step=step, kind="set", weights=tuple(float(one) for one in weights)))


def _controls(chosen: Chosen, edited: EditedTranslation, edits: tuple[AttentionEdit, ...], settings: Settings) -> None:
    t, now = settings.t, edited.after
    pieces = now.target.pieces
    options = [str(index + 1) for index in range(len(pieces))]
    first = str(min(edits[-1].step + 1, len(pieces))) if edits else str(min(3, len(pieces)))
    take(STEP_KEY, options, first)
    columns = st.columns([6, 5, 3, 3, 3], vertical_alignment="bottom")
    step = int(
        columns[0].selectbox(
            t("Step whose attention is changed"),
            options,
            key=STEP_KEY,
            format_func=lambda index: f"{index}. {visible(pieces[int(index) - 1])}",
        )
    ) - 1  # fmt: skip
    keep(STEP_KEY, first)
    words = now.source.labels
    word = columns[1].selectbox(
        t("Source word"), range(len(words)), format_func=lambda index: f"{index + 1}. {words[index]}", key="force-word"
    )
    columns[2].button(
        t("Force to it"), key="force", icon=":material/center_focus_strong:", width="stretch", on_click=_add,
        args=(edits, AttentionEdit(step=step, kind="force", word=word or 0)),
        help=t("All attention of this step goes to this one word."),
    )  # fmt: skip
    columns[3].button(
        t("Freeze"), key="freeze", icon=":material/ac_unit:", width="stretch", on_click=_add,
        args=(edits, AttentionEdit(step=step, kind="freeze")),
        help=t("The attention of this step stays as it is for every step behind it."),
    )  # fmt: skip
    columns[4].button(
        t("Undo"), key="undo-edit", icon=":material/undo:", width="stretch", on_click=_undo, args=(edits,),
        disabled=not edits and not st.session_state.get(_UNDO),
    )  # fmt: skip
    own = next((one.before for one in edited.steps if one.edit.step == step), _row(now, step))
    weights_row(
        words,
        _by_words(now, _row(now, step)),
        _by_words(now, own),
        key=ROW_KEY,
        settings=settings,
        on_weights=partial(_dragged, edits, step),
    )
    del chosen


def _row(translation: ForcedTranslation, step: int) -> np.ndarray:
    return np.asarray(translation.attention)[step]


def _by_words(translation: ForcedTranslation, row: np.ndarray) -> np.ndarray:
    return by_words(row[None], [(0, 1)], translation.source.words)[0]


def _before_and_after(chosen: Chosen, edited: EditedTranslation, settings: Settings) -> None:
    t = settings.t
    left, right = st.columns(2, gap="medium")
    for column, title, one in ((left, t("Before"), edited.before), (right, t("After"), edited.after)):
        column.markdown(
            f"**{title}**: {as_text(one.target.text)}  \n:gray[log P = {one.log_prob:.3f}, P = "
            f"{math.exp(one.log_prob):.3g}]".replace("-", "−", 1 if one.log_prob < 0 else 0)
        )
    figure = edited_figure(edited, font_size=settings.font_size, t=t, language=settings.language.replace("_", "-"))
    show_figure(figure, key=MAP_KEY)
    if edited.steps:
        last = edited.steps[-1]
        left, right = st.columns([7, 5], gap="medium", vertical_alignment="center")
        with left:
            st.markdown(_said(last.edit, edited, t))
            show_chart(edited_step_chart(edited, last, **look_of(settings)))
        with right:
            st.caption(
                t(
                    "The distribution of the changed step, before and after. Everything behind it is searched anew "
                    "with the model's own weights, unless you freeze them. P of the translation after is under the "
                    "weights in use."
                )
            )
            st.caption(
                t(
                    "Try next: force a word of the translation to another source word; freeze the first step and watch "
                    "the decoder stammer; give all words the same weight."
                )
            )
    with st.columns([3, 1])[1]:
        _downloads(chosen, edited, figure, settings)


def _said(edit: AttentionEdit, edited: EditedTranslation, t: Translator) -> str:
    source = edited.before.source.labels
    step = edit.step + 1
    if edit.kind == "force":
        return t("Step {step}: all attention forced to **{word}**.").format(step=step, word=as_text(source[edit.word]))
    if edit.kind == "freeze":
        return t("From step {step} on the attention is frozen.").format(step=step)
    return t("Step {step}: the weights were set by hand.").format(step=step)


def _downloads(chosen: Chosen, edited: EditedTranslation, figure: Figure, settings: Settings) -> None:
    t = settings.t
    files = figure_files(lambda: figure, name="", ending="", t=t)
    files.append(
        Download(
            label=t("Every number, JSON"), ending="json", mime="application/json", make=partial(edited_json, edited)
        )
    )
    files.append(attention_files(edited.after, settings)[1])
    download_popover(files, name=f"attention-edit-{chosen.text}", t=t)
