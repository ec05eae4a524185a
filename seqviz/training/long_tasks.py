"""Tasks with long dependencies, drawn anew for every step from the seed and the step's number.

A batch depends on nothing else, so variants that train side by side, a fork and a second run of the same seed all see
the same data, wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqviz.clipping import COPIED_SYMBOLS, COPY_ALPHABET, ClippingConfig

_SEED_STRIDE = 1_000_003


@dataclass(frozen=True, slots=True, kw_only=True)
class LongBatch:
    """Sequences of one step.

    Args:
        inputs: (batch, step, component).
        targets: (batch,) numbers, or (batch, target step) symbols of the last target steps.
    """

    inputs: Tensor
    targets: Tensor


class LongDependencyTask:
    """Batches and loss of one of ``seqviz.clipping.LONG_TASKS``.

    Args:
        config: of the run.
    """

    def __init__(self, config: ClippingConfig) -> None:
        self._config = config
        if config.task == "text":
            alphabet = sorted(set(config.text))
            self._ids = torch.tensor([alphabet.index(char) for char in config.text])
            self.input_size = self.output_size = len(alphabet)
        elif config.task == "copy":
            self.input_size, self.output_size = COPY_ALPHABET + 2, COPY_ALPHABET  # symbols, blank and "now"
        else:
            self.input_size, self.output_size = 2, 1

    def batch(self, step: int) -> LongBatch:
        """The sequences of a step, counted from 1."""
        random = torch.Generator().manual_seed(self._config.seed * _SEED_STRIDE + step)
        return {"adding": self._adding, "copy": self._copy, "text": self._text}[self._config.task](random)

    def loss(self, outputs: Tensor, batch: LongBatch) -> Tensor:
        """Mean over the batch; outputs (batch, step, output).

        adding: squared error of the last output; copy: cross-entropy of the last ``COPIED_SYMBOLS`` outputs;
        text: cross-entropy of all.
        """
        if self._config.task == "adding":
            return nn.functional.mse_loss(outputs[:, -1, 0], batch.targets)
        read = outputs[:, -batch.targets.shape[1] :]
        return nn.functional.cross_entropy(read.flatten(0, 1), batch.targets.flatten())

    def _adding(self, random: torch.Generator) -> LongBatch:
        """Numbers in [0, 1), two of them marked, one in each half; the target is their sum."""
        count, length = self._config.batch_size, self._config.length
        numbers = torch.rand(count, length, generator=random)
        half, rows = length // 2, torch.arange(count)
        marks = torch.zeros(count, length)
        marks[rows, torch.randint(0, half, (count,), generator=random)] = 1
        marks[rows, torch.randint(half, length, (count,), generator=random)] = 1
        return LongBatch(inputs=torch.stack([numbers, marks], -1), targets=(numbers * marks).sum(1))

    def _copy(self, random: torch.Generator) -> LongBatch:
        """Symbols, then blanks, then "now": the symbols have to be said in their order."""
        count, length = self._config.batch_size, self._config.length
        symbols = torch.randint(0, COPY_ALPHABET, (count, COPIED_SYMBOLS), generator=random)
        ids = torch.full((count, 2 * COPIED_SYMBOLS + length), COPY_ALPHABET)
        ids[:, :COPIED_SYMBOLS] = symbols
        ids[:, -COPIED_SYMBOLS] = COPY_ALPHABET + 1
        return LongBatch(inputs=nn.functional.one_hot(ids, self.input_size).float(), targets=symbols)

    def _text(self, random: torch.Generator) -> LongBatch:
        """Windows of the text from random places; the target of every character is the next one."""
        count, length = self._config.batch_size, self._config.length
        starts = torch.randint(0, len(self._ids) - length, (count, 1), generator=random)
        windows = self._ids[starts + torch.arange(length + 1)]
        return LongBatch(inputs=nn.functional.one_hot(windows[:, :-1], self.input_size).float(), targets=windows[:, 1:])
