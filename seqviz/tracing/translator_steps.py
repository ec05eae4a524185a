"""A translation model as a search sees it: ``seqviz.decoding.StepFunction`` over one source sentence."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seqviz.decoding.step import StepOutput
from seqviz.errors import InvalidInputError
from seqviz.models.cells import Carry
from seqviz.models.loading import LoadedTranslator
from seqviz.text.piece_encoder import BOS_ID, EOS_ID, PAD_ID, UNKNOWN_ID
from seqviz.types import IntArray

NOT_TEXT: tuple[int, ...] = (PAD_ID, UNKNOWN_ID, BOS_ID)
"""Ids that no translation may hold: ``forbidden`` of a ``DecodeConfig``."""

State = list[Carry]


class TranslatorSteps:
    """The decoder over one encoded source; the hypotheses of a search are its batch.

    Args:
        loaded: the model.
        source: ids of the source's pieces.

    Raises:
        InvalidInputError: the source is empty.
    """

    def __init__(self, loaded: LoadedTranslator, source: Sequence[int]) -> None:
        if not source:
            raise InvalidInputError("There is nothing to translate yet: type at least one word.")
        self._decoder, self._vocabulary = loaded.decoder, loaded.encoder.vocabulary
        with torch.inference_mode():
            self.memory = loaded.model.encode(torch.tensor([list(source)]))

    @property
    def vocabulary_size(self) -> int:
        return len(self._vocabulary)

    @property
    def bos_id(self) -> int:
        return BOS_ID

    @property
    def eos_id(self) -> int:
        return EOS_ID

    @property
    def not_text(self) -> tuple[int, ...]:
        """Ids that no translation may hold."""
        return NOT_TEXT

    def name(self, token: int) -> str:
        return self._vocabulary[token]

    def start(self) -> State:
        return self.memory.first

    def step(self, state: State, tokens: IntArray) -> StepOutput[State]:
        """One step; ``hidden_state`` is that of the highest decoder layer."""
        with torch.inference_mode():
            step = self._decoder.step(self.memory, state, torch.as_tensor(tokens))
        return StepOutput(
            log_probs=step.log_probs.numpy(),
            state=step.carries,
            attention=None if step.attention is None else step.attention.numpy(),
            hidden_state=step.carries[-1][0].numpy(),
        )

    def select(self, state: State, rows: IntArray) -> State:
        index = torch.as_tensor(rows)
        with torch.inference_mode():
            return [tuple(part.index_select(0, index) for part in carry) for carry in state]

    def join(self, states: Sequence[State]) -> State:
        with torch.inference_mode():
            layers = zip(*states, strict=True)
            return [tuple(torch.cat(parts) for parts in zip(*carries, strict=True)) for carries in layers]
