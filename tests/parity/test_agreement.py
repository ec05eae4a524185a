"""The long-dependency test against runs of its own, text by text, with autograd."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from seqviz.errors import InvalidInputError
from seqviz.models.loading import load_model
from seqviz.tracing.agreement import agreement
from tests.helpers import write_tiny_checkpoint

CLAUSE = "which ate the fresh fish"


@pytest.fixture(params=["lstm", "gru", "rnn_tanh"])
def loaded(tmp_path, request):
    write_tiny_checkpoint(tmp_path, name="words", cell=request.param, words=True)
    return load_model("words", root=tmp_path)


def by_autograd(loaded, text: str):
    """ln P of both verbs, and the gradient norm at the word vector of the subject, by an independent run."""
    model = copy.deepcopy(loaded.model).double()
    x = model.embedding(torch.tensor([loaded.encoder.encode_words(text.split()).ids])).detach().requires_grad_(True)
    logits = model.output(model.stack(x)[0])[0, -1]
    was, were = (loaded.encoder.vocabulary.index(verb) for verb in ("was", "were"))
    log_probs = logits.log_softmax(0)
    (gradient,) = torch.autograd.grad(log_probs[was] - log_probs[were], x)
    return log_probs[[was, were]].detach().numpy(), float(gradient[0, 2].norm())


@pytest.mark.parametrize(
    ("subject", "length", "text"),
    [
        (0, 0, "<eos> The cat"),
        (1, 0, "<eos> The cats"),
        (0, 3, "<eos> The cat , which ate the ,"),
        (1, 5, "<eos> The cats , which ate the fresh fish ,"),
    ],
)
def test_probabilities_and_gradients_are_those_of_the_whole_text(loaded, subject, length, text):
    found = agreement(loaded, clause=CLAUSE)
    log_probs, norm = by_autograd(loaded, text)
    np.testing.assert_allclose(found.log_probs[subject, length], log_probs, rtol=1e-6)
    assert found.subject_embedding[subject, length] == pytest.approx(norm, rel=1e-6)
    assert found.log_ratio[subject, length] == pytest.approx(log_probs[0] - log_probs[1], rel=1e-5)


def test_there_is_one_measurement_for_every_length_from_none(loaded):
    found = agreement(loaded, clause=CLAUSE)
    assert found.clause == ("which", "ate", "the", "fresh", "fish")
    assert found.log_probs.shape == (2, 6, 2)
    assert found.unknown == ()
    assert agreement(loaded, clause="").log_probs.shape == (2, 1, 2)


def test_words_outside_the_vocabulary_are_named(loaded):
    assert agreement(loaded, clause="which ate pizza").unknown == ("pizza",)
    with pytest.raises(InvalidInputError) as error:
        agreement(loaded, clause=CLAUSE, plural="dogs")
    assert str(error.value) == "'dogs' is not in the vocabulary of words."


def test_a_clause_that_is_too_long_says_the_limit(loaded):
    with pytest.raises(InvalidInputError, match="The clause has 61 words; the limit is 60"):
        agreement(loaded, clause="ate " * 61)


def test_a_model_of_characters_is_refused(tmp_path):
    write_tiny_checkpoint(tmp_path, name="characters")
    with pytest.raises(InvalidInputError, match="does not predict words"):
        agreement(load_model("characters", root=tmp_path), clause=CLAUSE)
