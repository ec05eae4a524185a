"""Worked examples of the laboratory; each is a configuration that shows one thing (syllabus B4, B6, G5)."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.i18n import Translator
from seqviz.laboratory import LaboratoryConfig

MEMORY_DIFFERENCES = (0.01, 0.5)
"""How far from 1 the other weights of ``memory_configs`` may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryExample:
    """A worked example.

    Args:
        id: its name in links.
        title: what it shows, in the reader's language.
        config: what to run.
    """

    id: str
    title: str
    config: LaboratoryConfig


def laboratory_examples(t: Translator) -> tuple[LaboratoryExample, ...]:
    """All examples; the first one opens the page."""
    return (
        LaboratoryExample(
            id="start", title=t("A usual start: all three forget, the LSTM last"), config=LaboratoryConfig()
        ),
        LaboratoryExample(
            id="small", title=t("Small weights vanish"), config=LaboratoryConfig(radius=0.3, forget_bias=0.0)
        ),
        LaboratoryExample(
            id="large", title=t("Large weights explode"), config=LaboratoryConfig(radius=4.0, input_scale=0.05)
        ),
        LaboratoryExample(
            id="orthogonal",
            title=t("Orthogonal weights keep, without an activation"),
            config=LaboratoryConfig(start="orthogonal", activation="identity", radius=1.0),
        ),
        LaboratoryExample(
            id="logistic",
            title=t("A logistic activation: at most a quarter passes"),
            config=LaboratoryConfig(activation="logistic", start="orthogonal", radius=1.0),
        ),
        LaboratoryExample(
            id="le2015",
            title=t("ReLU that starts at the identity (Le et al. 2015)"),
            config=LaboratoryConfig(activation="relu", start="identity", radius=1.0, steps=300),
        ),
        LaboratoryExample(
            id="forget",
            title=t("LSTM with forget bias 1: try 0 and 5"),
            config=LaboratoryConfig(radius=0.5, input_scale=0.3, forget_bias=1.0, steps=50),
        ),
        LaboratoryExample(
            id="long",
            title=t("A thousand steps: below every number type"),
            config=LaboratoryConfig(steps=1000, hidden_size=32, radius=0.6),
        ),
    )


def memory_configs(difference: float, steps: int) -> tuple[LaboratoryConfig, ...]:
    """Memory cells: a linear self-link of weight 1 - difference, 1 and 1 + difference (syllabus G5).

    Args:
        difference: between the weights, above 0.
        steps: how far the error goes back.
    """
    return tuple(
        LaboratoryConfig(
            cells=("rnn",), activation="identity", start="identity", radius=round(weight, 6), hidden_size=8,
            num_seeds=1, input_scale=0.0, steps=steps,
        )
        for weight in (1.0 - difference, 1.0, 1.0 + difference)
    )  # fmt: skip
