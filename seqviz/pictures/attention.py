"""Attention: the weights of a translation, changed by hand, beside other readings, and by the length of the source."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seqviz.analysis.attention import Unit, attention_grid, by_words
from seqviz.attention import AttentionEdit
from seqviz.attention_edits import parse_edits
from seqviz.backends.attention_requests import AttentionEditRequest, ReadingsRequest
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.charts.attention_map import MapPanel, attention_figure, grid_panel
from seqviz.charts.attention_ribbons import ribbon_figure
from seqviz.charts.attention_scores import length_chart
from seqviz.charts.figure import Figure
from seqviz.charts.notation import visible
from seqviz.charts.palette import Theme
from seqviz.checkpoints import read_translator
from seqviz.errors import InvalidInputError
from seqviz.length_bleu import read_length_bleu
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask
from seqviz.translation_searches import attention_search
from seqviz.translations import ForcedTranslation


def attention(
    model: str, text: str, *, translation: str = "", unit: Unit = "words", appearance: Appearance = DEFAULT
) -> Figure:
    """Where the decoder looks while it writes each word, as a heatmap (the app's Attention).

    Args:
        model: name of a translation checkpoint with attention.
        text: the source.
        translation: one's own, by teacher forcing; empty for the model's best.
        unit: ``"words"`` or ``"pieces"``.
        appearance: how it looks.
    """
    grid = attention_grid(_translated(model, text, translation), unit)
    return attention_figure(
        [grid_panel(grid)], name=model, font_size=appearance.font_size, t=appearance.t, language=appearance.tag
    )


def ribbons(
    model: str, text: str, *, translation: str = "", unit: Unit = "words", appearance: Appearance = DEFAULT
) -> Figure:
    """The same weights as ribbons from source to target; arguments as in ``attention``."""
    grid = attention_grid(_translated(model, text, translation), unit)
    return ribbon_figure(grid, name=model, font_size=appearance.font_size, t=appearance.t, language=appearance.tag)


def attention_edit(
    model: str,
    text: str,
    edits: Sequence[AttentionEdit] | str,
    *,
    translation: str = "",
    appearance: Appearance = DEFAULT,
) -> Figure:
    """How a translation goes on once a row of its attention was changed by hand, before beside after.

    Args:
        model, text, translation: as in ``attention``.
        edits: in their order; as a text they have the form of the app's links (``parse_edits``).
        appearance: how it looks.
    """
    t, forced = appearance.t, _translated(model, text, translation)
    chosen = parse_edits(edits) if isinstance(edits, str) else tuple(edits)
    edited = ask(
        AttentionEditRequest(model=model, text=text, ids=forced.target.ids, edits=chosen, config=attention_search(text))
    )
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
            row_notes=_probabilities(one.log_probs.tolist()),
            marked=marked,
        )
        for title, one, marked in (
            (t("Before"), edited.before, ()),
            (t("After"), edited.after, tuple(edit.step for edit in chosen)),
        )
    ]
    return attention_figure(
        panels,
        name=model,
        font_size=appearance.font_size,
        most_height=380,
        t=t,
        language=appearance.tag,
    )


def readings(model: str, text: str, *, translation: str = "", appearance: Appearance = DEFAULT) -> Figure:
    """Attention beside gradient times input and leaving words out; arguments as in ``attention``."""
    t, forced = appearance.t, _translated(model, text, translation)
    read = ask(ReadingsRequest(model=model, text=text, ids=forced.target.ids))
    titles = {"attention": t("Attention"), "gradient": t("Gradient × input"), "occlusion": t("Word left out")}
    panels = [
        MapPanel(
            title=titles[name],
            rows=read.target.labels,
            columns=read.source.labels,
            values=np.asarray(matrix, np.float64),
            palette="share" if name == "attention" else "signed",
            unit="α" if name == "attention" else "nats",
            row_notes=_probabilities(read.log_probs.tolist()),
        )
        for name, matrix in read.named().items()
    ]
    return attention_figure(
        panels,
        name=model,
        font_size=appearance.font_size,
        most_height=320,
        t=t,
        language=appearance.tag,
    )


def bleu_by_length(models: Sequence[str], *, appearance: Appearance = DEFAULT) -> ChartPicture:
    """BLEU against the length of the source, as ``seqviz bleu-by-length`` measured it.

    Args:
        models: names of translation checkpoints.
        appearance: how it looks.

    Raises:
        InvalidInputError: one of them was not measured yet.
    """
    titles = {name: read_translator(name).title for name in models}
    measured = []
    for name in models:
        found = read_length_bleu(name)
        if found is None:
            raise InvalidInputError(
                "{title} has not been measured by length yet: seqviz bleu-by-length {name} --data FILE",
                title=titles[name],
                name=name,
            )
        measured.append(found)

    def draw(theme: Theme) -> object:
        return length_chart(measured, titles=titles, **appearance.look(theme))

    return ChartPicture(draw=draw, title=", ".join(models), language=appearance.tag)  # type: ignore[arg-type]


def _translated(model: str, text: str, translation: str) -> ForcedTranslation:
    """The translation that is looked at, scored piece by piece, with its attention."""
    if translation:
        return ask(ForcedRequest(model=model, text=text, target=translation))
    found = ask(SearchRequest(model=model, text=text, config=attention_search(text))).search
    if not found.finished:
        raise InvalidInputError("The search completed no translation; try a wider beam.")
    ids = found.tokens(found.finished[0])
    ids = ids if ids[-1] == found.eos_id else (*ids, found.eos_id)  # cut at the greatest length
    return ask(ForcedRequest(model=model, text=text, ids=ids))


def _probabilities(log_probs: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"P = {math.exp(min(value, 0.0)):.4g}" for value in log_probs)
