"""Files of sentence pairs, source and reference, and the pairs that come with seqviz."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from seqviz.errors import DataFormatError

MAX_PAIRS = 2000
MAX_BYTES = 4_000_000
MAX_CHARACTERS = 2000
"""Of one sentence."""
HEADERS = ({"source", "reference"}, {"source", "target"}, {"source", "translation"})
LESSON_SETS = ("fra-eng", "eng-fra")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePair:
    """A source and a translation of it by a person."""

    source: str
    reference: str


def read_pairs(content: bytes) -> tuple[SentencePair, ...]:
    """Reads a file of pairs: one a line, source and reference apart by a tab, a comma or a semicolon.

    The first line may name the columns (source, reference); empty lines are left out.

    Args:
        content: of the file; UTF-8, or UTF-16 with its mark.

    Raises:
        DataFormatError: with one sentence that says what is wrong, and in which line.
    """
    if len(content) > MAX_BYTES:
        raise DataFormatError(
            "The file has {size:.1f} MB; at most {limit:g} MB are read.", size=len(content) / 1e6, limit=MAX_BYTES / 1e6
        )
    pairs: list[SentencePair] = []
    for number, cells in _lines(_decoded(content)):
        if number == 1 and {cell.strip().lower() for cell in cells} in HEADERS:
            continue
        pairs.append(_pair(number, cells))
        if len(pairs) > MAX_PAIRS:
            raise DataFormatError("The file has more than {limit} pairs, which is the most.", limit=MAX_PAIRS)
    if not pairs:
        raise DataFormatError("The file has no pair of sentences.")
    return tuple(pairs)


@cache
def lesson_pairs(name: str) -> tuple[SentencePair, ...]:
    """Pairs of our own writing, one of ``LESSON_SETS``: everyday sentences, some long, some with rare words."""
    content = files("seqviz").joinpath("lesson_pairs/fra-eng.txt").read_bytes()
    pairs = read_pairs(content)
    if name == "fra-eng":
        return pairs
    return tuple(SentencePair(source=one.reference, reference=one.source) for one in pairs)


def lesson_set(model: str) -> str | None:
    """The lesson set whose sources a model reads, told by the checkpoint's name; None if there is none."""
    return next((name for name in LESSON_SETS if model.startswith(name)), None)


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataFormatError(
            "Line {line} is not UTF-8; save the file as UTF-8 and load it again.", line=line
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataFormatError("Line {line} holds a zero character: this is no text file.", line=line)
    return text


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Numbers and cells of the lines that are not empty."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    first = next((line for line in lines if line.strip()), "")
    if "\t" in first:
        # No quotes here: in a file with tabs a quotation mark is one.
        yield from ((number, line.split("\t")) for number, line in enumerate(lines, start=1) if line.strip())
        return
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataFormatError(
            "Line {line} cannot be read as CSV: {reason}.", line=reader.line_num, reason=str(error)
        ) from error


def _pair(number: int, cells: list[str]) -> SentencePair:
    if len(cells) != 2:
        raise DataFormatError(
            "Line {line} has {count} columns; each line needs two, source and reference, with a tab between them.",
            line=number,
            count=len(cells),
        )
    source, reference = (cell.strip() for cell in cells)
    if not source or not reference:
        raise DataFormatError("Line {line} has an empty source or reference.", line=number)
    if max(len(source), len(reference)) > MAX_CHARACTERS:
        raise DataFormatError(
            "Line {line} has a sentence of more than {limit} characters.", line=number, limit=MAX_CHARACTERS
        )
    return SentencePair(source=source, reference=reference)
