"""Units over a long text: the text coloured by one, what tracks what, saturated gates, similar moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from seqviz.backends.long_requests import (
    LongTextRequest,
    MomentsRequest,
    ReadRequest,
    SaturationRequest,
    TrackingRequest,
    UnitRequest,
)
from seqviz.backends.requests import AnswerT_co, Request, TraceRequest
from seqviz.charts.colored_text import ColouredText, coloured_text
from seqviz.charts.figure import Figure
from seqviz.charts.notation import quantity_name, symbol
from seqviz.charts.palette import Theme
from seqviz.charts.properties import property_name
from seqviz.charts.rankings import rankings_chart
from seqviz.charts.saturation import SaturatedRun, layer_name, saturation_figure
from seqviz.charts.tracking import MAX_POINTS, series_chart, values_chart
from seqviz.checkpoints import read_info
from seqviz.errors import InvalidInputError, TraceGoneError, unknown_name
from seqviz.long_examples import example_span, long_example
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask
from seqviz.units import LongText, UnitPlace, UnitSeries


def unit_text(
    model: str,
    text: str = "",
    *,
    quantity: str = "",
    tracked: str = "",
    unit: UnitPlace | None = None,
    pattern: str = "",
    appearance: Appearance = DEFAULT,
) -> ColouredText:
    """A long text coloured by one unit (the app's Units).

    Args:
        model: name of a checkpoint.
        text: up to 20,000 pieces; empty for the app's example text of this kind of model.
        quantity: of the unit; empty for the cell state, or the hidden state where there is none.
        tracked: a property of the text whose best unit is shown; empty for the first.
        unit: which unit; None for the best one of the property.
        pattern: a regular expression whose matches are a property too.
        appearance: how it looks.
    """
    run = _run(model, text)
    found, series, name = _series(run, quantity, tracked, unit, pattern)
    limit = None
    if series.quantity == "cell_state":
        limit = float(np.quantile(np.abs(series.values), 0.99)) or None
    elif series.quantity.endswith("_gate"):
        limit = 1.0
    return coloured_text(
        found,
        values=series.values,
        quantity=series.quantity,
        name=_unit_name(series, found, appearance),
        limit=limit,
        binary=series.property if series.binary else None,
        numbers=None if series.binary else series.property,
        property_name=property_name(name, appearance.t) if name else "",
        height=470,
        font_size=appearance.font_size,
        language=appearance.tag,
        t=appearance.t,
    )


def unit_series(
    model: str,
    text: str = "",
    *,
    quantity: str = "",
    tracked: str = "",
    unit: UnitPlace | None = None,
    pattern: str = "",
    drawn: Literal["steps", "values"] = "steps",
    appearance: Appearance = DEFAULT,
) -> ChartPicture:
    """A unit over the beginning of a long text, or its values by the property; other arguments as in ``unit_text``."""
    found, series, name = _series(_run(model, text), quantity, tracked, unit, pattern)
    label, t = _unit_name(series, found, appearance), appearance.t
    axis, shown = quantity_name(series.quantity, t=t), property_name(name, t) if name else ""

    def draw(theme: Theme) -> object:
        look = appearance.look(theme)
        if drawn == "values" and series.property is not None:
            return values_chart(series, unit_name=label, axis_name=axis, property_name=shown, **look)
        end = min(len(found), MAX_POINTS)
        return series_chart(series, unit_name=label, axis_name=axis, property_name=shown, end=end, **look)

    return ChartPicture(draw=draw, title=label, language=appearance.tag)  # type: ignore[arg-type]


def rankings(
    models: Sequence[str], text: str = "", *, quantity: str = "", pattern: str = "", appearance: Appearance = DEFAULT
) -> ChartPicture:
    """How well the best unit of each model tracks every property of a text.

    Args:
        models: names of checkpoints that read the same pieces.
        text, quantity, pattern: as in ``unit_text``.
        appearance: how it looks.
    """
    trackings = []
    for model in models:
        run = _run(model, text)
        known = _quantities(_about(LongTextRequest(trace=run)))
        own = quantity if quantity in known else known[0]
        trackings.append(_about(TrackingRequest(trace=run, quantity=own, pattern=pattern)))

    def draw(theme: Theme) -> object:
        return rankings_chart(trackings, names=models, **appearance.look(theme))

    return ChartPicture(draw=draw, title=", ".join(models), language=appearance.tag)  # type: ignore[arg-type]


def saturation(
    model: str, text: str = "", *, left: float = 0.1, right: float = 0.9, appearance: Appearance = DEFAULT
) -> Figure:
    """Which gates are open or shut nearly always.

    Args:
        model: name of a checkpoint with gates.
        text: as in ``unit_text``.
        left, right: a gate counts as shut below the one, as open from the other on.
        appearance: how it looks.

    Raises:
        InvalidInputError: the model has no gates.
    """
    run = _run(model, text)
    found, read = _about(SaturationRequest(trace=run)), _about(LongTextRequest(trace=run))
    if not found.gates:
        raise InvalidInputError("A plain recurrent cell has no gates; choose an LSTM or a GRU.")
    titles = {gate: _gate_title(gate, read, appearance) for gate in dict.fromkeys(one.gate for one in found.gates)}
    return saturation_figure(
        [SaturatedRun(saturation=found, name="", titles=titles)],
        left=left,
        right=right,
        font_size=appearance.font_size,
        t=appearance.t,
        language=appearance.tag,
    )


def moments(
    model: str,
    text: str = "",
    *,
    span: str = "",
    quantity: str = "hidden_state",
    threshold: float = 0.2,
    slack: int = 1,
    appearance: Appearance = DEFAULT,
) -> ColouredText:
    """Where else in a text the units are on that are on in one span of it.

    Args:
        model: name of a checkpoint.
        text: as in ``unit_text``.
        span: words of the text, their first occurrence; empty for the example text's own.
        quantity: which numbers decide.
        threshold: a unit is on above it.
        slack: steps by which the border is soft.
        appearance: how it looks.

    Raises:
        InvalidInputError: the span is not in the text.
    """
    run, t = _run(model, text), appearance.t
    read = _about(LongTextRequest(trace=run))
    wanted = span or ("" if text else example_span(read.task, read.kind))
    place = re.search(re.escape(wanted), read.text) if wanted else re.search(r"\w+", read.text)
    if place is None:
        raise InvalidInputError("{span!r} does not stand in the text.", span=wanted)
    start = min(int(np.searchsorted(read.starts, place.start())), len(read) - 1)
    end = max(start + 1, int(np.searchsorted(read.starts, place.end())))
    found = _about(MomentsRequest(trace=run, quantity=quantity, start=start, end=end, threshold=threshold, slack=slack))
    many = len(found.units)
    return coloured_text(
        read,
        values=found.units_on.astype(np.float32) if many else None,
        quantity="count",
        name=t("units of the pattern that are on"),
        limit=float(max(many, 1)),
        marks=[(one.start, one.end) for one in found.matches],
        selection=(found.start, found.end),
        notes=(t("framed: your span; underlined: matches"),),
        height=470,
        font_size=appearance.font_size,
        language=appearance.tag,
        t=t,
    )


def _run(model: str, text: str) -> TraceRequest:
    if not text:
        config = read_info(model).config
        # Of the shipped families only one reads characters.
        letters = config.task == "language_model" and config.vocabulary_size < 1000 and not config.tied_output
        text = long_example(config.task, "character" if letters else "word")
    return TraceRequest(model=model, text=text)


def _about(request: Request[AnswerT_co]) -> AnswerT_co:
    """Answers about a long text; it is read first if it was not yet."""
    try:
        return ask(request)
    except TraceGoneError:
        run = request.run()
        assert run is not None  # noqa: S101 (a question about a long text names its run)
        while not ask(ReadRequest(trace=run)).finished:
            pass
        return ask(request)


def _quantities(text: LongText) -> list[str]:
    """States first, then the gates."""
    names = list(dict.fromkeys(name for shape in text.layers for name in shape.quantities))
    states = [name for name in ("cell_state", "hidden_state") if name in names]
    return states + [name for name in names if name not in states]


def _series(
    run: TraceRequest, quantity: str, tracked: str, unit: UnitPlace | None, pattern: str
) -> tuple[LongText, UnitSeries, str]:
    text = _about(LongTextRequest(trace=run))
    quantity = quantity or _quantities(text)[0]
    tracking = _about(TrackingRequest(trace=run, quantity=quantity, pattern=pattern))
    named = {one.property: one for one in tracking.tracked}
    # A short text may have none of the properties; then the first unit is shown without one, as on the page.
    name = tracked or ("pattern" if pattern and "pattern" in named else next(iter(named), ""))
    if name and name not in named:
        raise unknown_name("property", name, named)
    first = UnitPlace(layer=text.layers[0].layer, direction=text.layers[0].direction, unit=0)
    place = unit or (named[name].best[0].place if name else first)
    series = _about(
        UnitRequest(
            trace=run,
            layer=place.layer,
            direction=place.direction,
            unit=place.unit,
            quantity=quantity,
            property=name,
            pattern=pattern,
        )
    )
    return text, series, name


def _unit_name(series: UnitSeries, text: LongText, appearance: Appearance) -> str:
    t, place = appearance.t, series.place
    both = any(shape.direction == "backward" for shape in text.layers)
    return t("{quantity} of unit {unit}, {layer}").format(
        quantity=quantity_name(series.quantity, t=t),
        unit=place.unit,
        layer=layer_name(place.layer, place.direction, both=both, t=t),
    )


def _gate_title(gate: str, text: LongText, appearance: Appearance) -> str:
    written = symbol(gate, notation=appearance.notation, cell=text.layers[0].cell).text
    return f"{quantity_name(gate, t=appearance.t)} {written}"
