"""Greedy search: the most probable token at every step (syllabus S3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.recorder import Recorder, Watch
from seqviz.decoding.scores import constrained, refusal
from seqviz.decoding.step import StepFunction
from seqviz.decoding.trace import DROPPED, FINISHED, OPEN, ROOT, SearchTrace


def greedy_search(model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = ()) -> SearchTrace:
    """Takes the most probable allowed token until <eos> or the greatest length; of equals the smaller id.

    Args:
        model: the step function.
        config: lengths, prefix and forbidden tokens.
        watch: sequences of token ids whose beginnings are recorded.
    """
    recorder = Recorder(model, config, watch)
    state, row, token = model.start(), ROOT, model.bos_id
    for length in range(1, config.max_length + 1):
        output = model.step(state, np.array([token]))
        (candidates,) = recorder.expand([row], output)
        allowed = constrained(output.log_probs, length, config, model.eos_id)[0]
        token = int(allowed.argmax())
        best = allowed[token]
        for other in candidates:
            own = float(output.log_probs[0, other])
            reason = refusal(other, length, config, model.eos_id)
            if other != token and np.isfinite(own):
                rank = -1 if reason else int((allowed > own).sum())
                margin = float("nan") if reason else float(best) - own
                recorder.add(row, other, own, fate=DROPPED, reason=reason or "choice", rank=rank, margin=margin)
        if not np.isfinite(best):
            break
        done = token == model.eos_id or length == config.max_length
        row = recorder.add(row, token, float(best), fate=FINISHED if done else OPEN, rank=0)
        if done:
            break
        state = output.state
    return recorder.freeze()
