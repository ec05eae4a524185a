"""Gradients of a run with forced numbers: against autograd through the same forced loop, and against differences."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch.nn import functional

from seqviz.config import CELL_NAMES
from seqviz.errors import InvalidInputError
from seqviz.interventions import ChangedGradients, ChangedLayer, Intervention
from seqviz.models.loading import LoadedModel
from seqviz.tracing.gradients import backward
from seqviz.tracing.interventions import intervene
from tests.parity.test_interventions import some_interventions, x_of
from tests.parity.test_tracing import TEXTS, load

BOUND = 1e-12
States = dict[tuple[int, str, str], list[torch.Tensor]]


def forced_everywhere(cell: str) -> list[Intervention]:
    """Every quantity of one unit at one step, so that each of them cuts its own path."""
    found = {
        "rnn": ["hidden_state"],
        "gru": ["reset_gate", "update_gate", "candidate", "hidden_state"],
        "gru_simplified": ["update_gate", "candidate", "hidden_state"],
        "lstm": ["input_gate", "forget_gate", "candidate", "output_gate", "cell_state", "hidden_state"],
    }
    kind = cell if cell in found else cell.split("_", maxsplit=1)[0]
    return [
        Intervention(quantity=quantity, value=0.3, first=step, last=step, layer=0, direction="forward", unit=step)
        for step, quantity in enumerate(found[kind])
    ]


def by_autograd(
    loaded: LoadedModel, x: torch.Tensor, interventions: Sequence[Intervention], goals: torch.Tensor, steps: list[int]
) -> tuple[float, States]:
    """The loss and its gradient in every state, from a graph in which forced numbers are constants of their own."""
    stack = copy.deepcopy(loaded.model.stack).double().eval()
    weight, bias = loaded.model.output.weight.double(), loaded.model.output.bias.double()
    states: States = {}
    length = len(x)
    for layer in range(len(stack.layers)):
        outputs = []
        for direction in stack.directions:
            cell, carry = stack.cell(layer, direction), stack.cell(layer, direction).initial_carry(1)
            own = [i for i in interventions if i.layer is None or (i.layer, i.direction) == (layer, direction)]
            found: dict[str, dict[int, torch.Tensor]] = {}
            for step in range(len(x)) if direction == "forward" else range(len(x) - 1, -1, -1):

                def edit(name: str, value: torch.Tensor, own=own, step=step, found=found) -> torch.Tensor:
                    for one in own:
                        if one.quantity == name and one.first <= step <= (length if one.last is None else one.last):
                            units = torch.arange(value.shape[-1])
                            chosen = (units == one.unit) if one.unit is not None else (units >= 0)
                            value = torch.where(chosen, torch.tensor(one.value, dtype=torch.float64), value)
                    if name.endswith("state"):
                        value = value.requires_grad_() if not value.requires_grad else value
                        value.retain_grad()
                        found.setdefault(name, {})[step] = value
                    return value

                carry, _ = cell.step(cell.project_input(x[step : step + 1]), carry, edit)
            for name, rows in found.items():
                states[layer, direction, name] = [rows[step] for step in range(len(x))]
            outputs.append(torch.cat(states[layer, direction, "hidden_state"]))
        x = torch.cat(outputs, 1)
    if loaded.info.config.task == "classification" and len(outputs) == 2:
        x = torch.cat([outputs[0], outputs[1][:1].expand_as(outputs[1])], 1)
    loss = functional.cross_entropy(functional.linear(x[steps], weight, bias), goals, reduction="sum")
    loss.backward()
    return float(loss.detach()), states


def assert_is(found: ChangedLayer, side: str, states: States) -> None:
    for name, values in getattr(found, side).items():
        rows = states[found.layer, found.direction, name]
        expected = np.concatenate([np.zeros((1, values.shape[1])) if r.grad is None else r.grad.numpy() for r in rows])
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=BOUND, err_msg=f"{side} {name}")


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(
    ("task", "layers", "bidirectional"),
    [("language_model", 2, False), ("tagging", 1, True), ("classification", 1, False), ("classification", 2, True)],
)
@pytest.mark.parametrize("everywhere", [False, True])
def test_gradients_are_those_of_autograd_with_the_same_numbers_forced(
    tmp_path, cell, task, layers, bidirectional, everywhere
):
    loaded = load(tmp_path, task, cell, num_layers=layers, bidirectional=bidirectional)
    forced = (
        forced_everywhere(cell)
        if everywhere
        else some_interventions(cell, layers, ("forward", "backward")[: 1 + bidirectional])
    )
    found = intervene(loaded, TEXTS[task], forced).gradients
    assert found is not None
    goals = torch.tensor([loaded.labels.index(name) for name in found.target_names])
    x = torch.tensor(x_of(loaded, TEXTS[task]))
    for side, interventions in (("before", []), ("after", forced)):
        loss, states = by_autograd(loaded, x, interventions, goals, list(found.loss_steps))
        assert found.losses[0 if side == "before" else 1] == pytest.approx(loss, abs=1e-12)
        for part in found.layers:
            assert_is(part, side, states)
            assert set(part.before) == {"hidden_state"} | ({"cell_state"} if cell.startswith("lstm") else set())


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_gradient_of_an_edited_state_is_what_a_little_more_of_it_does_to_the_loss(tmp_path, cell):
    loaded = load(tmp_path, "language_model", cell, num_layers=2)
    state = "cell_state" if cell.startswith("lstm") else "hidden_state"

    def run(value: float) -> ChangedGradients:
        one = Intervention(quantity=state, value=value, first=3, last=3, layer=0, direction="forward", unit=2)
        found = intervene(loaded, TEXTS["language_model"], [one]).gradients
        assert found is not None
        return found

    low, middle, high = (run(0.7 + change) for change in (-1e-5, 0.0, 1e-5))
    slope = (high.losses[1] - low.losses[1]) / 2e-5
    assert middle.layers[0].after[state][3, 2] == pytest.approx(slope, rel=1e-5)
    assert low.losses[0] == high.losses[0]


def test_nothing_goes_back_behind_a_state_that_is_edited_as_a_whole(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm")
    forced = [Intervention(quantity=name, value=0.5, first=4, last=4) for name in ("cell_state", "hidden_state")]
    found = intervene(loaded, TEXTS["language_model"], forced, loss_step=8).gradients
    assert found is not None
    for name in ("cell_state", "hidden_state"):
        before, after = found.norms(0, "forward", name)
        assert (before[:9] > 0).all()
        assert (after[4:9] > 0).all()
        assert not after[:4].any()
        assert not after[9:].any()


def test_the_gradients_without_are_those_of_the_backward_pass(tmp_path):
    loaded = load(tmp_path, "language_model", "lstm_peephole", num_layers=2)
    plain = backward(loaded, TEXTS["language_model"], loss_step=5, weights=False)
    found = intervene(loaded, TEXTS["language_model"], [], loss_step=5).gradients
    assert found is not None
    assert (found.loss_steps, found.target_names) == (plain.loss_steps, plain.target_names)
    assert found.losses.tolist() == [pytest.approx(plain.loss, abs=1e-12)] * 2
    for part, one in zip(found.layers, plain.layers, strict=True):
        np.testing.assert_allclose(part.before["hidden_state"], one.hidden_state, rtol=0, atol=BOUND)
        np.testing.assert_allclose(part.before["cell_state"], one.cell_state, rtol=0, atol=BOUND)
    assert found.moved_norms() == found.moved_units() == []


def test_what_moved_most_is_named_the_furthest_first(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    one = Intervention(quantity="hidden_state", value=4.0, first=2, last=2, layer=0, direction="forward", unit=6)
    found = intervene(loaded, "To be, or", [one]).gradients
    assert found is not None
    norms = found.norms(0, "forward", "hidden_state")
    furthest = int(np.abs(norms[1] - norms[0]).argmax())
    moved = found.moved_norms(3)
    assert [moved[0].step, moved[0].before, moved[0].after] == [furthest, norms[0, furthest], norms[1, furthest]]
    assert len(moved) == 3
    unit = found.moved_units(1)[0]
    part = found.layers[0]
    largest = np.abs(part.after["hidden_state"] - part.before["hidden_state"]).max()
    assert abs(unit.after - unit.before) == pytest.approx(largest)
    assert (unit.quantity, unit.layer) == ("hidden_state", 0)


def test_the_same_answers_are_held_against_both_runs_of_a_tagger(tmp_path):
    loaded = load(tmp_path, "tagging", "lstm", bidirectional=True)
    plain = backward(loaded, TEXTS["tagging"], weights=False)
    found = intervene(loaded, TEXTS["tagging"], [Intervention(quantity="output_gate", value=0.0)]).gradients
    assert found is not None
    assert found.target_names == plain.target_names


def test_a_text_without_a_loss_has_no_gradients_and_a_step_without_one_is_refused(tmp_path):
    loaded = load(tmp_path, "language_model", "gru")
    assert intervene(loaded, "T", []).gradients is None
    with pytest.raises(InvalidInputError, match="loss_step is 4; allowed is 0 to 3"):
        intervene(loaded, "To be", [], loss_step=4)
    with pytest.raises(InvalidInputError, match="type at least two"):
        intervene(loaded, "T", [], loss_step=0)
