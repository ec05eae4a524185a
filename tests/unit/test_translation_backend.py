"""Translations out of the backend: searches, given targets, everything that can be wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from seqviz.backends.local import LocalBackend
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.config import DecodeConfig
from seqviz.errors import InvalidInputError, TextTooLongError

MODEL = "fra-eng-attention"
BEAM = DecodeConfig(search="beam", beam_size=5, max_length=30, alpha=1.0)


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    with LocalBackend(workers=1) as running:
        yield running


def test_a_search_comes_back_with_its_source_its_tree_and_its_targets(backend: LocalBackend):
    answer = backend.ask(SearchRequest(model=MODEL, text="Voulez-vous chanter avec moi ?", config=BEAM))
    assert answer.source.labels == ("Voulez", "-", "vous", "chanter", "avec", "moi", "?")
    assert answer.best is not None
    assert answer.best.text == "Do you want to sing with me?"
    assert answer.best.pieces[-1] == "<eos>"
    assert set(answer.targets) == set(answer.search.finished)
    assert not {0, 1, 2} & set(answer.search.token.tolist()), "padding, unknown and <bos> are no text"


def test_a_given_target_has_the_log_probability_that_the_search_found(backend: LocalBackend):
    text = "Il fait froid aujourd'hui."
    found = backend.ask(SearchRequest(model=MODEL, text=text, config=BEAM))
    row = found.search.best
    assert row is not None
    by_ids = backend.ask(ForcedRequest(model=MODEL, text=text, ids=found.search.tokens(row)))
    by_text = backend.ask(ForcedRequest(model=MODEL, text=text, target=found.targets[row].text))
    assert by_ids.log_prob == pytest.approx(float(found.search.log_prob[row]), abs=1e-5)
    assert by_text.target.ids == by_ids.target.ids
    assert by_ids.attention is not None
    assert np.allclose(by_ids.attention.sum(1), 1, atol=1e-6)


def test_what_the_exact_search_proves_no_beam_beats(backend: LocalBackend):
    text = "Le chat dort sur le canapé."
    plain = DecodeConfig(search="beam", beam_size=3, max_length=20)
    exact = DecodeConfig(search="exact", beam_size=3, max_length=20, max_expansions=3000)
    beam, best = (backend.ask(SearchRequest(model=MODEL, text=text, config=config)).search for config in (plain, exact))
    assert best.proven
    assert best.best is not None
    assert beam.best is not None
    assert best.log_prob[best.best] >= beam.log_prob[beam.best] - 1e-9


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_source_is_a_sentence(backend: LocalBackend, text: str):
    with pytest.raises(InvalidInputError, match="nothing to translate"):
        backend.ask(SearchRequest(model=MODEL, text=text, config=BEAM))


def test_a_source_of_too_many_pieces_is_refused_with_the_limit(backend: LocalBackend):
    with pytest.raises(TextTooLongError, match="the limit is 200"):
        backend.ask(SearchRequest(model=MODEL, text="chat " * 300, config=BEAM))


@pytest.mark.parametrize("ids", [(5,), (99_999, 3)])
def test_ids_of_another_model_are_refused(backend: LocalBackend, ids: tuple[int, ...]):
    with pytest.raises(InvalidInputError, match="not of model fra-eng-attention"):
        backend.ask(ForcedRequest(model=MODEL, text="Oui.", ids=ids))


@pytest.mark.parametrize("text", ["🙂", "<script>alert(1)</script>", "机器学习", "?!…", "\ud800"])
def test_odd_sources_are_translated_into_something(backend: LocalBackend, text: str):
    answer = backend.ask(SearchRequest(model=MODEL, text=text, config=BEAM))
    assert answer.best is not None
