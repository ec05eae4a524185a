from __future__ import annotations

import math

import numpy as np
import pytest

from seqviz.charts.equations import (
    cell_equations,
    filled_equations,
    output_equation,
    output_equations,
)
from seqviz.charts.notation import NOTATIONS
from seqviz.charts.palette import COLOURS, category_colours
from seqviz.charts.writing import role_colour
from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.models.loading import load_model
from seqviz.tracing.forward import trace
from tests.helpers import write_tiny_checkpoint

EXPECTED = {
    ("rnn_tanh", "ng"): ["a⟨t⟩ = tanh(W_aa a⟨t−1⟩ + W_ax x⟨t⟩ + b_a)"],
    ("rnn_relu", "d2l"): ["Hₜ = ReLU(Xₜ W_xh + Hₜ₋₁ W_hh + b_h)"],
    ("rnn_identity", "ng"): ["a⟨t⟩ = W_aa a⟨t−1⟩ + W_ax x⟨t⟩ + b_a"],
    ("gru", "ng"): [
        "Γ_r = σ(W_r[c⟨t−1⟩, x⟨t⟩] + b_r)",
        "Γ_u = σ(W_u[c⟨t−1⟩, x⟨t⟩] + b_u)",
        "c̃⟨t⟩ = tanh(W_cx x⟨t⟩ + b_cx + Γ_r ⊙ (W_cc c⟨t−1⟩ + b_cc))",
        "c⟨t⟩ = Γ_u ⊙ c̃⟨t⟩ + (1 − Γ_u) ⊙ c⟨t−1⟩",
        "a⟨t⟩ = c⟨t⟩",
    ],
    ("gru_reset_before", "ng"): [
        "Γ_r = σ(W_r[c⟨t−1⟩, x⟨t⟩] + b_r)",
        "Γ_u = σ(W_u[c⟨t−1⟩, x⟨t⟩] + b_u)",
        "c̃⟨t⟩ = tanh(W_c[Γ_r ⊙ c⟨t−1⟩, x⟨t⟩] + b_c)",
        "c⟨t⟩ = Γ_u ⊙ c̃⟨t⟩ + (1 − Γ_u) ⊙ c⟨t−1⟩",
        "a⟨t⟩ = c⟨t⟩",
    ],
    ("gru_reset_before", "d2l"): [
        "Rₜ = σ(Xₜ W_xr + Hₜ₋₁ W_hr + b_r)",
        "Zₜ = σ(Xₜ W_xz + Hₜ₋₁ W_hz + b_z)",
        "H̃ₜ = tanh(Xₜ W_xh + (Rₜ ⊙ Hₜ₋₁) W_hh + b_h)",
        "Hₜ = Zₜ ⊙ Hₜ₋₁ + (1 − Zₜ) ⊙ H̃ₜ",
    ],
    ("gru_simplified", "ng"): [
        "Γ_u = σ(W_u[c⟨t−1⟩, x⟨t⟩] + b_u)",
        "c̃⟨t⟩ = tanh(W_c[c⟨t−1⟩, x⟨t⟩] + b_c)",
        "c⟨t⟩ = Γ_u ⊙ c̃⟨t⟩ + (1 − Γ_u) ⊙ c⟨t−1⟩",
        "a⟨t⟩ = c⟨t⟩",
    ],
    ("lstm", "ng"): [
        "c̃⟨t⟩ = tanh(W_c[a⟨t−1⟩, x⟨t⟩] + b_c)",
        "Γ_u = σ(W_u[a⟨t−1⟩, x⟨t⟩] + b_u)",
        "Γ_f = σ(W_f[a⟨t−1⟩, x⟨t⟩] + b_f)",
        "Γ_o = σ(W_o[a⟨t−1⟩, x⟨t⟩] + b_o)",
        "c⟨t⟩ = Γ_u ⊙ c̃⟨t⟩ + Γ_f ⊙ c⟨t−1⟩",
        "a⟨t⟩ = Γ_o ⊙ tanh(c⟨t⟩)",
    ],
    ("lstm", "d2l"): [
        "Iₜ = σ(Xₜ W_xi + Hₜ₋₁ W_hi + b_i)",
        "Fₜ = σ(Xₜ W_xf + Hₜ₋₁ W_hf + b_f)",
        "Oₜ = σ(Xₜ W_xo + Hₜ₋₁ W_ho + b_o)",
        "C̃ₜ = tanh(Xₜ W_xc + Hₜ₋₁ W_hc + b_c)",
        "Cₜ = Fₜ ⊙ Cₜ₋₁ + Iₜ ⊙ C̃ₜ",
        "Hₜ = Oₜ ⊙ tanh(Cₜ)",
    ],
    ("lstm_peephole", "d2l"): [
        "Iₜ = σ(Xₜ W_xi + Hₜ₋₁ W_hi + p_i ⊙ Cₜ₋₁ + b_i)",
        "Fₜ = σ(Xₜ W_xf + Hₜ₋₁ W_hf + p_f ⊙ Cₜ₋₁ + b_f)",
        "C̃ₜ = tanh(Xₜ W_xc + Hₜ₋₁ W_hc + b_c)",
        "Cₜ = Fₜ ⊙ Cₜ₋₁ + Iₜ ⊙ C̃ₜ",
        "Oₜ = σ(Xₜ W_xo + Hₜ₋₁ W_ho + p_o ⊙ Cₜ + b_o)",
        "Hₜ = Oₜ ⊙ tanh(Cₜ)",
    ],
}


@pytest.fixture
def run(tmp_path):
    """Traces a text with a tiny model: run(text, cell=..., task=..., ...)."""

    def traced(text: str, *, targets: tuple[str, ...] = (), **options: object):
        write_tiny_checkpoint(tmp_path, name="tiny", **options)
        return trace(load_model("tiny", root=tmp_path), text, targets=targets)

    return traced


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@pytest.mark.parametrize(("cell", "notation"), EXPECTED)
def test_equations_are_those_of_the_syllabus(cell, notation):
    assert [equation.text for equation in cell_equations(cell, notation=notation)] == EXPECTED[cell, notation]


def test_ngs_variant_of_the_lstm_does_not_squash_the_cell_state():
    assert cell_equations("lstm_linear_output", notation="ng")[-1].text == "a⟨t⟩ = Γ_o ⊙ c⟨t⟩"


def test_latex_of_the_stacked_form():
    equation = cell_equations("gru_simplified", notation="ng")[0]
    assert equation.name == "write_gate"
    assert equation.latex == r"\Gamma_{u} = \sigma(W_{u}[c^{\langle t-1\rangle}, x^{\langle t\rangle}] + b_{u})"
    assert equation.says == "How much of the old state is overwritten with the candidate."


def test_a_backward_layer_starts_from_the_step_behind_and_reads_both_directions_below():
    equation = cell_equations("rnn_tanh", notation="ng", layer=1, direction="backward", both_below=True)[0]
    assert equation.text == "a←[2]⟨t⟩ = tanh(W_aa a←[2]⟨t+1⟩ + W_ax [a→[1]⟨t⟩, a←[1]⟨t⟩] + b_a)"


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_filled_equations_are_those_of_the_cell_one_by_one_and_their_numbers_add_up(run, cell, notation):
    layer = run("To be", cell=cell).layer(0)
    general = cell_equations(cell, notation=notation)
    for step in (0, 3):
        filled = filled_equations(layer, step=step, unit=5, notation=notation)
        assert [equation.name for equation in filled] == [equation.name for equation in general]
        for equation in filled:
            values = [number.value for number in equation.numbers]
            assert computed(cell, equation.name, values) == pytest.approx(equation.value, abs=1e-6)


def computed(cell: str, name: str, values: list[float]) -> float:
    """What the numbers of an equation give, by the cell's definition."""
    *numbers, result = values
    if cell.startswith("rnn_"):
        (z,) = numbers
        return {
            "rnn_tanh": math.tanh(z),
            "rnn_relu": max(z, 0.0),
            "rnn_logistic": sigmoid(z),
            "rnn_leaky_relu": max(0.01 * z, z),
            "rnn_elu": z if z > 0 else math.expm1(z),
            "rnn_identity": z,
        }[cell]
    if len(numbers) == 4:
        a, b, c, d = numbers
        return a * b + c * d
    if len(numbers) == 2:
        gate, state = numbers
        return gate * (state if cell == "lstm_linear_output" else math.tanh(state))
    if not numbers:
        return result  # a = c
    if name == "write_gate":
        return 1 - sigmoid(numbers[0])
    return math.tanh(numbers[0]) if name == "candidate" else sigmoid(numbers[0])


def test_results_are_the_models_own_numbers(run):
    layer = run("To be", cell="lstm").layer(0)
    filled = {equation.name: equation for equation in filled_equations(layer, step=2, unit=4, notation="d2l")}
    assert filled["cell_state"].exact == str(layer.cell_state[2, 4])
    assert filled["hidden_state"].value == float(layer.hidden_state[2, 4])
    assert filled["forget_gate"].numbers[0].exact == str(layer.pre_activation[2, 1, 4])
    assert {name: equation.block for name, equation in filled.items()} == {
        "input_gate": "input_gate",
        "forget_gate": "forget_gate",
        "output_gate": "output_gate",
        "candidate": "candidate",
        "cell_state": None,
        "hidden_state": None,
    }


def test_an_equation_reads_from_symbols_over_numbers_to_the_result(run):
    layer = run("To be", cell="lstm", seed=1).layer(0)
    equation = filled_equations(layer, step=2, unit=3, notation="ng", theme=None)[4]
    assert equation.text == (
        "c⟨3⟩ [3] = Γ_u⟨3⟩ [3] · c̃⟨3⟩ [3] + Γ_f⟨3⟩ [3] · c⟨2⟩ [3] = 0.4907 · 0.2244 + 0.5684 · 0.1746 = 0.2094"
    )
    assert equation.latex.startswith(r"c_{3}^{\langle 3\rangle} = \Gamma_{u,3}^{\langle 3\rangle} \cdot \tilde{c}")
    assert equation.lines[1:] == (r"&= 0.4907 \cdot 0.2244 + 0.5684 \cdot 0.1746", "&= 0.2094")
    gate, *_, hidden = filled_equations(layer, step=2, unit=3, notation="ng", theme=None)
    assert len(gate.lines) == 1
    assert hidden.lines[1:] == (r"&= 0.5002 \cdot \tanh(0.2094) = 0.1032",)


def test_states_before_the_first_step_are_0_at_either_border(run):
    result = run("a good film", task="tagging", cell="lstm", bidirectional=True)
    forward = filled_equations(result.layer(0, "forward"), step=0, unit=0, notation="ng", bidirectional=True)[4]
    backward = filled_equations(result.layer(0, "backward"), step=2, unit=0, notation="ng", bidirectional=True)[4]
    for equation, border in ((forward, "c→⟨0⟩ [0]"), (backward, "c←⟨4⟩ [0]")):
        before = equation.numbers[3]
        assert (before.symbol.text, before.shown.text, before.value) == (border, "0", 0.0)


def test_the_number_of_the_layer_is_written_only_where_there_are_several(run):
    layer = run("To be", cell="rnn_tanh", num_layers=2).layer(1)
    assert filled_equations(layer, step=0, unit=0, notation="d2l", num_layers=2)[0].left.text == "H(2)₁ [0]"
    assert filled_equations(layer, step=0, unit=0, notation="d2l")[0].left.text == "H₁ [0]"


def test_numbers_of_one_role_stand_in_one_colour_of_the_palette(run):
    layer = run("To be", cell="lstm").layer(0)
    forget = rf"\textcolor{{{category_colours('dark')[2]}}}"
    filled = filled_equations(layer, step=1, unit=0, notation="ng", theme="dark")
    assert filled[2].latex.count(forget) == 2  # Γ_f and its number
    assert filled[4].latex.count(forget) == 2  # the same in c
    assert "textcolor" not in filled_equations(layer, step=1, unit=0, notation="ng", theme=None)[2].latex


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", ["output_gate", "forget_gate", "reset_gate", "input_gate", "cell_state", "candidate"])
def test_coloured_numbers_are_as_readable_as_text(theme, role):
    assert contrast(role_colour(role, theme), COLOURS["surface"][theme]) >= 4.5  # WCAG 2.1, 1.4.3


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours as WCAG 2.1 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_ngs_gate_writes_and_says_that_the_stored_one_keeps(run):
    layer = run("To be", cell="gru").layer(0)
    ng = filled_equations(layer, step=1, unit=2, notation="ng")[1]
    d2l = filled_equations(layer, step=1, unit=2, notation="d2l")[1]
    assert (ng.name, d2l.name) == ("write_gate", "update_gate")
    assert ng.value + d2l.value == pytest.approx(1.0, abs=1e-7)
    assert ng.note.startswith("The sum is that of the stored gate z")
    assert (ng.block, d2l.note) == ("update_gate", "")


@pytest.mark.parametrize(
    ("task", "cell", "notation", "options", "text"),
    [
        ("language_model", "gru", "ng", {}, "ŷ⟨t⟩ = softmax(W_ya a⟨t⟩ + b_y)"),
        ("tagging", "rnn_tanh", "d2l", {}, "Oₜ = softmax(Hₜ W_hq + b_q)"),
        ("tagging", "lstm", "ng", {"bidirectional": True}, "ŷ⟨t⟩ = softmax(W_y [a→⟨t⟩, a←⟨t⟩] + b_y)"),
        ("classification", "lstm", "ng", {"bidirectional": True}, "ŷ = softmax(W_y [a→⟨T⟩, a←⟨1⟩] + b_y)"),
        ("classification", "lstm", "d2l", {"num_layers": 2}, "Ŷ = softmax(H(2)_T W_hq + b_q)"),
    ],
)
def test_the_output_reads_the_top_states_of_the_task(task, cell, notation, options, text):
    assert output_equation(task, cell=cell, notation=notation, **options).text == text


def test_probability_and_loss_of_a_step_come_out_of_the_logits(run):
    result = run("To be")
    chosen, *rest = output_equations(result, step=1, notation="ng", label="x")
    assert chosen.left.text == "ŷ⟨2⟩ [x]"
    index = result.labels.index("x")
    row = result.logits[1].astype(float)
    assert chosen.value == pytest.approx(math.exp(row[index]) / np.exp(row).sum(), abs=1e-7)
    target, loss, total = rest
    assert target.left.text == "ŷ⟨2⟩ [␣]"
    assert loss.text.startswith("L⟨2⟩ = −log ŷ⟨2⟩ [␣] = −log ")
    assert loss.value == pytest.approx(-math.log(target.value), abs=1e-6)
    assert total.value == pytest.approx(float(np.nansum(result.losses)), abs=1e-5)


def test_without_a_known_target_there_is_no_loss(run):
    assert [equation.name for equation in output_equations(run("To be"), step=4, notation="d2l")] == ["output"]


def test_a_softmax_over_two_classes_is_also_shown_as_a_sigmoid_of_the_difference(run):
    result = run("a good film", task="classification", targets=("positive",))
    first, second, *_, loss = output_equations(result, step=2, notation="ng", label="positive")
    own, other, probability = (number.value for number in second.numbers)
    assert second.chain[0].text.startswith("σ(")
    assert sigmoid(own - other) == pytest.approx(probability, abs=1e-7)
    assert first.value == second.value
    assert loss.name == "loss"


def test_labels_that_mean_something_to_latex_are_escaped(run):
    latex = output_equations(run("To be"), step=0, notation="ng", label="\n")[0].latex
    assert r"\text{⏎}" in latex


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda r: cell_equations("clock", notation="ng"), UnknownNameError, "cell 'clock'"),
        (lambda r: cell_equations("gru", notation="graves"), UnknownNameError, "notation 'graves'"),
        (lambda r: output_equation("singing", cell="gru", notation="ng"), UnknownNameError, "task 'singing'"),
        (lambda r: filled_equations(r.layer(0), step=5, unit=0, notation="ng"), InvalidInputError, "step is 5"),
        (lambda r: filled_equations(r.layer(0), step=0, unit=8, notation="ng"), InvalidInputError, "unit is 8"),
        (lambda r: output_equations(r, step=-1, notation="ng"), InvalidInputError, "step is -1"),
        (lambda r: output_equations(r, step=0, notation="ng", label="é"), InvalidInputError, "no label 'é'"),
    ],
)
def test_places_that_are_not_in_the_trace_are_refused(run, call, error, message):
    with pytest.raises(error, match=message):
        call(run("To be"))
