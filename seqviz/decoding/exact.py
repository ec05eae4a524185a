"""Exact search: the best of all sequences, proven, without looking at all of them (syllabus S4).

Best-first search: the prefix whose bound is highest is extended next. A bound that no continuation can exceed makes the
first complete sequence that comes out the best of all. A beam search before it gives a lower bound, below which nothing
needs to be kept; where the budget ends before the proof, the best sequence so far and both bounds are the answer.

Source: Stahlberg and Byrne 2019, "On NMT Search Errors and Model Errors: Cat Got Your Tongue?", who go depth first with
the same bound; best first extends fewer prefixes at the price of memory.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.beam import beam_search
from seqviz.decoding.recorder import Recorder, Watch
from seqviz.decoding.scores import best_possible_score, constrained, coverage_penalty, hypothesis_score, refusal
from seqviz.decoding.step import StepFunction
from seqviz.decoding.trace import DROPPED, FINISHED, OPEN, REASONS, ROOT, SearchTrace
from seqviz.types import FloatArray, IntArray


@dataclass(slots=True)
class _Prefix:
    """An extended hypothesis whose children come out of the queue one after the other."""

    row: int
    state: Any
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
        self._extend(ROOT, model.start(), model.bos_id, None)
        upper = self._highest()
        while self.queue:
            upper = self._highest()
            if upper <= self.lower:
                break
            prefix = self.queue[0][2]
            token, log_prob = int(prefix.tokens[prefix.next]), float(prefix.log_probs[prefix.next])
            complete = token == model.eos_id or recorder.step[prefix.row] + 1 == self.config.max_length
            if not complete and recorder.expansions >= self.config.max_expansions:
                break
            heapq.heappop(self.queue)
            self._push(prefix, prefix.next + 1)
            if complete:
                self._complete(prefix, token, log_prob)
            else:
                row = recorder.add(prefix.row, token, log_prob, fate=OPEN)
                self._extend(row, model.select(prefix.state, np.array([0])), token, prefix.attended)
        proven = not self.queue or self._highest() <= self.lower
        self._explain(proven=proven)
        trace = recorder.freeze(proven=proven, upper_bound=self.lower if proven else upper)
        expansions, calls = trace.expansions + self.spent[0], trace.model_calls + self.spent[1]
        scored = expansions * model.vocabulary_size
        return replace(trace, expansions=expansions, model_calls=calls, candidates_scored=scored)

    def _highest(self) -> float:
        return -self.queue[0][0] if self.queue else -math.inf

    def _push(self, prefix: _Prefix, place: int) -> None:
        prefix.next = place
        if place < len(prefix.tokens):
            self.ticket += 1
            heapq.heappush(self.queue, (-float(prefix.bounds[place]), self.ticket, prefix))

    def _extend(self, row: int, state: Any, token: int, attended: FloatArray | None) -> None:
        recorder, config, eos = self.recorder, self.config, self.model.eos_id
        output = self.model.step(state, np.array([token]))
        (candidates,) = recorder.expand([row], output)
        if output.attention is not None:
            own = np.asarray(output.attention[0], np.float64)
            attended = own if attended is None else attended + own
        length = recorder.step[row] + 1
        allowed = constrained(output.log_probs, length, config, eos)[0]
        totals = recorder.log_prob[row] + allowed
        bounds = np.array(best_possible_score(1.0, max_length=config.max_length, alpha=config.alpha) * totals)
        ends = np.arange(len(bounds)) == eos if length < config.max_length else np.ones(len(bounds), bool)
        penalty = 0.0 if attended is None else config.coverage * float(coverage_penalty(attended[None]))
        bounds[ends] = hypothesis_score(1.0, length, alpha=config.alpha) * totals[ends] + penalty
        hopeful = np.flatnonzero(bounds > self.lower)
        hopeful = hopeful[np.argsort(-bounds[hopeful], kind="stable")]
        log_probs = np.asarray(output.log_probs[0], np.float64)
        self._push(_Prefix(row, output.state, hopeful, bounds[hopeful], log_probs[hopeful], attended), 0)
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
