"""A translation model on a pair with every quantity: encoder, hand-over, the decoder fed right and fed by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from seqviz.config import DecodeConfig
from seqviz.decoding.recorder import top_tokens
from seqviz.errors import InvalidInputError, TextTooLongError
from seqviz.models.attention import attention_weights, context
from seqviz.models.cells import Carry
from seqviz.models.encoder_decoder import EncoderDecoder, Memory
from seqviz.models.loading import LoadedTranslator
from seqviz.models.stack import Recorded
from seqviz.text.piece_encoder import BOS_ID, EOS_ID
from seqviz.traces import LayerTrace
from seqviz.tracing.forward import layer_trace
from seqviz.tracing.translation import piece_text, search_translation, source_text, target_ids
from seqviz.tracing.translator_steps import NOT_TEXT, TranslatorSteps
from seqviz.translation_network import DecoderRun, HandOver, TranslationNetwork
from seqviz.types import FloatArray

CANDIDATES = 5


def translation_network(
    loaded: LoadedTranslator,
    text: str,
    *,
    reference: str = "",
    beam_size: int = 1,
    candidates: int = CANDIDATES,
    max_pieces: int | None = None,
) -> TranslationNetwork:
    """Runs a translation model on a pair and returns everything that it computed.

    Args:
        loaded: the model.
        text: the source as typed.
        reference: the right translation, fed to the decoder by teacher forcing; empty for none.
        beam_size: of the search whose winner is fed back in the free run, ranked by the mean log P; 1 for greedy.
        candidates: most probable pieces that are kept for each step.
        max_pieces: longest text that is accepted on either side; None for any.

    Returns:
        The runs; arrays share no memory with the model and cannot be written to.

    Raises:
        InvalidInputError: the source is empty, or beam_size is below 1.
        TextTooLongError: one of the texts has more pieces than ``max_pieces``.
    """
    started = time.perf_counter()
    if not 1 <= beam_size <= 50:
        raise InvalidInputError(
            "{field} is {value}; allowed is {low} to {high}.", field="beam_size", value=beam_size, low=1, high=50
        )
    source = source_text(loaded, text, max_pieces=max_pieces)
    right = target_ids(loaded, reference) if reference.strip() else ()
    if max_pieces is not None and len(right) > max_pieces:
        raise TextTooLongError("The text has {count} pieces; the limit is {limit}.", count=len(right), limit=max_pieces)
    own = free_target(loaded, source.ids, text, beam_size=beam_size)
    with torch.inference_mode():
        embeddings, values, encoder = _read(loaded.model, source.ids)
        hand_over, first = _handed_over(loaded.model, values)
        memory = _memory(loaded.model, values, first)
        forced = _written(loaded, memory, right, right, candidates) if right else None
        free = _written(loaded, memory, own, right, candidates)
    runs = [run for run in (forced, free) if run is not None]
    tokens = {token for run in runs for token in (*run.target.ids, *run.inputs, *run.candidate_tokens.ravel())}
    return TranslationNetwork(
        model=loaded.info.name,
        source=source,
        embeddings=embeddings,
        encoder=encoder,
        hand_over=hand_over,
        forced=forced,
        free=free,
        beam_size=beam_size,
        names={int(token): loaded.encoder.vocabulary[int(token)] for token in tokens},
        vocabulary_size=loaded.info.config.vocabulary_size,
        score=loaded.info.config.score,
        seconds=time.perf_counter() - started,
    )


def free_target(loaded: LoadedTranslator, source: Sequence[int], text: str, *, beam_size: int) -> tuple[int, ...]:
    """The pieces that the model writes by itself; without <eos> where the greatest length, 2 S + 10, cut them."""
    longest = 2 * len(source) + 10
    if beam_size > 1:
        config = DecodeConfig(search="beam", beam_size=beam_size, max_length=longest, alpha=1.0)
        found = search_translation(loaded, text, config).search
        return found.tokens(0 if found.best is None else found.best)
    # A search would also record the tree of what it passed by; the picture needs the winner only.
    steps, ids = TranslatorSteps(loaded, source), [BOS_ID]
    state = steps.start()
    while len(ids) <= longest and ids[-1] != EOS_ID:
        output = steps.step(state, np.array(ids[-1:]))
        output.log_probs[0, list(NOT_TEXT)] = -np.inf
        ids.append(int(output.log_probs[0].argmax()))
        state = output.state
    return tuple(ids[1:])


def _read(model: EncoderDecoder, ids: Sequence[int]) -> tuple[FloatArray, Tensor, tuple[LayerTrace, ...]]:
    """x (source, embedding), the states (1, source, unit·direction) and every layer of the encoder."""
    x = _embedded(model, ids)
    values, recorded = model.encoder.record(x)
    return x[0].numpy(), values, tuple(layer_trace(model.config.cell, part) for part in recorded)


def _embedded(model: EncoderDecoder, ids: Sequence[int]) -> Tensor:
    """(1, step, embedding)."""
    return cast(Tensor, model.embedding(torch.tensor([list(ids)]))) * model.config.embedding_size**0.5


def _handed_over(model: EncoderDecoder, values: Tensor) -> tuple[HandOver, list[Carry]]:
    units = model.config.encoder_size
    last = torch.cat([values[:, -1, :units], values[:, 0, units:]], -1)
    sums = torch.cat([bridge(last) for bridge in model.bridge])  # (layer, unit) or (layer, 2·unit)
    state, *cell = sums.split(model.config.decoder_size, -1)
    hidden = torch.tanh(state)
    first = [tuple(part[layer : layer + 1] for part in (hidden, *cell)) for layer in range(len(sums))]
    hand_over = HandOver(
        last=last[0].numpy(),
        pre_activation=state.numpy().copy(),
        hidden_state=hidden.numpy(),
        cell_state=cell[0].numpy().copy() if cell else None,
    )
    return hand_over, first


def _memory(model: EncoderDecoder, values: Tensor, first: list[Carry]) -> Memory:
    keys = values if model.score is None else model.score.keys(values)
    mask = torch.ones(values.shape[:2], dtype=torch.bool)
    return Memory(values=values, keys=keys, mask=mask, first=first)


def _written(
    loaded: LoadedTranslator, memory: Memory, ids: Sequence[int], right: Sequence[int], candidates: int
) -> DecoderRun:
    """The decoder writing given pieces, each fed to the next step."""
    model, inputs = loaded.model, [BOS_ID, *ids[:-1]]
    x = _embedded(model, inputs)
    layers = [_layer(model, 0, x, memory.first[0])]
    state = _state(layers[0])
    scores = weights = seen = None
    if model.score is not None:
        scores = model.score(state, memory.keys)
        weights = attention_weights(scores, memory.mask.unsqueeze(1))
        seen = context(weights, memory.values)
    for index in range(1, len(model.decoder)):
        below = state if seen is None else torch.cat([state, seen], -1)
        layers.append(_layer(model, index, below, memory.first[index]))
        state = _state(layers[-1])
    parts = [state, x] if seen is None else [state, seen, x]
    readout = torch.tanh(model.readout(torch.cat(parts, -1)))
    logits = model.logits(readout)[0].double()
    normaliser = torch.logsumexp(logits, -1, keepdim=True)
    log_probs = (logits - normaliser).numpy()
    steps = np.arange(len(ids))
    own = log_probs[steps, list(ids)]
    known = min(len(ids), len(right))
    right_log_probs = np.full(len(ids), np.nan)
    right_log_probs[:known] = log_probs[steps[:known], list(right[:known])]
    top = top_tokens(log_probs, candidates)
    return DecoderRun(
        target=piece_text(loaded, ids),
        inputs=np.array(inputs),
        embeddings=x[0].numpy(),
        layers=tuple(layers),
        scores=None if scores is None else scores[0].numpy(),
        attention=None if weights is None else weights[0].numpy(),
        context=None if seen is None else seen[0].numpy(),
        readout=readout[0].numpy(),
        log_normaliser=normaliser[:, 0].numpy(),
        log_probs=own,
        right_log_probs=right_log_probs,
        ranks=(log_probs > own[:, None]).sum(1),
        candidate_tokens=top,
        candidate_log_probs=np.take_along_axis(log_probs, top, 1),
        ended=ids[-1] == EOS_ID,
    )


def _layer(model: EncoderDecoder, index: int, x: Tensor, first: Carry) -> LayerTrace:
    cell = model.decoder_cell(index)
    values, _ = cell.record(x, first)
    return layer_trace(model.config.cell, Recorded(index, "forward", cell.block_names, x, values), first=first)


def _state(layer: LayerTrace) -> Tensor:
    return torch.from_numpy(layer.hidden_state).unsqueeze(0)
