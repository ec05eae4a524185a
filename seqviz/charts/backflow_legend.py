"""The legend of a backward pass: what the colours of tiles and the widths of arrows mean."""

from __future__ import annotations

from collections.abc import Sequence

from seqviz.charts.backflow_network import FAINTEST, arrow_width
from seqviz.charts.gradient_scale import GradientScale
from seqviz.charts.palette import SHARE_BUCKETS
from seqviz.charts.svg import rect, text_at, text_width, wrap
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.charts.unroll_legend import colour_bar
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace


def draw_backflow_legend(
    traces: Sequence[RecurrentTrace],
    tiles: GradientScale,
    norms: GradientScale,
    *,
    options: UnrollOptions,
    t: Translator,
    top: float,
    width: float,
) -> tuple[str, float]:
    """Draws the legend under the picture, in the given width; returns it and the y below it."""
    small = options.small
    parts: list[str] = []
    x, y = 8.0, top + 10
    low, middle, high = tiles.ends()
    bar = 150 * options.unit
    name = t("one number of a gradient")
    parts.append(text_at(x, y + small, name, size=small, classes="st", anchor="start"))
    x += text_width(name, small) * 1.04 + 10
    for text, after in ((low, 6.0), ("", bar + 6), (high, 8.0), (t("({text} is neutral)").format(text=middle), 34.0)):
        if text:
            parts.append(text_at(x, y + small, text, size=small, classes="mu", anchor="start"))
            x += text_width(text, small) + after
        else:
            parts.append(colour_bar(x, y + small * 0.68, bar, signed=True))
            x += after
    name = t("an arrow: the norm of what flows")
    _, least, strongest = norms.ends()
    weakest = least if norms.kind == "log" else "0"
    needed = text_width(name, small) + text_width(weakest + strongest, small) + bar + 40
    if x > 8 and x + needed > width:
        x, y = 8.0, y + small * 1.9
    parts.append(text_at(x, y + small, name, size=small, classes="st", anchor="start"))
    x += text_width(name, small) * 1.04 + 10
    parts.append(text_at(x, y + small, weakest, size=small, classes="mu", anchor="start"))
    x += text_width(weakest, small) + 6
    parts.append(_wedge(x, y + small * 0.68, bar))
    x += bar + 6
    parts.append(text_at(x, y + small, strongest, size=small, classes="mu", anchor="start"))
    y += small * 2.1
    for line in wrap(" ".join(_sentences(traces, norms, t)), small, width - 24, lines=6):
        parts.append(text_at(8, y + small, line, size=small, classes="mu", anchor="start"))
        y += small * 1.45
    return "".join(parts), y + 10


def _wedge(x: float, middle: float, width: float) -> str:
    """A line that grows wider and darker."""
    step = width / (SHARE_BUCKETS - FAINTEST)
    parts = []
    for index, bucket in enumerate(range(FAINTEST, SHARE_BUCKETS)):
        broad = arrow_width(bucket)
        parts.append(rect(x + index * step, middle - broad / 2, step + 0.3, broad, classes=f"l{bucket}"))
    return "".join(parts)


def _sentences(traces: Sequence[RecurrentTrace], norms: GradientScale, t: Translator) -> list[str]:
    sentences = [
        t("Colours and widths run over powers of ten; below the smallest they stay neutral, and the numbers say more.")
        if norms.kind == "log"
        else t("Colours and widths are shares of the largest value in this picture."),
        t("A boxed loss goes back. A dotted line carries nothing: no such loss depends on that step."),
        t("Every number is computed in float64 and equals what automatic differentiation finds."),
    ]
    if len(traces) > 1:
        sentences.append(t("A and B have the same scales and the same columns."))
    return sentences
