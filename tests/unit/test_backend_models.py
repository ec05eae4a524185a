"""The local backend with real (tiny) models: its answers are those of the library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seqviz.backends.local import LocalBackend
from seqviz.backends.requests import (
    MAX_PIECES,
    InterventionRequest,
    NumberUnitsRequest,
    SpeedRequest,
    TraceRequest,
    UnitCourseRequest,
    UnitSumRequest,
)
from seqviz.backends.worker import Worker
from seqviz.errors import CheckpointError, InvalidInputError, TextTooLongError
from seqviz.interventions import Intervention
from seqviz.models.loading import load_model
from seqviz.tracing.arithmetic import unit_sum
from seqviz.tracing.forward import trace
from seqviz.tracing.interventions import intervene
from seqviz.tracing.unit_course import unit_course
from tests.helpers import write_tiny_checkpoint


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny checkpoints and a damaged one."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_tiny_checkpoint(folder, name="tiny-characters", cell="lstm")
    write_tiny_checkpoint(folder, name="tiny-tagger", task="tagging", cell="gru", bidirectional=True)
    write_tiny_checkpoint(folder, name="tiny-damaged")
    (folder / "tiny-damaged" / "model.safetensors").write_bytes(b"nonsense")
    return folder


@pytest.fixture(scope="module")
def backend(root: Path) -> Iterator[LocalBackend]:
    with LocalBackend(workers=1, root=root, models=("tiny-characters", "tiny-damaged")) as running:
        yield running


@pytest.mark.parametrize(
    ("model", "text"), [("tiny-characters", "To be, or"), ("tiny-tagger", "Harry Potter met Hermione")]
)
def test_a_trace_equals_the_direct_call(backend: LocalBackend, root: Path, model: str, text: str) -> None:
    answer = backend.ask(TraceRequest(model=model, text=text))
    direct = trace(load_model(model, root=root), text)
    assert (answer.pieces, answer.labels, answer.structure) == (direct.pieces, direct.labels, direct.structure)
    np.testing.assert_allclose(answer.logits, direct.logits, rtol=0, atol=1e-6)
    for ours, theirs in zip(answer.layers, direct.layers, strict=True):
        assert ours.quantities().keys() == theirs.quantities().keys()
        for name, values in ours.quantities().items():
            np.testing.assert_allclose(values, theirs.quantities()[name], rtol=0, atol=1e-6)
            assert not values.flags.writeable


def test_a_unit_sum_equals_the_direct_call(backend: LocalBackend, root: Path) -> None:
    request = TraceRequest(model="tiny-characters", text="To be")
    answer = backend.ask(
        UnitSumRequest(trace=request, layer=0, direction="forward", step=3, unit=5, block="forget_gate")
    )
    loaded = load_model("tiny-characters", root=root)
    direct = unit_sum(loaded, trace(loaded, "To be"), layer=0, step=3, unit=5, block="forget_gate")
    assert answer.total == pytest.approx(direct.total, abs=1e-6)
    assert [(term.kind, term.index) for term in answer.terms] == [(term.kind, term.index) for term in direct.terms]


def test_every_option_of_a_request_reaches_the_model(backend: LocalBackend, root: Path) -> None:
    options = {"structure": "one_to_many", "generate": 7, "temperature": 0.9, "seed": 3}
    answer = backend.ask(TraceRequest(model="tiny-characters", text="T", **options))
    assert answer.pieces == trace(load_model("tiny-characters", root=root), "T", **options).pieces
    tagged = backend.ask(TraceRequest(model="tiny-tagger", text="Harry Potter", targets=("B-PER", "I-PER")))
    assert tagged.targets.tolist() == [1, 2]


def test_a_text_over_the_limit_is_refused_with_the_count_and_the_limit(backend: LocalBackend) -> None:
    with pytest.raises(TextTooLongError) as caught:
        backend.ask(TraceRequest(model="tiny-characters", text="a" * (MAX_PIECES + 1)))
    assert caught.value.parameters == {"count": MAX_PIECES + 1, "limit": MAX_PIECES}


def test_a_damaged_checkpoint_is_told_and_the_others_go_on(backend: LocalBackend) -> None:
    with pytest.raises(CheckpointError, match=r"^Checkpoint tiny-damaged: model\.safetensors is damaged "):
        backend.ask(TraceRequest(model="tiny-damaged", text="a"))
    assert len(backend.ask(TraceRequest(model="tiny-characters", text="abc"))) == 3
    assert backend.status().restarts == 0


def test_a_retrained_checkpoint_answers_anew(backend: LocalBackend, root: Path) -> None:
    request = TraceRequest(model="tiny-again", text="To be")
    write_tiny_checkpoint(root, name="tiny-again", seed=1)
    before = backend.ask(request)
    write_tiny_checkpoint(root, name="tiny-again", seed=2)
    assert np.abs(backend.ask(request).logits - before.logits).max() > 0.01


def test_a_worker_refuses_what_it_has_no_handler_for() -> None:
    with pytest.raises(TypeError, match="no handler for str"):
        Worker().answer("a")


def test_gates_are_answered_as_by_the_direct_calls(backend: LocalBackend, root: Path) -> None:
    run = TraceRequest(model="tiny-tagger", text="Harry Potter met Hermione")
    loaded = load_model("tiny-tagger", root=root)
    course = backend.ask(UnitCourseRequest(trace=run, layer=0, direction="backward", unit=2))
    direct = unit_course(loaded, trace(loaded, run.text), layer=0, direction="backward", unit=2)
    for block, parts in direct.parts.items():
        for kind, values in parts.items():
            np.testing.assert_allclose(course.parts[block][kind], values, rtol=0, atol=1e-6)
    forced = (Intervention(quantity="update_gate", value=1.0, first=1),)
    answer = backend.ask(InterventionRequest(trace=run, interventions=forced))
    expected = intervene(loaded, run.text, forced)
    np.testing.assert_allclose(answer.divergence, expected.divergence, rtol=0, atol=1e-12)
    assert not answer.divergence.flags.writeable
    speeds = backend.ask(SpeedRequest(models=("tiny-characters", "tiny-tagger"), text="To be"))
    assert [speed.model for speed in speeds] == ["tiny-characters", "tiny-tagger"]
    with pytest.raises(InvalidInputError, match="does not predict words"):
        backend.ask(NumberUnitsRequest(model="tiny-characters"))
