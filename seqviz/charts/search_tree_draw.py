"""Draws a laid-out search tree: column heads, edges, hypotheses, marked paths, the cut and what is folded."""

from __future__ import annotations

import math
import re

from seqviz.charts.palette import SHARE_BUCKETS
from seqviz.charts.piece_words import CONTINUES
from seqviz.charts.search_tree_parts import GHOST, Column, Layout, Node, SearchTreeOptions, probability
from seqviz.charts.svg import esc, group, num, path, rect, text_at, text_width
from seqviz.decoding.ranking import FellOut
from seqviz.decoding.trace import SearchTrace
from seqviz.i18n import Translator

PATH_CLASSES = {"greedy": "c1", "beam": "c0", "optimum": "c4"}
PATH_FILLS = {"greedy": "k1", "beam": "k0", "optimum": "k4"}
_OTHER = ("c2", "c3", "c5")
_OFFSETS = {"greedy": -4.0, "beam": 4.0, "optimum": 0.0}
_FAINTEST = 4  # bucket of P = 0: the palette's first ones are the colour of the paper

FAINT = re.compile(f"^{CONTINUES}(?=.)")  # the mark of a piece that goes on with a word

CHECK = "M0 5L3.5 8.5L9.5 1"
STAR = "M5 0L6.5 3.4L10 3.8L7.4 6.2L8.1 9.8L5 8L1.9 9.8L2.6 6.2L0 3.8L3.5 3.4Z"


def path_class(key: str, place: int = 0) -> str:
    """The class of a marked path's line."""
    return PATH_CLASSES.get(key, _OTHER[place % len(_OTHER)])


def path_offset(key: str) -> float:
    """How far a marked path runs beside the middle of its edges, so that several can be told apart."""
    return _OFFSETS.get(key, 8.0)


def edge_bucket(share: float) -> int:
    """Colour of an edge by P(token | before)."""
    return _FAINTEST + round(share * (SHARE_BUCKETS - 1 - _FAINTEST))


def edge_width(share: float) -> float:
    """Width of an edge by P(token | before), in pixels."""
    return round(1 + 6 * share, 1)


def edge_path(parent: Node, child: Node, parent_width: float, offset: float = 0.0) -> str:
    """From the right end of the parent to the left end of the child."""
    x0, y0 = parent.x + parent_width, parent.y + parent.height / 2 + offset
    dx, dy = child.x - x0, child.y + child.height / 2 + offset - y0
    half, down = num(dx / 2), num(dy)
    return f"M{num(x0)} {num(y0)}c{half} 0 {half} {down} {num(dx)} {down}"


def draw_heads(
    layout: Layout, trace: SearchTrace, options: SearchTreeOptions, lost: FellOut | None, t: Translator
) -> str:
    """Above each column: its step, its candidates, and the flag where the optimum was lost."""
    size, small = options.font_size, options.small
    parts = []
    for column in layout.columns[1:]:
        y = size * 1.3
        parts.append(
            text_at(column.x, y, t("step {step}").format(step=column.step), size=size, classes="st", anchor="start")
        )
        if column.expanded:
            count = column.expanded * trace.vocabulary_size
            words = f"{column.expanded} × {trace.vocabulary_size} = {count}"
            parts.append(text_at(column.x, y + small * 1.35, words, size=small, classes="mu", anchor="start"))
        if lost is not None and lost.step == column.step:
            parts.append(_flag(column, layout, y + small * 2.75, small, t("the optimum is lost here")))
    return "".join(parts)


def _flag(column: Column, layout: Layout, y: float, size: float, words: str) -> str:
    width = text_width(words, size) + size
    x = min(column.x, max(4.0, layout.width - width - 6))
    pole = path(
        f"M{num(x + 1)} {num(y + 2)}V{num(y - size * 0.8)}H{num(x + size * 0.7)}L{num(x + size * 0.5)} "
        f"{num(y - size * 0.55)}L{num(x + size * 0.7)} {num(y - size * 0.3)}H{num(x + 1)}Z",
        classes="k4",
    )
    return pole + text_at(x + size, y, words, size=size, classes="k4", anchor="start", extra=' font-weight="650"')


def draw_edges(layout: Layout) -> str:
    """One line for each hypothesis but the first; width and colour say P(token | before)."""
    parts = []
    for node in layout.nodes[1:]:
        parent = layout.nodes[node.parent]
        share = math.exp(node.token_log_prob)
        if node.fate == GHOST:
            extra = ' stroke-width="1.2" stroke-dasharray="3 3"'
        else:
            extra = f' stroke-width="{edge_width(share):g}"' + ("" if node.kept else ' opacity=".5"')
        if node.hidden:
            parts.append(f'<path class="s{edge_bucket(share)}"{extra} display="none"/>')
        else:
            d = edge_path(parent, node, layout.columns[parent.step].width)
            parts.append(path(d, classes=f"s{edge_bucket(share)}", extra=extra))
    return group(parts, classes="sv-edges", extra=' fill="none" stroke-linecap="round"')


def draw_paths(layout: Layout) -> str:
    """The marked paths as coloured lines beside the edges, one piece a step."""
    parts = []
    for place, (key, nodes) in enumerate(layout.paths.items()):
        pieces = []
        for index in nodes:
            node = layout.nodes[index]
            parent = layout.nodes[node.parent]
            offset = path_offset(key)
            pieces.append(path(edge_path(parent, node, layout.columns[parent.step].width, offset), classes="e"))
        classes = f"sv-path {path_class(key, place)}"
        parts.append(group(pieces, classes=classes, extra=f' data-key="{key}" stroke-linecap="round"'))
    return "".join(parts)


def draw_nodes(layout: Layout, options: SearchTreeOptions, winner: int | None) -> str:
    """Every hypothesis in its slot; those that were left are small and muted.

    Most of a large picture are these texts, so what they have in common stands once: size, colour and anchor.
    """
    parts = []
    for index, node in enumerate(layout.nodes):
        column = layout.columns[node.step]
        content = _kept(layout, node, column, options, winner=index == winner) if node.kept else ""
        if node.parent < 0:
            content = _root(layout, column, options)
        elif not node.kept:
            content = _dropped(layout, node, column, options)
        hidden = ' display="none"' if node.hidden else ""
        parts.append(f'<g transform="translate({num(node.x)} {num(node.y)})"{hidden}>{content}</g>')
    shared = f' font-size="{num(options.small)}" text-anchor="end"'
    return group(parts, classes="sv-nodes mu", extra=shared)


def _root(layout: Layout, column: Column, options: SearchTreeOptions) -> str:
    height, size = layout.row_height, options.font_size
    return rect(0, 2, column.width, height - 4, classes="tb", radius=6) + text_at(
        column.width / 2, height / 2 + size * 0.35, "∅", size=size, classes="mu"
    )


def _dropped(layout: Layout, node: Node, column: Column, options: SearchTreeOptions) -> str:
    base = num(layout.small_height / 2 + options.small * 0.35)
    ghost = node.fate == GHOST
    dashed = rect(0, 1, column.width, layout.small_height - 2, classes="gh", radius=5) if ghost else ""
    slanted = ' class="it"' if ghost else ""
    note = f'<tspan class="nt">\u2002{esc(node.note)}</tspan>' if node.note else ""
    return (
        f"{dashed}{_label(node.label, 6, layout.small_height / 2 + options.small * 0.35, options, extra=slanted)}"
        f'<text x="{num(column.width - 4)}" y="{base}">{node.values}{note}</text>'
    )


def _label(label: str, x: float, y: float, options: SearchTreeOptions, *, extra: str) -> str:
    """A token; the mark of a piece that goes on with a word is faint."""
    shown = esc(label)
    if options.pieces:
        shown = FAINT.sub(lambda mark: f'<tspan class="pm">{mark[0]}</tspan>', shown)
    return f'<text x="{num(x)}" y="{num(y)}" text-anchor="start"{extra}>{shown}</text>'


def _kept(layout: Layout, node: Node, column: Column, options: SearchTreeOptions, *, winner: bool) -> str:
    size, small, width, middle = options.font_size, options.small, column.width, layout.row_height / 2
    finished = node.fate == "finished"
    right = width - 8 - (small * 1.2 if finished else 0)
    parts = [
        rect(0, 2, width, layout.row_height - 4, classes="tf" if finished else "bx", radius=6),
        _label(node.label, 8, middle + size * 0.35, options, extra=f' class="st" font-size="{num(size)}"'),
        f'<text x="{num(right)}" y="{num(middle + small * 0.35)}">{node.values}</text>',
    ]
    if finished:
        scale = small / 12
        moved = f' transform="translate({num(width - 6 - 10 * scale)} {num(middle - 5 * scale)}) scale({scale:.3g})"'
        parts.append(path(STAR if winner else CHECK, classes="tw" if winner else "tc", extra=moved))
    return "".join(parts)


def draw_cuts(layout: Layout, options: SearchTreeOptions, words: str) -> str:
    """The line between those that go on and those that do not, and how many are folded, for each column."""
    small, parts = options.small, []
    for column in layout.columns:
        lines = []
        if column.dropped:
            y = column.cut_y if math.isfinite(column.cut_y) else 0.0
            hidden = "" if math.isfinite(column.cut_y) else ' display="none"'
            label = words if text_width(words, small) < column.width - 16 else "✂"
            end = column.width - text_width(label, small) - 10
            lines.append(
                group(
                    [
                        path(f"M0 0H{num(max(end, 4))}", classes="ct"),
                        text_at(column.width, small * 0.35, label, size=small, classes="mu", anchor="end"),
                    ],
                    classes="sv-cut",
                    extra=f' transform="translate({num(column.x)} {num(y)})"{hidden}',
                )
            )
        else:
            lines.append(group([], classes="sv-cut"))
        y = column.more_y if math.isfinite(column.more_y) else 0.0
        hidden = "" if math.isfinite(column.more_y) else ' display="none"'
        lines.append(
            group(
                [
                    text_at(
                        6,
                        layout.small_height / 2 + small * 0.35,
                        more_words(column),
                        size=small,
                        anchor="start",
                        classes="ac",
                    )
                ],
                classes="sv-more",
                extra=f' transform="translate({num(column.x)} {num(y)})"{hidden}',
            )
        )
        parts += lines
    return group(parts, classes="sv-cuts")


def more_words(column: Column) -> str:
    """What is folded: how many and their probability together."""
    return f"+{column.folded} · P = {probability(column.folded_mass)}"
