"""The moment in focus: which step, layer, direction and unit; it travels in the URL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from seqviz.charts.unroll_layout import UnrollFocus, UnrollOptions, resolved_focus
from seqviz.traces import RecurrentTrace
from seqviz.types import Direction

SHOWN = "focus-shown"
"""The session's focus: it stays while a reader goes from page to page."""

_KEY = "focus"
_WRITTEN = "focus-written"


def focus_from_url() -> UnrollFocus | None:
    """``?focus=3.0.forward.17``; None if there is none or it is of another form."""
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,2})\.(forward|backward)\.(\d{1,5})", st.query_params.get(_KEY, ""))
    if match is None:
        return None
    step, layer, direction, unit = match.groups()
    return UnrollFocus(step=int(step), layer=int(layer), direction=_direction(direction), unit=int(unit))


def url_was_changed() -> bool:
    """Whether the URL's focus is not the one written last: a link was opened, or back was pressed."""
    return st.query_params.get(_KEY) != st.session_state.get(_WRITTEN)


def focus_from_picture(value: Mapping[str, Any] | None) -> UnrollFocus | None:
    """What the picture sent; a browser may send anything."""
    if not isinstance(value, Mapping):
        return None
    try:
        return UnrollFocus(
            step=int(value["step"]),
            layer=int(value["layer"]),
            direction=_direction(str(value["direction"])),
            unit=int(value["unit"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def focus_of(pictures: Sequence[str]) -> UnrollFocus | None:
    """What should be shown now: news of a picture, a link that was opened, or what was shown last.

    Args:
        pictures: keys of the page's pictures.
    """
    news: UnrollFocus | None = None
    for key in pictures:
        state = st.session_state.get(key)
        sent = focus_from_picture(state.get("focus") if state is not None else None)
        if sent is not None and sent != st.session_state.get(f"{key}-sent"):
            news = sent
        st.session_state[f"{key}-sent"] = sent
    if news is not None:
        # They go before the URL: while a reader steps fast, the browser still sends an older URL along.
        return news
    last: UnrollFocus | None = st.session_state.get(SHOWN)
    linked = focus_from_url()
    # A page that was just come to has an empty URL: what was in focus on the last one stays.
    return linked if last is None or (linked is not None and url_was_changed()) else last


def picture_focus(key: str, trace: RecurrentTrace, options: UnrollOptions) -> UnrollFocus:
    """The moment that a page with one picture shows; session and URL are kept true to it.

    Args:
        key: of the picture's element.
        trace: the run that is shown.
        options: of the picture; their focus is where a picture starts that nobody has touched.
    """
    focus = resolved_focus(trace, replace(options, focus=focus_of([key]) or options.focus))
    st.session_state[SHOWN] = focus
    focus_to_url(focus)
    return focus


def forget_focus() -> None:
    """The next picture starts where it would start for a new visitor; for examples, which bring their own moment."""
    st.session_state.pop(SHOWN, None)
    if _KEY in st.query_params:
        del st.query_params[_KEY]


def focus_to_url(focus: UnrollFocus) -> None:
    """Keeps the URL true to what is shown."""
    text = focus.to_text()
    st.session_state[_WRITTEN] = text
    if st.query_params.get(_KEY) != text:
        st.query_params[_KEY] = text


def _direction(name: str) -> Direction:
    return "backward" if name == "backward" else "forward"
