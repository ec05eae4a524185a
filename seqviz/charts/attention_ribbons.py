"""The weights of attention as ribbons from source to target words: the other reading of the same numbers.

A ribbon is as wide as its weight. The tail is trimmed, the threshold is shown and can be moved.
"""

from __future__ import annotations

import math
from hashlib import sha256

import numpy as np

from seqviz.analysis.attention import AttentionGrid
from seqviz.charts.attention_map import grid_panel, map_texts, panel_words
from seqviz.charts.figure import Figure
from seqviz.charts.svg import clean, esc, fit, group, num, rect, text_at, text_width
from seqviz.charts.unroll_network import encoded_floats
from seqviz.i18n import Translator, english

LEAST = 0.01
"""Weights below this have no ribbon at all; the sentence over the picture says which share is shown."""
THRESHOLD = 0.05


def ribbon_figure(
    grid: AttentionGrid, *, name: str, font_size: int = 14, t: Translator = english, language: str = "en"
) -> Figure:
    """Draws the ribbons of a translation.

    Args:
        grid: the weights.
        name: of the model, for the file's name.
        font_size: in pixels; at least 16 for projection.
        t, language: of the reader.
    """
    rows, columns = len(grid.rows), len(grid.columns)
    pitch = max(font_size * 1.75, 18) if max(rows, columns) <= 30 else font_size * 1.35
    sides = [min(max(text_width(label, font_size) for label in labels), 170.0) for labels in (grid.columns, grid.rows)]
    height = max(rows, columns) * pitch
    middle = min(max(260.0, height * 0.9), 520.0)
    left, right = sides[0] + 16, sides[0] + 16 + middle
    width, top = right + sides[1] + 16, font_size * 2.2
    # The shorter side is spread over the height of the longer one.
    source_pitch, target_pitch = height / columns, height / rows
    ribbons = []
    for row, column in zip(*np.nonzero(grid.weights >= LEAST), strict=True):
        weight = float(grid.weights[row, column])
        y0, y1 = top + (column + 0.5) * source_pitch, top + (row + 0.5) * target_pitch
        bend = middle * 0.45
        hidden = "" if weight >= THRESHOLD else ' display="none"'
        ribbons.append(
            f'<path class="rb" data-r="{row}" data-c="{column}" stroke-width="{num(max(weight * pitch * 0.72, 0.6))}"'
            f'{hidden} d="M{num(left)} {num(y0)}C{num(left + bend)} {num(y0)} {num(right - bend)} {num(y1)} '
            f'{num(right)} {num(y1)}"/>'
        )
    names = [
        text_at(left - 8, top + (index + 0.5) * source_pitch + font_size * 0.35, fit(label, font_size, 170),
                size=font_size, anchor="end")
        for index, label in enumerate(grid.columns)
    ]  # fmt: skip
    words = [
        text_at(right + 8, top + (index + 0.5) * target_pitch + font_size * 0.35, fit(label, font_size, 170),
                size=font_size, anchor="start")
        for index, label in enumerate(grid.rows)
    ]  # fmt: skip
    heads = [
        text_at(left - 8, font_size * 1.2, t("source"), size=font_size - 1, classes="mu", anchor="end"),
        text_at(right + 8, font_size * 1.2, t("target"), size=font_size - 1, classes="mu", anchor="start"),
    ]
    alt = panel_words(grid_panel(grid, marginals=False), tau=1.0, t=t)
    whole = (math.ceil(width), math.ceil(top + height + 8))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" viewBox="0 0 {whole[0]} {whole[1]}" '
        f'width="{whole[0]}" height="{whole[1]}" aria-label="{esc(alt)}">'
        f"{rect(0, 0, *whole, classes='bg')}{group(heads)}{group(ribbons, classes='sv-ribbons')}"
        f"{group(names, classes='sv-columns')}{group(words, classes='sv-rows')}</svg>"
    )
    panel = {
        "rows": [clean(row) for row in grid.rows],
        "columns": [clean(column) for column in grid.columns],
        "values": encoded_floats(grid.weights),
        "palette": "share",
        "unit": "α",
        "title": "",
        "notes": list(grid_panel(grid).row_notes),
        "ribbons": {
            "left": left, "right": right, "y": top, "source": source_pitch, "target": target_pitch,
            "threshold": THRESHOLD, "least": LEAST,
        },
    }  # fmt: skip
    payload = {
        "language": language,
        "fontSize": font_size,
        "file": f"attention-ribbons-{name}",
        "panels": [panel],
        "texts": map_texts(t),
    }
    payload["id"] = sha256(repr((svg, payload)).encode()).hexdigest()[:16]
    title = t("Attention of {name}").format(name=name)
    return Figure(
        svg=svg, payload=payload, alt=alt, width=whole[0], height=whole[1], title=title, module="attention_map"
    )
