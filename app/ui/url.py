"""Choices in the URL by their names.

``bind="query-params"`` writes an option as it is shown, so a link made in English would not open in Chinese. These two
functions keep a widget's value under its own name: ``take`` before the widget is drawn, ``keep`` behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_PAGE, _MOVED = "url-page", "url-moved"


def take(key: str, options: Sequence[str], default: str) -> None:
    """Brings a widget's session value in line with the URL and with its options.

    A link that was opened, or back and forward, wins over the session; an unknown name gives the default.

    Args:
        key: of the widget and of the query parameter.
        options: the allowed values.
        default: what the widget has where the URL says nothing.
    """
    _follow(key)
    if st.session_state.get(key) not in options:
        st.session_state[key] = default


def take_matching(key: str, pattern: str, default: str) -> str:
    """``take`` for a value of any text that a pattern matches as a whole; it need not belong to a widget.

    Args:
        key: of the session value and of the query parameter.
        pattern: regular expression.
        default: where the URL says nothing, or nothing that matches.
    """
    _follow(key)
    if re.fullmatch(pattern, str(st.session_state.get(key) or ""), re.DOTALL) is None:
        st.session_state[key] = default
    return str(st.session_state[key])


def choose(key: str, value: str) -> None:
    """A value that the reader has just chosen in a picture; for callbacks, before the next run.

    A reader who clicks twice at once sends the second click with the URL of before the first: in the run that follows,
    the choice wins over it.
    """
    st.session_state[key] = value
    st.session_state[_chosen(key)] = True


def arrive() -> None:
    """Call it first in every run: notes whether the reader came over from another page, with an empty query."""
    state, context = st.session_state, get_script_run_ctx()
    page = None if context is None else context.page_script_hash
    state[_MOVED] = state.get(_PAGE) not in (None, page)
    state[_PAGE] = page


def leave_behind(key: str) -> None:
    """A value that says something else on another page: a page that was just come to begins with its own default."""
    if st.session_state.get(_MOVED) and key not in st.query_params:
        st.session_state.pop(key, None)


def bring_along(key: str) -> None:
    """The same for a widget that is bound to the URL by Streamlit: a page that was just come to gets its value."""
    state = st.session_state
    if state.get(_MOVED) and key not in st.query_params and state.get(key) is not None:
        state[key] = state[key]


def bound(key: str) -> Literal["query-params"] | None:
    """How a ``number_input`` is bound to the URL: not at all in a run whose URL has something else than a number.

    Streamlit drops what is no number, but fails on one without end.
    """
    text = st.query_params.get(key)
    if text is None or re.fullmatch(r"-?[0-9]{1,12}", text):
        return "query-params"
    del st.query_params[key]
    return None


def hold(key: str) -> None:
    """Remembers a widget's value for ``bring_back``; called behind the widget."""
    st.session_state[_held(key)] = st.session_state[key]


def bring_back(key: str) -> None:
    """The value that a widget had when its reader was here last: a page without this widget loses it."""
    state = st.session_state
    if state.get(_MOVED) and key not in st.query_params and key not in state and _held(key) in state:
        state[key] = state[_held(key)]


def _follow(key: str) -> None:
    """A link that was opened, or back and forward, wins over the session; from page to page the session goes along."""
    if st.session_state.pop(_chosen(key), False):
        return
    url = st.query_params.get(key)
    if url is None and st.session_state.get(_MOVED) and st.session_state.get(key) is not None:
        # Set once more: the widget of this page is another one than that of the last and has no value yet.
        st.session_state[key] = st.session_state[key]
        st.session_state[_written(key)] = None
        return
    # A widget that was not drawn for a while has lost its value; the URL may still have it. A link to another page may
    # name the very value that the last one had: its widget is another one all the same.
    if url != st.session_state.get(_written(key)) or key not in st.session_state or st.session_state.get(_MOVED):
        st.session_state[key] = url
        st.session_state[_written(key)] = url


def keep(key: str, default: str) -> None:
    """Writes a widget's value to the URL; a default is left out."""
    value = st.session_state[key]
    text = None if value == default else str(value)
    if st.query_params.get(key) != text:
        if text is None:
            del st.query_params[key]
        else:
            st.query_params[key] = text
    st.session_state[_written(key)] = text


def forget(key: str) -> None:
    """A value gives way to the default of its next run, in the session and in the URL; for callbacks."""
    for place in (key, _written(key)):
        st.session_state.pop(place, None)
    if key in st.query_params:
        del st.query_params[key]


def remember(page: str, keys: Sequence[str]) -> None:
    """Keeps what the URL says of a page, for ``recall``; called at the end of its run."""
    found = {key: st.query_params[key] for key in keys if key in st.query_params}
    st.session_state[f"url-of-{page}"] = found


def recall(page: str, keys: Sequence[str], *, widget: str) -> None:
    """Brings the URL of a page back when its reader returns from another page, which leaves it empty.

    Args:
        page: as in ``remember``.
        keys: the query parameters that are the page's own.
        widget: key of a widget that the page always draws: its value is gone after a run of another page.
    """
    state = st.session_state
    if state.get(_MOVED):
        _leave_behind(page)
    if widget in state or any(key in st.query_params for key in keys):
        return
    for key, value in state.get(f"url-of-{page}", {}).items():
        st.query_params[key] = value


def _leave_behind(page: str) -> None:
    """The browser's way back brings the query of the page that was left along: its values say nothing here."""
    state, here = st.session_state, st.query_params
    for name in [name for name in state if str(name).startswith("url-of-") and name != f"url-of-{page}"]:
        other = state[name]
        if other and all(here.get(key) == value for key, value in other.items()):
            for key in other:
                del here[key]


def start_anew(*, keep: Sequence[str]) -> None:
    """The next page opens as for a new visitor, but for what is kept: for ways to an exact state.

    Args:
        keep: keys of the session that stay.
    """
    kept = {*keep, *(_written(key) for key in keep), _PAGE, _MOVED}
    for key in [key for key in st.session_state if key not in kept]:
        del st.session_state[key]


def _held(key: str) -> str:
    return f"url-held-{key}"


def _written(key: str) -> str:
    return f"url-{key}"


def _chosen(key: str) -> str:
    return f"url-chosen-{key}"
