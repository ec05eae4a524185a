"""The tables by hand: the syllabus' numbers, literally, and everything that a table may not be."""

from __future__ import annotations

import math

import pytest

from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.table import ProbabilityTable, TableModel, TableRow, normalised_row
from seqviz.errors import InvalidInputError

SYMBOLS = ("A", "B", "C", "<eos>")
ROWS = (
    TableRow(step=1, after=None, probabilities=(0.5, 0.2, 0.2, 0.1)),
    TableRow(step=2, after=None, probabilities=(0.1, 0.4, 0.3, 0.2)),
    TableRow(step=3, after=None, probabilities=(0.2, 0.2, 0.4, 0.2)),
    TableRow(step=3, after=("A", "C"), probabilities=(0.1, 0.6, 0.2, 0.1)),
    TableRow(step=4, after=None, probabilities=(0.0, 0.2, 0.2, 0.6)),
    TableRow(step=4, after=("A", "C", "B"), probabilities=(0.1, 0.2, 0.1, 0.6)),
)


def table(*rows: TableRow, symbols: tuple[str, ...] = SYMBOLS) -> ProbabilityTable:
    return ProbabilityTable(symbols=symbols, rows=rows or ROWS)


def find(name: str, **options):
    options = {"max_length": 4, "min_length": 3, **options}
    return search(TableModel(table()), DecodeConfig(search=name, **options))


def test_greedy_finds_0_048_and_another_path_has_0_054():
    greedy = find("greedy")
    assert greedy.text(greedy.best) == "A B C <eos>"
    assert math.exp(greedy.log_prob[greedy.best]) == pytest.approx(0.5 * 0.4 * 0.4 * 0.6, abs=1e-15)
    assert math.exp(greedy.log_prob[greedy.best]) == pytest.approx(0.048, abs=1e-12)
    for better in (find("exact"), find("beam", beam_size=2), find("brute_force")):
        assert better.text(better.best) == "A C B <eos>"
        assert math.exp(better.log_prob[better.best]) == pytest.approx(0.5 * 0.3 * 0.6 * 0.6, abs=1e-15)
        assert math.exp(better.log_prob[better.best]) == pytest.approx(0.054, abs=1e-12)


def test_without_a_minimum_length_the_optimum_of_the_same_table_is_shorter():
    exact = find("exact", min_length=0)
    assert exact.proven
    assert math.exp(exact.log_prob[exact.best]) == pytest.approx(0.1, abs=1e-12)


def test_the_costs_of_the_syllabus():
    trace = find("beam", beam_size=2)
    assert trace.exhaustive_cost == 4**4
    assert trace.beam_cost == 2 * 4 * 4
    assert trace.candidates_scored == 4 + 3 * 2 * 4


def test_a_row_of_weights_is_divided_by_its_sum():
    row = normalised_row(2, ("A",), (1, 1, 2, 0))
    assert row.probabilities == (0.25, 0.25, 0.5, 0.0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: table(symbols=("A",)), "The vocabulary has 1 symbols; allowed are 2 to 6"),
        (lambda: table(symbols=("A", "B", "C", "D")), "it must be <eos>"),
        (lambda: table(symbols=("A", "A", "C", "<eos>")), "'A' stands in the vocabulary twice"),
        (lambda: table(symbols=("A b", "B", "C", "<eos>")), "'A b' is no symbol"),
        (lambda: table(*ROWS[1:]), "Step 1 has no row"),
        (lambda: table(*ROWS, ROWS[0]), r"The row 1 · \* stands in the table twice"),
        (
            lambda: table(TableRow(step=1, after=None, probabilities=(0.5, 0.2, 0.2, 0.2))),
            r"The row 1 · \* adds up to 1.1; it must be 1",
        ),
        (
            lambda: table(TableRow(step=1, after=None, probabilities=(1.5, -0.5, 0, 0))),
            "holds -0.5; a probability is a number from 0 to 1",
        ),
        (lambda: table(TableRow(step=1, after=None, probabilities=(1.0,))), "has 1 probabilities; there are 4 symbols"),
        (lambda: table(*ROWS, TableRow(step=2, after=("X",), probabilities=(1, 0, 0, 0))), "begins with 'X'"),
        (lambda: table(*ROWS, TableRow(step=3, after=("A",), probabilities=(1, 0, 0, 0))), "it must have 2"),
        (lambda: table(TableRow(step=9, after=None, probabilities=(1, 0, 0, 0))), "step 9; allowed is 1 to 6"),
        (lambda: normalised_row(1, None, (0, 0)), "only zeros"),
    ],
)
def test_a_table_that_is_none_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(InvalidInputError, match=sentence):
        make()
