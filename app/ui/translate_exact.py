"""The exact search beside the page: a quick one first; what that cannot prove goes on as a background job.

The quick one answers within a second or so out of the pool of workers. The job shows how far it is, can be paused and
cancelled, survives a reload by its name in the URL, and goes on where it stopped when it gets a larger budget.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from app.ui.backend import backend, show_error
from app.ui.background import jobs, problem, tried
from app.ui.job_view import condition_name, job_buttons, linked_job, live_panel, start_job
from app.ui.translate_tree_inputs import BUDGET_KEY, Asked
from seqviz.backends.background_requests import AllowCommand, ExactRunRequest, FoundCommand
from seqviz.backends.protocol import JobView, Pending
from seqviz.backends.translation_requests import SearchRequest
from seqviz.charts.search_tree_parts import nats
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.translation_searches import BUDGETS, DEFAULT_BUDGET
from seqviz.translations import ExactProgress, TranslationSearch

JOB = "proof"
_KEY, _SAID = "translate-exact", "translate-exact-said"
_OWN, _TRIED, _FOUND = "translate-proof-own", "translate-proof-tried", "translate-proof-found"
_DEADLINE_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_MORE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactSearch:
    """How it stands.

    Args:
        found: the answer, if it is there.
        error: why there will be none.
        running: whether the quick search is under way.
        job: what goes on where the quick one stopped.
    """

    found: TranslationSearch | None = None
    error: SeqvizError | None = None
    running: bool = False
    job: JobView[ExactProgress] | None = None


def exact_search(asked: Asked) -> ExactSearch:
    """Starts the search, or looks how it is."""
    if not asked.budget:
        return ExactSearch()
    quick = _quick(asked.request("exact"))
    if quick.found is None or quick.found.search.proven or asked.budget <= DEFAULT_BUDGET:
        return quick
    view = _job(asked)
    found = None if view is None or view.active else _found(view)
    return ExactSearch(found=found or quick.found, job=view)


def exact_status(exact: ExactSearch, asked: Asked, t: Translator) -> None:
    """That it is under way, how far, what went wrong, and the offer to search on."""
    if exact.running:
        _wait(asked.request("exact"), t)
    if exact.error is not None:
        show_error(exact.error, t)
    if exact.job is not None:
        live_panel(exact.job, _panel, t, name="exact-run")
    if (trouble := problem()) is not None:
        show_error(trouble, t)
    if exact.found is None or exact.found.search.proven:
        return
    if exact.job is not None and (exact.job.active or exact.job.condition == "paused"):
        return
    spent = exact.found.search.expansions
    budget = asked.budget
    if asked.budget <= DEFAULT_BUDGET or (exact.job is not None and exact.job.condition == "finished"):
        budget = min(_MORE * asked.budget, BUDGETS[-1])
    if budget > spent:
        st.button(
            t("Search on, up to {count} hypotheses").format(count=f"{budget:,}"),
            icon=":material/search:",
            key="proof-on",
            on_click=_search_on,
            args=(budget,),
        )


# ---- the quick search


def _quick(request: SearchRequest) -> ExactSearch:
    """A visitor's latest one is remembered."""
    state = st.session_state
    kept: tuple[SearchRequest, Pending[TranslationSearch]] | None = state.get(_KEY)
    if kept is None or kept[0] != request:
        kept = (request, backend().submit(request, deadline_seconds=_DEADLINE_SECONDS))
        state[_KEY] = kept
    pending = kept[1]
    if not pending.done():
        state[_SAID] = False
        return ExactSearch(running=True)
    try:
        return ExactSearch(found=pending.result())
    except SeqvizError as error:
        del state[_KEY]  # the next run asks once more
        return ExactSearch(error=error)


@st.fragment(run_every=_LOOK_SECONDS)
def _wait(request: SearchRequest, t: Translator) -> None:
    """Says that the search is under way, and draws the page anew when it is done."""
    kept = st.session_state.get(_KEY)
    if st.session_state.get(_SAID) and (kept is None or kept[0] != request or kept[1].done()):
        st.rerun()
    st.session_state[_SAID] = True  # the page itself is finished first
    st.caption(
        ":material/hourglass_top: "
        + t("The exact search is looking for the best translation of all, at most {count} hypotheses …").format(
            count=request.config.max_expansions
        )
    )


# ---- what goes on behind it


def _job(asked: Asked) -> JobView[ExactProgress] | None:
    """The job that the URL names, if it searches for this; else a new one, begun once."""
    wanted = asked.whole_exact()
    view: JobView[ExactProgress] | None = linked_job(JOB, ExactRunRequest)
    if view is None:
        problem()  # a link may name a run that is gone: the search begins anew, and nobody needs to know
    if view is not None and not _same(view.request, wanted):
        if st.session_state.get(_OWN) == view.id:
            tried(jobs().stop, view.id)  # the page has turned to something else
        del st.query_params[JOB]
        view = None
    if view is None and st.session_state.get(_TRIED) != wanted:
        st.session_state[_TRIED] = wanted
        start_job(JOB, ExactRunRequest(search=wanted))
        view = linked_job(JOB, ExactRunRequest)
        st.session_state[_OWN] = None if view is None else view.id
    if view is not None and view.condition == "finished" and _stopped_short(view, asked.budget):
        tried(jobs().ask, view.id, AllowCommand(max_expansions=asked.budget))
        tried(jobs().resume, view.id)
        view = linked_job(JOB, ExactRunRequest)
    return view


def _same(request: object, wanted: SearchRequest) -> bool:
    """Whether a job looks for the same, with whatever budget."""
    assert isinstance(request, ExactRunRequest)  # noqa: S101 (linked_job has looked)
    one, other = request.search, wanted
    budget = other.config.max_expansions
    return (one.model, one.text) == (other.model, other.text) and _with(one, budget) == other


def _with(request: SearchRequest, budget: int) -> SearchRequest:
    return SearchRequest(model=request.model, text=request.text, config=replace(request.config, max_expansions=budget))


def _stopped_short(view: JobView[ExactProgress], budget: int) -> bool:
    last = view.records[-1] if view.records else None
    return last is not None and not last.proven and last.budget < budget


def _found(view: JobView[ExactProgress]) -> TranslationSearch | None:
    """What a job that rests has found; None where its process is gone, and then the next run begins another one."""
    if not view.records:
        return None
    key = (view.id, view.records[-1].expansions)
    kept: tuple[tuple[str, int], TranslationSearch] | None = st.session_state.get(_FOUND)
    if kept is not None and kept[0] == key:
        return kept[1]
    try:
        found = jobs().ask(view.id, FoundCommand())
    except SeqvizError:
        return None
    st.session_state[_FOUND] = (key, found)
    return found


def _panel(job_id: str, t: Translator, *, watching: bool) -> None:
    try:
        view: JobView[ExactProgress] = jobs().view(job_id)
    except SeqvizError as error:
        show_error(error, t)
        return
    if view.active != watching:
        st.rerun()  # the tree gets what was found
    if view.records and not (view.condition == "finished" and view.records[-1].proven):
        last = view.records[-1]
        st.progress(
            min(last.expansions / last.budget, 1.0),
            text=t("{state}: {done} of {budget} hypotheses. Best score so far {low}, none above {high}.").format(
                state=condition_name(view, t),
                done=f"{last.expansions:,}",
                budget=f"{last.budget:,}",
                low=nats(last.score),
                high=nats(last.upper_bound),
            ),
        )
    if view.active or view.condition == "paused":
        with st.container(horizontal=True):
            job_buttons(view, t, prefix="proof", stop=t("Cancel"))
    if view.error is not None:
        show_error(view.error, t)


def _search_on(budget: int) -> None:
    """A larger budget, or a fresh start behind a cancelled search; for callbacks."""
    state = st.session_state
    if budget == state.get(BUDGET_KEY) and JOB in st.query_params:
        del st.query_params[JOB]
    state.pop(_TRIED, None)
    state[BUDGET_KEY] = budget
