"""Interventions against a plain loop over the steps with the same numbers forced, for every cell and task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError, TextTooLongError, UnknownNameError
from seqviz.interventions import Intervention
from seqviz.models.loading import LoadedModel
from seqviz.tracing.forward import trace
from seqviz.tracing.interventions import intervene
from tests.parity.reference import ReferenceCell
from tests.parity.test_tracing import TEXTS, embeddings, load, parameters

# The reference starts from the float32 word vectors in float64, as the model does.
BOUND = 1e-12


def reference_layers(
    loaded: LoadedModel, x: np.ndarray, interventions: Sequence[Intervention]
) -> list[dict[str, np.ndarray]]:
    weights, config, found = parameters(loaded), loaded.info.config, []
    for layer in range(config.num_layers):
        outputs = []
        for direction in ("forward", "backward")[: 1 + config.bidirectional]:
            prefix = f"stack.layers.{layer}.{direction}_cell."
            cell = ReferenceCell(
                config.cell, {n.removeprefix(prefix): v for n, v in weights.items() if n.startswith(prefix)}
            )
            own = [i for i in interventions if i.layer is None or (i.layer, i.direction) == (layer, direction)]
            steps = range(len(x)) if direction == "forward" else range(len(x) - 1, -1, -1)
            h = c = np.zeros(cell.units)
            rows: dict[int, dict[str, np.ndarray]] = {}
            for step in steps:
                cell.forced = {}
                for one in own:
                    if one.first <= step <= (len(x) - 1 if one.last is None else one.last):
                        units = range(cell.units) if one.unit is None else [one.unit]
                        cell.forced.setdefault(one.quantity, {}).update(dict.fromkeys(units, one.value))
                rows[step] = cell.step(x[step], h, c)
                h, c = rows[step]["hidden_state"], rows[step].get("cell_state", c)
            values = {name: np.stack([rows[step][name] for step in range(len(x))]) for name in rows[0]}
            outputs.append(values["hidden_state"])
            found.append(values)
        x = np.concatenate(outputs, 1)
    return found


def some_interventions(cell: str, layers: int, directions: Sequence[str]) -> list[Intervention]:
    """A gate of a layer from a step on, one unit's state at one step, and one gate of everything at the end."""
    gate = "hidden_state" if cell.startswith("rnn") else "update_gate" if cell.startswith("gru") else "forget_gate"
    other = {"gru": "reset_gate", "gru_reset_before": "reset_gate"}.get(cell, gate)
    state = "cell_state" if cell.startswith("lstm") else "hidden_state"
    return [
        Intervention(quantity=gate, value=0.25, first=2, layer=layers - 1, direction=directions[-1]),
        Intervention(quantity=state, value=-0.8, first=1, last=1, layer=0, direction="forward", unit=3),
        Intervention(quantity=other, value=1.0, first=4, last=5),
    ]


def x_of(loaded: LoadedModel, text: str) -> np.ndarray:
    # Word vectors are added up in float32 by the model.
    return trace(loaded, text).embeddings.astype(np.float64)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(
    ("task", "layers", "bidirectional"),
    [("language_model", 2, False), ("tagging", 1, True), ("classification", 1, False)],
)
def test_forced_numbers_give_what_a_plain_loop_gives(tmp_path, cell, task, layers, bidirectional):
    loaded = load(tmp_path, task, cell, num_layers=layers, bidirectional=bidirectional)
    forced = some_interventions(cell, layers, ("forward", "backward")[: 1 + bidirectional])
    found = intervene(loaded, TEXTS[task], forced)
    x = x_of(loaded, TEXTS[task])
    for interventions, side in (((), "before"), (forced, "after")):
        expected = reference_layers(loaded, x, interventions)
        for part, values in zip(found.layers, expected, strict=True):
            for name, array in getattr(part, side).items():
                np.testing.assert_allclose(array, values[name], rtol=0, atol=BOUND, err_msg=f"{side} {name}")
    weights = parameters(loaded)
    logits = {
        side: np.concatenate([getattr(part, side)["hidden_state"] for part in found.layers[-1 - bidirectional :]], 1)
        @ weights.get("output.weight", weights["embedding.word.weight"]).T
        + weights["output.bias"]
        for side in ("before", "after")
    }
    log_p, log_q = (logits[side] - np.log(np.exp(logits[side]).sum(1, keepdims=True)) for side in ("before", "after"))
    np.testing.assert_allclose(found.divergence, (np.exp(log_p) * (log_p - log_q)).sum(1), rtol=0, atol=1e-12)
    assert found.divergence[5] > 0
    step = int(found.divergence.argmax())
    p, q, top = np.exp(log_p[step]), np.exp(log_q[step]), found.moved[step][0]
    label = loaded.labels.index(top.label)
    assert (top.before, top.after) == pytest.approx((p[label], q[label]), abs=1e-12)
    assert abs(q[label] - p[label]) == pytest.approx(np.abs(q - p).max(), abs=1e-12)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_without_an_intervention_both_runs_are_equal_bit_for_bit(tmp_path, cell):
    loaded = load(tmp_path, "tagging", cell, bidirectional=True)
    found = intervene(loaded, TEXTS["tagging"], [])
    for part in found.layers:
        for name, values in part.before.items():
            assert np.array_equal(values, part.after[name])
    assert not found.divergence.any()
    assert found.first_changed() is None
    assert not any(found.moved)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_a_number_forced_to_what_it_is_changes_nothing(tmp_path, cell):
    loaded = load(tmp_path, "language_model", cell)
    text = TEXTS["language_model"]
    before = intervene(loaded, text, []).layers[0].before
    forced = [
        Intervention(quantity=name, value=float(values[3, 2]), first=3, last=3, layer=0, direction="forward", unit=2)
        for name, values in before.items()
    ]
    after = intervene(loaded, text, forced)
    for name, values in before.items():
        assert np.array_equal(after.layers[0].after[name], values)
    assert not after.divergence.any()


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_run_without_is_the_trace(tmp_path, cell):
    loaded = load(tmp_path, "language_model", cell)
    plain = trace(loaded, TEXTS["language_model"])
    found = intervene(loaded, TEXTS["language_model"], [])
    for name, values in plain.layer(0).quantities().items():
        np.testing.assert_allclose(found.layers[0].before[name], values, rtol=0, atol=1e-5)
    known = ~np.isnan(plain.losses)
    np.testing.assert_allclose(-found.target_log_probs[0][known], plain.losses[known], rtol=0, atol=1e-5)


def test_a_two_way_classifier_answers_every_beginning_anew(tmp_path):
    loaded = load(tmp_path, "classification", "lstm", bidirectional=True)
    forced = [Intervention(quantity="forget_gate", value=0.0, first=2)]
    found = intervene(loaded, TEXTS["classification"], forced)
    x, weights = x_of(loaded, TEXTS["classification"]), parameters(loaded)
    for length in range(1, len(x) + 1):
        rows = []
        for interventions in ((), forced):
            forward, backward = reference_layers(loaded, x[:length], interventions)
            state = np.concatenate([forward["hidden_state"][-1], backward["hidden_state"][0]])
            logits = weights["output.weight"] @ state + weights["output.bias"]
            rows.append(logits - np.log(np.exp(logits).sum()))
        expected = (np.exp(rows[0]) * (rows[0] - rows[1])).sum()
        assert found.divergence[length - 1] == pytest.approx(expected, abs=1e-12)


def test_of_two_interventions_the_later_one_holds(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm")
    both = [Intervention(quantity="input_gate", value=value, first=1, last=1) for value in (0.0, 1.0)]
    assert (intervene(loaded, "To be", both).layers[0].after["input_gate"][1] == 1.0).all()


def test_the_units_that_moved_most_are_named_with_where(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    one = Intervention(quantity="hidden_state", value=5.0, first=2, last=2, layer=0, direction="forward", unit=6)
    moved = intervene(loaded, "To be, or", [one]).moved_units(3)
    assert (moved[0].unit, moved[0].step, moved[0].after) == (6, 2, 5.0)
    assert len(moved) == 3


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"quantity": "reset_gate"}, UnknownNameError, "known are: input_gate, forget_gate"),
        ({"value": 1.5}, InvalidInputError, "forget_gate is 1.5; allowed is 0.0 to 1.0"),
        ({"value": float("nan")}, InvalidInputError, "forget_gate is nan"),
        ({"quantity": "cell_state", "value": -101.0}, InvalidInputError, "allowed is -100.0 to 100.0"),
        ({"first": 9}, InvalidInputError, "first is 9; allowed is 0 to 4"),
        ({"first": 3, "last": 2}, InvalidInputError, "first is 3; allowed is 0 to 2"),
        ({"last": 5}, InvalidInputError, "last is 5; allowed is 0 to 4"),
        ({"layer": 1, "direction": "forward"}, InvalidInputError, "layer is 1; allowed is 0 to 0"),
        ({"layer": 0, "direction": "backward"}, UnknownNameError, "direction 'backward' is not known"),
        ({"layer": 0, "direction": "forward", "unit": 8}, InvalidInputError, "unit is 8; allowed is 0 to 7"),
    ],
)
def test_what_cannot_be_forced_is_refused(tmp_path, changes, error, says):
    loaded = load(tmp_path, "language_model", "lstm")
    with pytest.raises(error, match=says.replace("(", r"\(")):
        intervene(loaded, "To be", [Intervention(**{"quantity": "forget_gate", "value": 0.0, **changes})])


def test_texts_and_lists_have_their_limits(tmp_path: Path):
    loaded = load(tmp_path, "language_model", "gru")
    with pytest.raises(InvalidInputError, match="type at least one word"):
        intervene(loaded, "", [])
    with pytest.raises(TextTooLongError, match="5 pieces; the limit is 4"):
        intervene(loaded, "To be", [], max_pieces=4)
    with pytest.raises(InvalidInputError, match="interventions is 13"):
        intervene(loaded, "To be", [Intervention(quantity="candidate", value=0.0)] * 13)


def test_embeddings_of_this_test_are_those_of_the_weights(tmp_path):
    loaded = load(tmp_path, "tagging", "gru", subword_buckets=20)
    np.testing.assert_allclose(x_of(loaded, TEXTS["tagging"]), embeddings(loaded, TEXTS["tagging"]), atol=1e-6)
