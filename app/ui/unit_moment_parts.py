"""What the view "Find similar moments" says of one model: its pattern, its matches, its units, the marked text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.ui.plain import as_text
from app.ui.settings import Settings
from app.ui.unit_compare import Compared, make_first
from app.ui.unit_state import choose_unit
from seqviz.charts.colored_text import ColouredText
from seqviz.charts.notation import visible
from seqviz.charts.unit_text import moments_figure
from seqviz.i18n import Translator
from seqviz.units import LongText, Match, Moments

CONTEXT = 12
_REVEALED = "units-revealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one model finds.

    Args:
        one: the model and its text.
        first: the model that the page compares with, itself where there is only one.
        moments: what it finds.
    """

    one: Compared
    first: Compared
    moments: Moments

    @property
    def text(self) -> LongText:
        """As this model read it."""
        return self.one.text

    @property
    def mark(self) -> str:
        """``A`` or ``B`` where there are two models."""
        return self.one.title[:1]

    @property
    def ending(self) -> str:
        """The same at the end of a key or a file's name."""
        return "-b" if self.one is not self.first else ""


def pattern_sentence(found: Found, t: Translator) -> None:
    """How many units make the pattern, or why there is nothing to be found."""
    moments, text = found.moments, found.text
    brushed = visible(text.span(moments.start, moments.end))
    brushed = brushed if len(brushed) <= 60 else f"{brushed[:40]} … {brushed[-15:]}"
    if not moments.units:
        st.info(
            t(
                "No unit is on throughout ‘{span}’ and off around it ({on} are on throughout). Lower the threshold, "
                "soften the border, or brush a shorter span."
            ).format(span=as_text(brushed), on=moments.on),
            icon=":material/search_off:",
        )
        return
    st.markdown(
        t("Units that are on throughout ‘{span}’ and off around it: **{units}**. On throughout: {on}.").format(
            units=moments.num_units, span=as_text(brushed), on=moments.on
        )
    )
    if not moments.matches:
        st.info(t("No other span of the text has any of them in this way."), icon=":material/search_off:")


def matches_table(found: Found, both: Sequence[bool] | None, t: Translator) -> None:
    """The matches in their contexts; ``both`` says which of them the other model finds too."""
    moments, text = found.moments, found.text
    if not moments.matches:
        return
    most = len(moments.units)
    context, units, step, too = t("moment in its context"), t("Units"), t("step"), t("both")
    rows = [
        {
            units: one.exact,
            **({} if both is None else {too: both[number]}),
            context: _in_context(text, one),
            step: one.start + 1,
        }
        for number, one in enumerate(moments.matches)
    ]
    key = f"moments-table{found.ending}"
    st.dataframe(
        rows,
        hide_index=True,
        height=330,
        key=key,
        on_select=partial(_match_chosen, key, found),
        selection_mode="single-cell",
        column_config={
            context: st.column_config.Column(width=280),
            step: st.column_config.Column(width=60),
            too: st.column_config.CheckboxColumn(width=60, help=t("The other model finds a moment there too.")),
            units: st.column_config.ProgressColumn(format=f"%d / {most}", min_value=0, max_value=most, width=100),
        },
    )
    st.caption(
        t(
            "Ranked by how many of the {units} units are on throughout the span and off around it, then by how many "
            "are on throughout. At least a third of the units. {count} spans in {seconds} ms. Click a row to go there."
        ).format(units=most, count=len(moments.matches), seconds=round(1e3 * moments.seconds))
    )


def _match_chosen(key: str, found: Found) -> None:
    """A row was clicked: all texts of the page go to its place."""
    cells = st.session_state[key]["selection"]["cells"]
    if cells and cells[0][0] < len(found.moments.matches):
        start = found.moments.matches[cells[0][0]].start
        st.session_state[_REVEALED] = (found.text.text, int(found.text.starts[start]))


def revealed(found: Found) -> int | None:
    """The step that was last asked for in a table, if it was of this text."""
    text, place = st.session_state.get(_REVEALED, ("", 0))
    return found.text.steps(place, place + 1)[0] if text == found.text.text else None


def units_table(found: Found, t: Translator) -> None:
    """The units of the pattern; a click shows one of them in the text."""
    if not found.moments.units:
        return
    with st.expander(t("The units of the pattern")):
        rows = [
            {
                t("Layer"): f"{one.place.layer + 1} {t(one.place.direction)}",
                t("Unit"): one.place.unit,
                t("side"): "+" if one.sign > 0 else "\u2212",
                t("mean in the span"): one.mean,
            }
            for one in found.moments.units
        ]
        key = f"moments-units{found.ending}"
        st.dataframe(
            rows,
            hide_index=True,
            key=key,
            on_select=partial(_unit_chosen, key, found),
            selection_mode="single-cell",
            column_config={t("mean in the span"): st.column_config.NumberColumn(format="%.3f")},
        )
        st.caption(t("Click a row to see the unit in the text."))


def _unit_chosen(key: str, found: Found) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells and cells[0][0] < len(found.moments.units):
        if found.one is not found.first:
            make_first(found.one, found.first)
        choose_unit(str(found.moments.units[cells[0][0]].place), quantity=found.moments.quantity)


def drawn(found: Found, reveal: int | None, settings: Settings) -> ColouredText:
    """The text, coloured by how many units of the pattern are on."""
    return moments_figure(
        found.text,
        found.moments,
        reveal=reveal,
        brush=True,
        height=560 if settings.presenter else 470,
        font_size=settings.font_size,
        t=settings.t,
        language=settings.language.replace("_", "-"),
    )


def _in_context(text: LongText, match: Match) -> str:
    before = visible(text.span(max(0, match.start - CONTEXT), match.start))[-CONTEXT:]
    behind = visible(text.span(match.end, min(len(text), match.end + CONTEXT)))[:CONTEXT]
    moment = visible(text.span(match.start, match.end))
    return f"{before} « {moment} » {behind}"
