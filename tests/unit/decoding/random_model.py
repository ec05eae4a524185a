"""Step functions for tests: random ones, in which every prefix has a distribution of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from seqviz.decoding import StepOutput

SOURCE, UNITS = 3, 2


class RandomModel:
    """Its state is the prefix of each hypothesis, so a wrong reordering of states shows at once."""

    eos_id = 0

    def __init__(self, vocabulary_size: int, seed: int, *, sharpness: float = 1.5, dtype: type = np.float64) -> None:
        self.vocabulary_size = vocabulary_size
        self.bos_id = vocabulary_size
        self.seed = seed
        self.sharpness = sharpness
        self.dtype = dtype
        self.calls = 0

    def name(self, token: int) -> str:
        return "<eos>" if token == self.eos_id else chr(ord("A") + token - 1)

    def log_probs(self, prefix: tuple[int, ...]) -> np.ndarray:
        logits = self._random(prefix, 0).normal(size=self.vocabulary_size) * self.sharpness
        return (logits - np.log(np.exp(logits).sum())).astype(self.dtype)

    def attention(self, prefix: tuple[int, ...]) -> np.ndarray:
        return self._random(prefix, 1).dirichlet(np.ones(SOURCE))

    def _random(self, prefix: tuple[int, ...], kind: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, kind, len(prefix), *prefix])

    def start(self) -> list[tuple[int, ...]]:
        return [()]

    def step(self, state: list[tuple[int, ...]], tokens: np.ndarray) -> StepOutput[list[tuple[int, ...]]]:
        self.calls += 1
        assert len(state) == len(tokens)
        prefixes = [
            prefix if token == self.bos_id else (*prefix, token)
            for prefix, token in zip(state, tokens.tolist(), strict=True)
        ]
        return StepOutput(
            log_probs=np.stack([self.log_probs(prefix) for prefix in prefixes]),
            state=prefixes,
            attention=np.stack([self.attention(prefix) for prefix in prefixes]),
            hidden_state=np.array([[len(prefix), sum(prefix)] for prefix in prefixes], np.float64),
        )

    def select(self, state: list[tuple[int, ...]], rows: np.ndarray) -> list[tuple[int, ...]]:
        return [state[row] for row in rows.tolist()]

    def chain(self, tokens: tuple[int, ...]) -> list[float]:
        """log P of every token of a sequence, one after the other."""
        return [float(self.log_probs(tokens[:place])[token]) for place, token in enumerate(tokens)]


class JoiningModel(RandomModel):
    """The same, for searches that put prefixes of several calls into one."""

    def join(self, states: list[list[tuple[int, ...]]]) -> list[tuple[int, ...]]:
        return [prefix for state in states for prefix in state]


def every_sequence(vocabulary_size: int, max_length: int, eos_id: int) -> Iterator[tuple[int, ...]]:
    """All complete sequences: those that end with <eos>, and those of the greatest length without it."""
    others = [token for token in range(vocabulary_size) if token != eos_id]
    for length in range(max_length):
        for beginning in itertools.product(others, repeat=length):
            yield (*beginning, eos_id)
    yield from itertools.product(others, repeat=max_length)


def best_sequence(model: RandomModel, max_length: int, *, alpha: float = 0.0) -> tuple[tuple[int, ...], float]:
    """The winner and its score, with nothing of the library."""
    scored = [
        (sum(model.chain(tokens)) / len(tokens) ** alpha, tokens)
        for tokens in every_sequence(model.vocabulary_size, max_length, model.eos_id)
    ]
    score, tokens = max(scored)
    return tokens, score
