"""The laboratory's norm curves against autograd, exact numbers, and 400-digit arithmetic."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch

from seqviz.errors import InvalidInputError
from seqviz.laboratory import ACTIVATIONS, FLOAT32_FLOOR, MAX_SLOPES, STARTS, LaboratoryConfig
from seqviz.models.cells import make_cell
from seqviz.tracing import jacobians
from seqviz.tracing.backward import cell_gradients
from seqviz.tracing.laboratory import activation_curves, curves, fresh_cell, run


def one(**options) -> LaboratoryConfig:
    """A small configuration of one cell."""
    return LaboratoryConfig(**{"cells": ("rnn",), "hidden_size": 8, "steps": 39, "num_seeds": 2} | options)


@pytest.mark.parametrize("cell", ["gru", "lstm", *(f"rnn_{name}" for name in ACTIVATIONS)])
def test_the_norms_are_those_of_autograd(cell):
    kind, _, activation = cell.partition("_")
    config = one(cells=(kind,), activation=activation or "tanh", start="orthogonal", radius=1.1)
    found = curves(config)
    for seed in (1, 2):
        fresh = fresh_cell(config, seed).requires_grad_(True)
        # The same inputs and error as documented: normal draws of their own streams.
        x = torch.randn(40, 8, generator=torch.Generator().manual_seed(8 * seed + 7), dtype=torch.float64)
        error = torch.randn(8, generator=torch.Generator().manual_seed(8 * seed + 6), dtype=torch.float64)
        carry = fresh.initial_carry(1)
        states = []
        for row in x:
            carry, _ = fresh.step(fresh.project_input(row.unsqueeze(0)), carry)
            for state in carry:
                state.retain_grad()
            states.append(carry)
        (carry[0][0] @ (error / error.norm())).backward()
        for index, log_norms in enumerate((found.hidden_state, found.cell_state)[: len(carry)]):
            theirs = [float(pair[index].grad.norm()) for pair in reversed(states)]
            np.testing.assert_allclose(10 ** log_norms[seed - 1], theirs, rtol=1e-10)


@pytest.mark.parametrize("name", ["rnn_tanh", "gru", "gru_simplified", "gru_reset_before", "lstm", "lstm_peephole"])
@pytest.mark.parametrize("gain", [0.01, 6.0])
def test_a_running_power_of_two_changes_no_digit(name, gain):
    torch.manual_seed(1)
    cell = make_cell(name, 3, 4).double().requires_grad_(False)
    cell.weight_hidden *= gain
    x, from_above = torch.randn(1, 60, 3).double(), torch.randn(60, 4).double()
    from_above[20:55] = 0
    values = {key: value[0] for key, value in cell.record(x, cell.initial_carry(1))[0].items()}
    exponents = np.zeros(60, np.int64)
    plain, scaled = (
        cell_gradients(cell, values, from_above),
        cell_gradients(cell, values, from_above, exponents=exponents),
    )
    factors = torch.tensor(2.0**exponents).unsqueeze(1)
    torch.testing.assert_close(scaled.hidden_state * factors, plain.hidden_state, rtol=1e-13, atol=1e-200)
    torch.testing.assert_close(
        scaled.pre_activation * factors.unsqueeze(2), plain.pre_activation, rtol=1e-13, atol=1e-200
    )


def exact_log_norm(config: LaboratoryConfig, seed: int) -> float:
    """log10 of the norm at the first step, by 60-digit products of the Jacobians."""
    found = run(config, seed)
    matrices = jacobians.jacobians(found.cell, found.values)(slice(None))
    error = torch.randn(config.hidden_size, generator=torch.Generator().manual_seed(8 * seed + 6), dtype=torch.float64)
    with mpmath.workdps(60):
        units = config.hidden_size
        row = mpmath.matrix([*(error / error.norm()).tolist(), *[0.0] * (matrices.shape[1] - units)]).T
        for matrix in matrices.flip(0)[:-1]:
            row = row * mpmath.matrix(matrix.tolist())
        return float(mpmath.log10(mpmath.norm(row[:, :units].T)))


@pytest.mark.parametrize(
    ("options", "magnitude"),
    [
        ({"radius": 0.1}, (-1400, -1100)),
        ({"radius": 5.0, "input_scale": 0.0}, (690, 705)),
        ({"radius": 2.0, "activation": "elu", "start": "orthogonal"}, (5, 400)),
        ({"radius": 5.0, "start": "identity", "input_scale": 5.0}, (-10_000, -1000)),
        ({"radius": 0.05, "cells": ("lstm",), "forget_bias": -2.0}, (-2000, -700)),
    ],
)
def test_a_thousand_steps_leave_the_range_of_float64_and_the_logarithms_stay_right(options, magnitude):
    config = one(steps=999, num_seeds=1, **options)
    last = curves(config).hidden_state[0, -1]
    assert magnitude[0] < last < magnitude[1]
    assert last == pytest.approx(exact_log_norm(config, 1), rel=1e-10)


@pytest.mark.parametrize("radius", [0.9, 1.0, 1.1])
def test_a_self_link_carries_the_gradient_times_its_weight_to_the_power_of_the_steps(radius):
    found = curves(one(activation="identity", start="identity", radius=radius, steps=999, input_scale=0.0))
    expected = np.arange(1000) * math.log10(radius)
    np.testing.assert_allclose(found.hidden_state, [expected, expected], rtol=1e-12, atol=1e-12)


def test_a_self_link_of_weight_1_carries_the_gradient_1_exactly():
    config = one(activation="identity", start="identity", radius=1.0, steps=999)
    found = curves(config)
    assert (found.hidden_state == found.hidden_state[:, :1]).all()
    np.testing.assert_allclose(10**found.hidden_state, 1.0, rtol=1e-15)


def test_an_orthogonal_matrix_of_gain_g_without_activation_gives_the_norm_g_to_the_k_exactly():
    found = curves(one(activation="identity", start="orthogonal", radius=0.5, steps=999))
    expected = np.arange(1000) * math.log10(0.5)
    np.testing.assert_allclose(found.hidden_state, [expected, expected], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.sigma_max, 0.5)
    np.testing.assert_allclose(found.log_bound, math.log10(0.5))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("start", STARTS)
def test_no_curve_is_above_the_bound(activation, start):
    found = curves(one(activation=activation, start=start, radius=1.5))
    steps = np.arange(40)
    assert (found.hidden_state <= found.log_bound[:, None] * steps + 1e-9).all()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_recurrent_matrix_has_the_spectral_radius_that_is_asked(start, cell):
    config = one(cells=(cell,), start=start, radius=1.7, hidden_size=32)
    for block in fresh_cell(config, 3).weight_hidden.split(32):
        assert float(torch.linalg.eigvals(block).abs().max()) == pytest.approx(1.7, rel=1e-10)
        if start != "gaussian":
            torch.testing.assert_close(torch.linalg.svdvals(block), torch.full((32,), 1.7).double())


def test_cells_of_one_seed_share_the_candidates_matrix_and_the_forget_gate_has_its_bias():
    rnn, gru, lstm = (fresh_cell(one(cells=(cell,), forget_bias=2.5), 1) for cell in ("rnn", "gru", "lstm"))
    assert torch.equal(rnn.weight_hidden, jacobians.recurrent_matrix(gru))
    assert torch.equal(rnn.weight_hidden, jacobians.recurrent_matrix(lstm))
    assert lstm.bias_input.tolist() == [0.0] * 8 + [2.5] * 8 + [0.0] * 16
    assert not torch.equal(fresh_cell(one(), 1).weight_hidden, fresh_cell(one(), 2).weight_hidden)


def test_a_state_that_overflows_is_named_with_its_step_and_the_error_enters_before_it():
    found = curves(one(activation="identity", start="identity", radius=4.0, steps=999))
    for seed, step in enumerate(found.overflow_steps):
        assert 500 < step < 530  # 4^512 is 2^1024
        assert np.isnan(found.hidden_state[seed, step - 1 :]).all()
        np.testing.assert_allclose(
            found.hidden_state[seed, : step - 1], np.arange(step - 1) * math.log10(4.0), atol=1e-10
        )
    calm = curves(one(radius=3.0, steps=999))
    assert calm.overflow_steps == (0, 0)


def test_an_exact_zero_is_minus_infinity_and_no_number():
    found = curves(one(radius=0.0))
    assert (found.hidden_state[:, 1:] == -np.inf).all()
    assert not np.isnan(found.hidden_state).any()


def test_a_tanh_that_saturates_still_has_a_slope():
    found = curves(one(start="identity", radius=5.0, input_scale=5.0, steps=300))
    assert np.isfinite(found.hidden_state).all()
    assert (found.hidden_state[:, -1] < -300).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slopes_are_those_of_autograd_and_the_greatest_is_as_stated(activation):
    found = activation_curves(reach=3.0, points=62)
    z = torch.tensor(found.z, requires_grad=True)
    h = make_cell(f"rnn_{activation}", 1, 1).double()
    from seqviz.models.activations import ACTIVATIONS as FUNCTIONS

    assert h.activation == activation
    value = FUNCTIONS[activation](z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    np.testing.assert_allclose(found.values[activation], value.detach(), rtol=1e-14)
    np.testing.assert_allclose(found.slopes[activation], slope, rtol=1e-10)
    wide = activation_curves(reach=60.0, points=100_001)
    assert wide.slopes[activation].max() == pytest.approx(MAX_SLOPES[activation], rel=1e-6)


def test_curves_are_of_one_cell_at_a_time():
    with pytest.raises(InvalidInputError, match="A run is of one cell, not of 3"):
        curves(LaboratoryConfig())


def test_the_floor_of_float32_is_its_smallest_number():
    assert pytest.approx(float(np.nextafter(np.float32(0), np.float32(1))), rel=1e-6) == 10**FLOAT32_FLOOR
    assert torch.tensor(10 ** (FLOAT32_FLOOR - 0.31)).to(torch.float32) == 0
