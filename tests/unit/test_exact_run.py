"""An exact search in the background: how far it is, a larger budget where it stopped, the record as it stands."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from seqviz.backends.background import LocalBackgroundJobs
from seqviz.backends.background_requests import AllowCommand, ExactRunRequest, FoundCommand
from seqviz.backends.protocol import JobView
from seqviz.backends.translation_requests import SearchRequest
from seqviz.config import DecodeConfig
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.tracing.translation import ExactRun, search_translation
from seqviz.translation_searches import exact_config
from tests.helpers import PAIRS, write_tiny_translator

SOURCE = PAIRS[2][0]
LIMITS = DecodeConfig(min_length=3, max_length=5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_tiny_translator(folder, name="tiny")
    return folder


@pytest.fixture(scope="module")
def loaded(root: Path) -> LoadedTranslator:
    return load_translator("tiny", root=root)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_run_says_how_far_it_is_and_its_bracket_only_narrows(loaded: LoadedTranslator, alpha: float):
    run = ExactRun(loaded, SOURCE, exact_config(LIMITS, alpha=alpha, budget=60))
    seen = [run.progress()]
    while run.advance():
        seen.append(run.progress())
    for before, after in itertools.pairwise(seen):
        assert before.expansions < after.expansions
        assert before.score <= after.score <= after.upper_bound + 1e-12
        assert after.upper_bound <= before.upper_bound + 1e-12
    last, found = seen[-1], run.found()
    assert not last.proven, "with a tiny untrained model nothing is proven so soon"
    assert last.text == found.best.text
    assert last.score == pytest.approx(float(found.search.score[found.search.best]), abs=1e-12)
    assert found.search.hidden_state is None
    assert found.search.expansions == last.expansions


def test_a_run_with_a_larger_budget_finds_what_one_search_finds(loaded: LoadedTranslator):
    config = exact_config(LIMITS, alpha=0.5, budget=400)
    run = ExactRun(loaded, SOURCE, exact_config(LIMITS, alpha=0.5, budget=40))
    for budget in (40, 400):
        run.allow(budget)
        while run.advance():
            pass
    straight = search_translation(loaded, SOURCE, config)
    assert run.progress().budget == 400
    assert run.found().best.ids == straight.best.ids


def test_a_job_searches_on_where_it_stopped(root: Path):
    jobs = LocalBackgroundJobs(environment={"SEQVIZ_CHECKPOINTS": str(root)})
    try:
        asked = SearchRequest(model="tiny", text=SOURCE, config=exact_config(LIMITS, budget=30))
        job = jobs.start(ExactRunRequest(search=asked))
        first = _finished(jobs, job, budget=30).records[-1]
        assert jobs.ask(job, FoundCommand()).best.text == first.text
        jobs.ask(job, AllowCommand(max_expansions=90))
        jobs.resume(job)
        last = _finished(jobs, job, budget=90).records[-1]
        found = jobs.ask(job, FoundCommand())
        assert last.expansions - first.expansions == 60
        assert found.search.expansions == last.expansions
        assert last.upper_bound <= first.upper_bound
    finally:
        jobs.close()


def _finished(jobs: LocalBackgroundJobs, job: str, *, budget: int) -> JobView[Any]:
    end = time.monotonic() + 120
    while True:
        view = jobs.view(job)
        assert view.condition != "failed", view.error
        if view.condition == "finished" and view.records and view.records[-1].budget == budget:
            return view
        assert time.monotonic() < end, view
        time.sleep(0.05)
