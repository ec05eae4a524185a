"""Search over a step function: greedy, beam, diverse beam, sampling, exact, brute force. No model and no torch here.

from seqviz.config import DecodeConfig
from seqviz.decoding import search
trace = search(model, DecodeConfig(search="beam", beam_size=3, max_length=20))
trace.text(trace.best)
"""

from __future__ import annotations

from typing import Any

from seqviz.config import DecodeConfig
from seqviz.decoding.beam import beam_is_exhaustive, beam_search, diverse_beam_search
from seqviz.decoding.brute_force import brute_force_search
from seqviz.decoding.exact import exact_search
from seqviz.decoding.greedy import greedy_search
from seqviz.decoding.ranking import Crossover, FellOut, crossovers, fell_out, reranked, trace_crossovers
from seqviz.decoding.recorder import Watch
from seqviz.decoding.sampling import sample, sampling_distribution
from seqviz.decoding.step import StepFunction, StepOutput
from seqviz.decoding.trace import SearchTrace

__all__ = [
    "Crossover",
    "FellOut",
    "SearchTrace",
    "StepFunction",
    "StepOutput",
    "beam_is_exhaustive",
    "beam_search",
    "brute_force_search",
    "crossovers",
    "diverse_beam_search",
    "exact_search",
    "fell_out",
    "greedy_search",
    "reranked",
    "sample",
    "sampling_distribution",
    "search",
    "trace_crossovers",
]

_SEARCHES = {
    "greedy": greedy_search,
    "beam": beam_search,
    "diverse": diverse_beam_search,
    "sampling": sample,
    "exact": exact_search,
    "brute_force": brute_force_search,
}


def search(model: StepFunction[Any], config: DecodeConfig, *, watch: Watch = ()) -> SearchTrace:
    """Runs the search that the configuration names.

    Args:
        model: the step function; its batch are the hypotheses.
        config: everything else.
        watch: sequences of token ids whose beginnings are recorded wherever they are looked at, for example a known
            optimum, so that ``fell_out`` can say where the search lost it.
    """
    return _SEARCHES[config.search](model, config, watch=watch)
