"""Every cell against numpy loops from the papers' equations, and against torch.nn where torch has it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqviz.config import CELL_NAMES
from seqviz.models.cells import CELLS, Cell, make_cell
from tests.parity.reference import BLOCKS, ReferenceCell

INPUTS, UNITS, STEPS, BATCH = 5, 7, 13, 3
BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-5}
PRECISIONS = pytest.mark.parametrize("dtype", BOUNDS, ids=["float64", "float32"])


def build(name: str, dtype: torch.dtype, seed: int = 3) -> Cell:
    torch.manual_seed(seed)
    cell = make_cell(name, INPUTS, UNITS).to(dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(2.5)  # far enough from zero for every nonlinearity to bend
    return cell.eval().requires_grad_(False)


def reference(name: str, cell: Cell) -> ReferenceCell:
    return ReferenceCell(name, {key: value.double().numpy() for key, value in cell.named_parameters()})


def draw(*shape: int, dtype: torch.dtype, seed: int = 11) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def carry_of(cell: Cell, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    h = draw(BATCH, UNITS, dtype=dtype, seed=21).tanh()
    return (h, draw(BATCH, UNITS, dtype=dtype, seed=22)) if cell.has_cell_state else (h,)


def expected(name: str, cell: Cell, x: torch.Tensor, carry: tuple[torch.Tensor, ...]) -> list[dict[str, np.ndarray]]:
    states = [state.double().numpy() for state in carry]
    rows = range(len(x))
    return [reference(name, cell).run(x[row].double().numpy(), *(state[row] for state in states)) for row in rows]


def test_the_registry_the_configuration_and_the_references_name_the_same_cells():
    assert set(CELLS) == set(CELL_NAMES) == set(BLOCKS)


@PRECISIONS
@pytest.mark.parametrize("name", CELL_NAMES)
def test_run_computes_the_equations_of_the_papers(name: str, dtype: torch.dtype):
    cell = build(name, dtype)
    x, carry = draw(BATCH, STEPS, INPUTS, dtype=dtype), carry_of(cell, dtype)
    h, last = cell.run(x, carry)
    for row, values in enumerate(expected(name, cell, x, carry)):
        np.testing.assert_allclose(h[row].numpy(), values["hidden_state"], rtol=0, atol=BOUNDS[dtype])
        np.testing.assert_allclose(last[0][row].numpy(), values["hidden_state"][-1], rtol=0, atol=BOUNDS[dtype])
        if cell.has_cell_state:
            np.testing.assert_allclose(last[1][row].numpy(), values["cell_state"][-1], rtol=0, atol=BOUNDS[dtype])


@PRECISIONS
@pytest.mark.parametrize("name", CELL_NAMES)
def test_record_gives_every_quantity_of_every_step(name: str, dtype: torch.dtype):
    cell = build(name, dtype)
    x, carry = draw(BATCH, STEPS, INPUTS, dtype=dtype), carry_of(cell, dtype)
    recorded, last = cell.record(x, carry)
    assert recorded["pre_activation"].shape == (BATCH, STEPS, len(BLOCKS[name]), UNITS)
    for row, values in enumerate(expected(name, cell, x, carry)):
        plain = {key: value for key, value in values.items() if not key.startswith("pre_")}
        assert set(recorded) == {"pre_activation", *plain}
        for key, value in plain.items():
            np.testing.assert_allclose(recorded[key][row].numpy(), value, rtol=0, atol=BOUNDS[dtype], err_msg=key)
        for index, block in enumerate(BLOCKS[name]):
            np.testing.assert_allclose(
                recorded["pre_activation"][row, :, index].numpy(),
                values[f"pre_{block}"],
                rtol=0,
                atol=BOUNDS[dtype],
                err_msg=block,
            )
        np.testing.assert_allclose(last[0][row].numpy(), values["hidden_state"][-1], rtol=0, atol=BOUNDS[dtype])


@pytest.mark.parametrize("name", CELL_NAMES)
def test_a_text_read_in_two_parts_gives_the_states_of_the_text_read_at_once(name: str):
    cell = build(name, torch.float64)
    x = draw(BATCH, STEPS, INPUTS, dtype=torch.float64)
    whole, _ = cell.run(x, cell.initial_carry(BATCH))
    first, carry = cell.run(x[:, :5], cell.initial_carry(BATCH))
    second, _ = cell.record(x[:, 5:], carry)
    torch.testing.assert_close(torch.cat([first, second["hidden_state"]], 1), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CELL_NAMES)
def test_one_step_gives_what_the_whole_run_gives(name: str):
    cell = build(name, torch.float64)
    x = draw(BATCH, STEPS, INPUTS, dtype=torch.float64)
    whole, _ = cell.run(x, cell.initial_carry(BATCH))
    carry = cell.initial_carry(BATCH)
    for step in range(STEPS):
        carry, values = cell.step(cell.project_input(x[:, step]), carry)
        torch.testing.assert_close(values["hidden_state"], whole[:, step], rtol=0, atol=1e-12)


@PRECISIONS
@pytest.mark.parametrize("name", ["rnn_tanh", "rnn_relu", "gru", "lstm"])
def test_the_cells_that_torch_has_agree_with_torch_nn(name: str, dtype: torch.dtype):
    cell = build(name, dtype)
    kinds = {
        "rnn_tanh": torch.nn.RNNCell,
        "rnn_relu": torch.nn.RNNCell,
        "gru": torch.nn.GRUCell,
        "lstm": torch.nn.LSTMCell,
    }
    options = {"nonlinearity": name.removeprefix("rnn_")} if name.startswith("rnn") else {}
    twin = kinds[name](INPUTS, UNITS, dtype=dtype, **options)
    twin.load_state_dict(
        {
            "weight_ih": cell.weight_input,
            "weight_hh": cell.weight_hidden,
            "bias_ih": cell.bias_input,
            "bias_hh": cell.bias_hidden,
        }
    )
    x = draw(BATCH, STEPS, INPUTS, dtype=dtype)
    h, _ = cell.run(x, cell.initial_carry(BATCH))
    recorded, _ = cell.record(x, cell.initial_carry(BATCH))
    state = None
    for step in range(STEPS):
        state = twin(x[:, step], state)
        hidden = state[0] if name == "lstm" else state
        torch.testing.assert_close(h[:, step], hidden, rtol=0, atol=BOUNDS[dtype])
        torch.testing.assert_close(recorded["hidden_state"][:, step], hidden, rtol=0, atol=BOUNDS[dtype])
        if name == "lstm":
            torch.testing.assert_close(recorded["cell_state"][:, step], state[1], rtol=0, atol=BOUNDS[dtype])
