"""The long texts that a worker process holds, and what it answers about them. Runs in worker processes only."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from functools import singledispatchmethod
from typing import Any

from seqviz.analysis import moments
from seqviz.analysis.properties import is_binary, properties_of
from seqviz.analysis.tracking import track, unit_scores
from seqviz.backends.long_requests import (
    LongRequest,
    LongTextRequest,
    MomentsRequest,
    ReadRequest,
    SaturationRequest,
    TrackingRequest,
    UnitRequest,
)
from seqviz.charts.palette import is_signed
from seqviz.errors import InvalidInputError, TraceGoneError, unknown_name
from seqviz.models.loading import LoadedModel
from seqviz.tracing.long_trace import LongTrace
from seqviz.units import LongText, Match, Moments, PatternUnit, Progress, Saturation, Tracking, UnitPlace, UnitSeries

KEPT_BYTES = 400_000_000
"""Memory of all long texts of one worker: the largest model with the longest text, or several smaller ones."""
READ_SECONDS = 0.4
ABANDONED_SECONDS = 3.0
"""A text that nobody has asked for so long makes room, although it is only half read."""
MAX_SPAN = 400


class LongTexts:
    """Long texts by model and content, the latest ones kept."""

    def __init__(self) -> None:
        self._traces: OrderedDict[Hashable, LongTrace] = OrderedDict()
        self._texts: dict[Hashable, LongText] = {}
        self._asked: dict[Hashable, float] = {}

    def answer(self, request: LongRequest[Any], loaded: LoadedModel, key: Hashable) -> Any:
        """Answers a request about the text of a key.

        Raises:
            TraceGoneError: the text is not here, or not read to its end.
        """
        self._asked[key] = time.monotonic()
        if isinstance(request, ReadRequest):
            return self._read(request, loaded, key)
        trace = self._traces.get(key)
        if trace is None or not trace.progress().finished:
            raise TraceGoneError("The numbers of this text have made room for others; they are made again.")
        self._traces.move_to_end(key)
        if key not in self._texts:
            self._texts[key] = trace.text()
        return self._about(request, trace, self._texts[key])

    def _read(self, request: ReadRequest, loaded: LoadedModel, key: Hashable) -> Progress:
        trace = self._traces.get(key)
        if trace is None:
            wanted = request.trace
            trace = LongTrace(
                loaded,
                wanted.text,
                write=wanted.generate if wanted.structure == "one_to_many" else 0,
                temperature=wanted.temperature,
                seed=wanted.seed,
            )
            if not self._make_room(trace.num_bytes):
                progress = trace.progress()
                return Progress(done=0, total=progress.total, seconds=0.0, num_bytes=progress.num_bytes, waiting=True)
            self._traces[key] = trace
        self._traces.move_to_end(key)
        return trace.advance(seconds=READ_SECONDS)

    def _make_room(self, num_bytes: int) -> bool:
        """Drops the texts that were not asked for longest; False if one that is being read would have to go."""
        while self._traces and sum(kept.num_bytes for kept in self._traces.values()) + num_bytes > KEPT_BYTES:
            key, oldest = next(iter(self._traces.items()))
            if not oldest.progress().finished and time.monotonic() - self._asked[key] < ABANDONED_SECONDS:
                return False
            self._traces.pop(key).drop()
            self._texts.pop(key, None)
            self._asked.pop(key, None)
        return True

    @singledispatchmethod
    def _about(self, request: object, _trace: LongTrace, _text: LongText) -> Any:
        raise TypeError(f"no handler for {type(request).__name__}")

    @_about.register
    def _(self, _request: LongTextRequest, _trace: LongTrace, text: LongText) -> LongText:
        return text

    @_about.register
    def _(self, _request: SaturationRequest, trace: LongTrace, _text: LongText) -> Saturation:
        return trace.saturation()

    @_about.register
    def _(self, request: TrackingRequest, trace: LongTrace, text: LongText) -> Tracking:
        properties = properties_of(text, own_pattern=request.pattern)
        return track(trace.layers(request.quantity), properties, quantity=request.quantity)

    @_about.register
    def _(self, request: UnitRequest, trace: LongTrace, text: LongText) -> UnitSeries:
        values = trace.values(request.layer, request.direction, request.quantity)
        if not 0 <= request.unit < values.shape[1]:
            raise InvalidInputError(
                "{field} is {value}; allowed is {low} to {high}.",
                field="unit",
                value=request.unit,
                low=0,
                high=values.shape[1] - 1,
            )
        place = UnitPlace(layer=request.layer, direction=request.direction, unit=request.unit)
        properties = properties_of(text, own_pattern=request.pattern)
        named = {one.name: one for one in properties}
        if request.property and request.property not in named:
            raise unknown_name("property", request.property, named)
        column = values[:, request.unit].astype("float32")
        return UnitSeries(
            place=place,
            quantity=request.quantity,
            values=column,
            property=named[request.property].values.astype("float32") if request.property else None,
            binary=bool(request.property) and is_binary(request.property),
            scores=unit_scores(column, place, properties),
        )

    @_about.register
    def _(self, request: MomentsRequest, trace: LongTrace, text: LongText) -> Moments:
        started = time.perf_counter()
        if not 0 <= request.start < request.end <= len(text) or request.end - request.start > MAX_SPAN:
            raise InvalidInputError(
                "The span goes from {start} to {end}; allowed are 1 to {most} pieces within the {count} of the text.",
                start=request.start + 1,
                end=request.end,
                most=MAX_SPAN,
                count=len(text),
            )
        shapes, layers = zip(*trace.layers(request.quantity), strict=True)
        chosen = moments.pattern(
            layers,
            request.start,
            request.end,
            threshold=request.threshold,
            slack=request.slack,
            signed=is_signed(request.quantity),
        )
        total = len(chosen.columns)
        used = moments.strongest(chosen)
        on = moments.on_matrix(layers, used, threshold=request.threshold)
        found = moments.search(on, request.start, request.end, slack=request.slack)
        places = [UnitPlace(layer=s.layer, direction=s.direction, unit=u) for s in shapes for u in range(s.num_units)]
        rows = zip(used.columns.tolist(), used.signs.tolist(), used.means.tolist(), strict=True)
        return Moments(
            quantity=request.quantity,
            start=request.start,
            end=request.end,
            threshold=request.threshold,
            slack=request.slack,
            units=tuple(PatternUnit(place=places[column], sign=sign, mean=mean) for column, sign, mean in rows),
            num_units=total,
            on=chosen.on,
            units_on=on.sum(1).astype("uint8"),
            matches=tuple(Match(start=one.start, end=one.end, exact=one.exact, on=one.on) for one in found),
            seconds=time.perf_counter() - started,
        )
