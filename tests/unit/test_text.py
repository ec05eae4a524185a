from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqviz.errors import CheckpointError, UnknownNameError
from seqviz.text import UNKNOWN, TextEncoder, subword_buckets
from seqviz.text.subwords import word_shape

WORDS = TextEncoder.build(["the cat isn't on the mat , is it ?"], kind="word", lowercase=True)
CHARACTERS = TextEncoder.build(["hello, world\n"], kind="character")
SUBWORDS = TextEncoder.build(["the cat"], kind="word", buckets=64)
ENCODERS = pytest.mark.parametrize("encoder", [WORDS, CHARACTERS, SUBWORDS], ids=["words", "characters", "subwords"])

# Everything that can stand in a Python string, lone surrogates included.
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    ("text", "originals"),
    [
        ("doesn't", ["does", "n't"]),
        ("DOESN'T", ["DOES", "N'T"]),
        ("film's", ["film", "'s"]),
        ("I'll we've they're", ["I", "'ll", "we", "'ve", "they", "'re"]),
        ("well-known", ["well-known"]),
        ("-lrb- sic -rrb-", ["-lrb-", "sic", "-rrb-"]),
        ("3,000.5 days", ["3,000.5", "days"]),
        ("Yesterday, Harry Potter met Hermione.", ["Yesterday", ",", "Harry", "Potter", "met", "Hermione", "."]),
        ('"Teddy"!', ['"', "Teddy", '"', "!"]),
        ("  two\t words \n", ["two", "words"]),
        ("naïve café", ["naïve", "café"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("你好", ["你好"]),
        ("ok 👍🏽!", ["ok", "👍", "🏽", "!"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_words_are_split_as_in_the_penn_treebank(text, originals):
    assert list(WORDS.encode(text).originals) == originals


def test_characters_are_split_one_by_one_line_ends_included():
    assert CHARACTERS.encode("he\n👍").originals == ("h", "e", "\n", "👍")
    assert CHARACTERS.encode("he\n👍").pieces == ("h", "e", "\n", UNKNOWN)


def test_words_are_looked_up_in_lower_case_and_shown_as_written():
    encoded = WORDS.encode("The CAT purrs")
    assert encoded.pieces == ("the", "cat", UNKNOWN)
    assert encoded.originals == ("The", "CAT", "purrs")


def test_the_vocabulary_starts_with_unknown_and_then_the_frequent_pieces():
    encoder = TextEncoder.build(["b a b c b a"], kind="word")
    assert encoder.vocabulary == (UNKNOWN, "b", "a", "c")
    assert encoder.unknown_id == 0
    assert TextEncoder.build(["b a b c b a"], kind="word", min_count=2).vocabulary == (UNKNOWN, "b", "a")
    assert TextEncoder.build(["b a b c b a"], kind="word", max_size=2).vocabulary == (UNKNOWN, "b")


def test_words_that_are_split_already_are_numbered_as_they_are():
    encoded = WORDS.encode_words(["The", "isn't", "mat"])
    assert encoded.originals == ("The", "isn't", "mat")
    assert encoded.pieces == ("the", UNKNOWN, "mat")


def test_a_typed_unknown_sign_is_not_taken_for_a_word():
    assert set(WORDS.encode("<unk>").originals) == {"<", "unk", ">"}


def test_a_lone_surrogate_becomes_a_question_mark():
    assert CHARACTERS.encode("h\ud83de").originals == ("h", "?", "e")


@ENCODERS
@given(text=ANY_TEXT)
def test_any_text_can_be_encoded_and_its_originals_stand_in_it_in_order(encoder, text):
    encoded = encoder.encode(text)
    assert len(encoded.pieces) == len(encoded.originals) == len(encoded.ids) == len(encoded.buckets)
    text = text.encode("utf-8", "replace").decode("utf-8")
    place = 0
    for original in encoded.originals:
        assert original
        place = text.index(original, place) + len(original)
    assert all(0 <= index < len(encoder.vocabulary) for index in encoded.ids)
    assert encoder.decode(encoded.ids) == encoded.pieces


@given(text=ANY_TEXT)
def test_characters_lose_nothing(text):
    assert "".join(CHARACTERS.encode(text).originals) == text.encode("utf-8", "replace").decode("utf-8")


@given(text=ANY_TEXT)
def test_words_lose_only_white_space(text):
    shown = text.encode("utf-8", "replace").decode("utf-8")
    assert "".join("".join(WORDS.encode(text).originals).split()) == "".join(shown.split())


@ENCODERS
def test_an_encoder_survives_being_written_and_read(encoder, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(encoder.to_json(), encoding="utf-8")
    again = TextEncoder.load(path, buckets=64)
    text = "The cat isn't 猫, hello\n"
    assert again.vocabulary == encoder.vocabulary
    assert again.encode(text).ids == encoder.encode(text).ids
    assert again.encode(text).originals == encoder.encode(text).originals


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", "\0\1", json.dumps({"version": "1.0", "model": {"type": "evil"}})]
)
def test_a_file_that_is_no_tokenizer_is_refused(content, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is not a tokenizer"):
        TextEncoder.load(path)


def test_a_tokenizer_without_an_unknown_entry_is_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(WORDS.to_json().replace("<unk>", "<oov>"), encoding="utf-8")
    with pytest.raises(CheckpointError, match="has no <unk> entry"):
        TextEncoder.load(path)


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="tokenizer kind 'syllable' is not known; known are: character, word"):
        TextEncoder.build([""], kind="syllable")


def test_the_grams_of_a_word_are_those_of_bojanowski():
    # <ab> has <a ab b> <ab ab> and its shape; the whole framed word is not a gram of its own.
    assert len(subword_buckets("ab", 1000)) == 6
    assert subword_buckets("ab", 1000) == subword_buckets("ab", 1000)


@given(word=ANY_TEXT, buckets=st.integers(1, 100))
def test_rows_of_the_table_never_name_the_padding(word, buckets):
    rows = subword_buckets(word, buckets)
    assert rows
    assert all(1 <= row <= buckets for row in rows)


@pytest.mark.parametrize(
    ("word", "shape"), [("McDonald's", "XxXx'x"), ("2026", "0"), ("A-12b", "X-0x"), ("", ""), ("你好", "x")]
)
def test_the_shape_of_a_word_keeps_runs_of_capitals_letters_and_digits(word, shape):
    assert word_shape(word) == shape
