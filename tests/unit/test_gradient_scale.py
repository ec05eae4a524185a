"""Gradients as colours and words: over powers of ten nothing that is not 0 looks like 0."""

from __future__ import annotations

import numpy as np
import pytest

from seqviz.charts.gradient_scale import GradientScale, compact, power, scale_of, scaled_floats, scientific


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0321, "0.032"),
        (-1.5, "−1.5"),
        (3.21e-7, "3.2·10⁻⁷"),
        (-4.4e-120, "−4.4·10⁻¹²⁰"),
        (123456, "1.2·10⁵"),
    ],
)
def test_a_number_in_a_few_signs(value, text):
    assert scientific(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.034, "0.03"), (3e-7, "3e−7"), (1e-45, "1e−45"), (12345, "1e4")]
)
def test_a_number_for_a_narrow_place(value, text):
    assert compact(value) == text


def test_powers_of_ten():
    assert [power(e) for e in (-12, 0, 1, 3)] == ["10⁻¹²", "1", "10", "10³"]


def test_a_log_scale_spans_what_the_numbers_span():
    scale = scale_of([np.array([1e-4, -1e-2, 0.5])], "log", smallest_share=0.0)
    assert (scale.top, scale.decades) == (0, 4)
    np.testing.assert_allclose(scale.codes(np.array([0.0, 1.0, -1e-2, 1e-4, 1e-9])), [0, 1, -0.5, 0, 0], atol=1e-12)
    assert scale.ends() == ("−1", "< 10⁻⁴", "1")


def test_a_log_scale_spans_at_most_twelve_powers():
    scale = scale_of([np.array([1e-80, 1.0])], "log", smallest_share=0.0)
    assert scale.decades == 12


def test_a_relative_scale_is_linear():
    scale = scale_of([np.array([-4.0, 1.0])], "relative")
    np.testing.assert_array_equal(scale.codes(np.array([-4.0, 1.0, 0.0])), [-1.0, 0.25, 0.0])
    assert scale.ends() == ("−4", "0", "4")


def test_nothing_at_all_is_neutral():
    scale = scale_of([np.zeros(3)], "log")
    np.testing.assert_array_equal(scale.codes(np.zeros(3)), np.zeros(3))
    assert GradientScale(kind="log", largest=0.0).top == 0


@pytest.mark.parametrize("size", [1.0, 1e-60, 1e-300, 1e200])
def test_float32_carries_any_size_with_a_power_of_two_a_row(size):
    values = size * np.array([[0.1, -0.7], [0.0, 0.0], [3.0, 2e-5]])
    rows, powers = scaled_floats(values)
    back = np.ldexp(rows.astype(np.float32).astype(np.float64), np.array(powers)[:, None])
    np.testing.assert_allclose(back, values, rtol=1e-7)
