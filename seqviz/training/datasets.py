"""Readers of the documented data formats; a name that ends in .gz is unpacked on the way.

text            UTF-8 text (language models)
classification  one example a line: label TAB text
tagging         one word a line: word TAB tag (BIO), an empty line after each sentence
translation     one pair a line, columns divided by TAB (``seqviz.training.parallel``)
"""

from __future__ import annotations

import gzip
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from seqviz.errors import DataFormatError
from seqviz.files import reason_of

Labelled = tuple[str, str]
"""(label, text)"""

Tagged = tuple[tuple[str, ...], tuple[str, ...]]
"""(words, tags)"""


def read_text(path: Path) -> str:
    """A whole text file; line ends are kept as they are."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return data.decode("utf-8")
    except FileNotFoundError as error:
        raise DataFormatError("There is no data file {path}.", path=path) from error
    except (PermissionError, IsADirectoryError) as error:
        raise DataFormatError("{path} cannot be read: {reason}.", path=path, reason=reason_of(error)) from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataFormatError("{path} cannot be read as UTF-8 text: {reason}.", path=path, reason=error) from error


def read_classification(path: Path) -> list[Labelled]:
    """Rows of label TAB text."""
    rows = []
    for number, line in lines(path):
        label, tab, text = line.partition("\t")
        if not tab or not text.strip():
            raise DataFormatError(
                "{path}, line {number}: expected label TAB text, found {line!r}.",
                path=path.name,
                number=number,
                line=line[:60],
            )
        rows.append((label, text))
    return rows


def read_tagging(path: Path) -> list[Tagged]:
    """Sentences of word TAB tag lines, divided by empty lines."""
    sentences: list[Tagged] = []
    words: list[str] = []
    tags: list[str] = []
    for number, line in [*lines(path, keep_empty=True), (0, "")]:
        if not line.strip():
            if words:
                sentences.append((tuple(words), tuple(tags)))
                words, tags = [], []
            continue
        fields = line.split("\t")
        if len(fields) != 2 or not re.fullmatch(r"O|[BI]-\S+", fields[1]):
            raise DataFormatError(
                "{path}, line {number}: expected word TAB tag (O, B-... or I-...), found {line!r}.",
                path=path.name,
                number=number,
                line=line[:60],
            )
        words.append(fields[0])
        tags.append(fields[1])
    return sentences


SHORTEST_OVERLAP = 12
"""Letters and digits that a text needs for being looked for inside others; below, only equal texts overlap."""


def without_overlap(rows: Iterable[Labelled], held_out: Iterable[Labelled]) -> list[Labelled]:
    """Drops rows that equal, contain or are contained in a held-out text (letters and digits compared, case folded)."""
    held = {_key(text) for _, text in held_out}
    long = [key for key in held if len(key) >= SHORTEST_OVERLAP]
    haystack = "\n".join(long)
    kept = []
    for label, text in rows:
        key = _key(text)
        inside = len(key) >= SHORTEST_OVERLAP and key in haystack
        if key in held or inside or any(other in key for other in long):
            continue
        kept.append((label, text))
    return kept


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold().replace("lrb", "").replace("rrb", ""))


def lines(path: Path, *, keep_empty: bool = False) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers from 1, without their ends; empty ones only if they are kept."""
    for number, raw in enumerate(read_text(path).split("\n"), 1):
        line = raw.rstrip("\r")
        if line.strip() or keep_empty:
            yield number, line
