"""Claims about search and its measures (syllabus S). Tables by hand need no model."""

from __future__ import annotations

import math

from seqviz.config import DecodeConfig
from seqviz.decoding import SearchTrace, reranked, search
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import TableModel
from seqviz.errors import InvalidInputError
from seqviz.lessons.finding import Ask, Finding
from seqviz.metrics.bleu import bleu_table


def bleu_precision(_: Ask, /, *, output: str, reference: str, n: int) -> Finding:
    """p_n of an output, as a fraction (S2)."""
    table = bleu_table(output.split(), reference.split())
    line = table.lines[n - 1]
    shares = {f"p{one.n}": f"{one.matched}/{one.total}" for one in table.lines}
    first_two = bleu_table(output.split(), reference.split(), max_n=2).score
    return Finding(
        answer=f"{line.matched}/{line.total}",
        numbers={**shares, "brevity": table.brevity, "score": table.score, "two": first_two},
    )


def _search(preset: str, kind: str, *, beam: int | None = None) -> SearchTrace:
    table = PRESETS[preset]
    config = DecodeConfig(
        search=kind,
        beam_size=beam or table.beam_size,
        min_length=table.min_length,
        max_length=table.max_length,
        stopping="all" if table.go_on else "n_best",
    )
    return search(TableModel(table.table), config)


def _best(trace: SearchTrace) -> tuple[str, float]:
    if trace.best is None:
        raise InvalidInputError("The search found no complete hypothesis.")
    return trace.text(trace.best), math.exp(float(trace.log_prob[trace.best]))


def greedy_against_best(_: Ask, /, *, table: str) -> Finding:
    """Whether greedy search finds the most probable sequence of a table: ``"yes"`` or ``"no"`` (S3)."""
    greedy, exact = _search(table, "greedy"), _search(table, "exact")
    (greedy_text, greedy_p), (best_text, best_p) = _best(greedy), _best(exact)
    return Finding(
        answer="yes" if math.isclose(greedy_p, best_p) else "no",
        numbers={"greedy": greedy_text, "greedy_p": greedy_p, "best": best_text, "best_p": best_p},
    )


def beam_needed(_: Ask, /, *, table: str, most: int) -> Finding:
    """The least B with which a beam finds the best sequence of a table, as text (S4, S5)."""
    best_text, best_p = _best(_search(table, "exact"))
    found = [_best(_search(table, "beam", beam=size)) for size in range(1, most + 1)]
    hits = [size for size, (_, share) in enumerate(found, start=1) if math.isclose(share, best_p)]
    least = hits[0] if hits else 0
    missed_text, missed_p = found[max(least - 2, 0)]
    return Finding(
        answer=str(least),
        numbers={"least": least, "best": best_text, "best_p": best_p, "missed": missed_text, "missed_p": missed_p},
    )


def winner_by_alpha(_: Ask, /, *, table: str, low: float, high: float) -> Finding:
    """How the winner's length changes from one α to a greater one: ``"longer"``, ``"same"`` or ``"shorter"`` (S5)."""
    trace = _search(table, "beam")
    first, second = (reranked(trace, alpha=alpha)[0] for alpha in (low, high))
    lengths = [int(trace.step[row]) for row in (first, second)]
    return Finding(
        answer="longer" if lengths[1] > lengths[0] else "same" if lengths[1] == lengths[0] else "shorter",
        numbers={
            "first": trace.text(first),
            "second": trace.text(second),
            "first_length": lengths[0],
            "second_length": lengths[1],
            "first_p": math.exp(float(trace.log_prob[first])),
            "second_p": math.exp(float(trace.log_prob[second])),
        },
    )


def who_is_at_fault(_: Ask, /, *, table: str, human: str) -> Finding:
    """Whether search or model is at fault when greedy search answers something else than a person (S6).

    Answers ``"search"`` where P(y*) > P(ŷ), else ``"model"``.
    """
    model = TableModel(PRESETS[table].table)
    output, output_p = _best(_search(table, "greedy"))
    numbers = [model.table.symbols.index(word) for word in human.split()]
    human_p = math.exp(sum(float(model.log_probs(tuple(numbers[:step]))[token]) for step, token in enumerate(numbers)))
    return Finding(
        answer="search" if human_p > output_p else "model",
        numbers={"human": human, "human_p": human_p, "output": output, "output_p": output_p},
    )
