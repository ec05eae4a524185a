"""A model by hand: conditional probabilities in a table, as a step function for every search.

A row belongs to one exact beginning, or to a step: then it holds for all beginnings of that length that have no row of
their own. Such a table needs no network, so every search can be checked with pencil and paper (syllabus S3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqviz.decoding.step import StepOutput
from seqviz.errors import InvalidInputError
from seqviz.types import FloatArray, IntArray

EOS = "<eos>"
MAX_SYMBOLS = 6
MAX_STEPS = 6
MAX_ROWS = 200
MAX_SYMBOL_LENGTH = 12
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """P(next symbol | beginning).

    Args:
        step: of the next symbol; the first has 1.
        after: the symbols before it; None for every beginning of this length without a row of its own.
        probabilities: in the order of the table's symbols; they add up to 1.
    """

    step: int
    after: tuple[str, ...] | None
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbabilityTable:
    """Conditional probabilities of a small language; hashable, so that it may be the key of a cache.

    Args:
        symbols: 2 to 6 different ones; the last is ``<eos>``, which ends a sequence.
        rows: a row with ``after=None`` for every step from 1 on, and as many exact ones as wanted.

    Raises:
        InvalidInputError: with one sentence that names the row and what is wrong.
    """

    symbols: tuple[str, ...]
    rows: tuple[TableRow, ...]

    def __post_init__(self) -> None:
        _check_symbols(self.symbols)
        if len(self.rows) > MAX_ROWS:
            raise InvalidInputError(
                "The table has {count} rows; the limit is {limit}.", count=len(self.rows), limit=MAX_ROWS
            )
        seen: set[tuple[int, tuple[str, ...] | None]] = set()
        for row in self.rows:
            _check_row(row, self.symbols)
            if (row.step, row.after) in seen:
                raise InvalidInputError("The row {row} stands in the table twice.", row=row_name(row))
            seen.add((row.step, row.after))
        for step in range(1, self.max_steps + 1):
            if (step, None) not in seen:
                raise InvalidInputError(
                    "Step {step} has no row for every other beginning (leave After empty); each step needs one.",
                    step=step,
                )

    @property
    def max_steps(self) -> int:
        """The last step that has a row."""
        return max((row.step for row in self.rows), default=1)


def normalised_row(step: int, after: tuple[str, ...] | None, weights: Sequence[float]) -> TableRow:
    """A row whose weights are divided by their sum.

    Raises:
        InvalidInputError: a weight is negative or no number, or all are 0.
    """
    row = TableRow(step=step, after=after, probabilities=tuple(float(weight) for weight in weights))
    _check_numbers(row)
    total = sum(row.probabilities)
    if total <= 0:
        raise InvalidInputError(
            "The row {row} holds only zeros; at least one probability must be above 0.", row=row_name(row)
        )
    return TableRow(step=step, after=after, probabilities=tuple(weight / total for weight in row.probabilities))


def row_name(row: TableRow) -> str:
    """How a row is called in a sentence."""
    return f"{row.step} · {' '.join(row.after)}" if row.after is not None else f"{row.step} · *"


class TableModel:
    """A probability table as a ``StepFunction``; its state is the beginning of each hypothesis."""

    def __init__(self, table: ProbabilityTable) -> None:
        self.table = table
        self._rows: dict[tuple[int, tuple[int, ...] | None], FloatArray] = {}
        number = {symbol: index for index, symbol in enumerate(table.symbols)}
        with np.errstate(divide="ignore"):
            for row in table.rows:
                after = None if row.after is None else tuple(number[symbol] for symbol in row.after)
                self._rows[row.step, after] = np.log(np.array(row.probabilities))

    @property
    def vocabulary_size(self) -> int:
        return len(self.table.symbols)

    @property
    def bos_id(self) -> int:
        return len(self.table.symbols)

    @property
    def eos_id(self) -> int:
        return len(self.table.symbols) - 1

    def name(self, token: int) -> str:
        return self.table.symbols[token]

    def start(self) -> tuple[tuple[int, ...], ...]:
        return ((),)

    def log_probs(self, prefix: tuple[int, ...]) -> FloatArray:
        """ln P(next symbol | beginning), (vocabulary,)."""
        step = min(len(prefix) + 1, self.table.max_steps)
        exact = self._rows.get((step, prefix))
        return self._rows[step, None] if exact is None else exact

    def step(self, state: tuple[tuple[int, ...], ...], tokens: IntArray) -> StepOutput[tuple[tuple[int, ...], ...]]:
        prefixes = tuple(
            prefix if token == self.bos_id else (*prefix, token)
            for prefix, token in zip(state, tokens.tolist(), strict=True)
        )
        return StepOutput(log_probs=np.stack([self.log_probs(prefix) for prefix in prefixes]), state=prefixes)

    def select(self, state: tuple[tuple[int, ...], ...], rows: IntArray) -> tuple[tuple[int, ...], ...]:
        return tuple(state[row] for row in rows.tolist())


def _check_symbols(symbols: tuple[str, ...]) -> None:
    if not 2 <= len(symbols) <= MAX_SYMBOLS:
        raise InvalidInputError(
            "The vocabulary has {count} symbols; allowed are {low} to {high}, <eos> among them.",
            count=len(symbols),
            low=2,
            high=MAX_SYMBOLS,
        )
    if symbols[-1] != EOS:
        raise InvalidInputError("The last symbol is {symbol!r}; it must be <eos>.", symbol=symbols[-1])
    for symbol in symbols:
        if not symbol or len(symbol) > MAX_SYMBOL_LENGTH or symbol.split() != [symbol]:
            raise InvalidInputError(
                "{symbol!r} is no symbol: it needs 1 to {high} characters without a blank.",
                symbol=symbol[:40],
                high=MAX_SYMBOL_LENGTH,
            )
        if symbols.count(symbol) > 1:
            raise InvalidInputError("The symbol {symbol!r} stands in the vocabulary twice.", symbol=symbol)


def _check_numbers(row: TableRow) -> None:
    for value in row.probabilities:
        if not np.isfinite(value) or value < 0:
            raise InvalidInputError(
                "The row {row} holds {value}; a probability is a number from 0 to 1.", row=row_name(row), value=value
            )


def _check_row(row: TableRow, symbols: tuple[str, ...]) -> None:
    if not 1 <= row.step <= MAX_STEPS:
        raise InvalidInputError("A row has step {step}; allowed is 1 to {high}.", step=row.step, high=MAX_STEPS)
    for symbol in row.after or ():
        if symbol not in symbols[:-1]:
            raise InvalidInputError(
                "The row {row} begins with {symbol!r}; a beginning is made of {known}.",
                row=row_name(row),
                symbol=symbol,
                known=", ".join(symbols[:-1]),
            )
    if row.after is not None and len(row.after) != row.step - 1:
        raise InvalidInputError(
            "The row {row} has {count} symbols before step {step}; it must have {right}.",
            row=row_name(row),
            count=len(row.after),
            step=row.step,
            right=row.step - 1,
        )
    if len(row.probabilities) != len(symbols):
        raise InvalidInputError(
            "The row {row} has {count} probabilities; there are {right} symbols.",
            row=row_name(row),
            count=len(row.probabilities),
            right=len(symbols),
        )
    _check_numbers(row)
    total = sum(row.probabilities)
    if abs(total - 1) > _TOLERANCE:
        raise InvalidInputError(
            "The row {row} adds up to {total}; it must be 1.", row=row_name(row), total=f"{total:.6g}"
        )
