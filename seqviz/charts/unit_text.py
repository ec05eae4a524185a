"""A long text as the Units page colours it: by one unit, or by how many units of a pattern are on."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from seqviz.charts.colored_text import ColouredText, coloured_text
from seqviz.charts.notation import Notation, quantity_name, symbol
from seqviz.charts.properties import property_name
from seqviz.charts.saturation import layer_name
from seqviz.i18n import Translator, english
from seqviz.units import LongText, Moments, UnitPlace, UnitSeries


class SeriesNames(TypedDict):
    """What the charts of a unit call what they show."""

    unit_name: str
    axis_name: str
    property_name: str


def unit_name(place: UnitPlace, text: LongText, quantity: str, t: Translator = english) -> str:
    """``cell state of unit 365, layer 2``."""
    both = any(shape.direction == "backward" for shape in text.layers)
    return t("{quantity} of unit {unit}, {layer}").format(
        quantity=quantity_name(quantity, t=t),
        unit=place.unit,
        layer=layer_name(place.layer, place.direction, both=both, t=t),
    )


def quantity_label(name: str, text: LongText, *, notation: Notation = "ng", t: Translator = english) -> str:
    """``cell state c⟨t⟩``: a quantity in words and in the reader's notation."""
    return f"{quantity_name(name, t=t)} {symbol(name, notation=notation, cell=text.layers[0].cell).text}"


def series_names(series: UnitSeries, tracked: str, text: LongText, t: Translator = english) -> SeriesNames:
    """The names for ``series_chart`` and ``values_chart``; ``tracked`` is the property beside the unit."""
    return SeriesNames(
        unit_name=unit_name(series.place, text, series.quantity, t),
        axis_name=quantity_name(series.quantity, t=t),
        property_name="" if series.property is None else property_name(tracked, t),
    )


def unit_figure(
    text: LongText,
    series: UnitSeries,
    *,
    tracked: str,
    height: int = 470,
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> ColouredText:
    """The text, coloured by one unit; the property that it is held against is underlined.

    Args:
        text: as the model read it.
        series: the unit at every step.
        tracked: the property.
        height: pixels of the part that is seen at once.
        font_size, t, language: of the reader.
    """
    limit = None
    if series.quantity == "cell_state":
        limit = float(np.quantile(np.abs(series.values), 0.99)) or None
    elif series.quantity.endswith("_gate"):
        limit = 1.0
    names = series_names(series, tracked, text, t)
    return coloured_text(
        text,
        values=series.values,
        quantity=series.quantity,
        name=names["unit_name"],
        limit=limit,
        binary=series.property if series.binary else None,
        numbers=None if series.binary else series.property,
        property_name=names["property_name"],
        height=height,
        font_size=font_size,
        language=language,
        t=t,
    )


def moments_figure(
    text: LongText,
    moments: Moments,
    *,
    reveal: int | None = None,
    brush: bool = False,
    height: int = 470,
    font_size: int = 14,
    t: Translator = english,
    language: str = "en",
) -> ColouredText:
    """The text, coloured by how many units of the pattern are on; the span is framed, matches are underlined.

    Args:
        text: as the model read it.
        moments: what was found.
        reveal: a step that is scrolled to.
        brush: whether the reader can choose another span.
        height, font_size, t, language: as in ``unit_figure``.
    """
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
        brush=brush,
        height=height,
        font_size=font_size,
        notes=(t("framed: your span; underlined: matches"),),
        language=language,
        t=t,
    )
