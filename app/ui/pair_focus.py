"""The moment in focus of the encoder-decoder: step, layer, row and unit; it travels in the URL as ``moment``."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from seqviz.charts.encoder_decoder_layout import ROWS, PairFocus, Row, resolved_pair_focus
from seqviz.translation_network import TranslationNetwork

_KEY = "moment"
_SHOWN, _WRITTEN, _OF = "moment-shown", "moment-written", "moment-of"


def moment(picture: str, network: TranslationNetwork, of: Hashable) -> PairFocus:
    """What is shown now: news of the picture, a link that was opened, or what was shown last.

    Args:
        picture: key of the picture's element.
        network: the runs.
        of: what the moment is a moment of; another one starts where a new visitor would.
    """
    state = st.session_state
    if state.get(_OF, of) != of:
        forget_moment()
    state[_OF] = of
    sent = _from_picture(state[picture].get("focus")) if picture in state else None
    news = sent if sent != state.get(f"{picture}-sent") else None
    state[f"{picture}-sent"] = sent
    linked, url = _from_url(), st.query_params.get(_KEY)
    given = news or (linked if linked and url != state.get(_WRITTEN) else state.get(_SHOWN) or linked)
    focus = resolved_pair_focus(network, given)
    text = focus.to_text()
    state[_SHOWN], state[_WRITTEN] = focus, text
    if url != text:
        st.query_params[_KEY] = text
    return focus


def forget_moment() -> None:
    """The next picture starts where it would start for a new visitor."""
    st.session_state.pop(_SHOWN, None)
    if _KEY in st.query_params:
        del st.query_params[_KEY]


def _from_url() -> PairFocus | None:
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,2})\.([a-z]+)\.(\d{1,5})", st.query_params.get(_KEY, ""))
    if match is None or (row := _row(match[3])) is None:
        return None
    return PairFocus(step=int(match[1]), layer=int(match[2]), row=row, unit=int(match[4]))


def _from_picture(value: Mapping[str, Any] | None) -> PairFocus | None:
    """What the picture sent; a browser may send anything."""
    if not isinstance(value, Mapping) or (row := _row(str(value.get("direction")))) is None:
        return None
    try:
        return PairFocus(step=int(value["step"]), layer=int(value["layer"]), row=row, unit=int(value["unit"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _row(name: str) -> Row | None:
    return next((row for row in ROWS if row == name), None)
