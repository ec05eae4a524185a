"""Pieces of two languages: nothing unknown, nothing lost, words for the eye."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqviz.errors import CheckpointError
from seqviz.text import PieceEncoder, TextEncoder
from seqviz.text.piece_encoder import BOS_ID, EOS_ID, PAD_ID, joined

TEXTS = [
    "l'Afrique en Afrique d'Afrique Afrique Afrique",
    "Voulez-vous chanter avec moi ? vous vous chanter avec moi",
    "I don't know why, Tom. I don't know.",
    "我 爱 学 习 。",
]


@pytest.fixture(scope="module")
def encoder() -> PieceEncoder:
    return PieceEncoder.build(TEXTS * 3, max_size=420)


def words(encoder: PieceEncoder, text: str) -> list[str]:
    encoded = encoder.encode(text)
    return ["".join(encoded.pieces[a:b]) for a, b in encoder.word_groups(encoded.ids)]


def test_a_noun_is_the_same_piece_with_and_without_its_elided_article(encoder: PieceEncoder) -> None:
    assert encoder.encode("l'Afrique").pieces == ("▁l'‿", "▁Afrique")
    assert encoder.encode("Afrique").pieces == ("▁Afrique",)
    assert encoder.encode("Voulez-vous").pieces == ("▁Voulez", "-‿", "▁vous")


def test_contractions_stay_whole_and_marks_stand_alone(encoder: PieceEncoder) -> None:
    assert words(encoder, "I don't know, Tom.") == ["▁I", "▁don't", "▁know", ",", "▁Tom", "."]
    assert words(encoder, "avec moi ?") == ["▁avec", "▁moi", "▁?"]


def test_chinese_characters_are_pieces_of_their_own(encoder: PieceEncoder) -> None:
    assert encoder.encode("我爱学习。").pieces == ("▁", "我", "爱", "学", "习", "。")


def test_pieces_of_one_word_are_one_group(encoder: PieceEncoder) -> None:
    encoded = encoder.encode("Zorglub chanter")
    assert len(encoded.ids) > 3
    assert words(encoder, "Zorglub chanter") == ["".join(encoded.pieces[:-1]), "▁chanter"]
    groups = encoder.word_groups((*encoded.ids, EOS_ID))
    assert groups[-1] == (len(encoded.ids), len(encoded.ids) + 1)
    assert [a for a, _ in groups[1:]] == [b for _, b in groups[:-1]]


def test_what_was_written_stands_beside_each_piece(encoder: PieceEncoder) -> None:
    assert encoder.encode("l’Afrique, Voulez-vous").originals == ("l’", "Afrique", ",", "Voulez", "-", "vous")


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_nothing_to_read_gives_no_pieces(encoder: PieceEncoder, text: str) -> None:
    assert len(encoder.encode(text)) == 0
    assert encoder.word_groups(()) == []


@pytest.mark.parametrize(
    "text",
    [*TEXTS[:3], "我爱机器学习", "naïve 😀 <eos> <pad> ▁", "a'b'c l'l'l' --", "Zürich: 1 234,50 €?!", "\ud800 x"],
)
def test_nothing_is_unknown_and_the_text_comes_back(encoder: PieceEncoder, text: str) -> None:
    ids = encoder.encode(text).ids
    assert not {PAD_ID, 1, BOS_ID, EOS_ID} & set(ids)
    assert encoder.decode(ids) == text.replace("▁", "_").replace("\ud800", "?")


@given(st.text(max_size=40))
def test_any_text_comes_back_but_for_its_blanks(encoder: PieceEncoder, text: str) -> None:
    once = encoder.decode(encoder.encode(text).ids)
    assert encoder.decode(encoder.encode(once).ids) == once
    assert list(encoder.encode_all([once])[0]) == list(encoder.encode(once).ids)


def test_marks_of_the_vocabulary_are_left_out_of_a_text(encoder: PieceEncoder) -> None:
    ids = encoder.encode("Tom.").ids
    assert encoder.decode([BOS_ID, *ids, EOS_ID, PAD_ID]) == "Tom."


def test_bytes_that_are_no_character_become_the_replacement_character() -> None:
    assert joined(["▁a", "<0xE6>", "▁b"]) == "a\ufffd b"


def test_a_saved_encoder_reads_alike(encoder: PieceEncoder, tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(encoder.to_json(), encoding="utf-8")
    again = PieceEncoder.load(path)
    assert again.vocabulary == encoder.vocabulary
    assert again.encode("l'Afrique 机 ?").ids == encoder.encode("l'Afrique 机 ?").ids


def test_the_tokenizer_of_another_kind_of_model_is_refused(tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(TextEncoder.build(["a b"], kind="word").to_json(), encoding="utf-8")
    with pytest.raises(CheckpointError, match="not the tokenizer of a translation model"):
        PieceEncoder.load(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="not a tokenizer"):
        PieceEncoder.load(path)
