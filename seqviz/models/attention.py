"""Attention over the states of an encoder: score functions, weights, context (syllabus A2).

Shapes: a query is (..., target, decoder unit), the encoder's states ("values") are (..., source, encoder unit), scores
and weights are (..., target, source). What depends on the source alone, the keys, is computed once for each source.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqviz.errors import unknown_name


class Score(nn.Module, ABC):
    """A match function e_{t,t'} = score(s_t, h_{t'}) of a decoder state s_t and an encoder state h_{t'}.

    Args:
        query_size: components of s_t.
        value_size: components of h_{t'}.
        attention_size: components of what they are projected to, where they are.
    """

    has_parameters: ClassVar[bool] = True

    def __init__(self, query_size: int, value_size: int, attention_size: int) -> None:
        super().__init__()
        self.query_size, self.value_size, self.attention_size = query_size, value_size, attention_size

    def keys(self, values: Tensor) -> Tensor:
        """What of the score depends on the source alone: (..., source, value) -> (..., source, key)."""
        return values

    @abstractmethod
    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores: query (..., target, unit), keys (..., source, key) -> (..., target, source)."""

    @abstractmethod
    def terms(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One query's scores as sums: e_{t'} = factor · Σ_k left_k · right_{t',k}.

        Args:
            query: s_t, (unit,).
            keys: (source, key).

        Returns:
            left (component,), right (source, component), factor ().
        """


class AdditiveScore(Score):
    """A small network (Bahdanau et al. 2015, appendix A.1.2).

    e_{t,t'} = v^T tanh(W s_t + U h_{t'} + b)
    """

    def __init__(self, query_size: int, value_size: int, attention_size: int) -> None:
        super().__init__(query_size, value_size, attention_size)
        self.query = nn.Linear(query_size, attention_size, bias=False)
        self.key = nn.Linear(value_size, attention_size)
        self.weight = nn.Linear(attention_size, 1, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        return self.key(values)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return self.weight(torch.tanh(self.query(query).unsqueeze(-2) + keys.unsqueeze(-3))).squeeze(-1)

    def terms(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.weight.weight[0], torch.tanh(self.query(query) + keys), torch.ones(())


class DotScore(Score):
    """The states as they are (Luong et al. 2015, equation 8, "dot").

    e_{t,t'} = s_t · h_{t'}
    """

    has_parameters = False

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return query @ keys.transpose(-1, -2)

    def terms(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return query, keys, torch.ones(())


class ScaledDotScore(Score):
    """Projected states, their product divided by the root of its size d (Vaswani et al. 2017, equation 1).

    e_{t,t'} = (W s_t) · (U h_{t'}) / √d
    """

    def __init__(self, query_size: int, value_size: int, attention_size: int) -> None:
        super().__init__(query_size, value_size, attention_size)
        self.query = nn.Linear(query_size, attention_size, bias=False)
        self.key = nn.Linear(value_size, attention_size, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        return self.key(values)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return self.query(query) @ keys.transpose(-1, -2) / math.sqrt(self.attention_size)

    def terms(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.query(query), keys, torch.tensor(1 / math.sqrt(self.attention_size))


class BilinearScore(Score):
    """One matrix between the states (Luong et al. 2015, equation 8, "general").

    e_{t,t'} = s_t^T W h_{t'}
    """

    def __init__(self, query_size: int, value_size: int, attention_size: int) -> None:
        super().__init__(query_size, value_size, attention_size)
        self.key = nn.Linear(value_size, query_size, bias=False)
        # A score is a sum of query·value products: this makes it small at first, and the attention even.
        nn.init.normal_(self.key.weight, std=1 / math.sqrt(query_size * value_size))

    def keys(self, values: Tensor) -> Tensor:
        return self.key(values)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        return query @ keys.transpose(-1, -2)

    def terms(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return query, keys, torch.ones(())


class CosineScore(Score):
    """The cosine of the angle between projected states, sharpened by β = exp(b) (Graves et al. 2014, equations 5, 6).

    e_{t,t'} = β (W s_t · U h_{t'}) / (‖W s_t‖ ‖U h_{t'}‖)
    """

    def __init__(self, query_size: int, value_size: int, attention_size: int) -> None:
        super().__init__(query_size, value_size, attention_size)
        self.query = nn.Linear(query_size, attention_size, bias=False)
        self.key = nn.Linear(value_size, attention_size, bias=False)
        self.log_sharpness = nn.Parameter(torch.tensor([math.log(10.0)]))

    def keys(self, values: Tensor) -> Tensor:
        return functional.normalize(self.key(values), dim=-1)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        cosine = functional.normalize(self.query(query), dim=-1) @ keys.transpose(-1, -2)
        return self.log_sharpness.exp() * cosine

    def terms(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return functional.normalize(self.query(query), dim=-1), keys, self.log_sharpness.exp()[0]


SCORES: Mapping[str, type[Score]] = MappingProxyType(
    {
        "additive": AdditiveScore,
        "dot": DotScore,
        "scaled_dot": ScaledDotScore,
        "bilinear": BilinearScore,
        "cosine": CosineScore,
    }
)
"""Score functions by the names of ``seqviz.config.SCORE_NAMES``."""


def make_score(name: str, query_size: int, value_size: int, attention_size: int) -> Score:
    """Builds a score function by name; raises UnknownNameError with the known names."""
    if name not in SCORES:
        raise unknown_name("score", name, SCORES)
    return SCORES[name](query_size, value_size, attention_size)


def attention_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """α = softmax(e) over the source; α is 0 where mask (..., 1 or target, source) is false."""
    return torch.softmax(scores.float().masked_fill(~mask, -torch.inf), -1)


def context(weights: Tensor, values: Tensor) -> Tensor:
    """c_t = Σ_t' α_{t,t'} h_t': weights (..., target, source), values (..., source, unit) -> (..., target, unit)."""
    return weights.to(values.dtype) @ values
