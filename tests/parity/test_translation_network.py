"""Every recorded number of the encoder-decoder's picture against the model's own passes and against plain numpy."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch

from seqviz.config import DecodeConfig
from seqviz.errors import InvalidInputError, TextTooLongError, UnknownNameError
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.text.piece_encoder import BOS_ID, EOS_ID
from seqviz.tracing.translation import forced_translation, search_translation
from seqviz.tracing.translation_network import translation_network
from seqviz.tracing.translation_sums import network_sum
from seqviz.translation_network import RUNS, TranslationNetwork
from tests.helpers import PAIRS, write_tiny_translator

TEXT, REFERENCE = PAIRS[0]
KINDS = [("additive", "gru"), ("scaled_dot", "lstm"), ("none", "gru"), ("none", "lstm"), ("dot", "rnn_tanh")]


@pytest.fixture(params=KINDS, ids="-".join)
def loaded(request: pytest.FixtureRequest, tmp_path: Path) -> LoadedTranslator:
    score, cell = request.param
    write_tiny_translator(tmp_path, name="tiny", score=score, cell=cell)
    return load_translator("tiny", root=tmp_path)


@pytest.fixture
def network(loaded: LoadedTranslator) -> TranslationNetwork:
    return translation_network(loaded, TEXT, reference=REFERENCE)


def weights(loaded: LoadedTranslator) -> dict[str, np.ndarray]:
    return {name: value.double().numpy() for name, value in loaded.model.state_dict().items()}


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    return e / e.sum()


def near(one, other) -> None:
    assert np.allclose(one, other, atol=1e-6, rtol=1e-6)


def test_teacher_forcing_is_the_models_own_forward_pass(loaded, network):
    run = network.forced
    assert run is not None
    logits, alpha = loaded.model(torch.tensor([network.source.ids]), None, torch.tensor(run.inputs[None]))
    log_probs = torch.log_softmax(logits[0].double(), -1).numpy()
    near(run.log_probs, log_probs[np.arange(len(run)), list(run.target.ids)])
    near(run.right_log_probs, run.log_probs)
    near(run.candidate_log_probs, -np.sort(-log_probs, 1)[:, :5])
    near(run.log_normaliser, torch.logsumexp(logits[0].double(), -1).numpy())
    assert (alpha is None) == (run.attention is None)
    if alpha is not None:
        near(run.attention, alpha[0].numpy())
    assert run.inputs[0] == BOS_ID
    assert run.target.ids[-1] == EOS_ID
    near(run.log_probs, forced_translation(loaded, TEXT, REFERENCE).log_probs)


@pytest.mark.parametrize("name", RUNS)
def test_every_step_is_the_models_own_step(loaded, network, name):
    run = network.run(name)
    memory = loaded.model.encode(torch.tensor([network.source.ids]))
    near(np.concatenate([part.hidden_state for part in network.encoder], 1), memory.values[0].numpy())
    carries = memory.first
    for step, token in enumerate(run.inputs.tolist()):
        given = loaded.model.step(memory, carries, torch.tensor([token]))
        carries = given.carries
        for layer, carry in zip(run.layers, carries, strict=True):
            near(layer.hidden_state[step], carry[0][0].numpy())
            if layer.cell_state is not None:
                near(layer.cell_state[step], carry[1][0].numpy())
        near(run.readout[step], given.readout[0].numpy())
        own = given.log_probs[0].numpy()
        near(run.log_probs[step], own[run.target.ids[step]])
        assert run.ranks[step] == (own > own[run.target.ids[step]]).sum()
        for kept, from_step in (
            (run.scores, given.scores),
            (run.attention, given.attention),
            (run.context, given.context),
        ):
            assert (kept is None) == (from_step is None)
            if kept is not None and from_step is not None:
                near(kept[step], from_step[0].numpy())


def test_the_hand_over_is_the_tanh_of_the_last_states(loaded, network):
    w, units = weights(loaded), loaded.info.config.decoder_size
    forward, backward = (part.hidden_state.astype(np.float64) for part in network.encoder)
    last = np.concatenate([forward[-1], backward[0]])
    near(network.hand_over.last, last)
    for layer in range(2):
        sums = w[f"bridge.{layer}.weight"] @ last + w[f"bridge.{layer}.bias"]
        near(network.hand_over.pre_activation[layer], sums[:units])
        near(network.hand_over.hidden_state[layer], np.tanh(sums[:units]))
        if network.hand_over.cell_state is not None:
            near(network.hand_over.cell_state[layer], sums[units:])
        for run in network.runs.values():
            hidden, cell = run.layers[layer].before(0)
            near(hidden, np.tanh(sums[:units]))
            assert (cell is None) == (network.hand_over.cell_state is None)


@pytest.mark.parametrize("name", RUNS)
def test_context_readout_and_softmax_follow_from_plain_numpy(loaded, network, name):
    w, run = weights(loaded), network.run(name)
    values = np.concatenate([part.hidden_state for part in network.encoder], 1).astype(np.float64)
    for step in range(len(run)):
        x = w["embedding.weight"][run.inputs[step]] * loaded.info.config.embedding_size**0.5
        near(run.embeddings[step], x)
        parts = [run.layers[-1].hidden_state[step].astype(np.float64), x]
        if run.attention is not None:
            alpha = softmax(run.scores[step].astype(np.float64))
            near(run.attention[step], alpha)
            near(run.context[step], alpha @ values)
            near(run.layers[1].inputs[step], np.concatenate([run.layers[0].hidden_state[step], alpha @ values]))
            parts.insert(1, alpha @ values)
        readout = np.tanh(w["readout.weight"] @ np.concatenate(parts) + w["readout.bias"])
        near(run.readout[step], readout)
        shares = softmax(w["embedding.weight"] @ readout + w["output_bias"])
        near(np.exp(run.log_probs[step]), shares[run.target.ids[step]])
        near(np.exp(run.candidate_log_probs[step]), np.sort(shares)[::-1][:5])
        if name == "free" and step < len(network.forced):
            near(np.exp(run.right_log_probs[step]), shares[network.forced.target.ids[step]])


def test_the_free_run_is_what_the_search_finds(loaded, network):
    longest = 2 * len(network.source) + 10
    greedy = DecodeConfig(search="greedy", max_length=longest)
    found = search_translation(loaded, TEXT, greedy).search
    row = found.best if found.best is not None else int(np.argmax(found.step))
    assert network.free.target.ids == found.tokens(row)
    beam = translation_network(loaded, TEXT, beam_size=4)
    config = DecodeConfig(search="beam", beam_size=4, max_length=longest, alpha=1.0)
    found = search_translation(loaded, TEXT, config).search
    assert beam.free.target.ids == found.tokens(found.best or 0)
    assert beam.forced is None
    assert np.isnan(beam.free.right_log_probs).all()


def test_distances_are_those_of_the_top_states(network):
    steps = min(len(network.forced), len(network.free))
    one, other = (run.layers[-1].hidden_state[:steps].astype(np.float64) for run in (network.forced, network.free))
    near(network.distances(), np.sqrt(((one - other) ** 2).sum(1)))
    assert np.all(network.distances()[: network.parted + 1] == 0), "both were fed the same so far"


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("quantity", ["encoder", "hand_over", "state", "context", "readout", "logit"])
def test_a_number_taken_apart_adds_up_and_the_code_prints_it(loaded, network, quantity, name):
    if quantity == "context" and network.free.context is None:
        with pytest.raises(InvalidInputError, match="has no attention"):
            network_sum(loaded, network, quantity, unit=0)
        return
    blocks = network.free.layers[0].block_names if quantity in ("state", "encoder") else ("",)
    if quantity == "hand_over" and network.hand_over.cell_state is not None:
        blocks = ("hidden_state", "cell_state")
    for layer in (0,) if quantity == "encoder" else (0, 1):
        for block in blocks:
            direction = "backward" if quantity == "encoder" and name == "free" else "forward"
            taken = network_sum(
                loaded, network, quantity, unit=3, step=2, run=name, layer=layer, direction=direction, block=block
            )
            near(taken.total, taken.result)
            near(sum(term.weight * term.value for term in taken.terms), taken.result)
            assert abs(taken.terms[0].product) >= abs(taken.terms[-1].product)
            near(printed(taken.plain_snippet), taken.result)
            if taken.activation == "tanh":
                near(np.tanh(taken.total), taken.activated)
            if taken.activation == "softmax":
                logit = taken.total - network.run(name).log_normaliser[2]
                near(np.exp(logit), taken.activated)


def test_the_code_on_top_of_seqviz_prints_the_sum_of_a_checkpoint(tmp_path, monkeypatch):
    write_tiny_translator(tmp_path, name="tiny")
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    loaded = load_translator("tiny")
    network = translation_network(loaded, TEXT, reference=REFERENCE)
    for quantity, block in [("hand_over", ""), ("context", ""), ("readout", ""), ("logit", ""), ("state", "candidate")]:
        for layer in (0, 1):
            taken = network_sum(loaded, network, quantity, unit=5, step=3, run="forced", layer=layer, block=block)
            near(printed(taken.snippet), taken.result)
    taken = network_sum(loaded, network, "encoder", unit=2, step=4, direction="backward", block="reset_gate")
    near(printed(taken.snippet), taken.result)


def printed(code: str) -> float:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    return float(out.getvalue())


def test_what_cannot_be_run_is_said(loaded, network):
    with pytest.raises(InvalidInputError, match="nothing to translate"):
        translation_network(loaded, "  ")
    with pytest.raises(TextTooLongError, match="the limit is 5"):
        translation_network(loaded, TEXT, max_pieces=5)
    with pytest.raises(TextTooLongError, match="the limit is 20"):
        translation_network(loaded, "a", reference="a " * 30, max_pieces=20)
    with pytest.raises(InvalidInputError, match="beam_size is 0"):
        translation_network(loaded, TEXT, beam_size=0)
    with pytest.raises(InvalidInputError, match="step is 999"):
        network_sum(loaded, network, "readout", unit=0, step=999)
    with pytest.raises(UnknownNameError, match="block"):
        network_sum(loaded, network, "state", unit=0, block="nothing")
    with pytest.raises(InvalidInputError, match="unit is 99"):
        network_sum(loaded, network, "readout", unit=99)


def test_arrays_cannot_be_written_to(network):
    for array in (network.embeddings, network.hand_over.last, network.free.readout, network.free.layers[0].first[0]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
