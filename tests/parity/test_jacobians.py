"""Jacobians from recorded gates against autograd, and spectra of long products against 60-digit arithmetic."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch

from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.laboratory import LaboratoryConfig
from seqviz.models.cells import make_cell
from seqviz.models.loading import load_model
from seqviz.tracing import jacobians
from seqviz.tracing.laboratory import fresh_cell, run, spectra, trained_spectra
from tests.helpers import write_tiny_checkpoint

STEPS, UNITS = 6, 5


def recorded(name: str, *, steps: int = STEPS, units: int = UNITS, seed: int = 3):
    torch.manual_seed(seed)
    cell = make_cell(name, 4, units).double().requires_grad_(False)
    x = torch.randn(1, steps, 4).double()
    values = {key: value[0] for key, value in cell.record(x, cell.initial_carry(1))[0].items()}
    return cell, x[0], values


def step_function(cell, x):
    """s_{t-1} -> s_t as one vector, (h) or (h, c)."""

    def advance(state: torch.Tensor) -> torch.Tensor:
        carry = tuple(part.unsqueeze(0) for part in state.split(cell.hidden_size))
        carry, _ = cell.step(cell.project_input(x.unsqueeze(0)), carry)
        return torch.cat([part[0] for part in carry])

    return advance


def state(values, step: int, cell) -> torch.Tensor:
    names = ("hidden_state", "cell_state")[: 2 if cell.has_cell_state else 1]
    if step < 0:
        return torch.zeros(len(names) * cell.hidden_size).double()
    return torch.cat([values[name][step] for name in names])


@pytest.mark.parametrize("name", CELL_NAMES)
def test_the_jacobian_of_every_step_is_that_of_autograd(name):
    cell, x, values = recorded(name)
    ours = jacobians.jacobians(cell, values)(slice(None))
    for step in range(STEPS):
        theirs = torch.autograd.functional.jacobian(step_function(cell, x[step]), state(values, step - 1, cell))
        torch.testing.assert_close(ours[step], theirs, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", CELL_NAMES)
def test_singular_values_of_steps_and_products_are_those_of_autograds_jacobians(name):
    cell, x, values = recorded(name)

    def last_state_from(step: int):
        def advance(before: torch.Tensor) -> torch.Tensor:
            for row in x[step:]:
                before = step_function(cell, row)(before)
            return before

        return advance

    found = jacobians.spectra(cell, values, kind="products")
    assert found.places.tolist() == [1, 2, 3, 4, 5, 6]
    for row, length in zip(found.log_values, found.places, strict=True):
        start = STEPS - int(length)
        whole = torch.autograd.functional.jacobian(last_state_from(start), state(values, start - 1, cell))
        expected = torch.linalg.svdvals(whole).numpy()
        known = ~np.isnan(row)
        assert known[0]
        np.testing.assert_allclose(10 ** row[known], expected[known], rtol=1e-8, atol=1e-13 * expected[0])
        assert (expected[~known] < 1e-13 * expected[0]).all()
    steps = jacobians.spectra(cell, values, kind="steps")
    np.testing.assert_allclose(10 ** steps.log_values[-1], 10 ** found.log_values[0], rtol=1e-12)


def exact_product(matrices: torch.Tensor, count: int) -> mpmath.matrix:
    """The product of the last ``count`` matrices with 60 digits."""
    product = mpmath.eye(matrices.shape[1])
    for matrix in matrices.flip(0)[:count]:
        product = product * mpmath.matrix(matrix.tolist())
    return product


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("rnn", {"radius": 0.1}),
        ("rnn", {"radius": 3.0, "activation": "elu"}),
        ("rnn", {"radius": 1.0, "start": "orthogonal"}),
        ("gru", {"radius": 1.2}),
        ("lstm", {"radius": 1.0}),
    ],
)
def test_every_singular_value_that_is_shown_of_a_long_product_is_right(cell, options):
    config = LaboratoryConfig(cells=(cell,), hidden_size=8, steps=150, num_seeds=1, **options)
    one = run(config, 1)
    found = spectra(config, seed=1, kind="products")
    matrices = jacobians.jacobians(one.cell, one.values)(slice(None))
    with mpmath.workdps(400):
        for count in (1, 20, 150):
            row = found.log_values[count - 1]
            exact = sorted(mpmath.svd(exact_product(matrices, count), compute_uv=False), reverse=True)
            logs = np.array([float(mpmath.log10(value)) for value in exact])
            known = ~np.isnan(row)
            assert known[0]
            assert row[0] == pytest.approx(logs[0], abs=1e-10)
            # Near the resolution a value is known to some per cent, farther above it to more digits.
            off = np.abs(10 ** (row[known] - logs[known]) - 1)
            assert (off <= 10 ** (found.resolution[count - 1] - logs[known]) + 1e-10).all()
            assert (logs[~known] < found.resolution[count - 1] + 0.5).all()


def test_an_orthogonal_matrix_and_no_activation_give_one_singular_value_g_to_the_k():
    config = LaboratoryConfig(
        cells=("rnn",),
        activation="identity",
        start="orthogonal",
        radius=0.5,
        hidden_size=8,
        steps=1000,
        input_scale=0.1,
    )
    found = spectra(config, seed=2, kind="products")
    expected = np.outer(np.arange(1, 1001) * math.log10(0.5), np.ones(8))
    np.testing.assert_allclose(found.log_values, expected, rtol=0, atol=1e-10)
    assert found.log_values[-1, 0] == pytest.approx(-301.03, abs=0.001)
    assert found.log_bound == pytest.approx(math.log10(0.5))


def test_no_product_is_above_the_bound_of_the_logistic_activation():
    config = LaboratoryConfig(cells=("rnn",), activation="logistic", radius=4.0, hidden_size=16, steps=60)
    found = spectra(config, seed=1, kind="products")
    largest = torch.linalg.svdvals(fresh_cell(config, 1).weight_hidden)[0]
    assert found.log_bound == pytest.approx(math.log10(0.25 * float(largest)))
    assert (found.log_values[:, 0] <= found.places * found.log_bound).all()


def test_the_cell_states_own_jacobian_is_the_forget_gate_and_its_product_exact_at_any_length():
    config = LaboratoryConfig(cells=("lstm",), hidden_size=8, steps=400, forget_bias=-3.0)
    forget = run(config, 1).values["forget_gate"].numpy()
    steps = spectra(config, seed=1, kind="steps", part="cell_state")
    np.testing.assert_allclose(10**steps.log_values, -np.sort(-forget[1:], 1), rtol=1e-12)
    assert steps.places.tolist() == list(range(1, 401))
    found = spectra(config, seed=1, kind="products", part="cell_state")
    exact = np.sort([math.fsum(math.log10(value) for value in column) for column in forget[1:].T])[::-1]
    np.testing.assert_allclose(found.log_values[-1], exact, rtol=1e-12)
    assert found.log_values[-1, -1] < -400
    assert not found.hidden.any()


def test_large_matrices_are_taken_in_part_and_the_part_is_that_of_the_whole():
    cell, _, values = recorded("lstm", steps=40)
    whole = {kind: jacobians.spectra(cell, values, kind=kind) for kind in jacobians.KINDS}
    size = 2 * UNITS
    for kind in jacobians.KINDS:
        part = jacobians.spectra(cell, values, kind=kind, max_product_work=25 * size**3, max_svd_work=9 * size**3)
        assert (part.num_steps, part.total_steps, len(part.places)) == (25, 40, 9)
        assert part.places[[0, -1]].tolist() == ([15, 39] if kind == "steps" else [1, 25])
        rows = np.searchsorted(whole[kind].places, part.places)
        np.testing.assert_allclose(part.log_values, whole[kind].log_values[rows], rtol=0, atol=1e-9)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_trained_models_jacobians_are_those_of_its_own_run(tmp_path, direction):
    write_tiny_checkpoint(tmp_path, name="tiny", task="tagging", cell="gru", bidirectional=True, num_layers=2)
    loaded = load_model("tiny", root=tmp_path)
    text = "Yesterday Harry met Hermione ."
    found = trained_spectra(loaded, text, layer=1, direction=direction, kind="steps")
    assert found.pieces == ("Yesterday", "Harry", "met", "Hermione", ".")
    assert found.places.tolist() == [0, 1, 2, 3, 4]
    stack = loaded.model.double().stack
    with torch.no_grad():
        x = loaded.model.embed(torch.tensor([loaded.encoder.encode(text).ids]))
        _, layers = stack.record(x.double())
    one = next(one for one in layers if (one.layer, one.direction) == (1, direction))
    cell = stack.cell(1, direction)
    for step in range(5):
        before = step - 1 if direction == "forward" else step + 1
        h = one.values["hidden_state"][0, before] if 0 <= before < 5 else torch.zeros(8).double()
        theirs = torch.autograd.functional.jacobian(step_function(cell, one.inputs[0, step]), h)
        np.testing.assert_allclose(10 ** found.log_values[step], torch.linalg.svdvals(theirs).detach(), rtol=1e-6)


def test_what_does_not_exist_is_named():
    cell, _, values = recorded("gru")
    with pytest.raises(InvalidInputError, match="has no cell state"):
        jacobians.spectra(cell, values, kind="steps", part="cell_state")
    with pytest.raises(UnknownNameError, match="known are: steps, products"):
        jacobians.spectra(cell, values, kind="sums")
    with pytest.raises(UnknownNameError, match="known are: state, cell_state"):
        jacobians.spectra(cell, values, kind="steps", part="h")
