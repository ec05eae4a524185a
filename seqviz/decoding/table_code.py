"""A probability table as a short text for a link, and back."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from seqviz.decoding.table import EOS, MAX_ROWS, ProbabilityTable, TableRow, normalised_row
from seqviz.errors import InvalidInputError

_MAX_LENGTH = 8000
_ROUNDED = 1e-5  # a link has six digits


def table_code(table: ProbabilityTable) -> str:
    """``"A,B;1:.5,.3,.2;2-0:1,0,0"``: symbols without <eos>, then rows: step, symbols before it by number, weights."""
    number = {symbol: str(index) for index, symbol in enumerate(table.symbols)}
    rows = []
    for row in table.rows:
        after = "" if row.after is None else "-" + "".join(number[symbol] for symbol in row.after)
        rows.append(f"{row.step}{after}:{','.join(_short(value) for value in row.probabilities)}")
    return ";".join([",".join(quote(symbol, safe="") for symbol in table.symbols[:-1]), *rows])


def table_of(code: str) -> ProbabilityTable:
    """The table of a code.

    Raises:
        InvalidInputError: it is none, or its table is none.
    """
    head, *parts = code[:_MAX_LENGTH].split(";")
    symbols = (*(unquote(part) for part in head.split(",") if part), EOS)
    rows = []
    for part in parts[: MAX_ROWS + 1]:
        match = re.fullmatch(r"(\d)(-\d*)?:([\d.,e+-]{1,400})", part)
        if match is None:
            raise InvalidInputError("The link holds a probability table that cannot be read.")
        step, after, values = match.groups()
        before = None if after is None else tuple(_symbol(symbols, int(digit)) for digit in after[1:])
        rows.append(_row(int(step), before, values))
    return ProbabilityTable(symbols=symbols, rows=tuple(rows))


def _row(step: int, after: tuple[str, ...] | None, values: str) -> TableRow:
    try:
        weights = [float(value) for value in values.split(",")]
    except ValueError:
        raise InvalidInputError("The link holds a probability table that cannot be read.") from None
    if 1e-9 < abs(sum(weights) - 1) <= _ROUNDED:
        return normalised_row(step, after, weights)
    return TableRow(step=step, after=after, probabilities=tuple(weights))


def _symbol(symbols: tuple[str, ...], index: int) -> str:
    return symbols[index] if index < len(symbols) else "?"


def _short(value: float) -> str:
    text = f"{value:.6g}"
    return text[1:] if text.startswith("0.") else text
