"""Exhaustive search: every sequence there is (syllabus S4); for small vocabularies and short lengths."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from seqviz.config import DecodeConfig
from seqviz.decoding.recorder import Recorder, Watch
from seqviz.decoding.scores import constrained
from seqviz.decoding.step import StepFunction
from seqviz.decoding.trace import FINISHED, OPEN, ROOT, SearchTrace
from seqviz.errors import InvalidInputError


def brute_force_search(model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = ()) -> SearchTrace:
    """Scores every sequence that is possible at all; nothing is cut.

    Args:
        model: the step function.
        config: lengths, prefix, forbidden tokens; ``max_expansions``.
        watch: without effect: everything is recorded.

    Raises:
        InvalidInputError: there are more prefixes to extend than ``config.max_expansions``.
    """
    recorder = Recorder(model, config, watch)
    state, rows = model.start(), [ROOT]
    for length in range(1, config.max_length + 1):
        if recorder.expansions + len(rows) > config.max_expansions:
            raise InvalidInputError(
                "Every sequence of up to {steps} tokens out of {count}: that extends more than {budget} prefixes.",
                steps=config.max_length,
                count=model.vocabulary_size,
                budget=config.max_expansions,
            )
        tokens = np.array([model.bos_id if row == ROOT else recorder.token[row] for row in rows])
        output = model.step(state, tokens)
        recorder.expand(rows, output)
        allowed = constrained(output.log_probs, length, config, model.eos_id)
        living: list[int] = []
        parents: list[int] = []
        for line, row in enumerate(rows):
            for token in np.flatnonzero(np.isfinite(allowed[line])).tolist():
                done = token == model.eos_id or length == config.max_length
                child = recorder.add(row, token, float(allowed[line, token]), fate=FINISHED if done else OPEN)
                if not done:
                    living.append(child)
                    parents.append(line)
        if not living:
            break
        state, rows = model.select(output.state, np.array(parents)), living
    trace = recorder.freeze(proven=True)
    return replace(trace, upper_bound=-np.inf if trace.best is None else float(trace.score[trace.best]))
