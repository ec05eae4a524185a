"""The view "Find similar moments" of the Units page."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import streamlit as st

from app.ui.settings import Settings
from app.ui.unit_downloads import moments_downloads
from app.ui.unit_reading import ask_about
from app.ui.unit_state import choose_unit, quantities_of, quantity_label
from app.ui.unit_text import show_text
from app.ui.url import keep, take, take_matching
from seqviz.backends.long_requests import MomentsRequest
from seqviz.backends.requests import TraceRequest
from seqviz.charts.colored_text import ColouredText, coloured_text
from seqviz.charts.notation import visible
from seqviz.i18n import Translator
from seqviz.long_examples import example_span
from seqviz.units import LongText, Match, Moments

CONTEXT = 12
FIRST_SPANS = (r"(?<=\n\n)[A-Z][A-Z ]+:", r"\"[^\"\n]{3,60}\"", r"(?<=\s)\w{5,}", r"\w+")
"""Brushed first in a text that is no example: a speaker's name, a quotation, a longer word, a word."""
_SENT = "units-span-sent"


def moments_view(run: TraceRequest, text: LongText, settings: Settings) -> None:
    """Brush a span; the units that are on in it and off around it; where else they are."""
    t = settings.t
    start, end = _span(text)
    left, middle, right = st.columns([3, 3, 3], vertical_alignment="bottom")
    options = quantities_of(text)
    default = "hidden_state"
    take("by", options, default)
    quantity = left.selectbox(
        t("Quantity"), options, key="by", format_func=lambda name: quantity_label(name, text, settings)
    )
    keep("by", default)
    threshold = middle.slider(
        t("A unit is on above"),
        0.05,
        0.95,
        0.2,
        0.05,
        key="threshold",
        bind="query-params",
        help=t("States also count as on below the negative of it."),
    )
    slack = right.slider(
        t("Soft border, in steps"),
        0,
        5,
        1,
        key="slack",
        bind="query-params",
        help=t("By so many steps a unit may be on longer than the span."),
    )
    moments = ask_about(
        MomentsRequest(trace=run, quantity=quantity, start=start, end=end, threshold=threshold, slack=int(slack)), t
    )
    words, side = st.columns([13, 9])
    with side:
        reveal = _matches(moments, text, t)
        _units(moments, t)
    with words:
        figure = _figure(text, moments, reveal, settings)
        sent = show_text(figure, key="units-brush")
    if sent is not None and sent != st.session_state.get(_SENT):
        st.session_state[_SENT] = sent
        st.session_state["span"] = f"{sent[0]}-{sent[1]}"
        st.rerun()
    moments_downloads(text, moments, figure, t)


def _span(text: LongText) -> tuple[int, int]:
    """The brushed span: of the URL, of the last brush, or a first one."""
    default = _first_span(text)
    name = take_matching("span", r"\d{1,5}-\d{1,5}", default)
    start, end = (int(part) for part in name.split("-"))
    if not 0 <= start < end <= len(text):
        st.session_state["span"] = default
        start, end = (int(part) for part in default.split("-"))
    keep("span", default)
    return start, end


def _first_span(text: LongText) -> str:
    wanted = re.escape(example_span(text.task, text.kind))
    found = next((one for pattern in (wanted, *FIRST_SPANS) if (one := re.search(pattern, text.text))), None)
    start, end = found.span() if found else (0, 1)
    first = min(int(np.searchsorted(text.starts, start)), len(text) - 1)
    return f"{first}-{max(first + 1, int(np.searchsorted(text.starts, end)))}"


def _matches(moments: Moments, text: LongText, t: Translator) -> int | None:
    brushed = visible(text.span(moments.start, moments.end))
    brushed = brushed if len(brushed) <= 60 else f"{brushed[:40]} … {brushed[-15:]}"
    if not moments.units:
        st.info(
            t(
                "No unit is on throughout ‘{span}’ and off around it ({on} are on throughout). Lower the threshold, "
                "soften the border, or brush a shorter span."
            ).format(span=brushed, on=moments.on),
            icon=":material/search_off:",
        )
        return None
    st.markdown(
        t("Units that are on throughout ‘{span}’ and off around it: **{units}**. On throughout: {on}.").format(
            units=moments.num_units, span=_plain(brushed), on=moments.on
        )
    )
    if not moments.matches:
        st.info(t("No other span of the text has any of them in this way."), icon=":material/search_off:")
        return None
    most = len(moments.units)
    rows = [
        {
            t("Units"): one.exact,
            t("moment in its context"): _in_context(text, one),
            t("step"): one.start + 1,
        }
        for one in moments.matches
    ]
    event = st.dataframe(
        rows,
        hide_index=True,
        height=330,
        key="moments-table",
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            t("moment in its context"): st.column_config.Column(width=280),
            t("step"): st.column_config.Column(width=60),
            t("Units"): st.column_config.ProgressColumn(format=f"%d / {most}", min_value=0, max_value=most, width=100),
        },
    )
    st.caption(
        t(
            "Ranked by how many of the {units} units are on throughout the span and off around it, then by how many "
            "are on throughout. At least a third of the units. {count} spans in {seconds} ms. Click a row to go there."
        ).format(units=most, count=len(moments.matches), seconds=round(1e3 * moments.seconds))
    )
    cells = event["selection"]["cells"]
    return moments.matches[cells[0][0]].start if cells and cells[0][0] < len(moments.matches) else None


def _plain(text: str) -> str:
    """A piece of anybody's text as it is, within Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|<>$~:-])", r"\\\1", text)


def _in_context(text: LongText, match: Match) -> str:
    before = visible(text.span(max(0, match.start - CONTEXT), match.start))[-CONTEXT:]
    behind = visible(text.span(match.end, min(len(text), match.end + CONTEXT)))[:CONTEXT]
    moment = visible(text.span(match.start, match.end))
    return f"{before} « {moment} » {behind}"


def _units(moments: Moments, t: Translator) -> None:
    if not moments.units:
        return
    with st.expander(t("The units of the pattern")):
        rows = [
            {
                t("Layer"): f"{one.place.layer + 1} {t(one.place.direction)}",
                t("Unit"): one.place.unit,
                t("side"): "+" if one.sign > 0 else "\u2212",
                t("mean in the span"): one.mean,
            }
            for one in moments.units
        ]
        st.dataframe(
            rows,
            hide_index=True,
            key="moments-units",
            on_select=partial(_unit_chosen, moments),
            selection_mode="single-cell",
            column_config={t("mean in the span"): st.column_config.NumberColumn(format="%.3f")},
        )
        st.caption(t("Click a row to see the unit in the text."))


def _unit_chosen(moments: Moments) -> None:
    cells = st.session_state["moments-units"]["selection"]["cells"]
    if cells and cells[0][0] < len(moments.units):
        choose_unit(str(moments.units[cells[0][0]].place), quantity=moments.quantity)


def _figure(text: LongText, moments: Moments, reveal: int | None, settings: Settings) -> ColouredText:
    t = settings.t
    many = len(moments.units)
    return coloured_text(
        text,
        values=moments.units_on.astype(np.float32) if many else None,
        quantity="count",
        name=t("units of the pattern that are on"),
        limit=float(max(many, 1)),
        marks=[(one.start, one.end) for one in moments.matches],
        selection=(moments.start, moments.end),
        reveal=reveal,
        brush=True,
        height=560 if settings.presenter else 470,
        font_size=settings.font_size,
        notes=(t("framed: your span; underlined: matches"),),
        language=settings.language.replace("_", "-"),
        t=t,
    )
