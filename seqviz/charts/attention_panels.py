"""Maps of attention beside each other: before and after an edit, other readings, several models on one translation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seqviz.analysis.attention import Unit, attention_grid, by_words
from seqviz.attention import EditedTranslation, Readings
from seqviz.charts.attention_map import MapPanel, attention_figure, grid_panel
from seqviz.charts.figure import Figure
from seqviz.charts.notation import visible
from seqviz.checkpoints import TranslatorInfo
from seqviz.i18n import Translator, english
from seqviz.translations import ForcedTranslation
from seqviz.twins import penalty
from seqviz.types import FloatArray

REGULARISED_ROW, SCORES_ROW = 2, 4
"""Maps in a row where the regulariser is looked at, and where score functions are."""


def reading_names(t: Translator = english) -> dict[str, str]:
    """The three readings, for people."""
    return {"attention": t("Attention"), "gradient": t("Gradient × input"), "occlusion": t("Word left out")}


def readings_figure(read: Readings, *, font_size: int = 14, t: Translator = english, language: str = "en") -> Figure:
    """Attention beside gradient times input and leaving words out."""
    names = reading_names(t)
    panels = [
        MapPanel(
            title=names[name],
            rows=read.target.labels,
            columns=read.source.labels,
            values=np.asarray(matrix, np.float64),
            palette="share" if name == "attention" else "signed",
            unit="α" if name == "attention" else "nats",
            row_notes=_probabilities(read.log_probs),
        )
        for name, matrix in read.named().items()
    ]
    return attention_figure(panels, name=read.model, font_size=font_size, most_height=320, t=t, language=language)


def edited_figure(
    edited: EditedTranslation, *, font_size: int = 14, t: Translator = english, language: str = "en"
) -> Figure:
    """The weights before and after an edit; the steps that were changed are marked."""
    changed = tuple(one.edit.step for one in edited.steps)
    panels = [
        MapPanel(
            title=title,
            rows=tuple(visible(piece) for piece in one.target.pieces),
            columns=one.source.labels,
            values=by_words(
                np.asarray(one.attention, np.float64),
                [(index, index + 1) for index in range(len(one.target))],
                one.source.words,
            ),
            row_notes=_probabilities(one.log_probs),
            marked=marked,
        )
        for title, one, marked in ((t("Before"), edited.before, ()), (t("After"), edited.after, changed))
    ]
    return attention_figure(
        panels, name=edited.before.model, font_size=font_size, most_height=380, t=t, language=language
    )


def beside_figure(
    translations: Sequence[ForcedTranslation],
    titles: Sequence[str],
    *,
    unit: Unit = "words",
    per_row: int,
    tau: float | None = None,
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """The weights of several models over one translation.

    Args:
        translations: the same one, scored by each model.
        titles: of their maps.
        unit: what rows and columns are.
        per_row: at most so many maps in a row.
        tau: τ of the regulariser; None for maps without marginals.
        font_size, t, language: of the reader.
    """
    panels = [
        grid_panel(attention_grid(one, unit), title=name, marginals=tau is not None)
        for one, name in zip(translations, titles, strict=True)
    ]
    return attention_figure(
        panels,
        name=translations[0].model,
        tau=1.0 if tau is None else tau,
        font_size=font_size,
        most_height=380,
        per_row=per_row,
        t=t,
        language=language,
    )


def regulariser_title(info: TranslatorInfo, t: Translator = english) -> str:
    """What a model has to do with the regulariser, in a word or two."""
    if penalty(info):
        return t("With the regulariser")
    return t("Without: fine-tuned alike") if info.base else t("Before fine-tuning")


def score_names(t: Translator = english) -> dict[str, str]:
    """The score functions in a word or two."""
    return {
        "additive": t("additive"),
        "dot": t("dot"),
        "scaled_dot": t("scaled dot"),
        "bilinear": t("bilinear"),
        "cosine": t("cosine"),
    }


def _probabilities(log_probs: FloatArray) -> tuple[str, ...]:
    return tuple(f"P = {math.exp(min(value, 0.0)):.4g}" for value in log_probs.tolist())
