from __future__ import annotations

import dataclasses

import pytest

from seqviz.config import CELL_NAMES, ModelConfig, TrainConfig
from seqviz.errors import InvalidInputError, UnknownNameError

MODEL = {
    "task": "tagging",
    "cell": "lstm",
    "vocabulary_size": 10,
    "embedding_size": 4,
    "hidden_size": 8,
    "output_size": 3,
}


def test_a_model_configuration_survives_a_round_trip_through_a_plain_dict():
    config = ModelConfig(**MODEL, num_layers=2, bidirectional=True, subword_buckets=7, dropout=0.25)
    assert ModelConfig.from_dict(config.to_dict()) == config


def test_a_training_configuration_survives_a_round_trip_through_a_plain_dict():
    config = TrainConfig(batch_size=3, precision="bfloat16", clip_norm=0.5)
    assert TrainConfig.from_dict(config.to_dict()) == config


def test_an_unknown_key_is_refused_by_name_with_the_known_ones():
    with pytest.raises(
        UnknownNameError, match=r"field 'hidden_sise' is not known; known are: task, cell, .*hidden_size"
    ):
        ModelConfig.from_dict({**MODEL, "hidden_sise": 8})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocabulary_size", 0),
        ("embedding_size", 0),
        ("hidden_size", 0),
        ("hidden_size", 8193),
        ("output_size", 0),
        ("num_layers", 0),
        ("num_layers", 17),
        ("subword_buckets", -1),
        ("dropout", 1.0),
        ("dropout", float("nan")),
    ],
)
def test_a_model_size_outside_its_range_is_refused_with_field_value_and_range(field, value):
    with pytest.raises(InvalidInputError, match=rf"^{field} is {value}; allowed is "):
        ModelConfig(**{**MODEL, field: value})


@pytest.mark.parametrize(("field", "value"), [("task", "translation"), ("cell", "transformer")])
def test_an_unknown_task_or_cell_is_refused_with_the_choices(field, value):
    with pytest.raises(UnknownNameError, match=rf"{field} '{value}' is not known; known are: "):
        ModelConfig(**{**MODEL, field: value})


@pytest.mark.parametrize("value", [8.5, "8", True, None])
def test_a_size_that_is_no_whole_number_is_refused(value):
    with pytest.raises(InvalidInputError, match=r"^hidden_size is .*; it must be a whole number\.$"):
        ModelConfig(**{**MODEL, "hidden_size": value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("batch_size", 0), ("learning_rate", 0.0), ("clip_norm", -1.0), ("patience", 0), ("label_smoothing", 1.0)],
)
def test_a_training_setting_outside_its_range_is_refused(field, value):
    with pytest.raises(InvalidInputError, match=rf"^{field} is {value}; allowed is "):
        TrainConfig(**{field: value})


def test_an_unknown_precision_is_refused():
    with pytest.raises(UnknownNameError, match="precision 'float16'"):
        TrainConfig(precision="float16")


def test_configurations_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig(**MODEL).cell = "gru"


def test_the_twelve_cells_of_the_first_room_are_there():
    assert len(CELL_NAMES) == len(set(CELL_NAMES)) == 12
