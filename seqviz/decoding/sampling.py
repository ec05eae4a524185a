"""Ancestral sampling with temperature, top-k and top-p (syllabus L6, S7)."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.recorder import Recorder, Watch
from seqviz.decoding.scores import constrained, refusal
from seqviz.decoding.step import StepFunction
from seqviz.decoding.trace import DROPPED, FINISHED, OPEN, ROOT, SearchTrace
from seqviz.types import FloatArray


def sampling_distribution(
    log_probs: FloatArray, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> FloatArray:
    """What is drawn from: softmax(log p / temperature), cut to the top k, then to the nucleus, normalised anew.

    Args:
        log_probs: log p of one hypothesis' next tokens; -inf for what is not allowed, (vocabulary,).
        temperature: below 1 sharper, above 1 flatter.
        top_k: only the k most probable tokens; 0 for all. Of equals the smaller id.
        top_p: only the smallest set whose probabilities reach p, after temperature and top-k.

    Returns:
        Probabilities, (vocabulary,); zeros where no token is allowed.

    Source:
        Fan et al. 2018 (top-k), Holtzman et al. 2020 (top-p).
    """
    best = log_probs.max()
    if not np.isfinite(best):
        return np.zeros(len(log_probs))
    shares = np.exp((np.asarray(log_probs, np.float64) - best) / temperature)
    order = np.argsort(-shares, kind="stable")
    if top_k:
        shares[order[top_k:]] = 0.0
    shares /= shares.sum()
    if top_p < 1.0:
        reached = np.cumsum(shares[order])
        last = int(np.searchsorted(reached, top_p * (1 - 1e-12)))  # rounding must not let one more in
        shares[order[last + 1 :]] = 0.0
        shares /= shares.sum()
    return shares


def sample(model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = ()) -> SearchTrace:
    """Draws ``config.samples`` sequences; those that begin alike share their rows and their model calls.

    ``log_prob`` stays log P(y|x) of the model, whatever temperature it was drawn with.

    Args:
        model: the step function.
        config: ``samples``, ``temperature``, ``top_k``, ``top_p``, ``seed``; lengths, prefix, forbidden tokens.
        watch: sequences of token ids whose beginnings are recorded.
    """
    recorder = Recorder(model, config, watch)
    random = np.random.default_rng(config.seed)
    state, rows = model.start(), [ROOT]
    recorder.count[ROOT] = config.samples
    for length in range(1, config.max_length + 1):
        tokens = np.array([model.bos_id if row == ROOT else recorder.token[row] for row in rows])
        output = model.step(state, tokens)
        candidates = recorder.expand(rows, output)
        allowed = constrained(output.log_probs, length, config, model.eos_id)
        living: list[int] = []
        parents: list[int] = []
        for line, row in enumerate(rows):
            chances = sampling_distribution(
                allowed[line], temperature=config.temperature, top_k=config.top_k, top_p=config.top_p
            )
            drawn = random.multinomial(recorder.count[row], chances) if chances.any() else chances.astype(np.int64)
            for token in np.flatnonzero(drawn).tolist():
                done = token == model.eos_id or length == config.max_length
                log_prob = float(output.log_probs[line, token])
                child = recorder.add(row, token, log_prob, fate=FINISHED if done else OPEN)
                recorder.count[child] = int(drawn[token])
                if not done:
                    living.append(child)
                    parents.append(line)
            for token in candidates[line]:
                log_prob = float(output.log_probs[line, token])
                if not drawn[token] and np.isfinite(log_prob):
                    reason = refusal(token, length, config, model.eos_id) or "draw"
                    recorder.count[recorder.add(row, token, log_prob, fate=DROPPED, reason=reason)] = 0
        if not living:
            break
        state, rows = model.select(output.state, np.array(parents)), living
    return recorder.freeze()
