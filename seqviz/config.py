"""Frozen configurations. Plain data: no torch, so that the app may read them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.types import TASKS, Task

SEARCHES: tuple[str, ...] = ("greedy", "beam", "diverse", "sampling", "exact", "brute_force")
STOPPING_RULES: tuple[str, ...] = ("n_best", "all")

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


class FromDict:
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


def check_range(field: str, value: object, low: float, high: float) -> None:
    """Raises InvalidInputError with the range if a value is outside it, or no number."""
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
class ModelConfig(FromDict):
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
            check_range(field, getattr(self, field), low, high)
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
class TranslationConfig(FromDict):
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
            check_range(field, getattr(self, field), low, high)
        if self.score == "dot" and self.decoder_size != 2 * self.encoder_size:
            raise InvalidInputError(
                "score dot compares states as they are: decoder_size must be 2 x encoder_size = {size}, not {found}.",
                size=2 * self.encoder_size,
                found=self.decoder_size,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(FromDict):
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
        activation_penalty: factor of the mean square of the last layer's states, added to the loss of a language model
            (activation regularisation, Merity et al. 2017, section 4.3).
        attention_penalty: factor λ of what is added to the loss of a translation model so that its decoder looks at
            every source piece about equally, λ/S Σ_i (τ - Σ_t α_t^i)², the mean over the sentences, S pieces each
            (doubly stochastic attention, Xu et al. 2015, section 4.2.1; they do not divide by S, which here keeps a
            long sentence from outweighing the others); 0 for none.
        attention_target: τ: what a source piece should receive in all. The weights of T steps sum to T, so that only
            τ = T/S can be reached by all pieces; 1, as in the paper, suits pairs of about equal length.
        carry_limit: a stream of a language model with a state beyond this number begins anew from zero; 0 for no limit.
            Only a cell without a squashed output needs it.
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
    activation_penalty: float = 0.0
    attention_penalty: float = 0.0
    attention_target: float = 1.0
    carry_limit: float = 0.0
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
            ("activation_penalty", 0.0, 100.0),
            ("attention_penalty", 0.0, 1000.0),
            ("attention_target", 0.0, 100.0),
            ("carry_limit", 0.0, 1e9),
        ):
            check_range(field, getattr(self, field), low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeConfig(FromDict):
    """How a sequence is searched for (syllabus S3 to S5).

    Args:
        search: one of ``SEARCHES``.
        beam_size: B, hypotheses that survive a step; ``"exact"`` first runs a beam of this size for its lower bound.
        max_length: T, tokens of the longest hypothesis, <eos> and the forced prefix included.
        min_length: tokens that must stand before <eos>.
        alpha: α of the length normalisation (1/L^α) Σ log p; 0 for the plain sum, 1 for the mean.
        coverage: β of the coverage penalty (Wu et al. 2016, equation 14), on finished hypotheses; 0 for none.
        prefix: ids of the tokens that every hypothesis begins with.
        forbidden: ids of tokens that no hypothesis may choose.
        stopping: a beam stops when it has beam_size finished hypotheses (``"n_best"``), or goes on to max_length and
            keeps every finished one (``"all"``).
        samples: hypotheses that ``"sampling"`` draws.
        temperature: of sampling: softmax(log p / temperature).
        top_k: sampling draws from the k most probable tokens; 0 for all.
        top_p: sampling draws from the smallest set of tokens whose probabilities reach p (Holtzman et al. 2020).
        seed: of sampling.
        groups: of ``"diverse"``; they share beam_size evenly.
        diversity: λ of ``"diverse"``: nats a token loses for each earlier group that chose it at the same step.
        max_expansions: budget of ``"exact"`` and ``"brute_force"``: hypotheses whose next tokens are computed.
        candidates: next tokens recorded for every expanded hypothesis.
    """

    search: str = "beam"
    beam_size: int = 5
    max_length: int = 50
    min_length: int = 0
    alpha: float = 0.0
    coverage: float = 0.0
    prefix: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()
    stopping: str = "n_best"
    samples: int = 5
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1
    groups: int = 1
    diversity: float = 0.5
    max_expansions: int = 2000
    candidates: int = 5

    def __post_init__(self) -> None:
        if self.search not in SEARCHES:
            raise unknown_name("search", self.search, SEARCHES)
        if self.stopping not in STOPPING_RULES:
            raise unknown_name("stopping", self.stopping, STOPPING_RULES)
        for field, low, high in (
            ("beam_size", 1, 10_000),
            ("max_length", 1, 1000),
            ("min_length", 0, 1000),
            ("alpha", 0.0, 2.0),
            ("coverage", 0.0, 10.0),
            ("samples", 1, 1000),
            ("temperature", 0.01, 100.0),
            ("top_k", 0, 10_000_000),
            ("top_p", 0.001, 1.0),
            ("seed", 0, 2**31 - 1),
            ("groups", 1, 100),
            ("diversity", 0.0, 100.0),
            ("max_expansions", 1, 1_000_000),
            ("candidates", 1, 100),
        ):
            check_range(field, getattr(self, field), low, high)
        for field in ("prefix", "forbidden"):
            # JSON has lists; a frozen configuration is hashable.
            object.__setattr__(self, field, tuple(getattr(self, field)))
            for token in getattr(self, field):
                check_range(field, token, 0, 10_000_000)
        if self.min_length >= self.max_length:
            raise InvalidInputError(
                "min_length is {low} and max_length {high}; it must be shorter, for <eos> needs a place.",
                low=self.min_length,
                high=self.max_length,
            )
        if len(self.prefix) > self.max_length:
            raise InvalidInputError(
                "The forced prefix has {count} tokens; max_length allows {high}.",
                count=len(self.prefix),
                high=self.max_length,
            )
        if self.search == "diverse" and self.beam_size % self.groups:
            raise InvalidInputError(
                "beam_size is {beam_size}; it must be a multiple of groups, {groups}.",
                beam_size=self.beam_size,
                groups=self.groups,
            )
