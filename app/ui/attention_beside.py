"""Several models of one family over one translation: what the views that compare their attention share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.attention_inputs import Chosen, chosen_translation, unit_choice
from app.ui.backend import ask_all, show_error
from app.ui.downloads import Download, download_popover, figure_files
from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate
from seqviz.analysis.attention import Unit
from seqviz.attention_export import compared_csv, compared_json
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.charts.attention_panels import beside_figure
from seqviz.charts.figure import Figure
from seqviz.checkpoints import TranslatorInfo
from seqviz.errors import SeqvizError
from seqviz.i18n import translator
from seqviz.translation_searches import attention_search
from seqviz.translations import ForcedTranslation


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A model with the common translation.

    Args:
        info: the model.
        translation: the common translation, scored by this model.
        best: what the model itself makes of the source (beam 5).
    """

    info: TranslatorInfo
    translation: ForcedTranslation
    best: str


def chosen_beside(
    sentence: ToTranslate, models: Sequence[TranslatorInfo], settings: Settings
) -> tuple[Unit, DeltaGenerator, list[Beside]] | None:
    """Draws the choice of the translation and of words or pieces, and asks every model.

    Returns:
        words or pieces, the place of the downloads, and the models; None, with a sentence, where something fails.
    """
    left, middle, right = st.columns([10, 3, 3], vertical_alignment="bottom")
    with left:
        chosen = chosen_translation(sentence, settings)
    unit = unit_choice(settings.t, middle)
    both = [] if chosen is None else _forced_beside(chosen, models, settings)
    return (unit, right, both) if both else None


def _forced_beside(chosen: Chosen, models: Sequence[TranslatorInfo], settings: Settings) -> list[Beside]:
    """The chosen translation through every model, and each one's own; nothing, with a sentence, where one fails."""
    text = chosen.text
    forced = ask_all([ForcedRequest(model=info.name, text=text, target="", ids=chosen.ids) for info in models])
    searched = ask_all([SearchRequest(model=info.name, text=text, config=attention_search(text)) for info in models])
    found = []
    for info, translation, search in zip(models, forced, searched, strict=True):
        if isinstance(translation, SeqvizError) or isinstance(search, SeqvizError):
            show_error(translation if isinstance(translation, SeqvizError) else search, settings.t)  # type: ignore[arg-type]
            return []
        best = "–" if search.best is None else search.best.text
        found.append(Beside(info=info, translation=translation, best=best))
    return found


def shown_beside(
    both: Sequence[Beside],
    titles: Mapping[str, str],
    unit: Unit,
    settings: Settings,
    *,
    per_row: int,
    tau: float | None = None,
) -> Figure:
    """The maps beside each other, drawn once for all visitors who look at the same thing.

    Args:
        both: the models.
        titles: of their maps, by name.
        unit, per_row, tau: as in ``seqviz.charts.attention_panels.beside_figure``.
        settings: of the reader.
    """
    translations = tuple(one.translation for one in both)
    known = tuple(
        (one.model, one.source.text, one.target.ids, np.asarray(one.attention).tobytes()) for one in translations
    )
    layout = (tuple(titles[one.info.name] for one in both), unit, per_row, tau)
    return _drawn(known, layout, settings.font_size, settings.language, translations)


@st.cache_resource(show_spinner=False, max_entries=32)
def _drawn(
    known: tuple[object, ...],
    layout: tuple[tuple[str, ...], Unit, int, float | None],
    font_size: int,
    language: str,
    _translations: tuple[ForcedTranslation, ...],
) -> Figure:
    del known  # the key: the translations follow from it
    names, unit, per_row, tau = layout
    return beside_figure(
        _translations,
        names,
        unit=unit,
        per_row=per_row,
        tau=tau,
        font_size=font_size,
        t=translator(language),
        language=language.replace("_", "-"),
    )


def beside_downloads(
    both: Sequence[Beside], figure: Figure, settings: Settings, *, name: str, tau: float = 1.0
) -> None:
    """The picture and every weight of all models."""
    t = settings.t
    translations = [one.translation for one in both]
    files = figure_files(lambda: figure, name="", ending="", t=t)
    files += [
        Download(
            label=t("Every number, JSON"), ending="json", mime="application/json",
            make=partial(compared_json, translations, tau=tau),
        ),
        Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=partial(compared_csv, translations)),
    ]  # fmt: skip
    download_popover(files, name=f"{name}-{both[0].translation.source.text}", t=t)


def plain_number(value: float) -> str:
    """A setting without needless zeros."""
    return f"{value:g}"


def shortened(names: Sequence[str], *, most: int = 5) -> str:
    """A list of words that stays a line; how many there are where some are left out."""
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} … ({len(names)})"
