"""Training with and without gradient clipping, and one gradient being clipped."""

from __future__ import annotations

from seqviz.charts.clipping_curves import clipping_figure
from seqviz.charts.clipping_projection import Projection, projection_figure
from seqviz.charts.figure import Figure
from seqviz.clipping import ClippingConfig, merged
from seqviz.pictures.base import DEFAULT, Appearance
from seqviz.training.clipping import ClippingRun


def clipping(
    config: ClippingConfig | None = None, *, log_steps: bool = False, appearance: Appearance = DEFAULT
) -> Figure:
    """Trains variants of one small model side by side and draws their losses and gradients (the app's Clipping).

    Args:
        config: what is trained; None for the app's first run, which takes about a minute.
        log_steps: a log axis of steps.
        appearance: how it looks.
    """
    run = ClippingRun(config or ClippingConfig())
    while run.advance():
        pass
    return clipping_figure(
        merged([run.news()]),
        run.config,
        log_steps=log_steps,
        font_size=appearance.font_size,
        t=appearance.t,
        language=appearance.tag,
    )


def projection(
    gradient: tuple[float, float] = (2.6, 1.2),
    *,
    threshold: float = 1.5,
    value_threshold: float = 1.0,
    appearance: Appearance = DEFAULT,
) -> Figure:
    """One gradient, clipped by its norm and by its values; to be dragged.

    Args:
        gradient: its two components.
        threshold: θ of the norm.
        value_threshold: bound of every component.
        appearance: how it looks.
    """
    shown = Projection(gradient=gradient, threshold=threshold, value_threshold=value_threshold)
    return projection_figure(shown, font_size=appearance.font_size, t=appearance.t, language=appearance.tag)
