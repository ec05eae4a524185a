"""A long text through a model, chunk by chunk: every gate and state, little memory, and a pause after every chunk.

Layer by layer and direction by direction; each chunk starts from the carry of the one before it, so the numbers are
those of one run over the whole text. Hidden and cell states are kept as float32, exact; gates and candidates as
float16, whose step is at most 0.0005 between -1 and 1. Gates are counted for saturation before they are rounded.
"""

from __future__ import annotations

import time
from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor

from seqviz.errors import InvalidInputError, TextTooLongError, unknown_name
from seqviz.models.cells import Carry
from seqviz.models.loading import LoadedModel
from seqviz.models.sequence_model import SequenceModel
from seqviz.models.stack import reverse
from seqviz.text import Encoded
from seqviz.tracing.forward import to_tensors
from seqviz.tracing.long_sample import Sampler
from seqviz.types import Direction, FloatArray, IntArray
from seqviz.units import (
    MAX_LONG_PIECES,
    SATURATION_BINS,
    GateCounts,
    LayerShape,
    LongText,
    PieceKind,
    Progress,
    Saturation,
)

CHUNK_STEPS = 500
_STATES = ("cell_state", "hidden_state")


class LongTrace:
    """The numbers of a long text, made little by little by ``advance``.

    Args:
        loaded: the model.
        text: any Unicode text; with ``write``, what the model reads before it goes on by itself.
        write: pieces that a language model writes, 0 for none; fewer if there is no room for them.
        temperature, seed: of the writing, as in ``seqviz.tracing.forward.trace``.
        max_pieces: longest text.
        chunk_steps: steps of a chunk.

    Raises:
        InvalidInputError: the text has no piece, or the model is asked to write and is no language model.
        TextTooLongError: it has more pieces than ``max_pieces``; its parameter ``end`` says where it may be cut.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        text: str,
        *,
        write: int = 0,
        temperature: float = 0.0,
        seed: int = 1,
        max_pieces: int = MAX_LONG_PIECES,
        chunk_steps: int = CHUNK_STEPS,
    ) -> None:
        text = text.encode("utf-8", "replace").decode("utf-8")
        encoded = loaded.encoder.encode(text)
        starts, ends = _located(text, encoded.originals)
        if not len(encoded):
            raise InvalidInputError("There is nothing to read yet: type at least one word.")
        if len(encoded) > max_pieces:
            raise TextTooLongError(
                "The text has {count} pieces; the limit is {limit}.",
                count=len(encoded),
                limit=max_pieces,
                end=int(ends[max_pieces - 1]),
            )
        write = min(write, max_pieces - len(encoded))
        self.seconds = 0.0
        self._loaded = loaded
        self._chunk = chunk_steps
        self._text, self._encoded, self._starts, self._ends = text, encoded, starts, ends
        self._read = len(encoded)
        self._sampler = Sampler(loaded, encoded, count=write, temperature=temperature, seed=seed) if write else None
        self._steps = len(encoded) + write
        self._arrays: dict[tuple[int, Direction], dict[str, FloatArray]] = {}
        self._counts: dict[tuple[int, Direction, str], IntArray] = {}
        model = loaded.model
        places = [
            (layer, direction) for layer in range(len(model.stack.layers)) for direction in model.stack.directions
        ]
        self.shapes = tuple(_shape(model, layer, direction) for layer, direction in places)
        self._work = self._all_chunks()
        self._done = 0
        self._total = len(self.shapes) * self._steps + write

    @property
    def num_bytes(self) -> int:
        """Memory of all numbers, once they are there."""
        return sum(
            self._steps * shape.num_units * (4 if name in _STATES else 2)
            for shape in self.shapes
            for name in shape.quantities
        )

    def progress(self) -> Progress:
        """How far it is."""
        return Progress(done=self._done, total=self._total, seconds=self.seconds, num_bytes=self.num_bytes)

    def advance(self, *, seconds: float = 0.0) -> Progress:
        """Goes on for a while, at least by one chunk; nothing happens once all is there.

        Args:
            seconds: after this time it pauses.
        """
        started = time.perf_counter()
        with torch.inference_mode():
            for done in self._work:
                self._done += done
                if time.perf_counter() - started >= seconds:
                    break
        self.seconds += time.perf_counter() - started
        return self.progress()

    def drop(self) -> None:
        """Gives the memory back at once; the trace is of no use any more."""
        self._work.close()
        self._arrays.clear()

    def text(self) -> LongText:
        """The text as it was read."""
        if self._sampler is not None and not self._sampler.finished:
            raise InvalidInputError("The text is still being written.")
        unknown = np.array(self._encoded.ids) == self._loaded.encoder.unknown_id
        return LongText(
            model=self._loaded.info.name,
            task=self._loaded.info.config.task,
            kind=_kind(self._loaded),
            text=self._text,
            starts=self._starts,
            ends=self._ends,
            unknown=unknown.astype(np.uint8),
            first_written=self._read,
            layers=self.shapes,
        )

    def layers(self, quantity: str) -> list[tuple[LayerShape, FloatArray]]:
        """The layers that have a quantity, with its values (step, unit).

        Raises:
            UnknownNameError: no layer has it.
        """
        found = [
            (shape, self._arrays[shape.layer, shape.direction][quantity])
            for shape in self.shapes
            if quantity in shape.quantities
        ]
        if not found:
            raise unknown_name("quantity", quantity, dict.fromkeys(name for s in self.shapes for name in s.quantities))
        return found

    def values(self, layer: int, direction: str, quantity: str) -> FloatArray:
        """One quantity of one layer, (step, unit)."""
        for shape, values in self.layers(quantity):
            if (shape.layer, shape.direction) == (layer, direction):
                return values
        raise unknown_name("layer", f"{layer} {direction}", [f"{s.layer} {s.direction}" for s in self.shapes])

    def saturation(self) -> Saturation:
        """How often every gate had which value."""
        return Saturation(
            steps=self._steps,
            gates=tuple(
                GateCounts(layer=layer, direction=direction, gate=gate, counts=counts.copy())
                for (layer, direction, gate), counts in self._counts.items()
            ),
        )

    # ---- the work, chunk by chunk

    def _all_chunks(self) -> Generator[int]:
        if self._sampler is not None:
            yield from self._sampler.run(self._chunk)
            self._encoded, self._text, self._starts, self._ends = _written(
                self._sampler.encoded(), self._text, self._starts, self._ends, kind=_kind(self._loaded)
            )
        for shape in self.shapes:
            yield from self._layer_chunks(shape)

    def _layer_chunks(self, shape: LayerShape) -> Generator[int]:
        cell = self._loaded.model.stack.cell(shape.layer, shape.direction)
        arrays = {
            name: np.empty((self._steps, shape.num_units), np.float32 if name in _STATES else np.float16)
            for name in shape.quantities
        }
        self._arrays[shape.layer, shape.direction] = arrays
        backward = shape.direction == "backward"
        carry: Carry = cell.initial_carry(1)
        begins = range(0, self._steps, self._chunk)
        for begin in reversed(begins) if backward else begins:
            rows = slice(begin, min(begin + self._chunk, self._steps))
            x = self._inputs(shape.layer, rows)
            values, carry = cell.record(reverse(x) if backward else x, carry)
            for name, array in arrays.items():
                new = reverse(values[name]) if backward else values[name]
                array[rows] = new[0].numpy()
                if name.endswith("_gate"):
                    self._count(shape, name, new[0].numpy())
            yield rows.stop - rows.start

    def _inputs(self, layer: int, rows: slice) -> Tensor:
        """What a layer reads at some steps, (1, step, embedding or unit of the layer below)."""
        if layer:
            below = [
                self._arrays[shape.layer, shape.direction]["hidden_state"][rows]
                for shape in self.shapes
                if shape.layer == layer - 1
            ]
            return torch.from_numpy(np.concatenate(below, 1) if len(below) > 1 else below[0].copy()).unsqueeze(0)
        part = Encoded(
            pieces=self._encoded.pieces[rows],
            originals=self._encoded.originals[rows],
            ids=self._encoded.ids[rows],
            buckets=self._encoded.buckets[rows],
        )
        return self._loaded.model.embed(*to_tensors(part))

    def _count(self, shape: LayerShape, gate: str, values: FloatArray) -> None:
        bins = np.minimum((values * SATURATION_BINS).astype(np.int32), SATURATION_BINS - 1)
        bins += np.arange(shape.num_units, dtype=np.int32) * SATURATION_BINS
        size = shape.num_units * SATURATION_BINS
        counts = np.bincount(bins.ravel(), minlength=size).reshape(shape.num_units, SATURATION_BINS)
        key = (shape.layer, shape.direction, gate)
        self._counts[key] = self._counts.get(key, np.zeros_like(counts)) + counts


def _shape(model: SequenceModel, layer: int, direction: Direction) -> LayerShape:
    cell = model.stack.cell(layer, direction)
    own = () if model.config.cell.startswith("rnn_") else cell.block_names
    states = ("cell_state", "hidden_state") if cell.has_cell_state else ("hidden_state",)
    return LayerShape(
        layer=layer,
        direction=direction,
        cell=model.config.cell,
        num_units=cell.hidden_size,
        quantities=(*own, *states),
    )


def _kind(loaded: LoadedModel) -> PieceKind:
    return "character" if all(len(piece) == 1 for piece in loaded.encoder.vocabulary if piece[0] != "<") else "word"


def _located(text: str, originals: tuple[str, ...]) -> tuple[IntArray, IntArray]:
    """Where each piece starts and ends; the pieces stand in the text in this order."""
    starts, ends = np.zeros(len(originals), np.int32), np.zeros(len(originals), np.int32)
    place = 0
    for step, piece in enumerate(originals):
        found = text.find(piece, place)
        starts[step] = place if found < 0 else found
        place = ends[step] = starts[step] + (0 if found < 0 else len(piece))
    return starts, ends


def _written(
    encoded: Encoded, text: str, starts: IntArray, ends: IntArray, *, kind: PieceKind
) -> tuple[Encoded, str, IntArray, IntArray]:
    """What the model wrote behind what it read, as one text with the place of every piece."""
    parts, begin, end = [text], starts.tolist(), ends.tolist()
    place = len(text)
    for piece in encoded.pieces[len(starts) :]:
        shown = "\n" if piece == "<eos>" else piece
        gap = " " if kind == "word" and "\n" not in (shown, parts[-1][-1:]) else ""
        parts.append(gap + shown)
        begin.append(place + len(gap))
        place += len(gap) + len(shown)
        end.append(place)
    return encoded, "".join(parts), np.array(begin, np.int32), np.array(end, np.int32)
