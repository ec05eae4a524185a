"""Stacks of recurrent layers, uni- and bidirectional (syllabus R5, R6)."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from seqviz.models.cells import Carry, Cell, Values, make_cell
from seqviz.types import Direction


class Recorded(NamedTuple):
    """What one layer did in one direction; all arrays in the order of the text."""

    layer: int
    direction: Direction
    block_names: tuple[str, ...]
    inputs: Tensor
    values: Values


class RecurrentStack(nn.Module):
    """Layers of one kind of cell: h^j_t = f_j(h^j_{t-1}, h^{j-1}_t).

    A bidirectional layer hands [h→_t, h←_t] to the next one.

    Args:
        cell: name in ``seqviz.models.cells.CELLS``.
        input_size: components of x.
        hidden_size: units of each layer and direction.
        dropout: probability for the input of every layer but the first, one mask for all steps.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.directions: tuple[Direction, ...] = ("forward", "backward") if bidirectional else ("forward",)
        sizes = [input_size] + [hidden_size * len(self.directions)] * (num_layers - 1)
        self.layers = nn.ModuleList(
            nn.ModuleDict({f"{direction}_cell": make_cell(cell, size, hidden_size) for direction in self.directions})
            for size in sizes
        )
        self.output_size = hidden_size * len(self.directions)
        self.dropout = dropout

    def cell(self, layer: int, direction: Direction) -> Cell:
        """The cell of a layer and direction."""
        return cast(Cell, cast(nn.ModuleDict, self.layers[layer])[f"{direction}_cell"])

    def forward(
        self, x: Tensor, *, lengths: Tensor | None = None, carries: list[Carry] | None = None
    ) -> tuple[Tensor, list[Carry]]:
        """Runs all layers.

        Args:
            x: (batch, step, embedding), padded on the right.
            lengths: (batch,) number of real steps; only needed for the backward direction of padded batches.
            carries: first carry of each layer's forward direction; zeros if not given.

        Returns:
            states of the last layer (batch, step, unit·direction) and the last carry of each forward direction.
            Rows behind a sequence's length hold no meaning.
        """
        last: list[Carry] = []
        for index in range(len(self.layers)):
            if index and self.dropout:
                x = locked_dropout(x, self.dropout, training=self.training)
            outputs = []
            for direction in self.directions:
                cell = self.cell(index, direction)
                if direction == "backward":
                    y, _ = cell.run(reverse(x, lengths), cell.initial_carry(len(x)))
                    y = reverse(y, lengths)
                else:
                    y, carry = cell.run(x, carries[index] if carries else cell.initial_carry(len(x)))
                    last.append(carry)
                outputs.append(y)
            x = torch.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
        return x, last

    def record(self, x: Tensor) -> tuple[Tensor, list[Recorded]]:
        """Like ``forward`` on x (1, step, embedding), and every quantity of every layer, direction and step."""
        recorded = []
        for index in range(len(self.layers)):
            outputs = []
            for direction in self.directions:
                cell = self.cell(index, direction)
                seen = reverse(x) if direction == "backward" else x
                values, _ = cell.record(seen, cell.initial_carry(len(x)))
                if direction == "backward":
                    values = {name: reverse(value) for name, value in values.items()}
                outputs.append(values["hidden_state"])
                recorded.append(Recorded(index, direction, cell.block_names, x, values))
            x = torch.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
        return x, recorded


def reverse(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Reverses the steps of x (batch, step, ...); with lengths, those of each sequence, its padding left in place."""
    if lengths is None:
        return x.flip(1)
    steps = torch.arange(x.shape[1], device=x.device).expand(len(x), -1)
    ends = lengths.to(x.device).unsqueeze(1)
    index = torch.where(steps < ends, ends - 1 - steps, steps)
    return x.gather(1, index.unsqueeze(-1).expand_as(x))


def locked_dropout(x: Tensor, probability: float, *, training: bool) -> Tensor:
    """Dropout with one mask (batch, 1, unit) for all steps of x (batch, step, unit) (Gal and Ghahramani 2016)."""
    if not training or probability == 0.0:
        return x
    keep = 1.0 - probability
    return x * (torch.rand(len(x), 1, x.shape[-1], dtype=x.dtype, device=x.device) < keep).to(x.dtype).div(keep)
