"""A whole backward pass against autograd, and what must hold of every gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.models.loading import load_model
from seqviz.tracing.gradients import backward
from tests.helpers import write_tiny_checkpoint

TEXT = "the cat sat on the mat"


@pytest.fixture
def loaded(tmp_path):
    def make(**options):
        write_tiny_checkpoint(tmp_path, name="tiny", **options)
        return load_model("tiny", root=tmp_path)

    return make


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_every_shared_matrix_gets_the_gradient_that_autograd_finds(loaded, cell):
    found = backward(loaded(cell=cell, num_layers=2), TEXT)
    assert {(w.name, w.layer) for w in found.weights} == {
        ("weight_hidden", 0), ("weight_input", 0), ("weight_hidden", 1), ("weight_input", 1), ("weight_output", 1)
    }  # fmt: skip
    for weight in found.weights:
        assert weight.difference < 1e-10
        assert weight.total_norm == pytest.approx(weight.autograd_norm, rel=1e-10)


@pytest.mark.parametrize("task", ["tagging", "classification"])
def test_both_directions_get_the_gradients_that_autograd_finds(loaded, task):
    found = backward(loaded(task=task, bidirectional=True, num_layers=2, subword_buckets=30), TEXT)
    assert len(found.layers) == 4
    assert max(weight.difference for weight in found.weights) < 1e-10


def test_the_gradient_of_the_embeddings_equals_a_finite_difference(loaded):
    model = loaded(cell="lstm")
    found = backward(model, TEXT, loss_step=8)

    def loss(shift: float) -> float:
        with torch.no_grad():
            double = torch.nn.Module.double(load_copy(model))
            ids = torch.tensor([model.encoder.encode(TEXT).ids])
            x = double.embed(ids)
            x[0, 2, 1] += shift
            logits = double.output(double.stack(x)[0][0])
            return -float(logits.log_softmax(-1)[8, ids[0, 9]])

    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    assert found.embeddings[2, 1] == pytest.approx(slope, rel=1e-5)


def load_copy(model):
    import copy

    return copy.deepcopy(model.model)


def test_steps_behind_the_loss_get_nothing_and_steps_before_it_something(loaded):
    found = backward(loaded(cell="gru"), TEXT, loss_step=5)
    norms = found.norms(0)["hidden_state"]
    assert (norms[6:] == 0).all()
    assert (norms[:6] > 0).all()
    assert found.target_names == ("t",)
    assert found.loss == found.losses[5]


def test_a_sum_of_losses_starts_at_the_last_step_that_has_a_next_piece(loaded):
    found = backward(loaded(), TEXT)
    assert found.loss_steps == tuple(range(len(TEXT) - 1))
    assert np.isnan(found.losses[-1])
    assert found.loss == pytest.approx(found.losses[:-1].sum())


@pytest.mark.parametrize("factor", [-1.0, 0.0, 2.0, 64.0])
def test_every_gradient_scales_with_the_last_error_and_the_forward_pass_stays(loaded, factor):
    model = loaded(cell="lstm", num_layers=2)
    once, scaled = (backward(model, TEXT, loss_step=20, multiplier=m) for m in (1.0, factor))
    np.testing.assert_array_equal(scaled.embeddings, factor * once.embeddings)
    for one, other in zip(once.layers, scaled.layers, strict=True):
        np.testing.assert_array_equal(other.pre_activation, factor * one.pre_activation)
    np.testing.assert_array_equal(scaled.losses, once.losses)


def test_the_running_sum_reaches_the_whole_gradient_at_the_first_step(loaded):
    found = backward(loaded(cell="gru"), TEXT)
    for weight in found.weights[:2]:
        assert weight.running_norms[0] == pytest.approx(weight.total_norm, rel=1e-10)
        assert weight.running_norms[-2] == pytest.approx(weight.step_norms[-2], rel=1e-10)
        assert weight.step_norms @ weight.agreement == pytest.approx(weight.total_norm, rel=1e-10)
        assert weight.shape[0] == 3 * found.layers[0].hidden_state.shape[1]


def test_tiles_average_the_matrix_that_autograd_finds(loaded):
    model = loaded(cell="rnn_tanh")
    weight = next(w for w in backward(model, TEXT).weights if w.name == "weight_hidden")
    rows, columns = weight.shape
    # The tiny model has fewer units than tiles: each tile is one weight, and the sum has the whole norm.
    assert weight.total_tiles.shape == (min(rows, 16), min(columns, 16))
    assert np.linalg.norm(weight.total_tiles) == pytest.approx(weight.total_norm, rel=1e-10)


def test_gradients_far_below_the_float32_range_are_numbers(loaded):
    model = loaded(cell="rnn_tanh")
    with torch.no_grad():
        model.model.stack.cell(0, "forward").weight_hidden.mul_(0.1)
    text = "to be or not " * 6
    norms = backward(model, text, loss_step=len(text) - 2).norms(0)["hidden_state"]
    assert 0 < norms[0] < 1e-45
    assert (norms[: len(text) - 1] > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_step": 21}, "loss_step is 21; allowed is 0 to 20."),
        ({"multiplier": 101.0}, "multiplier is 101.0; allowed is -100.0 to 100.0."),
    ],
)
def test_a_value_outside_its_range_says_the_range(loaded, options, message):
    with pytest.raises(InvalidInputError, match="allowed") as error:
        backward(loaded(), TEXT, **options)
    assert str(error.value) == message


def test_one_character_has_no_loss(loaded):
    with pytest.raises(InvalidInputError, match="type at least two"):
        backward(loaded(), "a")


def test_an_unknown_layer_is_named(loaded):
    with pytest.raises(UnknownNameError):
        backward(loaded(), TEXT).norms(3)
