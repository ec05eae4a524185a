"""Charts of the gradient of one shared matrix: what every step adds to it (syllabus B2)."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np

from seqviz.charts.gradient_axes import power_axis, signed_colour, token_axis
from seqviz.charts.gradient_scale import GradientScale
from seqviz.charts.notation import visible
from seqviz.charts.palette import Theme, category_colours
from seqviz.charts.style import colour, legend_columns, shortened, styled
from seqviz.gradients import WeightGradient
from seqviz.i18n import Translator, english

PANELS = 8
_GAP = 2


def weight_contribution_chart(
    weight: WeightGradient,
    originals: Sequence[str],
    *,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """Norms of what every step adds and of the sum so far, on a log axis, with the whole as a rule.

    Args:
        weight: the matrix.
        originals: the pieces of the text.
        theme, font_size, t: as in every chart.
    """
    names = (t("what this step adds"), t("sum from the last step back to this one"))
    rows = [
        {"step": step, "series": name, "value": round(float(np.log10(norm)), 5), "exact": f"{norm:.6g}",
         "cosine": f"{cosine:.3f}"}
        for name, norms in zip(names, (weight.step_norms, weight.running_norms), strict=True)
        for step, (norm, cosine) in enumerate(zip(norms, weight.agreement, strict=True))
        if norm > 0
    ]  # fmt: skip
    y = alt.Y(
        "value:Q",
        title=t("norm, log scale"),
        axis=power_axis([float(str(row["value"])) for row in rows]),
        scale=alt.Scale(zero=False, nice=False),
    )
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=50))
        .encode(
            x=token_axis(originals, font_size),
            y=y,
            color=alt.Color(
                "series:N",
                title=None,
                scale=alt.Scale(domain=list(names), range=list(category_colours(theme))[:2]),
                legend=alt.Legend(orient="top", columns=legend_columns(2), labelLimit=0, symbolStrokeWidth=3),
            ),
            tooltip=[
                alt.Tooltip("series:N", title=t("series")),
                alt.Tooltip("exact:N", title=t("norm")),
                alt.Tooltip("cosine:N", title=t("cosine of this step's part with the whole")),
            ],
        )
    )
    whole = [{"value": float(np.log10(weight.total_norm))}] if weight.total_norm > 0 else []
    rule = (
        alt.Chart(alt.InlineData(values=whole))
        .mark_rule(color=colour("muted", theme), strokeDash=[4, 4])
        .encode(y=alt.Y("value:Q"))
    )
    title = alt.TitleParams(
        t("What every step adds to the gradient"),
        subtitle=t("Dashed: the whole gradient, norm {norm}.").format(norm=f"{weight.total_norm:.4g}"),
    )
    strongest = int(weight.step_norms.argmax())
    description = t("The step that adds most is ‘{piece}’ with norm {norm}; the whole has norm {total}.").format(
        piece=visible(originals[strongest]),
        norm=f"{weight.step_norms[strongest]:.3g}",
        total=f"{weight.total_norm:.3g}",
    )
    chart = alt.layer(rule, lines, height=18 * font_size, title=title, description=description)
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]


def weight_tiles_chart(
    weight: WeightGradient,
    originals: Sequence[str],
    *,
    theme: Theme = "light",
    font_size: int = 14,
    t: Translator = english,
) -> alt.LayerChart:
    """Thumbnails of what the strongest steps add, in the order of the text, and of the whole, on one colour scale.

    Args:
        weight: the matrix.
        originals: the pieces of the text.
        theme, font_size, t: as in every chart.
    """
    steps = sorted(int(step) for step in np.argsort(-weight.step_norms)[:PANELS] if weight.step_norms[step] > 0)
    pictures = np.concatenate([weight.tiles[steps], weight.total_tiles[None]])
    heads = [*(shortened(visible(originals[step]), 10) for step in steps), t("the sum")]
    scale = GradientScale(kind="log", largest=float(np.abs(pictures).max()), decades=4)
    codes = scale.codes(pictures)
    panels, height, width = pictures.shape
    pitch = width + _GAP
    rows = [
        {"x": int(p * pitch + c), "x2": int(p * pitch + c + 1), "y": int(r), "y2": int(r + 1),
         "code": round(float(codes[p, r, c]), 3), "exact": f"{pictures[p, r, c]:.3g}", "head": heads[p]}
        for p, r, c in np.ndindex(*pictures.shape)
    ]  # fmt: skip
    across = alt.Scale(domain=[0, panels * pitch - _GAP], nice=False)
    down = alt.Scale(domain=[-2, height], reverse=True, nice=False)
    tiles = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect()
        .encode(
            x=alt.X("x:Q", scale=across, axis=None),
            x2="x2:Q",
            y=alt.Y("y:Q", scale=down, axis=None),
            y2="y2:Q",
            color=signed_colour(scale, theme=theme, title=t("mean of a tile, signed log scale")),
            tooltip=[alt.Tooltip("head:N", title=t("step")), alt.Tooltip("exact:N", title=t("mean of the tile"))],
        )
    )
    titles = (
        alt.Chart(alt.InlineData(values=[{"x": p * pitch + width / 2, "y": -0.4, "t": h} for p, h in enumerate(heads)]))
        .mark_text(baseline="bottom")
        .encode(x=alt.X("x:Q", scale=across), y=alt.Y("y:Q", scale=down), text="t:N")
    )
    title = alt.TitleParams(
        t("The strongest steps, and their sum"),
        subtitle=t("The matrix of {rows} by {columns}, averaged over tiles.").format(
            rows=weight.shape[0], columns=weight.shape[1]
        ),
    )
    chart = alt.layer(
        tiles,
        titles,
        height=12 * font_size,
        title=title,
        description=t("Thumbnails: {heads}.").format(heads=", ".join(heads)),
    )
    return styled(chart, theme=theme, font_size=font_size)  # type: ignore[return-value]
