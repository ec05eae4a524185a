"""Word language models: WikiText's way of writing, the tied output, the softmax over a part of the vocabulary."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from seqviz.config import ModelConfig
from seqviz.errors import InvalidInputError
from seqviz.models.loading import load_model
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import TextEncoder
from seqviz.training.preparation import corpus_ids, corpus_words
from seqviz.training.tasks import sampled_loss
from tests.helpers import write_tiny_checkpoint


@pytest.fixture
def encoder():
    words = "a @-@ @,@ @.@ <eos> F.C. 's 't didn cat , . 1 000 5 play offs Mr. Smith J."
    return TextEncoder.build(words.split(), kind="wikitext", already_split=True)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("play-offs", ["play", "@-@", "offs"]),
        ("1,000 1.5", ["1", "@,@", "000", "1", "@.@", "5"]),
        ("didn't", ["didn", "'t"]),
        ("cat's", ["cat", "'s"]),
        ("F.C., Mr. Smith.", ["F.C.", ",", "Mr.", "Smith", "."]),
        ("J. Smith\na", ["J.", "Smith", "<eos>", "a"]),
        ("a <eos> <unk> @-@ zebra", ["a", "<eos>", "<unk>", "@-@", "<unk>"]),
    ],
)
def test_typed_text_is_written_as_the_corpus_is(encoder, text, pieces):
    assert list(encoder.encode(text).pieces) == pieces


def test_a_word_that_is_split_already_is_looked_up_as_it_stands(encoder):
    assert encoder.encode_words(["F.C.", "play-offs", "<eos>"]).pieces == ("F.C.", "<unk>", "<eos>")


def test_every_line_of_a_corpus_ends_with_its_mark(encoder):
    assert corpus_words(" \n a cat \n") == ["<eos>", "a", "cat", "<eos>"]
    ids = corpus_ids(encoder, "a cat .\n", already_split=True)
    assert [encoder.vocabulary[i] for i in ids] == ["a", "cat", ".", "<eos>"]


def test_the_tied_output_is_the_table_of_word_vectors_also_after_loading(tmp_path):
    write_tiny_checkpoint(tmp_path, name="words", words=True)
    model = load_model("words", root=tmp_path).model
    assert model.output.weight.data_ptr() == model.embedding.word.weight.data_ptr()
    assert "output.weight" not in dict(model.named_parameters())


@pytest.mark.parametrize("change", [{"hidden_size": 9}, {"bidirectional": True}, {"task": "tagging"}])
def test_a_tie_that_cannot_be_is_refused(change):
    good = {
        "task": "language_model", "cell": "lstm", "vocabulary_size": 5, "output_size": 5,
        "embedding_size": 8, "hidden_size": 8, "tied_output": True,
    }  # fmt: skip
    SequenceModel(ModelConfig(**good))
    with pytest.raises(InvalidInputError, match="tied_output needs"):
        ModelConfig(**{**good, **change})


def test_with_all_words_drawn_the_sampled_loss_is_the_full_one():
    torch.manual_seed(1)
    output, states, targets = torch.nn.Linear(6, 50), torch.randn(30, 6), torch.randint(50, (30,))
    expected = functional.cross_entropy(output(states), targets)
    assert sampled_loss(output, states, targets, 100).item() == pytest.approx(expected.item(), rel=1e-5)


def test_over_many_draws_the_sampled_sum_is_that_of_the_whole_vocabulary():
    torch.manual_seed(2)
    output, states, targets = torch.nn.Linear(6, 200), torch.randn(5, 6), torch.tensor([0, 3, 90, 150, 199])
    logits = output(states)
    right = logits[torch.arange(5), targets]
    with torch.no_grad():
        # The part over the drawn words is unbiased in exp(loss + right logit); compare one position at a time.
        for row in range(5):
            sums = [
                math.exp(sampled_loss(output, states[row : row + 1], targets[row : row + 1], 60).item() + right[row])
                for _ in range(600)
            ]
            assert sum(sums) / 600 == pytest.approx(logits[row].exp().sum().item(), rel=0.03)
