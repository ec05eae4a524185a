"""The decoder of a search against the step of the model, which ``test_encoder_decoder`` holds against the equations."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from seqviz.config import CELL_NAMES, SCORE_NAMES, TranslationConfig
from seqviz.models import packed_decoder
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.packed_decoder import PackedDecoder, PackedLinear

BOS = 2
SOURCE = [5, 9, 4, 11, 7, 6]


def make(score: str, cell: str, layers: int = 2) -> EncoderDecoder:
    torch.manual_seed(3)
    config = TranslationConfig(
        cell=cell,
        vocabulary_size=70,
        embedding_size=24,
        encoder_size=16,
        decoder_size=32,
        decoder_layers=layers,
        score=score,
        attention_size=20,
    )
    model = EncoderDecoder(config).eval().requires_grad_(False)
    model.output_bias.normal_()
    return model


def assert_same_steps(model: EncoderDecoder, decoder: PackedDecoder) -> None:
    """Five steps, each on its own carries, with one, then three, then seventeen hypotheses."""
    memory = model.encode(torch.tensor([SOURCE]))
    plain = packed = memory.first
    for count in (1, 3, 17, 17, 2):
        rows = torch.arange(count) % len(plain[0][0])
        plain, packed = ([tuple(part[rows] for part in carry) for carry in carries] for carries in (plain, packed))
        previous = (torch.arange(count) * 7 + BOS) % 70
        expected, found = model.step(memory, plain, previous), decoder.step(memory, packed, previous)
        plain, packed = expected.carries, found.carries
        for name in ("log_probs", "scores", "attention", "context", "readout"):
            own, other = getattr(found, name), getattr(expected, name)
            assert (own is None) == (other is None), name
            if own is not None:
                torch.testing.assert_close(own, other, atol=1e-5, rtol=0, msg=name)
        for own, other in zip(packed, plain, strict=True):
            torch.testing.assert_close(own, other, atol=1e-5, rtol=0)


def test_weights_set_by_hand_are_those_of_the_model_s_step() -> None:
    model = make("additive", "gru")
    memory, weights = model.encode(torch.tensor([SOURCE])), torch.tensor([[0.0, 0.5, 0.0, 0.5, 0.0, 0.0]])
    carries = [tuple(part.repeat(3, 1) for part in carry) for carry in memory.first]
    previous = torch.tensor([BOS, 9, 30])
    expected = model.step(memory, carries, previous, attention=weights)
    found = PackedDecoder(model).step(memory, carries, previous, attention=weights)
    assert found.attention is not None
    assert found.attention.tolist() == weights.repeat(3, 1).tolist()
    torch.testing.assert_close(found.log_probs, expected.log_probs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("score", SCORE_NAMES)
def test_a_step_of_a_search_is_the_step_of_the_model(score: str, cell: str) -> None:
    model = make(score, cell)
    assert_same_steps(model, PackedDecoder(model))


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_every_cell_can_be_searched_with(cell: str) -> None:
    model = make("additive", cell, layers=1)
    assert_same_steps(model, PackedDecoder(model))


def test_without_the_kernel_plain_products_take_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_decoder, "_blocks", lambda weight: None)
    model = make("additive", "gru")
    decoder = PackedDecoder(model)
    assert not PackedLinear(torch.ones(3, 2), torch.zeros(3)).is_packed
    assert_same_steps(model, decoder)


def test_weights_of_another_precision_are_not_packed() -> None:
    weight, bias = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    product = PackedLinear(weight, bias)
    x = torch.randn(3, 4, dtype=torch.float64)
    assert not product.is_packed
    torch.testing.assert_close(product(x), functional.linear(x, weight, bias))
