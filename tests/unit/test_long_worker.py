"""Long texts in the worker processes: they stay where they were made, make room, and are made again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqviz.analysis.scores import correlations
from seqviz.backends import long_worker
from seqviz.backends.local import LocalBackend
from seqviz.backends.long_requests import (
    LongTextRequest,
    MomentsRequest,
    ReadRequest,
    SaturationRequest,
    TrackingRequest,
    UnitRequest,
)
from seqviz.backends.long_worker import LongTexts
from seqviz.backends.requests import TraceRequest
from seqviz.errors import InvalidInputError, TraceGoneError, UnknownNameError
from seqviz.models.loading import LoadedModel, load_model
from seqviz.tracing.forward import trace
from tests.helpers import write_tiny_checkpoint

TEXT = "Good morrow.\nWhat a wind it was!\nThat shook 'the old house' again.\n" * 8


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_tiny_checkpoint(folder, name="tiny", num_layers=2)
    return folder


@pytest.fixture(scope="module")
def backend(root: Path) -> Iterator[LocalBackend]:
    with LocalBackend(workers=2, root=root) as running:
        end = time.monotonic() + 120.0
        while running.status().busy:
            assert time.monotonic() < end, "the workers did not start"
            time.sleep(0.01)
        yield running


def run(text: str = TEXT) -> TraceRequest:
    return TraceRequest(model="tiny", text=text)


def read(backend: LocalBackend, text: str = TEXT) -> TraceRequest:
    while not backend.ask(ReadRequest(trace=run(text))).finished:
        pass
    return run(text)


def test_a_text_that_was_not_read_is_asked_for(backend: LocalBackend):
    with pytest.raises(TraceGoneError):
        backend.ask(LongTextRequest(trace=run("never read")))


def test_every_question_finds_the_worker_that_holds_the_text(backend: LocalBackend):
    for index in range(6):  # whichever of the two workers is at home
        text = f"{index} {TEXT}"
        asked = read(backend, text)
        assert backend.ask(LongTextRequest(trace=asked)).text == text
        assert backend.ask(SaturationRequest(trace=asked)).steps == len(text)


def test_the_answers_are_those_of_a_plain_trace(backend: LocalBackend, root: Path):
    asked = read(backend)
    whole = trace(load_model("tiny", root=root), TEXT)
    series = backend.ask(
        UnitRequest(
            trace=asked, layer=1, direction="forward", unit=3, quantity="cell_state", property="capital", pattern=""
        )
    )
    np.testing.assert_allclose(series.values, whole.layer(1).cell_state[:, 3], atol=2e-6)
    capital = np.array([float(c.isupper()) for c in TEXT])
    np.testing.assert_array_equal(series.property, capital)
    assert series.binary
    tracking = backend.ask(TrackingRequest(trace=asked, quantity="cell_state", pattern="wi"))
    best = {one.property: one.best[0] for one in tracking.tracked}
    half = len(TEXT) // 2
    for layer in (0, 1):
        r = correlations(whole.layer(layer).cell_state[half:], capital[half:, None])[:, 0]
        if best["capital"].place.layer == layer:
            assert best["capital"].held_out == pytest.approx(r[best["capital"].place.unit], abs=1e-5)
    assert "pattern" in best
    assert tracking.num_units == 16


def test_moments_say_where_the_units_of_the_pattern_are_on(backend: LocalBackend, root: Path):
    asked = read(backend)
    whole = trace(load_model("tiny", root=root), TEXT)
    values = np.concatenate([layer.hidden_state for layer in whole.layers], 1)
    beside = np.maximum(np.maximum(values[:-2], values[2:]), 0.0)
    step, unit_number = np.unravel_index(np.argmax(values[1:-1] - beside), beside.shape)
    start = int(step) + 1
    limit = float(values[start, unit_number] + beside[step, unit_number]) / 2
    found = backend.ask(
        MomentsRequest(trace=asked, quantity="hidden_state", start=start, end=start + 1, threshold=limit, slack=0)
    )
    assert found.units
    expected = np.zeros(len(TEXT), int)
    for one in found.units:
        values = whole.layer(one.place.layer).hidden_state[:, one.place.unit]
        assert one.sign * values[start] > limit
        assert one.mean == pytest.approx(values[start], abs=1e-5)
        expected += one.sign * values > limit
    np.testing.assert_array_equal(found.units_on, expected)
    # The text repeats itself, so the moment does.
    assert any(TEXT[match.start : match.end] == TEXT[start] for match in found.matches)


def moments(asked: TraceRequest, **changed: Any) -> MomentsRequest:
    return MomentsRequest(trace=asked, **{"quantity": "hidden_state", "start": 5, "end": 6, "threshold": 0.1} | changed)


def unit(asked: TraceRequest, **changed: Any) -> UnitRequest:
    wanted = {"layer": 0, "direction": "forward", "unit": 0, "quantity": "hidden_state"}
    return UnitRequest(trace=asked, **wanted | changed)


@pytest.mark.parametrize(
    ("ask", "changed", "error", "says"),
    [
        (moments, {"end": 5}, InvalidInputError, "span goes from 6 to 5"),
        (moments, {"end": 500}, InvalidInputError, "1 to 400 pieces"),
        (moments, {"quantity": "reset_gate"}, UnknownNameError, "reset_gate"),
        (unit, {"unit": 8}, InvalidInputError, "unit is 8; allowed is 0 to 7"),
        (unit, {"direction": "backward"}, UnknownNameError, "0 backward"),
        (unit, {"property": "zebra"}, UnknownNameError, "zebra"),
        (unit, {"pattern": "("}, InvalidInputError, "regular expression"),
    ],
)
def test_a_wrong_question_is_one_sentence(
    backend: LocalBackend, ask: Any, changed: dict[str, Any], error: type[Exception], says: str
):
    with pytest.raises(error, match=says):
        backend.ask(ask(read(backend), **changed))


class TestRoom:
    @pytest.fixture
    def loaded(self, root: Path) -> LoadedModel:
        return load_model("tiny", root=root)

    def read(self, texts: LongTexts, loaded: LoadedModel, text: str) -> None:
        while not texts.answer(ReadRequest(trace=run(text)), loaded, text).finished:
            pass

    def has(self, texts: LongTexts, loaded: LoadedModel, text: str) -> bool:
        try:
            texts.answer(SaturationRequest(trace=run(text)), loaded, text)
        except TraceGoneError:
            return False
        return True

    def test_the_text_not_asked_for_longest_makes_room(self, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch):
        texts = LongTexts()
        size = 100 * 2 * 8 * 16
        monkeypatch.setattr(long_worker, "KEPT_BYTES", 2 * size)
        for text in ("a" * 100, "b" * 100):
            self.read(texts, loaded, text)
        assert self.has(texts, loaded, "a" * 100)
        self.read(texts, loaded, "c" * 100)
        assert [self.has(texts, loaded, c * 100) for c in "abc"] == [True, False, True]
        self.read(texts, loaded, "b" * 100)
        assert self.has(texts, loaded, "b" * 100)

    def test_a_text_that_is_being_read_is_not_pushed_out(self, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch):
        texts = LongTexts()
        monkeypatch.setattr(long_worker, "KEPT_BYTES", 3000 * 2 * 8 * 16)
        monkeypatch.setattr(long_worker, "READ_SECONDS", 0.0)
        first, second = "a" * 3000, "b" * 3000
        assert not texts.answer(ReadRequest(trace=run(first)), loaded, first).finished
        waits = texts.answer(ReadRequest(trace=run(second)), loaded, second)
        assert (waits.waiting, waits.done) == (True, 0)
        monkeypatch.setattr(long_worker, "ABANDONED_SECONDS", 0.0)
        assert not texts.answer(ReadRequest(trace=run(second)), loaded, second).waiting
        assert not self.has(texts, loaded, first)
