"""A trace as JSON or CSV: every number, in digits that give back the same float32."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from seqviz.clipping import MEASURES, ClippingConfig, VariantCurve
from seqviz.decoding.trace import SearchTrace
from seqviz.gradients import Agreement, BackwardTrace
from seqviz.traces import RecurrentTrace, UnitSum


def trace_json(trace: RecurrentTrace) -> str:
    """The whole trace as JSON; arrays as nested lists in the axis order of ``seqviz.traces``."""
    layers = [
        {
            "layer": layer.layer,
            "direction": layer.direction,
            "cell": layer.cell,
            "block_names": list(layer.block_names),
            "inputs": digits(layer.inputs),
            "pre_activation": digits(layer.pre_activation),
            **{name: digits(array) for name, array in layer.quantities().items()},
        }
        for layer in trace.layers
    ]
    content = {
        "format": "seqviz-trace",
        "format_version": 1,
        "model": trace.model,
        "task": trace.task,
        "structure": trace.structure,
        "text": trace.text,
        "pieces": list(trace.pieces),
        "originals": list(trace.originals),
        "ids": trace.ids.tolist(),
        "fed_back": trace.fed_back,
        "labels": list(trace.labels),
        "targets": trace.targets.tolist(),
        "logits": digits(trace.logits),
        "probabilities": digits(trace.probabilities),
        "losses": [None if np.isnan(loss) else _number(loss) for loss in trace.losses],
        "embeddings": digits(trace.embeddings),
        "layers": layers,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def trace_csv(trace: RecurrentTrace) -> str:
    """Every state, gate and pre-activation as a row: layer, direction, step, token, quantity, unit, value."""
    return csv_text(trace.rows(), ("layer", "direction", "step", "token", "quantity", "unit", "value"))


def unit_sum_csv(unit_sum: UnitSum) -> str:
    """The addends of a pre-activation as rows: kind, index, weight, value, product."""
    names = ("kind", "index", "weight", "value", "product")
    return csv_text(({name: getattr(term, name) for name in names} for term in unit_sum.terms), names)


def backward_json(trace: BackwardTrace) -> str:
    """A whole backward pass as JSON: gradients of every step as nested lists, float64."""
    content = {
        "format": "seqviz-backward",
        "format_version": 1,
        "model": trace.model,
        "originals": list(trace.originals),
        "loss_steps": list(trace.loss_steps),
        "targets": list(trace.target_names),
        "multiplier": trace.multiplier,
        "loss": trace.loss,
        "losses": [None if np.isnan(loss) else float(loss) for loss in trace.losses],
        "outputs": trace.outputs.tolist(),
        "embeddings": trace.embeddings.tolist(),
        "layers": [
            {
                "layer": part.layer,
                "direction": part.direction,
                "block_names": list(part.block_names),
                "hidden_state": part.hidden_state.tolist(),
                "cell_state": None if part.cell_state is None else part.cell_state.tolist(),
                "pre_activation": part.pre_activation.tolist(),
            }
            for part in trace.layers
        ],
        "weights": [
            {
                "name": weight.name,
                "layer": weight.layer,
                "direction": weight.direction,
                "step_norms": weight.step_norms.tolist(),
                "running_norms": weight.running_norms.tolist(),
                "agreement": weight.agreement.tolist(),
                "total_norm": weight.total_norm,
                "autograd_norm": weight.autograd_norm,
                "difference": weight.difference,
            }
            for weight in trace.weights
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def backward_csv(trace: BackwardTrace) -> str:
    """The norms of every step as rows: layer, direction, step, token, quantity, norm."""
    rows = (
        {
            "layer": part.layer,
            "direction": part.direction,
            "step": step,
            "token": token,
            "quantity": quantity,
            "norm": repr(float(norms[step])),
        }
        for part in trace.layers
        for quantity, norms in trace.norms(part.layer, part.direction).items()
        for step, token in enumerate(trace.originals)
    )
    return csv_text(rows, ("layer", "direction", "step", "token", "quantity", "norm"))


def search_json(trace: SearchTrace) -> str:
    """A whole search as JSON: one object a hypothesis, its candidates, attention and hidden state where there are."""
    content = {
        "format": "seqviz-search",
        "format_version": 1,
        "config": trace.config.to_dict(),
        "vocabulary_size": trace.vocabulary_size,
        "expansions": trace.expansions,
        "model_calls": trace.model_calls,
        "candidates_scored": trace.candidates_scored,
        "proven": trace.proven,
        "upper_bound": _finite(trace.upper_bound),
        "finished": list(trace.finished),
        "hypotheses": [_hypothesis(trace, row) | _expansion(trace, row) for row in range(len(trace))],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def search_csv(trace: SearchTrace) -> str:
    """Every hypothesis of a search as a row."""
    return csv_text((_hypothesis(trace, row) for row in range(len(trace))), tuple(_hypothesis(trace, 0)))


def _hypothesis(trace: SearchTrace, row: int) -> dict[str, Any]:
    return {
        "hypothesis": row,
        "parent": int(trace.parent[row]),
        "step": int(trace.step[row]),
        "token": "" if row == 0 else trace.names[int(trace.token[row])],
        "text": trace.text(row),
        "token_log_prob": float(trace.token_log_prob[row]),
        "log_prob": float(trace.log_prob[row]),
        "score": float(trace.score[row]),
        "rank": int(trace.rank[row]),
        "fate": trace.fate_name(row),
        "reason": trace.reason_name(row),
        "margin": _finite(float(trace.margin[row])),
        "group": int(trace.group[row]),
        "count": int(trace.count[row]),
    }


def _expansion(trace: SearchTrace, row: int) -> dict[str, Any]:
    place = int(trace.expansion[row])
    if place < 0:
        return {}
    pairs = zip(trace.candidate_tokens[place], trace.candidate_log_probs[place], strict=True)
    content: dict[str, Any] = {
        "candidates": [[trace.names[int(token)], _finite(float(log_prob))] for token, log_prob in pairs]
    }
    for name in ("attention", "hidden_state"):
        array = getattr(trace, name)
        if array is not None:
            content[name] = digits(array[place])
    return content


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def agreement_json(found: Sequence[Agreement]) -> str:
    """The long-dependency test of several models as JSON; arrays in the axis order of ``Agreement``."""
    content = {
        "format": "seqviz-agreement",
        "format_version": 1,
        "models": [
            {
                "model": one.model,
                "subjects": list(one.subjects),
                "verbs": list(one.verbs),
                "clause": list(one.clause),
                "log_probs": one.log_probs.tolist(),
                "subject_state": one.subject_state.tolist(),
                "subject_embedding": one.subject_embedding.tolist(),
            }
            for one in found
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def agreement_csv(found: Sequence[Agreement]) -> str:
    """The long-dependency test as rows: model, subject, length, last word, both log probabilities, both gradients."""
    names = ("model", "subject", "length", "last_word", "log_prob_one", "log_prob_many", "state", "embedding")
    rows = (
        {
            "model": one.model,
            "subject": subject,
            "length": length,
            "last_word": one.clause[length - 1] if length else "",
            "log_prob_one": repr(float(one.log_probs[row, length, 0])),
            "log_prob_many": repr(float(one.log_probs[row, length, 1])),
            "state": repr(float(one.subject_state[row, length])),
            "embedding": repr(float(one.subject_embedding[row, length])),
        }
        for one in found
        for row, subject in enumerate(one.subjects)
        for length in range(len(one.clause) + 1)
    )
    return csv_text(rows, names)


def csv_text(rows: Any, names: tuple[str, ...]) -> str:
    """Rows of plain values as CSV with a header."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _number(value: Any) -> float:
    # The shortest digits that name this float32, instead of the long tail of its float64 twin.
    return float(str(value))


def digits(array: Any) -> Any:
    """An array as nested lists with the fewest digits that name each number."""
    if array.ndim == 0:
        return _number(array[()])
    if array.ndim == 1:
        return [_number(value) for value in array]
    return [digits(row) for row in array]


def clipping_json(curves: Sequence[VariantCurve], config: ClippingConfig) -> str:
    """A clipping run as JSON: its settings, its variants, every step of each; numbers that are not finite as null."""
    content = {
        "format": "seqviz-clipping-run",
        "format_version": 1,
        "config": asdict(config),
        "variants": [
            {
                **asdict(curve.variant),
                "divergence": None if curve.divergence is None else asdict(curve.divergence),
                "jump": curve.jump,
                "steps": curve.steps.tolist(),
                **{name: [float(v) if np.isfinite(v) else None for v in curve.measure(name)] for name in MEASURES},
            }
            for curve in curves
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def clipping_csv(curves: Sequence[VariantCurve]) -> str:
    """Every step of every variant as a row: variant, clipping, threshold, parent, step and the measures."""
    rows = (
        {
            "variant": curve.variant.number,
            "clipping": curve.variant.clipping,
            "threshold": curve.variant.threshold,
            "parent": "" if curve.variant.parent is None else curve.variant.parent,
            "step": int(step),
            **dict(zip(MEASURES, (float(value) for value in values), strict=True)),
        }
        for curve in curves
        for step, values in zip(curve.steps, curve.values, strict=True)
    )
    return csv_text(rows, ("variant", "clipping", "threshold", "parent", "step", *MEASURES))
