"""The inputs of the search tree of a typed sentence; all of them stand in the URL."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import ask
from app.ui.same_moment import STEP_KEY
from app.ui.search_parts import MAX_BEAM, SEARCHES, more_inputs, search_names
from app.ui.search_state import TreeState, lengths_from_url, linked, number_from_url, whole_number, write
from app.ui.translation_inputs import ToTranslate, translation_input
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.charts.piece_words import piece_label
from seqviz.config import DecodeConfig
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.translation_searches import (
    BUDGETS,
    DEFAULT_ALPHA,
    DEFAULT_BEAM,
    DEFAULT_BUDGET,
    DEFAULT_LENGTH,
    exact_config,
    greedy_config,
)

URL_KEYS = ("search", "beam", "lengths", "alpha", "prefix", "forbidden", "coverage", "on", "budget", "optimum", "proof")
MARK = "translate-"
TREE = TreeState(picture="translation-tree", mark=MARK, alpha=DEFAULT_ALPHA)
SEARCH_KEY, FORBIDDEN_KEY, BEGIN_KEY, BEGIN_ERROR, BUDGET_KEY = (
    f"{MARK}{name}" for name in ("search", "forbidden", "begin", "begin-error", "budget")
)
MAX_LENGTH = 100
OPTIMA = ("log_prob", "score")
_EOS = 3
# On a phone Streamlit gives every column a line of its own; these share lines, and each switch fits into one, so that
# the tree is near.
_NARROW = (
    "<style>@media (max-width:640px){.st-key-tree-inputs [data-testid=stColumn]"
    "{min-width:calc(50% - 1rem)!important;flex:1 1 calc(50% - 1rem)!important}"
    ".st-key-tree-inputs [data-testid=stColumn]:first-child{min-width:100%!important}"
    ".st-key-tree-inputs [data-testid=stHorizontalBlock]{row-gap:.5rem}"
    ".st-key-translate-top{gap:.5rem!important}"
    ".st-key-translate-top button{padding-inline:.35rem!important}"
    ".st-key-translate-top button *{font-size:.75rem!important}}</style>"
)
_MAX_FORBIDDEN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A sentence and how its translation is searched; hashable, the key of the picture.

    Args:
        text, model: what is translated.
        search: whose tree is drawn.
        config: of the beam; the other searches differ in their name and in ``more``.
        more: the settings of sampling and of the diverse beam, as pairs.
        budget: of the exact search: hypotheses that it may extend; 0 for no exact search.
        optimum_alpha: α of the exact search; None for the most probable translation, without a coverage penalty too.
    """

    text: str
    model: str
    search: str
    config: DecodeConfig
    more: tuple[tuple[str, Any], ...] = ()
    budget: int = DEFAULT_BUDGET
    optimum_alpha: float | None = None

    def request(self, search: str) -> SearchRequest:
        """What the backend is asked for one of the searches."""
        config = self.config
        if search == "exact":
            config = self._exact(min(self.budget, DEFAULT_BUDGET))
        elif search == "greedy":
            config = greedy_config(config)
        else:
            config = replace(config, search=search, **(dict(self.more) if search == self.search else {}))
        return SearchRequest(model=self.model, text=self.text, config=config)

    def whole_exact(self) -> SearchRequest:
        """The exact search with the whole of its budget, which may take half a minute."""
        return SearchRequest(model=self.model, text=self.text, config=self._exact(self.budget))

    def _exact(self, budget: int) -> DecodeConfig:
        if self.optimum_alpha is None:
            return exact_config(self.config, budget=max(budget, 1))
        return exact_config(self.config, alpha=self.optimum_alpha, coverage=self.config.coverage, budget=max(budget, 1))


def tree_inputs(alpha: float, row: DeltaGenerator, t: Translator) -> tuple[ToTranslate, Asked, DeltaGenerator]:
    """Draws the sentence, the search and its limits.

    Args:
        alpha: of the ranking; the exact search may be asked for it.
        row: where the choice of the search stands.
        t: the reader's language.

    Returns:
        What is translated, what is asked, and the place for what may not occur, once its pieces are known.
    """
    search = _search_choice(row, t)
    with st.container(key="tree-inputs"):
        st.html(_NARROW)
        text, examples, chooser, size, more_place = st.columns([62, 24, 38, 20, 22], vertical_alignment="bottom")
        sentence = translation_input(t, forgets=forget_ids, places=(text, examples, chooser))
        forget_when_new(sentence)
        beam_size = _beam_size(size, t)
        menu = more_place.popover(t("More"), icon=":material/tune:", width="stretch")
    with menu:
        low, high = _lengths(t)
    vocabulary = sentence.info.config.vocabulary_size
    own = sentence.own
    prefix = _prefix(vocabulary, high, *((_EOS, _EOS) if own is None else (0, own.config.eos_id)))
    none: list[int] = []
    forbidden = tuple(token for token in linked("forbidden", FORBIDDEN_KEY, _ids, none) if token < vocabulary)
    write("forbidden", FORBIDDEN_KEY, ".".join(map(str, forbidden)) or None)
    with menu:
        coverage, on, place = _limits(sentence, t)
        budget, optimum = _exact_limits(t)
    more = more_inputs(search, beam_size, t, tokens=100)
    config = DecodeConfig(
        beam_size=beam_size,
        min_length=low,
        max_length=high,
        alpha=DEFAULT_ALPHA,
        coverage=coverage,
        prefix=prefix,
        forbidden=forbidden,
        stopping="all" if on else "n_best",
    )
    asked = Asked(
        text=sentence.text,
        model=sentence.model,
        search=search,
        config=config,
        more=more,
        budget=budget,
        optimum_alpha=round(alpha, 2) if optimum == "score" else None,
    )
    return sentence, asked, place


def _search_choice(row: DeltaGenerator, t: Translator) -> str:
    linked("search", SEARCH_KEY, lambda text: text if text in SEARCHES else None, SEARCHES[0])
    chosen = row.segmented_control(
        t("Tree of"),
        SEARCHES,
        required=True,
        wrap=True,
        key=SEARCH_KEY,
        format_func=search_names(t).__getitem__,
        label_visibility="collapsed",
        width="content",
    )
    search = str(chosen or SEARCHES[0])
    write("search", SEARCH_KEY, None if search == SEARCHES[0] else search)
    return search


def _beam_size(place: DeltaGenerator, t: Translator) -> int:
    key = f"{MARK}beam"
    number_from_url("beam", key, 1, MAX_BEAM, DEFAULT_BEAM)
    beam_size = int(place.number_input(t("Beam B"), 1, MAX_BEAM, key=key, help=t("Hypotheses that survive each step.")))
    write("beam", key, None if beam_size == DEFAULT_BEAM else str(beam_size))
    return beam_size


def _lengths(t: Translator) -> tuple[int, int]:
    key = f"{MARK}lengths"
    lengths = lengths_from_url("lengths", key, 0, DEFAULT_LENGTH, MAX_LENGTH)
    low, high = st.slider(
        t("Least and most pieces"),
        0,
        MAX_LENGTH,
        lengths,
        key=key,
        help=t("At least so many before <eos>, at most so many in all."),
    )
    high = max(high, 1)
    low = min(low, high - 1)
    write("lengths", key, None if (low, high) == (0, DEFAULT_LENGTH) else f"{low}-{high}")
    return low, high


def _prefix(vocabulary: int, max_length: int, first: int, eos: int) -> tuple[int, ...]:
    # first: the lowest id that a translation may hold.
    def allowed(prefix: tuple[int, ...]) -> bool:
        known = all(token < vocabulary and (token >= first or token < 0) for token in prefix)
        return known and len(prefix) <= max_length and eos not in prefix[:-1]

    prefix = TREE.prefix_from_url(lambda text: tuple(found) if (found := _ids(text)) else None, allowed)
    TREE.write_prefix(".".join(map(str, prefix)))
    return prefix


def _limits(sentence: ToTranslate, t: Translator) -> tuple[float, bool, DeltaGenerator]:
    """In the menu: a typed beginning, coverage, when a beam stops; the place of the forbidden pieces."""
    st.text_input(
        t("Force this beginning"),
        key=BEGIN_KEY,
        on_change=_begin_typed,
        args=(sentence.model, sentence.text),
        placeholder=t("first words of the translation"),
        help=t("Clicking a hypothesis in the tree does the same."),
        autocomplete="off",
    )
    place = st.container()
    coverage = st.slider(
        t("β of the coverage penalty"),
        0.0,
        2.0,
        0.0,
        0.1,
        key="coverage",
        bind="query-params",
        help=t("Finished hypotheses lose score where a source piece got little attention (Wu et al. 2016)."),
    )
    on = st.toggle(
        t("Go on to the end"),
        key="on",
        bind="query-params",
        help=t("Off: a beam stops as soon as B hypotheses are finished. On: it goes on to the greatest length."),
    )
    return float(coverage), bool(on), place


def _exact_limits(t: Translator) -> tuple[int, str]:
    """In the menu: the budget of the exact search, and what its optimum is one of."""
    linked("budget", BUDGET_KEY, lambda text: n if (n := whole_number(text)) in BUDGETS else None, DEFAULT_BUDGET)
    budget = st.selectbox(
        t("Budget of the exact search"),
        BUDGETS,
        key=BUDGET_KEY,
        format_func=lambda count: f"{count:,}" if count else t("none"),
        help=t("Hypotheses that it may extend. It runs beside the page; a large budget can take half a minute."),
    )
    write("budget", BUDGET_KEY, None if budget == DEFAULT_BUDGET else str(budget))
    key = f"{MARK}optimum"
    linked("optimum", key, lambda text: text if text in OPTIMA else None, OPTIMA[0])
    optimum = st.segmented_control(
        t("The optimum is that of"),
        OPTIMA,
        required=True,
        key=key,
        format_func=lambda name: {"log_prob": t("log P (α = 0)"), "score": t("the score at the page's α")}[name],
        help=t(
            "log P: the most probable translation. The score: the optimum of what the beam ranks by. Above α = 0 a "
            "long translation could make up for an improbable beginning, so the proof takes longer; fewer pieces at "
            "most shorten it."
        ),
    )
    optimum = str(optimum or OPTIMA[0])
    write("optimum", key, None if optimum == OPTIMA[0] else optimum)
    return int(budget), optimum


def forbidden_input(
    place: DeltaGenerator, names: dict[int, str], forbidden: tuple[int, ...], t: Translator, *, first: int = _EOS
) -> None:
    """Draws the choice of what may not occur, out of the pieces that the search looked at."""
    labels = {token: f"#{token}" for token in forbidden} | {
        token: piece_label(name) for token, name in names.items() if token >= first
    }
    place.multiselect(
        t("Forbid these pieces"),
        sorted(labels, key=lambda token: (labels[token].lower(), token)),
        key=FORBIDDEN_KEY,
        format_func=labels.__getitem__,
        max_selections=_MAX_FORBIDDEN,
        placeholder=t("none"),
    )


def forget_when_new(sentence: ToTranslate) -> None:
    """Another sentence or model: ids of the old one say nothing here, unless a link brought them along."""
    state, now = st.session_state, (sentence.text.strip(), sentence.model)
    linked_now = st.query_params.get("prefix") != state.get(f"{MARK}prefix-written")
    if state.get(f"{MARK}of", now) != now and not linked_now:
        forget_ids()
    state[f"{MARK}of"] = now


def forget_ids() -> None:
    """Drops the forced beginning, the tries, the forbidden pieces and a link's step; for callbacks too."""
    st.query_params.pop(STEP_KEY, None)
    TREE.forget()
    st.session_state.pop(FORBIDDEN_KEY, None)
    write("forbidden", FORBIDDEN_KEY, None)


def _begin_typed(model: str, text: str) -> None:
    """Words that were typed are forced as the model's own pieces."""
    state = st.session_state
    typed = str(state.get(BEGIN_KEY) or "").strip()
    state[BEGIN_KEY] = ""
    if not typed:
        return
    try:
        found = ask(ForcedRequest(model=model, text=text, target=typed))
    except SeqvizError as error:
        state[BEGIN_ERROR] = error
        return
    TREE.force(found.target.ids[:-1])


def _ids(text: str) -> list[int] | None:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6}){0,120}", text):
        return None
    return [int(number) for number in text.split(".")]
