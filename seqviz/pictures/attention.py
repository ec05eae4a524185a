"""Attention: the weights of a translation, changed by hand, beside other readings, and by the length of the source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from seqviz.alignments import aligned_name, aligned_pairs
from seqviz.analysis.attention import Unit, alignment_scores, attention_grid
from seqviz.attention import AttentionEdit, EditedTranslation
from seqviz.attention_edits import parse_edits
from seqviz.backends.attention_requests import AttentionEditRequest, AttentionStepRequest, ReadingsRequest
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.charts.attention_map import attention_figure, grid_panel
from seqviz.charts.attention_panels import (
    REGULARISED_ROW,
    SCORES_ROW,
    beside_figure,
    edited_figure,
    reading_names,
    readings_figure,
    regulariser_title,
    score_names,
)
from seqviz.charts.attention_ribbons import ribbon_figure
from seqviz.charts.attention_scores import error_rate_chart, growth_chart, length_chart
from seqviz.charts.attention_step import edited_step_chart, next_pieces_chart, weights_chart
from seqviz.charts.figure import Figure
from seqviz.checkpoints import TranslatorInfo, list_translators, read_translator
from seqviz.config import check_range
from seqviz.errors import InvalidInputError
from seqviz.growing_sentence import CLAUSES, FAMILIES, growth_requests, growth_scores
from seqviz.length_bleu import read_length_bleu
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask, chart_picture, check_step
from seqviz.translation_searches import attention_search
from seqviz.translations import ForcedTranslation
from seqviz.twins import attention_twins, regularised, score_twins, target


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
    edited = _edited(model, text, edits, translation)
    return edited_figure(edited, font_size=appearance.font_size, t=appearance.t, language=appearance.tag)


def changed_pieces(
    model: str,
    text: str,
    edits: Sequence[AttentionEdit] | str,
    *,
    translation: str = "",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """The next piece's probabilities at the last step of ``attention_edit`` that was changed, before and after.

    Raises:
        InvalidInputError: nothing is changed, or what is cannot be read.
    """
    edited = _edited(model, text, edits, translation)
    if not edited.steps:
        raise InvalidInputError("This picture needs an edit of the attention, for example 5f6.")
    make = partial(edited_step_chart, edited, edited.steps[-1])
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def attention_step(
    model: str,
    text: str,
    *,
    step: int | None = None,
    translation: str = "",
    drawn: Literal["weights", "next"] = "weights",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """One step of the decoder: what it gives to every source piece, or the next pieces that it holds probable.

    Args:
        model, text, translation: as in ``attention``.
        step: which piece of the translation is predicted, from 0; None for the app's own choice.
        drawn: ``"weights"`` or ``"next"``.
        appearance: how it looks.

    Raises:
        InvalidInputError: the translation has no such step.
    """
    forced = _translated(model, text, translation)
    grid, words = attention_grid(forced, "words"), forced.target.words
    # The page opens at the second word and its heaviest source word; of both the piece that received most.
    row = min(1, len(words) - 1)
    chosen = words[row][0] if step is None else step
    check_step(chosen, len(forced.target))
    found = ask(AttentionStepRequest(model=model, text=text, ids=forced.target.ids, step=chosen))
    if drawn == "next":
        make = partial(next_pieces_chart, found)
    else:
        start, end = (0, len(found.source))
        if step is None:
            start, end = found.source.words[int(grid.weights[row].argmax())]
        make = partial(weights_chart, found, column=start + int(found.weights[start:end].argmax()))
    return chart_picture(make, title=f"{model}: {text}", appearance=appearance)


def readings(model: str, text: str, *, translation: str = "", appearance: Appearance = DEFAULT) -> Figure:
    """Attention beside gradient times input and leaving words out; arguments as in ``attention``."""
    forced = _translated(model, text, translation)
    read = ask(ReadingsRequest(model=model, text=text, ids=forced.target.ids))
    return readings_figure(read, font_size=appearance.font_size, t=appearance.t, language=appearance.tag)


def alignment_error(model: str, *, appearance: Appearance = DEFAULT) -> ChartPicture:
    """Is attention alignment? The error rates of three readings against links drawn by hand.

    Args:
        model: name of a translation checkpoint with attention.
        appearance: how it looks.

    Raises:
        InvalidInputError: no pairs of its languages have been aligned by hand, or it has no attention.
    """
    info = read_translator(model)
    pairs = aligned_pairs(aligned_name(info.family))
    if not pairs:
        raise InvalidInputError("No pairs of the languages of {name} have been aligned by hand.", name=model)
    read = [ask(ReadingsRequest(model=model, text=pair.text, target=pair.translation)) for pair in pairs]
    make = partial(error_rate_chart, alignment_scores(pairs, read), names=reading_names(appearance.t))
    return chart_picture(make, title=model, appearance=appearance)


def growing_sentence(
    models: Sequence[str] = ("fra-eng-attention",), *, clauses: int = 4, appearance: Appearance = DEFAULT
) -> ChartPicture:
    """How a translation holds while its sentence grows clause by clause, with attention and without.

    Args:
        models: names of French-English checkpoints; of one alone, it and its twin that differs in its attention.
        clauses: the number that is marked.
        appearance: how it looks.

    Raises:
        InvalidInputError: a model reads another language, or the number is out of range.
    """
    check_range("clauses", clauses, 1, len(CLAUSES))
    infos = [read_translator(name) for name in models]
    for info in infos:
        if info.family not in FAMILIES:
            raise InvalidInputError("The growing sentence is French; {name} does not read it.", name=info.name)
    if len(infos) == 1:
        infos = attention_twins(_installed(models[0]), models[0])
    curves = {info.title: growth_scores([ask(one) for one in growth_requests(info.name)]) for info in infos}
    make = partial(growth_chart, curves, chosen=clauses)
    return chart_picture(make, title=", ".join(info.name for info in infos), appearance=appearance)


def good_attention(
    model: str, text: str, *, translation: str = "", unit: Unit = "words", appearance: Appearance = DEFAULT
) -> Figure:
    """One translation through a model that was trained without the regulariser of attention, and through one with it.

    Args:
        model: one of a family of translation checkpoints that has both.
        text, translation, unit: as in ``attention``.
        appearance: how it looks.

    Raises:
        InvalidInputError: the family has no model with the regulariser.
    """
    installed = _installed(model)
    found = regularised(installed, model)[-2:]
    if not found:
        raise InvalidInputError("{name} has no twin that was trained with the regulariser.", name=model)
    return beside_figure(
        _beside(model, text, translation, found),
        [regulariser_title(info, appearance.t) for info in found],
        unit=unit,
        per_row=REGULARISED_ROW,
        tau=target(found[-1]),
        font_size=appearance.font_size,
        t=appearance.t,
        language=appearance.tag,
    )


def score_functions(
    model: str, text: str, *, translation: str = "", unit: Unit = "words", appearance: Appearance = DEFAULT
) -> Figure:
    """One translation through twins that differ in their score function alone; arguments as in ``good_attention``.

    Raises:
        InvalidInputError: the family has no such twins.
    """
    found = score_twins(_installed(model), model)
    if not found:
        raise InvalidInputError("{name} has no twin with another score function.", name=model)
    names = score_names(appearance.t)
    return beside_figure(
        _beside(model, text, translation, found),
        [names[info.config.score] for info in found],
        unit=unit,
        per_row=SCORES_ROW,
        font_size=appearance.font_size,
        t=appearance.t,
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
    make = partial(length_chart, measured, titles=titles)
    return chart_picture(make, title=", ".join(models), appearance=appearance)


def _edited(model: str, text: str, edits: Sequence[AttentionEdit] | str, translation: str) -> EditedTranslation:
    forced = _translated(model, text, translation)
    chosen = parse_edits(edits) if isinstance(edits, str) else tuple(edits)
    return ask(
        AttentionEditRequest(model=model, text=text, ids=forced.target.ids, edits=chosen, config=attention_search(text))
    )


def _beside(model: str, text: str, translation: str, infos: Sequence[TranslatorInfo]) -> list[ForcedTranslation]:
    """The translation by the first model, or one's own, scored by each of them."""
    ids = _translated(model, text, translation).target.ids
    return [ask(ForcedRequest(model=info.name, text=text, ids=ids)) for info in infos]


def _installed(name: str) -> dict[str, TranslatorInfo]:
    """All translation checkpoints by name; raises the error of ``name`` if it is none of them."""
    read_translator(name)
    return {info.name: info for info in list_translators()[0]}


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
