"""The short form of an intervention, as it stands in a link."""

from __future__ import annotations

import pytest

from seqviz.errors import InvalidInputError
from seqviz.interventions import Intervention, fitted, parse_intervention, without_last


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("forget_gate=0@2-9:0.forward.17", Intervention(
            quantity="forget_gate", value=0, first=2, last=9, layer=0, direction="forward", unit=17)),
        ("update_gate=1@3-:1.backward", Intervention(
            quantity="update_gate", value=1, first=3, last=None, layer=1, direction="backward")),
        ("cell_state=-1.5@4:0.forward.2", Intervention(
            quantity="cell_state", value=-1.5, first=4, last=4, layer=0, direction="forward", unit=2)),
        ("hidden_state=1e-05@0-", Intervention(quantity="hidden_state", value=1e-5)),
    ],
)  # fmt: skip
def test_it_reads_back_as_it_was_written(text: str, expected: Intervention) -> None:
    assert parse_intervention(text) == expected
    assert expected.to_text() == text


@pytest.mark.parametrize(
    "text", ["", "forget_gate", "a=1@x", "forget_gate=--1@2", "f=1@2:0", "f=1@2:0.up", "<script>", "f=1@99999"]
)
def test_what_is_none_is_said_with_the_form(text: str) -> None:
    with pytest.raises(
        InvalidInputError, match=r"is no intervention; one is written as forget_gate=0@2-9:0\.forward\.17"
    ):
        parse_intervention(text)


def test_another_cell_gets_the_counterpart_and_a_shorter_text_an_open_end() -> None:
    forced = [
        Intervention(quantity="forget_gate", value=0.5, first=2, last=9),
        Intervention(quantity="cell_state", value=-1.0, first=1, last=1),
        Intervention(quantity="output_gate", value=0.0),
    ]
    gru = fitted(forced, quantities=["reset_gate", "update_gate", "candidate", "hidden_state"], steps=5)
    assert [one.to_text() for one in gru] == ["update_gate=0.5@2-", "hidden_state=-1@1", "output_gate=0@0-"]
    lstm = fitted(gru, quantities=["input_gate", "forget_gate", "candidate", "output_gate", "cell_state"], steps=5)
    assert lstm[0].quantity == "forget_gate"
    assert fitted(forced[:1], quantities=["forget_gate"], steps=10) == tuple(forced[:1])


def test_undo_takes_the_last_one_back() -> None:
    one, two = (Intervention(quantity="candidate", value=value) for value in (0.0, 1.0))
    assert without_last([one, two]) == (one,)
    assert without_last([]) == ()
