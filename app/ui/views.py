"""The switch between the views of a page, which stands in the URL, and the places of two runs in a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.url import keep, leave_behind, take
from seqviz.i18n import Translator

VIEW_KEY = "view"


def view_choice(
    titles: Mapping[str, str],
    t: Translator,
    *,
    key: str = VIEW_KEY,
    label: str = "",
    first: str | None = None,
    place: DeltaGenerator | None = None,
) -> str:
    """Draws the switch; returns the chosen view.

    Args:
        titles: of the views by name, in their order.
        t: the reader's language.
        key: of the query parameter.
        label: for screen readers; empty for the usual one.
        first: what is shown where the URL says nothing; None for the first.
        place: where the switch stands; None for here.
    """
    names = list(titles)
    first = first or names[0]
    leave_behind(key)
    take(key, names, first)
    chosen = (place or st).segmented_control(
        label or t("View"),
        names,
        required=True,
        wrap=True,  # a telephone shows all of them
        key=key,
        label_visibility="collapsed",
        format_func=titles.__getitem__,
    )
    keep(key, first)
    return str(chosen or first)


def side_by_side(count: int) -> Sequence[DeltaGenerator]:
    """A place for each run of a comparison, side by side; a single run has the whole width."""
    return st.columns(2, gap="large") if count > 1 else [st.container()]


def divided(widths: Sequence[int], *, narrow: bool) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two places side by side, or one below the other where a comparison takes the width."""
    if narrow:
        return st.container(), st.container()
    left, right = st.columns(list(widths))
    return left, right
