"""Collects what a search does, row by row, and freezes it at the end."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.scores import coverage_penalty, length_penalty
from seqviz.decoding.step import StepFunction, StepOutput
from seqviz.decoding.trace import DROPPED, EXPANDED, FINISHED, NONE, OPEN, REASONS, ROOT, SearchTrace
from seqviz.errors import InvalidInputError
from seqviz.types import FloatArray, IntArray

Watch = Sequence[Sequence[int]]


class Recorder:
    """The growing tree of a search; the mutable twin of ``SearchTrace``.

    Args:
        model: the step function.
        config: how it is searched.
        watch: token ids of sequences whose beginnings are recorded even where they are not among the top candidates.
        hidden_states: whether the decoder's states are kept.
    """

    def __init__(
        self, model: StepFunction[Any], config: DecodeConfig, watch: Watch = (), *, hidden_states: bool = True
    ) -> None:
        _check_tokens(model, config)
        self.model = model
        self.config = config
        self.parent, self.token, self.step = [NONE], [NONE], [0]
        self.token_log_prob, self.log_prob = [0.0], [0.0]
        self.rank, self.margin = [0], [math.nan]
        self.fate, self.reason, self.group, self.count = [OPEN], [0], [0], [1]
        self.expansion = [NONE]
        self.model_calls = 0
        self.top: IntArray = np.zeros((0, 0), np.int64)  # top candidates of the last expansion, (hypothesis, candidate)
        self._expanded: list[int] = []
        # Only what is kept of an output: whole rows of a large vocabulary would fill the memory.
        self._kept: list[IntArray] = []
        self._kept_log_probs: list[FloatArray] = []
        self._attention: list[FloatArray] = []
        self._hidden_state: list[FloatArray] = []
        self._keeps_states = hidden_states
        self._known: dict[tuple[int, int], int] = {}
        self._watch = tuple(tuple(tokens) for tokens in watch)
        self._watched: dict[int, tuple[int, ...]] = {ROOT: tuple(range(len(self._watch)))}
        self._started = time.perf_counter()

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def expansions(self) -> int:
        """How many hypotheses were extended so far."""
        return len(self._expanded)

    def expand(self, rows: Sequence[int], output: StepOutput[Any]) -> list[list[int]]:
        """Notes that hypotheses were extended by one call of the model.

        Returns:
            The next tokens of each that are worth a row: its top candidates and those that are watched.
        """
        self.model_calls += 1
        kept = top_tokens(output.log_probs, self.config.candidates)
        self.top = kept
        self._kept.append(kept)
        self._kept_log_probs.append(np.take_along_axis(output.log_probs, kept, 1).astype(np.float64))
        if output.attention is not None:
            self._attention.append(np.asarray(output.attention))
        if output.hidden_state is not None and self._keeps_states:
            self._hidden_state.append(np.asarray(output.hidden_state))
        for row in rows:
            self.expansion[row] = len(self._expanded)
            self._expanded.append(row)
            if self.fate[row] != FINISHED:
                self.fate[row], self.reason[row] = EXPANDED, 0
        return [self._with_watched(row, tokens) for row, tokens in zip(rows, kept.tolist(), strict=True)]

    def _with_watched(self, row: int, tokens: list[int]) -> list[int]:
        wanted = [self._watch[index] for index in self._watched.get(row, ())]
        more = {sequence[self.step[row]] for sequence in wanted if len(sequence) > self.step[row]}
        return tokens + sorted(more - set(tokens))

    def add(
        self,
        parent: int,
        token: int,
        token_log_prob: float,
        *,
        fate: int,
        reason: str = "",
        rank: int = NONE,
        margin: float = math.nan,
        group: int = 0,
    ) -> int:
        """Adds a hypothesis, or finds the one that is there already: what survives anywhere is not dropped."""
        row = self._known.get((parent, token))
        if row is not None:
            if fate > self.fate[row]:
                self.fate[row], self.reason[row] = fate, REASONS.index(reason)
                self.rank[row], self.margin[row], self.group[row] = rank, margin, group
            return row
        row = len(self.parent)
        self._known[parent, token] = row
        self.parent.append(parent)
        self.token.append(token)
        self.step.append(self.step[parent] + 1)
        self.token_log_prob.append(token_log_prob)
        self.log_prob.append(self.log_prob[parent] + token_log_prob)
        self.rank.append(rank)
        self.margin.append(margin)
        self.reason.append(REASONS.index(reason))
        self._same(1, fate=fate, group=group)
        if watched := self._watched.get(parent):
            place = self.step[parent]
            self._watched[row] = tuple(
                index for index in watched if place < len(self._watch[index]) and self._watch[index][place] == token
            )
        return row

    def add_dropped(
        self,
        parents: Sequence[int],
        tokens: Sequence[int],
        token_log_probs: Sequence[float],
        *,
        reasons: Sequence[str],
        ranks: Sequence[int],
        margins: Sequence[float],
        group: int = 0,
    ) -> None:
        """Adds many hypotheses that were left; as ``add`` for each of them, at a fraction of its price."""
        columns = zip(parents, tokens, token_log_probs, reasons, ranks, margins, strict=True)
        if self._watch:
            for parent, token, log_prob, reason, rank, margin in columns:
                self.add(parent, token, log_prob, fate=DROPPED, reason=reason, rank=rank, margin=margin, group=group)
            return
        fresh = [column for column in columns if column[:2] not in self._known]
        if not fresh:
            return
        above, last, own, why, places, missing = zip(*fresh, strict=True)
        self._known.update(zip(zip(above, last, strict=True), range(len(self), len(self) + len(fresh)), strict=True))
        self.parent += above
        self.token += last
        self.step += [self.step[parent] + 1 for parent in above]
        self.token_log_prob += own
        self.log_prob += [self.log_prob[parent] + log_prob for parent, log_prob in zip(above, own, strict=True)]
        self.rank += places
        self.margin += missing
        self.reason += map(REASONS.index, why)
        self._same(len(fresh), fate=DROPPED, group=group)

    def _same(self, count: int, *, fate: int, group: int) -> None:
        """The columns in which new rows are all alike."""
        self.fate += [fate] * count
        self.group += [group] * count
        self.count += [1] * count
        self.expansion += [NONE] * count

    def leave(self, row: int, *, fate: int, reason: str, margin: float = math.nan) -> None:
        """Notes why a hypothesis was left."""
        self.fate[row], self.reason[row], self.margin[row] = fate, REASONS.index(reason), margin

    def tokens(self, row: int) -> tuple[int, ...]:
        """The token ids of a hypothesis."""
        found: list[int] = []
        while row != ROOT:
            found.append(self.token[row])
            row = self.parent[row]
        return tuple(found[::-1])

    def coverage(self) -> FloatArray:
        """The coverage penalty of every hypothesis, nan without attention, (hypothesis,)."""
        found = np.full(len(self), np.nan)
        attention = _stacked(self._attention)
        if attention is None:
            return found
        attended = np.zeros((len(self), attention.shape[1]))
        step, parent = np.array(self.step), np.array(self.parent)
        expansion = np.array(self.expansion)
        for length in range(1, int(step.max()) + 1):
            rows = np.flatnonzero(step == length)
            attended[rows] = attended[parent[rows]] + attention[expansion[parent[rows]]]
        found[1:] = coverage_penalty(attended[1:, None])
        return found

    def freeze(self, *, proven: bool = False, upper_bound: float = math.inf) -> SearchTrace:
        """The finished record; the complete hypotheses are ranked here."""
        config, coverage = self.config, self.coverage()
        weighted = np.where(np.isnan(coverage), 0.0, config.coverage * coverage)
        step, log_prob = np.array(self.step), np.array(self.log_prob)
        divisors = np.array([length_penalty(max(length, 1), config.alpha) for length in range(step.max() + 1)])
        score = log_prob / divisors[step] + weighted  # ``hypothesis_score`` of every row
        complete = [row for row, fate in enumerate(self.fate) if fate == FINISHED]
        finished = tuple(sorted(complete, key=lambda row: (-score[row], row)))
        kept = np.concatenate(self._kept)
        names = {token: self.model.name(token) for token in {*self.token[1:], *kept.ravel().tolist()}}
        whole = np.int64
        return SearchTrace(
            config=config,
            vocabulary_size=self.model.vocabulary_size,
            eos_id=self.model.eos_id,
            names=names,
            parent=np.array(self.parent, whole),
            token=np.array(self.token, whole),
            step=step.astype(whole),
            token_log_prob=np.array(self.token_log_prob),
            log_prob=log_prob,
            coverage=coverage,
            score=score,
            rank=np.array(self.rank, whole),
            margin=np.array(self.margin),
            fate=np.array(self.fate, whole),
            reason=np.array(self.reason, whole),
            group=np.array(self.group, whole),
            count=np.array(self.count, whole),
            expansion=np.array(self.expansion, whole),
            candidate_tokens=kept,
            candidate_log_probs=np.concatenate(self._kept_log_probs),
            attention=_stacked(self._attention),
            hidden_state=_stacked(self._hidden_state),
            finished=finished,
            expansions=self.expansions,
            model_calls=self.model_calls,
            candidates_scored=self.expansions * self.model.vocabulary_size,
            proven=proven and bool(finished),
            upper_bound=upper_bound,
            seconds=time.perf_counter() - self._started,
        )


def top_tokens(log_probs: FloatArray, count: int) -> IntArray:
    """The most probable tokens of each row, best first, equals by their id, (hypothesis, candidate)."""
    n = log_probs.shape[1]
    count = min(count, n)
    if n < 4 * count:
        return np.argsort(-log_probs, axis=1, kind="stable")[:, :count]
    rows = []
    for row, least in zip(log_probs, _reached(log_probs, count), strict=True):
        tokens = np.flatnonzero(row >= least)
        rows.append(tokens[np.argsort(-row[tokens], kind="stable")][:count])
    return np.stack(rows)


def _reached(log_probs: FloatArray, count: int) -> FloatArray:
    """A bound for each row (hypothesis, vocabulary) that at least ``count`` of its tokens reach, and few others.

    The count-th greatest of the maxima of some 16·count parts: finding maxima costs far less than sorting out a row.
    """
    n = log_probs.shape[1]
    parts = min(16 * count, n)
    width = n // parts
    maxima = log_probs[:, : parts * width].reshape(len(log_probs), width, parts).max(axis=1)
    return np.partition(maxima, parts - count, axis=1)[:, parts - count]


def best_places(scores: FloatArray, count: int, *, known: FloatArray) -> IntArray:
    """Places of the greatest scores that are not -inf, best first, equals by their place, (at most count,).

    Args:
        scores: any shape; places count through all of it.
        count: how many.
        known: some of the scores, great ones if possible: the count-th of them is a bound that spares sorting the rest.
    """
    flat = scores.ravel()
    threshold = -np.inf
    if len(known) >= count:
        threshold = np.partition(known, len(known) - count)[len(known) - count]
    elif count < flat.size:
        threshold = np.partition(flat, flat.size - count)[flat.size - count]
    places = np.flatnonzero(flat >= threshold)
    places = places[np.argsort(-flat[places], kind="stable")][:count]
    return places[np.isfinite(flat[places])]


def _stacked(arrays: list[FloatArray]) -> FloatArray | None:
    return np.concatenate(arrays) if arrays else None


def _check_tokens(model: StepFunction[Any], config: DecodeConfig) -> None:
    for field, tokens in (("prefix", config.prefix), ("forbidden", config.forbidden)):
        for token in tokens:
            if token >= model.vocabulary_size:
                raise InvalidInputError(
                    "{field} holds the token id {value}; ids are below {high}.",
                    field=field,
                    value=token,
                    high=model.vocabulary_size,
                )
    if model.eos_id in config.prefix[:-1]:
        raise InvalidInputError("The forced prefix goes on behind <eos>; nothing can.")
