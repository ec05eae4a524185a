"""A language model writes a long text: every output is drawn from and becomes the next input (syllabus L6)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from seqviz.errors import InvalidInputError
from seqviz.models.cells import Carry
from seqviz.models.loading import LoadedModel
from seqviz.text import Encoded


class Sampler:
    """Writes piece by piece, its state carried along.

    Args:
        loaded: a language model.
        encoded: what it reads first.
        count: pieces to write.
        temperature: 0 takes the most probable piece, above 0 samples from softmax(logits / temperature).
        seed: of the sampling.
    """

    def __init__(self, loaded: LoadedModel, encoded: Encoded, *, count: int, temperature: float, seed: int) -> None:
        if loaded.info.config.task != "language_model":
            raise InvalidInputError("Only a language model can write a text of its own.")
        if not 0.0 <= temperature <= 10.0:
            raise InvalidInputError("temperature is {value}; allowed is 0 to 10.", value=temperature)
        self.finished = False
        self._loaded = loaded
        self._start = encoded
        self._ids = list(encoded.ids)
        self._count = count
        self._temperature = temperature
        self._generator = torch.Generator().manual_seed(seed)
        stack = loaded.model.stack
        self._cells = [stack.cell(layer, "forward") for layer in range(len(stack.layers))]
        self._carries: list[Carry] = [cell.initial_carry(1) for cell in self._cells]

    def run(self, chunk: int) -> Iterator[int]:
        """Writes; after each ``chunk`` pieces it pauses and says how many there were."""
        for index in self._ids[:-1]:
            self._step(index)
        for first in range(0, self._count, chunk):
            pieces = min(chunk, self._count - first)
            for _ in range(pieces):
                self._ids.append(self._next(self._step(self._ids[-1])))
            yield pieces
        self.finished = True

    def encoded(self) -> Encoded:
        """What was read and what was written."""
        pieces = self._loaded.encoder.decode(self._ids)
        written = len(self._ids) - len(self._start)
        return Encoded(
            pieces=pieces,
            originals=(*self._start.originals, *pieces[len(self._start) :]),
            ids=tuple(self._ids),
            buckets=(*self._start.buckets, *((),) * written),
        )

    def _step(self, index: int) -> Tensor:
        """The top state behind one more piece, (1, unit)."""
        x = self._loaded.model.embedding(torch.tensor([index]))
        for layer, cell in enumerate(self._cells):
            self._carries[layer], _ = cell.step(cell.project_input(x), self._carries[layer])
            x = self._carries[layer][0]
        return x

    def _next(self, state: Tensor) -> int:
        logits = self._loaded.model.output(state)[0]
        logits[self._loaded.encoder.unknown_id] = -torch.inf  # <unk> is no text
        if self._temperature == 0.0:
            return int(logits.argmax())
        return int(torch.multinomial(torch.softmax(logits / self._temperature, 0), 1, generator=self._generator))
