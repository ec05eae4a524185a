"""The view "Find similar moments" of the Units page, for one model or for two over the same text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.ui.backend import show_error
from app.ui.settings import Settings
from app.ui.unit_compare import Compared
from app.ui.unit_downloads import moments_downloads
from app.ui.unit_moment_parts import Found, drawn, matches_table, pattern_sentence, revealed, units_table
from app.ui.unit_reading import ask_about
from app.ui.unit_text import sent_span, show_text
from app.ui.url import choose, keep, take, take_matching
from app.ui.views import side_by_side
from seqviz.analysis.moments import Shared, shared
from seqviz.backends.long_requests import MomentsRequest
from seqviz.charts.colored_text import ColouredText
from seqviz.charts.notation import quantity_name
from seqviz.charts.unit_text import quantity_label
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.interventions import counterpart
from seqviz.long_examples import example_span
from seqviz.units import LongText

FIRST_SPANS = (r"(?<=\n\n)[A-Z][A-Z ]+:", r"\"[^\"\n]{3,60}\"", r"(?<=\s)\w{5,}", r"\w+")
"""Brushed first in a text that is no example: a speaker's name, a quotation, a longer word, a word."""


def moments_view(texts: Sequence[Compared], settings: Settings) -> None:
    """Brush a span; the units that are on in it and off around it; where else they are."""
    t = settings.t
    request = _request(texts[0], settings)
    found = [one for text in texts if (one := _found(text, texts[0], request, t)) is not None]
    if not found:
        return
    figures = [drawn(one, revealed(one), settings) for one in found]
    if len(found) > 1:
        _side_by_side(found, figures, t)
    else:
        _alone(found[0], figures[0], t)
    moments_downloads(
        [(one.text, one.moments, figure, one.mark) for one, figure in zip(found, figures, strict=True)], t
    )


def _request(first: Compared, settings: Settings) -> MomentsRequest:
    """Draws what decides, and returns the question to the first model."""
    t, text = settings.t, first.text
    start, end = _span(text)
    left, middle, right = st.columns([3, 3, 3], vertical_alignment="bottom")
    options = text.quantities
    default = "hidden_state"
    take("by", options, default)
    quantity = left.selectbox(
        t("Quantity"),
        options,
        key="by",
        format_func=lambda name: quantity_label(name, text, notation=settings.notation, t=t),
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
    return MomentsRequest(
        trace=first.run, quantity=quantity, start=start, end=end, threshold=threshold, slack=int(slack)
    )


def _found(one: Compared, first: Compared, request: MomentsRequest, t: Translator) -> Found | None:
    """The moments of a model; None, and the reason in place, where it has no such numbers."""
    options = one.text.quantities
    quantity = counterpart(request.quantity, options)
    if quantity not in options:
        st.info(
            t("{model} has no {quantity}; choose another quantity.").format(
                model=one.title, quantity=quantity_name(request.quantity, t)
            ),
            icon=":material/info:",
        )
        return None
    if quantity != request.quantity:
        st.caption(
            t("{model} has no {quantity}; in its place stands its {other}.").format(
                model=one.title, quantity=quantity_name(request.quantity, t), other=quantity_name(quantity, t)
            )
        )
    start, end = _same_span(first.text, (request.start, request.end), one.text)
    own = MomentsRequest(
        trace=one.run, quantity=quantity, start=start, end=end, threshold=request.threshold, slack=request.slack
    )
    try:
        return Found(one=one, first=first, moments=ask_about(own, t))
    except SeqvizError as problem:
        show_error(problem, t)
        return None


def _same_span(text: LongText, span: tuple[int, int], other: LongText) -> tuple[int, int]:
    """A span of one reading of the text, in the steps of another reading."""
    return other.steps(int(text.starts[span[0]]), int(text.ends[span[1] - 1]))


def _alone(found: Found, figure: ColouredText, t: Translator) -> None:
    words, side = st.columns([13, 9])
    with side:
        pattern_sentence(found, t)
        matches_table(found, None, t)
        units_table(found, t)
    with words:
        _brushed_text(found, figure)


def _side_by_side(found: Sequence[Found], figures: Sequence[ColouredText], t: Translator) -> None:
    """Two models: what each finds, and how far it is the same. Row by row, so that both stand at one height."""
    agreements = [_agreement(one, other) for one, other in zip(found, reversed(found), strict=True)]
    for one, other, agreement, place in zip(found, reversed(found), agreements, side_by_side(2), strict=True):
        with place:
            st.markdown(f"**{one.one.title}**")
            pattern_sentence(one, t)
            if one.moments.matches and other.moments.matches:
                st.caption(
                    t(
                        "{both} of the {count} moments lie where {other} finds one too; by chance, spans of these "
                        "lengths would do so in {chance} %."
                    ).format(
                        both=sum(agreement.both),
                        count=len(agreement.both),
                        other=other.mark,
                        chance=f"{100 * agreement.chance:.0f}",
                    )
                )
    for one, figure, place in zip(found, figures, side_by_side(2), strict=True):
        with place:
            _brushed_text(one, figure)
    for one, agreement, place in zip(found, agreements, side_by_side(2), strict=True):
        with place:
            matches_table(one, agreement.both, t)
            units_table(one, t)


def _agreement(one: Found, other: Found) -> Shared:
    """How far the first one's moments are the other's, in the first one's steps."""
    others = [_same_span(other.text, (match.start, match.end), one.text) for match in other.moments.matches]
    return shared([(match.start, match.end) for match in one.moments.matches], others, len(one.text))


def _brushed_text(found: Found, figure: ColouredText) -> None:
    key = f"units-brush{found.ending}"
    show_text(figure, key=key, on_span=partial(_span_brushed, key, found.text, found.first.text))


def _span_brushed(key: str, text: LongText, first: LongText) -> None:
    """A span was chosen in one of the texts; the page keeps it in the steps of the first."""
    span = sent_span(key)
    if span is not None and 0 <= span[0] < span[1] <= len(text):
        start, end = _same_span(text, span, first)
        choose("span", f"{start}-{end}")


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
    start, end = text.steps(*found.span()) if found else text.steps(0, 1)
    return f"{start}-{end}"
