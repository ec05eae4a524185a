"""Frozen configurations. Plain data: no torch, so that the app may read them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.types import TASKS, Task

CELL_NAMES: tuple[str, ...] = (
    "rnn_tanh",
    "rnn_relu",
    "rnn_logistic",
    "rnn_leaky_relu",
    "rnn_elu",
    "rnn_identity",
    "gru",
    "gru_reset_before",
    "gru_simplified",
    "lstm",
    "lstm_linear_output",
    "lstm_peephole",
)


SCORE_NAMES: tuple[str, ...] = ("additive", "dot", "scaled_dot", "bilinear", "cosine", "none")
"""Attention score functions of ``seqviz.models.attention``; ``none`` for an encoder-decoder without attention."""


class _FromDict:
    """Builds a frozen configuration from a mapping and refuses unknown keys by name."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        for key in values:
            if key not in known:
                raise unknown_name("field", key, known)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload]


def _check_range(field: str, value: object, low: float, high: float) -> None:
    # A range between whole numbers takes only whole numbers.
    if isinstance(low, int) and (isinstance(value, bool) or not isinstance(value, int)):
        raise InvalidInputError("{field} is {value!r}; it must be a whole number.", field=field, value=value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInputError("{field} is {value!r}; it must be a number.", field=field, value=value)
    if not low <= value <= high:
        raise InvalidInputError(
            "{field} is {value}; allowed is {low} to {high}.", field=field, value=value, low=low, high=high
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig(_FromDict):
    """What a sequence model is made of.

    Args:
        task: what the outputs mean.
        cell: one of ``CELL_NAMES``.
        vocabulary_size: number of word or character embeddings.
        subword_buckets: rows of the hashed character n-gram table that is added to each word's embedding
            (Bojanowski et al. 2017, equation 3); 0 for none.
        embedding_size: components of an input vector.
        hidden_size: units of each layer and direction.
        num_layers: recurrent layers.
        bidirectional: a forward and a backward pass in each layer, states concatenated.
        output_size: number of labels.
        dropout: probability of a unit being dropped in training, one mask for all steps of a sequence
            (Gal and Ghahramani 2016), on embeddings, between layers and before the output.
        tied_output: the output's weights are the word vectors (Press and Wolf 2017); a language model whose states
            have as many components as its word vectors.
    """

    task: Task
    cell: str
    vocabulary_size: int
    embedding_size: int
    hidden_size: int
    output_size: int
    num_layers: int = 1
    bidirectional: bool = False
    subword_buckets: int = 0
    dropout: float = 0.0
    tied_output: bool = False

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise unknown_name("task", self.task, TASKS)
        if self.cell not in CELL_NAMES:
            raise unknown_name("cell", self.cell, CELL_NAMES)
        for field, low, high in (
            ("vocabulary_size", 1, 1_000_000),
            ("embedding_size", 1, 8192),
            ("hidden_size", 1, 8192),
            ("output_size", 1, 1_000_000),
            ("num_layers", 1, 16),
            ("subword_buckets", 0, 1_000_000),
            ("dropout", 0.0, 0.95),
        ):
            _check_range(field, getattr(self, field), low, high)
        if not isinstance(self.tied_output, bool):
            raise InvalidInputError("tied_output is {value!r}; it must be true or false.", value=self.tied_output)
        if self.tied_output and (
            self.task != "language_model" or self.bidirectional or self.hidden_size != self.embedding_size
        ):
            raise InvalidInputError(
                "tied_output needs a language model with hidden_size = embedding_size, not {hidden} and {embedding}.",
                hidden=self.hidden_size,
                embedding=self.embedding_size,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationConfig(_FromDict):
    """What a translation model (an encoder-decoder) is made of.

    Args:
        cell: one of ``CELL_NAMES``, of the encoder and the decoder.
        vocabulary_size: pieces of both languages; one embedding serves source, target and output (Press and Wolf 2017).
        embedding_size: components of an input vector.
        encoder_size: units of each direction of the encoder.
        decoder_size: units of each layer of the decoder.
        encoder_layers, decoder_layers: recurrent layers; those of the decoder behind the first read its state and the
            context.
        score: one of ``SCORE_NAMES``.
        attention_size: components of queries and keys where the score function projects them.
        dropout: probability of a unit being dropped in training, one mask for all steps of a sequence.
        task: always ``"translation"``.
    """

    cell: str
    vocabulary_size: int
    embedding_size: int
    encoder_size: int
    decoder_size: int
    encoder_layers: int = 1
    decoder_layers: int = 1
    score: str = "additive"
    attention_size: int = 128
    dropout: float = 0.0
    task: str = "translation"

    def __post_init__(self) -> None:
        if self.task != "translation":
            raise unknown_name("task", self.task, ("translation",))
        if self.cell not in CELL_NAMES:
            raise unknown_name("cell", self.cell, CELL_NAMES)
        if self.score not in SCORE_NAMES:
            raise unknown_name("score", self.score, SCORE_NAMES)
        for field, low, high in (
            ("vocabulary_size", 5, 1_000_000),
            ("embedding_size", 1, 8192),
            ("encoder_size", 1, 8192),
            ("decoder_size", 1, 8192),
            ("encoder_layers", 1, 16),
            ("decoder_layers", 1, 16),
            ("attention_size", 1, 8192),
            ("dropout", 0.0, 0.95),
        ):
            _check_range(field, getattr(self, field), low, high)
        if self.score == "dot" and self.decoder_size != 2 * self.encoder_size:
            raise InvalidInputError(
                "score dot compares states as they are: decoder_size must be 2 x encoder_size = {size}, not {found}.",
                size=2 * self.encoder_size,
                found=self.decoder_size,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(_FromDict):
    """How a model is trained.

    Args:
        batch_size: sequences a step (language models: parallel streams).
        max_epochs: passes over the training data.
        learning_rate: peak of the schedule, reached by a linear warm-up.
        schedule: what comes behind the warm-up: ``"cosine"`` to ``final_rate_share`` of the peak at the last step, or
            ``"inverse_root"``, the peak times √(warm-up steps / step) (Vaswani et al. 2017, section 5.3), which does
            not depend on the number of epochs.
        warmup_steps: steps of the linear warm-up.
        clip_norm: threshold θ of g <- min(1, θ/||g||) g (Pascanu et al. 2013); 0 for no clipping.
        weight_decay: decoupled weight decay (AdamW).
        second_decay: decay β2 of the running mean of squared gradients (AdamW).
        average_decay: decay of the running average of the weights that is evaluated and saved; 0 for none.
        patience: evaluations without a better figure before training stops early.
        evaluations_per_epoch: how often the held-out figure is measured.
        unroll_steps: steps of truncated back-propagation (language models).
        word_dropout: probability of hiding a training word behind <unk>.
        label_smoothing: share of the target spread over all labels.
        prefix_share: share of a classifier's loss that is that of its verdicts after every word.
        sampled_words: entries of the vocabulary in the softmax of a training step, half of them the most frequent
            ones, half drawn anew each step (``training.tasks.sampled_loss``); 0 for the full softmax.
        precision: ``"float32"``, or ``"bfloat16"`` for autocast forward and backward passes (weights stay float32).
        seed: seed of weights, data order and dropout.
    """

    batch_size: int = 32
    max_epochs: int = 10
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 100
    final_rate_share: float = 0.02
    clip_norm: float = 1.0
    weight_decay: float = 0.0
    second_decay: float = 0.999
    average_decay: float = 0.0
    patience: int = 10
    evaluations_per_epoch: int = 1
    unroll_steps: int = 100
    word_dropout: float = 0.0
    label_smoothing: float = 0.0
    prefix_share: float = 0.0
    sampled_words: int = 0
    precision: str = "float32"
    seed: int = 1

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            raise unknown_name("precision", self.precision, ("float32", "bfloat16"))
        if self.schedule not in ("cosine", "inverse_root"):
            raise unknown_name("schedule", self.schedule, ("cosine", "inverse_root"))
        for field, low, high in (
            ("batch_size", 1, 65_536),
            ("max_epochs", 1, 100_000),
            ("learning_rate", 1e-9, 100.0),
            ("warmup_steps", 0, 10_000_000),
            ("final_rate_share", 0.0, 1.0),
            ("clip_norm", 0.0, 1e9),
            ("weight_decay", 0.0, 10.0),
            ("second_decay", 0.0, 0.999999),
            ("average_decay", 0.0, 0.999999),
            ("patience", 1, 100_000),
            ("evaluations_per_epoch", 1, 1000),
            ("unroll_steps", 1, 100_000),
            ("word_dropout", 0.0, 0.9),
            ("label_smoothing", 0.0, 0.9),
            ("prefix_share", 0.0, 1.0),
            ("sampled_words", 0, 1_000_000),
        ):
            _check_range(field, getattr(self, field), low, high)
