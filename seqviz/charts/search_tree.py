"""The search tree of a trace as one picture: time to the right, hypotheses by rank, the cut ones below.

The picture is complete as it is; its payload lets ``assets/search_tree.js`` play the search, filter, zoom, answer the
pointer and rank anew for another α without asking Python again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from seqviz.charts.figure import Figure
from seqviz.charts.piece_words import piece_label
from seqviz.charts.search_tree_draw import (
    CHECK,
    STAR,
    draw_cuts,
    draw_edges,
    draw_heads,
    draw_nodes,
    draw_paths,
    path_offset,
)
from seqviz.charts.search_tree_layout import make_layout
from seqviz.charts.search_tree_parts import GHOST, Layout, SearchPath, SearchTreeOptions
from seqviz.charts.search_tree_ranking import Foot, draw_foot
from seqviz.charts.search_tree_words import (
    ReadText,
    alt_text,
    cut_words,
    module_texts,
    read_text,
    reason_words,
    search_title,
    short_notes,
)
from seqviz.charts.svg import clean, esc, group, num, rect
from seqviz.decoding.ranking import FellOut, fell_out, reranked
from seqviz.decoding.trace import SearchTrace
from seqviz.i18n import Translator, english

__all__ = ["SearchPath", "SearchTreeOptions", "lost_words", "search_tree_figure"]

OPTIMUM = "optimum"


def search_tree_figure(
    trace: SearchTrace,
    *,
    paths: Sequence[SearchPath] = (),
    follows: str | None = None,
    texts: Mapping[int, str] | None = None,
    options: SearchTreeOptions | None = None,
    t: Translator = english,
    language: str = "en",
) -> Figure:
    """Draws a search.

    Args:
        trace: the search; its tree is drawn.
        paths: results of this and of other searches, each marked in a colour of its own. Where one has the key
            ``"optimum"``, the step at which this search lost it gets a flag.
        follows: key of the path that is this search's own result, and moves to the winner of another α.
        texts: finished hypotheses as people read them, by row; None for their tokens one after the other.
        options: sizes, α and what is folded; None for the defaults.
        t: the reader's language.
        language: its code, for the HTML page.

    Returns:
        The figure. In its payload ``nodes`` are columns of the hypotheses that are drawn.
    """
    options = options or SearchTreeOptions()
    paths = tuple(paths)
    read = partial(read_text, trace, texts or {})
    alpha = trace.config.alpha if options.alpha is None else options.alpha
    if follows is not None and trace.finished:
        winner = reranked(trace, alpha=alpha, coverage=trace.config.coverage)[0]
        paths = tuple(_moved(trace, one, winner, read) if one.key == follows else one for one in paths)
    optimum = next((one for one in paths if one.key == OPTIMUM), None)
    lost = None if optimum is None else fell_out(trace, optimum.tokens)
    layout = make_layout(trace, paths, options, notes=short_notes(t), flag=lost is not None)
    width = max(layout.width, min(options.room, 760))
    words = lost_words(trace, lost, t)
    foot = draw_foot(
        trace,
        paths,
        options=options,
        alpha=alpha,
        lost=words,
        follows=follows,
        read=read,
        ghosts=any(node.fate == GHOST for node in layout.nodes),
        top=layout.height,
        width=min(width, options.room),
        t=t,
    )
    alt = alt_text(trace, paths, words, read, t)
    svg = _assembled(layout, foot, trace, options, lost, width=width, alpha=alpha, alt=alt, t=t)
    payload = _payload(layout, foot, trace, options, paths, alpha=alpha, follows=follows, read=read, t=t)
    payload["language"] = language
    payload["id"] = hashlib.sha256((svg + repr(payload)).encode("utf-8", "replace")).hexdigest()[:16]
    return Figure(
        svg=svg,
        payload=payload,
        alt=alt,
        width=round(width),
        height=round(foot.bottom),
        title=search_title(trace, t),
        module="search_tree",
    )


def lost_words(trace: SearchTrace, lost: FellOut | None, t: Translator) -> str:
    """The sentence on where the optimum was lost; empty if it was found."""
    if lost is None:
        return ""
    reason = reason_words(trace, t).get(lost.reason, "")
    if lost.rank >= 0 and math.isfinite(lost.margin):
        return t("The optimum is lost at step {step}: rank {rank}, {margin} nats behind the last survivor.").format(
            step=lost.step, rank=lost.rank + 1, margin=f"{lost.margin:.3g}"
        )
    return t("The optimum is lost at step {step}: {reason}.").format(step=lost.step, reason=reason or "–")


def _moved(trace: SearchTrace, path: SearchPath, winner: int, read: ReadText) -> SearchPath:
    rows = trace.path(winner)
    return SearchPath(
        key=path.key,
        label=path.label,
        tokens=trace.tokens(winner),
        token_log_probs=tuple(float(trace.token_log_prob[row]) for row in rows),
        names=tuple(trace.names[int(trace.token[row])] for row in rows),
        text=read(winner),
    )


def _winner_node(layout: Layout, trace: SearchTrace, alpha: float) -> int | None:
    if not trace.finished:
        return None
    winner = reranked(trace, alpha=alpha, coverage=trace.config.coverage)[0]
    return next((index for index, node in enumerate(layout.nodes) if node.row == winner), None)


def _assembled(
    layout: Layout,
    foot: Foot,
    trace: SearchTrace,
    options: SearchTreeOptions,
    lost: FellOut | None,
    *,
    width: float,
    alpha: float,
    alt: str,
    t: Translator,
) -> str:
    body = [
        draw_heads(layout, trace, options, lost, t),
        draw_edges(layout),
        draw_paths(layout),
        draw_cuts(layout, options, cut_words(trace, t)),
        draw_nodes(layout, options, _winner_node(layout, trace, alpha)),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="{esc(alt)}" '
        f'viewBox="0 0 {num(width)} {num(foot.bottom)}" width="{num(width)}" height="{num(foot.bottom)}">'
        + rect(0, 0, width, foot.bottom, classes="bg")
        + group(body, classes="sv-body")
        + group([foot.svg], classes="sv-foot")
        + "</svg>"
    )


def _payload(
    layout: Layout,
    foot: Foot,
    trace: SearchTrace,
    options: SearchTreeOptions,
    paths: tuple[SearchPath, ...],
    *,
    alpha: float,
    follows: str | None,
    read: ReadText,
    t: Translator,
) -> dict[str, Any]:
    nodes = layout.nodes
    names = list(dict.fromkeys([node.name for node in nodes] + list(trace.names.values())))
    place = {name: index for index, name in enumerate(names)}
    rows = {node.row: index for index, node in enumerate(nodes)}
    expansion = [int(trace.expansion[node.row]) if node.row >= 0 else -1 for node in nodes]
    by_expansion = trace.config.search == "exact"
    return {
        "names": [clean(piece_label(name) if options.pieces else name) for name in names],
        "spelled": [clean(name) for name in names] if options.pieces else None,
        "nodes": {
            "parent": [node.parent for node in nodes],
            "name": [place[node.name] for node in nodes],
            "token": [node.token for node in nodes],
            "step": [node.step for node in nodes],
            "logProb": [_digits(node.token_log_prob) for node in nodes],
            "fate": [node.fate for node in nodes],
            "reason": [node.reason for node in nodes],
            "margin": [_digits(node.margin) for node in nodes],
            "rank": [node.rank for node in nodes],
            "born": [node.born for node in nodes],
            "count": [node.count for node in nodes] if trace.config.search == "sampling" else None,
        },
        "candidates": {
            str(index): [
                [place[trace.names[int(token)]], _digits(float(log_prob))]
                for token, log_prob in zip(trace.candidate_tokens[one], trace.candidate_log_probs[one], strict=True)
                if math.isfinite(log_prob)
            ]
            for index, one in enumerate(expansion)
            if one >= 0
        },
        "columns": [
            {
                "x": column.x,
                "width": column.width,
                "kept": column.kept,
                "dropped": column.dropped,
                "leftOut": [column.left_out, column.left_out_mass],
                "expanded": column.expanded,
            }
            for column in layout.columns
        ],
        "finished": [
            [rows.get(row, -1), int(trace.step[row]), _digits(float(trace.log_prob[row])), read(row)]
            + ([float(trace.coverage[row])] if trace.config.coverage else [])
            for row in trace.finished[:400]
        ],
        "paths": layout.paths,
        "offsets": {key: path_offset(key) for key in layout.paths},
        "follows": follows,
        "labels": {path.key: path.label for path in paths},
        "ranking": {
            "columns": foot.columns,
            "rows": foot.rows,
            "strip": foot.strip,
            "stripBottom": foot.strip_bottom,
        },
        "crossovers": [_digits(low) for low, _, _ in foot.segments[1:]],
        "alpha": alpha,
        "coverage": trace.config.coverage,
        "vocabulary": trace.vocabulary_size,
        "frames": max(node.born for node in nodes) if by_expansion else len(layout.columns) - 1,
        "byExpansion": by_expansion,
        "top": layout.top,
        "rowHeight": layout.row_height,
        "smallHeight": layout.small_height,
        "rows": options.rows,
        "search": f"{trace.config} {trace.best is not None and read(trace.best)}",
        "least": options.least,
        "width": round(layout.width, 1),
        "height": round(layout.height, 1),
        "roomWidth": options.room,
        "fontSize": options.font_size,
        "small": options.small,
        "marks": {"winner": STAR, "finished": CHECK},
        "file": f"seqviz-{trace.config.search.replace('_', '-')}-tree",
        "texts": module_texts(trace, t),
    }


def _digits(value: float) -> float | None:
    """Ten digits are more than a float32 has; nan becomes null."""
    return float(f"{value:.10g}") if math.isfinite(value) else None
