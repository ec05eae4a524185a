"""Stacks of layers against torch.nn and against the numpy loops; directions, padding and carries."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqviz.config import CELL_NAMES
from seqviz.models.stack import RecurrentStack, reverse
from tests.parity.reference import BLOCKS, ReferenceCell

INPUTS, UNITS, STEPS, BATCH = 4, 6, 11, 3
BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-5}
PRECISIONS = pytest.mark.parametrize("dtype", BOUNDS, ids=["float64", "float32"])
SHAPES = pytest.mark.parametrize(
    ("num_layers", "bidirectional"), [(1, False), (1, True), (3, False), (2, True)], ids=["1", "1 both", "3", "2 both"]
)


def build(cell: str, *, num_layers: int, bidirectional: bool, dtype: torch.dtype = torch.float64) -> RecurrentStack:
    torch.manual_seed(5)
    stack = RecurrentStack(cell, INPUTS, UNITS, num_layers=num_layers, bidirectional=bidirectional).to(dtype)
    return stack.eval().requires_grad_(False)


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64).to(dtype)


@PRECISIONS
@SHAPES
@pytest.mark.parametrize("name", ["rnn_tanh", "rnn_relu", "gru", "lstm"])
def test_stacks_agree_with_torch_nn(name: str, num_layers: int, bidirectional: bool, dtype: torch.dtype):
    stack = build(name, num_layers=num_layers, bidirectional=bidirectional, dtype=dtype)
    kinds = {"rnn_tanh": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
    options = {"nonlinearity": name.removeprefix("rnn_")} if name.startswith("rnn") else {}
    twin = kinds[name](INPUTS, UNITS, num_layers, batch_first=True, bidirectional=bidirectional, dtype=dtype, **options)
    names = {
        "weight_input": "weight_ih",
        "weight_hidden": "weight_hh",
        "bias_input": "bias_ih",
        "bias_hidden": "bias_hh",
    }
    twin.load_state_dict(
        {
            f"{torch_name}_l{layer}{'_reverse' * (direction == 'backward')}": getattr(
                cells[f"{direction}_cell"], own_name
            )
            for layer, cells in enumerate(stack.layers)
            for direction in stack.directions
            for own_name, torch_name in names.items()
        }
    )
    x = draw(BATCH, STEPS, INPUTS, dtype=dtype)
    expected, _ = twin(x)
    states, _ = stack(x)
    torch.testing.assert_close(states, expected, rtol=0, atol=BOUNDS[dtype])
    recorded, _ = stack.record(x[:1])
    torch.testing.assert_close(recorded, expected[:1], rtol=0, atol=BOUNDS[dtype])


@PRECISIONS
@SHAPES
@pytest.mark.parametrize("name", CELL_NAMES)
def test_every_layer_and_direction_follows_the_equations_in_the_order_of_the_text(
    name: str, num_layers: int, bidirectional: bool, dtype: torch.dtype
):
    stack = build(name, num_layers=num_layers, bidirectional=bidirectional, dtype=dtype)
    x = draw(1, STEPS, INPUTS, dtype=dtype)
    states, recorded = stack.record(x)
    below, place = x[0].double().numpy(), 0
    for layer, cells in enumerate(stack.layers):
        outputs = []
        for direction in stack.directions:
            weights = {key: value.double().numpy() for key, value in cells[f"{direction}_cell"].named_parameters()}
            cell = ReferenceCell(name, weights)
            values = cell.run(below) if direction == "forward" else cell.run_backward(below)
            part, place = recorded[place], place + 1
            assert (part.layer, part.direction) == (layer, direction)
            np.testing.assert_allclose(part.inputs[0].numpy(), below, rtol=0, atol=BOUNDS[dtype])
            for key, value in part.values.items():
                if key == "pre_activation":
                    wanted = np.stack([values[f"pre_{block}"] for block in BLOCKS[name]], 1)
                else:
                    wanted = values[key]
                np.testing.assert_allclose(value[0].numpy(), wanted, rtol=0, atol=BOUNDS[dtype], err_msg=key)
            outputs.append(values["hidden_state"])
        below = np.concatenate(outputs, 1)
    assert place == len(recorded)
    np.testing.assert_allclose(states[0].numpy(), below, rtol=0, atol=BOUNDS[dtype])
    np.testing.assert_allclose(stack(x)[0][0].numpy(), below, rtol=0, atol=BOUNDS[dtype])


@SHAPES
@pytest.mark.parametrize("name", CELL_NAMES)
def test_a_padded_batch_gives_what_each_sequence_gives_alone(name: str, num_layers: int, bidirectional: bool):
    stack = build(name, num_layers=num_layers, bidirectional=bidirectional)
    lengths = [STEPS, 4, 1]
    x = draw(BATCH, STEPS, INPUTS)
    padded, _ = stack(x, lengths=torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone, _ = stack(x[row : row + 1, :length])
        torch.testing.assert_close(padded[row, :length], alone[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CELL_NAMES)
def test_carries_continue_a_stack_where_it_stopped(name: str):
    stack = build(name, num_layers=2, bidirectional=False)
    x = draw(BATCH, STEPS, INPUTS)
    whole, last = stack(x)
    first, carries = stack(x[:, :6])
    second, continued = stack(x[:, 6:], carries=carries)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=0, atol=1e-12)
    for layer, layer_again in zip(last, continued, strict=True):
        for state, again in zip(layer, layer_again, strict=True):
            torch.testing.assert_close(again, state, rtol=0, atol=1e-12)


def test_reversing_leaves_the_padding_where_it_is():
    x = torch.tensor([[1.0, 2.0, 3.0, 0.0], [4.0, 5.0, 6.0, 7.0]]).unsqueeze(-1)
    reversed_rows = reverse(x, torch.tensor([3, 4]))
    assert reversed_rows.squeeze(-1).tolist() == [[3.0, 2.0, 1.0, 0.0], [7.0, 6.0, 5.0, 4.0]]
