"""Each property of a text on a text where one can see it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from seqviz.analysis import properties
from seqviz.analysis.properties import PROPERTY_NAMES, matches, properties_of
from seqviz.charts.properties import property_name, property_rule
from seqviz.errors import InvalidInputError
from seqviz.units import LongText


def characters(text: str) -> LongText:
    steps = np.arange(len(text), dtype=np.int32)
    return LongText(
        model="m",
        task="language_model",
        kind="character",
        text=text,
        starts=steps,
        ends=steps + 1,
        unknown=np.zeros(len(text), np.uint8),
        first_written=len(text),
        layers=(),
    )


def words(text: str) -> LongText:
    pieces, starts, place = text.split(), [], 0
    for piece in pieces:
        starts.append(text.index(piece, place))
        place = starts[-1] + len(piece)
    first = np.array(starts, np.int32)
    return LongText(
        model="m",
        task="tagging",
        kind="word",
        text=text,
        starts=first,
        ends=first + np.array([len(piece) for piece in pieces], np.int32),
        unknown=np.zeros(len(pieces), np.uint8),
        first_written=len(pieces),
        layers=(),
    )


def held(text: LongText, values: np.ndarray) -> str:
    """The pieces where a yes/no property holds, joined, with . for the others."""
    return "".join(text.piece(step) if values[step] else "." for step in range(len(text)))


def numbers(values: np.ndarray) -> list[int]:
    return [int(value) for value in values]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('a "bc" d', "...bc..."),
        ("it's 'so it's.' o' k", "......so it's......."),
        ("'tis th' end", "." * 12),
        ('a "' + 401 * "b" + '" c "d"', "." * 409 + "d."),
        ('a "b\n\nc" d', "." * 10),
        ("“no” ‘on’", ".no...on."),
    ],
)
def test_inside_quotes(text: str, inside: str):
    assert held(characters(text), properties.inside_quotes(characters(text))) == inside


def test_brackets_and_their_depth():
    text = characters("a(b[c]d)e")
    assert numbers(properties.bracket_depth(text)) == [0, 0, 1, 1, 2, 1, 1, 0, 0]
    assert held(text, properties.inside_brackets(text)) == "..b[c]d.."


def test_places_in_line_word_and_sentence():
    text = characters("ab c.\nDe f")
    assert numbers(properties.line_position(text)) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert numbers(properties.word_position(text)) == [1, 2, 0, 1, 0, 0, 1, 2, 0, 1]
    assert numbers(properties.word_length(text)) == [2, 2, 0, 1, 0, 0, 2, 2, 0, 1]
    assert numbers(properties.sentence_position(text)) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert held(text, properties.line_break(text)) == ".....\n...."


def test_the_end_of_a_line_comes_within_six_pieces():
    text = characters("abcdefgh\nij")
    assert held(text, properties.line_end_soon(text)) == "..cdefgh..."


def test_letters():
    text = characters("MAYOR:\nAn Owl, 1 b!")
    assert held(text, properties.capital(text)) == "MAYOR..A..O........"
    assert held(text, properties.shouted(text)) == "MAYOR.............."
    assert held(text, properties.speaker(text)) == "MAYOR:............."
    assert held(text, properties.vowel(text)) == ".A.O...A..O........"
    assert held(text, properties.punctuation(text)) == ".....:.......,....!"
    assert held(text, properties.digit(text)) == "...............1..."
    assert held(text, properties.blank(text)).count(" ") == 3


def test_words():
    text = words('He did not say " cats and dogs " to this bus in 1999 .')
    assert held(text, properties.inside_quotes(text)) == "....." + "catsanddogs" + "......."
    assert held(text, properties.plural(text)) == ".....cats.dogs......."
    assert held(text, properties.negated(text)) == '..notsay"cats.........'
    assert held(text, properties.digit(text)) == "." * 13 + "1999."
    assert held(text, properties.capital(text)) == "He" + "." * 14
    assert numbers(properties.word_length(text))[:3] == [2, 3, 3]
    assert numbers(properties.line_position(words("a b\nc d\n\ne"))) == [0, 1, 0, 1, 0]
    assert numbers(properties.sentence_position(words("a b . c : d"))) == [0, 1, 2, 0, 1, 0]


def test_a_pattern_marks_every_piece_that_it_overlaps():
    text = words("the cat sat on them")
    assert held(text, matches(text, r"\bth\w*")) == "the...them"
    assert held(text, matches(text, r"t s")) == ".catsat.."
    assert matches(text, "zebra").sum() == 0
    assert matches(text, r"\b").sum() == 0  # empty matches overlap nothing


@pytest.mark.parametrize(
    ("pattern", "says"),
    [("(a", "not a regular expression"), ("x" * 301, "301 characters; the limit is 300"), ("[", "regular expression")],
)
def test_a_bad_pattern_is_one_sentence(pattern: str, says: str):
    with pytest.raises(InvalidInputError, match=says):
        matches(characters("abc"), pattern)


def test_a_pattern_that_would_run_for_ever_is_stopped():
    started = time.monotonic()
    with pytest.raises(InvalidInputError, match=r"longer than 0\.5 seconds"):
        matches(characters("a" * 5000 + "b"), r"(a|aa)+$")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("text", ["", "\n", '"', "((((", "字 «ß» 😀\n\n", "'''", "a" * 3000])
def test_any_text_has_finite_properties(text: str):
    for one in (characters(text), words(text)):
        for found in properties_of(one, own_pattern="a"):
            assert found.values.shape == (len(one),)
            assert np.isfinite(found.values).all()
            if found.binary:
                assert set(found.values) <= {0.0, 1.0}


def test_every_property_has_a_name_and_a_rule():
    names = [property_name(name) for name in PROPERTY_NAMES]
    assert len(set(names)) == len(names)
    assert all(property_rule(name).endswith(".") for name in PROPERTY_NAMES)
