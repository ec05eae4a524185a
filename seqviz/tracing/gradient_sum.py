"""How one gradient comes about: each weight times each error that came back through it (syllabus B2).

∂L/∂h_t[j] = Σ_y W_y[y, j] δ_y,t + Σ_k W_h[k, j] δ_k,t+1: what h_t[j] went into is multiplied with the same weights on
the way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.gradients import GradientSource, GradientSum, GradientTerm
from seqviz.models.cells import Cell, GRUCell, GRUResetBeforeCell, GRUSimplifiedCell
from seqviz.models.loading import LoadedModel
from seqviz.tracing.gradients import CarriedBack, Pass, carried_back
from seqviz.types import Direction

KEPT_TERMS = 200
"""A softmax over a vocabulary has some ten thousand addends; only so many are handed out."""


def gradient_sum(
    loaded: LoadedModel,
    text: str,
    *,
    loss_step: int | None = None,
    multiplier: float = 1.0,
    targets: Sequence[str] = (),
    max_pieces: int | None = None,
    layer: int,
    direction: Direction = "forward",
    step: int,
    unit: int,
) -> GradientSum:
    """Takes one ∂L/∂h_t[unit] apart.

    Args:
        loaded, text, loss_step, multiplier, targets, max_pieces: as in ``seqviz.tracing.gradients.backward``.
        layer, direction, step, unit: which number, counted from 0.

    Raises:
        InvalidInputError, UnknownNameError: what ``backward`` raises, or a place outside the run.
    """
    run = carried_back(loaded, text, loss_step=loss_step, multiplier=multiplier, targets=targets, max_pieces=max_pieces)
    return taken_apart(run, layer=layer, direction=direction, step=step, unit=unit)


def taken_apart(run: CarriedBack, *, layer: int, direction: Direction, step: int, unit: int) -> GradientSum:
    """One ∂L/∂h_t[unit] of a loss that was carried back; arguments and errors as in ``gradient_sum``."""
    found = _pass(run, layer, direction)
    units = found.found.hidden_state.shape[1]
    for field, value, count in (("step", step, len(run.x)), ("unit", unit, units)):
        if not 0 <= value < count:
            raise InvalidInputError(
                "{field} is {value}; allowed is 0 to {last}.", field=field, value=value, last=count - 1
            )
    with torch.no_grad():
        parts = [
            *_from_outputs(run, found, step, unit),
            *_from_above(run, found, step, unit),
            *_from_later(run, found, step, unit),
        ]
    terms = sorted((term for part in parts for term in part.terms), key=lambda term: -abs(term.product))
    cell_state = found.found.cell_state
    deltas = found.found.pre_activation[step, :, unit].tolist()
    return GradientSum(
        model=run.loaded.info.name,
        layer=layer,
        direction=direction,
        step=step,
        unit=unit,
        terms=tuple(terms[:KEPT_TERMS]),
        num_terms=sum(part.number for part in parts),
        from_outputs=_total(parts, "output"),
        from_above=_total(parts, "above"),
        from_later=_total(parts, "later", "kept"),
        total=float(found.found.hidden_state[step, unit]),
        deltas=dict(zip(found.recorded.block_names, deltas, strict=True)),
        cell_gradient=None if cell_state is None else float(cell_state[step, unit]),
        snippet=_snippet(run, found, step=step, unit=unit),
    )


class _Part(NamedTuple):
    """Addends of one kind: how many are not 0, their sum, and the largest of them."""

    source: GradientSource
    number: int
    total: float
    terms: list[GradientTerm]


def _total(parts: Sequence[_Part], *sources: GradientSource) -> float:
    return sum(part.total for part in parts if part.source in sources)


def _pass(run: CarriedBack, layer: int, direction: str) -> Pass:
    for one in run.passes:
        if (one.recorded.layer, one.recorded.direction) == (layer, direction):
            return one
    raise unknown_name(
        "layer", f"{layer} {direction}", [f"{p.recorded.layer} {p.recorded.direction}" for p in run.passes]
    )


def _part(
    source: GradientSource,
    weights: Tensor,
    errors: Tensor,
    *,
    block: str = "",
    direction: Direction = "forward",
    labels: Sequence[str] = (),
    first: int = 0,
) -> _Part:
    """The addends weights · errors, (entry,); ``first`` is the index of entry 0."""
    products = weights * errors
    count = int((errors != 0).sum())
    largest = products.abs().topk(min(KEPT_TERMS, len(products))).indices
    rows = zip(largest.tolist(), *(values[largest].tolist() for values in (weights, errors, products)), strict=True)
    terms = [
        GradientTerm(
            source=source,
            block=block,
            direction=direction,
            index=index + first,
            label=labels[index] if labels else "",
            weight=weight,
            error=error,
            product=product,
        )
        for index, weight, error, product in rows
        if error != 0
    ]
    return _Part(source, count, float(products.sum()), terms)


def _from_outputs(run: CarriedBack, found: Pass, step: int, unit: int) -> Iterator[_Part]:
    """The outputs of this step, for the last layer; a verdict reads the backward direction at the first piece."""
    recorded = found.recorded
    if recorded.layer < run.passes[-1].recorded.layer:
        return
    read_at = step
    if run.task == "classification" and recorded.direction == "backward":
        if step:
            return
        read_at = len(run.x) - 1
    column = unit + (found.found.hidden_state.shape[1] if recorded.direction == "backward" else 0)
    yield _part("output", run.double.weight[:, column], run.d_logits[read_at], labels=run.loaded.labels)


def _from_above(run: CarriedBack, found: Pass, step: int, unit: int) -> Iterator[_Part]:
    units = found.found.hidden_state.shape[1]
    column = unit + (units if found.recorded.direction == "backward" else 0)
    for one in run.passes:
        if one.recorded.layer != found.recorded.layer + 1:
            continue
        cell = run.double.stack.cell(one.recorded.layer, one.recorded.direction)
        blocks = cell.weight_input.chunk(len(cell.block_names))
        for index, (name, weight) in enumerate(zip(cell.block_names, blocks, strict=True)):
            errors = one.found.pre_activation[step, index]
            yield _part("above", weight[:, column], errors, block=name, direction=one.recorded.direction)


def _from_later(run: CarriedBack, found: Pass, step: int, unit: int) -> Iterator[_Part]:
    """The step of this layer that read h_t."""
    recorded = found.recorded
    reader = step + 1 if recorded.direction == "forward" else step - 1
    if not 0 <= reader < len(run.x):
        return
    cell = run.double.stack.cell(recorded.layer, recorded.direction)
    for index, (name, weight) in enumerate(
        zip(cell.block_names, cell.weight_hidden.chunk(len(cell.block_names)), strict=True)
    ):
        column = weight[:, unit]
        if name == "candidate" and isinstance(cell, GRUResetBeforeCell):
            column = column * recorded.values["reset_gate"][0, reader, unit]
        yield _part("later", column, found.found.recurrent[reader, index], block=name)
    if _keeps(cell):
        weight = recorded.values["update_gate"][0, reader, unit : unit + 1]
        yield _part("kept", weight, found.found.hidden_state[reader, unit : unit + 1], first=unit)


def _keeps(cell: Cell) -> bool:
    return isinstance(cell, (GRUCell, GRUResetBeforeCell, GRUSimplifiedCell))


def _snippet(run: CarriedBack, found: Pass, *, step: int, unit: int) -> str:
    """Code that prints the number: by autograd alone where the model is a single layer, else by seqviz."""
    stack, place = run.double.stack, f"{found.recorded.layer}, {found.recorded.direction!r}"
    text = run.text
    if run.task != "language_model" or len(stack.layers) > 1 or len(stack.directions) > 1:
        loss_step = run.steps[0] if len(run.steps) == 1 else None
        options = f"loss_step={loss_step!r}, multiplier={float(run.weights[-1])!r}"
        options += f", targets={run.targets!r}" if run.targets else ""
        return (
            "import seqviz\n"
            f"found = seqviz.backward({run.loaded.info.name!r}, {text!r}, {options})\n"
            f"print(found.layer({place}).hidden_state[{step}, {unit}])"
        )
    return "\n".join(
        [
            "import copy, torch, seqviz",
            f"loaded = seqviz.load({run.loaded.info.name!r})",
            f"ids = torch.tensor([loaded.encoder.encode({text!r}).ids])",
            "x = loaded.model.embed(ids).double()",
            "model = copy.deepcopy(loaded.model).double().requires_grad_()",
            f"cell = model.stack.cell({place})",
            "carry, states = cell.initial_carry(1), []",
            "for projected in cell.project_input(x).unbind(1):",
            "    carry, _ = cell.step(projected, carry)",
            "    carry[0].retain_grad()",
            "    states.append(carry[0])",
            f"steps = torch.tensor({run.steps!r})",
            "logits = model.output(torch.cat(states))[steps]",
            "losses = torch.nn.functional.cross_entropy(logits, ids[0, steps + 1], reduction='none')",
            f"factors = torch.tensor({run.weights.tolist()!r}, dtype=torch.float64)",
            "(losses @ factors).backward()",
            f"print(states[{step}].grad[0, {unit}].item())",
        ]
    )
