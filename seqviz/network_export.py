"""The encoder-decoder on a pair as JSON or CSV: every number, in digits that give back the same float32."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from seqviz.export import csv_text, digits
from seqviz.traces import LayerTrace
from seqviz.translation_network import DecoderRun, NetworkSum, TranslationNetwork

COLUMNS = ("part", "layer", "direction", "step", "piece", "quantity", "index", "value")


def network_json(network: TranslationNetwork) -> str:
    """Both runs, the encoder and the hand-over; arrays as nested lists in the axis order of the results."""
    given = network.hand_over
    content = {
        "format": "seqviz-encoder-decoder",
        "format_version": 1,
        "model": network.model,
        "source": {
            "text": network.source.text,
            "pieces": list(network.source.pieces),
            "ids": list(network.source.ids),
            "embeddings": digits(network.embeddings),
        },
        "encoder": [_layer(part) for part in network.encoder],
        "hand_over": {
            "last": digits(given.last),
            "pre_activation": digits(given.pre_activation),
            "hidden_state": digits(given.hidden_state),
            "cell_state": None if given.cell_state is None else digits(given.cell_state),
        },
        "parted": network.parted,
        "distances": network.distances().tolist(),
        "beam_size": network.beam_size,
        "runs": {name: _run(network, run) for name, run in network.runs.items()},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def network_csv(network: TranslationNetwork) -> str:
    """Every state, gate, attention weight, context, readout and log probability as a row."""
    return csv_text(_rows(network), COLUMNS)


def network_sum_csv(taken: NetworkSum) -> str:
    """The addends of one number as rows: kind, index, weight, value, product."""
    names = ("kind", "index", "weight", "value", "product")
    return csv_text(({name: getattr(term, name) for name in names} for term in taken.terms), names)


def _layer(part: LayerTrace) -> dict[str, Any]:
    return {
        "layer": part.layer,
        "direction": part.direction,
        "cell": part.cell,
        "block_names": list(part.block_names),
        "pre_activation": digits(part.pre_activation),
        **{name: digits(array) for name, array in part.quantities().items()},
    }


def _run(network: TranslationNetwork, run: DecoderRun) -> dict[str, Any]:
    optional = {"scores": run.scores, "attention": run.attention, "context": run.context}
    return {
        "text": run.target.text,
        "pieces": list(run.target.pieces),
        "ids": list(run.target.ids),
        "inputs": run.inputs.tolist(),
        "ended": run.ended,
        "embeddings": digits(run.embeddings),
        "layers": [_layer(part) for part in run.layers],
        **{name: None if array is None else digits(array) for name, array in optional.items()},
        "readout": digits(run.readout),
        "log_normaliser": run.log_normaliser.tolist(),
        "log_probs": run.log_probs.tolist(),
        "right_log_probs": [None if np.isnan(value) else float(value) for value in run.right_log_probs],
        "ranks": run.ranks.tolist(),
        "candidates": [
            [
                {"piece": network.names[int(token)], "log_prob": float(value)}
                for token, value in zip(ids, row, strict=True)
            ]
            for ids, row in zip(run.candidate_tokens, run.candidate_log_probs, strict=True)
        ],
    }


def _rows(network: TranslationNetwork) -> Iterator[dict[str, object]]:
    source = network.source.pieces
    yield from _vectors("encoder", source, "input", network.embeddings)
    for each in network.encoder:
        for name, array in each.quantities().items():
            yield from _vectors("encoder", source, name, array, each.layer, each.direction)
    states = {"hidden_state": network.hand_over.hidden_state, "cell_state": network.hand_over.cell_state}
    for name, layers in states.items():
        for layer, state in enumerate(() if layers is None else layers):
            yield from _vectors("hand_over", ("",), name, state[None], layer)
    for run_name, run in network.runs.items():
        yield from _run_rows(run_name, run)


def _run_rows(run_name: str, run: DecoderRun) -> Iterator[dict[str, object]]:
    pieces = run.target.pieces
    for each in run.layers:
        for name, array in each.quantities().items():
            yield from _vectors(run_name, pieces, name, array, each.layer)
    singles = {"input": run.embeddings, "attention": run.attention, "context": run.context, "readout": run.readout}
    singles |= {"log_prob": run.log_probs, "right_log_prob": run.right_log_probs}
    for name, found in singles.items():
        if found is not None:
            yield from _vectors(run_name, pieces, name, found)


def _vectors(
    part: str, pieces: tuple[str, ...], quantity: str, array: Any, layer: object = "", direction: str = ""
) -> Iterator[dict[str, object]]:
    """One quantity, a row for each component of each step."""
    for step, piece in enumerate(pieces):
        for index, value in enumerate(np.atleast_1d(array[step])):
            values = (part, layer, direction, step, piece, quantity, index, str(value))
            yield dict(zip(COLUMNS, values, strict=True))
