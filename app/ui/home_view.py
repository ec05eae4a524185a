"""The home page's picture, its cards and its models. Everything small is drawn from the same few answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from app.ui.backend import backend
from app.ui.figure import show_figure, show_glimpse
from app.ui.focus import picture_focus
from app.ui.gradient_inputs import loss_steps, siblings
from app.ui.lesson_state import answers, answers_by_chapter
from app.ui.pages import app_pages
from app.ui.plain import as_text
from app.ui.settings import Settings
from seqviz.backends.protocol import Pending
from seqviz.backends.requests import BackwardRequest, Request, TraceRequest
from seqviz.backends.translation_requests import SearchRequest
from seqviz.charts.figure import Figure
from seqviz.charts.glimpses import (
    attention_glimpse,
    gate_glimpse,
    progress_glimpse,
    reach_glimpse,
    search_glimpse,
    states_glimpse,
    words_glimpse,
)
from seqviz.charts.network import network_figure
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.checkpoints import CheckpointInfo, fingerprint, list_translators
from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import TableModel
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator, translator
from seqviz.language_guess import translator_for
from seqviz.lessons import all_lessons
from seqviz.memory import keep_gate
from seqviz.traces import RecurrentTrace
from seqviz.translation_examples import translation_examples

_KEY = "home-figure"
_COLUMNS = 4
_SEARCH = DecodeConfig(beam_size=3, max_length=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A view.

    Args:
        page: its name.
        question: that it answers.
        of: what the picture is of, where that is not the run above; empty where it is.
        picture: draws the glimpse of it; None if there is nothing to draw.
        query: what it is opened with.
    """

    page: str
    question: str
    of: str = ""
    picture: Callable[[], Figure | None]
    query: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the cards show beside the run itself; asked early, looked at late.

    Args:
        backward: the loss carried back.
        gated: the same sentence in a cell with gates, where the run's own has none.
        gated_model: whose gates are shown.
        search: the translation.
        source: what is translated.
        translator: by which model.
    """

    backward: Pending[object] | None
    gated: Pending[object] | None
    gated_model: str
    search: Pending[object] | None
    source: str
    translator: str


@st.fragment
def live_picture(trace: RecurrentTrace, settings: Settings) -> None:
    """The network that reads the sentence; stepping through it reruns only this."""
    options = UnrollOptions(font_size=settings.font_size, notation=settings.notation)
    figure = _network(trace.text, trace.model, fingerprint(trace.model), options, settings.language, trace)
    focus = picture_focus(_KEY, trace, options)
    show_figure(figure, key=_KEY, focus=focus.to_dict())


@st.cache_resource(show_spinner=False, max_entries=64)
def _network(
    text: str, model: str, version: str, options: UnrollOptions, language: str, _trace: RecurrentTrace
) -> Figure:
    del text, model, version  # the key; the run follows from them
    return network_figure(_trace, options=options, t=translator(language), language=language.replace("_", "-"))


def ask_for_cards(
    request: TraceRequest, trace: RecurrentTrace, models: dict[str, CheckpointInfo], t: Translator, *, own: bool
) -> Asked:
    """Starts what the cards need, all at once.

    Args:
        request, trace: the run.
        models: all of one sequence.
        t: the reader's language.
        own: the sentence is the reader's own, so that it is also what is translated.
    """
    steps = loss_steps(trace)
    gated = next((name for name in siblings(request.model, models) if models[name].config.cell[:3] != "rnn"), None)
    plain = keep_gate(trace.layers[-1]) is None
    translators = {info.name: info for info in list_translators()[0]}
    example = next((one for one in translation_examples(t) if one.model in translators), None)
    source, name = (example.text, example.model) if example else ("", "")
    if own and (info := translator_for(request.text, translators.values())):
        source, name = request.text, info.name
    return Asked(
        backward=_submit(BackwardRequest(trace=request, loss_step=steps[-1])) if steps else None,
        gated=_submit(replace(request, model=gated)) if plain and gated else None,
        gated_model=gated if plain and gated else request.model,
        search=_submit(SearchRequest(model=name, text=source, config=_SEARCH)) if name else None,
        source=source,
        translator=name,
    )


def _submit(request: Request[object]) -> Pending[object]:
    return backend().submit(request)


def cards(request: TraceRequest, trace: RecurrentTrace, asked: Asked, settings: Settings) -> None:
    """A card a view, with its glimpse and the question that it answers."""
    pages = app_pages(settings.t)
    shown = [card for card in _cards(request, trace, asked, settings.t) if card.page in pages]
    for start in range(0, len(shown), _COLUMNS):
        for place, card in zip(st.columns(_COLUMNS), shown[start : start + _COLUMNS], strict=False):
            with place.container(border=True, height="stretch", gap="small", key=f"card-{card.page}"):
                page = pages[card.page]
                st.page_link(page.file, label=f"**{page.title}**", icon=page.icon, query_params=card.query)
                st.caption(f"{card.question} ({as_text(card.of)})" if card.of else card.question)
                if figure := _drawn(card):
                    show_glimpse(figure, key=f"glimpse-{card.page}")


def _drawn(card: Card) -> Figure | None:
    """The card's picture; None where its numbers could not be had."""
    try:
        return card.picture()
    except SeqvizError:
        return None


def _cards(request: TraceRequest, trace: RecurrentTrace, asked: Asked, t: Translator) -> list[Card]:
    one = {"text": request.text, "model": request.model}
    pair = {"source": asked.source, "translator": asked.translator} if asked.translator else {}
    lessons = answers()
    right = sum(answer is True for answer in lessons)
    return [
        Card(
            page="unroll",
            question=t("What does the network hold in mind at every step?"),
            picture=lambda: states_glimpse(trace, t=t),
            query=one,
        ),
        Card(
            page="gradients",
            question=t("How much of the loss reaches each earlier step?"),
            picture=lambda: _found(asked.backward, lambda found: reach_glimpse(found, t=t)),
            query=one,
        ),
        Card(
            page="gates",
            question=t("What is kept, what is overwritten, and when?"),
            of="" if asked.gated_model == request.model else asked.gated_model,
            picture=lambda: gate_glimpse(trace, t=t) or _found(asked.gated, lambda found: gate_glimpse(found, t=t)),
            query={**one, "model": asked.gated_model},
        ),
        Card(
            page="units",
            question=t("Is there a unit for quotes, line ends or names in a long text?"),
            picture=lambda: words_glimpse(trace, t=t),
            query={},
        ),
        Card(
            page="translate",
            question=t("Which translations were looked at, and where was the best one lost?"),
            of=asked.source,
            picture=lambda: _found(asked.search, lambda found: search_glimpse(found.search, t=t)),
            query=pair,
        ),
        Card(
            page="attention",
            question=t("Which words of the source does each word of the translation come from?"),
            of=asked.source,
            picture=lambda: _found(asked.search, lambda found: attention_glimpse(found.search, t=t)),
            query=pair,
        ),
        Card(
            page="decoding",
            question=t("Why is the likeliest word at every step not the likeliest sentence?"),
            picture=lambda: _table_glimpse(t),
            query={},
        ),
        Card(
            page="lessons",
            question=t("{count} scenes to predict before they are revealed.").format(count=len(all_lessons())),
            picture=lambda: progress_glimpse(
                answers_by_chapter(),
                alt=t("{right} of {count} lessons predicted right.").format(right=right, count=len(lessons)),
            ),
            query={},
        ),
    ]


def _found(pending: Pending[object] | None, draw: Callable[..., Figure | None]) -> Figure | None:
    return None if pending is None else draw(pending.result())


def _table_glimpse(t: Translator) -> Figure:
    preset = PRESETS["syllabus"]
    config = DecodeConfig(beam_size=preset.beam_size, min_length=preset.min_length, max_length=preset.max_length)
    return search_glimpse(search(TableModel(preset.table), config), t=t)
