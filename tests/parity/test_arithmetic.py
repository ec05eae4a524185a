"""The sums behind every pre-activation: they add up to the model's own number, and their snippets print it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
import torch

from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.models.loading import LoadedModel, load_model
from seqviz.tracing.arithmetic import unit_sum
from seqviz.tracing.forward import trace
from tests.helpers import write_tiny_checkpoint


def load(root: Path, cell: str, task: str = "language_model", **options: object) -> LoadedModel:
    write_tiny_checkpoint(root, name="tiny", task=task, cell=cell, **options)
    return load_model("tiny", root=root)


def printed(code: str) -> float:
    with contextlib.redirect_stdout(io.StringIO()) as out, torch.inference_mode():
        exec(code, {})
    return float(out.getvalue())


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_terms_of_every_block_add_up_to_its_pre_activation(tmp_path, cell):
    loaded = load(tmp_path, cell, num_layers=2)
    result = trace(loaded, "To be!")
    for layer in (0, 1):
        part = result.layer(layer)
        for step in range(len(result)):
            for index, block in enumerate(part.block_names):
                for unit in (0, 7):
                    found = unit_sum(loaded, result, layer=layer, step=step, unit=unit, block=block)
                    assert found.pre_activation == float(part.pre_activation[step, index, unit])
                    assert found.total == pytest.approx(found.pre_activation, abs=1e-5)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_activation_makes_the_shown_value_of_the_sum(tmp_path, cell):
    loaded = load(tmp_path, cell)
    result = trace(loaded, "To be!")
    functions = {
        "sigmoid": torch.sigmoid,
        "logistic": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "elu": torch.nn.functional.elu,
        "identity": lambda z: z,
    }
    for block in result.layer(0).block_names:
        found = unit_sum(loaded, result, layer=0, step=2, unit=3, block=block)
        expected = functions[found.activation](torch.tensor(found.total)).item()
        assert found.activated == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_both_snippets_print_the_pre_activation(tmp_path, monkeypatch, cell):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    loaded = load(tmp_path, cell, num_layers=2)
    result = trace(loaded, "It's 'so'")
    for layer, step in ((0, 0), (1, 4)):
        for block in result.layer(layer).block_names:
            found = unit_sum(loaded, result, layer=layer, step=step, unit=5, block=block)
            assert printed(found.snippet) == pytest.approx(found.pre_activation, abs=1e-5)
            assert printed(found.plain_snippet) == pytest.approx(found.pre_activation, abs=1e-5)


@pytest.mark.parametrize("cell", ["rnn_tanh", "gru", "gru_reset_before", "lstm", "lstm_peephole"])
def test_the_backward_direction_adds_up_too(tmp_path, monkeypatch, cell):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    loaded = load(tmp_path, cell, "tagging", bidirectional=True, num_layers=2, subword_buckets=20)
    result = trace(loaded, "Harry Potter met Hermione")
    for layer in (0, 1):
        for step in range(len(result)):
            for block in result.layer(layer, "backward").block_names:
                found = unit_sum(loaded, result, layer=layer, direction="backward", step=step, unit=2, block=block)
                assert found.total == pytest.approx(found.pre_activation, abs=1e-5)
    found = unit_sum(loaded, result, layer=1, direction="backward", step=1, unit=2, block="candidate")
    assert printed(found.snippet) == pytest.approx(found.pre_activation, abs=1e-5)


def test_the_snippet_of_a_generated_text_prints_its_number(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    loaded = load(tmp_path, "gru")
    result = trace(loaded, "Hello", structure="one_to_many", generate=6)
    found = unit_sum(loaded, result, layer=0, step=5, unit=1, block="candidate")
    assert printed(found.snippet) == pytest.approx(found.pre_activation, abs=1e-5)


def test_terms_name_their_places_and_come_with_the_largest_first(tmp_path):
    loaded = load(tmp_path, "lstm_peephole", embedding_size=3, hidden_size=4)
    found = unit_sum(loaded, trace(loaded, "abc"), layer=0, step=1, unit=2, block="forget_gate")
    places = sorted((term.kind, term.index) for term in found.terms)
    assert places == [
        ("bias", 0),
        ("hidden", 0),
        ("hidden", 1),
        ("hidden", 2),
        ("hidden", 3),
        ("input", 0),
        ("input", 1),
        ("input", 2),
        ("peephole", 2),
    ]
    sizes = [abs(term.product) for term in found.terms]
    assert sizes == sorted(sizes, reverse=True)
    assert all(term.product == term.weight * term.value for term in found.terms)


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("step", {"step": 3, "unit": 0, "block": "candidate", "layer": 0}),
        ("unit", {"step": 0, "unit": 8, "block": "candidate", "layer": 0}),
        ("layer", {"step": 0, "unit": 0, "block": "candidate", "layer": 1}),
        ("block", {"step": 0, "unit": 0, "block": "memory", "layer": 0}),
    ],
)
def test_a_place_outside_the_trace_is_refused_by_name(tmp_path, field, place):
    loaded = load(tmp_path, "gru")
    with pytest.raises((InvalidInputError, UnknownNameError), match=field):
        unit_sum(loaded, trace(loaded, "abc"), **place)
