"""The translation task: batches of sentence pairs, teacher forcing, BLEU."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from seqviz.config import TrainConfig
from seqviz.errors import InvalidInputError
from seqviz.metrics.corpus_bleu import CorpusBleu, corpus_bleu
from seqviz.models.cells import Carry
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.text import PieceEncoder
from seqviz.text.piece_encoder import BOS_ID, EOS_ID
from seqviz.training.parallel import Pair, Slot, Substitutions, by_source, hastily_typed
from seqviz.training.tasks import IGNORED
from seqviz.training.translate import padded, translate

BEAM_SIZE = 5
"""Of the figure that a card shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairBatch:
    """Padded pairs: sources (batch, source) with their lengths, inputs and targets (batch, target).

    inputs are <bos> y_1 ... y_T, targets y_1 ... y_T <eos>.
    """

    sources: Tensor
    lengths: Tensor
    inputs: Tensor
    targets: Tensor
    starts_stream: bool = True


class TranslationTask:
    """Sentence pairs in batches of like length.

    Args:
        train: pairs.
        held_out: pairs of the held-out split; those of one source are its references.
        encoder: of both languages.
        watched_sources: how many held-out sources are translated during training, evenly drawn; None for all.
        substitutions: what is replaced by others of its kind, anew in every epoch.
        hasty_typing: probability of each of a typist's shortcuts on the source side, anew in every epoch.
        longest: pieces of a sentence; what is behind is cut off.
        also_measured: further files for the card, by name.
    """

    figure = "bleu"
    higher_is_better = True

    def __init__(
        self,
        train: Sequence[Pair],
        held_out: Sequence[Pair],
        *,
        encoder: PieceEncoder,
        watched_sources: int | None = None,
        substitutions: Substitutions | None = None,
        hasty_typing: float = 0.0,
        longest: int = 60,
        also_measured: dict[str, Sequence[Pair]] | None = None,
    ) -> None:
        self._encoder, self._longest = encoder, longest
        self._hasty_typing = hasty_typing
        self._substitutions = substitutions or Substitutions([])
        self._train: list[Pair] = []
        self._slots: list[tuple[Slot, ...]] = []
        for pair in train:
            slots = self._substitutions.slots(pair)
            copies = self._substitutions.copies(slots)
            self._train += [pair] * copies
            self._slots += [slots] * copies
        self._ids = self._numbered(self._train)
        self._held_out = by_source(held_out)
        self._also_measured = {name: by_source(pairs) for name, pairs in (also_measured or {}).items()}
        stride = max(1, len(self._held_out) // watched_sources) if watched_sources else 1
        self._watched = dict(list(self._held_out.items())[::stride])

    def batches_per_epoch(self, batch_size: int) -> int:
        return math.ceil(len(self._train) / batch_size)

    def batches(self, epoch: int, batch_size: int, seed: int) -> Iterator[PairBatch]:
        # Pairs of like length go together; the order within a length and that of the batches are shuffled.
        chance = random.Random(seed * 100_003 + epoch)  # noqa: S311 (no secret)
        rows = self._varied(chance)
        order = sorted(range(len(rows)), key=lambda i: max(map(len, rows[i])) + 0.1 * len(rows[i][0]) + chance.random())
        starts = list(range(0, len(order), batch_size))
        chance.shuffle(starts)
        for start in starts:
            yield pair_batch([rows[i] for i in order[start : start + batch_size]])

    def loss(
        self, model: EncoderDecoder, batch: PairBatch, carries: list[Carry] | None, config: TrainConfig
    ) -> tuple[Tensor, list[Carry]]:
        """Mean cross-entropy in nats over the target pieces, <eos> among them; nothing is carried over.

        With ``attention_penalty`` that of uneven attention is added (``attention_penalty`` of this module).
        """
        del carries
        readout, weights = model.forced(model.encode(batch.sources, batch.lengths), batch.inputs)
        # Only real positions reach the output layer, the dearest part of the step.
        real = batch.targets != IGNORED
        logits = model.logits(model.dropped(readout)[real]).float()
        loss = functional.cross_entropy(logits, batch.targets[real], label_smoothing=config.label_smoothing)
        if not config.attention_penalty:
            return loss, []
        if weights is None:
            raise InvalidInputError("train.attention_penalty is for models with attention.")
        return loss + config.attention_penalty * attention_penalty(weights, batch, config.attention_target), []

    def training_ids(self) -> list[list[int]]:
        return [ids for pair in self._ids for ids in pair]

    def evaluate(self, model: EncoderDecoder) -> dict[str, float]:
        """BLEU of greedy search on the watched sources."""
        return {"bleu": bleu(model, self._encoder, self._watched, beam_size=1).score}

    def measure(self, model: EncoderDecoder) -> dict[str, float]:
        """BLEU of beam and greedy search on the whole held-out split and on the further files."""
        figures = translation_figures(model, self._encoder, self._held_out)
        for name, references in self._also_measured.items():
            further = translation_figures(model, self._encoder, references)
            figures |= {f"{figure}_{name}": value for figure, value in further.items() if figure.startswith("bleu")}
        return figures

    def _varied(self, chance: random.Random) -> list[tuple[list[int], list[int]]]:
        """The ids of an epoch: what is substituted or typed otherwise is numbered anew."""
        changed: dict[int, Pair] = {}
        for index, (pair, slots) in enumerate(zip(self._train, self._slots, strict=True)):
            new = self._substitutions.apply(pair, slots, chance)
            if self._hasty_typing:
                new = (hastily_typed(new[0], chance, self._hasty_typing), new[1])
            if new != pair:
                changed[index] = new
        rows = list(self._ids)
        for index, ids in zip(changed, self._numbered(list(changed.values())), strict=True):
            rows[index] = ids
        return rows

    def _numbered(self, pairs: Sequence[Pair]) -> list[tuple[list[int], list[int]]]:
        sides = [self._encoder.encode_all([pair[side] for pair in pairs]) for side in (0, 1)]
        return [(s[: self._longest], t[: self._longest]) for s, t in zip(*sides, strict=True)]


def attention_penalty(weights: Tensor, batch: PairBatch, target: float) -> Tensor:
    """1/S Σ_i (τ - Σ_t α_t^i)², the mean over the sentences of a batch; steps and pieces of the padding do not count.

    Args:
        weights: α, (batch, target, source), 0 at the source's padding.
        batch: the pairs.
        target: τ.

    Source:
        Xu et al. 2015, section 4.2.1, equation 14, there without 1/S and with τ = 1.
    """
    coverage = (weights * (batch.targets != IGNORED).unsqueeze(-1)).sum(1)
    pieces = torch.arange(weights.shape[-1]) < batch.lengths.unsqueeze(1)
    return ((target - coverage).square() * pieces).sum(1).div(batch.lengths).mean()


def pair_batch(rows: Sequence[tuple[Sequence[int], Sequence[int]]]) -> PairBatch:
    """Pads pairs of ids on the right to one batch, <bos> before and <eos> behind each target."""
    sources, lengths = padded([source for source, _ in rows])
    inputs, counts = padded([[BOS_ID, *target] for _, target in rows])
    targets, _ = padded([[*target, EOS_ID] for _, target in rows])
    behind = torch.arange(targets.shape[1]) >= counts.unsqueeze(1)
    return PairBatch(sources=sources, lengths=lengths, inputs=inputs, targets=targets.masked_fill(behind, IGNORED))


def bleu(
    model: EncoderDecoder, encoder: PieceEncoder, references: dict[str, list[str]], *, beam_size: int
) -> CorpusBleu:
    """BLEU of the model's translations of all sources against all their references."""
    found = translate(model, encoder.encode_all(list(references)), beam_size=beam_size)
    return corpus_bleu([encoder.decode(ids) for ids in found], list(references.values()))


def translation_figures(
    model: EncoderDecoder, encoder: PieceEncoder, references: dict[str, list[str]]
) -> dict[str, float]:
    """``bleu`` with beam 5 and length normalisation α = 1, ``bleu_greedy``, and the number of sources."""
    if not references:
        raise InvalidInputError("There are no sentence pairs to measure.")
    return {
        "bleu": bleu(model, encoder, references, beam_size=BEAM_SIZE).score,
        "bleu_greedy": bleu(model, encoder, references, beam_size=1).score,
        "sources": float(len(references)),
    }
