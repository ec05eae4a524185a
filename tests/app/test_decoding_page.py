"""The Decoding page by hand: every input, every state of its URL, everything that can be wrong."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.ui.decoding_table import from_frame, resized, to_frame
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table_code import table_code, table_of
from seqviz.errors import InvalidInputError
from tests.app.conftest import Opened

PAGE = "app_pages/decoding.py"
SYLLABUS = PRESETS["syllabus"].table


def compared(app: AppTest) -> pd.DataFrame:
    """The searches side by side."""
    return next(frame.value for frame in app.dataframe if "log P" in frame.value.columns).set_index("search")


def query(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def metrics(app: AppTest) -> list[str]:
    return [metric.value for metric in app.metric]


def test_the_page_opens_on_the_syllabus_table(opened: Opened):
    app = opened(page=PAGE)
    frame = compared(app)
    assert list(frame.index) == ["Greedy", "Beam (B = 2)", "Exact"]
    assert list(frame["text"]) == ["A B C <eos>", "A C B <eos>", "A C B <eos>"]
    assert list(frame["P"]) == pytest.approx([0.048, 0.054, 0.054], abs=1e-12)
    assert metrics(app) == ["256", "32", "10⁴⁰", "200,000"]
    assert not app.warning


@pytest.mark.parametrize(
    ("name", "greedy", "exact"),
    [
        ("missed", "A A <eos>", "C B <eos>"),
        ("length", "A <eos>", "A <eos>"),
        ("jane", "Jane is going visiting Africa <eos>", "Jane is visiting Africa <eos>"),
    ],
)
def test_an_example_brings_its_table_and_its_settings(opened: Opened, name: str, greedy: str, exact: str):
    app = opened(page=PAGE, prefix="0")
    app.button(key=f"preset-{name}").click().run()
    frame = compared(app)
    assert frame.loc["Greedy", "text"] == greedy
    assert frame.loc["Exact", "text"] == exact
    assert query(app)["table"] == name
    assert "prefix" not in query(app)


def test_without_a_minimum_length_the_optimum_is_too_short(opened: Opened):
    app = opened(page=PAGE, lengths="0-4")
    assert compared(app).loc["Exact", "text"] in ("<eos>", "A <eos>")
    assert compared(app).loc["Exact", "P"] == pytest.approx(0.1)


def test_alpha_changes_the_winners_at_the_crossover(opened: Opened):
    below = opened(page=PAGE, table="length", beam="4", lengths="0-6", on="true", alpha="0.23")
    above = opened(page=PAGE, table="length", beam="4", lengths="0-6", on="true", alpha="0.24")
    assert compared(below).loc["Beam (B = 4)", "text"] == "A <eos>"
    assert compared(above).loc["Beam (B = 4)", "text"] == "B B A <eos>"
    score = compared(above).loc["Beam (B = 4)", "score"]
    assert score == pytest.approx(math.log(0.3 * 0.8 * 0.9 * 0.7) / 4**0.24, abs=1e-12)


@pytest.mark.parametrize("search", ["greedy", "exact", "sampling", "diverse"])
def test_every_search_has_its_tree(opened: Opened, search: str):
    app = opened(page=PAGE, search=search)
    assert not app.exception
    assert not app.warning
    assert query(app)["search"] == search


def test_samples_depend_on_the_seed(opened: Opened):
    texts = set()
    for seed in ("1", "2", "3", "4", "5"):
        app = opened(page=PAGE, search="sampling", seed=seed, samples="1")
        texts.add(compared(app).loc["Sampling", "text"])
    assert len(texts) > 1


def test_a_forced_beginning_is_searched_from_and_can_be_freed(opened: Opened):
    app = opened(page=PAGE, prefix="02")
    assert compared(app).loc["Greedy", "text"] == "A C B <eos>"
    assert any("A C" in markdown.value for markdown in app.markdown)
    app.button(key="free-prefix").click().run()
    assert "prefix" not in query(app)
    assert compared(app).loc["Greedy", "text"] == "A B C <eos>"
    app.button(key="undo-prefix").click().run()
    assert query(app)["prefix"] == "02"


def test_a_table_in_the_link_is_searched(opened: Opened):
    app = opened(page=PAGE, table="up,down;1:.1,.7,.2;2:0,0,1", lengths="0-2")
    assert compared(app).loc["Exact", "text"] == "down <eos>"
    assert query(app)["table"] == "up,down;1:.1,.7,.2;2:0,0,1"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("A,B;1:.5,.2,.2", "adds up to 0.9; it must be 1"),
        ("A,B;2:.5,.3,.2", "Step 1 has no row"),
        ("A,B;1:hello", "cannot be read"),
        ("<script>", "Step 1 has no row"),
        ("A,B,C,D,E,F,G;1:1,0,0,0,0,0,0,0", "allowed are 2 to 6"),
        ("A;1:nan,1", "cannot be read"),
        ("A;1:1e999,1", "a probability is a number from 0 to 1"),
    ],
)
def test_a_link_with_a_bad_table_says_what_is_wrong_and_shows_the_example(opened: Opened, code: str, sentence: str):
    app = opened(page=PAGE, table=code)
    assert sentence in app.warning[0].value
    assert compared(app).loc["Greedy", "text"] == "A B C <eos>"


@pytest.mark.parametrize(
    "state",
    [
        {"search": "magic", "beam": "-3", "lengths": "9-1", "alpha": "x", "prefix": "<b>"},
        {"beam": "99999", "lengths": "6-6", "alpha": "7", "prefix": "999999"},
        {"prefix": "33", "lengths": "0-1"},
        {"alpha": "nan", "prefix": "0123"},
    ],
    ids=["nonsense", "too much", "beyond the end", "not a number"],
)
def test_a_broken_link_still_opens_the_page(opened: Opened, state: dict[str, str]):
    app = opened(page=PAGE, **state)
    assert not app.exception
    assert len(compared(app)) == 3


def test_the_vocabulary_and_the_steps_can_be_changed(opened: Opened):
    app = opened(page=PAGE)
    field = next(one for one in app.text_input if one.label.startswith("Symbols"))
    field.set_value("A B C D").run()
    assert query(app)["table"].startswith("A,B,C,D;1:.5,.2,.2,0,.1")
    field = next(one for one in app.text_input if one.label.startswith("Symbols"))
    field.set_value("A B C D E F G").run()
    assert "allowed are 2 to 6" in app.warning[0].value


def test_the_page_speaks_chinese(opened: Opened):
    app = opened(page=PAGE, lang="zh_CN")
    assert app.title[0].value == "解码"
    assert "贪心搜索" in app.dataframe[-1].value.iloc[:, 0].tolist()


# ---- the table itself


def test_a_table_goes_through_its_link_and_its_editor_unchanged():
    for preset in PRESETS.values():
        assert table_of(table_code(preset.table)) == preset.table
        assert from_frame(to_frame(preset.table), preset.table.symbols, divide=False) == preset.table


def test_symbols_of_any_kind_go_through_a_link():
    table = table_of("%2C,%3B%3A,%E4%B8%AD;1:.25,.25,.25,.25")
    assert table.symbols == (",", ";:", "中", "<eos>")
    assert table_of(table_code(table)) == table


def test_an_edited_row_is_refused_or_divided_by_its_sum():
    frame = to_frame(SYLLABUS)
    frame.loc[0, "A"] = 0.7
    with pytest.raises(InvalidInputError, match=r"adds up to 1\.2; it must be 1"):
        from_frame(frame, SYLLABUS.symbols, divide=False)
    divided = from_frame(frame, SYLLABUS.symbols, divide=True)
    assert divided.rows[0].probabilities == pytest.approx((0.7 / 1.2, 0.2 / 1.2, 0.2 / 1.2, 0.1 / 1.2))


def test_an_added_line_needs_only_its_beginning():
    frame = to_frame(SYLLABUS)
    frame.loc[len(frame)] = [None, "B", 0.0, None, 1.0, None]
    frame.loc[len(frame)] = [None, None, None, None, None, None]
    table = from_frame(frame, SYLLABUS.symbols, divide=False)
    assert table.rows[-1].after == ("B",)
    assert table.rows[-1].step == 2
    assert table.rows[-1].probabilities == (0.0, 0.0, 1.0, 0.0)


def test_a_lost_symbol_leaves_its_probability_to_the_others():
    smaller = resized(SYLLABUS, ("A", "B"), 3)
    assert smaller.symbols == ("A", "B", "<eos>")
    assert smaller.rows[0].probabilities == pytest.approx((0.625, 0.25, 0.125))
    assert all(row.after is None for row in smaller.rows)
    longer = resized(SYLLABUS, ("A", "B", "C"), 5)
    assert longer.rows[-1].probabilities == (0.25, 0.25, 0.25, 0.25)
    renamed = resized(SYLLABUS, ("the", "B", "C"), 4)
    assert renamed.rows[3].after == ("the", "C")
