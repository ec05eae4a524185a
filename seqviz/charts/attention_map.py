"""Attention weights as a picture: a heatmap with its marginals, or several maps that share their hover.

Rows are target words in the order in which they are written, columns source words. ``assets/attention_map.js`` makes it
live: rows appear one by one, τ of the regulariser is dragged, words link to each other, the arrows move the cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import numpy as np

from seqviz.analysis.attention import NEVER, OFTEN, AttentionGrid, entropy_bits, neglected, overused, regulariser
from seqviz.charts.figure import Figure
from seqviz.charts.palette import SHARE_BUCKETS, share_buckets, signed_buckets
from seqviz.charts.svg import clean, esc, fit, group, num, path, rect, text_at, text_width, tile_paths
from seqviz.charts.unroll_network import encoded_floats
from seqviz.i18n import Translator, english
from seqviz.types import FloatArray

Palette = Literal["share", "signed"]
LEAST_CELL, MOST_CELL = 12, 34
ROOM = 1130
"""Width of a picture, in pixels, that needs no scrolling on a screen of 1280."""
MOST_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPanel:
    """One map.

    Args:
        title: over it; may be empty.
        rows, columns: target and source words.
        values: (target, source).
        palette: ``"share"``: weights from 0 to 1; ``"signed"``: each row in colours up to its greatest size.
        unit: of the values, for the tooltip: ``"α"``, ``"nats"``.
        row_notes: what the tooltip says of each row; may be empty.
        marginals: entropy of the rows and coverage of the columns are drawn; for weights only.
        marked: rows that were changed by hand.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: FloatArray
    palette: Palette = "share"
    unit: str = "α"
    row_notes: tuple[str, ...] = ()
    marginals: bool = False
    marked: tuple[int, ...] = ()


def grid_panel(grid: AttentionGrid, *, title: str = "", marginals: bool = True, marked: Sequence[int] = ()) -> MapPanel:
    """The panel of a translation's weights."""
    return MapPanel(
        title=title,
        rows=grid.rows,
        columns=grid.columns,
        values=grid.weights,
        row_notes=tuple(f"P = {math.exp(min(value, 0.0)):.4g}" for value in grid.log_probs),
        marginals=marginals,
        marked=tuple(marked),
    )


def attention_figure(
    panels: Sequence[MapPanel],
    *,
    name: str,
    tau: float = 1.0,
    font_size: int = 14,
    most_height: int = 460,
    per_row: int = 0,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws one map or several side by side.

    Args:
        panels: from left to right; all over the same source.
        name: of the model, for the file's name.
        tau: τ of the regulariser where the first panel has marginals.
        font_size: in pixels; at least 16 for projection.
        most_height: that the cells of one column may take together where they stay readable.
        per_row: at most so many panels beside each other, fewer where their cells would become too small to read;
            the others go below. 0 for as many as fit.
        t, language: of the reader.
    """
    layout = _Layout(panels, font_size=font_size, most_height=most_height, per_row=per_row or len(panels), t=t)
    per_row = layout.per_row
    parts, drawn, x, most = [], [], 0.0, 0.0
    for index, panel in enumerate(panels):
        line, place = divmod(index, per_row)
        x = x if place else 0.0
        svg, payload, width = layout.panel(panel, x, line * (layout.height + layout.gap), tau)
        parts.append(svg)
        drawn.append(payload)
        x += width + layout.gap
        most = max(most, x)
    lines = math.ceil(len(panels) / per_row)
    width, height = math.ceil(most - layout.gap + 8), math.ceil(lines * (layout.height + layout.gap) - layout.gap)
    alt = " ".join(panel_words(panel, tau=tau, t=t) for panel in panels)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" aria-label="{esc(alt)}">'
        f"{rect(0, 0, width, height, classes='bg')}{''.join(parts)}</svg>"
    )
    payload = {
        "language": language,
        "fontSize": font_size,
        "file": f"attention-{name}",
        "panels": drawn,
        "tau": tau,
        "never": NEVER,
        "often": OFTEN,
        "texts": map_texts(t),
    }
    payload["id"] = sha256(repr((svg, payload)).encode()).hexdigest()[:16]
    title = t("Attention of {name}").format(name=name)
    return Figure(svg=svg, payload=payload, alt=alt, width=width, height=height, title=title, module="attention_map")


def panel_words(panel: MapPanel, *, tau: float, t: Translator = english) -> str:
    """A map in words: where each target word looks most, and whether the attention is even."""
    strongest = np.abs(np.nan_to_num(panel.values)).argmax(1)
    pairs = ", ".join(
        f"{row} → {panel.columns[column]} {panel.values[index, column]:.2f}"
        for index, (row, column) in enumerate(zip(panel.rows, strongest, strict=True))
    )
    words = t("{title}: target words and the source word that each holds to most: {pairs}.").format(
        title=panel.title or t("Attention"), pairs=pairs
    )
    return " ".join((words, *regulariser_lines(panel, tau=tau, t=t))) if panel.marginals else words


def regulariser_lines(
    panel: MapPanel, *, tau: float, most: int | None = None, t: Translator = english
) -> tuple[str, str]:
    """The regulariser's value, and the words it finds fault with; of each kind at most ``most`` are named."""
    coverage = panel.values.sum(0)
    value = t("Σᵢ (τ − Σₜ αₜⁱ)² = {value} for τ = {tau}.").format(
        value=f"{regulariser(coverage, tau):.3f}", tau=f"{tau:.2f}"
    )
    never, often = (
        _listed([panel.columns[index] for index in found], most)
        for found in (neglected(coverage, tau), overused(coverage, tau))
    )
    nobody = t("none")
    flags = t("Hardly attended: {never}. Too often: {often}.").format(never=never or nobody, often=often or nobody)
    return value, flags


def _listed(names: Sequence[str], most: int | None) -> str:
    """As ``listed`` of the module."""
    if most is None or len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} … ({len(names)})"


def map_texts(t: Translator) -> dict[str, str]:
    """The words of the module."""
    return {
        "toolbar": t("Steps of the translation"),
        "first": t("First word"),
        "back": t("One word back"),
        "play": t("Play"),
        "pause": t("Pause"),
        "forward": t("One word on"),
        "last": t("Last word"),
        "slider": t("Words written so far"),
        "now": t("{count} of {all} written"),
        "tau": t("τ"),
        "tau_long": t("τ: what every source word should receive in all"),
        "threshold": t("hide below"),
        "threshold_long": t("Ribbons below this weight are hidden"),
        "kept": t("shown: {share} of the weight"),
        "svg": t("Save this picture as SVG"),
        "png": t("Save this picture as PNG"),
        "keys": t("Attention map: arrows move the cell, Home and End go to the first and last word, space plays"),
        "received": t("received in all"),
        "entropy": t("entropy of the row"),
        "bits": t("bits"),
        "of_row": t("share of the row's greatest"),
        "target": t("writes"),
        "source": t("reads"),
        "value": t("Σᵢ (τ − Σₜ αₜⁱ)² = {value} for τ = {tau}."),
        "flags": t("Hardly attended: {never}. Too often: {often}."),
        "none": t("none"),
    }


def _overhang(columns: Sequence[str], size: float, cell: float) -> float:
    """How far the slanted names of the columns reach beyond the last of them."""
    from_last = enumerate(reversed(columns))
    return max((0.6 * min(text_width(name, size), 110.0) - place * cell for place, name in from_last), default=0.0)


class _Layout:
    """Where the cells, labels and marginals of all panels stand."""

    def __init__(
        self, panels: Sequence[MapPanel], *, font_size: int, most_height: int, per_row: int, t: Translator
    ) -> None:
        self.t, self.font = t, font_size
        self.small = max(font_size - 1, 12) if font_size < 16 else font_size - 1
        rows = max(len(panel.rows) for panel in panels)
        columns = max(len(panel.columns) for panel in panels)
        self.gap = 28.0
        beside = self._beside(panels)
        while per_row > 1 and columns * (font_size + 2) > ROOM // per_row - beside:
            per_row = (per_row + 1) // 2
        self.per_row, self.alone = per_row, per_row == 1
        room = ROOM if self.alone else ROOM // per_row - beside
        most = MOST_CELL + max(font_size - 14, 0)
        self.cell = int(min(max(min(most_height // rows, room // columns), LEAST_CELL), most))
        # Labels follow the cell where it is small, never below what can be read beside it.
        self.label = float(min(self.small, max(self.cell - 2, 9 if font_size < 16 else 16)))
        self.pitch = self.cell
        widest = max((text_width(label, self.label) for panel in panels for label in panel.columns), default=0)
        self.upright = widest <= self.cell - 4
        self.column_width = min(widest, 110.0)
        has_titles = any(panel.title for panel in panels)
        self.top = (font_size * 1.9 if has_titles else 4) + (
            self.label * 1.5 if self.upright else self.column_width * 0.82 + self.label
        )
        self.has_marginals = any(panel.marginals for panel in panels)
        self.foot = 112.0 + 1.6 * (self.small - 13) * 4 if self.has_marginals else 10.0
        self.height = self.top + rows * self.cell + self.foot

    def _beside(self, panels: Sequence[MapPanel]) -> float:
        """Room beside a panel's cells: its rows' labels, its entropies or the last column's name, and the gap."""
        rows = max((text_width(row, self.small) for panel in panels for row in panel.rows), default=0)
        names = max(_overhang(panel.columns, self.small, self.font + 2) for panel in panels)
        entropies = 138.0 if any(panel.marginals for panel in panels) else 0.0
        return min(rows, 130.0) + 12 + max(entropies, names) + self.gap

    def panel(self, panel: MapPanel, left: float, up: float, tau: float) -> tuple[str, dict[str, Any], float]:
        """The panel's SVG with its corner at (left, up), what the module needs of it, and its width."""
        cell, rows, columns = self.cell, len(panel.rows), len(panel.columns)
        label_width = min(max((text_width(row, self.label) for row in panel.rows), default=0), 130.0)
        if panel.marginals:
            label_width = max(label_width, text_width(self.t("received in all"), self.small))
        # The tiles' paths are in whole pixels.
        x, y = math.ceil(left + label_width + 12), math.ceil(up + self.top)
        grid_width, grid_height = columns * cell, rows * cell
        over = 0.0 if self.upright else _overhang(panel.columns, self.label, cell)
        tiles = group([self._tiles(panel, x, y)], classes="sv-cells", extra=f' stroke-width="{cell - self._space}"')
        parts = [
            rect(x, y, grid_width, grid_height, classes="tk"),
            tiles,
            group(self._column_labels(panel, x, y), classes="sv-columns"),
            group(self._row_labels(panel, x, y), classes="sv-rows"),
        ]
        width = max(x + grid_width + over, x + grid_width + 4) - left
        if panel.title:
            title = fit(panel.title, self.font, max(grid_width + label_width, 160))
            parts.append(text_at(left + 4, up + self.font * 1.25, title, size=self.font, classes="st", anchor="start"))
            width = max(width, text_width(title, self.font) + 8)
        payload: dict[str, Any] = {
            "x": x,
            "y": y,
            "cell": cell,
            "rows": [clean(row) for row in panel.rows],
            "columns": [clean(column) for column in panel.columns],
            "values": encoded_floats(panel.values),
            "palette": panel.palette,
            "unit": panel.unit,
            "title": panel.title,
            "notes": list(panel.row_notes),
        }
        if panel.marginals:
            bars = self._entropy(panel, x + grid_width + 14, y)
            coverage, foot = self._coverage(panel, (left, x), y + grid_height + 12, tau)
            parts += [*bars, *coverage]
            payload["marginals"] = {"entropyX": x + grid_width + 14, "foot": foot, **self._marginal_sizes(panel, tau)}
            payload["marginals"]["names"] = self._names(panel)
            width = max(width, grid_width + (x - left) + 14 + 84 + 40, self._foot_width(panel, tau))
        return group(parts, classes="sv-panel"), payload, width

    @property
    def _space(self) -> int:
        return 1 if self.cell < 20 else 2

    def _tiles(self, panel: MapPanel, x: int, y: int) -> str:
        values = np.nan_to_num(np.asarray(panel.values, np.float64))
        if panel.palette == "signed":
            greatest = np.abs(values).max(1, keepdims=True)
            buckets = signed_buckets(values / np.where(greatest > 0, greatest, 1), 1.0)
        else:
            buckets = share_buckets(values)
        row, column = np.indices(values.shape)
        columns, middles = x + column * self.cell, y + row * self.cell + self.cell // 2
        draw = self.cell - self._space
        prefix = "d" if panel.palette == "signed" else "s"
        return tile_paths(columns.ravel(), middles.ravel(), buckets.ravel(), prefix=prefix, step=self.cell, draw=draw)

    def _column_labels(self, panel: MapPanel, x: int, y: int) -> list[str]:
        labels = []
        for index, column in enumerate(panel.columns):
            middle = x + index * self.cell + self.cell / 2
            shown = fit(column, self.label, self.column_width + 1)
            if self.upright:
                labels.append(text_at(middle, y - self.label * 0.5, shown, size=self.label))
            else:
                turn = f' transform="rotate(-55 {num(middle + self.label * 0.3)} {num(y - 5)})"'
                place = (middle + self.label * 0.3, y - 5)
                labels.append(text_at(*place, shown, size=self.label, anchor="start", extra=turn))
        return labels

    def _row_labels(self, panel: MapPanel, x: int, y: int) -> list[str]:
        labels = []
        for index, row in enumerate(panel.rows):
            base = y + index * self.cell + self.cell / 2 + self.label * 0.35
            classes = "ed st" if index in panel.marked else "tx"
            labels.append(
                text_at(x - 8, base, fit(row, self.label, 130), size=self.label, classes=classes, anchor="end")
            )
        return labels

    def _entropy(self, panel: MapPanel, x: float, y: int) -> list[str]:
        """A bar for each row: 0 where one word has all, full where all have the same."""
        most = max(math.log2(max(len(panel.columns), 2)), 1e-9)
        values = entropy_bits(np.asarray(panel.values, np.float64))
        parts = []
        thick = min(self.cell - 4, 12)
        for index, value in enumerate(values.tolist()):
            middle = y + index * self.cell + self.cell / 2
            shade = min(int(value / most * (SHARE_BUCKETS - 1)), SHARE_BUCKETS - 1)
            bar = rect(x, middle - thick / 2, 84 * value / most, thick, classes=f"l{max(shade, 4)}", radius=2)
            number = ""
            if self.cell >= self.small:
                at = x + 84 * value / most + 5
                number = text_at(
                    at, middle + self.small * 0.35, f"{value:.1f}", size=self.small - 1, classes="mu", anchor="start"
                )
            parts.append(group([bar, number]))
        head = text_at(
            x, y - 8, fit(self.t("entropy, bits"), self.small, 130), size=self.small, classes="mu", anchor="start"
        )
        return [head, group(parts, classes="sv-entropy")]

    def _marginal_sizes(self, panel: MapPanel, tau: float) -> dict[str, Any]:
        return {"height": 44, "most": self._most(panel, tau)}

    def _most(self, panel: MapPanel, tau: float) -> float:
        return max(float(panel.values.sum(0).max()), 2 * tau, 1.0)

    def _coverage(self, panel: MapPanel, place: tuple[float, int], y: float, tau: float) -> tuple[list[str], float]:
        """A bar that hangs below each column, the line at τ, and the regulariser in words; and the bars' top.

        ``place`` is where the panel and where its cells begin.
        """
        left, x = place
        most, high = self._most(panel, tau), 44.0
        coverage = panel.values.sum(0)
        low, many = set(neglected(coverage, tau)), set(overused(coverage, tau))
        bars = []
        thick = max(self.cell - 6, self.cell * 0.6)
        for index, value in enumerate(coverage.tolist()):
            shade = "bn" if index in low else ("bl" if index in many else "br")
            at = x + index * self.cell + (self.cell - thick) / 2
            bars.append(rect(at, y, thick, max(high * value / most, 1.5), classes=shade, radius=2))
        line, tau_x = y + high * tau / most, x + len(panel.columns) * self.cell + 10
        size = self.small
        head = [
            text_at(x - 8, y + size, self.t("received in all"), size=size, classes="mu", anchor="end"),
            path(f"M{num(x - 4)} {num(y)}H{num(x + len(panel.columns) * self.cell)}", classes="hr"),
            group(bars, classes="sv-coverage"),
            path(
                f"M{num(x - 4)} {num(line)}h{num(len(panel.columns) * self.cell + 8)}",
                classes="ct",
                extra=' data-p="tau"',
            ),
            text_at(
                tau_x, line + size * 0.35, "τ", size=size, classes="ac", anchor="start", extra=' data-p="tau-name"'
            ),
        ]
        base = y + high + size * 1.7
        value, flags = regulariser_lines(panel, tau=tau, most=self._names(panel), t=self.t)
        words = [
            text_at(left + 8, base, value, size=size, classes="st", anchor="start", extra=' data-p="value"'),
            text_at(
                left + 8, base + size * 1.5, flags, size=size, classes="mu", anchor="start", extra=' data-p="flags"'
            ),
        ]
        return [*head, *words], y

    def _names(self, panel: MapPanel) -> int:
        """How many words of a kind are named below the map: as many as do not run into the next one."""
        return MOST_NAMES if self.alone else min(MOST_NAMES, max(2, (len(panel.columns) * self.cell + 220) // 150))

    def _foot_width(self, panel: MapPanel, tau: float) -> float:
        lines = regulariser_lines(panel, tau=tau, most=self._names(panel), t=self.t)
        return min(max(text_width(line, self.small) for line in lines), 620.0)
