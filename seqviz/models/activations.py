"""Activation functions of the plain recurrent cell, by name (syllabus B6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

LEAKY_SLOPE = 0.01
ELU_ALPHA = 1.0

Activation = Callable[[Tensor], Tensor]


def identity(z: Tensor) -> Tensor:
    """g(z) = z, g'(z) = 1."""
    return z


def leaky_relu(z: Tensor) -> Tensor:
    """g(z) = max(0.01 z, z)."""
    return functional.leaky_relu(z, LEAKY_SLOPE)


def elu(z: Tensor) -> Tensor:
    """g(z) = z for z > 0, else α (exp(z) - 1) with α = 1 (Clevert et al. 2016)."""
    return functional.elu(z, ELU_ALPHA)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "logistic": torch.sigmoid,
        "leaky_relu": leaky_relu,
        "elu": elu,
        "identity": identity,
    }
)
