"""Background jobs: their news, their orders, their ends, and how long they are kept. No model is involved."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seqviz.backends.background import LocalBackgroundJobs
from seqviz.backends.background_requests import CliffCommand, ClippingRunRequest, ForkCommand
from seqviz.backends.protocol import JobView
from seqviz.clipping import ClippingConfig, merged
from seqviz.errors import (
    BackendBusyError,
    BackendError,
    DeadlineError,
    InvalidInputError,
    JobGoneError,
    WorkerDiedError,
)
from tests.scripted_work import AddCommand, CountRequest

Start = Callable[..., LocalBackgroundJobs]


@pytest.fixture
def start() -> Any:
    """Makes registries of scripted jobs and closes them after the test."""
    made: list[LocalBackgroundJobs] = []

    def begin(**options: Any) -> LocalBackgroundJobs:
        made.append(LocalBackgroundJobs(**{"module": "tests.scripted_work", "limit": 2, **options}))
        return made[-1]

    yield begin
    for jobs in made:
        jobs.close()


def wait_for(jobs: LocalBackgroundJobs, job: str, true: Callable[[JobView[Any]], bool]) -> JobView[Any]:
    end = time.monotonic() + 60
    while not true(view := jobs.view(job)):
        assert time.monotonic() < end, f"waited in vain: {view.condition}"
        time.sleep(0.02)
    return view


def is_in(condition: str) -> Callable[[JobView[Any]], bool]:
    return lambda view: view.condition == condition


def counted(view: JobView[Any]) -> list[int]:
    return np.concatenate([record.numbers for record in view.records]).tolist()


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_job_sends_everything_it_finds_and_finishes(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=400))
    view = wait_for(jobs, job, is_in("finished"))
    assert counted(view) == list(range(400))
    assert len(view.records) > 1
    assert view.records[0].process_id != os.getpid()
    with pytest.raises(ValueError, match="read-only"):
        view.records[0].numbers[0] = 1
    assert (view.error, view.active, view.answers) == (None, False, True)


def test_a_job_waits_goes_on_and_is_stopped(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=10**9))
    wait_for(jobs, job, lambda view: bool(view.records))
    jobs.pause(job)
    here = wait_for(jobs, job, is_in("paused")).records[-1].count
    time.sleep(0.4)
    assert jobs.view(job).records[-1].count == here
    assert jobs.status().active == 0
    jobs.resume(job)
    wait_for(jobs, job, lambda view: view.records[-1].count > here)
    jobs.stop(job)
    view = wait_for(jobs, job, is_in("stopped"))
    assert counted(view) == list(range(view.records[-1].count))
    jobs.resume(job)
    assert jobs.view(job).condition == "stopped"


def test_a_command_is_answered_between_two_bits_of_work_and_may_give_more_of_it(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=50))
    wait_for(jobs, job, is_in("finished"))
    assert jobs.ask(job, AddCommand(more=10)) == 60
    jobs.resume(job)
    assert counted(wait_for(jobs, job, lambda v: v.condition == "finished" and v.records[-1].count == 60))[-1] == 59
    with pytest.raises(InvalidInputError, match="There is no variant 7"):
        jobs.ask(job, AddCommand(fail=True))
    assert jobs.ask(job, AddCommand()) == 60


def test_orders_given_before_the_process_is_there_are_kept_for_it(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=10**9))
    jobs.pause(job)
    assert jobs.ask(job, AddCommand(more=1)) == 10**9 + 1
    assert wait_for(jobs, job, is_in("paused")).records[-1].count <= 1


def test_too_many_jobs_at_once_are_refused_in_a_sentence(start: Start):
    jobs = start(limit=1)
    first = jobs.start(CountRequest(to=10**9))
    with pytest.raises(BackendBusyError, match="1 runs are at work already, which is the limit"):
        jobs.start(CountRequest(to=1))
    jobs.pause(first)
    wait_for(jobs, first, is_in("paused"))
    second = jobs.start(CountRequest(to=10**9))
    with pytest.raises(BackendBusyError):
        jobs.resume(first)
    jobs.stop(second)
    wait_for(jobs, second, is_in("stopped"))
    jobs.resume(first)
    wait_for(jobs, first, is_in("running"))


def test_a_dead_process_is_one_sentence_and_what_it_found_stays(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=10**9, bad="die", bad_at=600))
    view = wait_for(jobs, job, is_in("failed"))
    assert isinstance(view.error, WorkerDiedError)
    assert view.records
    assert not view.answers
    with pytest.raises(JobGoneError, match="has ended"):
        jobs.ask(job, AddCommand())


def test_a_process_that_dies_after_its_work_takes_nothing_away(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=20))
    os.kill(wait_for(jobs, job, is_in("finished")).records[0].process_id, signal.SIGKILL)
    view = wait_for(jobs, job, lambda view: not view.answers)
    assert (view.condition, view.error) == ("finished", None)
    assert counted(view) == list(range(20))


def test_a_run_that_does_not_answer_in_time_goes_on_and_says_so(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=100))
    with pytest.raises(DeadlineError) as caught:
        jobs.ask(job, AddCommand(more=1), deadline_seconds=0.0)
    assert str(caught.value) == "The run did not answer within 0 seconds; it goes on, please try again."
    assert counted(wait_for(jobs, job, is_in("finished"))) == list(range(101))


def test_an_error_of_the_work_is_one_sentence(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=10**9, bad="raise", bad_at=3))
    view = wait_for(jobs, job, is_in("failed"))
    assert str(view.error) == "The job failed: RuntimeError: no more."
    refused = jobs.start(CountRequest(to=1, bad="begin"))
    assert str(wait_for(jobs, refused, is_in("failed")).error) == "to is 1; allowed is 2 to 3."


def test_a_job_has_only_so_much_time(start: Start):
    jobs = start(limit_seconds=0.3)
    job = jobs.start(CountRequest(to=10**9))
    view = wait_for(jobs, job, is_in("stopped"))
    assert str(view.error) == "It was stopped after 0.005 minutes of work."
    assert jobs.ask(job, AddCommand()) == 10**9


def test_a_job_without_work_and_visitors_loses_its_process_and_keeps_its_records(start: Start):
    jobs = start(idle_seconds=0.5)
    job = jobs.start(CountRequest(to=20))
    process = wait_for(jobs, job, is_in("finished")).records[0].process_id
    end = time.monotonic() + 20
    while jobs.status().processes:
        assert time.monotonic() < end
        time.sleep(0.05)
    view = jobs.view(job)
    assert (view.condition, view.answers, view.error) == ("finished", False, None)
    assert counted(view) == list(range(20))
    assert not alive(process)


def test_only_so_many_jobs_are_remembered(start: Start):
    jobs = start(idle_seconds=0.0, kept_jobs=2)
    names = []
    for _ in range(3):
        names.append(jobs.start(CountRequest(to=3)))
        wait_for(jobs, names[-1], lambda view: view.condition == "finished" and not view.answers)
    assert jobs.status().kept == 2
    with pytest.raises(JobGoneError, match="There is no such run any more"):
        jobs.view(names[0])
    assert jobs.view(names[2]).condition == "finished"


def test_an_id_cannot_be_guessed(start: Start):
    jobs = start()
    first, second = jobs.start(CountRequest(to=3)), jobs.start(CountRequest(to=3))
    assert len(first) >= 16
    assert first != second
    with pytest.raises(JobGoneError):
        jobs.view("1")


def test_a_job_begins_at_once_in_a_process_that_was_prepared_for_it(start: Start):
    jobs = start()
    jobs.prepare()
    jobs.prepare()
    spare = jobs._spare
    assert spare is not None
    spare._launched.wait()
    process = spare._live.process.pid
    first = jobs.start(CountRequest(to=5))
    assert wait_for(jobs, first, is_in("finished")).records[0].process_id == process
    second = jobs.start(CountRequest(to=5))
    assert wait_for(jobs, second, is_in("finished")).records[0].process_id != process


def test_a_prepared_process_that_nobody_needs_ends(start: Start):
    jobs = start(idle_seconds=0.2)
    jobs.prepare()
    thread, live = jobs._spare.thread, None
    jobs._spare._launched.wait()
    live = jobs._spare._live
    thread.join(20)
    assert jobs._spare is None
    assert not alive(live.process.pid)
    assert counted(wait_for(jobs, jobs.start(CountRequest(to=3)), is_in("finished"))) == [0, 1, 2]


def test_closing_ends_all_processes(start: Start):
    jobs = start()
    job = jobs.start(CountRequest(to=10**9))
    process = wait_for(jobs, job, lambda view: bool(view.records)).records[0].process_id
    jobs.close()
    assert not alive(process)
    with pytest.raises(BackendError, match="closed"):
        jobs.start(CountRequest(to=1))


def test_a_clipping_run_is_trained_forked_and_measured_in_its_process():
    jobs = LocalBackgroundJobs(limit=1)
    try:
        config = ClippingConfig(hidden_size=8, length=10, batch_size=4, steps=20)
        job = jobs.start(ClippingRunRequest(config=config))
        view = wait_for(jobs, job, is_in("finished"))
        assert [len(curve.values) for curve in merged(view.records)] == [20, 20, 20]
        variant = jobs.ask(job, ForkCommand(parent=1, clipping="norm", threshold=0.1, before_jump=True))
        jobs.resume(job)
        done = wait_for(jobs, job, lambda v: v.condition == "finished" and merged(v.records)[-1].last_step == 20)
        assert merged(done.records)[-1].variant == variant
        assert jobs.ask(job, CliffCommand(variant=1)).variant == 1
        with pytest.raises(InvalidInputError, match="There is no variant 9"):
            jobs.ask(job, CliffCommand(variant=9))
    finally:
        jobs.close()
