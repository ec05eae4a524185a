"""The view "Side by side" of the Translate page (syllabus S2, S4, S5): one sentence, every search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.ui.backend import backend, show_error
from app.ui.bleu_by_hand import bleu_by_hand
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.reference_input import references_input, set_pair
from app.ui.score_alpha import alpha_slider
from app.ui.settings import Look, Settings, look_of
from app.ui.translation_inputs import ToTranslate
from app.ui.url import bound, keep, take
from seqviz.backends.protocol import Pending
from seqviz.backends.translation_requests import SearchRequest
from seqviz.charts.beam_sizes import beam_sentence, bleu_chart, by_beam, log_prob_chart
from seqviz.charts.compared_table import (
    Waiting,
    bleu_latex,
    compared_html,
    compared_page,
    ngram_html,
    search_title,
)
from seqviz.comparison import BEAM_SIZES, ComparedSearch, compared, compared_configs
from seqviz.config import DecodeConfig
from seqviz.error_report import MAX_TARGET
from seqviz.errors import BackendError, SeqvizError
from seqviz.i18n import Translator, translate_error
from seqviz.metrics.corpus_bleu import bleu_tokens
from seqviz.translation_export import comparison_csv, comparison_json
from seqviz.translation_searches import BUDGETS, DEFAULT_BUDGET, exact_config
from seqviz.translations import TranslationSearch

OFFERED_SIZES = (1, 2, 3, 4, 5, 10, 20, 30, 50)
ROW_KEY, AGAINST_KEY = "row", "against"
QUICK_SECONDS, EXACT_SECONDS = 60.0, 120.0
REFRESH_SECONDS = 0.5
WORSE_MODEL = "fra-eng-attention"
WORSE = (
    "Le voisin qui habite au-dessus joue du piano tous les soirs jusqu'à minuit.",
    "The neighbour who lives upstairs plays the piano every evening until midnight.",
)
"""The widest beam finds the most probable translation, which is not the best one."""
_PENDING = "compare-pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is compared.

    Args:
        text, model: what is translated by what.
        beam_sizes, samples, temperature, top_k, top_p, seed: as in ``compared_configs``.
        alpha: of the score.
        budget: of the exact search; 0 leaves it out.
        references: translations by people.
    """

    text: str
    model: str
    beam_sizes: tuple[int, ...]
    samples: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    alpha: float
    budget: int
    references: tuple[str, ...]

    def quick(self) -> dict[str, SearchRequest]:
        """The searches that need no proof."""
        configs = compared_configs(
            beam_sizes=self.beam_sizes,
            samples=self.samples,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            seed=self.seed,
        )
        return {name: SearchRequest(model=self.model, text=self.text, config=one) for name, one in configs.items()}

    def exact(self) -> SearchRequest | None:
        """The search with a proof, if it is wanted."""
        if not self.budget:
            return None
        config = exact_config(DecodeConfig(max_length=MAX_TARGET), alpha=self.alpha, budget=self.budget)
        return SearchRequest(model=self.model, text=self.text, config=config)


def compare_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    choices = _inputs(sentence, settings.t)
    watching = not _settled(choices)
    with st.container(key="compared"):
        # Streamlit dims what a slow rerun has not reached yet; a table that fills line by line would flicker.
        st.html("<style>.st-key-compared [data-stale=true]{opacity:1!important;transition:none!important}</style>")
        st.fragment(_panel, run_every=REFRESH_SECONDS if watching else None)(choices, settings, watching=watching)
    bleu_by_hand(settings)


def _inputs(sentence: ToTranslate, t: Translator) -> Choices:
    field, left, right = st.columns([8, 7, 4], vertical_alignment="top")
    references = references_input(sentence, t, place=field)
    sizes = left.pills(
        t("Beam sizes B"),
        OFFERED_SIZES,
        selection_mode="multi",
        default=list(BEAM_SIZES),
        key="beams",
        bind="query-params",
        wrap=True,
    )
    if sentence.model == WORSE_MODEL:
        left.button(
            t("Example: a wider beam ends worse"),
            key="wider-worse",
            type="tertiary",
            icon=":material/menu_book:",
            on_click=set_pair,
            args=WORSE,
        )
    alpha = alpha_slider(
        right,
        t,
        help=t("The score is (1/L^α) Σ log p: 0 for the sum, 1 for the mean of a piece. Searches are ranked by it."),
    )
    with right.popover(t("Sampling and exact"), icon=":material/tune:", width="stretch"):
        samples = st.number_input(t("Samples"), 1, 100, 5, key="samples", bind=bound("samples"))
        seed = st.number_input(t("Seed"), 0, 9999, 1, key="seed", bind=bound("seed"))
        temperature = st.slider(t("Temperature"), 0.1, 3.0, 1.0, 0.1, key="temperature", bind="query-params")
        top_k = st.number_input(t("Top k (0: all)"), 0, 10_000, 0, key="top_k", bind=bound("top_k"))
        top_p = st.slider(t("Top p"), 0.05, 1.0, 1.0, 0.05, key="top_p", bind="query-params")
        options = [str(budget) for budget in BUDGETS]
        take("budget", options, str(DEFAULT_BUDGET))
        st.select_slider(
            t("Budget of the exact search, in extended hypotheses"),
            options,
            key="budget",
            format_func=lambda name: t("none") if name == "0" else name,
            help=t("It comes after all others. Long sentences need thousands; then it says how far it came."),
        )
        keep("budget", str(DEFAULT_BUDGET))
    return Choices(
        text=sentence.text,
        model=sentence.model,
        beam_sizes=tuple(int(size) for size in sizes or ()),
        samples=int(samples),
        temperature=float(temperature),
        top_k=int(top_k),
        top_p=float(top_p),
        seed=int(seed),
        alpha=float(alpha),
        budget=int(st.session_state["budget"]),
        references=references,
    )


# ---- answers that come one by one


def _pending(request: SearchRequest, *, seconds: float) -> Pending[TranslationSearch]:
    """The answer of a request, asked for once a visitor."""
    kept: dict[SearchRequest, Any] = st.session_state.setdefault(_PENDING, {})
    if request not in kept:
        for old in list(kept)[:-24]:
            del kept[old]
        kept[request] = backend().submit(request, deadline_seconds=seconds)
    found: Pending[TranslationSearch] = kept[request]
    return found


def _answers(choices: Choices) -> dict[str, TranslationSearch | SeqvizError | None]:
    """What every search has found; None where the answer is on its way."""
    asked = {name: _pending(request, seconds=QUICK_SECONDS) for name, request in choices.quick().items()}
    found = {name: _outcome(pending) for name, pending in asked.items()}
    exact = choices.exact()
    if exact is not None:
        ready = all(outcome is not None for outcome in found.values())
        found["exact"] = _exact(exact) if ready else None
        if any(isinstance(outcome, SeqvizError) for outcome in found.values()):
            found.pop("exact")
    return found


def _exact(request: SearchRequest) -> TranslationSearch | SeqvizError | None:
    """One at a time for a visitor: a search that nobody waits for any more is not joined by a second one."""
    kept: dict[SearchRequest, Any] = st.session_state.setdefault(_PENDING, {})
    busy = any(one.config.search == "exact" and not pending.done() for one, pending in kept.items() if one != request)
    if request not in kept and busy:
        return None
    return _outcome(_pending(request, seconds=EXACT_SECONDS))


def _outcome(pending: Pending[TranslationSearch]) -> TranslationSearch | SeqvizError | None:
    if not pending.done():
        return None
    try:
        return pending.result()
    except SeqvizError as error:
        return error


def _settled(choices: Choices) -> bool:
    return all(outcome is not None for outcome in _answers(choices).values())


def _forget() -> None:
    st.session_state.pop(_PENDING, None)


# ---- what is shown


def _panel(choices: Choices, settings: Settings, *, watching: bool) -> None:
    t, look = settings.t, look_of(settings)
    answers = _answers(choices)
    if watching and all(outcome is not None for outcome in answers.values()):
        st.rerun()  # nothing more will come
    errors = [outcome for outcome in answers.values() if isinstance(outcome, SeqvizError)]
    if any(isinstance(error, BackendError) for error in errors):
        st.button(t("Try again"), icon=":material/refresh:", key="compare-again", on_click=_forget)
    if errors and not any(isinstance(outcome, TranslationSearch) for outcome in answers.values()):
        show_error(errors[0], t)  # a sentence that cannot be translated is said once
        return
    rows = [_row(name, outcome, choices, t) for name, outcome in answers.items()]
    found = [row for row in rows if isinstance(row, ComparedSearch)]
    table = st.container()  # above its inputs: the sentences are what a lecture hall looks at
    against, chosen = _row_inputs(list(answers), found, choices, settings)
    with table:
        st.html(compared_html(rows, against=against, alpha=choices.alpha, selected=chosen, **look))
    if not found:
        return
    _charts(found, look)
    row = next((one for one in found if one.name == chosen), None)
    if row is not None and row.table is not None:
        _ngrams(row, settings)
    _samples(found, t)


def _row(
    name: str, outcome: TranslationSearch | SeqvizError | None, choices: Choices, t: Translator
) -> ComparedSearch | Waiting:
    if isinstance(outcome, TranslationSearch):
        return compared(name, outcome, alpha=choices.alpha, references=choices.references)
    if isinstance(outcome, SeqvizError):
        return Waiting(name=name, says=translate_error(outcome, t))
    if name == "exact":
        return Waiting(name=name, says=t("searching, at most {budget:,} hypotheses …").format(budget=choices.budget))
    return Waiting(name=name, says="…")


def _row_inputs(
    names: list[str], found: list[ComparedSearch], choices: Choices, settings: Settings
) -> tuple[list[tuple[str, ...]], str]:
    """What differences are marked from, the line that is looked at, and the files."""
    t = settings.t
    left, middle, right = st.columns([4, 4, 2], vertical_alignment="bottom")
    options = (["reference"] if choices.references else []) + names
    take(AGAINST_KEY, options, options[0])
    _hold(AGAINST_KEY)
    left.selectbox(
        t("Mark differences from"),
        options,
        key=AGAINST_KEY,
        format_func=lambda name: t("the human translation") if name == "reference" else search_title(name, t),
        help=t("Underlined: only here. Struck through: only there."),
    )
    keep(AGAINST_KEY, options[0])
    chosen = ""
    if choices.references:
        default = next((name for name in ("beam-5",) if name in names), names[0])
        take(ROW_KEY, names, default)
        _hold(ROW_KEY)
        chosen = middle.selectbox(
            t("n-gram table of"), names, key=ROW_KEY, format_func=lambda name: search_title(name, t)
        )
        keep(ROW_KEY, default)
    with right:
        if found:
            _downloads(found, choices, settings)
    against = st.session_state[AGAINST_KEY]
    if against == "reference":
        return [bleu_tokens(reference) for reference in choices.references], chosen
    return [row.words for row in found if row.name == against], chosen


def _hold(key: str) -> None:
    """Sends a value along again: a browser that draws two quick reruns as one would miss it and take the first."""
    st.session_state[key] = st.session_state[key]


def _charts(found: list[ComparedSearch], look: Look) -> None:
    t = look["t"]
    if len(by_beam(found)) < 2:
        st.caption(beam_sentence(found, t=t))
        return
    left, right = st.columns(2)
    with left:
        show_chart(log_prob_chart(found, **look))
    with right:
        if any(row.table is not None for row in found):
            show_chart(bleu_chart(found, **look))
        else:
            st.caption(t("With a human translation, BLEU stands here."))
    st.caption(beam_sentence(found, t=t))


def _ngrams(row: ComparedSearch, settings: Settings) -> None:
    t, look = settings.t, look_of(settings)
    assert row.table is not None  # noqa: S101 (the caller has looked)
    st.subheader(t("BLEU of {search}, n-gram by n-gram").format(search=search_title(row.name, t)), anchor=False)
    st.html(ngram_html(row.table, **look))
    st.latex(bleu_latex(row.table))
    says = t("The lecture's formula weighs n with 1/2ⁿ, and is 0 as soon as one p is 0.")
    if row.bleu is not None:
        says += " " + t("sacrebleu, which weighs all n alike and smooths: {score:.2f} ({signature})").format(
            score=row.bleu.score, signature=row.bleu.signature
        )
    st.caption(says)


def _samples(found: list[ComparedSearch], t: Translator) -> None:
    row = next((one for one in found if one.name == "sampling" and one.others), None)
    if row is None:
        return
    with st.expander(t("All samples"), icon=":material/casino:"):
        lines = [(row.text, row.log_prob), *row.others]
        st.dataframe(
            [{t("translation"): text, "log P": log_prob} for text, log_prob in lines],
            hide_index=True,
            column_config={"log P": st.column_config.NumberColumn(format="%.3f")},
        )


def _downloads(found: list[ComparedSearch], choices: Choices, settings: Settings) -> None:
    t, look = settings.t, look_of(settings)
    files = [
        Download(
            label=t("Table, HTML (works offline)"),
            ending="html",
            mime="text/html",
            make=lambda: compared_page(
                found,
                source=choices.text,
                references=choices.references,
                alpha=choices.alpha,
                language=settings.language.replace("_", "-"),
                **look,
            ),
        ),
        Download(
            label=t("Every number, JSON"),
            ending="json",
            mime="application/json",
            make=lambda: comparison_json(
                found, source=choices.text, references=choices.references, alpha=choices.alpha
            ),
        ),
        Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=lambda: comparison_csv(found)),
    ]
    if len(by_beam(found)) > 1:
        files += chart_files(lambda: log_prob_chart(found, **look), name="log P", ending="log-p", t=t)
        if choices.references:
            files += chart_files(lambda: bleu_chart(found, **look), name="BLEU", ending="bleu", t=t)
    download_popover(files, name="side-by-side", t=t, key="compare")
