"""The model backend of the app: one for all visitors, started once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from app.ui.plain import as_text, shortened
from seqviz.backends.local import LocalBackend
from seqviz.backends.protocol import DEFAULT_DEADLINE_SECONDS, Backend
from seqviz.backends.requests import Request
from seqviz.errors import SeqvizError
from seqviz.i18n import LANGUAGES, Translator, translate_error, translator
from seqviz.own_models import is_own

AnswerT = TypeVar("AnswerT")

_OWN_SECONDS = 120.0
"""The first question about a model of a reader's own loads a large library and up to a gigabyte."""
_LOOK_SECONDS = 0.5


@st.cache_resource(show_spinner=False, max_entries=1)
def backend() -> Backend:
    """The pool of worker processes."""
    return LocalBackend()


def ask_all(requests: Sequence[Request[AnswerT]]) -> list[AnswerT | SeqvizError]:
    """Asks several questions side by side; an error takes the place of its answer."""
    futures = [backend().submit(request, deadline_seconds=_seconds(request)) for request in requests]
    wait_started(lambda: all(future.done() for future in futures))
    answers: list[AnswerT | SeqvizError] = []
    for future in futures:
        try:
            answers.append(future.result())
        except SeqvizError as error:
            answers.append(error)
    return answers


def ask_sorted(requests: Sequence[Request[AnswerT]]) -> tuple[list[AnswerT], list[SeqvizError]]:
    """Asks several questions side by side; the answers and the errors apart."""
    answers = ask_all(requests)
    errors = [answer for answer in answers if isinstance(answer, SeqvizError)]
    return [answer for answer in answers if not isinstance(answer, SeqvizError)], errors


def ask(request: Request[AnswerT]) -> AnswerT:
    """Asks one question; raises its error."""
    pending = backend().submit(request, deadline_seconds=_seconds(request))
    wait_started(pending.done)
    return pending.result()


def wait_started(done: Callable[[], bool]) -> None:
    """While no worker process is up, says so in place, and goes on when one is or when there is nothing to wait for.

    Args:
        done: whether the answer is there already; a start that fails is an answer, too.
    """
    if done() or not backend().status().starting:
        return
    t = translator(st.session_state.get("lang", next(iter(LANGUAGES))))
    with st.spinner(t("The models' worker processes are starting; the page goes on by itself in a few seconds.")):
        while not done() and not backend().wait_started(_LOOK_SECONDS):
            continue


def _seconds(request: Request[AnswerT]) -> float:
    return _OWN_SECONDS if is_own(str(getattr(request, "model", ""))) else DEFAULT_DEADLINE_SECONDS


def ask_ahead(request: Request[AnswerT]) -> None:
    """Starts a question that the page asks in a moment; whoever asks it then gets the same answer."""
    backend().submit(request, deadline_seconds=_seconds(request))


def error_sentence(error: SeqvizError, t: Translator) -> str:
    """The sentence of an error as Markdown; what a reader typed stands in it as text, and not without end."""
    parameters = {name: shortened(name, value) for name, value in error.parameters.items()}
    return as_text(translate_error(type(error)(error.template, **parameters), t))


def show_error(error: SeqvizError, t: Translator) -> None:
    """One clear sentence in place."""
    st.warning(error_sentence(error, t), icon=":material/info:")
