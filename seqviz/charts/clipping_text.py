"""What is said of a clipping run: names of its variants, how they stand, and the run in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqviz.clipping import Clipping, ClippingConfig, Divergence, Variant, VariantCurve
from seqviz.i18n import Translator

LATEST_STEPS = 50
"""Steps in the running median of a long run's curve and in the loss that is said of it; short runs take fewer."""


def latest_steps(config: ClippingConfig) -> int:
    """Steps in the running median: a sixtieth of the run, at most ``LATEST_STEPS``."""
    return max(1, min(LATEST_STEPS, config.steps // 60))


def clipping_name(clipping: Clipping, t: Translator) -> str:
    """A way of clipping, for people."""
    return {"none": t("no clipping"), "norm": t("by norm"), "value": t("by value")}[clipping]


def variant_name(variant: Variant, t: Translator) -> str:
    """A variant with its θ and where it came from."""
    name = clipping_name(variant.clipping, t)
    if variant.threshold:
        name = f"{name}, θ = {variant.threshold:g}"
    if variant.parent is None:
        return name
    return t("{name}, forked at step {step}").format(name=name, step=variant.begins + 1)


def divergence_sentence(divergence: Divergence, t: Translator) -> str:
    """Where and how a variant's numbers ended."""
    what = {"loss": t("loss"), "gradient": t("gradient norm"), "weights": t("norm of the weights")}[divergence.what]
    return t("diverged at step {step}: {what} is {value}").format(
        step=divergence.step, what=what, value=divergence.value
    )


def variant_state(curve: VariantCurve, t: Translator, *, latest: int = LATEST_STEPS) -> str:
    """How a variant stands: diverged, or its latest losses."""
    if curve.divergence is not None:
        return divergence_sentence(curve.divergence, t)
    if not len(curve.values):
        return t("no step yet")
    return t("step {step}, loss {loss}").format(step=curve.last_step, loss=f"{latest_loss(curve, latest):.3g}")


def latest_loss(curve: VariantCurve, latest: int = LATEST_STEPS) -> float:
    """Median of the last steps' losses."""
    return float(np.median(curve.measure("loss")[-latest:]))


def task_name(config: ClippingConfig, t: Translator) -> str:
    """What is learned, for people."""
    return {"adding": t("adding problem"), "copy": t("copy memory"), "text": t("next character")}[config.task]


def cell_names(t: Translator) -> dict[str, str]:
    """The cells of a run, for people."""
    return {
        "rnn_tanh": "RNN, tanh",
        "rnn_relu": "RNN, ReLU",
        "rnn_leaky_relu": "RNN, Leaky ReLU",
        "rnn_elu": "RNN, ELU",
        "rnn_logistic": t("RNN, logistic"),
        "gru": "GRU",
        "lstm": "LSTM",
    }


def initialisation_names(t: Translator) -> dict[str, str]:
    """The first weights from state to state, for people."""
    return {
        "uniform": t("uniform weights, as torch has them"),
        "orthogonal": t("orthogonal weights"),
        "identity": t("the identity (Le et al. 2015)"),
    }


def loss_title(config: ClippingConfig, t: Translator) -> str:
    """The quantity of the upper curves."""
    if config.task == "adding":
        return t("Loss: squared error of a step's batch, log scale")
    return t("Loss: nats a symbol of a step's batch, log scale")


def run_sentence(curves: Sequence[VariantCurve], config: ClippingConfig, t: Translator) -> str:
    """The curves in words."""
    parts = [t("Training on the {task}, with and without clipping.").format(task=task_name(config, t))]
    for curve in curves:
        line = f"{variant_name(curve.variant, t)}: {variant_state(curve, t, latest=latest_steps(config))}"
        if curve.variant.clipping != "none" and len(curve.values):
            line += "; " + t("{share} of its steps clipped").format(share=f"{100 * curve.clipped_share[-1]:.0f} %")
        parts.append(line + ".")
    return " ".join(parts)
