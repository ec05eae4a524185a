"""Where everything of a search tree stands: a column a step, in each column the hypotheses by rank, cut ones below.

Every hypothesis has a slot of its own in its column, so no two labels can overlap. Long columns are folded: what is
hidden is counted with its mass. Numbers in, numbers out; ``assets/search_tree.js`` stacks the same slots anew when a
reader filters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seqviz.charts.piece_words import piece_label
from seqviz.charts.search_tree_parts import (
    GHOST,
    Column,
    Layout,
    Node,
    SearchPath,
    SearchTreeOptions,
    nats,
    probability,
)
from seqviz.charts.svg import fit, text_width
from seqviz.decoding.trace import NONE, ROOT, SearchTrace


def make_layout(
    trace: SearchTrace,
    paths: Sequence[SearchPath],
    options: SearchTreeOptions,
    *,
    notes: Mapping[str, str],
    flag: bool = False,
) -> Layout:
    """Arranges a search.

    Args:
        trace, paths, options: as for the figure.
        notes: short words for reasons that have no margin.
        flag: leave room for a line over the columns.
    """
    nodes, left_out = _nodes_of(trace, paths, options.most)
    marked = {path.key: _place_path(nodes, path) for path in paths}
    columns = _columns_of(trace, nodes, left_out)
    always = {node for path in marked.values() for node in path}
    if trace.best is not None:
        always |= {index for index, node in enumerate(nodes) if node.row in set(trace.path(trace.best))}
    for column in columns:
        fold(nodes, column, always, rows=options.rows, least=options.least)
    size, small = options.font_size, options.small
    layout = Layout(
        nodes=nodes,
        columns=columns,
        paths=marked,
        top=round(size * 1.7 + small * (3.4 if flag else 2.1)),
        width=0.0,
        height=0.0,
        row_height=round(size * 1.95),
        small_height=round(small * 1.6),
        gap=2 * round((1.1 if options.narrow else 1.65) * size),
    )
    _write_labels(layout, options, notes, vocabulary_size=trace.vocabulary_size)
    _stack(layout)
    return layout


def _nodes_of(trace: SearchTrace, paths: Sequence[SearchPath], most: int) -> tuple[list[Node], dict[int, list[float]]]:
    """The hypotheses that are drawn, parents first, and for each step the P of those that are not."""
    keep = _worth_drawing(trace, paths, most)
    number = {row: index for index, row in enumerate(keep)}
    by_expansion = trace.config.search == "exact"
    nodes = []
    for row in keep:
        parent = int(trace.parent[row])
        nodes.append(
            Node(
                parent=number.get(parent, NONE),
                token=int(trace.token[row]),
                name="" if row == ROOT else trace.names[int(trace.token[row])],
                step=int(trace.step[row]),
                token_log_prob=float(trace.token_log_prob[row]),
                log_prob=float(trace.log_prob[row]),
                fate=trace.fate_name(row),
                reason=trace.reason_name(row),
                margin=float(trace.margin[row]),
                rank=int(trace.rank[row]),
                born=_born(trace, row, by_expansion=by_expansion),
                count=int(trace.count[row]),
                row=row,
            )
        )
    left_out: dict[int, list[float]] = {}
    for row in set(range(len(trace))) - set(keep):
        left_out.setdefault(int(trace.step[row]), []).append(math.exp(trace.log_prob[row]))
    return nodes, left_out


def _born(trace: SearchTrace, row: int, *, by_expansion: bool) -> int:
    if not by_expansion or row == ROOT:
        return int(trace.step[row])
    expansion = int(trace.expansion[int(trace.parent[row])])
    # The path of the search before it was there from the beginning.
    return expansion + 1 if expansion >= 0 else int(trace.expansions)


def _worth_drawing(trace: SearchTrace, paths: Sequence[SearchPath], most: int) -> list[int]:
    """Rows in their order: all, or the winners' and marked paths and then the most probable ones with their parents."""
    if len(trace) <= most:
        return list(range(len(trace)))
    chosen = {ROOT}
    for row in [*trace.finished[:20], *(found for path in paths if (found := trace.find(path.tokens)) is not None)]:
        chosen |= set(trace.path(row))
    for row in sorted(range(len(trace)), key=lambda row: (-trace.log_prob[row], row)):
        if len(chosen) >= most:
            break
        chosen |= set(trace.path(row))
    return sorted(chosen)


def _place_path(nodes: list[Node], path: SearchPath) -> list[int]:
    """The nodes of a marked path; those that the search never looked at are added as ghosts."""
    children: dict[tuple[int, int], int] = {(node.parent, node.token): index for index, node in enumerate(nodes)}
    above, found = 0, []
    for token, name, log_prob in zip(path.tokens, path.names, path.token_log_probs, strict=True):
        index = children.get((above, token))
        if index is None:
            parent = nodes[above]
            index = len(nodes)
            nodes.append(
                Node(
                    parent=above,
                    token=token,
                    name=name,
                    step=parent.step + 1,
                    token_log_prob=log_prob,
                    log_prob=parent.log_prob + log_prob,
                    fate=GHOST,
                    reason=GHOST,
                    born=parent.born + 1,
                )
            )
        above = index
        found.append(index)
    return found


def _columns_of(trace: SearchTrace, nodes: list[Node], left_out: dict[int, list[float]]) -> list[Column]:
    columns = [Column(step=step) for step in range(max(node.step for node in nodes) + 1)]
    for index, node in enumerate(nodes):
        column = columns[node.step]
        (column.kept if node.kept else column.dropped).append(index)
    for row in range(len(trace)):
        if trace.expansion[row] >= 0 and int(trace.step[row]) + 1 < len(columns):
            columns[int(trace.step[row]) + 1].expanded += 1
    for column in columns:
        for part in (column.kept, column.dropped):
            part.sort(key=lambda index: (nodes[index].fate == GHOST, -nodes[index].log_prob, index))
        column.left_out = len(left_out.get(column.step, ()))
        column.left_out_mass = sum(left_out.get(column.step, ()))
    return columns


def fold(nodes: list[Node], column: Column, always: set[int], *, rows: int, least: float) -> None:
    """Hides what is improbable, beyond the number of rows or behind what is hidden; what lies on a marked path stays.

    The columns before this one have been folded already.
    """
    room = rows - sum(index in always for index in (*column.kept, *column.dropped))
    column.folded, column.folded_mass = column.left_out, column.left_out_mass
    for index in (*column.kept, *column.dropped):
        node = nodes[index]
        if index in always:
            node.hidden = False
            continue
        folded_before = node.parent >= 0 and nodes[node.parent].hidden
        node.hidden = room <= 0 or folded_before or math.exp(node.log_prob) < least
        room -= not node.hidden
        if node.hidden:
            column.folded += 1
            column.folded_mass += math.exp(node.log_prob)


def _write_labels(
    layout: Layout, options: SearchTreeOptions, notes: Mapping[str, str], *, vocabulary_size: int
) -> None:
    """Texts and widths: a column is as wide as its widest label."""
    size, small = options.font_size, options.small
    for column in layout.columns:
        widest = 0.0
        for index in column.dropped:
            node = layout.nodes[index]
            node.note = f"↓{node.margin:.2f}" if math.isfinite(node.margin) else notes.get(node.reason, "")
            column.note_width = max(column.note_width, text_width(node.note, small) + 8 if node.note else 0)
        for index in (*column.kept, *column.dropped):
            node = layout.nodes[index]
            own = size if node.kept else small
            node.label = fit(piece_label(node.name) if options.pieces else node.name, own, 8.5 * size)
            node.values = nats(node.log_prob)
            if not options.narrow:
                node.values = f"{probability(math.exp(node.token_log_prob))}\u2002{node.values}"
            weight = 1.08 if node.kept else 1.0  # bold
            width = text_width(node.label, own) * weight + text_width(node.values, small) + 26
            width += (small * 1.3 if node.fate == "finished" else 0) if node.kept else column.note_width
            widest = max(widest, width)
        more = text_width("+999 · P = 0.000", small) if column.folded or column.dropped else 0.0
        count = column.expanded * vocabulary_size
        header = text_width(f"{column.expanded} × {vocabulary_size} = {count}", small) if column.expanded else 0.0
        column.width = round(max(widest, more, header, 3.2 * size))
    layout.columns[0].width = round(2.6 * size)


def _stack(layout: Layout) -> None:
    x, height = 10.0, layout.top
    for column in layout.columns:
        column.x = x
        x += column.width + layout.gap
        height = max(height, stack_column(layout, column))
    layout.width = x - layout.gap + 14
    layout.height = height + 10


def stack_column(layout: Layout, column: Column) -> float:
    """Gives every visible hypothesis of a column its slot, top down; returns the y below the last one."""
    y = layout.top
    for index in column.kept:
        y = _take_slot(layout.nodes[index], column, y, layout.row_height)
    column.cut_y = math.nan
    if any(not layout.nodes[index].hidden for index in column.dropped):
        column.cut_y = y + layout.small_height * 0.5
        y += layout.small_height
    for index in column.dropped:
        y = _take_slot(layout.nodes[index], column, y, layout.small_height)
    column.more_y = y if column.folded else math.nan
    return y + (layout.small_height if column.folded else 0)


def _take_slot(node: Node, column: Column, y: float, height: float) -> float:
    if node.hidden:
        return y
    node.x, node.y, node.height = column.x, y, height
    return y + height
