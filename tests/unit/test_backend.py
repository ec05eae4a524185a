"""The worker processes of the local backend: dying, hanging, full, shared, kept. No model is involved."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqviz.backends.entry import outcome_of
from seqviz.backends.jobs import Deadline, Job, UpClock
from seqviz.backends.local import LocalBackend
from seqviz.backends.requests import TraceRequest, UnitSumRequest
from seqviz.errors import (
    BackendBusyError,
    BackendError,
    CheckpointError,
    DeadlineError,
    UnknownNameError,
    WorkerDiedError,
)
from tests import scripted_worker

Start = Callable[..., LocalBackend]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of checkpoints with one, named ``m``, that nobody loads."""
    (tmp_path / "checkpoints" / "m").mkdir(parents=True)
    (tmp_path / "checkpoints" / "m" / "config.json").write_text("{}")
    return tmp_path / "checkpoints"


@pytest.fixture
def start(root: Path) -> Any:
    """Starts backends of scripted workers, warm, and closes them after the test."""
    started: list[LocalBackend] = []

    def begin(*, workers: int = 1, **options: Any) -> LocalBackend:
        backend = LocalBackend(workers=workers, root=root, worker_module="tests.scripted_worker", **options)
        started.append(backend)
        _wait_until(lambda: backend.status().busy == 0)
        return backend

    yield begin
    for backend in started:
        backend.close()


def _request(text: str) -> TraceRequest:
    return TraceRequest(model="m", text=text)


def _unit(trace: TraceRequest, unit: int) -> UnitSumRequest:
    return UnitSumRequest(trace=trace, layer=0, direction="forward", step=0, unit=unit, block="candidate")


def _wait_until(true: Callable[[], bool], *, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process_id}/stat")  # a process that ended stays listed until its parent asks for it
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_two_callers_of_the_same_request_compute_once(start: Start, tmp_path: Path) -> None:
    backend, notes = start(workers=2), tmp_path / "notes"
    first = backend.submit(_request(f"note {notes} sleep 0.3"))
    second = backend.submit(_request(f"note {notes} sleep 0.3"))
    assert first.result() is second.result()
    assert len(_lines(notes)) == 1
    assert backend.status().shared == 1


def test_a_repeated_request_is_answered_from_the_kept_answers(start: Start, tmp_path: Path) -> None:
    backend, notes = start(), tmp_path / "notes"
    assert backend.ask(_request(f"note {notes}")) is backend.ask(_request(f"note {notes}"))
    assert len(_lines(notes)) == 1
    assert backend.status().cache_hits == 1


def test_a_changed_checkpoint_is_not_answered_from_old_answers(start: Start, tmp_path: Path, root: Path) -> None:
    backend, notes = start(), tmp_path / "notes"
    backend.ask(_request(f"note {notes}"))
    (root / "m" / "config.json").write_text('{"retrained": true}')
    backend.ask(_request(f"note {notes}"))
    assert len(_lines(notes)) == 2


def test_kept_answers_stay_within_their_bytes_and_the_oldest_goes_first(start: Start, tmp_path: Path) -> None:
    backend, notes = start(cache_bytes=3000), tmp_path / "notes"
    for word in ("one", "two", "three", "three", "one"):
        backend.ask(_request(f"note {notes} say {word}"))
    status = backend.status()
    assert 2000 <= status.cache_bytes <= 3000
    assert status.cache_hits == 1
    assert len(_lines(notes)) == 4


def test_without_a_cache_nothing_is_kept(start: Start) -> None:
    backend = start(cache_bytes=0)
    backend.ask(_request("say a"))
    backend.ask(_request("say a"))
    assert (backend.status().cache_bytes, backend.status().cache_hits) == (0, 0)


def test_a_full_queue_is_refused_with_the_number_of_waiting_requests(start: Start) -> None:
    backend = start(queue_size=2)
    accepted = [backend.submit(_request(f"sleep 0.5 say {word}")) for word in ("runs", "waits", "waits too")]
    refused = backend.submit(_request("say no"))
    with pytest.raises(BackendBusyError) as caught:
        refused.result()
    assert str(caught.value) == "The models are busy: 2 requests are waiting already; please try again in a moment."
    assert backend.status().waiting == 2
    assert all(pending.result()["process_id"] for pending in accepted)


def test_a_request_over_its_deadline_is_stopped_and_the_next_one_is_answered(start: Start) -> None:
    backend = start()
    (hung,) = backend.status().process_ids
    with pytest.raises(DeadlineError) as caught:
        backend.ask(_request("sleep 60"), deadline_seconds=0.2)
    assert str(caught.value) == (
        "The model did not answer within 0.2 seconds and was stopped; a shorter text is faster."
    )
    assert backend.ask(_request("say hello"))["process_id"] != hung
    assert backend.status().restarts == 1
    _wait_until(lambda: not _alive(hung))


def test_the_deadline_counts_the_time_in_the_queue_and_spares_the_request_in_front(start: Start) -> None:
    backend = start()
    front = backend.submit(_request("sleep 0.6"))
    with pytest.raises(DeadlineError) as caught:
        backend.ask(_request("say late"), deadline_seconds=0.1)
    assert str(caught.value) == (
        "There was no answer within 0.1 seconds, because other requests came first; please try again."
    )
    assert front.result()["process_id"] == backend.status().process_ids[0]
    assert backend.status().restarts == 0


def test_the_deadline_does_not_run_out_while_the_first_worker_starts(root: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with LocalBackend(
        workers=2, root=root, worker_module="tests.scripted_worker", models=(str(gate),), cache_bytes=0
    ) as backend:
        pending = [backend.submit(_request(f"say {word}"), deadline_seconds=0.2) for word in ("one", "two", "three")]
        assert backend.status().starting
        assert not backend.wait_started(0.5)  # longer than the deadline
        assert not any(one.done() for one in pending)
        gate.touch()
        assert backend.wait_started(60)
        assert all(one.result()["process_id"] in backend.status().process_ids for one in pending)
        assert not backend.status().starting


def test_a_start_without_end_is_told_as_what_it_is(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqviz.backends.jobs.START_LIMIT_SECONDS", 0.1)
    models = (str(tmp_path / "never"),)
    with LocalBackend(workers=1, root=root, worker_module="tests.scripted_worker", models=models) as backend:
        pending = [backend.submit(_request(f"say {word}"), deadline_seconds=0.1) for word in ("one", "two")]
        for one in pending:
            with pytest.raises(DeadlineError) as caught:
                one.result()
            assert str(caught.value) == (
                "The models' worker processes did not start within 0.1 seconds; please try again in a moment."
            )


def test_what_only_one_worker_may_answer_waits_for_the_start_of_that_one(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, gate = start(workers=2), tmp_path / "gate"
    request = scripted_worker.HomeRequest(model="m", text="say hello")
    home = backend.ask(request)["process_id"]
    for slot in backend._slots:
        slot.process._models = (str(gate),)  # holds up the next start
    os.kill(home, signal.SIGKILL)
    _wait_until(lambda: home not in backend.status().process_ids)
    pending = backend.submit(request, deadline_seconds=0.1)
    assert backend.ask(_request("sleep 0.3"))["process_id"] != home  # the other one is up all the time
    assert not pending.done()
    gate.touch()
    assert pending.result()["process_id"] not in (home, None)


def test_a_clock_counts_only_while_a_process_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("seqviz.backends.jobs.time.monotonic", lambda: now)
    clock = UpClock()
    deadline = Deadline(20.0, clock)
    now = 130.0
    assert (clock.seconds(), deadline.seconds_left(), deadline.met_no_worker()) == (0.0, 20.0, False)
    clock.rise()
    now = 135.0
    clock.rise()
    clock.fall()
    now = 137.0
    clock.fall()
    now = 200.0
    assert (clock.seconds(), deadline.seconds_left(), deadline.met_no_worker()) == (7.0, 13.0, False)
    clock.rise()
    now = 214.0
    assert (clock.seconds(), deadline.seconds_left(), deadline.met_no_worker()) == (21.0, -1.0, False)


def test_only_a_request_that_others_came_before_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("seqviz.backends.jobs.time.monotonic", lambda: now)
    clock = UpClock()
    clock.rise()
    job = Job(_request("say hello"), key=None, deadline=Deadline(20.0, clock))
    now = 21.0
    assert str(job.deadline_error()) == "There was no answer within 20 seconds; please try again."
    job.overtaken = True
    assert str(job.deadline_error()) == (
        "There was no answer within 20 seconds, because other requests came first; please try again."
    )


def test_a_caller_with_more_patience_keeps_a_shared_request_running(start: Start) -> None:
    backend = start()
    hasty = backend.submit(_request("sleep 0.6"), deadline_seconds=0.2)
    patient = backend.submit(_request("sleep 0.6"), deadline_seconds=30.0)
    with pytest.raises(DeadlineError):
        hasty.result()
    assert patient.result()["process_id"] == backend.status().process_ids[0]


def test_a_killed_worker_is_replaced_and_its_requests_are_answered(start: Start, tmp_path: Path) -> None:
    backend, notes = start(), tmp_path / "notes"
    (killed,) = backend.status().process_ids
    running = backend.submit(_request(f"note {notes} sleep 0.4"))
    queued = backend.submit(_request("say queued"))
    _wait_until(lambda: _lines(notes) == [str(killed)])
    os.kill(killed, signal.SIGKILL)
    replaced = running.result()["process_id"]
    assert replaced != killed
    assert queued.result()["process_id"] == replaced
    assert backend.status().restarts == 1


def test_a_worker_killed_while_idle_is_replaced(start: Start) -> None:
    backend = start()
    (killed,) = backend.status().process_ids
    os.kill(killed, signal.SIGKILL)
    assert backend.ask(_request("say hello"))["process_id"] != killed


def test_a_request_that_ends_two_workers_is_given_up_and_the_one_behind_it_answered(start: Start) -> None:
    backend = start()
    deadly, harmless = backend.submit(_request("die now")), backend.submit(_request("say hello"))
    with pytest.raises(WorkerDiedError) as caught:
        deadly.result()
    assert str(caught.value) == (
        "The model's worker process ended while it was answering and was replaced; please try again."
    )
    assert harmless.result()["process_id"] == backend.status().process_ids[0]
    assert backend.status().restarts == 2


def test_an_error_of_seqviz_comes_back_with_its_type_and_sentence(start: Start) -> None:
    with pytest.raises(CheckpointError) as caught:
        start().ask(_request("refuse m"))
    assert str(caught.value) == "Checkpoint m: model.safetensors is missing."
    assert caught.value.parameters == {"name": "m", "file": "model.safetensors"}


def test_any_other_error_is_told_in_one_sentence_and_the_worker_lives_on(start: Start) -> None:
    backend = start()
    with pytest.raises(BackendError, match=r"^The model could not answer: RuntimeError: reason\.$"):
        backend.ask(_request("fail reason"))
    assert backend.ask(_request("say hello"))["process_id"]
    assert backend.status().restarts == 0


def test_a_worker_that_cannot_start_is_told_in_one_sentence(root: Path) -> None:
    sentence = r"^The model's worker process could not start: ModuleNotFoundError: "
    with (
        LocalBackend(workers=1, root=root, worker_module="tests.no_such_module") as backend,
        pytest.raises(BackendError, match=sentence),
    ):
        backend.ask(_request("say hello"))


def test_an_unknown_model_is_refused_without_a_worker(start: Start) -> None:
    with pytest.raises(UnknownNameError, match=r"^Model 'nobody' is not known; known are: m\.$"):
        start().ask(TraceRequest(model="nobody", text="say hello"))


def test_submitting_never_raises(start: Start) -> None:
    pending = start().submit(TraceRequest(model="nobody", text="say hello"))
    assert pending.done()


def test_what_follows_from_a_trace_goes_to_the_worker_that_holds_it(start: Start) -> None:
    backend = start(workers=2)
    for word in ("a", "b", "c", "d", "e", "f"):
        trace = _request(f"say {word}")
        homes = set()
        for request in (trace, _unit(trace, 0), _unit(trace, 1)):
            homes.add(backend.ask(request)["process_id"])
            _wait_until(lambda: backend.status().busy == 0)
        assert len(homes) == 1


def test_a_free_worker_takes_what_its_home_is_too_busy_for(start: Start) -> None:
    backend = start(workers=2)
    trace = _request("sleep 0.3")
    pending = [backend.submit(_unit(trace, unit)) for unit in range(2)]
    assert len({one.result()["process_id"] for one in pending}) == 2


def test_many_threads_share_one_backend(start: Start) -> None:
    backend, answers = start(workers=2), []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(backend.ask(_request(f"say {n % 10}")))) for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    assert {one["process_id"] for one in answers} <= set(backend.status().process_ids)
    status = backend.status()
    assert status.cache_hits + status.shared == 30


def test_closing_answers_what_runs_and_what_waits_and_ends_the_workers(start: Start) -> None:
    backend = start()
    (process_id,) = backend.status().process_ids
    pending = [backend.submit(_request("sleep 60")), backend.submit(_request("say waits"))]
    backend.close()
    pending.append(backend.submit(_request("say late")))
    for closed in pending:
        with pytest.raises(BackendError, match=r"^The model backend is closed\.$"):
            closed.result()
    _wait_until(lambda: not _alive(process_id))


def test_answers_cannot_be_written_to(start: Start) -> None:
    assert not start().ask(_request("say a"))["bytes"].flags.writeable


def test_errors_travel_with_plain_parameters_only() -> None:
    outcome = outcome_of(lambda: scripted_worker.answer(_request("refuse m")))
    assert isinstance(outcome, CheckpointError)
    assert outcome.parameters["file"] == "model.safetensors"


_PARENT = """
    import sys, time
    from pathlib import Path
    from seqviz.backends.local import LocalBackend
    assert "torch" not in sys.modules
    backend = LocalBackend(workers=2, root=Path(sys.argv[1]), worker_module="tests.scripted_worker")
    while len(backend.status().process_ids) < 2:
        time.sleep(0.01)
    print(*backend.status().process_ids, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_workers_end_when_their_parent_is_killed(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PARENT), str(root)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        process_ids = [int(word) for word in parent.stdout.readline().split()]
        assert len(process_ids) == 2
        parent.kill()
    _wait_until(lambda: not any(map(_alive, process_ids)), seconds=15)


def test_the_parent_ends_by_itself_with_its_workers(root: Path) -> None:
    script = textwrap.dedent(_PARENT).replace("time.sleep(60)", "")
    ended = subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stderr == ""
    _wait_until(lambda: not any(_alive(int(word)) for word in ended.stdout.split()), seconds=15)


def test_what_stays_at_home_waits_for_its_worker_while_another_is_free(start: Start) -> None:
    backend = start(workers=2)
    request = scripted_worker.HomeRequest(model="m", text="say hello")
    home = backend.ask(request)["process_id"]
    # Keeps that worker busy with something of the same home, and asks again meanwhile.
    assert {backend.ask(request)["process_id"] for _ in range(4)} == {home}
    busy = next(
        pending
        for index in range(50)
        if hash(busy_request := _request(f"sleep 0.4 say {index}")) % 2 == hash(request) % 2
        for pending in [backend.submit(busy_request)]
    )
    assert backend.ask(request)["process_id"] == home
    assert busy.result()["process_id"] == home


def test_an_answer_that_is_not_to_be_kept_is_computed_again(start: Start, tmp_path: Path) -> None:
    backend, notes = start(), tmp_path / "notes"
    request = scripted_worker.HomeRequest(model="m", text=f"note {notes}")
    backend.ask(request)
    backend.ask(request)
    assert len(_lines(notes)) == 2
