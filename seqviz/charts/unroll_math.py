"""Symbols inside the picture: ``symbol().text`` of a notation, set with raised and lowered parts."""

from __future__ import annotations

import re

from seqviz.charts.notation import Notation, symbol, weight_symbols
from seqviz.charts.svg import esc, num
from seqviz.types import Direction

_PARTS = re.compile(r"(_\w+)|([→←])|((?:\[\d+\]|\(\d+\))?⟨[^⟩]*⟩|\[\d+\]|\(\d+\))|([₀-₉ₐ-ₜ₊₋]+)")
# Few fonts have the mathematical brackets; Ng's slides write <t> too.
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ", "0123456789+−aeoxhklmnpstijruv") | str.maketrans("⟨⟩", "<>")


def math_at(x: float, y: float, text: str, *, size: float, classes: str = "mu", anchor: str = "middle") -> str:
    """A symbol at (x, baseline y)."""
    return (
        f'<text x="{num(x)}" y="{num(y)}" class="{classes}" font-size="{num(size)}" text-anchor="{anchor}">'
        f"{math_spans(text, size)}</text>"
    )


def math_spans(text: str, size: float) -> str:
    """A symbol as ``<tspan>``: letters italic, indices lowered, times and layers raised."""
    parts: list[str] = []
    shift = 0.0
    position = 0
    for match in [*_PARTS.finditer(text), None]:
        plain = text[position : match.start() if match else len(text)]
        if plain:
            parts.append(_span(plain, size, -shift, italic=True))
            shift = 0.0
        if match is None:
            break
        position = match.end()
        below, arrow, above, digits = match.groups()
        wanted = size * (0.24 if below or digits else -0.36)
        content = below[1:] if below else (arrow or above or digits).translate(_PLAIN)
        parts.append(_span(content, size * 0.78, wanted - shift, italic=False))
        shift = wanted
    return "".join(parts)


def _span(content: str, size: float, shift: float, *, italic: bool) -> str:
    style = ' font-style="italic"' if italic else ""
    moved = f' dy="{num(shift)}"' if shift else ""
    return f'<tspan font-size="{num(size)}"{moved}{style}>{esc(content)}</tspan>'


def state_symbol(
    quantity: str,
    *,
    notation: Notation,
    cell: str,
    time: str | int,
    layer: int | None,
    direction: Direction | None,
) -> str:
    """The text of a quantity's symbol; layer and direction None where the network has only one."""
    return symbol(quantity, notation=notation, cell=cell, time=time, layer=layer, direction=direction).text


def weight_names(cell: str, *, notation: Notation) -> tuple[str, str, str]:
    """How the weights are written on the arrows: into the state from below, from the state before, to the output.

    A gated cell has one matrix for each gate on every arrow; there the arrows say W, and the legend which.
    """
    output = weight_symbols("output", notation=notation, cell=cell).hidden.text
    if not cell.startswith("rnn_"):
        return "W", "W", output
    named = weight_symbols("candidate", notation=notation, cell=cell)
    return named.input.text, named.hidden.text, output
