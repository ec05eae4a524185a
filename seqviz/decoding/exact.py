"""Exact search: the best of all sequences, proven, without looking at all of them (syllabus S4).

Best-first search: the prefix whose bound is highest is extended next. A bound that no continuation can exceed makes the
first complete sequence that comes out the best of all. A beam search before it gives a lower bound, below which nothing
needs to be kept; where the budget ends before the proof, the best sequence so far and both bounds are the answer.

For any α from 0 to 2 an unfinished prefix with log P = s is bounded by s / T^α: log P can only fall, and the longest
length T divides it kindest. A prefix's own length plays no part in that, but its next tokens do: it stands in the queue
with the bound of its best extension, and an extension by <eos>, or to the length T, with its own score. The closer T is
to the length of real sequences, the sooner the proof.

A step function that can join states (``JoinsStates``) is asked for several prefixes at once, those with the highest
bounds, up to ``MOST_AT_ONCE``. That changes the order a little and never the result: nothing is dropped but what the
bound excludes. The first calls take few, so that easy proofs stay short.

Source: Stahlberg and Byrne 2019, "On NMT Search Errors and Model Errors: Cat Got Your Tongue?", who go depth first with
the same bound for α = 0; best first extends fewer prefixes at the price of memory.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.beam import beam_search
from seqviz.decoding.recorder import Recorder, Watch
from seqviz.decoding.scores import best_possible_score, constrained, coverage_penalty, hypothesis_score, refusal
from seqviz.decoding.step import JoinsStates, StepFunction
from seqviz.decoding.trace import DROPPED, FINISHED, OPEN, REASONS, ROOT, SearchTrace
from seqviz.types import FloatArray, IntArray

MOST_AT_ONCE = 16
"""Prefixes that one call of the model extends at most."""

CHILDREN = 64
"""Extensions of a prefix that are remembered; for further ones the model is asked once more, which happens rarely."""


def _no_tokens() -> IntArray:
    return np.zeros(0, np.int32)


def _nothing() -> FloatArray:
    return np.zeros(0)


@dataclass(slots=True)
class _Prefix:
    """An extended hypothesis whose children come out of the queue one after the other; its state is that of a line.

    ``above`` is the prefix that it extends, None for the empty one; ``given`` are the children that have been
    remembered so far, and ``rest`` is the best bound of all others.
    """

    row: int
    above: _Prefix | None
    state: Any
    line: int
    attended: FloatArray | None
    tokens: IntArray = field(default_factory=_no_tokens)  # children that may still win, best bound first
    bounds: FloatArray = field(default_factory=_nothing)
    log_probs: FloatArray = field(default_factory=_nothing)
    given: IntArray = field(default_factory=_no_tokens)
    rest: float = -math.inf
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
    search = ExactSearch(model, config, watch=watch)
    while search.advance():
        pass
    return search.trace()


class ExactSearch:
    """An exact search that can be watched, left at any moment, and given a larger budget.

    Args:
        model, config, watch: as for ``exact_search``.
        hidden_states: whether the trace has them; of very many hypotheses they fill the memory.
    """

    def __init__(
        self, model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = (), hidden_states: bool = True
    ) -> None:
        self._model, self._config = model, config
        started = time.perf_counter()
        first = beam_search(model, replace(config, search="beam", stopping="n_best"))
        self._recorder = Recorder(model, config, watch, hidden_states=hidden_states)
        self._spent = (first.expansions, first.model_calls)
        self._lower, self._incumbent = -math.inf, ROOT
        if first.best is not None:
            self._lower = float(first.score[first.best])
            self._record(first, first.best)
        self._queue: list[tuple[float, int, _Prefix]] = []
        self._ticket = 0
        self._width = 1
        self._extend([ROOT], model.start(), [model.bos_id], [None])
        self._seconds = time.perf_counter() - started

    @property
    def expansions(self) -> int:
        """Hypotheses extended so far, those of the beam search before it included."""
        return self._recorder.expansions + self._spent[0]

    @property
    def budget(self) -> int:
        """Hypotheses that the search by itself may extend."""
        return self._config.max_expansions

    @property
    def best_score(self) -> float:
        """Of the best sequence so far; -inf as long as there is none."""
        return self._lower

    @property
    def best_log_prob(self) -> float:
        """log P of the best sequence so far; 0 as long as there is none."""
        return self._recorder.log_prob[self._incumbent]

    @property
    def best_tokens(self) -> tuple[int, ...]:
        """The best sequence so far; empty as long as there is none."""
        return self._recorder.tokens(self._incumbent)

    @property
    def upper_bound(self) -> float:
        """No sequence scores higher than this."""
        return max(self._highest(), self._lower)

    @property
    def proven(self) -> bool:
        """Whether nothing can score higher than the best sequence so far."""
        return self._highest() <= self._lower

    def allow(self, max_expansions: int) -> None:
        """Gives it another budget, so that ``advance`` goes on."""
        self._config = replace(self._config, max_expansions=max_expansions)
        self._recorder.config = self._config

    def advance(self) -> bool:
        """Asks the model once; False where the optimum is proven or the budget is spent."""
        started = time.perf_counter()
        model, recorder = self._model, self._recorder
        join = model.join if isinstance(model, JoinsStates) else None
        batch = self._next(self._width)
        if batch:
            rows = [recorder.add(prefix.row, token, log_prob, fate=OPEN) for prefix, token, log_prob in batch]
            states = [model.select(prefix.state, np.array([prefix.line])) for prefix, _, _ in batch]
            state = join(states) if join else states[0]
            self._extend(rows, state, [token for _, token, _ in batch], [prefix for prefix, _, _ in batch])
            self._width = min(2 * self._width, MOST_AT_ONCE) if join else 1
        self._seconds += time.perf_counter() - started
        return bool(batch)

    def trace(self) -> SearchTrace:
        """The record as it stands; the search may go on afterwards."""
        proven = self.proven
        self._explain(proven=proven)
        trace = self._recorder.freeze(proven=proven, upper_bound=self.upper_bound)
        calls = trace.model_calls + self._spent[1]
        scored = self.expansions * self._model.vocabulary_size
        return replace(
            trace, expansions=self.expansions, model_calls=calls, candidates_scored=scored, seconds=self._seconds
        )

    def _record(self, first: SearchTrace, best: int) -> None:
        row = ROOT
        for step in first.path(best):
            row = self._recorder.add(row, int(first.token[step]), float(first.token_log_prob[step]), fate=OPEN)
        self._recorder.leave(row, fate=FINISHED, reason="")
        self._incumbent = row

    def _next(self, width: int) -> list[tuple[_Prefix, int, float]]:
        """The next prefixes to extend, each a parent, a token and its log probability; complete ones are noted."""
        recorder = self._recorder
        batch: list[tuple[_Prefix, int, float]] = []
        while self._queue and len(batch) < width and self._highest() > self._lower:
            prefix = self._queue[0][2]
            if prefix.next == len(prefix.tokens):
                heapq.heappop(self._queue)
                self._refill(prefix)
                continue
            token, log_prob = int(prefix.tokens[prefix.next]), float(prefix.log_probs[prefix.next])
            complete = token == self._model.eos_id or recorder.step[prefix.row] + 1 == self._config.max_length
            if not complete and recorder.expansions + len(batch) >= self._config.max_expansions:
                break
            heapq.heappop(self._queue)
            prefix.next += 1
            self._push(prefix)
            if complete:
                self._complete(prefix, token, log_prob)
            else:
                batch.append((prefix, token, log_prob))
        return batch

    def _highest(self) -> float:
        return -self._queue[0][0] if self._queue else -math.inf

    def _push(self, prefix: _Prefix) -> None:
        bound = float(prefix.bounds[prefix.next]) if prefix.next < len(prefix.tokens) else prefix.rest
        if bound > -math.inf:
            self._ticket += 1
            heapq.heappush(self._queue, (-bound, self._ticket, prefix))

    def _extend(self, rows: list[int], state: Any, tokens: list[int], prefixes: Sequence[_Prefix | None]) -> None:
        output = self._model.step(state, np.array(tokens))
        candidates = self._recorder.expand(rows, output)
        for line, (row, above) in enumerate(zip(rows, prefixes, strict=True)):
            attended = None if above is None else above.attended
            if output.attention is not None:
                own = np.asarray(output.attention[line], np.float64)
                attended = own if attended is None else attended + own
            prefix = _Prefix(row, above, output.state, line, attended)
            self._choose_children(prefix, output.log_probs[line])
            self._record_candidates(prefix, output.log_probs[line], candidates[line])

    def _refill(self, prefix: _Prefix) -> None:
        """Asks the model once more for a prefix whose remembered children are used up."""
        recorder, model = self._recorder, self._model
        above = prefix.above
        state = model.start() if above is None else model.select(above.state, np.array([above.line]))
        last = model.bos_id if above is None else recorder.token[prefix.row]
        output = model.step(state, np.array([last]))
        recorder.model_calls += 1
        self._choose_children(prefix, output.log_probs[0])

    def _choose_children(self, prefix: _Prefix, log_probs: FloatArray) -> None:
        """Remembers the children with the best bounds that have not been given yet, and the bound of all others."""
        length = self._recorder.step[prefix.row] + 1
        bounds = self._bounds(prefix, log_probs, length)
        bounds[prefix.given] = -np.inf
        hopeful = np.flatnonzero(bounds > self._lower)
        prefix.rest = -math.inf
        # Of complete children only the best can win.
        count = CHILDREN if length < self._config.max_length else 1
        if len(hopeful) > count:
            places = np.argpartition(-bounds[hopeful], count)
            prefix.rest = float(bounds[hopeful[places[count]]]) if length < self._config.max_length else -math.inf
            hopeful = np.sort(hopeful[places[:count]])
        hopeful = hopeful[np.argsort(-bounds[hopeful], kind="stable")]
        prefix.tokens, prefix.bounds = hopeful.astype(np.int32), bounds[hopeful]
        prefix.log_probs = np.asarray(log_probs[hopeful], np.float64)
        prefix.given = np.concatenate([prefix.given, prefix.tokens]) if prefix.rest > -math.inf else _no_tokens()
        prefix.next = 0
        self._push(prefix)

    def _bounds(self, prefix: _Prefix, log_probs: FloatArray, length: int) -> FloatArray:
        """What no sequence that begins with a child can exceed; complete ones have their score, (vocabulary,)."""
        config, eos = self._config, self._model.eos_id
        allowed = constrained(log_probs[None], length, config, eos)[0]
        totals = self._recorder.log_prob[prefix.row] + allowed
        bounds = np.array(best_possible_score(1.0, max_length=config.max_length, alpha=config.alpha) * totals)
        ends = eos if length < config.max_length else slice(None)
        bounds[ends] = hypothesis_score(1.0, length, alpha=config.alpha) * totals[ends] + self._penalty(prefix)
        return bounds

    def _penalty(self, prefix: _Prefix) -> float:
        attended = prefix.attended
        return 0.0 if attended is None else self._config.coverage * float(coverage_penalty(attended[None]))

    def _record_candidates(self, prefix: _Prefix, log_probs: FloatArray, candidates: list[int]) -> None:
        recorder, length = self._recorder, self._recorder.step[prefix.row] + 1
        for token in candidates:
            log_prob = float(log_probs[token])
            if math.isfinite(log_prob):
                reason = refusal(token, length, self._config, self._model.eos_id)
                recorder.add(prefix.row, token, log_prob, fate=DROPPED, reason=reason or "bound")

    def _complete(self, prefix: _Prefix, token: int, log_prob: float) -> None:
        row = self._recorder.add(prefix.row, token, log_prob, fate=FINISHED)
        score = hypothesis_score(
            self._recorder.log_prob[row],
            self._recorder.step[row],
            alpha=self._config.alpha,
            penalty=self._penalty(prefix),
        )
        if score > self._lower:
            self._lower, self._incumbent = score, row

    def _explain(self, *, proven: bool) -> None:
        """What was left, and how far its bound lies below the best score."""
        recorder, config = self._recorder, self._config
        penalties = np.nan_to_num(config.coverage * recorder.coverage())
        won = {
            ancestor for row in range(1, len(recorder)) if recorder.fate[row] == FINISHED for ancestor in self._up(row)
        }
        for row in range(1, len(recorder)):
            if row in won or recorder.fate[row] not in (DROPPED, OPEN) or recorder.reason[row] not in _UNEXPLAINED:
                continue
            ends = recorder.token[row] == self._model.eos_id or recorder.step[row] == config.max_length
            length = recorder.step[row] if ends else config.max_length
            penalty = float(penalties[row]) if ends else 0.0
            bound = hypothesis_score(recorder.log_prob[row], length, alpha=config.alpha, penalty=penalty)
            if not proven and bound > self._lower:
                recorder.leave(row, fate=OPEN, reason="budget")
            else:
                recorder.leave(row, fate=DROPPED, reason="bound", margin=max(self._lower - bound, 0.0))

    def _up(self, row: int) -> list[int]:
        found = []
        while row != ROOT:
            found.append(row)
            row = self._recorder.parent[row]
        return found


_UNEXPLAINED = tuple(REASONS.index(reason) for reason in ("", "bound", "budget"))
