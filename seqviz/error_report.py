"""Error analysis of a set of sentence pairs (syllabus S6): frozen results. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from seqviz.config import DecodeConfig, check_range
from seqviz.decoding.scores import MAX_ALPHA
from seqviz.errors import InvalidInputError, SeqvizError
from seqviz.metrics.corpus_bleu import CorpusBleu, corpus_bleu

Blame = Literal["none", "search", "model"]
BLAMES: tuple[Blame, ...] = ("none", "search", "model")
"""What is due to whom: the algorithm gave y* itself; the search missed it; the model prefers another translation."""

MAX_TARGET = 60
"""Pieces of the longest translation that is searched for."""
MAX_BEAM = 100
_SAME = 1e-6  # sentence BLEU is computed in floating point: less is no difference


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReportConfig:
    """How a set of pairs is judged.

    Args:
        model: name of a checkpoint of a translation model.
        beam_size: B of the search that is judged.
        wider: B of the wider beam that it is compared with.
        alpha: α of the length normalisation, for both searches and the verdict.
        max_length: pieces of the longest translation, <eos> included.
    """

    model: str
    beam_size: int = 5
    wider: int = 20
    alpha: float = 0.0
    max_length: int = MAX_TARGET

    def __post_init__(self) -> None:
        check_range("beam_size", self.beam_size, 1, MAX_BEAM)
        check_range("alpha", self.alpha, 0.0, MAX_ALPHA)
        check_range("max_length", self.max_length, 1, 1000)
        if not self.beam_size < self.wider <= MAX_BEAM:
            raise InvalidInputError(
                "The wider beam is {wider}; it must be wider than B = {beam_size}, and at most {limit}.",
                wider=self.wider,
                beam_size=self.beam_size,
                limit=MAX_BEAM,
            )

    def search(self, beam_size: int) -> DecodeConfig:
        """The beam search of a size."""
        return DecodeConfig(beam_size=beam_size, max_length=self.max_length, alpha=self.alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A translation with the model's opinion of it.

    Args:
        text: for people.
        log_prob: Σ log p in nats, <eos> included.
        length: L, its pieces, <eos> included.
        score: (1/L^α) Σ log p.
        bleu: sentence BLEU by sacrebleu in percent; 100 for the reference itself.
    """

    text: str
    log_prob: float
    length: int
    score: float
    bleu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPair:
    """One pair, judged.

    Args:
        number: its place in the file, from 1.
        source: what was translated.
        reference: y*.
        output: ŷ of the search.
        wider: ŷ of the wider beam.
        blame: see ``BLAMES``.
    """

    number: int
    source: str
    reference: Scored
    output: Scored
    wider: Scored
    blame: Blame

    @property
    def wider_is(self) -> Literal["better", "worse", "same"]:
        """How the wider beam's translation compares, by sentence BLEU."""
        gain = self.wider.bleu - self.output.bleu
        return "same" if abs(gain) < _SAME else "better" if gain > 0 else "worse"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedPair:
    """A pair that could not be judged, and why."""

    number: int
    source: str
    reference: str
    error: SeqvizError


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorNews:
    """What a run has found since the last news.

    Args:
        judged, skipped: the new ones.
        total: pairs of the whole run.
        seconds_left: at the pace so far; None before the first pair.
    """

    judged: tuple[JudgedPair, ...]
    skipped: tuple[SkippedPair, ...]
    total: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """A set of pairs, judged as far as the run has come.

    Args:
        config: how.
        judged, skipped: in the order of the file.
        total: pairs of the whole set.
    """

    config: ErrorReportConfig
    judged: tuple[JudgedPair, ...]
    skipped: tuple[SkippedPair, ...]
    total: int

    @property
    def done(self) -> int:
        """Pairs that are behind it."""
        return len(self.judged) + len(self.skipped)

    def count(self, blame: Blame) -> int:
        """How many pairs are due to whom."""
        return sum(pair.blame == blame for pair in self.judged)

    @property
    def errors(self) -> int:
        """Pairs for which ŷ is not y*."""
        return len(self.judged) - self.count("none")

    def fraction(self, blame: Blame) -> float:
        """Share of the errors that is due to the search or to the model; 0 where there are none."""
        return self.count(blame) / self.errors if self.errors else 0.0

    def wider_counts(self) -> dict[str, int]:
        """For how many pairs the wider beam's translation is better, worse, the same, by sentence BLEU."""
        found = dict.fromkeys(("better", "worse", "same"), 0)
        for pair in self.judged:
            found[pair.wider_is] += 1
        return found

    def corpus_bleu(self) -> tuple[CorpusBleu, CorpusBleu]:
        """Corpus BLEU of the search and of the wider beam, by sacrebleu."""
        references = [[pair.reference.text] for pair in self.judged]
        return (
            corpus_bleu([pair.output.text for pair in self.judged], references),
            corpus_bleu([pair.wider.text for pair in self.judged], references),
        )


def merged_report(config: ErrorReportConfig, total: int, news: Iterable[ErrorNews]) -> ErrorReport:
    """The report that all news together make."""
    judged: list[JudgedPair] = []
    skipped: list[SkippedPair] = []
    for one in news:
        judged += one.judged
        skipped += one.skipped
    return ErrorReport(config=config, judged=tuple(judged), skipped=tuple(skipped), total=total)
