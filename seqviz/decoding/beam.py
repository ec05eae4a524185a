"""Beam search, and diverse beam search as several beams that avoid each other's tokens (syllabus S5).

At every step all extensions of all living hypotheses are compared. Those of the B best that end with <eos> are
finished; the B best that do not end go on. All candidates of a step have the same length, so the length normalisation
cannot change the cut: it decides between finished hypotheses only, and another α needs no new search.

When is a beam exhaustive? With B ≥ n (n-1)^(T-2) nothing is cut before the last step T, and then its best hypothesis
is the best of all n^T for every α. The seeds call B = n exhaustive; for n > 2 that holds up to T = 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.recorder import Recorder, Watch, best_places
from seqviz.decoding.scores import constrained, diversity_penalty, refusal
from seqviz.decoding.step import StepFunction, StepOutput
from seqviz.decoding.trace import FINISHED, NONE, OPEN, ROOT, SearchTrace
from seqviz.types import FloatArray, IntArray


@dataclass(slots=True)
class _Beam:
    """The living hypotheses of one group, best first, and how many it has finished."""

    group: int
    size: int
    living: list[int]
    finished: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What one call of the model gave, for all groups."""

    length: int
    output: StepOutput[Any]
    allowed: FloatArray
    top: IntArray
    candidates: list[list[int]]


def beam_is_exhaustive(beam_size: int, vocabulary_size: int, max_length: int) -> bool:
    """Whether no beam of this size can miss the optimum: B ≥ n (n-1)^(T-2), whatever the model says.

    Args:
        beam_size: B.
        vocabulary_size: n, <eos> among them.
        max_length: T.
    """
    if max_length <= 1:
        return True
    return beam_size >= vocabulary_size * (vocabulary_size - 1) ** (max_length - 2)


def beam_search(model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = ()) -> SearchTrace:
    """Keeps the B best hypotheses of every step.

    Args:
        model: the step function.
        config: ``beam_size``, lengths, prefix, forbidden tokens, ``stopping``; α and β rank the finished ones.
        watch: sequences of token ids whose beginnings are recorded with their rank and margin.
    """
    return _search(model, config, groups=1, watch=watch)


def diverse_beam_search(model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = ()) -> SearchTrace:
    """Several beams side by side; a token costs a later group λ for each earlier group that chose it at this step.

    Args:
        model: the step function.
        config: ``groups`` share ``beam_size``; ``diversity`` is λ; the rest as in ``beam_search``.
        watch: as in ``beam_search``.

    Source:
        Vijayakumar et al. 2018, algorithm 1.
    """
    return _search(model, config, groups=config.groups, watch=watch)


def _search(model: StepFunction[Any], config: DecodeConfig, *, groups: int, watch: Watch) -> SearchTrace:
    recorder = Recorder(model, config, watch)
    beams = [_Beam(group, config.beam_size // groups, [ROOT]) for group in range(groups)]
    state = model.start()
    rows = [ROOT]  # what the state holds, one row a hypothesis; groups may share one
    for length in range(1, config.max_length + 1):
        tokens = np.array([model.bos_id if row == ROOT else recorder.token[row] for row in rows])
        output = model.step(state, tokens)
        step = _Step(
            length=length,
            output=output,
            allowed=constrained(output.log_probs, length, config, model.eos_id),
            candidates=recorder.expand(rows, output),
            top=recorder.top,
        )
        places = {row: place for place, row in enumerate(rows)}
        chosen: list[int] = []
        for beam in beams:
            if beam.living:
                chosen += _cut(recorder, beam, step, places, diversity_penalty_of(model, config, chosen))
        living = list(dict.fromkeys(row for beam in beams for row in beam.living))
        if not living:
            break
        parents = np.array([places[recorder.parent[row]] for row in living])
        state, rows = model.select(output.state, parents), living
    return recorder.freeze()


def diversity_penalty_of(model: StepFunction[Any], config: DecodeConfig, chosen: list[int]) -> FloatArray | None:
    """The penalty of every token for a later group; None where there is none."""
    if not chosen or config.diversity == 0:
        return None
    return diversity_penalty(np.array(chosen), model.vocabulary_size, config.diversity)


def _cut(recorder: Recorder, beam: _Beam, step: _Step, places: dict[int, int], penalty: FloatArray | None) -> list[int]:
    """One group's candidates, its survivors and its losers; returns the tokens that it chose."""
    model, size, config = recorder.model, beam.size, recorder.config
    n = model.vocabulary_size
    own = np.array([places[row] for row in beam.living])
    before = np.array([recorder.log_prob[row] for row in beam.living])
    # One group owns every row in its order: nothing needs to be copied.
    compared = step.allowed if len(own) == len(step.allowed) and config.groups == 1 else step.allowed[own]
    compared += before[:, None]
    if penalty is not None:
        compared -= penalty
    # Every living hypothesis can end once, so the B best that go on are among the first B + living.
    known = compared[np.arange(len(own))[:, None], step.top[own]].ravel()
    order = best_places(compared, size + len(own), known=known)
    last = step.length == config.max_length
    survivors: list[int] = []
    chosen: list[int] = []
    flat = compared.ravel()
    # What a hypothesis must reach to end, and to go on.
    to_end = float(flat[order[min(size, len(order)) - 1]]) if len(order) else math.nan
    to_go_on = math.nan
    taken: set[int] = set()
    for rank, place in enumerate(order.tolist()):
        line, token = divmod(place, n)
        ends = last or token == model.eos_id
        if (ends and rank >= size) or (not ends and len(survivors) == size):
            continue
        taken.add(place)
        row = recorder.add(
            beam.living[line],
            token,
            float(step.output.log_probs[own[line], token]),
            fate=FINISHED if ends else OPEN,
            rank=rank,
            group=beam.group,
        )
        chosen.append(token)
        if ends:
            beam.finished.add(row)
        else:
            survivors.append(row)
            to_go_on = float(compared[line, token])
    _record_losers(recorder, beam, step, own, compared, taken=taken, thresholds=(to_end, to_go_on))
    beam.living = survivors
    if config.stopping == "n_best" and len(beam.finished) >= size:
        for row in survivors:
            recorder.leave(row, fate=OPEN, reason="stopped")
        beam.living = []
    return chosen


def _record_losers(
    recorder: Recorder,
    beam: _Beam,
    step: _Step,
    own: IntArray,
    compared: FloatArray,
    *,
    taken: set[int],
    thresholds: tuple[float, float],
) -> None:
    """The candidates that were seen and not taken, with rank, reason and what was missing to the last survivor."""
    n, eos = recorder.model.vocabulary_size, recorder.model.eos_id
    places = [line * n + token for line, row in enumerate(own.tolist()) for token in step.candidates[row]]
    left = np.array([place for place in places if place not in taken], np.int64)
    lines, tokens = np.divmod(left, n)
    log_probs, scores = step.output.log_probs[own[lines], tokens], compared[lines, tokens]
    possible = np.isfinite(log_probs)
    lines, tokens, log_probs, scores = lines[possible], tokens[possible], log_probs[possible], scores[possible]
    refused = ~np.isfinite(scores)
    ends = (tokens == eos) | (step.length == recorder.config.max_length)
    margins = np.where(ends, *thresholds) - scores
    margins[refused] = math.nan
    ranks = _ranks(compared, scores)
    ranks[refused] = NONE
    recorder.add_dropped(
        [beam.living[line] for line in lines.tolist()],
        tokens.tolist(),
        log_probs.astype(np.float64).tolist(),
        reasons=[
            refusal(token, step.length, recorder.config, eos) if no else "beam"
            for token, no in zip(tokens.tolist(), refused.tolist(), strict=True)
        ],
        ranks=ranks.tolist(),
        margins=margins.tolist(),
        group=beam.group,
    )


def _ranks(compared: FloatArray, scores: FloatArray) -> IntArray:
    """How many candidates score higher than each of some."""
    finite = scores[np.isfinite(scores)]
    flat = compared.ravel()
    better = np.sort(flat[flat >= finite.min()]) if len(finite) else flat[:0]
    return len(better) - np.searchsorted(better, scores, side="right")
