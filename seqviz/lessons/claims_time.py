"""Claims about training through time (syllabus B) and the memory cell (G5)."""

from __future__ import annotations

import math

import numpy as np

from seqviz.backends.requests import AgreementRequest, BackwardRequest, CurvesRequest, TraceRequest
from seqviz.laboratory import LaboratoryConfig
from seqviz.laboratory_examples import memory_configs
from seqviz.lessons.finding import Ask, Finding
from seqviz.types import FloatArray


def shared_gradient(ask: Ask, /, *, model: str, text: str, loss: int, share: float, few: int, many: int) -> Finding:
    """How many of the last steps make up ``share`` of the norm of ∂L/∂W_aa (B1, B2).

    Answers ``"few"`` (at most ``few`` steps), ``"many"`` (at least ``many``) or ``"some"``.
    """
    passed = ask(BackwardRequest(trace=TraceRequest(model=model, text=text), loss_step=loss, weights=True))
    hidden = next(weight for weight in passed.weights if weight.name == "weight_hidden")
    enough = np.flatnonzero(hidden.running_norms[: loss + 1] >= share * hidden.total_norm)
    steps = loss + 1 - int(enough.max())
    return Finding(
        answer="few" if steps <= few else "many" if steps >= many else "some",
        numbers={"steps": steps, "of": loss + 1, "share": share, "norm": hidden.total_norm},
    )


def error_multiplied(ask: Ask, /, *, model: str, text: str, multiplier: float) -> Finding:
    """What becomes of every gradient when the last error is multiplied (B3).

    Answers ``"all"`` where each is that many times what it was, ``"late"`` where only the last step's are, else
    ``"other"``.
    """
    run = TraceRequest(model=model, text=text)
    loss = len(ask(run)) - 1
    plain, scaled = (ask(BackwardRequest(trace=run, loss_step=loss, multiplier=factor)) for factor in (1.0, multiplier))
    before, after = (np.linalg.norm(one.layers[-1].hidden_state, axis=1) for one in (plain, scaled))
    ratio = after / before
    even = bool(np.allclose(ratio, abs(multiplier), rtol=1e-9))
    return Finding(
        answer="all" if even else "late" if math.isclose(float(ratio[-1]), abs(multiplier)) else "other",
        numbers={
            "multiplier": multiplier,
            "first_before": float(before[0]),
            "first_after": float(after[0]),
            "last_before": float(before[-1]),
            "last_after": float(after[-1]),
            "loss": float(plain.losses[loss]),
        },
    )


def left_after(
    ask: Ask, /, *, cell: str, steps: int, small: float, radius: float = 0.9, input_scale: float = 1.0
) -> Finding:
    """What is left of an error of norm 1 after ``steps`` through a fresh cell, the median of five seeds (B4).

    Answers ``"grows"`` above 1, ``"tiny"`` below 10^``small``, else ``"part"``.
    """
    config = LaboratoryConfig(cells=(cell,), steps=steps, radius=radius, input_scale=input_scale)
    norms: FloatArray = ask(CurvesRequest(config=config.each()[0])).hidden_state[:, -1]
    left = float(np.median(norms))
    return Finding(
        answer="grows" if left > 0 else "tiny" if left < small else "part",
        numbers={"left": left, "least": float(norms.min()), "most": float(norms.max()), "steps": steps},
    )


def number_held(ask: Ask, /, *, model: str, clause: str, few: int, many: int) -> Finding:
    """Behind how many words of a growing clause "were" is likelier than "was" for the plural (B4).

    Answers ``"few"`` (at most ``few``), ``"many"`` (at least ``many``) or ``"some"``.
    """
    found = ask(AgreementRequest(model=model, clause=clause))
    ratio = found.log_ratio[1]  # ln P(was) / P(were) behind the plural subject
    held = int((ratio[1:] < 0).sum())
    return Finding(
        answer="few" if held <= few else "many" if held >= many else "some",
        numbers={
            "held": held,
            "words": len(found.clause),
            "near": float(np.exp(-ratio[0])),
            "far": float(np.exp(ratio[-1])),
        },
    )


def clipped(_: Ask, /, *, gradient: tuple[float, ...], limit: float) -> Finding:
    """Which way of clipping keeps the direction: ``"norm"``, ``"value"``, ``"both"`` or ``"none"`` (B5).

    By norm: g ← min(1, θ/‖g‖) g (Pascanu, Mikolov and Bengio 2013); by value: every component to [-θ, θ].
    """
    vector = np.array(gradient, np.float64)
    by_norm = min(1.0, limit / float(np.linalg.norm(vector))) * vector
    by_value = vector.clip(-limit, limit)
    turns = [_degrees(vector, one) for one in (by_norm, by_value)]
    kept = [turn < 1e-6 for turn in turns]
    return Finding(
        answer="both" if all(kept) else "norm" if kept[0] else "value" if kept[1] else "none",
        numbers={
            "norm_x": float(by_norm[0]),
            "norm_y": float(by_norm[1]),
            "value_x": float(by_value[0]),
            "value_y": float(by_value[1]),
            "norm_turn": round(turns[0], 6),
            "value_turn": turns[1],
        },
    )


def _degrees(one: FloatArray, other: FloatArray) -> float:
    cross = float(one[0] * other[1] - one[1] * other[0])
    return abs(math.degrees(math.atan2(cross, float(one @ other))))


def self_links(ask: Ask, /, *, difference: float, steps: int) -> Finding:
    """Which self-link carries an error unchanged: of weight 1 - d, 1 or 1 + d (G5).

    Answers ``"below"``, ``"one"``, ``"above"`` or ``"none"``.
    """
    left = [float(ask(CurvesRequest(config=one)).hidden_state[0, -1]) for one in memory_configs(difference, steps)]
    names = [name for name, value in zip(("below", "one", "above"), left, strict=True) if abs(value) < 1e-9]
    return Finding(
        answer=names[0] if len(names) == 1 else "none",
        numbers={
            "low": 1 - difference,
            "high": 1 + difference,
            "below": 10 ** left[0],
            "one": 10 ** left[1],
            "above": 10 ** left[2],
            "steps": steps,
        },
    )
