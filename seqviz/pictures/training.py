"""Training with and without gradient clipping, the cliff that it meets, and one gradient being clipped."""

from __future__ import annotations

from functools import partial

from seqviz.charts.cliff import cliff_chart, cliff_lines
from seqviz.charts.cliff import cliff_surface as drawn_surface
from seqviz.charts.clipping_curves import clipping_figure
from seqviz.charts.clipping_projection import Projection, projection_figure
from seqviz.charts.figure import Figure
from seqviz.charts.palette import Theme
from seqviz.charts.surface_files import surface_html
from seqviz.clipping import Cliff, CliffDirection, ClippingConfig, merged
from seqviz.pictures.base import DEFAULT, Appearance, ChartPicture, PagePicture, chart_picture
from seqviz.training.cliff import cliff as measured_cliff
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
    run = _trained(config)
    return clipping_figure(
        merged([run.news()]),
        run.config,
        log_steps=log_steps,
        font_size=appearance.font_size,
        t=appearance.t,
        language=appearance.tag,
    )


def find_cliff(
    config: ClippingConfig | None = None, *, variant: int | None = None, second: CliffDirection = "previous"
) -> Cliff:
    """Trains, and measures the loss around the step behind which it rose most.

    Args:
        config: as in ``clipping``.
        variant: number of the one whose rise is looked at; None for the first whose loss rose.
        second: direction of the surface beside the gradient.

    Raises:
        InvalidInputError: there is no such variant, or its loss never rose.
    """
    run = _trained(config)
    if variant is None:
        variant = next((one.variant.number for one in run.variants if one.before_jump), 0)
    return measured_cliff(run, variant, second=second)


def cliff(
    found: Cliff | ClippingConfig | None = None, *, near: bool = False, appearance: Appearance = DEFAULT
) -> ChartPicture:
    """The loss along the negative gradient where it jumped, with the updates of all ways of clipping.

    Args:
        found: what ``find_cliff`` has measured; or what it is to train, None for the app's first run: a minute.
        near: only close to the weights; else as far as the longest update goes.
        appearance: how it looks.
    """
    one = found if isinstance(found, Cliff) else find_cliff(found)
    return chart_picture(partial(cliff_chart, one, near=near), title=appearance.t("The cliff"), appearance=appearance)


def cliff_surface(found: Cliff | ClippingConfig | None = None, *, appearance: Appearance = DEFAULT) -> PagePicture:
    """The same loss over the gradient and a second direction, to be turned (Pascanu et al. 2013, figure 6).

    Args:
        found: as in ``cliff``.
        appearance: how it looks.
    """
    one = found if isinstance(found, Cliff) else find_cliff(found)
    title = appearance.t("The cliff")

    def draw(theme: Theme) -> str:
        look = appearance.look(theme)
        return surface_html(
            drawn_surface(one, **look),
            theme=theme,
            title=title,
            alt=" ".join(cliff_lines(one, appearance.t)),
            font_size=appearance.font_size,
            language=appearance.tag,
        )

    return PagePicture(draw=draw, title=title)


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


def _trained(config: ClippingConfig | None) -> ClippingRun:
    run = ClippingRun(config or ClippingConfig())
    while run.advance():
        pass
    return run
