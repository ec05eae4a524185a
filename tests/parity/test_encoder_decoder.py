"""The translation model against a second derivation in numpy: one sentence, one step, one source position at a time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from seqviz.config import SCORE_NAMES, DecodeConfig, TranslationConfig
from seqviz.decoding import beam_search
from seqviz.errors import InvalidInputError
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.loading import load_translator
from seqviz.tracing.translator_steps import NOT_TEXT, TranslatorSteps
from seqviz.training.translate import longest_target, translate
from tests.helpers import PAIRS, write_tiny_translator
from tests.parity.reference import ReferenceCell, hyperbolic_tangent

BOS, EOS = 2, 3
SOURCE, TARGET = [5, 9, 4, 11, 7, 6], [8, 5, 10, 4]


def tiny(score: str = "additive", cell: str = "gru", layers: int = 2, seed: int = 1) -> EncoderDecoder:
    torch.manual_seed(seed)
    config = TranslationConfig(
        cell=cell,
        vocabulary_size=12,
        embedding_size=5,
        encoder_size=4,
        decoder_size=8,
        decoder_layers=layers,
        score=score,
        attention_size=3,
    )
    model = EncoderDecoder(config).eval().requires_grad_(False)
    model.output_bias.normal_()
    return model


class Reference:
    """The equations of ``seqviz.models.encoder_decoder``, in float64, from the weights by their names."""

    def __init__(self, model: EncoderDecoder) -> None:
        self.config = model.config
        self.w = {name: value.double().numpy() for name, value in model.state_dict().items()}

    def cell(self, prefix: str) -> ReferenceCell:
        return ReferenceCell(
            self.config.cell, {n.removeprefix(prefix): v for n, v in self.w.items() if n.startswith(prefix)}
        )

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        return self.w[f"{name}.weight"] @ x + self.w.get(f"{name}.bias", 0.0)

    def embed(self, index: int) -> np.ndarray:
        return self.w["embedding.weight"][index] * math.sqrt(self.config.embedding_size)

    def read(self, ids: list[int], direction: str) -> list[np.ndarray]:
        cell = self.cell(f"encoder.layers.0.{direction}_cell.")
        h = c = np.zeros(self.config.encoder_size)
        states = []
        for index in ids:
            step = cell.step(self.embed(index), h, c)
            h, c = step["hidden_state"], step.get("cell_state", c)
            states.append(h)
        return states

    def score(self, s: np.ndarray, h: np.ndarray) -> float:
        match self.config.score:
            case "additive":
                inner = self.linear("score.query", s) + self.linear("score.key", h)
                return float(self.w["score.weight.weight"][0] @ hyperbolic_tangent(inner))
            case "dot":
                return float(s @ h)
            case "bilinear":
                return float(s @ self.w["score.key.weight"] @ h)
        q, k = self.linear("score.query", s), self.linear("score.key", h)
        if self.config.score == "scaled_dot":
            return float(q @ k) / math.sqrt(3)
        return math.exp(self.w["score.log_sharpness"][0]) * float(q @ k) / math.sqrt(float(q @ q) * float(k @ k))

    def run(self, source: list[int], inputs: list[int]) -> tuple[np.ndarray, np.ndarray | None]:
        """log P of every step (target, vocabulary) and α (target, source)."""
        forward, backward = self.read(source, "forward"), self.read(source[::-1], "backward")[::-1]
        values = [np.concatenate(pair) for pair in zip(forward, backward, strict=True)]
        last = np.concatenate([forward[-1], backward[0]])
        units, states = self.config.decoder_size, []
        for layer in range(self.config.decoder_layers):
            first = self.linear(f"bridge.{layer}", last)
            states.append((hyperbolic_tangent(first[:units]), first[units:]))
        rows, weights = [], []
        for index in inputs:
            x = self.embed(index)
            below = x
            seen: list[np.ndarray] = []
            for layer in range(self.config.decoder_layers):
                cell = self.cell(f"decoder.{layer}.layers.0.forward_cell.")
                step = cell.step(below, *states[layer])
                states[layer] = (step["hidden_state"], step.get("cell_state", states[layer][1]))
                if layer == 0 and self.config.score != "none":
                    e = np.exp([self.score(step["hidden_state"], h) for h in values])
                    weights.append(e / e.sum())
                    seen = [sum(a * h for a, h in zip(weights[-1], values, strict=True))]
                below = np.concatenate([step["hidden_state"], *seen])
            o = hyperbolic_tangent(self.linear("readout", np.concatenate([below, x])))
            logits = self.w["embedding.weight"] @ o + self.w["output_bias"]
            rows.append(logits - math.log(np.exp(logits).sum()))
        return np.array(rows), np.array(weights) if weights else None


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("score", SCORE_NAMES)
def test_teacher_forcing_gives_the_probabilities_and_weights_of_the_equations(score: str, cell: str) -> None:
    model = tiny(score, cell)
    logits, weights = model(torch.tensor([SOURCE]), None, torch.tensor([[BOS, *TARGET]]))
    log_probs, alpha = Reference(model).run(SOURCE, [BOS, *TARGET])
    np.testing.assert_allclose(logits[0].log_softmax(-1), log_probs, atol=2e-6)
    if score == "none":
        assert weights is None
        assert alpha is None
    else:
        np.testing.assert_allclose(weights[0], alpha, atol=1e-6)


@pytest.mark.parametrize("layers", [1, 3])
def test_every_depth_of_the_decoder_follows_the_equations(layers: int) -> None:
    model = tiny(layers=layers)
    logits, _ = model(torch.tensor([SOURCE]), None, torch.tensor([[BOS, *TARGET]]))
    np.testing.assert_allclose(logits[0].log_softmax(-1), Reference(model).run(SOURCE, [BOS, *TARGET])[0], atol=2e-6)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("score", SCORE_NAMES)
def test_step_by_step_equals_all_steps_at_once(score: str, cell: str) -> None:
    model = tiny(score, cell)
    inputs = torch.tensor([[BOS, *TARGET], [BOS, 4, 4, 9, 6], [BOS, 7, 8, 11, 10]])
    memory = model.encode(torch.tensor([SOURCE]))
    logits, weights = model(torch.tensor([SOURCE] * 3), None, inputs)
    # One source, three hypotheses: the memory has one row for all.
    carries = [tuple(part.expand(3, -1) for part in carry) for carry in memory.first]
    for t in range(inputs.shape[1]):
        step = model.step(memory, carries, inputs[:, t])
        carries = step.carries
        torch.testing.assert_close(step.log_probs, logits[:, t].log_softmax(-1), atol=2e-6, rtol=0)
        if score != "none":
            torch.testing.assert_close(step.attention, weights[:, t], atol=1e-6, rtol=0)
            torch.testing.assert_close(step.attention.sum(-1), torch.ones(3), atol=1e-6, rtol=0)
            torch.testing.assert_close(step.context, step.attention @ memory.values[0], atol=1e-6, rtol=0)
            torch.testing.assert_close(step.scores.softmax(-1), step.attention, atol=1e-6, rtol=0)


@pytest.mark.parametrize("score", SCORE_NAMES)
def test_padding_changes_nothing(score: str) -> None:
    model = tiny(score)
    inputs = torch.tensor([[BOS, *TARGET], [BOS, 4, 4, 9, 6]])
    batch, weights = model(torch.tensor([SOURCE, [7, 10, 5, 0, 0, 0]]), torch.tensor([6, 3]), inputs)
    alone, _ = model(torch.tensor([[7, 10, 5]]), None, inputs[1:])
    torch.testing.assert_close(batch[1], alone[0], atol=2e-6, rtol=0)
    if weights is not None:
        assert weights[1, :, 3:].abs().max() == 0.0


def best_by_hand(model: EncoderDecoder, source: list[int], beam_size: int, alpha: float) -> list[int]:
    """Beam search hypothesis by hypothesis, each scored by teacher forcing from the start."""
    living: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    limit = 2 * len(source) + 10
    for length in range(1, limit + 1):
        candidates = []
        for total, ids in living:
            logits, _ = model(torch.tensor([source]), None, torch.tensor([[BOS, *ids]]))
            log_probs = logits[0, -1].log_softmax(-1).tolist()
            candidates += [(total + log_probs[k], [*ids, k]) for k in range(3, len(log_probs))]
        candidates.sort(key=lambda candidate: -candidate[0])
        last = length == limit
        for total, ids in candidates[:beam_size]:
            if ids[-1] == EOS or last:
                finished.append((total / length**alpha, ids[:-1] if ids[-1] == EOS else ids))
        if len(finished) >= beam_size or last:
            break
        living = [candidate for candidate in candidates if candidate[1][-1] != EOS][:beam_size]
    return max(finished, key=lambda one: one[0])[1]


@pytest.mark.parametrize("beam_size", [2, 4])
@pytest.mark.parametrize("score", ["additive", "none"])
def test_the_search_with_its_tree_finds_the_translations_of_the_batch(
    score: str, beam_size: int, tmp_path: Path
) -> None:
    write_tiny_translator(tmp_path, name="tiny", score=score)
    loaded = load_translator("tiny", root=tmp_path)
    loaded.model.output_bias[EOS] += 2.0
    sources = [list(loaded.encoder.encode(source).ids) for source, _ in PAIRS]
    for source, expected in zip(sources, translate(loaded.model, sources, beam_size=beam_size), strict=True):
        config = DecodeConfig(
            beam_size=beam_size, alpha=1.0, max_length=longest_target(len(source)), forbidden=NOT_TEXT
        )
        trace = beam_search(TranslatorSteps(loaded, source), config)
        assert trace.best is not None
        ids = trace.tokens(trace.best)
        assert [index for index in ids if index != EOS] == expected
        logits, weights = loaded.model(torch.tensor([source]), None, torch.tensor([[BOS, *ids[:-1]]]))
        log_probs = logits[0].log_softmax(-1)[range(len(ids)), list(ids)]
        assert trace.log_prob[trace.best] == pytest.approx(log_probs.sum().item(), abs=1e-5)
        if weights is not None:
            assert trace.attention is not None
            np.testing.assert_allclose(trace.attention[0], weights[0, 0], atol=1e-6)


def test_a_search_over_an_empty_source_is_refused(tmp_path: Path) -> None:
    write_tiny_translator(tmp_path, name="tiny")
    with pytest.raises(InvalidInputError, match="nothing to translate yet"):
        TranslatorSteps(load_translator("tiny", root=tmp_path), [])


@pytest.mark.parametrize("beam_size", [1, 2, 4])
def test_translations_of_a_batch_are_those_of_a_search_by_hand(beam_size: int) -> None:
    for seed in range(3):
        model = tiny(seed=seed)
        model.output_bias[EOS] += 1.0
        sources = [SOURCE, [7, 10, 5], [4, 4], [11]]
        expected = [best_by_hand(model, source, beam_size, 1.0) for source in sources]
        assert translate(model, sources, beam_size=beam_size, alpha=1.0) == expected
