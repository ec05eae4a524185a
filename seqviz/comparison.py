"""Searches for the same sentence side by side (syllabus S4, S5): one line a search. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqviz.config import DecodeConfig
from seqviz.decoding.ranking import reranked
from seqviz.decoding.scores import hypothesis_score
from seqviz.error_report import MAX_TARGET
from seqviz.metrics.bleu import BleuTable, bleu_table
from seqviz.metrics.corpus_bleu import CorpusBleu, bleu_tokens, sentence_bleu
from seqviz.translations import TranslationSearch

BEAM_SIZES = (1, 2, 5, 10, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSearch:
    """What one search found and what it took.

    Args:
        name: ``"greedy"``, ``"beam-5"``, ``"sampling"``, ``"exact"``.
        config: how it was searched.
        text: its translation; empty if none was completed.
        words: of the translation as sacrebleu counts them.
        log_prob: Σ log p in nats; nan if none was completed.
        length: L, pieces, <eos> included.
        score: (1/L^α) Σ log p.
        ended: whether it ends with <eos>; else it was cut at the greatest length.
        table: BLEU by the syllabus' formula; None without a reference.
        bleu: sentence BLEU by sacrebleu; None without a reference.
        seconds: what the search took.
        model_calls, expansions, candidates_scored: as in ``SearchTrace``.
        proven: whether it is certainly the best of all sequences.
        upper_bound: no sequence scores higher; inf where nothing is known.
        others: further distinct translations with their log P, best score first.
    """

    name: str
    config: DecodeConfig
    text: str
    words: tuple[str, ...]
    log_prob: float
    length: int
    score: float
    ended: bool
    table: BleuTable | None
    bleu: CorpusBleu | None
    seconds: float
    model_calls: int
    expansions: int
    candidates_scored: int
    proven: bool
    upper_bound: float
    others: tuple[tuple[str, float], ...]

    @property
    def beam_size(self) -> int | None:
        """B of a beam search, 1 of the greedy one; None for the others."""
        if self.config.search == "greedy":
            return 1
        return self.config.beam_size if self.config.search == "beam" else None


def compared_configs(
    *,
    beam_sizes: Sequence[int] = BEAM_SIZES,
    samples: int = 5,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 1,
    max_length: int = MAX_TARGET,
) -> dict[str, DecodeConfig]:
    """The searches that need no proof, by their names. None of them looks at α: it only ranks what they found."""
    found = {"greedy": DecodeConfig(search="greedy", max_length=max_length)}
    for size in sorted(set(beam_sizes)):
        found[f"beam-{size}"] = DecodeConfig(search="beam", beam_size=size, max_length=max_length)
    found["sampling"] = DecodeConfig(
        search="sampling",
        samples=samples,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        max_length=max_length,
    )
    return found


def compared(
    name: str, answer: TranslationSearch, *, alpha: float = 0.0, references: Sequence[str] = ()
) -> ComparedSearch:
    """One line of the comparison.

    Args:
        name: of the search.
        answer: what it found.
        alpha: of the length normalisation that picks the winner; an exact search has its own.
        references: translations by people; empty for none.
    """
    trace = answer.search
    order = trace.finished if trace.config.search == "exact" else reranked(trace, alpha=alpha)
    best = next(iter(order), None)
    text = "" if best is None else answer.targets[best].text
    words = bleu_tokens(text)
    known = [bleu_tokens(reference) for reference in references]
    length = 0 if best is None else int(trace.step[best])
    log_prob = float("nan") if best is None else float(trace.log_prob[best])
    others = {answer.targets[row].text: float(trace.log_prob[row]) for row in reversed(order)}
    others.pop(text, None)
    return ComparedSearch(
        name=name,
        config=trace.config,
        text=text,
        words=words,
        log_prob=log_prob,
        length=length,
        score=log_prob if best is None else hypothesis_score(log_prob, length, alpha=alpha),
        ended=best is not None and trace.ended(best),
        table=bleu_table(words, known[0], others=known[1:]) if known else None,
        bleu=sentence_bleu(text, references) if known else None,
        seconds=trace.seconds,
        model_calls=trace.model_calls,
        expansions=trace.expansions,
        candidates_scored=trace.candidates_scored,
        proven=trace.proven,
        upper_bound=trace.upper_bound,
        others=tuple(reversed(others.items())),
    )
