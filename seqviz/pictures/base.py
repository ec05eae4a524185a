"""What all pictures of the library share: how they look, what they are, how the models are asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol, TypedDict

import altair as alt

from seqviz.backends.requests import AnswerT_co, Request, TraceRequest
from seqviz.backends.worker import answer
from seqviz.charts.chart_files import chart_html, chart_png, chart_specification, chart_svg
from seqviz.charts.figure import PageTheme
from seqviz.charts.notation import Notation
from seqviz.charts.palette import Theme
from seqviz.charts.unroll_layout import UnrollFocus, UnrollOptions, resolved_focus
from seqviz.config import check_range
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator, translator
from seqviz.traces import RecurrentTrace
from seqviz.types import Direction


class Picture(Protocol):
    """Anything that is drawn: a Figure, a ChartPicture, a ColouredText, a PagePicture."""

    def to_html(self, *, theme: PageTheme = "auto") -> str:
        """A page of its own; works offline, from a file."""
        ...


class Look(TypedDict):
    """What every Altair chart takes."""

    theme: Theme
    font_size: int
    t: Translator


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How pictures look; the defaults are those of the app.

    Args:
        language: ``"en"`` or ``"zh_CN"``.
        notation: ``"ng"`` or ``"d2l"``.
        font_size: in pixels; the app's presenter size is 18.
    """

    language: str = "en"
    notation: Notation = "ng"
    font_size: int = 14

    @property
    def t(self) -> Translator:
        """The translator of the language."""
        return translator(self.language)

    @property
    def tag(self) -> str:
        """The language as a page names it."""
        return self.language.replace("_", "-")

    def look(self, theme: Theme) -> Look:
        """What an Altair chart takes."""
        return Look(theme=theme, font_size=self.font_size, t=self.t)


DEFAULT = Appearance()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPicture:
    """An Altair chart that can be drawn in both themes.

    Args:
        draw: draws it.
        title: short, for the window of its page.
        language: of its words, as a page names it.
    """

    draw: Callable[[Theme], alt.TopLevelMixin]
    title: str
    language: str = "en"

    def chart(self, *, theme: Theme = "light") -> alt.TopLevelMixin:
        """The chart itself, to go on with in Altair."""
        return self.draw(theme)

    def to_svg(self, *, theme: Theme = "light") -> str:
        """A static picture."""
        return chart_svg(self.draw(theme), theme=theme)

    def to_png(self, *, theme: Theme = "light", scale: float = 2.0) -> bytes:
        """A static picture as PNG."""
        return chart_png(self.draw(theme), theme=theme, scale=scale)

    def to_html(self, *, theme: PageTheme = "auto") -> str:
        """A page of its own with tooltips; works offline. ``"auto"`` is light: a chart's colours are literal."""
        chosen: Theme = "dark" if theme == "dark" else "light"
        return chart_html(self.draw(chosen), theme=chosen, title=self.title, language=self.language)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Live where the notebook draws Vega-Lite itself, else a still picture; nothing is fetched from anywhere."""
        del include, exclude
        chart = self.draw("light")
        version = str(chart.to_dict(validate=False)["$schema"]).rsplit("/v", 1)[1].split(".")[0]
        return {
            f"application/vnd.vegalite.v{version}+json": json.loads(chart_specification(chart, "light")),
            "image/svg+xml": self.to_svg(),
        }


def chart_picture(make: Callable[..., alt.TopLevelMixin], *, title: str, appearance: Appearance) -> ChartPicture:
    """An Altair chart as a picture.

    Args:
        make: draws it, given ``theme``, ``font_size`` and ``t``.
        title: as in ``ChartPicture``.
        appearance: how it looks.
    """
    return ChartPicture(draw=lambda theme: make(**appearance.look(theme)), title=title, language=appearance.tag)


def ask(request: Request[AnswerT_co]) -> AnswerT_co:
    """Answers a request in this process, as the app's workers do; raises its SeqvizError."""
    found: AnswerT_co = answer(request)
    return found


def traced(model: str, text: str) -> RecurrentTrace:
    """The run of a model on a text."""
    return ask(TraceRequest(model=model, text=text))


def focus_of(
    trace: RecurrentTrace,
    *,
    layer: int | None = None,
    direction: Direction = "forward",
    unit: int | None = None,
    step: int | None = None,
) -> UnrollFocus:
    """The moment that a picture shows: the app's own first choice, but for what is given.

    Raises:
        InvalidInputError: the trace has no such layer, unit or step.
    """
    if layer is not None or direction != "forward":
        layer = len({part.layer for part in trace.layers}) - 1 if layer is None else layer
        if (layer, direction) not in {(part.layer, part.direction) for part in trace.layers}:
            raise InvalidInputError(
                "{model} has no layer {layer}, counted from 1, that reads {direction}.",
                model=trace.model,
                layer=layer + 1,
                direction=direction,
            )
    first = resolved_focus(trace, UnrollOptions(layer=layer, direction=direction))
    found = UnrollFocus(
        step=first.step if step is None else step,
        layer=first.layer,
        direction=first.direction,
        unit=first.unit if unit is None else unit,
    )
    check_step(found.step, len(trace))
    check_range("unit", found.unit, 0, trace.layer(found.layer, found.direction).num_units - 1)
    return found


def check_step(step: int, count: int) -> None:
    """Raises InvalidInputError, which counts from 1 as people do, unless there is a step of that number from 0."""
    if not 0 <= step < count:
        raise InvalidInputError("There is no step {step}; steps count from 1 to {count}.", step=step + 1, count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """A picture that only a page can hold: a table, a surface to be turned.

    Args:
        draw: writes the page.
        title: short.
    """

    draw: Callable[[Theme], str]
    title: str

    def to_html(self, *, theme: PageTheme = "auto") -> str:
        """A page of its own; works offline. ``"auto"`` is light."""
        return self.draw("dark" if theme == "dark" else "light")

    def _repr_html_(self) -> str:
        page = escape(self.to_html(), quote=True)
        return (
            f'<iframe srcdoc="{page}" title="{escape(self.title, quote=True)}" width="100%" height="420" '
            'style="border:0"></iframe>'
        )
