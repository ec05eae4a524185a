"""Every number of the Gates page against a plain recomputation: sums taken apart, products of gates, number units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqviz.charts.gate_signals import cell_signals
from seqviz.charts.graves import graves_backward, graves_forward
from seqviz.charts.notation import NOTATIONS
from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.i18n import english
from seqviz.memory import NEVER, carried, carried_from, half_lives, keep_gate, mean_half_lives
from seqviz.models.loading import LoadedModel, load_model
from seqviz.number_pairs import HELD_OUT_PAIRS, SEARCH_PAIRS, NumberPair
from seqviz.tracing import number_units as search
from seqviz.tracing.forward import trace
from seqviz.tracing.gradients import backward
from seqviz.tracing.speed import speeds
from seqviz.tracing.unit_course import unit_course
from tests.helpers import write_tiny_checkpoint
from tests.parity.test_tracing import TEXTS, embeddings, layers, load

TEXT = TEXTS["language_model"]
UNIT = 5


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_parts_of_every_sum_add_up_to_the_plain_loop_s_sum(tmp_path, cell, direction):
    loaded = load(tmp_path, "tagging", cell, bidirectional=True)
    text = TEXTS["tagging"]
    expected = dict(zip(("forward", "backward"), layers(loaded, embeddings(loaded, text)), strict=True))[direction]
    course = unit_course(loaded, trace(loaded, text), layer=0, direction=direction, unit=UNIT)
    for block, parts in course.parts.items():
        np.testing.assert_allclose(sum(parts.values()), expected[f"pre_{block}"][:, UNIT], rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_number_on_a_line_of_the_cell_is_the_plain_loop_s(tmp_path, cell, notation):
    loaded = load(tmp_path, "language_model", cell)
    (values,) = layers(loaded, embeddings(loaded, TEXT))
    found = trace(loaded, TEXT)
    course = unit_course(loaded, found, layer=0, unit=UNIT)
    signals = cell_signals(found.layer(0), course, notation=notation, t=english)
    v = {name: value[:, UNIT] for name, value in values.items()}
    h, h_before = v["hidden_state"], np.concatenate([[0.0], v["hidden_state"][:-1]])
    expected = {"h": h, "h_before": h_before}
    if cell.startswith("lstm"):
        c_before = np.concatenate([[0.0], v["cell_state"][:-1]])
        expected |= {
            "f": v["forget_gate"], "i": v["input_gate"], "g": v["candidate"], "o": v["output_gate"],
            "z.f": v["pre_forget_gate"], "z.o": v["pre_output_gate"], "c": v["cell_state"], "c_before": c_before,
            "kept": v["forget_gate"] * c_before, "written": v["input_gate"] * v["candidate"],
        }  # fmt: skip
        if cell != "lstm_linear_output":
            expected["squashed"] = np.tanh(v["cell_state"])
    elif cell.startswith("gru"):
        z = v["update_gate"]
        write = {"ng": ("u", "rest"), "d2l": ("rest", "u")}[notation]
        expected |= {
            "g": v["candidate"], "z.g": v["pre_candidate"], "z.u": v["pre_update_gate"],
            write[0]: 1 - z, write[1]: z, "kept": z * h_before, "written": (1 - z) * v["candidate"],
        }  # fmt: skip
        if cell != "gru_simplified":
            expected["r"] = v["reset_gate"]
    else:
        expected["z.h"] = v["pre_candidate"]
    for name, value in expected.items():
        np.testing.assert_allclose(signals[name].values, value, rtol=0, atol=1e-5, err_msg=name)
    for name in ("kept", "written"):
        if name in signals:
            whole = signals["kept"].values + signals["written"].values
            np.testing.assert_allclose(whole, v.get("cell_state", h), rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "gru_reset_before"])
def test_the_reset_gate_acts_where_the_convention_says(tmp_path, cell):
    loaded = load(tmp_path, "language_model", cell)
    found = trace(loaded, TEXT)
    course = unit_course(loaded, found, layer=0, unit=UNIT)
    own = loaded.model.stack.cell(0, "forward")
    row = 2 * own.hidden_size + UNIT
    w, b = own.weight_hidden[row].double().numpy(), float(own.bias_hidden[row])
    part = found.layer(0)
    for step in range(len(found)):
        h, r = part.before(step)[0].astype(float), part.gates["reset_gate"][step].astype(float)
        expected = r[UNIT] * (w @ h + b) if cell == "gru" else w @ (r * h)
        assert course.parts["candidate"]["hidden"][step] == pytest.approx(expected, abs=1e-9)
        assert course.recurrent is not None
        assert course.recurrent[step] == pytest.approx(w @ h + b, abs=1e-9)


@pytest.mark.parametrize(
    ("cell", "gate"), [("lstm", "forget_gate"), ("lstm_peephole", "forget_gate"), ("gru", "update_gate")]
)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_what_is_carried_is_the_product_of_the_gates_that_keep(tmp_path, cell, gate, direction):
    loaded = load(tmp_path, "tagging", cell, bidirectional=True)
    text = TEXTS["tagging"]
    values = dict(zip(("forward", "backward"), layers(loaded, embeddings(loaded, text)), strict=True))[direction]
    part = trace(loaded, text).layer(0, direction)
    assert keep_gate(part) == gate
    shares, steps = carried(part, UNIT), len(part.hidden_state)
    for a in range(steps):
        for b in range(steps):
            behind = b >= a if direction == "forward" else b <= a
            if not behind:
                assert np.isnan(shares[a, b])
                continue
            product = 1.0
            for step in range(min(a, b), max(a, b) + 1):
                if step != a:
                    product *= values[gate][step, UNIT]
            assert shares[a, b] == pytest.approx(product, abs=1e-6)
    np.testing.assert_allclose(carried_from(part, 2)[:, UNIT], shares[2], equal_nan=True)


def test_half_lives_count_the_steps_until_half_is_gone(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm")
    found = trace(loaded, "To be, or not to be, that is the question")
    part = found.layer(0)
    gates = part.gates["forget_gate"].astype(float)
    lives = half_lives(part, 3)
    for unit in range(8):
        share, count = 1.0, 0
        while share > 0.5 and 3 + count + 1 < len(found):
            count += 1
            share *= gates[3 + count, unit]
        assert lives[unit] == (count if share <= 0.5 else NEVER)
    np.testing.assert_allclose(mean_half_lives(part), np.log(0.5) / np.log(gates).mean(0), rtol=1e-6)


def test_at_the_last_step_nothing_is_lost_and_a_plain_cell_keeps_nothing(tmp_path):
    part = trace(load(tmp_path, "language_model", "lstm"), TEXT).layer(0)
    assert (half_lives(part, len(part.hidden_state) - 1) == NEVER).all()
    plain = trace(load(tmp_path, "language_model", "rnn_tanh"), TEXT).layer(0)
    assert keep_gate(plain) is None
    assert (half_lives(plain, 0) == 1).all()


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    pairs = tuple(
        NumberPair(singular="cat", plural="cats", between=b) for b in ("which ate fresh fish", ", which ate ,")
    )
    monkeypatch.setattr(search, "SEARCH_PAIRS", pairs)
    monkeypatch.setattr(
        search, "HELD_OUT_PAIRS", (*pairs[1:], NumberPair(singular="cat", plural="cats", between="full"))
    )
    monkeypatch.setattr(search, "EXAMPLE_PAIR", pairs[0])
    write_tiny_checkpoint(tmp_path, name="words", words=True, num_layers=2, seed=3)
    return load_model("words", root=tmp_path)


def test_number_units_are_read_at_the_word_before_the_verb(words):
    found = search.number_units(words)
    best = found.best[0]
    states = {}
    for pair in search.SEARCH_PAIRS + search.HELD_OUT_PAIRS:
        for plural in (False, True):
            sentence = trace(words, "<eos> " + " ".join(pair.words(plural=plural)))
            states[pair, plural] = sentence.layer(best.layer).quantities()[best.quantity][-1, best.unit]
    singular = [states[pair, False] for pair in search.SEARCH_PAIRS]
    plural = [states[pair, True] for pair in search.SEARCH_PAIRS]
    threshold = (np.mean(singular) + np.mean(plural)) / 2
    assert best.threshold == pytest.approx(threshold, abs=1e-6)
    assert best.plural_above == (np.mean(plural) > np.mean(singular))
    sign = 1 if best.plural_above else -1
    right = [(states[pair, number] - threshold) * sign > 0 for pair in search.HELD_OUT_PAIRS for number in (True,)]
    right += [(states[pair, False] - threshold) * sign < 0 for pair in search.HELD_OUT_PAIRS]
    assert best.accuracy == pytest.approx(np.mean(right))
    assert found.searched == 2 * 2 * 8
    assert found.held_out_pairs == 2
    assert found.best[0].search_auc == max(one.search_auc for one in found.best)
    example = trace(words, "<eos> " + " ".join(search.EXAMPLE_PAIR.words(plural=True)))
    np.testing.assert_allclose(
        found.courses[0, 1], example.layer(best.layer).quantities()[best.quantity][1:, best.unit], atol=1e-6
    )


def test_the_area_under_the_curve_counts_pairs_of_sentences():
    states = np.array([[[1.0], [3.0]], [[2.0], [2.0]]])  # singulars 1 and 2, plurals 3 and 2
    assert search._auc(states, np.array([1.0])).tolist() == [0.875]
    assert search._auc(states, np.array([-1.0])).tolist() == [0.125]


def test_search_and_score_share_no_noun_and_no_words_between():
    assert len(SEARCH_PAIRS) == len(HELD_OUT_PAIRS) == 40
    for part in ("singular", "plural", "between"):
        assert not {getattr(p, part) for p in SEARCH_PAIRS} & {getattr(p, part) for p in HELD_OUT_PAIRS}


def test_a_model_of_characters_has_no_number_units(tmp_path):
    with pytest.raises(InvalidInputError, match="does not predict words"):
        search.number_units(load(tmp_path, "language_model", "lstm"))


def test_speeds_are_measured_for_every_model_and_say_which_have_a_fused_kernel(tmp_path):
    models = [load(tmp_path, "language_model", cell) for cell in ("lstm", "lstm_peephole", "gru", "rnn_elu")]
    found = speeds(models, "To be", steps=16, rounds=2)
    assert [one.fused for one in found] == [True, False, True, False]
    assert all(one.seconds > 0 and one.steps == 16 for one in found)
    with pytest.raises(InvalidInputError, match="type at least one word"):
        speeds(models, "")


@pytest.mark.parametrize("cell", ["lstm", "lstm_linear_output", "lstm_peephole"])
@pytest.mark.parametrize("step", [0, 4, 12])
def test_graves_equations_hold_forward_and_backward(tmp_path, cell, step):
    loaded = load(tmp_path, "language_model", cell)
    found = trace(loaded, TEXT)
    course = unit_course(loaded, found, layer=0, unit=UNIT)
    lines = graves_forward(found.layer(0), course, step=step)
    gradients = backward(loaded, TEXT).layer(0, "forward")
    lines += graves_backward(
        found.layer(0), gradients, step=step, unit=UNIT, peephole=course.peephole or (0.0, 0.0, 0.0)
    )
    assert [line.name for line in lines] == [
        "a_iota", "b_iota", "a_phi", "b_phi", "a_c", "s_c", "a_omega", "b_omega", "b_c",
        "epsilon_c", "delta_omega", "epsilon_s", "delta_c", "delta_phi", "delta_iota",
    ]  # fmt: skip
    for line in lines:
        assert line.computed == pytest.approx(line.value, abs=2e-6), line.name
    assert (r"w_{c\iota}" in lines[0].general) == (cell == "lstm_peephole")
    assert (r"h(s_c^t)" in lines[8].general) == (cell != "lstm_linear_output")


def test_graves_block_is_an_lstm(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    found = trace(loaded, TEXT)
    with pytest.raises(InvalidInputError, match="the cell is gru"):
        graves_forward(found.layer(0), unit_course(loaded, found, layer=0, unit=0), step=0)


def test_a_unit_that_is_not_there_is_refused(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm")
    found = trace(loaded, TEXT)
    with pytest.raises(InvalidInputError, match="unit is 8; allowed is 0 to 7"):
        unit_course(loaded, found, layer=0, unit=8)
    with pytest.raises(UnknownNameError, match="layer '3 forward'"):
        unit_course(loaded, found, layer=3, unit=0)
