"""The trainer: resuming gives the same bits, files are whole or absent, the schedule and the clipping are as said."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seqviz.config import ModelConfig, TrainConfig
from seqviz.errors import CheckpointError, InvalidInputError, SeqvizError
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import Encoded
from seqviz.training.tasks import (
    Batch,
    Example,
    LabelledTask,
    LanguageModelTask,
    TrainingTask,
    collate,
    language_model_nats,
    prefix_weights,
    training_loss,
    within_limit,
)
from seqviz.training.trainer import STATE_FILE, Trainer, TrainStep, learning_rate

TRAIN = TrainConfig(
    batch_size=4,
    max_epochs=3,
    learning_rate=0.02,
    warmup_steps=3,
    average_decay=0.9,
    evaluations_per_epoch=2,
    unroll_steps=5,
    word_dropout=0.1,
    seed=3,
)


def encoded(ids: tuple[int, ...]) -> Encoded:
    pieces = tuple(str(index) for index in ids)
    return Encoded(pieces=pieces, originals=pieces, ids=ids, buckets=tuple((1 + i % 3, 4) for i in ids))


def examples(*, count: int, tagging: bool) -> list[Example]:
    texts = [tuple(1 + (7 * row + 3 * step) % 6 for step in range(2 + row % 5)) for row in range(count)]
    return [
        Example(encoded=encoded(ids), target=tuple(i % 2 for i in ids) if tagging else sum(ids) % 2) for ids in texts
    ]


def task_named(name: str) -> TrainingTask[SequenceModel, Batch]:
    if name == "language_model":
        ids = [(step * step // 3) % 7 for step in range(150)]
        return LanguageModelTask(ids[:110], ids[110:], unroll_steps=5)
    tagging = name == "tagging"
    # 22 examples in batches of 4: the last batch is smaller.
    return LabelledTask(
        examples(count=22, tagging=tagging),
        examples(count=6, tagging=tagging),
        labels=("O", "B-PER") if tagging else ("no", "yes"),
        tagging=tagging,
    )


def model_for(name: str, *, seed: int = 1) -> SequenceModel:
    torch.manual_seed(seed)
    return SequenceModel(
        ModelConfig(
            task=name,  # type: ignore[arg-type]
            cell="lstm",
            vocabulary_size=7,
            embedding_size=5,
            hidden_size=6,
            output_size=7 if name == "language_model" else 2,
            bidirectional=name == "tagging",
            subword_buckets=0 if name == "language_model" else 4,
            dropout=0.3,
        )
    )


def trainer_for(name: str, folder: Path | None = None, *, config: TrainConfig = TRAIN) -> Trainer[SequenceModel, Batch]:
    return Trainer(model_for(name), task_named(name), config, folder=folder, save_seconds=0.0)


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in trainer.model.state_dict().items()}


def expect_equal_bits(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize("name", ["language_model", "classification", "tagging"])
@pytest.mark.parametrize("stop_after", [1, 7])
def test_run_resumed_after_a_stop_gives_equal_weights_bit_by_bit(name: str, stop_after: int, tmp_path: Path) -> None:
    whole = trainer_for(name)
    records = list(whole.steps())
    stopped = trainer_for(name, tmp_path).steps()
    for _ in range(stop_after):
        next(stopped)
    del stopped  # dropped in the middle, as a killed process drops it
    torch.manual_seed(999)  # another process has another random state
    resumed = trainer_for(name, tmp_path)
    rest = list(resumed.steps())
    assert [record.step for record in rest] == list(range(stop_after + 1, len(records) + 1))
    assert [record.loss for record in rest] == [record.loss for record in records[stop_after:]]
    expect_equal_bits(weights(whole), weights(resumed))
    expect_equal_bits(whole.best_weights, resumed.best_weights)
    assert whole.best_figures == resumed.best_figures


KILLED = """
import sys
from pathlib import Path
from tests.unit.test_training import trainer_for
for step in trainer_for(sys.argv[1], Path(sys.argv[2])).steps():
    print(step.step, flush=True)
"""


@pytest.mark.parametrize("name", ["language_model", "tagging"])
def test_run_resumed_after_its_process_was_killed_gives_equal_weights(name: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, name, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "6":
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    process.stdout.close()
    resumed = trainer_for(name, tmp_path)
    first = next(steps := resumed.steps())
    assert first.step >= 6
    for _ in steps:
        pass
    whole = trainer_for(name)
    for _ in whole.steps():
        pass
    expect_equal_bits(weights(whole), weights(resumed))


def test_finished_run_trains_no_further_when_it_is_started_again(tmp_path: Path) -> None:
    first = trainer_for("classification", tmp_path)
    assert len(list(first.steps())) == 18
    again = trainer_for("classification", tmp_path)
    assert list(again.steps()) == []
    expect_equal_bits(first.best_weights, again.best_weights)


def test_state_of_a_run_with_other_settings_is_refused(tmp_path: Path) -> None:
    next(trainer_for("classification", tmp_path).steps())
    other = trainer_for("classification", tmp_path, config=replace(TRAIN, learning_rate=0.5))
    with pytest.raises(CheckpointError, match="belongs to a run with other settings"):
        next(other.steps())


def test_state_of_another_model_is_refused(tmp_path: Path) -> None:
    next(trainer_for("classification", tmp_path).steps())
    with pytest.raises(CheckpointError, match="belongs to a run with other settings"):
        next(trainer_for("tagging", tmp_path).steps())


def test_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_bytes(b"not safetensors")
    with pytest.raises(CheckpointError, match=r"state\.safetensors is damaged"):
        next(trainer_for("classification", tmp_path).steps())


class _Scripted:
    """A task whose held-out figures are given."""

    figure = "accuracy"
    higher_is_better = True

    def __init__(self, figures: list[float]) -> None:
        self._inner, self._figures = task_named("classification"), iter(figures)

    def batches_per_epoch(self, batch_size: int) -> int:
        return self._inner.batches_per_epoch(batch_size)

    def batches(self, epoch: int, batch_size: int, seed: int) -> Iterator[Batch]:
        return self._inner.batches(epoch, batch_size, seed)

    def loss(self, *parts: Any) -> tuple[Tensor, list[Any]]:
        return self._inner.loss(*parts)

    def training_ids(self) -> list[list[int]]:
        return []

    def evaluate(self, model: SequenceModel) -> dict[str, float]:
        return {"accuracy": next(self._figures)}


def test_training_stops_after_patience_evaluations_without_gain_and_keeps_the_best() -> None:
    config = replace(TRAIN, max_epochs=50, patience=3, evaluations_per_epoch=1)
    trainer = Trainer(model_for("classification"), _Scripted([50, 70, 60, 70, 69, 99]), config)
    measured = [record for record in trainer.steps() if record.figures]
    assert [record.figures for record in measured] == [{"accuracy": value} for value in (50, 70, 60, 70, 69)]
    assert [record.is_best for record in measured] == [True, True, False, False, False]
    assert trainer.best_figures == {"accuracy": 70}


def test_best_weights_are_those_of_the_best_evaluation() -> None:
    config = replace(TRAIN, max_epochs=3, patience=9, evaluations_per_epoch=1, average_decay=0.0)
    trainer = Trainer(model_for("classification"), _Scripted([50, 70, 60]), config)
    seen = [weights(trainer) for record in trainer.steps() if record.figures]
    expect_equal_bits(trainer.best_weights, seen[1])


def first_step(*, clip_norm: float, monkeypatch: pytest.MonkeyPatch) -> tuple[TrainStep, float]:
    """The record of the first step and the norm of the gradient that the optimiser was given."""
    applied: list[float] = []
    original = torch.optim.AdamW.step

    def spy(self: torch.optim.AdamW, closure: None = None) -> None:
        parts = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        applied.append(math.sqrt(sum(float(part.double().square().sum()) for part in parts)))
        original(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", spy)
    trainer = trainer_for("classification", config=replace(TRAIN, clip_norm=clip_norm))
    return next(trainer.steps()), applied[0]


def test_clipped_gradient_is_applied_with_the_norm_of_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    record, applied = first_step(clip_norm=0.01, monkeypatch=monkeypatch)
    assert record.clipped
    assert record.grad_norm > 0.02
    assert applied == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize("clip_norm", [0.0, 1e6])
def test_gradient_below_the_threshold_is_applied_as_it_is(clip_norm: float, monkeypatch: pytest.MonkeyPatch) -> None:
    record, applied = first_step(clip_norm=clip_norm, monkeypatch=monkeypatch)
    assert not record.clipped
    assert applied == pytest.approx(record.grad_norm, rel=1e-5)


def test_gradient_that_is_not_finite_stops_the_run_before_it_spoils_the_weights() -> None:
    trainer = trainer_for("classification")
    with torch.no_grad():
        trainer.model.output.bias[0] = math.inf
    before = weights(trainer)
    with pytest.raises(SeqvizError, match=r"Step 1: the gradient is not finite\. Try a smaller train\.learning_rate"):
        next(trainer.steps())
    expect_equal_bits(before, weights(trainer))


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (8, 0.55), (12, 0.1), (99, 0.1)],
)
def test_learning_rate_warms_up_linearly_and_falls_as_a_cosine(step: int, expected: float) -> None:
    config = TrainConfig(learning_rate=1.0, warmup_steps=4, final_rate_share=0.1)
    assert learning_rate(step, 12, config) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.25), (3, 1.0), (15, 0.5), (63, 0.25)])
@pytest.mark.parametrize("total", [64, 1000])
def test_learning_rate_of_the_inverse_root_does_not_depend_on_the_end(step: int, expected: float, total: int) -> None:
    config = TrainConfig(learning_rate=1.0, warmup_steps=4, schedule="inverse_root")
    assert learning_rate(step, total, config) == pytest.approx(expected)


def test_a_run_with_the_inverse_root_goes_on_when_it_is_to_be_longer(tmp_path: Path) -> None:
    short = replace(TRAIN, schedule="inverse_root", max_epochs=2)
    whole = trainer_for("tagging", config=replace(short, max_epochs=3))
    list(whole.steps())
    list(trainer_for("tagging", tmp_path, config=short).steps())
    longer = trainer_for("tagging", tmp_path, config=replace(short, max_epochs=3))
    assert len(list(longer.steps())) == 6
    expect_equal_bits(weights(whole), weights(longer))


def test_a_run_with_the_inverse_root_ends_early_with_the_weights_of_a_short_run(tmp_path: Path) -> None:
    long = replace(TRAIN, schedule="inverse_root", max_epochs=9)
    started = trainer_for("tagging", tmp_path, config=long).steps()
    for _ in range(13):  # two epochs of six steps and one step, no evaluation behind the second epoch
        next(started)
    del started
    ended = trainer_for("tagging", tmp_path, config=replace(long, max_epochs=2))
    assert list(ended.steps()) == []
    whole = trainer_for("tagging", config=replace(long, max_epochs=2))
    list(whole.steps())
    expect_equal_bits(whole.best_weights, ended.best_weights)


def test_a_run_that_has_gone_too_far_is_not_passed_off_as_a_short_one(tmp_path: Path) -> None:
    long = replace(TRAIN, schedule="inverse_root", max_epochs=9)
    started = trainer_for("tagging", tmp_path, config=long).steps()
    for _ in range(16):
        next(started)
    del started
    with pytest.raises(CheckpointError, match="has gone 16 steps; 2 epochs are 12"):
        list(trainer_for("tagging", tmp_path, config=replace(long, max_epochs=2)).steps())


def test_learning_rate_without_warmup_starts_at_the_peak() -> None:
    assert learning_rate(0, 10, TrainConfig(learning_rate=0.3, warmup_steps=0)) == pytest.approx(0.3)


def test_labelled_batches_start_from_zero_states_and_windows_go_on() -> None:
    assert all(batch.starts_stream for batch in task_named("tagging").batches(0, 4, 1))
    starts = [batch.starts_stream for batch in task_named("language_model").batches(0, 4, 1)]
    assert starts == [True, False, False, False, False]


def test_labelled_loss_does_not_depend_on_the_batch_before() -> None:
    config = replace(TRAIN, learning_rate=1e-9, warmup_steps=0, word_dropout=0.0, weight_decay=0.0, max_epochs=1)
    trainer = trainer_for("classification", config=config)
    trainer.model.config = replace(trainer.model.config, dropout=0.0)
    batches = list(task_named("classification").batches(0, 4, config.seed))
    alone = [training_loss(trainer.model, batch, None, config)[0].item() for batch in batches]
    assert [record.loss for record in trainer.steps()] == pytest.approx(alone, abs=1e-5)


def test_language_model_windows_cover_the_text_once_with_the_next_token_as_target() -> None:
    task = LanguageModelTask(list(range(50)), [0, 1], unroll_steps=5)
    batches = list(task.batches(0, 2, 1))
    ids = torch.cat([batch.ids for batch in batches], 1)
    targets = torch.cat([batch.targets for batch in batches], 1)
    assert torch.equal(targets, ids + 1)
    assert ids.shape == (2, 21)
    assert torch.equal(ids[:, 1:], ids[:, :-1] + 1)


def test_text_too_short_for_its_streams_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="The training text has 12 tokens; 8 streams of 5 steps need more"):
        LanguageModelTask(list(range(12)), [0, 1], unroll_steps=5).batches_per_epoch(8)


def test_held_out_cross_entropy_is_that_of_one_long_stream_whatever_the_window() -> None:
    model = model_for("language_model").eval()
    ids = torch.tensor([0, 3, 5, 1, 1, 6, 2, 4, 0, 3])
    with torch.inference_mode():
        logits, _ = model(ids[None, :-1])
        log_probs = logits[0].double().log_softmax(-1)
        expected = -sum(log_probs[step, ids[step + 1]].item() for step in range(9)) / 9
        assert language_model_nats(model, ids) == pytest.approx(expected, abs=1e-6)
        assert language_model_nats(model, ids, window=4) == pytest.approx(expected, abs=1e-6)


def test_prefix_weights_rise_linearly_to_the_last_word_and_leave_padding_out() -> None:
    result = prefix_weights(torch.tensor([3, 1]), 4, 0.6)
    expected = torch.tensor([[0.1, 0.2, 0.7, 0.0], [1.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(result, expected)


def test_loss_of_all_verdicts_equals_the_losses_of_the_prefixes_read_alone() -> None:
    model = model_for("classification").eval()
    long, short = examples(count=2, tagging=False)[::-1]
    config = TrainConfig(prefix_share=1.0)
    with torch.no_grad():
        loss, _ = training_loss(model, collate([long, short]), None, config)
        expected = 0.0
        for example in (long, short):
            count = len(example.encoded)
            for end in range(1, count + 1):
                cut = Example(encoded=encoded(example.encoded.ids[:end]), target=example.target)
                alone, _ = training_loss(model, collate([cut]), None, TrainConfig())
                expected += alone.item() * end / (count * (count + 1) / 2) / 2
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_prefix_loss_of_a_tagger_is_refused() -> None:
    batch = next(task_named("tagging").batches(0, 4, 1))
    with pytest.raises(InvalidInputError, match="prefix_share is for classifiers"):
        training_loss(model_for("tagging"), batch, None, TrainConfig(prefix_share=0.5))


def test_a_stream_that_has_run_away_begins_anew_and_the_others_go_on():
    h, c = torch.tensor([[0.5, -0.2], [0.1, 0.3]]), torch.tensor([[3.0, -25.0], [4.0, 5.0]])
    [(h_after, c_after)] = within_limit([(h, c)], 20.0)
    assert h_after.tolist() == [[0.0, 0.0], h[1].tolist()]
    assert c_after.tolist() == [[0.0, 0.0], [4.0, 5.0]]
    assert within_limit([(h, c)], 0.0)[0][1] is c


def test_the_activation_penalty_adds_the_mean_square_of_the_states():
    model = model_for("language_model").eval()
    batch = Batch(ids=torch.tensor([[1, 2, 3]]), targets=torch.tensor([[2, 3, 1]]))
    plain, _ = training_loss(model, batch, None, TrainConfig())
    penalised, _ = training_loss(model, batch, None, TrainConfig(activation_penalty=0.5))
    states, _ = model.output_states(batch.ids)
    assert penalised.item() == pytest.approx(plain.item() + 0.5 * states.square().mean().item(), abs=1e-6)
