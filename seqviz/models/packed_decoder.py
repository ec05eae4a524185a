"""One step of the decoder for a search: the same numbers as ``EncoderDecoder.step``, from weights laid out beforehand.

A step multiplies a few rows, one for each hypothesis, with large matrices. A plain product rearranges the whole matrix
for every call and then works on it hardly longer than that took; here the weights are rearranged once, by oneDNN, into
the blocks in which its kernels read them. Everything else of a step is small.

torch offers the product of such weights to its own compiler only (``torch.ops.mkldnn``): where it is missing, plain
products take its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from seqviz.models.attention import AdditiveScore, context
from seqviz.models.cells import Carry
from seqviz.models.encoder_decoder import DecoderStep, EncoderDecoder, Memory

USUAL_ROWS = 8
"""Hypotheses that the blocks are chosen for; other numbers are right as well."""


class PackedLinear:
    """W x + b for few rows x.

    Args:
        weight: W, (output, input).
        bias: b, (output,).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._weight, self._bias = weight.detach(), bias.detach()
        self._blocks = _blocks(self._weight)

    @property
    def is_packed(self) -> bool:
        """Whether the weights could be laid out; otherwise this is a plain product."""
        return self._blocks is not None

    def __call__(self, x: Tensor) -> Tensor:
        """x (hypothesis, input) -> (hypothesis, output)."""
        if self._blocks is None:
            return functional.linear(x, self._weight, self._bias)
        return torch.ops.mkldnn._linear_pointwise(x, self._blocks, self._bias, "none", [], "")


class PackedDecoder:
    """The decoder of a model, for searches over one source; no gradients, no dropout.

    Args:
        model: its weights are read here once; what changes in them afterwards is not seen.
    """

    def __init__(self, model: EncoderDecoder) -> None:
        config = model.config
        self._embedding, self._scale = model.embedding.weight.detach(), config.embedding_size**0.5
        self._score = _additive(model.score) if isinstance(model.score, AdditiveScore) else model.score
        cells = [model.decoder_cell(layer) for layer in range(config.decoder_layers)]
        self._step: Callable[[Tensor, Tensor, Carry], Carry] | None = _STEPS.get(config.cell)
        self._cells = cells
        self._inputs = [PackedLinear(cell.weight_input, cell.bias_input) for cell in cells]
        # Other cells than those of ``_STEPS`` multiply their state themselves.
        self._hidden = [PackedLinear(cell.weight_hidden, cell.bias_hidden) for cell in cells if self._step]
        self._readout = PackedLinear(model.readout.weight, model.readout.bias)
        self._output = PackedLinear(model.embedding.weight, model.output_bias)

    def step(
        self, memory: Memory, carries: list[Carry], previous: Tensor, *, attention: Tensor | None = None
    ) -> DecoderStep:
        """As ``EncoderDecoder.step``, for a memory of one source without padding, which all hypotheses share."""
        x = self._embedding[previous] * self._scale
        after = [self._cell(0, x, carries[0])]
        state = after[0][0]
        seen: list[Tensor] = []
        scores = weights = None
        if self._score is not None:
            scores = self._score(state, memory.keys[0])
            weights = torch.softmax(scores, -1) if attention is None else attention.expand_as(scores)
            seen = [context(weights, memory.values[0])]
        for layer in range(1, len(self._cells)):
            after.append(self._cell(layer, torch.cat([state, *seen], -1), carries[layer]))
            state = after[-1][0]
        readout = _tanh(self._readout(torch.cat([state, *seen, x], -1)))
        return DecoderStep(
            log_probs=torch.log_softmax(self._output(readout), -1),
            carries=after,
            scores=scores,
            attention=weights,
            context=seen[0] if seen else None,
            readout=readout,
        )

    def _cell(self, layer: int, x: Tensor, carry: Carry) -> Carry:
        projected = self._inputs[layer](x)
        if self._step is None:
            return self._cells[layer].step(projected, carry)[0]
        return self._step(projected, self._hidden[layer](carry[0]), carry)


def _tanh(x: Tensor) -> Tensor:
    """tanh x = 2 σ(2x) - 1, within 2e-7: torch computes σ four times as fast as tanh."""
    return torch.sigmoid(2 * x).mul_(2).sub_(1)


def _additive(score: AdditiveScore) -> Callable[[Tensor, Tensor], Tensor]:
    """``AdditiveScore`` for queries (hypothesis, unit) and keys (source, key)."""
    query = PackedLinear(score.query.weight, score.query.weight.new_zeros(len(score.query.weight)))
    weight = score.weight.weight.detach()[0]

    def scores(state: Tensor, keys: Tensor) -> Tensor:
        return _tanh(query(state).unsqueeze(1) + keys) @ weight

    return scores


def _gru(x: Tensor, h: Tensor, carry: Carry) -> Carry:
    """``GRUCell`` behind its two products, each (hypothesis, block·unit)."""
    units = h.shape[-1] // 3
    r, z = torch.sigmoid(x[:, : 2 * units] + h[:, : 2 * units]).chunk(2, -1)
    n = _tanh(torch.addcmul(x[:, 2 * units :], r, h[:, 2 * units :]))
    return (torch.lerp(n, carry[0], z),)


def _lstm(x: Tensor, h: Tensor, carry: Carry) -> Carry:
    """``LSTMCell`` behind its two products, each (hypothesis, block·unit)."""
    i, f, g, o = (x + h).chunk(4, -1)
    c = torch.addcmul(torch.sigmoid(i) * _tanh(g), torch.sigmoid(f), carry[1])
    return torch.sigmoid(o) * _tanh(c), c


_STEPS: Mapping[str, Callable[[Tensor, Tensor, Carry], Carry]] = MappingProxyType({"gru": _gru, "lstm": _lstm})


def _blocks(weight: Tensor) -> Any | None:
    """The weights as oneDNN reads them; None where this torch or this machine cannot, or would answer otherwise."""
    if not torch.backends.mkldnn.is_available() or weight.dtype != torch.float32:
        return None
    try:
        blocks = torch.ops.mkldnn._reorder_linear_weight(weight, USUAL_ROWS)
        probe = weight[:1].clone()
        found = torch.ops.mkldnn._linear_pointwise(probe, blocks, weight.new_zeros(len(weight)), "none", [], "")
    except (AttributeError, RuntimeError, NotImplementedError):
        return None
    return blocks if torch.allclose(found, functional.linear(probe, weight), atol=1e-4) else None
