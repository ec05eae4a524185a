"""The model of the three families: embeddings, a recurrent stack and a linear output."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqviz.config import ModelConfig
from seqviz.models.cells import Carry
from seqviz.models.stack import RecurrentStack, locked_dropout


class TokenEmbedding(nn.Module):
    """Vectors of words, with or without their hashed character n-grams (Bojanowski et al. 2017, equation 3).

    x_t = E_word[id] + (1/√n) Σ_k E_ngram[bucket_k]; the sum over the n n-grams of the word as it was written, so that
    an unknown word still has a vector of its own.
    """

    def __init__(self, vocabulary_size: int, subword_buckets: int, size: int) -> None:
        super().__init__()
        self.word = nn.Embedding(vocabulary_size, size)
        # Row 0 pads the lists of n-grams and stays zero.
        self.subword = nn.Embedding(subword_buckets + 1, size, padding_idx=0) if subword_buckets else None
        nn.init.normal_(self.word.weight, std=0.1)
        if self.subword is not None:
            with torch.no_grad():
                nn.init.normal_(self.subword.weight, std=0.1)[0].zero_()

    def forward(self, ids: Tensor, buckets: Tensor | None = None) -> Tensor:
        """ids (batch, step), buckets (batch, step, n-gram; 0 is padding) -> x (batch, step, embedding)."""
        x = self.word(ids)
        if self.subword is not None and buckets is not None:
            count = (buckets > 0).sum(-1, keepdim=True).clamp(min=1)
            x = x + self.subword(buckets).sum(-2) / count.to(x.dtype).sqrt()
        return x


class SequenceModel(nn.Module):
    """Embeddings -> recurrent stack -> logits; one class for all tasks.

    language_model: logits_t = W h_t + b over the vocabulary, for the token at t + 1.
    tagging:        logits_t = W [h→_t, h←_t] + b over the tags, for the token at t.
    classification: logits = W h_T + b over the classes; with two directions W [h→_T, h←_1] + b. The same output read
                    earlier says what the verdict would be if the text ended there.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = TokenEmbedding(config.vocabulary_size, config.subword_buckets, config.embedding_size)
        self.stack = RecurrentStack(
            config.cell,
            config.embedding_size,
            config.hidden_size,
            num_layers=config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )
        self.output = nn.Linear(self.stack.output_size, config.output_size)
        if config.tied_output:
            self.output.weight = self.embedding.word.weight

    def embed(self, ids: Tensor, buckets: Tensor | None = None) -> Tensor:
        """ids (batch, step) -> x (batch, step, embedding), with dropout in training."""
        return locked_dropout(self.embedding(ids, buckets), self.config.dropout, training=self.training)

    def forward(
        self,
        ids: Tensor,
        *,
        buckets: Tensor | None = None,
        lengths: Tensor | None = None,
        carries: list[Carry] | None = None,
    ) -> tuple[Tensor, list[Carry]]:
        """Logits: (batch, step, label), or (batch, label) for classification; and the last carries."""
        if self.config.task == "classification":
            states, last = self.stack(self.embed(ids, buckets), lengths=lengths, carries=carries)
            verdict = self.verdict_states(states, lengths)
            return self.output(nn.functional.dropout(verdict, self.config.dropout, self.training)), last
        states, last = self.output_states(ids, buckets=buckets, lengths=lengths, carries=carries)
        return self.output(states), last

    def output_states(
        self,
        ids: Tensor,
        *,
        buckets: Tensor | None = None,
        lengths: Tensor | None = None,
        carries: list[Carry] | None = None,
    ) -> tuple[Tensor, list[Carry]]:
        """What the output layer reads at every step, (batch, step, unit·direction), and the last carries."""
        states, last = self.stack(self.embed(ids, buckets), lengths=lengths, carries=carries)
        return locked_dropout(states, self.config.dropout, training=self.training), last

    def verdict_states(self, states: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The state that a classifier reads: states (batch, step, unit) -> (batch, unit)."""
        if lengths is None:
            lengths = torch.full((len(states),), states.shape[1], device=states.device)
        last = states[torch.arange(len(states), device=states.device), lengths - 1]
        if not self.config.bidirectional:
            return last
        units = self.config.hidden_size
        return torch.cat([last[:, :units], states[:, 0, units:]], -1)

    def num_parameters(self) -> int:
        """Number of trained weights and biases."""
        return sum(parameter.numel() for parameter in self.parameters())
