"""Claims about gates (syllabus G)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqviz.backends.requests import InterventionRequest, NumberUnitsRequest, TraceRequest
from seqviz.interventions import Intervened, Intervention, parse_intervention
from seqviz.lessons.finding import Ask, Finding


def state_kept(ask: Ask, /, *, model: str, text: str, do: str) -> Finding:
    """How far the state moves from the step on at which an intervention begins (G1, G2).

    Answers ``"kept"`` where it does not move at all, ``"gone"`` where nothing of it is left in the direction of its
    old self, else ``"changed"``.
    """
    forced = parse_intervention(do)
    changed = _intervened(ask, model, text, forced)
    states = changed.layers[0].after["hidden_state"]
    old, last = states[forced.first - 1], states[-1]
    moved = float(np.abs(states[forced.first :] - old).max())
    free = changed.layers[0].before["hidden_state"]
    alike = float(last @ old / (np.linalg.norm(last) * np.linalg.norm(old)))
    return Finding(
        answer="kept" if moved == 0 else "gone" if alike <= 0 else "changed",
        numbers={
            "moved": moved,
            "free": float(np.abs(free[forced.first :] - free[forced.first - 1]).max()),
            "steps": len(changed) - forced.first,
            "step": forced.first,
        },
    )


def output_gate_shut(ask: Ask, /, *, model: str, text: str, step: int) -> Finding:
    """What the memory loses when the output gate is shut for one step (G3).

    Answers ``"output"`` where the hidden state is 0 and the cell state as before, ``"memory"`` where both change, else
    ``"nothing"``.
    """
    forced = Intervention(quantity="output_gate", value=0.0, first=step, last=step)
    changed = _intervened(ask, model, text, forced)
    layer = changed.layers[0]
    shown = float(np.abs(layer.after["hidden_state"][step]).max())
    lost = float(np.abs(layer.difference("cell_state")[step]).max())
    return Finding(
        answer="output" if shown == 0 and lost == 0 else "memory" if lost > 0 else "nothing",
        numbers={
            "shown": shown,
            "lost": lost,
            "here": float(changed.divergence[step]),
            "later": float(changed.divergence[step + 1 :].max()),
            "end": float(changed.divergence[-1]),
            "piece": changed.originals[step],
        },
    )


def _intervened(ask: Ask, model: str, text: str, forced: Intervention) -> Intervened:
    run = TraceRequest(model=model, text=text)
    # An open end is the last step, here as on the page.
    last = len(ask(run)) - 1 if forced.last is None else forced.last
    return ask(InterventionRequest(trace=run, interventions=(replace(forced, last=last),)))


def unit_carries_number(ask: Ask, /, *, model: str, sure: float, guess: float) -> Finding:
    """How well the best single unit tells a singular from a plural subject at the verb (G5).

    Answers ``"always"`` from ``sure`` on, ``"never"`` up to ``guess``, else ``"often"``; shares of held-out sentences.
    """
    found = ask(NumberUnitsRequest(model=model))
    best = found.best[0]
    return Finding(
        answer="always" if best.accuracy >= sure else "never" if best.accuracy <= guess else "often",
        numbers={
            "unit": best.unit,
            "accuracy": best.accuracy,
            "median": found.median_accuracy,
            "model": found.verb_accuracy,
            "searched": found.searched,
        },
    )


def most_units(ask: Ask, /, *, models: tuple[str, ...], text: str) -> Finding:
    """Which of some models has the most units; its cell's family is the answer (G6)."""
    layers = [ask(TraceRequest(model=model, text=text)).layers[0] for model in models]
    names = [layer.cell.split("_", maxsplit=1)[0] for layer in layers]
    units = [layer.num_units for layer in layers]
    blocks = {f"{name}_blocks": len(layer.block_names) for name, layer in zip(names, layers, strict=True)}
    return Finding(
        answer=names[int(np.argmax(units))],
        numbers={**dict(zip(names, units, strict=True)), **blocks},
    )
