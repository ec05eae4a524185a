"""One gradient taken apart: its addends add up to it, and so do plain PyTorch and the formulas on the page."""

from __future__ import annotations

import contextlib
import io
import re

import numpy as np
import pytest

from seqviz.charts.backward_equations import backward_equations
from seqviz.charts.gradient_sum import gradient_sum_chart, gradient_sum_rows, gradient_sum_sentence
from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.models.loading import load_model
from seqviz.tracing import forward
from seqviz.tracing.gradient_sum import gradient_sum
from seqviz.tracing.gradients import backward
from tests.helpers import write_tiny_checkpoint

TEXT = "the cat sat on the mat"


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    def make(**options):
        write_tiny_checkpoint(tmp_path, name="tiny", **options)
        monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
        return load_model("tiny", root=tmp_path)

    return make


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(("layer", "step"), [(0, 3), (1, 3), (1, 10), (0, 10)])
def test_the_addends_add_up_to_the_gradient(loaded, cell, layer, step):
    model = loaded(cell=cell, num_layers=2)
    whole = backward(model, TEXT, loss_step=10).layer(layer)
    found = gradient_sum(model, TEXT, loss_step=10, layer=layer, step=step, unit=5)
    assert found.total == whole.hidden_state[step, 5]
    assert found.from_outputs + found.from_above + found.from_later == pytest.approx(found.total, rel=1e-9)
    assert found.num_terms == len(found.terms) > 0
    assert sum(term.product for term in found.terms) == pytest.approx(found.total, rel=1e-9)
    assert all(term.weight * term.error == term.product for term in found.terms)
    assert list(found.deltas.values()) == whole.pre_activation[step, :, 5].tolist()


@pytest.mark.parametrize("task", ["tagging", "classification"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("step", [0, 2, 3])
def test_both_directions_add_up(loaded, task, direction, step):
    model = loaded(task=task, bidirectional=True, num_layers=2, cell="gru")
    text = "the movie was good"
    for layer in (0, 1):
        found = gradient_sum(model, text, layer=layer, direction=direction, step=step, unit=1)
        expected = backward(model, text).layer(layer, direction).hidden_state[step, 1]
        assert found.total == expected
        assert sum(term.product for term in found.terms) == pytest.approx(expected, rel=1e-9, abs=1e-18)


@pytest.mark.parametrize(
    ("options", "multiplier"),
    [({"cell": "gru"}, 1.0), ({"cell": "lstm_peephole"}, -2.0), ({"cell": "lstm", "num_layers": 2}, 3.0)],
)
@pytest.mark.parametrize("loss_step", [9, None])
def test_the_snippet_prints_the_gradient(loaded, options, multiplier, loss_step):
    model = loaded(**options)
    found = gradient_sum(model, TEXT, loss_step=loss_step, multiplier=multiplier, layer=0, step=4, unit=2)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(found.snippet, {})
    assert float(printed.getvalue()) == pytest.approx(found.total, rel=1e-9)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_equations_say_the_numbers_of_the_pass(loaded, cell):
    model = loaded(cell=cell)
    run, whole = forward.trace(model, TEXT), backward(model, TEXT, loss_step=12)
    found = gradient_sum(model, TEXT, loss_step=12, layer=0, step=7, unit=3)
    for notation in ("ng", "d2l"):
        equations = backward_equations(run.layer(0), whole.layer(0), found, notation=notation)
        values = {equation.name: equation.value for equation in equations}
        part = whole.layer(0)
        assert values["hidden_state"] == part.hidden_state[7, 3]
        assert values.get("cell_state") == (None if part.cell_state is None else part.cell_state[7, 3])
        for index, block in enumerate(part.block_names):
            assert values[block] == part.pre_activation[7, index, 3]


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_product_written_in_an_equation_has_its_result(loaded, cell):
    model = loaded(cell=cell)
    run, whole = forward.trace(model, TEXT), backward(model, TEXT, loss_step=12)
    found = gradient_sum(model, TEXT, loss_step=12, layer=0, step=7, unit=3)
    for equation in backward_equations(run.layer(0), whole.layer(0), found, notation="ng"):
        if equation.name == "hidden_state":
            continue
        numbers = equation.latex.split("&=")[2].split(" = ")[0].split(r"\\")[0]
        plain = re.sub(r"(-?[\d.]+) \\cdot 10\^\{(-?\d+)\}", r"(\1e\2)", numbers)
        value = eval(plain.replace(r"\cdot", "*").replace(r"\end{aligned}", ""))
        assert value == pytest.approx(equation.value, rel=0.02, abs=1e-12)


def test_chart_and_sentence_say_where_it_comes_from(loaded):
    found = gradient_sum(loaded(cell="gru"), TEXT, loss_step=10, layer=0, step=9, unit=1)
    rows = gradient_sum_rows(found, count=5)
    assert [row.kind for row in rows] == ["gradient"] * 5 + ["rest", "total"]
    assert rows[-1].product == found.total
    assert rows[-2].running == found.total
    assert gradient_sum_sentence(found).startswith("∂L/∂h of unit 1 at step 10 is ")
    spec = gradient_sum_chart(found).to_dict()
    assert "the sum of" in spec["description"]


def test_nothing_reaches_a_step_behind_the_loss(loaded):
    found = gradient_sum(loaded(), TEXT, loss_step=3, layer=0, step=9, unit=1)
    assert (found.total, found.terms) == (0.0, ())
    assert gradient_sum_sentence(found) == "Nothing of this loss reaches unit 1 at step 10."
    assert gradient_sum_chart(found).to_dict()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"step": 22}, "step is 22; allowed is 0 to 21."),
        ({"unit": 8}, "unit is 8; allowed is 0 to 7."),
    ],
)
def test_a_place_outside_the_run_says_the_range(loaded, place, message):
    with pytest.raises(InvalidInputError) as error:
        gradient_sum(loaded(), TEXT, **{"layer": 0, "step": 0, "unit": 0, **place})
    assert str(error.value) == message


def test_an_unknown_layer_is_named(loaded):
    with pytest.raises(UnknownNameError, match="0 forward"):
        gradient_sum(loaded(), TEXT, layer=4, step=0, unit=0)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_what_a_step_hands_back_is_what_the_step_before_has_beyond_its_own_loss(loaded, cell):
    part = backward(loaded(cell=cell), TEXT, loss_step=12).layer(0)
    np.testing.assert_allclose(part.hidden_handed_back[1:13], part.hidden_state[:12], rtol=1e-12, atol=1e-300)
    assert np.abs(part.hidden_handed_back[0]).max() > 0
