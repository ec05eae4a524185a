"""The heatmap view: the weights of one translation as a map or as ribbons, and one cell of it taken apart."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from app.ui.attention_inputs import Chosen, cell_in_focus, chosen_translation, has_attention, unit_choice
from app.ui.attention_numbers import cell_panel
from app.ui.downloads import Download, download_popover, figure_files
from app.ui.figure import show_figure
from app.ui.own_models import head_choice, head_panel, settings_note
from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate
from app.ui.url import keep, take
from seqviz.analysis.attention import Unit, attention_grid, of_head
from seqviz.attention_export import attention_csv, attention_json
from seqviz.charts.attention_map import attention_figure, grid_panel
from seqviz.charts.attention_ribbons import ribbon_figure
from seqviz.charts.figure import Figure
from seqviz.i18n import translator
from seqviz.translations import ForcedTranslation

KEY = "attention-map"
READINGS = ("map", "ribbons")
BESIDE = 22
"""Up to so many source words the numbers stand beside the map, else below it."""


def heatmap_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    if not has_attention(sentence, t):
        return
    left, middle, right, last = st.columns([9, 4, 4, 3], vertical_alignment="bottom")
    with left:
        chosen = chosen_translation(sentence, settings)
    unit = unit_choice(t, middle)
    take("reading", READINGS, READINGS[0])
    reading = right.segmented_control(
        t("As"),
        READINGS,
        required=True,
        key="reading",
        format_func=lambda name: {"map": t("heatmap"), "ribbons": t("ribbons")}[name],
    )
    keep("reading", READINGS[0])
    if chosen is None:
        return
    if sentence.own is not None:
        layer, head = head_choice(sentence.own, t)
        chosen = replace(chosen, translation=of_head(chosen.translation, layer=layer, head=head))
        settings_note(sentence.own, t)
    kind = reading or READINGS[0]
    with last:
        _downloads(chosen, unit, kind, settings)
    _picture(chosen, unit, kind, settings)
    st.caption(
        t(
            "Each row sums to 1. Below the map: how much each source word received in all, and the line at τ that the "
            "regulariser of good attention wants (drag τ). On the right: the entropy of each row; 0 bits is one word "
            "only. Over the pieces of a source word weights are added, over those of a target word their mean is taken."
        )
    )
    st.caption(
        t(
            "Try next: play the translation word by word; look at a word that got no attention; choose your own "
            "translation with a wrong word and see where the model looks for it."
        )
    )


@st.fragment
def _picture(chosen: Chosen, unit: Unit, reading: str, settings: Settings) -> None:
    """The map and the numbers of the cell in focus; a click reruns only this."""
    grid = attention_grid(chosen.translation, unit)
    first = min(1, len(grid.rows) - 1)
    default = (first, int(grid.weights[first].argmax()))
    row, column = cell_in_focus(KEY, len(grid.rows), len(grid.columns), default)
    figure = drawn(chosen.translation, unit, reading, settings)
    wide = reading == "map" and len(grid.columns) > (BESIDE // 2 if settings.presenter else BESIDE)
    left, right = (st.container(), st.container()) if wide else st.columns([7, 5], gap="medium")
    with left:
        show_figure(figure, key=KEY, focus={"row": row, "column": column, "panel": 0})
    with right:
        if chosen.translation.heads is None:
            cell_panel(chosen, unit, row, column, settings)
        else:
            head_panel(chosen.translation, unit, row, column, settings)


def drawn(translation: ForcedTranslation, unit: Unit, reading: str, settings: Settings) -> Figure:
    """The picture, drawn once for all visitors who look at the same thing."""
    weights = np.asarray(translation.attention)
    known = (translation.model, translation.source.text, translation.target.ids, weights.tobytes())
    return _drawn(known, unit, reading, settings.font_size, settings.language, translation)


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn(
    known: tuple[object, ...],
    unit: Unit,
    reading: str,
    font_size: int,
    language: str,
    _translation: ForcedTranslation,
) -> Figure:
    del known  # the key: the translation follows from it
    grid, t = attention_grid(_translation, unit), translator(language)
    tag, model = language.replace("_", "-"), _translation.model
    if reading == "ribbons":
        return ribbon_figure(grid, name=model, font_size=font_size, t=t, language=tag)
    return attention_figure([grid_panel(grid)], name=model, font_size=font_size, t=t, language=tag)


def _downloads(chosen: Chosen, unit: Unit, reading: str, settings: Settings) -> None:
    t = settings.t
    files = figure_files(lambda: drawn(chosen.translation, unit, reading, settings), name="", ending="", t=t)
    files += attention_files(chosen.translation, settings)
    download_popover(files, name=f"attention-{chosen.text}", t=t)


def attention_files(translation: ForcedTranslation, settings: Settings) -> list[Download]:
    """Every weight of a translation as JSON and CSV."""
    t = settings.t
    return [
        Download(
            label=t("Every number, JSON"), ending="json", mime="application/json",
            make=partial(attention_json, translation),
        ),
        Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=partial(attention_csv, translation)),
    ]  # fmt: skip


def probability_words(translation: ForcedTranslation, settings: Settings) -> str:
    """P of a whole translation."""
    return settings.t("P = {value}").format(value=f"{math.exp(translation.log_prob):.3g}")
