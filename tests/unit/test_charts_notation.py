from __future__ import annotations

import pytest

from seqviz.charts.notation import (
    NOTATIONS,
    QUANTITIES,
    as_notation,
    conventions,
    escaped,
    join,
    quantity_name,
    subscript,
    symbol,
    visible,
    weight_symbols,
)
from seqviz.charts.numbers import factor, shown_number
from seqviz.config import CELL_NAMES
from seqviz.errors import UnknownNameError


@pytest.mark.parametrize(
    ("quantity", "ng", "d2l"),
    [
        ("hidden_state", r"a^{\langle t\rangle}", r"\mathbf{H}_{t}"),
        ("cell_state", r"c^{\langle t\rangle}", r"\mathbf{C}_{t}"),
        ("candidate", r"\tilde{c}^{\langle t\rangle}", r"\tilde{\mathbf{C}}_{t}"),
        ("input_gate", r"\Gamma_{u}^{\langle t\rangle}", r"\mathbf{I}_{t}"),
        ("forget_gate", r"\Gamma_{f}^{\langle t\rangle}", r"\mathbf{F}_{t}"),
        ("output_gate", r"\Gamma_{o}^{\langle t\rangle}", r"\mathbf{O}_{t}"),
        ("reset_gate", r"\Gamma_{r}^{\langle t\rangle}", r"\mathbf{R}_{t}"),
        ("input", r"x^{\langle t\rangle}", r"\mathbf{X}_{t}"),
        ("output", r"\hat{y}^{\langle t\rangle}", r"\hat{\mathbf{Y}}_{t}"),
    ],
)
def test_every_quantity_has_its_symbol_in_both_notations(quantity, ng, d2l):
    assert symbol(quantity, notation="ng").latex == ng
    assert symbol(quantity, notation="d2l").latex == d2l


def test_the_update_gate_keeps_in_d2l_and_is_one_minus_gamma_u_in_ngs_notation():
    assert symbol("update_gate", notation="d2l", cell="gru").text == "Zₜ"
    assert symbol("update_gate", notation="ng", cell="gru").text == "1−Γ_u⟨t⟩"
    assert symbol("write_gate", notation="ng", cell="gru").text == "Γ_u⟨t⟩"
    assert symbol("write_gate", notation="d2l", cell="gru").text == "1−Zₜ"


def test_d2l_writes_the_output_as_o_unless_o_is_a_gate():
    assert symbol("output", notation="d2l", cell="rnn_tanh").text == "Oₜ"
    assert symbol("output", notation="d2l", cell="lstm").text == "Ŷₜ"


def test_indices_stand_where_each_notation_puts_them():
    options = {"time": 3, "unit": 17, "layer": 1, "direction": "backward"}
    assert (
        symbol("forget_gate", notation="ng", **options).latex == r"\overleftarrow{\Gamma}_{f,17}^{[2]\langle 3\rangle}"
    )
    assert symbol("forget_gate", notation="d2l", **options).latex == r"\overleftarrow{F}_{3,17}^{(2)}"
    assert symbol("hidden_state", notation="ng", time=3, unit=17).text == "a⟨3⟩ [17]"
    assert symbol("output", notation="ng", time=3, unit="a_b\n").latex == r"\hat{y}_{\text{a\_b⏎}}^{\langle 3\rangle}"


def test_a_pre_activation_names_its_block():
    assert symbol("pre_activation", notation="ng", block="forget_gate").text == "z_f⟨t⟩"
    assert symbol("pre_activation", notation="ng", cell="rnn_tanh").text == "z_a⟨t⟩"
    assert symbol("pre_activation", notation="d2l", block="forget_gate").latex == r"\bar{\mathbf{F}}_{t}"
    with pytest.raises(UnknownNameError, match="block 'side_gate' is not known"):
        symbol("pre_activation", notation="ng", block="side_gate")


def test_weights_are_named_as_in_the_courses():
    plain = weight_symbols("candidate", notation="ng", cell="rnn_tanh")
    assert (plain.hidden.text, plain.input.text, plain.bias.text) == ("W_aa", "W_ax", "b_a")
    gate = weight_symbols("update_gate", notation="ng", cell="gru")
    assert gate.stacked is not None
    assert (gate.stacked.text, gate.bias.text) == ("W_u", "b_u")
    d2l = weight_symbols("input_gate", notation="d2l", cell="lstm")
    assert (d2l.input.latex, d2l.hidden.text, d2l.bias.text, d2l.stacked) == (r"\mathbf{W}_{xi}", "W_hi", "b_i", None)
    assert weight_symbols("output", notation="ng", cell="gru").hidden.text == "W_ya"
    assert weight_symbols("output", notation="d2l", cell="gru").hidden.text == "W_hq"


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_every_cell_states_its_conventions_in_words(cell, notation):
    words = " ".join(conventions(cell, notation=notation))
    assert "t = 1" in words
    assert ("reset gate acts after" in words) == (cell == "gru")
    assert ("reset gate acts on the state before" in words) == (cell == "gru_reset_before")
    assert ("Γ_u" in words) == (cell.startswith("gru") or (cell.startswith("lstm") and notation == "ng"))
    assert ("Peepholes" in words) == (cell == "lstm_peephole")


def test_quantities_have_names_in_the_readers_language():
    assert quantity_name("forget_gate") == "forget gate"
    assert quantity_name("forget_gate", lambda message: message.upper()) == "FORGET GATE"
    assert len(QUANTITIES) == 13


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: symbol("mood", notation="ng"), "quantity 'mood'"),
        (lambda: symbol("input", notation="graves"), "notation 'graves'"),
        (lambda: symbol("input", notation="ng", cell="clock"), "cell 'clock'"),
        (lambda: quantity_name("mood"), "quantity 'mood'"),
        (lambda: as_notation("graves"), "known are: ng, d2l"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(call, message):
    with pytest.raises(UnknownNameError, match=message):
        call()


def test_operators_become_latex_and_stay_readable_as_text():
    joined = join("σ(", symbol("input", notation="ng"), ") ⊙ tanh(1 − 2)")
    assert joined.latex == r"\sigma(x^{\langle t\rangle}) \odot \tanh(1 - 2)"
    assert joined.text == "σ(x⟨t⟩) ⊙ tanh(1 − 2)"


def test_hostile_text_is_harmless_inside_latex():
    assert escaped("\\a{b}$c_d^e%f#g&h~") == (
        r"\textbackslash{}a\{b\}\textdollar{}c\_d\textasciicircum{}e\%f\#g\&h\textasciitilde{}"
    )


def test_blanks_are_made_visible():
    assert visible("a b\n\t") == "a␣b⏎⇥"


def test_subscripts_are_unicode_where_there_are_any():
    assert (subscript("t-1"), subscript("12"), subscript("T")) == ("ₜ₋₁", "₁₂", "_T")


@pytest.mark.parametrize(
    ("value", "text", "latex"),
    [
        (0.0, "0", "0"),
        (0.91321, "0.9132", "0.9132"),
        (-12.34567, "−12.3457", "-12.3457"),
        (0.012345678, "0.01235", "0.01235"),
        (-3.21e-7, "−3.210 · 10⁻⁷", r"-3.210 \cdot 10^{-7}"),
        (1.0, "1.0000", "1.0000"),
        (0.999979, "1 − 2.1 · 10⁻⁵", r"1 - 2.1 \cdot 10^{-5}"),
        (-0.999979, "−(1 − 2.1 · 10⁻⁵)", r"-(1 - 2.1 \cdot 10^{-5})"),
        (2.5e7, "2.500 · 10⁷", r"2.500 \cdot 10^{7}"),
        (float("inf"), "∞", r"\text{∞}"),
    ],
)
def test_a_rounded_number_never_claims_to_be_0_or_1_when_it_is_not(value, text, latex):
    shown = shown_number(value)
    assert (shown.text, shown.latex) == (text, latex)


def test_a_number_takes_brackets_in_a_product_only_where_it_needs_them():
    assert factor(shown_number(0.5)).text == "0.5000"
    assert factor(shown_number(-0.5)).text == "(−0.5000)"
    assert factor(shown_number(0.999979)).text == "(1 − 2.1 · 10⁻⁵)"
