"""Choices in the URL by their names.

``bind="query-params"`` writes an option as it is shown, so a link made in English would not open in Chinese. These two
functions keep a widget's value under its own name: ``take`` before the widget is drawn, ``keep`` behind it.
"""

from __future__ import annotations

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
    state = st.session_state
    url = st.query_params.get(key)
    # A widget that was not drawn for a while has lost its value; the URL may still have it.
    if url != state.get(_written(key)) or key not in state:
        state[key] = url
        state[_written(key)] = url
    if state.get(key) not in options:
        state[key] = default


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
