"""Translations of many sentences at once, for the held-out figures: greedy and beam search without a trace.

``seqviz.decoding`` searches for one sentence and keeps everything it saw; here a thousand sentences go through the
model side by side and only the best hypothesis of each is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqviz.models.encoder_decoder import EncoderDecoder, Memory
from seqviz.text.piece_encoder import BOS_ID, EOS_ID, PAD_ID

ROWS = 320
"""Hypotheses that are computed side by side."""


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids (row, step), padded on the right, and the lengths; an empty row becomes one <eos>."""
    rows = [row or [EOS_ID] for row in rows]
    lengths = torch.tensor([len(row) for row in rows])
    steps = int(lengths.max())
    return torch.tensor([[*row, *[PAD_ID] * (steps - len(row))] for row in rows]), lengths


def longest_target(source_length: int) -> int:
    """Pieces that a translation may have."""
    return 2 * source_length + 10


def translate(
    model: EncoderDecoder, sources: Sequence[Sequence[int]], *, beam_size: int = 5, alpha: float = 1.0
) -> list[list[int]]:
    """The best hypothesis of each source, without <eos>.

    Args:
        model: in evaluation mode.
        sources: ids of each sentence.
        beam_size: 1 for greedy search.
        alpha: length normalisation, score = log P / L^α with L pieces, <eos> among them.
    """
    found: dict[int, list[int]] = {}
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    size = max(1, ROWS // beam_size)
    with torch.inference_mode():
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            batch = [sources[i] for i in chosen]
            best = _greedy(model, batch) if beam_size == 1 else _beam(model, batch, beam_size, alpha)
            found.update(zip(chosen, best, strict=True))
    return [found[index] for index in range(len(sources))]


def _greedy(model: EncoderDecoder, sources: Sequence[Sequence[int]]) -> list[list[int]]:
    memory = model.encode(*padded(sources))
    carries, previous = memory.first, torch.full((len(sources),), BOS_ID)
    ended = torch.zeros(len(sources), dtype=torch.bool)
    written: list[Tensor] = []
    for _ in range(longest_target(max(map(len, sources)))):
        step = model.step(memory, carries, previous)
        carries, previous = step.carries, _allowed(step.log_probs).argmax(-1)
        written.append(previous)
        ended |= previous == EOS_ID
        if ended.all():
            break
    rows = torch.stack(written, 1).tolist()
    return [_until_end(row[: longest_target(len(source))]) for row, source in zip(rows, sources, strict=True)]


@dataclass(slots=True)
class _Finished:
    """The finished hypotheses of one source."""

    count: int = 0
    score: float = -float("inf")
    ids: tuple[int, ...] = ()

    def add(self, ids: Sequence[int], score: float) -> None:
        self.count += 1
        if score > self.score:
            self.score, self.ids = score, tuple(ids)


def _beam(model: EncoderDecoder, sources: Sequence[Sequence[int]], beam_size: int, alpha: float) -> list[list[int]]:
    """Beam search that stops for a source once as many hypotheses have finished as the beam is wide."""
    count, vocabulary = len(sources), model.config.vocabulary_size
    memory = _repeated(model.encode(*padded(sources)), beam_size)
    carries, previous = memory.first, torch.full((count * beam_size,), BOS_ID)
    # Only the first of the B equal beginnings is alive.
    total = torch.full((count, beam_size), -torch.inf)
    total[:, 0] = 0.0
    written = torch.empty(count * beam_size, 0, dtype=torch.long)
    finished = [_Finished() for _ in sources]
    # Each source has a limit of its own, so that its translation does not depend on its neighbours.
    limits = torch.tensor([[longest_target(len(source))] for source in sources])
    for length in range(1, int(limits.max()) + 1):
        step = model.step(memory, carries, previous)
        scores = total.unsqueeze(-1) + _allowed(step.log_probs).view(count, beam_size, vocabulary)
        values, places = scores.view(count, -1).topk(2 * beam_size)
        parents, tokens = places // vocabulary, places % vocabulary
        ends = (tokens == EOS_ID) | (limits <= length)
        good = ends[:, :beam_size] & values[:, :beam_size].isfinite()
        done = [one.count >= beam_size for one in finished]
        for row, rank in good.nonzero().tolist():
            if done[row]:
                continue
            parent = row * beam_size + int(parents[row, rank])
            ending = [] if tokens[row, rank] == EOS_ID else [int(tokens[row, rank])]
            finished[row].add([*written[parent].tolist(), *ending], float(values[row, rank]) / length**alpha)
        if all(one.count >= beam_size for one in finished):
            break
        # The B best that go on: ended ones sort behind the others, the order among the rest stays.
        going = ends.to(torch.int8).argsort(dim=1, stable=True)[:, :beam_size]
        total, tokens = values.gather(1, going), tokens.gather(1, going)
        rows = (parents.gather(1, going) + torch.arange(count).unsqueeze(1) * beam_size).flatten()
        carries = [tuple(part[rows] for part in carry) for carry in step.carries]
        previous = tokens.flatten()
        written = torch.cat([written[rows], previous.unsqueeze(1)], 1)
    return [list(one.ids) for one in finished]


def _allowed(log_probs: Tensor) -> Tensor:
    # <pad>, <unk> and <bos> are no text.
    return log_probs.index_fill(-1, torch.tensor([PAD_ID, 1, BOS_ID]), -torch.inf)


def _repeated(memory: Memory, times: int) -> Memory:
    return memory.select(torch.arange(len(memory.mask)).repeat_interleave(times))


def _until_end(ids: list[int]) -> list[int]:
    return ids[: ids.index(EOS_ID)] if EOS_ID in ids else ids
