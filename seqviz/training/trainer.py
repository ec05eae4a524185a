"""The training loop: one for all tasks, resumable after a kill with the same result.

Everything that the next step depends on (weights, optimiser moments, running average, random state, place in the data,
carried states) lies in one file that is replaced in one piece, so that a killed run goes on where it was.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from seqviz.config import TrainConfig
from seqviz.errors import CheckpointError, SeqvizError
from seqviz.files import write_atomically, writing
from seqviz.models.cells import Carry
from seqviz.training.tasks import BatchT, ModelT, TrainingTask, better

STATE_FILE = "state.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainStep:
    """What one step did.

    Args:
        step, total_steps: counted from 1; the total if training does not stop early.
        epoch: counted from 0.
        loss: mean cross-entropy of the batch, nats.
        grad_norm: L2 norm of the whole gradient before clipping.
        clipped: whether the norm was above the threshold.
        learning_rate: of this step.
        seconds: wall time since the run began, pauses and earlier sittings left out or added up.
        figures: held-out figures, on the steps that measured them.
        is_best: the figures are the best so far.
    """

    step: int
    total_steps: int
    epoch: int
    loss: float
    grad_norm: float
    clipped: bool
    learning_rate: float
    seconds: float
    figures: dict[str, float] | None = None
    is_best: bool = False


@dataclass
class _State:
    """The part of a run that is not tensors."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    best_figure: float | None = None
    best_figures: dict[str, float] = field(default_factory=dict)
    evaluations_without_gain: int = 0
    seconds: float = 0.0
    finished: bool = False


class Trainer(Generic[ModelT, BatchT]):
    """Trains a model on a task; iterate over ``steps()``.

    Args:
        model: the model, trained in place; ``best_weights`` holds the best ones.
        task: batches, figure.
        config: how.
        folder: where the resumable state lies; None keeps nothing.
        save_seconds: time between two saves of the state.
        start: what the parameters were before training, for the state to be told from another run's; empty where they
            come from the seed.

    Parameters that need no gradient are frozen: they are neither trained nor saved.
    """

    def __init__(
        self,
        model: ModelT,
        task: TrainingTask[ModelT, BatchT],
        config: TrainConfig,
        *,
        folder: Path | None = None,
        save_seconds: float = 60.0,
        start: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.model, self.task, self.config = model, task, config
        self._folder, self._save_seconds, self._clock = folder, save_seconds, clock
        self._start = start
        self._parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        decayed = [p for p in self._parameters.values() if p.dim() > 1]
        others = [p for p in self._parameters.values() if p.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=config.learning_rate,
            betas=(0.9, config.second_decay),
            fused=True,
        )
        self._average = {k: v.detach().clone() for k, v in self._parameters.items()} if config.average_decay else {}
        self._carries: list[Carry] | None = None
        self._state = _State()
        self.best_weights: dict[str, Tensor] = {k: v.detach().clone() for k, v in self._parameters.items()}
        torch.manual_seed(config.seed)

    @property
    def best_figures(self) -> dict[str, float]:
        """Held-out figures of ``best_weights``."""
        return dict(self._state.best_figures)

    @property
    def seconds(self) -> float:
        """Wall time of training and evaluation, all sittings together."""
        return self._state.seconds

    def steps(self) -> Iterator[TrainStep]:
        """Trains to the end, one record a step; resumes from the folder's state if there is one."""
        self._resume()
        per_epoch = self.task.batches_per_epoch(self.config.batch_size)
        total = per_epoch * self.config.max_epochs
        evaluate_every = max(1, per_epoch // self.config.evaluations_per_epoch)
        started, saved = self._clock() - self._state.seconds, self._clock()
        state = self._state
        if state.step >= total + evaluate_every:
            raise CheckpointError(
                "The run has gone {step} steps; {epochs} epochs are {total}. Raise train.max_epochs or start over.",
                step=state.step,
                epochs=self.config.max_epochs,
                total=total,
            )
        while not state.finished and state.epoch < self.config.max_epochs:
            batches = self.task.batches(state.epoch, self.config.batch_size, self.config.seed)
            for index, batch in enumerate(batches):
                if index < state.batch:
                    continue
                if batch.starts_stream:
                    self._carries = None
                record = self._step(batch, total)
                state.batch = index + 1
                if state.step % evaluate_every == 0 or state.step == total:
                    record = self._evaluated(record)
                state.finished = state.evaluations_without_gain >= self.config.patience
                state.seconds = self._clock() - started
                if self._clock() - saved > self._save_seconds or state.finished:
                    self._save()
                    saved = self._clock()
                yield record
                if state.finished:
                    return
            state.epoch, state.batch = state.epoch + 1, 0
        state.finished = True
        self._save()

    def _step(self, batch: BatchT, total: int) -> TrainStep:
        state, config = self._state, self.config
        rate = learning_rate(state.step, total, config)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bfloat16"):
            loss, carries = self.task.loss(self.model, batch, self._carries, config)
        self._carries = [tuple(part.detach() for part in carry) for carry in carries]
        loss.backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in self._parameters.values() if p.grad is not None])
        if not torch.isfinite(norm):
            # One more step would spoil every weight for good.
            raise SeqvizError(
                "Step {step}: the gradient is not finite. Try a smaller train.learning_rate"
                ' or train.precision="float32".',
                step=state.step + 1,
            )
        if config.clip_norm:
            torch.nn.utils.clip_grads_with_norm_(self._parameters.values(), config.clip_norm, norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        state.step += 1
        self._update_average()
        return TrainStep(
            step=state.step,
            total_steps=total,
            epoch=state.epoch,
            loss=loss.item(),
            grad_norm=norm.item(),
            clipped=bool(config.clip_norm) and norm.item() > config.clip_norm,
            learning_rate=rate,
            seconds=state.seconds,
        )

    def _update_average(self) -> None:
        if not self._average:
            return
        # The average starts short and lengthens, so that it does not remember the first weights for long.
        decay = min(self.config.average_decay, (1 + self._state.step) / (10 + self._state.step))
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                self._average[name].lerp_(parameter, 1 - decay)

    def _evaluated(self, record: TrainStep) -> TrainStep:
        weights = self._average or {k: v.detach() for k, v in self._parameters.items()}
        live = {k: v.detach().clone() for k, v in self._parameters.items()}
        self._copy(weights)
        self.model.eval()
        with torch.inference_mode():
            figures = self.task.evaluate(self.model)
        is_best = better(self.task, figures[self.task.figure], self._state.best_figure)
        if is_best:
            self._state.best_figure = figures[self.task.figure]
            self._state.best_figures = figures
            self._state.evaluations_without_gain = 0
            self.best_weights = {k: v.detach().clone() for k, v in weights.items()}
        else:
            self._state.evaluations_without_gain += 1
        self._copy(live)
        return replace(record, figures=figures, is_best=is_best)

    def _copy(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(weights[name])

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"model.{k}": v.detach() for k, v in self._parameters.items()}
        tensors |= {f"average.{k}": v for k, v in self._average.items()}
        tensors |= {f"best.{k}": v for k, v in self.best_weights.items()}
        names = {id(parameter): name for name, parameter in self._parameters.items()}
        for parameter, moments in self._optimizer.state.items():
            tensors |= {f"optimizer.{names[id(parameter)]}.{k}": v for k, v in moments.items()}
        for layer, carry in enumerate(self._carries or []):
            tensors |= {f"carry.{layer}.{part}": v for part, v in enumerate(carry)}
        tensors["random"] = torch.get_rng_state()
        return {name: tensor.contiguous() for name, tensor in tensors.items()}

    def _save(self) -> None:
        if self._folder is None:
            return
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        metadata = {
            "state": json.dumps(self._state.__dict__),
            "config": json.dumps(self.config.to_dict()),
            "start": self._start,
        }
        write_atomically(self._folder / STATE_FILE, to_bytes(self._tensors(), metadata))

    def _resume(self) -> None:
        if self._folder is None or not (self._folder / STATE_FILE).exists():
            return
        path = self._folder / STATE_FILE
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
        except (SafetensorError, OSError) as error:
            raise CheckpointError("{path} is damaged: {reason}.", path=path, reason=error) from error
        part = _Prefixed(tensors)
        shapes = {name: tensor.shape for name, tensor in part["model."].items()}
        same_model = shapes == {name: parameter.shape for name, parameter in self._parameters.items()}
        same_model = same_model and metadata.get("start", "") == self._start
        if not same_model or not same_steps(TrainConfig.from_dict(json.loads(metadata["config"])), self.config):
            raise CheckpointError(
                "{path} belongs to a run with other settings; remove it or choose another folder.", path=path
            )
        self._state = _State(**json.loads(metadata["state"]))
        if self._state.epoch < self.config.max_epochs and self._state.evaluations_without_gain < self.config.patience:
            self._state.finished = False  # a run that was finished goes on if it is now to be longer
        self._copy(part["model."])
        self._average, self.best_weights = part["average."], part["best."]
        for name, moment in part["optimizer."].items():
            parameter, _, key = name.rpartition(".")
            self._optimizer.state[self._parameters[parameter]][key] = moment
        carry = part["carry."]
        if carry:
            layers = sorted({int(name.split(".")[0]) for name in carry})
            self._carries = [
                tuple(carry[f"{layer}.{i}"] for i in range(2) if f"{layer}.{i}" in carry) for layer in layers
            ]
        torch.set_rng_state(tensors["random"])


class _Prefixed:
    """Looks tensors up by the first part of their names."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors

    def __getitem__(self, prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in self._tensors.items() if k.startswith(prefix)}


def same_steps(first: TrainConfig, second: TrainConfig) -> bool:
    """Whether two configurations take the same steps as far as both go: how long they go may then differ."""
    if first.schedule == second.schedule == "inverse_root":
        first = replace(first, max_epochs=second.max_epochs)
    return first == second


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """Linear warm-up to the peak, then a cosine down to its final share, or a fall with the root of the steps."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "inverse_root":
        return config.learning_rate * math.sqrt(max(1, config.warmup_steps) / (step + 1))
    progress = (step - config.warmup_steps) / max(1, total - config.warmup_steps)
    share = config.final_rate_share
    return config.learning_rate * (share + (1 - share) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
