"""Whether a translation model attends to all of a source: the regulariser over a file of pairs (syllabus A4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch

from seqviz.analysis.attention import NEVER, OFTEN, no_attention
from seqviz.errors import InvalidInputError
from seqviz.models.loading import LoadedTranslator
from seqviz.training.preparation import pairs_of
from seqviz.training.tasks import IGNORED
from seqviz.training.translation import pair_batch

_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Evenness:
    """Attention over a file of pairs, each target by teacher forcing; all by pieces.

    Args:
        penalty: 1/S Σ_i (τ - Σ_t α_t^i)², the mean over the pairs.
        never: share of the source pieces that received less than a quarter of τ.
        often: share of those that received more than twice τ.
        entropy: mean entropy of the rows, bits.
        pairs: how many.
    """

    penalty: float
    never: float
    often: float
    entropy: float
    pairs: int


def measure_evenness(loaded: LoadedTranslator, path: Path, *, tau: float = 1.0) -> Evenness:
    """Measures a model on a file of pairs in the columns of its recipe.

    Raises:
        InvalidInputError: the model has no attention, or the file no pairs.
    """
    model, encoder = loaded.model, loaded.encoder
    pairs = pairs_of(loaded.info.details["data"], path)
    if not pairs:
        raise InvalidInputError("{path} has no sentence pairs.", path=path)
    sides = [encoder.encode_all([pair[side] for pair in pairs]) for side in (0, 1)]
    rows = sorted(zip(*sides, strict=True), key=lambda row: len(row[0]))
    penalty = entropy = 0.0
    pieces = steps = never = often = 0
    with torch.inference_mode():
        for start in range(0, len(rows), _ROWS):
            batch = pair_batch(rows[start : start + _ROWS])
            memory = model.encode(batch.sources, batch.lengths)
            _, weights = model.forced(memory, batch.inputs)
            if weights is None:
                raise no_attention(loaded.info.name)
            real = batch.targets != IGNORED
            # (batch, target, source) -> (batch, source)
            coverage = (weights * real.unsqueeze(-1)).sum(1)
            penalty += float((((tau - coverage).square() * memory.mask).sum(1) / batch.lengths).sum())
            entropy += float(torch.special.entr(weights).sum(-1)[real].sum()) / math.log(2)
            received = coverage[memory.mask]
            never += int((received < NEVER * tau).sum())
            often += int((received > OFTEN * tau).sum())
            pieces, steps = pieces + len(received), steps + int(real.sum())
    return Evenness(
        penalty=penalty / len(rows),
        never=never / pieces,
        often=often / pieces,
        entropy=entropy / steps,
        pairs=len(rows),
    )
