"""What the laboratory can be asked, and how it says what it cannot be asked."""

from __future__ import annotations

import numpy as np
import pytest

from seqviz.backends.local import LocalBackend
from seqviz.backends.requests import ActivationsRequest, CurvesRequest, SpectraRequest
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.laboratory import LaboratoryConfig
from seqviz.tracing.laboratory import curves, spectra


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"radius": 5.1}, "radius is 5.1; allowed is 0.0 to 5.0."),
        ({"radius": -0.1}, "radius is -0.1; allowed is 0.0 to 5.0."),
        ({"radius": float("nan")}, "radius is nan; allowed is 0.0 to 5.0."),
        ({"radius": "big"}, "radius is 'big'; it must be a number."),
        ({"hidden_size": 7}, "hidden_size is 7; allowed is 8 to 256."),
        ({"hidden_size": 64.5}, "hidden_size is 64.5; it must be a whole number."),
        ({"steps": 1001}, "steps is 1001; allowed is 1 to 1000."),
        ({"num_seeds": 0}, "num_seeds is 0; allowed is 1 to 10."),
        ({"forget_bias": 11.0}, "forget_bias is 11.0; allowed is -10.0 to 10.0."),
        ({"input_scale": 6.0}, "input_scale is 6.0; allowed is 0.0 to 5.0."),
        ({"cells": ()}, "There is no cell to look at: choose at least one."),
    ],
)
def test_a_value_outside_its_range_says_the_range(options, sentence):
    with pytest.raises(InvalidInputError) as error:
        LaboratoryConfig(**options)
    assert str(error.value) == sentence


@pytest.mark.parametrize("options", [{"cells": ("cnn",)}, {"activation": "gelu"}, {"start": "zeros"}])
def test_an_unknown_name_says_the_known_ones(options):
    with pytest.raises(UnknownNameError, match="known are: "):
        LaboratoryConfig(**options)


def test_what_does_not_concern_a_cell_leaves_its_configuration_as_it_is():
    one, other = LaboratoryConfig(activation="relu", forget_bias=3.0), LaboratoryConfig(activation="elu")
    assert [config.cells for config in one.each()] == [("rnn",), ("gru",), ("lstm",)]
    assert one.each()[0] != other.each()[0]
    assert one.each()[1] == other.each()[1]
    assert one.each()[2].forget_bias == 3.0
    assert one.each()[0].forget_bias == other.each()[0].forget_bias


def test_a_configuration_goes_through_plain_values():
    config = LaboratoryConfig(cells=("gru",), radius=1.5)
    assert LaboratoryConfig.from_dict(config.to_dict()) == config


def test_the_backend_answers_without_any_checkpoint(tmp_path):
    config = LaboratoryConfig(hidden_size=8, steps=20, num_seeds=2)
    with LocalBackend(workers=1, root=tmp_path) as backend:
        for cell in config.each():
            answer = backend.ask(CurvesRequest(config=cell))
            np.testing.assert_array_equal(answer.hidden_state, curves(cell).hidden_state)
            assert not answer.hidden_state.flags.writeable
        request = SpectraRequest(config=config.each()[2], kind="products", seed=2, part="cell_state")
        direct = spectra(config.each()[2], seed=2, kind="products", part="cell_state")
        np.testing.assert_array_equal(backend.ask(request).log_values, direct.log_values)
        assert backend.ask(request) is backend.ask(request)
        assert set(backend.ask(ActivationsRequest()).slopes) == {
            "logistic", "tanh", "relu", "leaky_relu", "elu", "identity"
        }  # fmt: skip
        with pytest.raises(InvalidInputError, match="seed is 3; allowed is 1 to 2"):
            backend.ask(SpectraRequest(config=config.each()[0], kind="steps", seed=3))
