"""The switch between the views of a page; the view stands in the URL."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.url import keep, take
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
    wrap: bool = False,
) -> str:
    """Draws the switch; returns the chosen view.

    Args:
        titles: of the views by name, in their order.
        t: the reader's language.
        key: of the query parameter.
        label: for screen readers; empty for the usual one.
        first: what is shown where the URL says nothing; None for the first.
        place: where the switch stands; None for here.
        wrap: whether it may take several lines.
    """
    names = list(titles)
    first = first or names[0]
    take(key, names, first)
    chosen = (place or st).segmented_control(
        label or t("View"),
        names,
        required=True,
        wrap=wrap,
        key=key,
        label_visibility="collapsed",
        format_func=titles.__getitem__,
    )
    keep(key, first)
    return str(chosen or first)
