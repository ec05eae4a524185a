"""The forward pass of a model on a text, with every quantity of every step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqviz.errors import InvalidInputError, TextTooLongError, unknown_name
from seqviz.models.cells import Carry
from seqviz.models.loading import LoadedModel
from seqviz.models.sequence_model import SequenceModel
from seqviz.models.stack import Recorded
from seqviz.text import Encoded
from seqviz.traces import NO_TARGET, LayerTrace, RecurrentTrace, Structure, structures_of

_STATES = ("pre_activation", "cell_state", "hidden_state")


def trace(
    loaded: LoadedModel,
    text: str,
    *,
    structure: Structure | None = None,
    generate: int = 24,
    temperature: float = 0.0,
    seed: int = 1,
    targets: Sequence[str] = (),
    max_pieces: int | None = None,
) -> RecurrentTrace:
    """Runs a model on a text and returns everything that it computed.

    Fused kernels run the recurrence; all gates then follow from the states in one product over all steps.

    Args:
        loaded: the model, from ``seqviz.load``.
        text: any Unicode text.
        structure: which structure type to show (syllabus R3); None for the natural one of the task. One-to-one reads
            only the first piece; one-to-many starts from the first piece and feeds the model's outputs back.
        generate: one-to-many: pieces to generate, 1 to 200.
        temperature: one-to-many: 0 takes the most probable piece, above 0 samples from softmax(logits / temperature).
        seed: one-to-many with a temperature above 0.
        targets: the right labels: one for each piece (tagging) or one (classification). A language model's targets
            are the pieces that come next.
        max_pieces: longest text that is accepted; None for any.

    Returns:
        The trace; its arrays share no memory with the model and cannot be written to.

    Raises:
        InvalidInputError: the text has no piece, or a value is outside its range.
        TextTooLongError: the text has more pieces than ``max_pieces``.
        UnknownNameError: the structure does not fit the task, or a target is not one of the labels.
    """
    started = time.perf_counter()
    structure = _checked_structure(loaded, structure)
    encoded = encoded_text(loaded, text, max_pieces=max_pieces)
    with torch.inference_mode():
        fed_back = None
        if structure in ("one_to_one", "one_to_many"):
            encoded = _head(encoded, 1)
        if structure == "one_to_many":
            encoded, fed_back = _generated(loaded, encoded, generate, temperature, seed), 1
        logits, embeddings, recorded = _run(loaded.model, encoded)
    return RecurrentTrace(
        model=loaded.info.name,
        task=loaded.info.config.task,
        structure=structure,
        text=text,
        pieces=encoded.pieces,
        originals=encoded.originals,
        ids=np.array(encoded.ids),
        fed_back=len(encoded) if fed_back is None else fed_back,
        embeddings=embeddings,
        layers=tuple(layer_trace(loaded.info.config.cell, part) for part in recorded),
        labels=loaded.labels,
        logits=logits,
        targets=target_ids(loaded, encoded, targets),
        seconds=time.perf_counter() - started,
    )


def encoded_text(loaded: LoadedModel, text: str, *, max_pieces: int | None) -> Encoded:
    """A text as the model sees it; raises InvalidInputError without a piece, TextTooLongError above ``max_pieces``."""
    encoded = loaded.encoder.encode(text)
    if len(encoded) == 0:
        raise InvalidInputError("There is nothing to read yet: type at least one word.")
    if max_pieces is not None and len(encoded) > max_pieces:
        raise TextTooLongError(
            "The text has {count} pieces; the limit is {limit}.", count=len(encoded), limit=max_pieces
        )
    return encoded


def to_tensors(encoded: Encoded) -> tuple[Tensor, Tensor | None]:
    """ids (1, step) and buckets (1, step, n-gram; 0 is padding), or None for a model without n-grams."""
    ids = torch.tensor(encoded.ids).unsqueeze(0)
    widest = max((len(buckets) for buckets in encoded.buckets), default=0)
    if not widest:
        return ids, None
    buckets = torch.zeros(1, len(encoded), widest, dtype=torch.long)
    for step, row in enumerate(encoded.buckets):
        buckets[0, step, : len(row)] = torch.tensor(row)
    return ids, buckets


def _run(model: SequenceModel, encoded: Encoded) -> tuple[Any, Any, list[Recorded]]:
    ids, buckets = to_tensors(encoded)
    x = model.embed(ids, buckets)
    states, recorded = model.stack.record(x)
    if model.config.task == "classification" and model.config.bidirectional:
        logits = _prefix_verdicts(model, x)
    else:
        logits = model.output(states[0])
    return logits.numpy(), x[0].numpy(), recorded


def _prefix_verdicts(model: SequenceModel, x: Tensor) -> Tensor:
    """The answer of a bidirectional classifier to every beginning of the text, as one batch: (step, label)."""
    steps = x.shape[1]
    lengths = torch.arange(1, steps + 1)
    states, _ = model.stack(x.expand(steps, -1, -1), lengths=lengths)
    return model.output(model.verdict_states(states, lengths))


def layer_trace(cell: str, part: Recorded, *, first: Carry | None = None) -> LayerTrace:
    """What was recorded of a layer, as arrays; ``first`` is what its first step started from, None for zeros."""
    arrays = {name: value[0].numpy() for name, value in part.values.items()}
    gates = {name: array for name, array in arrays.items() if name not in _STATES}
    return LayerTrace(
        layer=part.layer,
        direction=part.direction,
        cell=cell,
        block_names=part.block_names,
        inputs=part.inputs[0].numpy(),
        pre_activation=arrays["pre_activation"],
        gates=gates,
        cell_state=arrays.get("cell_state"),
        hidden_state=arrays["hidden_state"],
        first=None if first is None else (first[0][0].numpy(), first[1][0].numpy() if len(first) > 1 else None),
    )


def _checked_structure(loaded: LoadedModel, structure: Structure | None) -> Structure:
    possible = structures_of(loaded.info.config.task)
    if structure is None:
        return possible[0]
    if structure not in possible:
        raise unknown_name("structure of this model", structure, possible)
    return structure


def _head(encoded: Encoded, count: int) -> Encoded:
    return Encoded(**{field.name: getattr(encoded, field.name)[:count] for field in fields(Encoded)})


def _generated(loaded: LoadedModel, encoded: Encoded, count: int, temperature: float, seed: int) -> Encoded:
    """The text that a language model makes when its outputs become its inputs (syllabus L6)."""
    if not 1 <= count <= 200:
        raise InvalidInputError("generate is {value}; allowed is 1 to 200.", value=count)
    if not 0.0 <= temperature <= 10.0:
        raise InvalidInputError("temperature is {value}; allowed is 0 to 10.", value=temperature)
    generator = torch.Generator().manual_seed(seed)
    ids, carries = [encoded.ids[-1]], None
    for _ in range(count):
        logits, carries = loaded.model(torch.tensor([[ids[-1]]]), carries=carries)
        logits = logits[0, -1].clone()
        logits[loaded.encoder.unknown_id] = -torch.inf  # <unk> is no text
        if temperature == 0.0:
            ids.append(int(logits.argmax()))
        else:
            ids.append(int(torch.multinomial(torch.softmax(logits / temperature, 0), 1, generator=generator)))
    pieces = loaded.encoder.decode(ids)
    originals = (encoded.originals[0], *pieces[1:])
    return Encoded(pieces=pieces, originals=originals, ids=tuple(ids), buckets=((),) * len(ids))


def target_ids(loaded: LoadedModel, encoded: Encoded, targets: Sequence[str]) -> Any:
    """The number of the right label of each step, (step,); ``NO_TARGET`` where it is not known."""
    steps = len(encoded)
    ids = np.full(steps, NO_TARGET)
    task = loaded.info.config.task
    if task == "language_model":
        ids[:-1] = encoded.ids[1:]
        return ids
    if not targets:
        return ids
    expected = steps if task == "tagging" else 1
    if len(targets) != expected:
        raise InvalidInputError(
            "There are {count} targets for {expected} outputs.", count=len(targets), expected=expected
        )
    for target in targets:
        if target not in loaded.labels:
            raise unknown_name("target", target, loaded.labels)
    numbers = [loaded.labels.index(target) for target in targets]
    ids[-expected:] = numbers
    return ids
