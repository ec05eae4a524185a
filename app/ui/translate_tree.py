"""The search tree of a typed sentence: beam and greedy at once, the exact search when it is done."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import ask, ask_all, show_error
from app.ui.figure import show_search_tree
from app.ui.own_models import settings_note
from app.ui.same_moment import STEP_KEY, translation_links
from app.ui.search_parts import forced_bar, search_downloads
from app.ui.search_state import whole_number
from app.ui.settings import Settings
from app.ui.translate_exact import exact_search, exact_status
from app.ui.translate_result import result, score_equation, source_note
from app.ui.translate_tree_inputs import (
    BEGIN_ERROR,
    MARK,
    MAX_LENGTH,
    SEARCH_KEY,
    TREE,
    URL_KEYS,
    Asked,
    forbidden_input,
    tree_inputs,
)
from app.ui.url import recall, remember
from seqviz.backends.translation_requests import SearchRequest
from seqviz.charts.figure import Figure
from seqviz.charts.search_story import winner_of
from seqviz.charts.search_tree import SearchTreeOptions
from seqviz.charts.translation_tree import translation_tree_figure
from seqviz.config import DecodeConfig
from seqviz.errors import BackendError, SeqvizError
from seqviz.i18n import Translator, translator
from seqviz.text.piece_encoder import joined
from seqviz.translation_searches import DEFAULT_ALPHA, TranslationSearches, Watch, with_exact
from seqviz.translations import TranslationSearch

_GOOD = f"{MARK}good"


def tree_view(settings: Settings, row: DeltaGenerator) -> None:
    """Draws the view; the row is where the switch of the views stands, too."""
    t = settings.t
    recall("translate-tree", URL_KEYS, widget=SEARCH_KEY)
    alpha = TREE.alpha_from_url()
    sentence, asked, place = tree_inputs(alpha, row, t)
    remember("translate-tree", URL_KEYS)
    if (refused := st.session_state.pop(BEGIN_ERROR, None)) is not None:
        show_error(refused, t)
    found = _answered(asked, t)
    if found is None:
        return
    asked, searches = found
    exact = exact_search(asked)
    searches = _with_exact(asked, searches, exact.found)
    first = {} if sentence.own is None else {"first": 0}
    forbidden_input(place, searches.shown.search.names, asked.config.forbidden, t, **first)
    with st.container():  # one element, however much is said: the picture below stays the same element
        source_note(searches.shown.source, t)
        settings_note(sentence.info, t)
        with result(searches, alpha, settings):
            exact_status(exact, asked, t)
        _forced(searches, asked, alpha, t)
    # What is drawn follows from the question and from how far its exact search has come.
    come = 0 if exact.found is None else exact.found.search.expansions
    figure = _drawn(asked, come, settings.font_size, settings.language, searches)
    show_search_tree(
        figure,
        key=TREE.picture,
        alpha=alpha,
        on_alpha=TREE.alpha_moved,
        on_prefix=lambda: TREE.prefix_clicked(MAX_LENGTH),
        step=whole_number(st.query_params.get(STEP_KEY, "")),
    )
    _below(searches, asked, alpha, settings)


def _answered(asked: Asked, t: Translator) -> tuple[Asked, TranslationSearches] | None:
    """The searches that were asked for; else a sentence, and the last good ones."""
    try:
        searches = searched(asked)
    except SeqvizError as error:
        show_error(error, t)
        if isinstance(error, BackendError):
            st.button(t("Try again"), icon=":material/refresh:", key="tree-again")  # any click is a new run
        last: Asked | None = st.session_state.get(_GOOD)
        if last is None or last == asked:
            return None
        st.caption(t("Below: the last sentence that could be searched, “{text}”.").format(text=last.text))
        try:
            return last, searched(last)
        except SeqvizError:
            return None
    st.session_state[_GOOD] = asked
    return asked, searches


def searched(asked: Asked) -> TranslationSearches:
    """Greedy and beam, side by side with the search that is shown; an exact one comes later.

    Raises:
        SeqvizError: what is wrong with the sentence, the limits or the backend.
    """
    names = ["beam", "greedy", *({asked.search} - {"beam", "greedy", "exact"})]
    answers = ask_all([asked.request(name) for name in names])
    found: list[TranslationSearch] = []
    for answer in answers:
        if isinstance(answer, SeqvizError):
            raise answer
        found.append(answer)
    by_name = dict(zip(names, found, strict=True))
    shown = by_name.get(asked.search, by_name["beam"])
    return TranslationSearches(shown=shown, greedy=by_name["greedy"], beam=by_name["beam"])


def _with_exact(asked: Asked, searches: TranslationSearches, exact: TranslationSearch | None) -> TranslationSearches:
    if exact is None:
        return searches
    if asked.search == "exact":
        searches = replace(searches, shown=exact)

    def run(config: DecodeConfig, watch: Watch) -> TranslationSearch:
        return ask(SearchRequest(model=asked.model, text=asked.text, config=config, watch=watch))

    return with_exact(searches, exact, run)


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn(asked: Asked, come: int, font_size: int, language: str, _searches: TranslationSearches) -> Figure:
    del asked, come
    return _drawn_at(_searches, DEFAULT_ALPHA, font_size, language)


def _drawn_at(searches: TranslationSearches, alpha: float, font_size: int, language: str) -> Figure:
    return translation_tree_figure(
        searches,
        options=SearchTreeOptions(font_size=font_size, alpha=alpha),
        t=translator(language),
        language=language.replace("_", "-"),
    )


def _forced(searches: TranslationSearches, asked: Asked, alpha: float, t: Translator) -> None:
    prefix, names = asked.config.prefix, searches.shown.search.names
    words = joined([names.get(token, f"#{token}") for token in prefix])
    best = winner_of(searches.shown, alpha)
    entry = (words or "∅", asked.search, "–" if best is None else best.text)
    forced_bar(TREE, words, (*entry, None if best is None else math.exp(best.log_prob)), t)


def _below(searches: TranslationSearches, asked: Asked, alpha: float, settings: Settings) -> None:
    """What to try, the equation of the score, the same by hand, the files."""
    t = settings.t
    left, middle, right = st.columns([20, 17, 9], vertical_alignment="center")
    left.caption(
        t(
            "Try next: click a hypothesis that was cut and see where it leads; drag α to 0; widen the beam and see "
            "whether the translation gets better; forbid a piece of the winner."
        )
    )
    middle.page_link(
        "app_pages/decoding.py",
        label=t("The same by hand, on tables you can edit"),
        icon=":material/graph_2:",
    )
    with right:
        search_downloads(
            lambda: _drawn_at(searches, alpha, settings.font_size, settings.language), searches.shown.search, t
        )
    translation_links("tree", asked.text, asked.model, t, which="greedy" if asked.search == "greedy" else "")
    with st.expander(t("What hypotheses are ranked by"), icon=":material/function:"):
        score_equation(winner_of(searches.shown, alpha), alpha, asked.config.coverage, settings.notation, t)
