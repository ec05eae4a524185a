"""The look of the Altair charts: the product's colours and sizes on a transparent background."""

from __future__ import annotations

import json
from collections.abc import Sequence

import altair as alt

from seqviz.charts.palette import COLOURS, HALF_BUCKETS, Theme, signed_ramp

FONT = "Inter, 'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_SHADE = 9  # steps from neutral: strong enough for a bar, light enough for text beside it


def colour(name: str, theme: Theme) -> str:
    """A plain colour of the product."""
    return COLOURS[name][theme]


def sign_colours(theme: Theme) -> tuple[str, str]:
    """Colours of negative and positive bars."""
    ramp = signed_ramp(theme)
    return ramp[HALF_BUCKETS - _SHADE], ramp[HALF_BUCKETS + _SHADE]


def styled(chart: alt.TopLevelMixin, *, theme: Theme, font_size: int) -> alt.TopLevelMixin:
    """Gives a finished chart the product's look.

    Args:
        chart: any chart that is not part of another one; it is changed itself, for each copy of a layered chart
            copies all its layers several times.
        theme: of the page; the background stays transparent.
        font_size: of all text, in pixels; at least 16 for projection.

    Returns:
        The same chart.
    """
    text, muted, faint = (colour(name, theme) for name in ("text", "muted", "faint"))
    look = {
        # The width is the room's, the height that of the rows. Streamlit reads the chart's own padding, not the
        # configured one; Chinese letters rise above their line.
        "autosize": alt.AutoSizeParams(type="fit-x", contains="padding"),
        "padding": {"left": 4, "right": 4, "top": 10, "bottom": 6},
        "config": alt.Config(
            background="transparent",
            font=FONT,
            view=alt.ViewConfig(strokeWidth=0),
            axis=alt.AxisConfig(
                labelFontSize=font_size,
                titleFontSize=font_size,
                titleFontWeight="normal",
                labelColor=text,
                titleColor=muted,
                gridColor=faint,
                domainColor=faint,
                tickColor=faint,
            ),
            title=alt.TitleConfig(
                fontSize=font_size + 2,
                subtitleFontSize=font_size,
                color=text,
                subtitleColor=muted,
                anchor="start",
                fontWeight=600,
                offset=10,
                subtitleLineHeight=1.3 * font_size,
            ),
            legend=alt.LegendConfig(
                labelFontSize=font_size, titleFontSize=font_size, labelColor=text, titleColor=muted
            ),
            text=alt.MarkConfig(fontSize=font_size, color=text),
        ),
    }
    for name, value in look.items():
        setattr(chart, name, value)
    return chart


def legend_columns(most: int, *, width: int = 520) -> alt.ExprRef:
    """Columns of a legend above a chart: one where the chart is narrower than ``width`` pixels, else ``most``."""
    return alt.ExprRef(f"width < {width} ? 1 : {most}")


def labels_expression(labels: Sequence[str], *, field: str = "datum.value") -> str:
    """A Vega expression that writes label number ``field``; labels may repeat and may hold any character."""
    # ASCII-only JSON strings are Vega strings, whatever a person typed.
    return f"{json.dumps(list(labels))}[{field}]"


def shortened(label: str, length: int = 18) -> str:
    """A label that fits beside a chart."""
    return label if len(label) <= length else f"{label[: length - 1]}…"
