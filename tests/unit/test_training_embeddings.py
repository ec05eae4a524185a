"""Counted word vectors: the mutual information by hand, neighbours that stand in like contexts, repeatable."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from seqviz.training.embeddings import cooccurrence_vectors, positive_mutual_information


def test_mutual_information_of_a_small_table_is_as_worked_out_by_hand() -> None:
    counts = torch.tensor([[8.0, 0.0], [4.0, 4.0]], dtype=torch.float64).to_sparse()
    result = positive_mutual_information(counts).to_dense()
    # Context counts 12 and 4 to the power 3/4 are 6.447420 and 2.828427: shares 0.695076 and 0.304924.
    assert result[0, 0].item() == pytest.approx(math.log(0.5 / (0.5 * 0.695076)), abs=1e-5)
    assert result[1, 1].item() == pytest.approx(math.log(0.25 / (0.5 * 0.304924)), abs=1e-5)
    assert result[1, 0].item() == 0.0  # rarer than chance: cut off at zero
    assert result[0, 1].item() == 0.0  # never seen


TEXTS = [(1, 3, 4), (2, 3, 4), (1, 3, 5), (2, 3, 5), (6, 7, 8), (6, 8, 7), (0, 1, 3)] * 3


def vectors(*, seed: int = 1) -> torch.Tensor:
    return cooccurrence_vectors(TEXTS, vocabulary_size=9, size=3, window=2, scale=0.25, seed=seed)


def test_words_in_like_contexts_get_like_vectors() -> None:
    unit = functional.normalize(vectors(), dim=1)
    assert (unit[1] @ unit[2]).item() > 0.9
    assert abs((unit[1] @ unit[6]).item()) < 0.3


def test_vectors_have_the_wanted_scale_and_the_unknown_word_is_zero() -> None:
    result = vectors()
    assert result.shape == (9, 3)
    assert result.std().item() == pytest.approx(0.25, abs=1e-6)
    assert result[0].tolist() == [0.0, 0.0, 0.0]


def test_vectors_depend_on_the_seed_only_and_leave_the_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = vectors()
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, vectors())
