"""The words around a backward pass: names, tooltips, text alternative."""

from __future__ import annotations

import math

from seqviz.charts.gradient_scale import scientific
from seqviz.charts.notation import QUANTITY_NAMES, Notation, quantity_name, symbol, visible
from seqviz.charts.svg import clean
from seqviz.gradients import BackwardTrace
from seqviz.i18n import Translator, english
from seqviz.traces import LayerTrace
from seqviz.types import Direction

GRADIENT = "gradient."
"""Before the name of a quantity: the gradient that reached it."""


def gradient_names(t: Translator) -> dict[str, str]:
    """How every gradient is called, by the name of its quantity."""
    said = t("gradient: {quantity}")
    return {GRADIENT + name: said.format(quantity=quantity_name(name, t)) for name in QUANTITY_NAMES} | {
        GRADIENT + "embedding": said.format(quantity=t("input")),
        "embedding": t("input"),
    }


def heatmap_title(quantity: str, *, part: LayerTrace, notation: Notation, t: Translator) -> str:
    """What the lower heatmap shows: ∂L/∂a, or δ of a block."""
    if quantity in ("hidden_state", "cell_state"):
        letter = symbol(quantity, notation=notation, cell=part.cell, time=None).text
        return t("Backward: ∂L/∂{symbol}").format(symbol=letter)
    return t("Backward: δ of the {block}").format(block=quantity_name(quantity, t))


def step_lines(backward: BackwardTrace, *, layer: int, direction: Direction, t: Translator) -> list[list[list[str]]]:
    """What the tooltip says of every step: names and values."""
    norms = backward.norms(layer, direction)
    names = {"hidden_state": "‖∂L/∂h‖", "cell_state": "‖∂L/∂c‖", "embedding": "‖∂L/∂x‖"}
    rows = []
    for step in range(len(backward)):
        lines = [[names[name], scientific(float(values[step]), 6)] for name, values in norms.items()]
        if not math.isnan(backward.losses[step]):
            lines.append([t("loss of this step"), f"{backward.losses[step]:.4f} {t('nats')}"])
        rows.append(lines)
    return rows


def reach_sentence(
    backward: BackwardTrace, *, layer: int = 0, direction: Direction = "forward", t: Translator = english
) -> str:
    """How much of the gradient is left at the far end of the text."""
    norms = backward.norms(layer, direction)["hidden_state"]
    start = backward.loss_steps[-1] if direction == "forward" else backward.loss_steps[0]
    end = 0 if direction == "forward" else len(backward) - 1
    if start == end or norms[start] == 0:
        return t("The loss stands at one step; there is no way back to go.")
    return t("From ‘{near}’ to ‘{far}’, {count} steps: the gradient is {share} times what it was.").format(
        near=visible(backward.originals[start]),
        far=visible(backward.originals[end]),
        count=abs(start - end),
        share=scientific(float(norms[end] / norms[start])),
    )


def backflow_alt(backward: BackwardTrace, *, layer: int, direction: Direction, t: Translator) -> str:
    """What the picture shows, for readers who do not see it."""
    tokens = " ".join(clean(visible(original)) for original in backward.originals)
    says = t("Gradients of {model} on: {tokens}. The loss of {count} steps, {loss} nats, goes back.").format(
        model=backward.model, tokens=tokens, count=len(backward.loss_steps), loss=f"{backward.loss:.4g}"
    )
    return f"{says} {reach_sentence(backward, layer=layer, direction=direction, t=t)}"
