"""The view "What is this unit for?" of the Units page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.ui.backend import show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download
from app.ui.settings import Settings, look_of
from app.ui.unit_compare import Compared, rankings_compared
from app.ui.unit_downloads import unit_downloads
from app.ui.unit_rankings import NO_PROPERTY, rankings
from app.ui.unit_reading import ask_about
from app.ui.unit_state import unit_in_focus
from app.ui.unit_text import show_text
from app.ui.url import forget, keep, take
from seqviz.backends.long_requests import TrackingRequest, UnitRequest
from seqviz.charts.properties import property_name, property_rule
from seqviz.charts.saturation import layer_name
from seqviz.charts.tracking import MAX_POINTS, series_chart, tracked_sentence, values_chart
from seqviz.charts.unit_text import quantity_label, series_names, unit_figure, unit_name
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator
from seqviz.units import LongText, Tracking, UnitPlace, UnitSeries


def unit_view(texts: Sequence[Compared], settings: Settings) -> None:
    """The text coloured by a unit; which units track which property, in one model or in two."""
    t, run, text = settings.t, texts[0].run, texts[0].text
    left, middle, right = st.columns([3, 4, 4], vertical_alignment="bottom")
    quantity = _quantity(left, text, settings)
    pattern = right.text_input(
        t("Your own pattern"),
        key="pattern",
        bind="query-params",
        placeholder=r"\bth\w+",
        autocomplete="off",
        help=t("A regular expression: its matches become a property like the others."),
    )
    pattern = pattern or ""
    try:
        tracking = ask_about(TrackingRequest(trace=run, quantity=quantity, pattern=pattern), t)
    except InvalidInputError as problem:
        if not pattern:
            raise
        show_error(problem, t)
        pattern = ""
        tracking = ask_about(TrackingRequest(trace=run, quantity=quantity), t)
    tracked = {one.property: one for one in tracking.tracked}
    name = _property(middle, tracking, pattern, t)
    best = tracking.best_unit(name, text)
    place = unit_in_focus(text, quantity, best)
    series = ask_about(
        UnitRequest(
            trace=run,
            layer=place.layer,
            direction=place.direction,
            unit=place.unit,
            quantity=quantity,
            property="" if name == NO_PROPERTY else name,
            pattern=pattern,
        ),
        t,
    )
    words, side = st.columns([13, 9])
    figure = unit_figure(
        text,
        series,
        tracked=name,
        height=560 if settings.presenter else 470,
        font_size=settings.font_size,
        t=t,
        language=settings.language.replace("_", "-"),
    )
    with words:
        show_text(figure, key="units-text")
    with side:
        _place_inputs(text, place, t)
        rankings(tracking, series, name, text, settings)
    if name in tracked:
        best_name = unit_name(best, text, quantity, t)
        st.caption(
            tracked_sentence(
                tracked[name],
                unit_name=best_name,
                property_name=property_name(name, t),
                num_units=tracking.num_units,
                t=t,
            )
        )
    files = _charts(series, name, text, settings)
    if len(texts) > 1:
        files += rankings_compared(texts, tracking, pattern, settings)
    unit_downloads(text, series, tracking, figure, files, t)


def _quantity(column: st.delta_generator.DeltaGenerator, text: LongText, settings: Settings) -> str:
    options = text.quantities
    take("quantity", options, options[0])
    quantity = column.selectbox(
        settings.t("Quantity"),
        options,
        key="quantity",
        format_func=lambda name: quantity_label(name, text, notation=settings.notation, t=settings.t),
        on_change=_forget_unit,
    )
    keep("quantity", options[0])
    return str(quantity)


def _property(column: st.delta_generator.DeltaGenerator, tracking: Tracking, pattern: str, t: Translator) -> str:
    options = [*(one.property for one in tracking.tracked), NO_PROPERTY]
    default = tracking.first_property(pattern) or NO_PROPERTY
    take("property", options, default)
    name = column.selectbox(
        t("Property of the text"),
        options,
        key="property",
        format_func=lambda one: t("none") if one == NO_PROPERTY else property_name(one, t),
        on_change=_forget_unit,
        help=None if st.session_state["property"] == NO_PROPERTY else property_rule(st.session_state["property"], t),
    )
    keep("property", default)
    return str(name)


def _forget_unit() -> None:
    """A new property or quantity shows its own best unit."""
    forget("unit")


def _place_inputs(text: LongText, place: UnitPlace, t: Translator) -> None:
    state = st.session_state
    shapes = {f"{shape.layer}.{shape.direction}": shape for shape in text.layers}
    both = any(shape.direction == "backward" for shape in text.layers)
    state["unit-layer"], state["unit-index"] = f"{place.layer}.{place.direction}", place.unit
    left, right = st.columns(2)
    left.selectbox(
        t("Layer"),
        list(shapes),
        key="unit-layer",
        format_func=lambda one: layer_name(shapes[one].layer, shapes[one].direction, both=both, t=t),
        on_change=_place_changed,
    )
    right.number_input(
        t("Unit"),
        0,
        shapes[state["unit-layer"]].num_units - 1,
        key="unit-index",
        on_change=_place_changed,
    )


def _place_changed() -> None:
    st.session_state["unit"] = f"{st.session_state['unit-layer']}.{st.session_state['unit-index']}"


def _charts(series: UnitSeries, name: str, text: LongText, settings: Settings) -> list[Download]:
    """The unit over time, and its values by the property; returns the charts' files."""
    t, look = settings.t, look_of(settings)
    names = series_names(series, name, text, t)
    left, right = st.columns([7, 4], vertical_alignment="bottom")
    with left:
        start, end = _stretch(len(text), t)
        over_time = partial(series_chart, series, start=start, end=end, **names, **look)
        show_chart(over_time())
    files = chart_files(over_time, name=t("Over the text"), ending="series", t=t)
    if series.property is not None:
        by_property = partial(values_chart, series, **names, **look)
        with right:
            show_chart(by_property())
        files += chart_files(by_property, name=t("By the property"), ending="values", t=t)
    return files


def _stretch(count: int, t: Translator) -> tuple[int, int]:
    """Which steps the chart over time shows: a stretch that needs no averaging, or all."""
    if count <= MAX_POINTS:
        return 0, count
    left, right = st.columns([5, 3], vertical_alignment="bottom")
    whole = right.toggle(t("Whole text, averaged"), key="whole", bind="query-params")
    start = left.slider(
        t("Chart from step"), 1, count - MAX_POINTS + 1, 1, key="from", bind="query-params", disabled=whole
    )
    return (0, count) if whole else (int(start) - 1, int(start) - 1 + MAX_POINTS)
