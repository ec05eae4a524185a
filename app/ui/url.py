"""Choices in the URL by their names.

``bind="query-params"`` writes an option as it is shown, so a link made in English would not open in Chinese. These two
functions keep a widget's value under its own name: ``take`` before the widget is drawn, ``keep`` behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st


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


def _follow(key: str) -> None:
    """A link that was opened, or back and forward, wins over the session."""
    url = st.query_params.get(key)
    if url != st.session_state.get(_written(key)):
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


def _written(key: str) -> str:
    return f"url-{key}"
