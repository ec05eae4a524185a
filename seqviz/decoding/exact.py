"""Exact search: the best of all sequences, proven, without looking at all of them (syllabus S4).

Best-first search: the prefix whose bound is highest is extended next. A bound that no continuation can exceed makes the
first complete sequence that comes out the best of all. A beam search before it gives a lower bound, below which nothing
needs to be kept; where the budget ends before the proof, the best sequence so far and both bounds are the answer.

A step function that can join states (``JoinsStates``) is asked for several prefixes at once, those with the highest
bounds, up to ``MOST_AT_ONCE``. That changes the order a little and never the result: nothing is dropped but what the
bound excludes. The first calls take few, so that easy proofs stay short.

Source: Stahlberg and Byrne 2019, "On NMT Search Errors and Model Errors: Cat Got Your Tongue?", who go depth first with
the same bound; best first extends fewer prefixes at the price of memory.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.beam import beam_search
from seqviz.decoding.recorder import Recorder, Watch
from seqviz.decoding.scores import best_possible_score, constrained, coverage_penalty, hypothesis_score, refusal
from seqviz.decoding.step import JoinsStates, StepFunction, StepOutput
from seqviz.decoding.trace import DROPPED, FINISHED, OPEN, REASONS, ROOT, SearchTrace
from seqviz.types import FloatArray, IntArray

MOST_AT_ONCE = 16
"""Prefixes that one call of the model extends at most."""


@dataclass(slots=True)
class _Prefix:
    """An extended hypothesis whose children come out of the queue one after the other; its state is that of a line."""

    row: int
    state: Any
    line: int
    tokens: IntArray  # children that may still win, best bound first
    bounds: FloatArray
    log_probs: FloatArray
    attended: FloatArray | None
    next: int = 0


def exact_search(model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = ()) -> SearchTrace:
    """Finds the sequence with the highest score of all, or the best within ``config.max_expansions``.

    Args:
        model: the step function.
        config: ``max_expansions``; ``beam_size`` of the search before it; α, β, lengths, prefix, forbidden tokens.
        watch: sequences of token ids whose beginnings are recorded.

    Returns:
        A trace with ``proven`` and ``upper_bound``. Its expansions and model calls include those of the beam search
        before it; its rows are those of the exact search.
    """
    return _Search(model, config, watch).run()


class _Search:
    def __init__(self, model: StepFunction[Any], config: DecodeConfig, watch: Watch) -> None:
        self.model = model
        self.config = config
        first = beam_search(model, replace(config, search="beam", stopping="n_best"))
        self.lower = -math.inf
        self.incumbent: int | None = None
        self.recorder = Recorder(model, config, watch)
        self.spent = (first.expansions, first.model_calls)
        if first.best is not None:
            self.lower = float(first.score[first.best])
            self._record(first, first.best)
        self.queue: list[tuple[float, int, _Prefix]] = []
        self.ticket = 0

    def _record(self, first: SearchTrace, best: int) -> None:
        row = ROOT
        for step in first.path(best):
            row = self.recorder.add(row, int(first.token[step]), float(first.token_log_prob[step]), fate=OPEN)
        self.recorder.leave(row, fate=FINISHED, reason="")
        self.incumbent = row

    def run(self) -> SearchTrace:
        model, recorder = self.model, self.recorder
        self._extend([ROOT], model.start(), [model.bos_id], [None])
        join = model.join if isinstance(model, JoinsStates) else None
        width = 1
        while batch := self._next(width):
            rows = [recorder.add(prefix.row, token, log_prob, fate=OPEN) for prefix, token, log_prob in batch]
            states = [model.select(prefix.state, np.array([prefix.line])) for prefix, _, _ in batch]
            state = join(states) if join else states[0]
            self._extend(rows, state, [token for _, token, _ in batch], [prefix.attended for prefix, _, _ in batch])
            width = min(2 * width, MOST_AT_ONCE) if join else 1
        upper = self._highest()
        proven = upper <= self.lower
        self._explain(proven=proven)
        trace = recorder.freeze(proven=proven, upper_bound=self.lower if proven else upper)
        expansions, calls = trace.expansions + self.spent[0], trace.model_calls + self.spent[1]
        scored = expansions * model.vocabulary_size
        return replace(trace, expansions=expansions, model_calls=calls, candidates_scored=scored)

    def _next(self, width: int) -> list[tuple[_Prefix, int, float]]:
        """The next prefixes to extend, each a parent, a token and its log probability; complete ones are noted."""
        recorder = self.recorder
        batch: list[tuple[_Prefix, int, float]] = []
        while self.queue and len(batch) < width and self._highest() > self.lower:
            prefix = self.queue[0][2]
            token, log_prob = int(prefix.tokens[prefix.next]), float(prefix.log_probs[prefix.next])
            complete = token == self.model.eos_id or recorder.step[prefix.row] + 1 == self.config.max_length
            if not complete and recorder.expansions + len(batch) >= self.config.max_expansions:
                break
            heapq.heappop(self.queue)
            self._push(prefix, prefix.next + 1)
            if complete:
                self._complete(prefix, token, log_prob)
            else:
                batch.append((prefix, token, log_prob))
        return batch

    def _highest(self) -> float:
        return -self.queue[0][0] if self.queue else -math.inf

    def _push(self, prefix: _Prefix, place: int) -> None:
        prefix.next = place
        if place < len(prefix.tokens):
            self.ticket += 1
            heapq.heappush(self.queue, (-float(prefix.bounds[place]), self.ticket, prefix))

    def _extend(self, rows: list[int], state: Any, tokens: list[int], attended: Sequence[FloatArray | None]) -> None:
        output = self.model.step(state, np.array(tokens))
        candidates = self.recorder.expand(rows, output)
        for line, (row, before) in enumerate(zip(rows, attended, strict=True)):
            after = before
            if output.attention is not None:
                own = np.asarray(output.attention[line], np.float64)
                after = own if before is None else before + own
            self._queue_children(row, line, output, after, candidates[line])

    def _queue_children(
        self, row: int, line: int, output: StepOutput[Any], attended: FloatArray | None, candidates: list[int]
    ) -> None:
        recorder, config, eos = self.recorder, self.config, self.model.eos_id
        length = recorder.step[row] + 1
        allowed = constrained(output.log_probs[line : line + 1], length, config, eos)[0]
        totals = recorder.log_prob[row] + allowed
        bounds = np.array(best_possible_score(1.0, max_length=config.max_length, alpha=config.alpha) * totals)
        ends = eos if length < config.max_length else slice(None)
        penalty = 0.0 if attended is None else config.coverage * float(coverage_penalty(attended[None]))
        bounds[ends] = hypothesis_score(1.0, length, alpha=config.alpha) * totals[ends] + penalty
        hopeful = np.flatnonzero(bounds > self.lower)
        hopeful = hopeful[np.argsort(-bounds[hopeful], kind="stable")]
        log_probs = np.asarray(output.log_probs[line], np.float64)
        prefix = _Prefix(row, output.state, line, hopeful, bounds[hopeful], log_probs[hopeful], attended)
        self._push(prefix, 0)
        for other in candidates:
            if not math.isfinite(log_probs[other]):
                continue
            reason = refusal(other, length, config, eos)
            recorder.add(row, other, float(log_probs[other]), fate=DROPPED, reason=reason or "bound")

    def _complete(self, prefix: _Prefix, token: int, log_prob: float) -> None:
        row = self.recorder.add(prefix.row, token, log_prob, fate=FINISHED)
        length = self.recorder.step[row]
        penalty = 0.0
        if prefix.attended is not None:
            penalty = self.config.coverage * float(coverage_penalty(prefix.attended[None]))
        score = hypothesis_score(self.recorder.log_prob[row], length, alpha=self.config.alpha, penalty=penalty)
        if score > self.lower:
            self.lower, self.incumbent = score, row

    def _explain(self, *, proven: bool) -> None:
        """What was left, and how far its bound lies below the best score."""
        recorder, config = self.recorder, self.config
        penalties = np.nan_to_num(config.coverage * recorder.coverage())
        won = {
            ancestor for row in range(1, len(recorder)) if recorder.fate[row] == FINISHED for ancestor in self._up(row)
        }
        for row in range(1, len(recorder)):
            if row in won or recorder.fate[row] not in (DROPPED, OPEN) or recorder.reason[row] not in _UNEXPLAINED:
                continue
            ends = recorder.token[row] == self.model.eos_id or recorder.step[row] == config.max_length
            length = recorder.step[row] if ends else config.max_length
            penalty = float(penalties[row]) if ends else 0.0
            bound = hypothesis_score(recorder.log_prob[row], length, alpha=config.alpha, penalty=penalty)
            if not proven and bound > self.lower:
                recorder.leave(row, fate=OPEN, reason="budget")
            else:
                recorder.leave(row, fate=DROPPED, reason="bound", margin=max(self.lower - bound, 0.0))

    def _up(self, row: int) -> list[int]:
        found = []
        while row != ROOT:
            found.append(row)
            row = self.recorder.parent[row]
        return found


_UNEXPLAINED = (REASONS.index(""), REASONS.index("bound"))
