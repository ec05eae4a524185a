"""What a search knows of a model: one function from states and tokens to log probabilities. No model in here.

The hypotheses of a search are the batch of the step function: a model computes them all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from seqviz.types import FloatArray, IntArray

State = TypeVar("State")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutput(Generic[State]):
    """What one step answers for all hypotheses.

    Args:
        log_probs: log P(next token | prefix) in nats, (hypothesis, vocabulary), float32 or float64.
        state: what the next step starts from; only the step function looks inside.
        attention: weights over the source for this step, (hypothesis, source); None for a model without attention.
        hidden_state: the decoder's state of this step, (hypothesis, unit); None if there is none.
    """

    log_probs: FloatArray
    state: State
    attention: FloatArray | None = None
    hidden_state: FloatArray | None = None


class StepFunction(Protocol[State]):
    """A model as a search sees it: ``(state, token ids) -> log probabilities, new state, extras``."""

    @property
    def vocabulary_size(self) -> int:
        """n, the number of token ids, <eos> among them."""

    @property
    def bos_id(self) -> int:
        """Id that is fed at the first step; it may lie outside the vocabulary."""

    @property
    def eos_id(self) -> int:
        """Id of the token that ends a sequence."""

    def name(self, token: int) -> str:
        """How a token is shown."""

    def start(self) -> State:
        """The state of the one empty hypothesis."""

    def step(self, state: State, tokens: IntArray) -> StepOutput[State]:
        """Feeds each hypothesis its last token.

        Args:
            state: of all hypotheses.
            tokens: the last token of each, (hypothesis,).
        """

    def select(self, state: State, rows: IntArray) -> State:
        """The states of the hypotheses ``rows``, in this order, some perhaps twice, (new hypothesis,)."""


@runtime_checkable
class JoinsStates(Protocol[State]):
    """A step function that can put states of several calls together, so that exact search asks for many at once."""

    def join(self, states: Sequence[State]) -> State:
        """The hypotheses of all these states, one after the other."""
