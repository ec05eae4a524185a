"""What the trainer needs to know of a task: its batches, its loss and its held-out figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqviz.config import TrainConfig
from seqviz.errors import InvalidInputError
from seqviz.metrics.figures import accuracy, entity_f1, perplexity
from seqviz.models.cells import Carry
from seqviz.models.sequence_model import SequenceModel
from seqviz.models.stack import locked_dropout
from seqviz.text import Encoded

_Item = TypeVar("_Item")

ModelT = TypeVar("ModelT", bound=nn.Module)
_TaskModel_contra = TypeVar("_TaskModel_contra", bound=nn.Module, contravariant=True)


class AnyBatch(Protocol):
    """What the trainer knows of a batch."""

    @property
    def starts_stream(self) -> bool: ...


BatchT = TypeVar("BatchT", bound=AnyBatch)

IGNORED = -100
"""Target of a padded position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Padded examples: ids and targets (batch, step) or targets (batch,); buckets (batch, step, n-gram).

    Only the later windows of a language model go on from the states of the batch before (``starts_stream`` false).
    """

    ids: Tensor
    targets: Tensor
    lengths: Tensor | None = None
    buckets: Tensor | None = None
    starts_stream: bool = True


class TrainingTask(Protocol[_TaskModel_contra, BatchT]):
    """One kind of data with its loss and figure, for one kind of model and batch."""

    figure: str
    higher_is_better: bool

    def batches(self, epoch: int, batch_size: int, seed: int) -> Iterator[BatchT]: ...

    def batches_per_epoch(self, batch_size: int) -> int: ...

    def loss(
        self, model: _TaskModel_contra, batch: BatchT, carries: list[Carry] | None, config: TrainConfig
    ) -> tuple[Tensor, list[Carry]]: ...

    def evaluate(self, model: _TaskModel_contra) -> dict[str, float]: ...

    def measure(self, model: _TaskModel_contra) -> dict[str, float]: ...

    def training_ids(self) -> Sequence[Sequence[int]]: ...


def training_loss(
    model: SequenceModel, batch: Batch, carries: list[Carry] | None, config: TrainConfig
) -> tuple[Tensor, list[Carry]]:
    """Mean cross-entropy in nats over the batch's targets, and the carries behind it.

    With ``prefix_share`` a part of the loss is that of the verdicts after every word, the t-th of T words with weight
    t / (1 + ... + T) (linear gain, Dai and Le 2015; target replication, Lipton et al. 2016).
    """
    ids = batch.ids
    if config.word_dropout:
        ids = ids.masked_fill(torch.rand(ids.shape) < config.word_dropout, 0)  # id 0 is <unk>
    if config.prefix_share:
        return _prefix_loss(model, batch, ids, config)
    if config.sampled_words:
        states, carries = model.output_states(ids, carries=carries)
        return sampled_loss(model.output, states.flatten(0, 1), batch.targets.flatten(), config.sampled_words), carries
    if config.activation_penalty:
        states, carries = model.output_states(ids, carries=carries)
        penalty = config.activation_penalty * states.float().square().mean()
        return _cross_entropy(model.output(states), batch, config) + penalty, within_limit(carries, config.carry_limit)
    logits, carries = model(ids, buckets=batch.buckets, lengths=batch.lengths, carries=carries)
    return _cross_entropy(logits, batch, config), within_limit(carries, config.carry_limit)


def _cross_entropy(logits: Tensor, batch: Batch, config: TrainConfig) -> Tensor:
    return functional.cross_entropy(
        logits.float().reshape(-1, logits.shape[-1]),
        batch.targets.reshape(-1),
        ignore_index=IGNORED,
        label_smoothing=config.label_smoothing,
    )


def within_limit(carries: list[Carry], limit: float) -> list[Carry]:
    """The carries with every stream set to zero that has a number beyond the limit; 0 is no limit.

    Where h = o ⊙ c a saturated cell grows by one a step for ever: without a fresh start a stream that has once run away
    teaches nothing any more.
    """
    if not limit:
        return carries
    largest = torch.stack([part.detach().abs().amax(-1) for carry in carries for part in carry]).amax(0)
    # (stream,) -> (stream, 1), against (stream, unit)
    away = (largest > limit).unsqueeze(-1)
    return [tuple(part.masked_fill(away, 0.0) for part in carry) for carry in carries]


def sampled_loss(output: nn.Linear, states: Tensor, targets: Tensor, words: int) -> Tensor:
    """Mean cross-entropy with a softmax over a part of the vocabulary (importance sampling, Jean et al. 2015).

    The ``words / 2`` first entries (the most frequent ones) are always in the sum over the vocabulary; of the others
    as many are drawn, each standing for 1/p of its kind, and a target among them counts once, as itself.

    Args:
        output: logits = W h + b over the vocabulary.
        states: h, (position, unit).
        targets: right entries, (position,).
        words: entries in the sum.
    """
    size = output.out_features
    head = min(words // 2, size)
    drawn = torch.randperm(size - head)[: words - head] + head
    candidates = torch.cat([torch.arange(head), drawn])
    # One lookup for both uses: each lookup's gradient is a table as large as the vocabulary's.
    found, right_rows = output.weight[torch.cat([candidates, targets])].split([len(candidates), len(targets)])
    logits = functional.linear(states, found, output.bias[candidates]).float()
    if len(drawn):
        rare = logits[:, head:]
        rare = rare.masked_fill(drawn == targets.unsqueeze(1), -torch.inf) + math.log((size - head) / len(drawn))
        logits = torch.cat([logits[:, :head], rare], 1)
    right = (states.float() * right_rows).sum(1) + output.bias[targets]
    logits = torch.cat([logits, right.masked_fill(targets < head, -torch.inf).unsqueeze(1)], 1)
    return (logits.logsumexp(1) - right).mean()


def _prefix_loss(model: SequenceModel, batch: Batch, ids: Tensor, config: TrainConfig) -> tuple[Tensor, list[Carry]]:
    if batch.lengths is None or model.config.task != "classification" or model.config.bidirectional:
        raise InvalidInputError("train.prefix_share is for classifiers that read in one direction.")
    states, carries = model.stack(model.embed(ids, batch.buckets), lengths=batch.lengths)
    logits = model.output(locked_dropout(states, model.config.dropout, training=model.training)).float()
    targets = batch.targets.unsqueeze(1).expand(ids.shape)
    each = functional.cross_entropy(
        logits.transpose(1, 2), targets, reduction="none", label_smoothing=config.label_smoothing
    )
    weights = prefix_weights(batch.lengths, ids.shape[1], config.prefix_share)
    return (each * weights).sum(1).mean(), carries


def prefix_weights(lengths: Tensor, steps: int, share: float) -> Tensor:
    """Weights (batch, step) of the verdicts, 1 in each row: ``share`` rising linearly, the rest on the last word."""
    position = torch.arange(1, steps + 1).unsqueeze(0)
    ends = lengths.unsqueeze(1)
    rising = position * (position <= ends)
    return share * rising / rising.sum(1, keepdim=True) + (1 - share) * (position == ends)


class _SequenceTask:
    """The loss of the models that label, classify or go on with one sequence."""

    def loss(
        self, model: SequenceModel, batch: Batch, carries: list[Carry] | None, config: TrainConfig
    ) -> tuple[Tensor, list[Carry]]:
        return training_loss(model, batch, carries, config)


class LanguageModelTask(_SequenceTask):
    """A long text in parallel streams, read in windows whose states are carried over.

    Args:
        train_ids: the training text.
        valid_ids: the held-out text, measured as one stream.
        unroll_steps: length of a window.
        watched_tokens: how much of the held-out text is measured during training; None for all of it.
    """

    figure = "nats_per_token"
    higher_is_better = False

    def __init__(
        self,
        train_ids: Sequence[int],
        valid_ids: Sequence[int],
        *,
        unroll_steps: int,
        watched_tokens: int | None = None,
    ) -> None:
        self._train = torch.tensor(train_ids)
        self._valid = torch.tensor(valid_ids)
        self._unroll_steps, self._watched_tokens = unroll_steps, watched_tokens

    def batches_per_epoch(self, batch_size: int) -> int:
        return math.ceil((self._stream_length(batch_size) - 1) / self._unroll_steps)

    def _stream_length(self, batch_size: int) -> int:
        length = (len(self._train) - self._unroll_steps) // batch_size
        if length < 2:
            raise InvalidInputError(
                "The training text has {count} tokens; {batch} streams of {steps} steps need more.",
                count=len(self._train),
                batch=batch_size,
                steps=self._unroll_steps,
            )
        return length

    def batches(self, epoch: int, batch_size: int, seed: int) -> Iterator[Batch]:
        # Each epoch starts a little later, so that the windows' borders fall elsewhere.
        length = self._stream_length(batch_size)
        generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
        offset = int(torch.randint(self._unroll_steps, (1,), generator=generator))
        streams = self._train[offset : offset + length * batch_size].view(batch_size, length)
        for start in range(0, length - 1, self._unroll_steps):
            stop = min(start + self._unroll_steps, length - 1)
            yield Batch(ids=streams[:, start:stop], targets=streams[:, start + 1 : stop + 1], starts_stream=start == 0)

    def evaluate(self, model: SequenceModel) -> dict[str, float]:
        return language_model_figures(model, self._valid[: self._watched_tokens])

    def measure(self, model: SequenceModel) -> dict[str, float]:
        return language_model_figures(model, self._valid)

    def training_ids(self) -> list[list[int]]:
        return [self._train.tolist()]


def language_model_figures(model: SequenceModel, ids: Tensor) -> dict[str, float]:
    """Cross-entropy in nats per token, perplexity and the number of predicted tokens."""
    nats = language_model_nats(model, ids)
    return {"nats_per_token": nats, "perplexity": perplexity(nats), "tokens": float(len(ids) - 1)}


def language_model_nats(model: SequenceModel, ids: Tensor, *, window: int = 2048, rows: int = 256) -> float:
    """Mean -log p(x_t | x_<t) in nats over a text read as one stream; the first token has no prediction."""
    total, carries = 0.0, None
    for start in range(0, len(ids) - 1, window):
        stop = min(start + window, len(ids) - 1)
        states, carries = model.output_states(ids[None, start:stop], carries=carries)
        for part, targets in zip(states[0].split(rows), ids[start + 1 : stop + 1].split(rows), strict=True):
            logits = model.output(part).double()
            total += functional.cross_entropy(logits, targets, reduction="sum").item()
    return total / (len(ids) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text with its target: a class, or a tag for each piece."""

    encoded: Encoded
    target: int | tuple[int, ...]


class LabelledTask(_SequenceTask):
    """Texts with a class each, or with a tag for each word.

    Args:
        train, valid: the examples.
        labels: names of the classes or tags, in the order of the model's outputs.
        tagging: targets are tags.
    """

    higher_is_better = True

    def __init__(
        self, train: Sequence[Example], valid: Sequence[Example], *, labels: Sequence[str], tagging: bool
    ) -> None:
        self.figure = "f1" if tagging else "accuracy"
        self._train, self._valid, self._labels, self._tagging = train, valid, labels, tagging

    def batches_per_epoch(self, batch_size: int) -> int:
        return math.ceil(len(self._train) / batch_size)

    def batches(self, epoch: int, batch_size: int, seed: int) -> Iterator[Batch]:
        # Texts of like length go together; the order within a length and that of the batches are shuffled.
        generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
        jitter = torch.rand(len(self._train), generator=generator).mul(2.0).tolist()
        order = sorted(range(len(self._train)), key=lambda i: len(self._train[i].encoded) + jitter[i])
        starts = range(0, len(order), batch_size)
        for index in torch.randperm(len(starts), generator=generator).tolist():
            yield collate([self._train[i] for i in order[starts[index] : starts[index] + batch_size]])

    def training_ids(self) -> list[Sequence[int]]:
        return [example.encoded.ids for example in self._train]

    def measure(self, model: SequenceModel) -> dict[str, float]:
        return self.evaluate(model)

    def evaluate(self, model: SequenceModel) -> dict[str, float]:
        return evaluate_examples(model, self._valid, labels=self._labels, tagging=self._tagging)


def evaluate_examples(
    model: SequenceModel, examples: Sequence[Example], *, labels: Sequence[str], tagging: bool
) -> dict[str, float]:
    """Accuracy in percent, or entity-level F1 in percent with the share of right tags."""
    predicted: dict[int, list[int]] = {}
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].encoded))
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        batch = collate([examples[i] for i in chosen])
        logits, _ = model(batch.ids, buckets=batch.buckets, lengths=batch.lengths)
        best = logits.argmax(-1).tolist()
        for index, answer in zip(chosen, best, strict=True):
            predicted[index] = answer[: len(examples[index].encoded)] if tagging else [answer]
    targets = [e.target if isinstance(e.target, tuple) else (e.target,) for e in examples]
    flat = accuracy([t for row in targets for t in row], [p for i in range(len(examples)) for p in predicted[i]])
    if not tagging:
        return {"accuracy": flat, "examples": float(len(examples))}
    named = [[labels[t] for t in row] for row in targets]
    answers = [[labels[p] for p in predicted[i]] for i in range(len(examples))]
    return {**entity_f1(named, answers), "tag_accuracy": flat, "examples": float(len(examples))}


def collate(examples: Sequence[Example]) -> Batch:
    """Pads examples on the right to one batch."""
    lengths = torch.tensor([max(1, len(example.encoded)) for example in examples])
    steps = int(lengths.max())
    ids = torch.tensor([_padded(example.encoded.ids, steps, 0) for example in examples])
    grams = max((len(bucket) for example in examples for bucket in example.encoded.buckets), default=0)
    buckets = None
    if grams:
        # One tensor from nested lists: a call for each word would cost more than the forward pass.
        empty = [0] * grams
        rows = [[_padded(bucket, grams, 0) for bucket in example.encoded.buckets] for example in examples]
        buckets = torch.tensor([_padded(row, steps, empty) for row in rows])
    targets = [e.target if isinstance(e.target, int) else _padded(e.target, steps, IGNORED) for e in examples]
    return Batch(ids=ids, targets=torch.tensor(targets), lengths=lengths, buckets=buckets)


def _padded(row: Sequence[_Item], size: int, filler: _Item) -> list[_Item]:
    return [*row, *[filler] * (size - len(row))]


def better(task: TrainingTask[Any, Any], figure: float, best: float | None) -> bool:
    """Whether a figure beats the best one so far."""
    if best is None or math.isnan(best):
        return not math.isnan(figure)
    return figure > best if task.higher_is_better else figure < best
