"""The probability table of the Decoding page: presets, the editor, the table in the URL."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from app.ui.backend import show_error
from seqviz.decoding.presets import PRESETS, Preset
from seqviz.decoding.table import (
    EOS,
    MAX_STEPS,
    MAX_SYMBOLS,
    ProbabilityTable,
    TableRow,
    normalised_row,
)
from seqviz.decoding.table_code import table_code, table_of
from seqviz.errors import InvalidInputError, SeqvizError
from seqviz.i18n import Translator

FIRST = "syllabus"
STEP, AFTER = "step", "after"
_URL = "table"
_WRITTEN, _BASE, _VERSION, _GOOD = "table-written", "table-base", "table-version", "table-good"


def preset_titles(t: Translator) -> dict[str, str]:
    """What each preset shows."""
    return {
        "syllabus": t("Greedy is not optimal: 0.048 against 0.054"),
        "missed": t("A beam of 2 misses the optimum"),
        "length": t("Length normalisation changes the winner"),
        "jane": t("Jane is going … or Jane is visiting …"),
    }


def begin(t: Translator) -> None:
    """Takes the table from the URL when a link was opened, or back was pressed; before any widget is drawn."""
    state, code = st.session_state, st.query_params.get(_URL)
    if _BASE in state and code == state.get(_WRITTEN):
        return
    state[_WRITTEN] = code
    if code in PRESETS or code is None:
        _set_base(PRESETS[code or FIRST].table)
        return
    try:
        _set_base(table_of(code))
    except SeqvizError as error:
        show_error(error, t)
        if _BASE not in state:
            _set_base(PRESETS[FIRST].table)


def take_preset(name: str) -> None:
    """A preset brings its table and the search settings that show its point."""
    preset: Preset = PRESETS[name]
    _set_base(preset.table)
    state = st.session_state
    state["beam"], state["lengths"] = preset.beam_size, (preset.min_length, preset.max_length)
    state["alpha"], state["prefix"] = preset.alpha, ()
    state["on"], state["tries"], state["undo"] = preset.go_on, [], []


def table_editor(t: Translator) -> ProbabilityTable:
    """Draws the editor; returns the edited table, or the last good one with a sentence on what is wrong."""
    state = st.session_state
    base: ProbabilityTable = state[_BASE]
    left, right = st.columns([5, 3], vertical_alignment="bottom")
    version = state[_VERSION]
    symbols = left.text_input(
        t("Symbols, without <eos>"), " ".join(base.symbols[:-1]), key=f"symbols-{version}", autocomplete="off"
    )
    steps = right.number_input(t("Steps with rows"), 1, MAX_STEPS, base.max_steps, key=f"steps-{version}")
    try:
        wanted = resized(base, tuple((symbols or "").split()), int(steps))
    except SeqvizError as error:
        show_error(error, t)
        wanted = base
    if wanted != base:
        _set_base(wanted)
        st.rerun()
    edited = st.data_editor(
        to_frame(base),
        key=f"editor-{version}",
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        column_config={
            STEP: st.column_config.NumberColumn(t("Step"), min_value=1, max_value=MAX_STEPS, step=1, width="small"),
            AFTER: st.column_config.TextColumn(
                t("Prefix"), help=t("The symbols before it, with blanks; empty: every other beginning.")
            ),
            **{
                symbol: st.column_config.NumberColumn(f"P({symbol})", min_value=0.0, max_value=1.0, format="%.6g")
                for symbol in base.symbols
            },
        },
    )
    divide = st.toggle(
        t("Divide each row by its sum"),
        key="divide",
        bind="query-params",
        help=t("Off: a row that does not add up to 1 is refused."),
    )
    try:
        table = from_frame(edited, base.symbols, divide=divide)
    except SeqvizError as error:
        show_error(error, t)
        st.caption(t("Below: the last table that could be used."))
        good: ProbabilityTable = state.get(_GOOD, base)
        return good
    state[_GOOD] = table
    return table


def write_table(table: ProbabilityTable) -> None:
    """Keeps the URL true to the table: the name of a preset, else its code."""
    code: str | None = next((name for name, preset in PRESETS.items() if preset.table == table), None)
    code = None if code == FIRST else code or table_code(table)
    st.session_state[_WRITTEN] = code
    if st.query_params.get(_URL) != code:
        if code is None:
            del st.query_params[_URL]
        else:
            st.query_params[_URL] = code


def to_frame(table: ProbabilityTable) -> pd.DataFrame:
    """One line a row of the table."""
    return pd.DataFrame(
        [
            {
                STEP: row.step,
                AFTER: " ".join(row.after or ()),
                **dict(zip(table.symbols, row.probabilities, strict=True)),
            }
            for row in table.rows
        ]
    )


def from_frame(frame: pd.DataFrame, symbols: tuple[str, ...], *, divide: bool) -> ProbabilityTable:
    """The table of an edited frame.

    Args:
        frame: columns ``step``, ``after`` and one a symbol; empty lines are left out, empty cells count as 0.
        symbols: of the table.
        divide: rows are divided by their sums; else a row that does not add up to 1 is refused.

    Raises:
        InvalidInputError: with one sentence that names the row.
    """
    rows = []
    for line in frame.to_dict("records"):
        values = [_number(line[symbol]) for symbol in symbols]
        step, after = line[STEP], tuple(str(line[AFTER] if not _empty(line[AFTER]) else "").split())
        if _empty(step):
            if not after and not any(values):
                continue
            step = len(after) + 1
        # Before the first step nothing stands, so an empty beginning there is the one beginning.
        before = after or None
        row = TableRow(step=int(step), after=before, probabilities=tuple(values))
        rows.append(normalised_row(row.step, row.after, values) if divide else row)
    if not rows:
        raise InvalidInputError("The table is empty; each step needs a row.")
    return ProbabilityTable(symbols=symbols, rows=tuple(rows))


def resized(table: ProbabilityTable, symbols: tuple[str, ...], steps: int) -> ProbabilityTable:
    """The same table with other symbols (in their places) or another number of steps.

    New symbols get the probability 0, new steps a row of equal ones; what a lost symbol had goes to the others.
    """
    old = table.symbols[:-1]
    if symbols == old and steps == table.max_steps:
        return table
    if not 1 <= len(symbols) < MAX_SYMBOLS or EOS in symbols:
        raise InvalidInputError(
            "The vocabulary has {count} symbols; allowed are {low} to {high}, <eos> among them.",
            count=len(symbols) + 1,
            low=2,
            high=MAX_SYMBOLS,
        )
    names = dict(zip(old, symbols, strict=False))
    rows = []
    for row in table.rows:
        after = None if row.after is None else tuple(names.get(symbol, "") for symbol in row.after)
        if row.step > steps or (after is not None and "" in after):
            continue
        weights = [*row.probabilities[: len(symbols)]][: len(old)]
        weights += [0.0] * (len(symbols) - len(weights)) + [row.probabilities[-1]]
        if math.isclose(sum(weights), 1.0, abs_tol=1e-12):
            rows.append(TableRow(step=row.step, after=after, probabilities=tuple(weights)))
        else:
            rows.append(normalised_row(row.step, after, weights if sum(weights) else [1.0] * len(weights)))
    equal = [1.0] * (len(symbols) + 1)
    rows += [normalised_row(step, None, equal) for step in range(table.max_steps + 1, steps + 1)]
    return ProbabilityTable(symbols=(*symbols, EOS), rows=tuple(rows))


def _set_base(table: ProbabilityTable) -> None:
    state = st.session_state
    state[_BASE], state[_GOOD] = table, table
    state[_VERSION] = state.get(_VERSION, 0) + 1  # a new editor: the old one's edits belong to another table


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA or value == ""


def _number(value: Any) -> float:
    return 0.0 if _empty(value) else float(value)
