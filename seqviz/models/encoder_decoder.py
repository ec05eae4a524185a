"""The translation model: a bidirectional encoder, a recurrent decoder, attention between them (syllabus S1, A2).

Encoder: h_{t'} = [h→_{t'}, h←_{t'}] over x_{t'} = E[source piece t'].
Start:   s^j_0 = tanh(W_j [h→_S, h←_1] + b_j) for each decoder layer j (an LSTM's c^j_0 without the tanh).
Step t:  x_t = E[y_{t-1}]
         s^1_t = f_1(x_t, s^1_{t-1})
         e_{t,t'} = score(s^1_t, h_{t'}),  α_t = softmax(e_t),  c_t = Σ_{t'} α_{t,t'} h_{t'}
         s^j_t = f_j([s^{j-1}_t, c_t], s^j_{t-1})   for j = 2 ... L
         o_t = tanh(W_o [s^L_t, c_t, x_t] + b_o)
         P(y_t | y_<t, source) = softmax(E o_t + b)

The query is the lowest decoder layer's state and the context feeds the layers above (Wu et al. 2016, section 3), so all
steps of a known target are computed at once: one fused pass for each layer, one matrix product for all scores. With
one decoder layer it is Luong et al. 2015 without input feeding. Without attention there is no c_t at all: the source
reaches the decoder through its first state alone (Sutskever et al. 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqviz.config import TranslationConfig
from seqviz.models.attention import attention_weights, context, make_score
from seqviz.models.cells import Carry, Cell
from seqviz.models.stack import RecurrentStack, locked_dropout


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """An encoded source; one row for each sentence, or one row that all hypotheses share.

    Args:
        values: the encoder's states h, (batch, source, unit·direction).
        keys: what the score function makes of them, (batch, source, key); the values without attention.
        mask: true for pieces, false for padding, (batch, source).
        first: the decoder's first carries, one for each layer, each (batch, unit).
    """

    values: Tensor
    keys: Tensor
    mask: Tensor
    first: list[Carry]

    def select(self, rows: Tensor) -> Memory:
        """The memories of these rows, in this order."""
        return Memory(
            values=self.values[rows],
            keys=self.keys[rows],
            mask=self.mask[rows],
            first=[tuple(part[rows] for part in carry) for carry in self.first],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderStep:
    """What one step gives for all hypotheses.

    Args:
        log_probs: log P(y_t | y_<t, source) in nats, (hypothesis, vocabulary).
        carries: of each layer, for the next step.
        scores: e_t before the softmax, (hypothesis, source), -inf at padding; None without attention.
        attention: α_t, (hypothesis, source); None without attention.
        context: c_t, (hypothesis, unit·direction); None without attention.
        readout: o_t, (hypothesis, embedding).
    """

    log_probs: Tensor
    carries: list[Carry]
    scores: Tensor | None
    attention: Tensor | None
    context: Tensor | None
    readout: Tensor


class EncoderDecoder(nn.Module):
    """A translation model, as the equations of this module say."""

    def __init__(self, config: TranslationConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size)
        nn.init.normal_(self.embedding.weight, std=config.embedding_size**-0.5)
        self.encoder = RecurrentStack(
            config.cell,
            config.embedding_size,
            config.encoder_size,
            num_layers=config.encoder_layers,
            bidirectional=True,
            dropout=config.dropout,
        )
        source_size, units = self.encoder.output_size, config.decoder_size
        self.score = (
            None if config.score == "none" else make_score(config.score, units, source_size, config.attention_size)
        )
        context_size = 0 if self.score is None else source_size
        self.decoder = nn.ModuleList(
            RecurrentStack(config.cell, size, units)
            for size in [config.embedding_size] + [units + context_size] * (config.decoder_layers - 1)
        )
        parts = 2 if self.decoder_cell(0).has_cell_state else 1
        self.bridge = nn.ModuleList(nn.Linear(source_size, units * parts) for _ in self.decoder)
        self.readout = nn.Linear(units + context_size + config.embedding_size, config.embedding_size)
        self.output_bias = nn.Parameter(torch.zeros(config.vocabulary_size))

    def decoder_cell(self, layer: int) -> Cell:
        """The cell of a decoder layer."""
        return cast(RecurrentStack, self.decoder[layer]).cell(0, "forward")

    def encode(self, source: Tensor, lengths: Tensor | None = None, *, inputs: Tensor | None = None) -> Memory:
        """Reads sources (batch, source), padded on the right; lengths (batch,) of their real parts.

        ``inputs`` (batch, source, embedding) take the place of the pieces' own input vectors, for gradients.
        """
        steps = torch.arange(source.shape[1], device=source.device)
        mask = torch.ones_like(source, dtype=torch.bool) if lengths is None else steps < lengths.unsqueeze(1)
        values, _ = self.encoder(self.embed(source) if inputs is None else inputs, lengths=lengths)
        values = self.dropped(values)
        last = _last_state(values, mask.sum(1))
        first: list[Carry] = []
        for bridge in self.bridge:
            state, *cell = bridge(last).split(self.config.decoder_size, -1)
            first.append((torch.tanh(state), *cell))
        keys = values if self.score is None else self.score.keys(values)
        return Memory(values=values, keys=keys, mask=mask, first=first)

    def forward(self, source: Tensor, lengths: Tensor | None, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Teacher forcing: all steps of known targets at once.

        Args:
            source: (batch, source), padded on the right.
            lengths: (batch,) of the sources.
            inputs: y_0 ... y_{T-1} with y_0 = <bos>, (batch, target).

        Returns:
            logits (batch, target, vocabulary), and the attention weights (batch, target, source) or None.
        """
        memory = self.encode(source, lengths)
        readout, weights = self.forced(memory, inputs)
        return self.logits(self.dropped(readout)), weights

    def forced(self, memory: Memory, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """o_t of all steps (batch, target, embedding), and α (batch, target, source) or None."""
        x = self.embed(inputs)
        state, _ = self.decoder[0](x, carries=[_same_type(memory.first[0], x)])
        weights = seen = None
        if self.score is not None:
            weights = attention_weights(self.score(state, memory.keys), memory.mask.unsqueeze(1))
            seen = context(weights, memory.values)
        for stack, first in zip(self.decoder[1:], memory.first[1:], strict=True):
            state, _ = stack(_joined(self.dropped(state), seen), carries=[_same_type(first, x)])
        return self._read_out(state, seen, x), weights

    def step(
        self, memory: Memory, carries: list[Carry], previous: Tensor, *, attention: Tensor | None = None
    ) -> DecoderStep:
        """One step of all hypotheses.

        Args:
            memory: with a row for each hypothesis, or one row for all.
            carries: of each layer, each (hypothesis, unit); ``memory.first`` at the first step.
            previous: y_{t-1}, (hypothesis,); <bos> at the first step.
            attention: weights that take the place of softmax(e_t), (hypothesis or 1, source); None for the model's own.
        """
        x = self.embed(previous.unsqueeze(1)).squeeze(1)
        carry, state = self._cell_step(0, x, carries[0])
        after = [carry]
        scores = weights = seen = None
        if self.score is not None:
            # (hypothesis, 1, unit) against (hypothesis or 1, source, key)
            scores = self.score(state.unsqueeze(1), memory.keys).masked_fill(~memory.mask.unsqueeze(1), -torch.inf)
            alpha = attention_weights(scores, memory.mask.unsqueeze(1))
            if attention is not None:
                alpha = attention.to(alpha.dtype).unsqueeze(1).expand_as(alpha)
            seen = context(alpha, memory.values).squeeze(1)
            scores, weights = scores.squeeze(1), alpha.squeeze(1)
        for layer in range(1, len(self.decoder)):
            carry, state = self._cell_step(layer, _joined(state, seen), carries[layer])
            after.append(carry)
        readout = self._read_out(state, seen, x)
        return DecoderStep(
            log_probs=torch.log_softmax(self.logits(readout).float(), -1),
            carries=after,
            scores=scores,
            attention=weights,
            context=seen,
            readout=readout,
        )

    def logits(self, readout: Tensor) -> Tensor:
        """E o + b: (..., embedding) -> (..., vocabulary)."""
        return functional.linear(readout, self.embedding.weight, self.output_bias)

    def dropped(self, x: Tensor) -> Tensor:
        """x (batch, step, unit) with the model's dropout in training, as it is otherwise."""
        return locked_dropout(x, self.config.dropout, training=self.training)

    def num_parameters(self) -> int:
        """Number of trained weights and biases."""
        return sum(parameter.numel() for parameter in self.parameters())

    def embed(self, ids: Tensor) -> Tensor:
        """Input vectors x = √d E[id]: (...) -> (..., embedding)."""
        # The tied table is small enough for an output layer; √d brings an input vector to unit size.
        return self.dropped(self.embedding(ids) * self.config.embedding_size**0.5)

    def _cell_step(self, layer: int, x: Tensor, carry: Carry) -> tuple[Carry, Tensor]:
        cell = self.decoder_cell(layer)
        carry, values = cell.step(cell.project_input(x), carry)
        return carry, values["hidden_state"]

    def _read_out(self, state: Tensor, seen: Tensor | None, x: Tensor) -> Tensor:
        return torch.tanh(self.readout(torch.cat([_joined(state, seen), x], -1)))


def _joined(state: Tensor, seen: Tensor | None) -> Tensor:
    return state if seen is None else torch.cat([state, seen], -1)


def _same_type(carry: Carry, x: Tensor) -> Carry:
    # Under autocast the bridge gives bfloat16, which a fused kernel does not mix with a float32 input.
    return tuple(part.to(x.dtype) for part in carry)


def _last_state(values: Tensor, lengths: Tensor) -> Tensor:
    """[h→_S, h←_1]: the last state of each direction, (batch, unit·direction)."""
    units = values.shape[-1] // 2
    rows = torch.arange(len(values), device=values.device)
    return torch.cat([values[rows, (lengths - 1).clamp(min=0), :units], values[:, 0, units:]], -1)
