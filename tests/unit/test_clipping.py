"""Clipping and the training of variants in lockstep: against torch, against each other, and where numbers end."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from seqviz.clipping import MAX_VARIANTS, ClippingConfig, VariantCurve, merged
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.training.cliff import cliff
from seqviz.training.clipping import ClippingRun, clip_by_norm, clip_by_value
from seqviz.training.long_tasks import LongDependencyTask

SMALL = {"hidden_size": 8, "length": 10, "batch_size": 4, "steps": 30}
TEXT = "the cat sat on the mat and the cats sat on the mats"
WILD = {**SMALL, "cell": "rnn_relu", "learning_rate": 10.0, "steps": 60}


def trained(config: ClippingConfig) -> tuple[ClippingRun, list[VariantCurve]]:
    run = ClippingRun(config)
    while run.advance():
        pass
    return run, list(merged([run.news()]))


def parameters_with(*gradients: list[float]) -> list[nn.Parameter]:
    found = []
    for values in gradients:
        parameter = nn.Parameter(torch.zeros(len(values)))
        parameter.grad = torch.tensor(values)
        found.append(parameter)
    return found


def gradients(parameters: list[nn.Parameter]) -> list[list[float]]:
    return [parameter.grad.tolist() for parameter in parameters if parameter.grad is not None]


def test_clipping_by_norm_keeps_the_direction_of_the_whole_gradient():
    parameters = parameters_with([3.0, 0.0], [4.0])
    assert float(clip_by_norm(parameters, 1.0)) == 5.0
    assert np.allclose(np.concatenate(gradients(parameters)), [0.6, 0.0, 0.8], rtol=1e-6)
    parameters = parameters_with([0.3, -0.4])
    clip_by_norm(parameters, 1.0)
    assert np.float32(gradients(parameters)[0]).tolist() == np.float32([0.3, -0.4]).tolist()


def test_clipping_by_value_bounds_every_component():
    parameters = parameters_with([3.0, -0.2], [-4.0])
    clip_by_value(parameters, 0.5)
    assert np.float32(np.concatenate(gradients(parameters))).tolist() == np.float32([0.5, -0.2, -0.5]).tolist()


@pytest.mark.parametrize("threshold", [0.01, 0.7, 5.0, 1000.0])
def test_clipping_equals_torch_to_the_last_digit(threshold: float):
    values = torch.randn(40, generator=torch.Generator().manual_seed(3)).tolist()
    for ours, theirs in (
        (clip_by_norm, nn.utils.clip_grad_norm_),
        (clip_by_value, nn.utils.clip_grad_value_),
    ):
        own, other = parameters_with(values[:17], values[17:]), parameters_with(values[:17], values[17:])
        ours(own, threshold)
        theirs(other, threshold)
        assert gradients(own) == gradients(other)


@pytest.mark.parametrize("clipping", ["none", "norm", "value"])
def test_a_variant_is_what_a_plain_training_loop_gives(clipping: str):
    config = ClippingConfig(**SMALL, variants=(clipping,), threshold=0.3, value_threshold=0.05)
    run, [curve] = trained(config)
    again = ClippingRun(config)
    model = again.variants[0].model
    optimiser = torch.optim.SGD(model.parameters(), config.learning_rate)
    task, losses, norms = LongDependencyTask(config), [], []
    for step in range(1, config.steps + 1):
        batch = task.batch(step)
        loss = task.loss(model(batch.inputs), batch)
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        norms.append(float(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm()))
        if clipping == "norm":
            nn.utils.clip_grad_norm_(model.parameters(), 0.3)
        if clipping == "value":
            nn.utils.clip_grad_value_(model.parameters(), 0.05)
        optimiser.step()
    assert curve.measure("loss").tolist() == losses
    assert np.allclose(curve.measure("grad_norm"), norms, rtol=1e-5)
    if clipping == "norm":
        assert curve.measure("clipped").tolist() == [float(norm > 0.3) for norm in curve.measure("grad_norm")]
        assert np.all(curve.measure("update_norm") <= 0.3 * (1 + 1e-6))
    for own, other in zip(run.variants[0].model.parameters(), model.parameters(), strict=True):
        assert torch.equal(own, other)


@pytest.mark.parametrize("task", ["adding", "copy", "text"])
@pytest.mark.parametrize("cell", ["rnn_tanh", "gru", "lstm"])
def test_variants_begin_with_the_same_weights_and_data(task: str, cell: str):
    _, curves = trained(ClippingConfig(**{**SMALL, "steps": 10}, task=task, text=TEXT, cell=cell))
    first = {(curve.measure("loss")[0], curve.measure("grad_norm")[0]) for curve in curves}
    assert len(curves) == 3
    assert len(first) == 1


def test_the_same_seed_gives_the_same_run_and_another_one_another():
    runs = [trained(ClippingConfig(**SMALL, seed=seed))[1] for seed in (1, 1, 2)]
    values = [np.stack([curve.values for curve in curves]) for curves in runs]
    assert np.array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_fork_with_the_same_threshold_repeats_its_parent(optimiser: str):
    config = ClippingConfig(**SMALL, variants=("norm",), threshold=0.3, optimiser=optimiser, learning_rate=0.01)
    run = ClippingRun(config)
    for _ in range(11):
        run.advance()
    fork = run.fork(0, clipping="norm", threshold=0.3)
    assert (fork.parent, fork.begins) == (0, 11)
    while run.advance():
        pass
    parent, child = merged([run.news()])
    assert np.array_equal(parent.values[11:], child.values)
    assert child.steps[0] == 12


def test_a_fork_with_another_threshold_leaves_its_parent_alone():
    config = ClippingConfig(**SMALL, variants=("norm",), threshold=0.3)
    run = ClippingRun(config)
    for _ in range(5):
        run.advance()
    run.fork(0, clipping="norm", threshold=0.01)
    while run.advance():
        pass
    parent, child = merged([run.news()])
    assert np.array_equal(parent.values, trained(config)[1][0].values)
    assert child.measure("loss")[0] == parent.measure("loss")[5]
    assert child.measure("loss")[-1] != parent.measure("loss")[-1]


def test_divergence_is_named_at_the_step_where_it_happens():
    _, (wild, tame) = trained(ClippingConfig(**WILD, variants=("none", "norm"), threshold=0.01))
    assert wild.divergence is not None
    losses = wild.measure("loss")
    assert wild.divergence.step == wild.last_step == len(losses) < 60
    assert np.isfinite(losses[:-1]).all()
    bad = {"loss": losses[-1], "gradient": wild.measure("grad_norm")[-1], "weights": wild.measure("weight_norm")[-1]}
    found = bad[wild.divergence.what]
    assert not math.isfinite(found)
    assert wild.divergence.value == ("NaN" if math.isnan(found) else "inf")
    assert tame.divergence is None
    assert tame.last_step == 60


@pytest.mark.parametrize(("poison", "name"), [(math.nan, "NaN"), (math.inf, "inf")])
def test_a_poisoned_weight_is_found_in_the_loss_of_the_next_step(poison: float, name: str):
    run = ClippingRun(ClippingConfig(**SMALL, variants=("none", "norm")))
    for _ in range(4):
        run.advance()
    with torch.no_grad():
        run.variants[0].model.output.bias[0] = poison
    while run.advance():
        pass
    divergence = run.variants[0].divergence
    assert divergence is not None
    assert (divergence.step, divergence.what, divergence.value) == (5, "loss", name)
    assert run.variants[1].divergence is None


def test_a_fork_from_before_the_jump_begins_with_the_weights_of_that_step():
    run, [wild] = trained(ClippingConfig(**WILD, variants=("none",)))
    assert wild.jump is not None
    with pytest.raises(InvalidInputError, match="has diverged"):
        run.fork(0, clipping="norm", threshold=0.01)
    fork = run.fork(0, clipping="norm", threshold=0.01, before_jump=True)
    assert fork.begins == wild.jump - 1
    while run.advance():
        pass
    child = merged([run.news()])[1]
    assert child.measure("loss")[0] == wild.measure("loss")[wild.jump - 1]
    assert child.divergence is None


def test_the_jump_leads_from_a_loss_of_use_to_a_greater_one():
    _, [wild] = trained(ClippingConfig(**WILD, variants=("none",)))
    losses = wild.measure("loss")
    assert wild.jump is not None
    cap = 100 * losses[0]
    capped = np.where(np.isfinite(losses), np.minimum(losses, cap), cap)
    assert wild.jump == int(np.argmax(np.log(capped[1:] / capped[:-1]))) + 1


def test_the_cliff_starts_at_the_losses_of_the_run():
    run, [wild, tame] = trained(ClippingConfig(**WILD, variants=("none", "norm"), threshold=0.01))
    found = cliff(run, 0, second="value")
    assert found.step == wild.jump
    assert found.loss == wild.measure("loss")[found.step - 1]
    assert found.next_loss == pytest.approx(wild.measure("loss")[found.step], rel=1e-5)
    assert found.grad_norm == pytest.approx(wild.measure("grad_norm")[found.step - 1], rel=1e-5)
    steps = {step.clipping: step for step in found.steps}
    # Plain gradient descent: the update is the learning rate times the (clipped) gradient.
    assert steps["none"].along == pytest.approx(10.0 * found.grad_norm, rel=1e-4)
    assert steps["norm"].along == pytest.approx(10.0 * 0.01, rel=1e-3)
    assert [step.taken for step in found.steps] == [True, False, False]
    middle = int(np.argmin(np.abs(found.near_distances)))
    assert found.near_losses[middle] == pytest.approx(found.loss, rel=1e-4)
    assert steps["value"].beyond < 1e-3 * steps["value"].length
    again = cliff(run, 0, second="value")
    assert np.array_equal(again.losses, found.losses)
    assert tame.divergence is None


@pytest.mark.parametrize("second", ["previous", "value", "random"])
def test_the_surface_holds_the_curve(second: str):
    run, [curve] = trained(ClippingConfig(**SMALL, variants=("norm",)))
    found = cliff(run, 0, second=second)
    middle = len(found.across) // 2
    assert found.across[middle] == pytest.approx(0.0, abs=1e-12)
    point = run.jump_of(run.variants[0])[-1]
    model, _ = run.restored(point)
    batch = run.task.batch(found.step)
    run.task.loss(model(batch.inputs), batch).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad is not None
            parameter.sub_(float(found.along[-1]) / found.grad_norm * parameter.grad)
        expected = float(run.task.loss(model(batch.inputs), batch))
    assert found.surface[middle, -1] == pytest.approx(expected, rel=1e-3)
    assert curve.jump == found.step


def test_the_largest_derivatives_are_named():
    run, _ = trained(ClippingConfig(**SMALL, variants=("norm",)))
    (first, largest), (second, next_largest) = cliff(run, 0).largest
    assert first != second
    assert abs(largest) >= abs(next_largest) > 0


def test_a_loss_that_never_rose_has_no_cliff():
    run = ClippingRun(ClippingConfig(**SMALL, variants=("norm",)))
    run.advance()
    with pytest.raises(InvalidInputError, match="has not risen yet"):
        cliff(run, 0)


def test_there_is_a_limit_of_variants():
    run = ClippingRun(ClippingConfig(**SMALL))
    for _ in range(MAX_VARIANTS - 3):
        run.fork(1, clipping="norm", threshold=0.5)
    with pytest.raises(InvalidInputError, match="6 variants already"):
        run.fork(1, clipping="norm", threshold=0.5)


def test_a_finished_variant_can_only_be_forked_from_before_its_jump():
    run, _ = trained(ClippingConfig(**SMALL, variants=("norm",)))
    with pytest.raises(InvalidInputError, match="has done all its steps"):
        run.fork(0, clipping="norm", threshold=0.5)
    run.fork(0, clipping="value", threshold=0.5, before_jump=True)
    assert run.advance()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hidden_size": 1}, "Units is 1; allowed is 2 to 128."),
        ({"length": 401}, "Length is 401; allowed is 5 to 400."),
        ({"batch_size": 0}, "Sequences a step is 0; allowed is 1 to 128."),
        ({"learning_rate": 11.0}, "Learning rate is 11; allowed is 1e-05 to 10."),
        ({"learning_rate": math.nan}, "Learning rate is nan; it must be a number."),
        ({"threshold": 0.0}, "θ of the norm is 0; allowed is 0.0001 to 1000."),
        ({"value_threshold": -1.0}, "θ of the values is -1; allowed is 1e-06 to 1000."),
        ({"steps": 5001}, "Steps is 5001; allowed is 10 to 5000."),
        ({"steps": 20.5}, "Steps is 20.5; it must be a whole number."),
        ({"seed": -1}, "Seed is -1; allowed is 0 to 999999."),
        ({"variants": ()}, "Choose at least one way of clipping, each of them once."),
        ({"task": "text", "text": "abc"}, "The text has 3 characters; for sequences of 30 it needs 31 to 1000."),
        (
            {"task": "text", "text": "ab" * 2500},
            "The text has 5000 characters; for sequences of 30 it needs 31 to 1000.",
        ),
        ({"task": "text", "text": "a" * 100}, "The text has only one kind of character"),
    ],
)
def test_what_is_out_of_range_is_said_with_the_range(change: dict, sentence: str):
    with pytest.raises(InvalidInputError) as caught:
        ClippingConfig(**change)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("field", ["task", "cell", "initialisation", "optimiser"])
def test_an_unknown_name_is_refused_with_the_known_ones(field: str):
    with pytest.raises(UnknownNameError, match="known are"):
        ClippingConfig(**{field: "x"})


def test_the_adding_problem_marks_one_number_in_each_half():
    task = LongDependencyTask(ClippingConfig(**SMALL))
    batch = task.batch(7)
    numbers, marks = batch.inputs.unbind(-1)
    assert marks[:, :5].sum(1).tolist() == marks[:, 5:].sum(1).tolist() == [1.0] * 4
    assert torch.allclose(batch.targets, (numbers * marks).sum(1))
    assert torch.equal(task.batch(7).inputs, batch.inputs)
    assert not torch.equal(task.batch(8).inputs, batch.inputs)


def test_copy_memory_asks_for_the_first_symbols_after_the_signal():
    task = LongDependencyTask(ClippingConfig(**SMALL, task="copy"))
    batch = task.batch(1)
    ids = batch.inputs.argmax(-1)
    assert ids.shape == (4, 20)
    assert torch.equal(ids[:, :5], batch.targets)
    assert ids[0, 5:15].tolist() == [8] * 10
    assert ids[0, 15:].tolist() == [9, 8, 8, 8, 8]


def test_a_text_is_read_in_windows_of_itself():
    task = LongDependencyTask(ClippingConfig(**SMALL, task="text", text=TEXT))
    alphabet = sorted(set(TEXT))
    batch = task.batch(1)
    read = "".join(alphabet[i] for i in batch.inputs[0].argmax(-1))
    following = "".join(alphabet[i] for i in batch.targets[0])
    assert read in TEXT
    assert read[1:] == following[:-1]


@pytest.mark.parametrize(("task", "baseline"), [("adding", 1 / 6), ("copy", math.log(8)), ("text", math.log(2))])
def test_the_baseline_is_the_loss_of_an_answer_without_memory(task: str, baseline: float):
    assert ClippingConfig(task=task, text="ab" * 30).baseline == pytest.approx(baseline)


def test_the_caller_keeps_its_random_state():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    trained(ClippingConfig(**{**SMALL, "steps": 10}))
    assert torch.equal(before, torch.random.get_rng_state())


def test_news_put_together_are_the_whole_run():
    config = ClippingConfig(**SMALL)
    run, news = ClippingRun(config), []
    more = True
    while more:
        more = run.advance()
        news.append(run.news())
    assert [c.values.tolist() for c in merged(news)] == [c.values.tolist() for c in trained(config)[1]]
    assert news[-1].seconds_left == 0
    assert news[0].seconds_left is not None
