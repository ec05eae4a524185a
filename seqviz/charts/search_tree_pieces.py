"""Pieces of words as people read them: the blank before one is a faint mark, a byte is a number."""

from __future__ import annotations

import re
from dataclasses import replace

from seqviz.charts.search_tree_parts import SearchPath
from seqviz.decoding.trace import SearchTrace

_BYTE = re.compile(r"<(0x[0-9A-F]{2})>")


def piece_label(piece: str) -> str:
    """A vocabulary's entry for the eye: ``▁visit`` -> ``␣visit``, ``<0xE4>`` -> ``0xE4``; the glue ``‿`` stays.

    Source:
        The pieces of ``seqviz.text.piece_encoder``.
    """
    byte = _BYTE.fullmatch(piece)
    return byte[1] if byte else piece.replace("▁", "␣")


def with_labels(trace: SearchTrace) -> SearchTrace:
    """The same search, its tokens named for the eye."""
    return replace(trace, names={token: piece_label(name) for token, name in trace.names.items()})


def path_with_labels(path: SearchPath) -> SearchPath:
    """The same path, its tokens named for the eye."""
    return replace(path, names=tuple(piece_label(name) for name in path.names))
