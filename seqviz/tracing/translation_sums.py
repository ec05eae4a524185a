"""Numbers of the encoder-decoder taken apart: hand-over, decoder state, context, readout, logit."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqviz.errors import InvalidInputError, unknown_name
from seqviz.models.cells import Cell
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.loading import LoadedTranslator
from seqviz.traces import LayerTrace, Term
from seqviz.tracing.arithmetic import block_activation, block_terms, weighted_terms
from seqviz.translation_network import (
    SUM_QUANTITIES,
    DecoderRun,
    NetworkSum,
    RunName,
    SumQuantity,
    TranslationNetwork,
)
from seqviz.types import Direction, FloatArray

Taken = tuple[list[Term], float, str, float]
"""Addends, the model's own sum, the function it goes through, what comes out."""


def network_sum(
    loaded: LoadedTranslator,
    network: TranslationNetwork,
    quantity: SumQuantity,
    *,
    unit: int,
    step: int = 0,
    run: RunName = "free",
    layer: int = 0,
    direction: Direction = "forward",
    block: str = "",
) -> NetworkSum:
    """Takes one number apart.

    Args:
        loaded: the model that made the network.
        network: the runs.
        quantity: ``"encoder"``: a pre-activation of an encoder layer; ``"hand_over"``: W_j [h→_S, h←_1] + b_j;
            ``"state"``: a pre-activation of a decoder layer; ``"context"``: Σ α h; ``"readout"``:
            W_o [s, c, x] + b_o; ``"logit"``: E o + b.
        unit: component of that vector; of a logit the token id.
        step, run: of the decoder; no part of a hand-over. Of the encoder the step is that of the source.
        layer: of the decoder, for a hand-over and a state; of the encoder for its own.
        direction: of the encoder.
        block: of a state, a name of the cell's blocks; of an LSTM's hand-over ``"cell_state"`` or ``"hidden_state"``.

    Raises:
        InvalidInputError, UnknownNameError: a place that the network does not have.
    """
    if quantity not in SUM_QUANTITIES:
        raise unknown_name("quantity", quantity, SUM_QUANTITIES)
    written = network.run(run)
    encoder = [part for part in network.encoder if part.direction == direction]
    _check("step", step, len(network.source) if quantity == "encoder" else len(written))
    _check("layer", layer, len(encoder) if quantity == "encoder" else len(written.layers))
    if quantity == "encoder":
        cell = loaded.model.encoder.cell(layer, direction)
        terms, result, activation, activated = _block(cell, encoder[layer], unit, step, block)
    elif quantity == "hand_over":
        terms, result, activation, activated = _hand_over(loaded.model, network, layer, unit, block)
    elif quantity == "state":
        cell = loaded.model.decoder_cell(layer)
        terms, result, activation, activated = _block(cell, written.layers[layer], unit, step, block)
    elif quantity == "context":
        terms, result, activation, activated = _context(network, written, unit, step)
    elif quantity == "readout":
        terms, result, activation, activated = _readout(loaded.model, written, unit, step)
    else:
        terms, result, activation, activated = _logit(loaded.model, written, unit, step)
    return NetworkSum(
        quantity=quantity,
        layer=layer,
        unit=unit,
        step=step,
        run=run,
        direction=direction,
        block=block,
        terms=tuple(sorted(terms, key=lambda term: -abs(term.product))),
        total=sum(term.product for term in sorted(terms, key=lambda term: abs(term.product))),
        result=result,
        activation=activation,
        activated=activated,
        snippet=_encoder_snippet(loaded, network, encoder[layer], unit=unit, step=step, block=block)
        if quantity == "encoder"
        else _snippet(loaded, network, written, quantity, layer=layer, unit=unit, step=step, block=block),
    )


def _check(field: str, value: int, count: int) -> None:
    if not 0 <= value < count:
        raise InvalidInputError("{field} is {value}; allowed is 0 to {last}.", field=field, value=value, last=count - 1)


def _exact(array: Any) -> FloatArray:
    return np.asarray(array, dtype=np.float64)


def _with_bias(weights: Any, values: Any, bias: float) -> list[Term]:
    terms = weighted_terms("input", _exact(weights), _exact(values))
    return [*terms, Term(kind="bias", index=0, weight=bias, value=1.0, product=bias)]


def _hand_over(model: EncoderDecoder, network: TranslationNetwork, layer: int, unit: int, block: str) -> Taken:
    given = network.hand_over
    _check("unit", unit, given.hidden_state.shape[1])
    cell = block == "cell_state" and given.cell_state is not None
    bridge: Any = model.bridge[layer]
    row = unit + (given.hidden_state.shape[1] if cell else 0)
    terms = _with_bias(bridge.weight[row], given.last, float(bridge.bias[row]))
    if cell and given.cell_state is not None:
        result = float(given.cell_state[layer, unit])
        return terms, result, "", result
    return terms, float(given.pre_activation[layer, unit]), "tanh", float(given.hidden_state[layer, unit])


def _block(cell: Cell, trace: LayerTrace, unit: int, step: int, block: str) -> Taken:
    _check("unit", unit, trace.num_units)
    if block not in trace.block_names:
        raise unknown_name("block", block, trace.block_names)
    result = float(trace.pre_activation[step, trace.block_names.index(block), unit])
    activation, activated = block_activation(cell, trace, step, unit, block)
    return block_terms(cell, trace, step, unit, block), result, activation, activated


def _context(network: TranslationNetwork, run: DecoderRun, unit: int, step: int) -> Taken:
    if run.attention is None or run.context is None:
        raise InvalidInputError("Model {name} has no attention, so there is no context.", name=network.model)
    _check("unit", unit, run.context.shape[1])
    seen = np.concatenate([part.hidden_state for part in network.encoder if part.layer == network.encoder[-1].layer], 1)
    terms = weighted_terms("input", _exact(run.attention[step]), _exact(seen[:, unit]))
    result = float(run.context[step, unit])
    return terms, result, "", result


def _readout(model: EncoderDecoder, run: DecoderRun, unit: int, step: int) -> Taken:
    _check("unit", unit, run.readout.shape[1])
    parts = [run.layers[-1].hidden_state[step], run.embeddings[step]]
    if run.context is not None:
        parts.insert(1, run.context[step])
    weight, bias = model.readout.weight[unit], float(model.readout.bias[unit])
    terms = _with_bias(weight, np.concatenate(parts), bias)
    # The model keeps tanh of the sum only.
    return terms, sum(term.product for term in terms), "tanh", float(run.readout[step, unit])


def _logit(model: EncoderDecoder, run: DecoderRun, token: int, step: int) -> Taken:
    _check("unit", token, len(model.output_bias))
    terms = _with_bias(model.embedding.weight[token], run.readout[step], float(model.output_bias[token]))
    logit = sum(term.product for term in terms)
    return terms, logit, "softmax", float(np.exp(logit - run.log_normaliser[step]))


def _loading(network: TranslationNetwork) -> list[str]:
    return [
        "import torch",
        "from seqviz.models.loading import load_translator",
        f"model = load_translator({network.model!r}).model",
    ]


def _encoder_snippet(
    loaded: LoadedTranslator, network: TranslationNetwork, part: LayerTrace, *, unit: int, step: int, block: str
) -> str:
    """Code on top of seqviz that computes a pre-activation of the encoder with PyTorch."""
    ids, size = list(network.source.ids), loaded.info.config.embedding_size
    return "\n".join(
        [
            *_loading(network),
            f"x = model.embedding(torch.tensor([{ids}])) * {size} ** 0.5  # {network.source.text!r}",
            "_, recorded = model.encoder.record(x)",
            f"part = next(p for p in recorded if (p.layer, p.direction) == ({part.layer}, {part.direction!r}))",
            f'z = part.values["pre_activation"][0, {step}, {part.block_names.index(block)}, {unit}]',
            f"print(z.item())  # {block} of unit {unit}",
        ]
    )


def _snippet(
    loaded: LoadedTranslator,
    network: TranslationNetwork,
    run: DecoderRun,
    quantity: SumQuantity,
    *,
    layer: int,
    unit: int,
    step: int,
    block: str,
) -> str:
    """Code on top of seqviz that computes the same sum with PyTorch."""
    lines = [
        *_loading(network),
        f"memory = model.encode(torch.tensor([{list(network.source.ids)}]))  # {network.source.text!r}",
    ]
    config = loaded.model.config
    if quantity == "hand_over":
        units = config.encoder_size
        row = unit + (config.decoder_size if block == "cell_state" else 0)
        lines += [
            f"last = torch.cat([memory.values[0, -1, :{units}], memory.values[0, 0, {units}:]])",
            f"print((model.bridge[{layer}].weight[{row}] @ last + model.bridge[{layer}].bias[{row}]).item())",
        ]
        return "\n".join(lines)
    lines += [
        "carries = memory.first",
        f"for token in {run.inputs[: step + 1].tolist()}:",
        "    before, given = carries, model.step(memory, carries, torch.tensor([token]))",
        "    carries = given.carries",
        f"x = model.embedding(torch.tensor([token])) * {config.embedding_size} ** 0.5",
    ]
    seen = ["given.context"] if run.context is not None else []
    if quantity == "state":
        inputs = "x" if layer == 0 else f"torch.cat([{', '.join([f'carries[{layer - 1}][0]', *seen])}], -1)"
        index = run.layers[layer].block_names.index(block)
        lines += [
            f"cell = model.decoder_cell({layer})",
            f"_, values = cell.step(cell.project_input({inputs}), before[{layer}])",
            f'print(values["pre_activation"][0, {index}, {unit}].item())  # {block} of unit {unit}',
        ]
    elif quantity == "context":
        lines.append(f"print((given.attention[0] @ memory.values[0, :, {unit}]).item())")
    elif quantity == "readout":
        inputs = ", ".join(["carries[-1][0]", *seen, "x"])
        lines += [
            f"inputs = torch.cat([{inputs}], -1)[0]",
            f"print((model.readout.weight[{unit}] @ inputs + model.readout.bias[{unit}]).item())",
        ]
    else:
        lines.append(f"print((model.embedding.weight[{unit}] @ given.readout[0] + model.output_bias[{unit}]).item())")
    return "\n".join(lines)
