from __future__ import annotations

import pytest
import vl_convert

from seqviz.charts.arithmetic import sum_note, sum_table, unit_sum_alt, unit_sum_chart, unit_sum_sentence
from seqviz.charts.palette import COLOURS
from seqviz.charts.style import sign_colours
from seqviz.errors import InvalidInputError
from seqviz.i18n import translator
from seqviz.traces import Term, UnitSum

TERMS = (
    ("hidden", 17, 2.0, 0.5),
    ("input", 5, -0.5, 1.5),
    ("peephole", 4, 0.25, 2.0),
    ("bias", 0, 0.125, 1.0),
    ("hidden", 2, 0.1, -1.0),
    ("input", 0, 0.03125, 1.0),
)


def unit_sum(**changes: object) -> UnitSum:
    terms = tuple(
        Term(kind=kind, index=index, weight=weight, value=value, product=weight * value)
        for kind, index, weight, value in TERMS
    )
    values = {
        "model": "tiny",
        "layer": 0,
        "direction": "forward",
        "step": 2,
        "unit": 4,
        "block": "forget_gate",
        "terms": terms,
        "total": 0.80625,
        "pre_activation": 0.80625,
        "activation": "sigmoid",
        "activated": 0.6913,
        "snippet": "",
        **changes,
    }
    return UnitSum(**values)


def bars(chart: object) -> list[dict[str, object]]:
    """The rows that the bars are drawn from."""
    spec = chart.to_dict()
    return spec["datasets"][spec["layer"][2]["data"]["name"]]


def test_the_biggest_addends_come_first_and_the_rest_is_one_row():
    rows = sum_table(unit_sum(), count=3)
    assert [(row.kind, row.label, row.product) for row in rows] == [
        ("hidden", "hidden unit 17 of the step before", 1.0),
        ("input", "input component 5", -0.75),
        ("peephole", "cell state of this unit, old (peephole)", 0.5),
        ("rest", "… 3 more", pytest.approx(0.05625)),
        ("total", "sum", 0.80625),
    ]


def test_the_running_sum_ends_at_the_total():
    rows = sum_table(unit_sum(), count=3)
    assert [row.running for row in rows] == [1.0, 0.25, 0.75, 0.80625, 0.80625]
    assert [row.before for row in rows] == [0.0, 1.0, 0.25, 0.75, 0.0]


def test_one_addend_too_many_is_shown_as_itself():
    assert [row.kind for row in sum_table(unit_sum(), count=5)][-2:] == ["input", "total"]
    assert len(sum_table(unit_sum(), count=60)) == 7


@pytest.mark.parametrize("count", [0, 61])
def test_the_number_of_rows_has_limits(count):
    with pytest.raises(InvalidInputError, match=f"count is {count}; allowed is 1 to 60"):
        sum_table(unit_sum(), count=count)


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({"direction": "backward"}, ["hidden unit 17 of the step after (read backwards)", "input component 5"]),
        ({"layer": 1}, ["hidden unit 17 of the step before", "unit 5 of the layer below"]),
    ],
)
def test_sources_are_named_by_where_they_come_from(changes, labels):
    assert [row.label for row in sum_table(unit_sum(**changes))[:2]] == labels


def test_the_output_gates_peephole_sees_the_new_cell_state():
    labels = [row.label for row in sum_table(unit_sum(block="output_gate"))]
    assert "cell state of this unit, new (peephole)" in labels


def test_the_sentence_says_why_in_words():
    assert unit_sum_sentence(unit_sum(), cell="lstm_peephole") == (
        "Unit 4, step 3: the forget gate is 0.6913 because its sum is 0.8063 and σ(0.8063) = 0.6913. The biggest "
        "addends are hidden unit 17 of the step before (+1.0000), input component 5 (−0.7500) and cell state of this "
        "unit, old (peephole) (+0.5000)."
    )


def test_a_plain_cell_has_a_hidden_state_and_its_own_function():
    relu = unit_sum(block="candidate", activation="relu", activated=0.80625)
    assert "the hidden state is 0.8063 because its sum is 0.8063 and ReLU(0.8063)" in unit_sum_sentence(
        relu, cell="rnn_relu"
    )
    identity = unit_sum(block="candidate", activation="identity", activated=0.80625)
    assert "its sum is 0.8063 and 0.8063 = 0.8063" in unit_sum_sentence(identity, cell="rnn_identity")


@pytest.mark.parametrize(
    ("cell", "block", "words"),
    [
        ("gru", "candidate", "weights of the hidden units"),
        ("gru_reset_before", "candidate", "values of the hidden units"),
        ("gru", "update_gate", "Γ_u is 1 − z"),
    ],
)
def test_a_note_says_what_the_addends_of_a_gru_contain(cell, block, words):
    assert words in sum_note(unit_sum(block=block), cell=cell)


def test_there_is_no_note_where_nothing_needs_saying():
    assert not sum_note(unit_sum(), cell="lstm")


def test_every_bar_starts_where_the_one_above_it_ended():
    rows = bars(unit_sum_chart(unit_sum(), cell="lstm", count=3))
    assert [(row["start"], row["end"]) for row in rows] == [
        (0.0, 1.0),
        (1.0, 0.25),
        (0.25, 0.75),
        (0.75, 0.80625),
        (0.0, 0.80625),
    ]
    assert [row["sign"] for row in rows] == ["positive", "negative", "positive", "positive", "total"]


def test_tooltips_hold_every_digit():
    third = 1 / 3
    term = Term(kind="input", index=0, weight=third, value=3.0, product=1.0)
    rows = bars(unit_sum_chart(unit_sum(terms=(term,), total=1.0), cell="lstm"))
    assert (rows[0]["weight"], rows[0]["value"], rows[0]["product"]) == ("0.3333333333333333", "3.0", "1.0")
    assert rows[1]["shown"] == "sum = 1.0000 → σ → 0.6913"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signs_have_the_products_colours_on_a_transparent_ground(theme):
    spec = unit_sum_chart(unit_sum(), cell="lstm", theme=theme, font_size=18).to_dict()
    colours = spec["layer"][2]["encoding"]["color"]["scale"]["range"]
    assert colours == [*sign_colours(theme), COLOURS["neutral"][theme]]
    assert spec["config"]["background"] == "transparent"
    assert spec["config"]["axis"]["labelFontSize"] == 18
    assert spec["config"]["text"]["fontSize"] == 18


def test_every_row_says_its_arithmetic():
    rows = bars(unit_sum_chart(unit_sum(), cell="lstm", count=3))
    assert [row["shown"] for row in rows] == [
        "hidden 17: 2.0000 · 0.5000 = +1.0000",
        "input 5: −0.5000 · 1.5000 = −0.7500",
        "peephole: 0.2500 · 2.0000 = +0.5000",
        "… 3 more: +0.05625",
        "sum = 0.8063 → σ → 0.6913",
    ]


def test_the_chart_compiles():
    assert vl_convert.vegalite_to_vega(unit_sum_chart(unit_sum(), cell="lstm").to_dict())["marks"]


def test_the_picture_is_told_in_words_and_in_the_readers_language():
    assert unit_sum_alt(unit_sum(), cell="lstm").startswith("Bars of the 6 addends of a sum, the biggest first. Unit 4")
    chart = unit_sum_chart(unit_sum(), cell="lstm")
    assert chart.to_dict()["description"] == unit_sum_alt(unit_sum(), cell="lstm")
    assert sum_table(unit_sum(), count=5, t=translator("zh_CN"))[-1].label == "和"
    assert unit_sum_sentence(unit_sum(), cell="lstm", t=translator("zh_CN")).startswith(
        "单元 4，第 3 步：遗忘门为 0.6913"
    )
