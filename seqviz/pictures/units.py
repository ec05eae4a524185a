"""Units over a long text: the text coloured by one, what tracks what, saturated gates, similar moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Literal

from seqviz.backends.long_requests import (
    LongTextRequest,
    MomentsRequest,
    ReadRequest,
    SaturationRequest,
    TrackingRequest,
    UnitRequest,
)
from seqviz.backends.requests import AnswerT_co, Request, TraceRequest
from seqviz.charts.colored_text import ColouredText
from seqviz.charts.figure import Figure
from seqviz.charts.rankings import rankings_chart
from seqviz.charts.saturation import SaturatedRun, saturation_figure
from seqviz.charts.tracking import MAX_POINTS, series_chart, values_chart
from seqviz.charts.unit_text import moments_figure, quantity_label, series_names, unit_figure
from seqviz.checkpoints import read_info
from seqviz.errors import InvalidInputError, TraceGoneError, unknown_name
from seqviz.long_examples import example_span, long_example, piece_kind
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, ask, chart_picture
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
    found, series, name = _series(_run(model, text), quantity, tracked, unit, pattern)
    return unit_figure(
        found, series, tracked=name, font_size=appearance.font_size, t=appearance.t, language=appearance.tag
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
    """A unit over the beginning of a long text, or its values by the property; other arguments as in ``unit_text``.

    Raises:
        InvalidInputError: ``"values"``, and there is no property.
    """
    found, series, name = _series(_run(model, text), quantity, tracked, unit, pattern)
    names = series_names(series, name, found, appearance.t)
    if drawn == "values":
        if series.property is None:
            raise InvalidInputError("No property of the text stands beside this unit; a longer text may have one.")
        make = partial(values_chart, series, **names)
    else:
        make = partial(series_chart, series, end=min(len(found), MAX_POINTS), **names)
    return chart_picture(make, title=names["unit_name"], appearance=appearance)


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
        known = _about(LongTextRequest(trace=run)).quantities
        own = quantity if quantity in known else known[0]
        trackings.append(_about(TrackingRequest(trace=run, quantity=own, pattern=pattern)))

    make = partial(rankings_chart, trackings, names=models)
    return chart_picture(make, title=", ".join(models), appearance=appearance)


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
    titles = {
        gate: quantity_label(gate, read, notation=appearance.notation, t=appearance.t)
        for gate in dict.fromkeys(one.gate for one in found.gates)
    }
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
    run = _run(model, text)
    read = _about(LongTextRequest(trace=run))
    wanted = span or ("" if text else example_span(read.task, read.kind))
    place = re.search(re.escape(wanted), read.text) if wanted else re.search(r"\w+", read.text)
    if place is None:
        raise InvalidInputError("{span!r} does not stand in the text.", span=wanted)
    start, end = read.steps(*place.span())
    found = _about(MomentsRequest(trace=run, quantity=quantity, start=start, end=end, threshold=threshold, slack=slack))
    return moments_figure(read, found, font_size=appearance.font_size, t=appearance.t, language=appearance.tag)


def _run(model: str, text: str) -> TraceRequest:
    if not text:
        config = read_info(model).config
        text = long_example(config.task, piece_kind(config))
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


def _series(
    run: TraceRequest, quantity: str, tracked: str, unit: UnitPlace | None, pattern: str
) -> tuple[LongText, UnitSeries, str]:
    text = _about(LongTextRequest(trace=run))
    quantity = quantity or text.quantities[0]
    tracking = _about(TrackingRequest(trace=run, quantity=quantity, pattern=pattern))
    name = tracked or tracking.first_property(pattern)
    known = [one.property for one in tracking.tracked]
    if name and name not in known:
        raise unknown_name("property", name, known)
    place = unit or tracking.best_unit(name, text)
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
