from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.traces import NO_TARGET, LayerTrace, RecurrentTrace, largest, num_bytes, structures_of


def layer_trace(direction: str = "forward", *, steps: int = 3) -> LayerTrace:
    states = np.arange(steps * 2, dtype=np.float32).reshape(steps, 2) / 10
    return LayerTrace(
        layer=0,
        direction=direction,
        cell="lstm",
        block_names=("input_gate",),
        inputs=np.ones((steps, 4), np.float32),
        pre_activation=states[:, None, :] - 1,
        gates={"input_gate": states + 0.5},
        cell_state=states * 2,
        hidden_state=states,
    )


def recurrent_trace(**changes: object) -> RecurrentTrace:
    values = {
        "model": "tiny",
        "task": "tagging",
        "structure": "many_to_many",
        "text": "a b c",
        "pieces": ("a", "b", "<unk>"),
        "originals": ("a", "b", "c"),
        "ids": np.array([1, 2, 0]),
        "fed_back": 3,
        "embeddings": np.zeros((3, 4), np.float32),
        "layers": (layer_trace(), layer_trace("backward")),
        "labels": ("O", "B-PER"),
        "logits": np.array([[0.0, 0.0], [3.0, 1.0], [-1000.0, 1000.0]], np.float32),
        "targets": np.array([1, NO_TARGET, 1]),
        "seconds": 0.0,
        **changes,
    }
    return RecurrentTrace(**values)


def test_probabilities_are_the_softmax_even_of_extreme_logits():
    trace = recurrent_trace()
    np.testing.assert_allclose(trace.probabilities[0], [0.5, 0.5])
    np.testing.assert_allclose(trace.probabilities[1], [0.880797, 0.119203], atol=1e-6)
    np.testing.assert_allclose(trace.probabilities[2], [0.0, 1.0])
    np.testing.assert_allclose(trace.log_probs[2], [-2000.0, 0.0])


def test_the_loss_is_in_nats_and_unknown_without_a_target():
    losses = recurrent_trace().losses
    np.testing.assert_allclose(losses, [0.693147, np.nan, 0.0], atol=1e-6)


def test_the_state_before_a_step_is_the_one_to_its_left_and_for_backward_layers_to_its_right():
    forward, backward = layer_trace(), layer_trace("backward")
    h, c = forward.before(1)
    np.testing.assert_array_equal(h, forward.hidden_state[0])
    np.testing.assert_array_equal(c, forward.cell_state[0])
    h, c = backward.before(1)
    np.testing.assert_array_equal(h, backward.hidden_state[2])
    np.testing.assert_array_equal(c, backward.cell_state[2])


@pytest.mark.parametrize(("direction", "first"), [("forward", 0), ("backward", 2)])
def test_the_first_step_of_a_direction_starts_from_zero(direction, first):
    h, c = layer_trace(direction).before(first)
    assert h.tolist() == [0.0, 0.0]
    assert c.tolist() == [0.0, 0.0]


def test_a_cell_without_a_cell_state_has_none_before_a_step_either():
    part = dataclasses.replace(layer_trace(), cell_state=None)
    assert part.before(0)[1] is None
    assert part.before(1)[1] is None
    assert list(part.quantities()) == ["input_gate", "hidden_state"]


def test_top_labels_are_sorted_and_limited():
    assert [name for name, _ in recurrent_trace().top(2)] == ["B-PER", "O"]
    assert recurrent_trace().top(1, 1)[0][0] == "O"


@pytest.mark.parametrize("step", [-1, 3])
def test_a_step_outside_the_text_is_refused(step):
    with pytest.raises(InvalidInputError, match=rf"^step is {step}; allowed is 0 to 2\.$"):
        recurrent_trace().top(step)


def test_a_missing_layer_is_refused_with_the_ones_there_are():
    with pytest.raises(UnknownNameError, match="layer '1 forward' is not known; known are: 0 forward, 0 backward"):
        recurrent_trace().layer(1)


def test_every_number_of_every_layer_is_a_row():
    rows = list(recurrent_trace().rows())
    # two directions, (gate + cell state + hidden state + one pre-activation), three steps, two units
    assert len(rows) == 2 * 4 * 3 * 2
    assert rows[0] == {
        "layer": 0,
        "direction": "forward",
        "step": 0,
        "token": "a",
        "quantity": "input_gate",
        "unit": 0,
        "value": "0.5",
    }
    assert {row["quantity"] for row in rows} == {
        "input_gate",
        "cell_state",
        "hidden_state",
        "pre_activation.input_gate",
    }


def test_no_array_of_a_trace_can_be_written_to():
    trace = recurrent_trace()
    part = trace.layers[1]
    for array in (trace.ids, trace.logits, trace.targets, trace.embeddings, part.inputs, part.gates["input_gate"]):
        assert not array.flags.writeable
    assert not part.hidden_state.flags.writeable
    assert not part.cell_state.flags.writeable


def test_the_size_of_a_trace_counts_all_its_arrays():
    trace = recurrent_trace()
    one_layer = 4 * (3 * 4 + 3 * 2 * 4)
    arrays = 2 * one_layer + trace.ids.nbytes + trace.targets.nbytes + 4 * (3 * 4 + 3 * 2)
    assert arrays < num_bytes(trace) < arrays + 4000


@pytest.mark.parametrize(
    ("task", "natural"),
    [("language_model", "many_to_many"), ("classification", "many_to_one"), ("tagging", "many_to_many")],
)
def test_every_task_has_its_natural_structure(task, natural):
    assert structures_of(task)[0] == natural


@pytest.mark.parametrize("count", [0, 1, 3, 7, 8, 20])
def test_the_largest_are_the_beginning_of_a_stable_sort(count: int):
    values = np.array([0.25, 0.5, 0.25, 0.125, 0.5, 0.25, 0.0, 0.125])
    assert largest(values, count).tolist() == np.argsort(-values, kind="stable")[:count].tolist()
