from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from seqviz.export import agreement_csv, agreement_json, trace_csv, trace_json, unit_sum_csv
from seqviz.gradients import Agreement
from seqviz.models.loading import load_model
from seqviz.tracing.arithmetic import unit_sum
from seqviz.tracing.forward import trace
from tests.helpers import write_tiny_checkpoint


@pytest.fixture
def loaded(tmp_path):
    write_tiny_checkpoint(tmp_path, name="tiny", task="tagging", bidirectional=True)
    return load_model("tiny", root=tmp_path)


def test_json_gives_back_every_float32_to_the_last_bit(loaded):
    result = trace(loaded, 'He said "é"')
    content = json.loads(trace_json(result))
    assert (content["format"], content["format_version"]) == ("seqviz-trace", 1)
    assert content["originals"] == ["He", "said", '"', "é", '"']
    np.testing.assert_array_equal(np.array(content["logits"], np.float32), result.logits)
    for part, layer in zip(content["layers"], result.layers, strict=True):
        assert part["direction"] == layer.direction
        np.testing.assert_array_equal(np.array(part["pre_activation"], np.float32), layer.pre_activation)
        for name, array in layer.quantities().items():
            np.testing.assert_array_equal(np.array(part[name], np.float32), array)


def test_json_has_no_value_that_other_readers_refuse(loaded):
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    content = json.loads(trace_json(trace(loaded, "Harry met Hermione")), parse_constant=refuse)
    assert content["losses"] == [None, None, None]


def test_csv_has_a_row_for_every_number_and_gives_it_back(loaded):
    result = trace(loaded, 'said "," !')
    rows = list(csv.DictReader(io.StringIO(trace_csv(result))))
    assert len(rows) == 2 * (4 + 4 + 2) * len(result) * 8
    wanted = [
        row
        for row in rows
        if (row["direction"], row["step"], row["quantity"], row["unit"]) == ("backward", "2", "cell_state", "5")
    ]
    assert [row["token"] for row in wanted] == [","]
    assert np.float32(wanted[0]["value"]) == result.layer(0, "backward").cell_state[2, 5]


def test_the_terms_of_a_sum_are_rows_the_largest_first(loaded):
    result = trace(loaded, "Harry met Hermione")
    found = unit_sum(loaded, result, layer=0, step=1, unit=0, block="candidate")
    rows = list(csv.DictReader(io.StringIO(unit_sum_csv(found))))
    assert len(rows) == 6 + 8 + 1
    assert float(rows[0]["product"]) == found.terms[0].product
    assert sum(float(row["product"]) for row in rows) == pytest.approx(found.pre_activation, abs=1e-5)


def test_the_long_dependency_has_a_row_for_every_text():
    found = Agreement(
        model="m",
        cell="gru",
        subjects=("cat", "cats"),
        verbs=("was", "were"),
        clause=("which", "ate"),
        unknown=(),
        log_probs=np.arange(12.0).reshape(2, 3, 2),
        subject_state=np.ones((2, 3)),
        subject_embedding=np.full((2, 3), 0.5),
        seconds=0.0,
    )
    rows = list(csv.DictReader(io.StringIO(agreement_csv([found]))))
    assert len(rows) == 6
    assert rows[4] == {
        "model": "m", "subject": "cats", "length": "1", "last_word": "which", "log_prob_one": "8.0",
        "log_prob_many": "9.0", "state": "1.0", "embedding": "0.5",
    }  # fmt: skip
    assert json.loads(agreement_json([found]))["models"][0]["log_probs"][1][2] == [10.0, 11.0]
