"""The readers of the data formats: what they accept, what they say of a wrong line, what counts as overlap."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from seqviz.errors import DataFormatError
from seqviz.training.datasets import read_classification, read_tagging, read_text, without_overlap


def written(folder: Path, text: str, name: str = "some.tsv") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return path


def test_text_is_read_with_its_line_ends(tmp_path: Path) -> None:
    assert read_text(written(tmp_path, "a\r\nbü\n")) == "a\r\nbü\n"


def test_packed_text_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "some.txt.gz"
    path.write_bytes(gzip.compress("naïve".encode()))
    assert read_text(path) == "naïve"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match=r"There is no data file .*absent\.tsv"):
        read_text(tmp_path / "absent.tsv")


def test_text_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("naïve".encode("latin-1"))
    with pytest.raises(DataFormatError, match=r"latin\.txt cannot be read as UTF-8"):
        read_text(path)


def test_damaged_gzip_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "cut.txt.gz"
    path.write_bytes(gzip.compress(b"some text that is cut off")[:-12])
    with pytest.raises(DataFormatError, match=r"cut\.txt\.gz cannot be read"):
        read_text(path)


def test_classification_rows_are_label_and_text(tmp_path: Path) -> None:
    path = written(tmp_path, "1\ta good film\r\n\n0\tdull\twith a tab\n")
    assert read_classification(path) == [("1", "a good film"), ("0", "dull\twith a tab")]


@pytest.mark.parametrize("line", ["no tab here", "1\t", "1\t   "])
def test_wrong_classification_line_is_named_with_file_and_number(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, f"1\tfine\n\n{line}\n")
    with pytest.raises(DataFormatError, match=r"some\.tsv, line 3: expected label TAB text"):
        read_classification(path)


def test_tagged_sentences_are_divided_by_empty_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "\nJane\tB-PER\nAusten\tI-PER\nwrote\tO\n\n\nYes\tO\n")
    assert read_tagging(path) == [
        (("Jane", "Austen", "wrote"), ("B-PER", "I-PER", "O")),
        (("Yes",), ("O",)),
    ]


@pytest.mark.parametrize("line", ["Jane PER", "Jane", "Jane\tPER", "Jane\tB-", "Jane\tB-PER\tX"])
def test_wrong_tagging_line_is_named_with_file_and_number(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, f"Yes\tO\n\n{line}\n", "some.conll")
    with pytest.raises(DataFormatError, match=r"some\.conll, line 3: expected word TAB tag"):
        read_tagging(path)


HELD_OUT = [("1", "A wonderful , quiet film ."), ("0", "dull .")]


@pytest.mark.parametrize(
    "text",
    [
        "a wonderful, quiet film",
        "A WONDERFUL QUIET FILM!",
        "it is a wonderful , quiet film , says she",
        "wonderful , quiet",
        "-lrb- a wonderful quiet film -rrb-",
        "Dull",
    ],
)
def test_text_that_equals_contains_or_lies_in_a_held_out_text_is_dropped(text: str) -> None:
    assert without_overlap([("1", text)], HELD_OUT) == []


@pytest.mark.parametrize("text", ["a wonderful film", "quiet", "a dull and long story"])
def test_text_that_only_shares_words_with_a_held_out_text_is_kept(text: str) -> None:
    assert without_overlap([("1", text)], HELD_OUT) == [("1", text)]


def test_review_rows_used_for_sentiment_hold_no_held_out_sentence(corpus: Callable[[str], Path]) -> None:
    held_out = read_classification(corpus("sst2") / "valid.tsv")
    rows = read_classification(corpus("rt_polarity") / "train.tsv")
    kept = without_overlap(rows, held_out)
    assert (len(rows), len(kept)) == (7851, 7115)
    squeezed = "\n".join("".join(c for c in text.casefold() if c.isalnum()) for _, text in kept)
    plain = ["".join(c for c in text.casefold() if c.isalnum()) for _, text in held_out]
    assert [text for text in plain if len(text) >= 40 and text in squeezed] == []
