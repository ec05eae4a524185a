"""What a text says at every piece: inside quotes, place in the line, capital letters ... and a reader's own pattern.

Every property is computed from the text alone, by a plain rule that its docstring or comment states; none of them sees
the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

import numpy as np
import regex

from seqviz.errors import InvalidInputError
from seqviz.types import FloatArray, IntArray
from seqviz.units import LongText, PieceKind

PATTERN_SECONDS = 0.5
MAX_PATTERN_LENGTH = 300
LINE_END_PIECES = 6
NEGATION_REACH = 3
OWN_PATTERN = "pattern"

Rule = Callable[[LongText], FloatArray]

# Double marks and curly ones pair up. Straight single ones are apostrophes too: one opens before a letter that has none
# before it, and closes behind a punctuation mark; tokenized words keep theirs apart, so there they never count.
_LONGEST_QUOTATION = 400
_INSIDE = rf"(?:[^%s\n]|\n(?!\s*\n)){{1,{_LONGEST_QUOTATION}}}"
_DOUBLE = "|".join(f"{first}{_INSIDE % last}{last}" for first, last in ('""', "“”", "‘’"))
_SINGLE = rf"(?<!\w)'(?=\w)(?:[^'\n]|(?<=\w)'(?=\w)|\n(?!\s*\n)){{1,{_LONGEST_QUOTATION}}}?(?<=[.,;:!?])'(?!\w)"
_QUOTATIONS: Mapping[PieceKind, re.Pattern[str]] = MappingProxyType(
    {"word": re.compile(_DOUBLE), "character": re.compile(rf"(?<!\w)(?=\S\S)(?:{_DOUBLE})|{_SINGLE}")}
)
_WORDS = re.compile(r"\w+(?:['’]\w+)*")
_SHOUTED = re.compile(r"\b[^\W\d_a-z]{2,}\b")
_SPEAKERS = re.compile(r"(?m)^[^\n:]{1,40}:(?=\s*$)")
_SENTENCE_ENDS = re.compile(r"[.!?;:]+[\"'”’)]*\s|\n\s*\n")
_NEGATIONS = frozenset(
    ("not", "n't", "no", "never", "nothing", "nobody", "neither", "nor", "without", "hardly", "cannot")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A property of a text.

    Args:
        name: under which it is shown and asked for.
        binary: whether it is yes or no.
        values: (step,) float64.
    """

    name: str
    binary: bool
    values: FloatArray


def properties_of(text: LongText, *, own_pattern: str = "") -> list[Property]:
    """Every property of a text of this kind, and the reader's own pattern if there is one.

    Raises:
        InvalidInputError: the pattern is no regular expression, too long, or takes too long.
    """
    rules = rules_for(text.kind).items()
    found = [Property(name=name, binary=is_binary(name), values=rule(text)) for name, rule in rules]
    # Where no bracket stands within another, the depth says nothing more.
    found = [one for one in found if one.name != "bracket_depth" or one.values.max(initial=0) > 1]
    if own_pattern:
        found.append(Property(name=OWN_PATTERN, binary=True, values=matches(text, own_pattern)))
    return found


def rules_for(kind: PieceKind) -> Mapping[str, Rule]:
    """The rules that say something about characters, or about words."""
    return _CHARACTER_RULES if kind == "character" else _WORD_RULES


def is_binary(name: str) -> bool:
    """Whether a property is yes or no."""
    return name not in _NUMBERS


def matches(text: LongText, pattern: str) -> FloatArray:
    """1 for the pieces that a match of a regular expression overlaps.

    The time is limited, so that no pattern can hold up anybody else.
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidInputError(
            "The pattern has {count} characters; the limit is {limit}.", count=len(pattern), limit=MAX_PATTERN_LENGTH
        )
    try:
        found = [
            one.span() for one in regex.finditer(pattern, text.text, timeout=PATTERN_SECONDS, flags=regex.MULTILINE)
        ]
    except regex.error as error:
        raise InvalidInputError("This is not a regular expression: {reason}.", reason=error) from error
    except TimeoutError as error:
        raise InvalidInputError(
            "The pattern takes longer than {seconds} seconds on this text; a simpler one is needed.",
            seconds=PATTERN_SECONDS,
        ) from error
    return _overlapped(text, found)


# ---- yes or no


def inside_quotes(text: LongText) -> FloatArray:
    """Between quotation marks; one that is not closed within 400 characters, or before a blank line, is none."""
    found = _QUOTATIONS[text.kind].finditer(text.text)
    return _overlapped(text, [(one.start() + 1, one.end() - 1) for one in found])


def inside_brackets(text: LongText) -> FloatArray:
    """Between round, square or curly brackets."""
    return (bracket_depth(text) > 0).astype(np.float64)


def capital(text: LongText) -> FloatArray:
    """A capital letter, or a word that begins with one."""
    return _of_pieces(text, lambda piece: piece[:1].isupper())


def shouted(text: LongText) -> FloatArray:
    """Within a word of two or more capitals."""
    return _overlapped(text, [one.span() for one in _SHOUTED.finditer(text.text)])


def speaker(text: LongText) -> FloatArray:
    """Within a line that is a name and a colon, as before a speech in a play."""
    return _overlapped(text, [one.span() for one in _SPEAKERS.finditer(text.text)])


def vowel(text: LongText) -> FloatArray:
    """One of a, e, i, o, u."""
    return _of_pieces(text, lambda piece: piece.lower() in "aeiou")


def blank(text: LongText) -> FloatArray:
    """A space."""
    return _of_pieces(text, lambda piece: piece == " ")


def line_break(text: LongText) -> FloatArray:
    """The end of a line."""
    return _of_pieces(text, lambda piece: piece == "\n")


def line_end_soon(text: LongText) -> FloatArray:
    """The line ends within the next few pieces."""
    return _soon(_overlapped(text, _line_ends(text)), LINE_END_PIECES)


def punctuation(text: LongText) -> FloatArray:
    """A punctuation mark."""
    return _of_pieces(text, lambda piece: bool(piece) and not any(c.isalnum() or c.isspace() for c in piece))


def digit(text: LongText) -> FloatArray:
    """A piece with a digit in it."""
    return _of_pieces(text, lambda piece: any(c.isdigit() for c in piece))


def plural(text: LongText) -> FloatArray:
    """A word in lower case of four or more letters that ends in s, but not in ss, us or is: a rough rule."""
    return _of_pieces(
        text, lambda piece: len(piece) > 3 and piece.isalpha() and piece.islower() and _PLURAL.search(piece) is not None
    )


_PLURAL = re.compile(r"[^sui]s$")


def negated(text: LongText) -> FloatArray:
    """A negation or one of the three pieces behind it."""
    says = [text.piece(step).lower() in _NEGATIONS for step in range(len(text))]
    since = accumulate(says, lambda count, yes: 0 if yes else count + 1, initial=len(text) + NEGATION_REACH)
    return np.array([count <= NEGATION_REACH for count in since][1:], np.float64)


# ---- numbers


def bracket_depth(text: LongText) -> FloatArray:
    """How many brackets are open; a blank line closes all."""
    depth, depths = 0, np.zeros(len(text.text) + 1)
    for index, character in enumerate(text.text):
        closes = character in ")]}"
        depth = max(0, depth - 1) if closes else depth
        depths[index] = depth
        if character in "([{":
            depth += 1
        elif character == "\n" and text.text[index + 1 : index + 2] == "\n":
            depth = 0
    return depths[np.minimum(text.starts, len(text.text))]


def line_position(text: LongText) -> FloatArray:
    """Pieces since the line began."""
    return _since(_begins(text, _line_ends(text)))


def sentence_position(text: LongText) -> FloatArray:
    """Pieces since the sentence began."""
    return _since(_begins(text, [(one.end() - 1, one.end()) for one in _SENTENCE_ENDS.finditer(text.text)]))


def word_position(text: LongText) -> FloatArray:
    """Which letter of its word a character is, from 1; 0 outside words."""
    return _within_words(text, lambda start, end: np.arange(1, end - start + 1))


def word_length(text: LongText) -> FloatArray:
    """Letters of the word that a piece belongs to; 0 outside words."""
    return _within_words(text, lambda start, end: np.full(end - start, end - start))


_CHARACTER_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "inside_quotes": inside_quotes,
        "inside_brackets": inside_brackets,
        "line_position": line_position,
        "line_end_soon": line_end_soon,
        "line_break": line_break,
        "word_position": word_position,
        "word_length": word_length,
        "sentence_position": sentence_position,
        "blank": blank,
        "vowel": vowel,
        "capital": capital,
        "shouted": shouted,
        "speaker": speaker,
        "punctuation": punctuation,
        "digit": digit,
        "bracket_depth": bracket_depth,
    }
)
_WORD_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "inside_quotes": inside_quotes,
        "inside_brackets": inside_brackets,
        "capital": capital,
        "plural": plural,
        "digit": digit,
        "punctuation": punctuation,
        "negated": negated,
        "sentence_position": sentence_position,
        "line_position": line_position,
        "word_length": word_length,
        "bracket_depth": bracket_depth,
    }
)
_NUMBERS = frozenset(("bracket_depth", "line_position", "sentence_position", "word_position", "word_length"))

PROPERTY_NAMES: tuple[str, ...] = (*dict.fromkeys([*_CHARACTER_RULES, *_WORD_RULES]), OWN_PATTERN)
"""Every name that a property can have."""


# ---- from characters to pieces


def _of_pieces(text: LongText, says: Callable[[str], bool]) -> FloatArray:
    return np.array([says(text.piece(step)) for step in range(len(text))], np.float64)


def _covered(text: LongText, spans: list[tuple[int, int]]) -> IntArray:
    """How many characters before each place lie in one of the spans."""
    change = np.zeros(len(text.text) + 2)
    for start, end in spans:
        change[start] += 1
        change[max(start, end)] -= 1
    return np.concatenate([[0], np.cumsum(np.cumsum(change) > 0)])


def _overlapped(text: LongText, spans: list[tuple[int, int]]) -> FloatArray:
    """1 for the pieces that share a character with one of the spans."""
    before = _covered(text, spans)
    return (before[text.ends] > before[text.starts]).astype(np.float64)


def _begins(text: LongText, ends: list[tuple[int, int]]) -> FloatArray:
    """1 for the first piece, and for those with one of the spans in the piece before them or between the two."""
    before = _covered(text, ends)[text.starts]
    return (np.diff(before, prepend=-1) > 0).astype(np.float64)


def _line_ends(text: LongText) -> list[tuple[int, int]]:
    return [(place, place + 1) for place, character in enumerate(text.text) if character == "\n"]


def _since(begins: FloatArray) -> FloatArray:
    """Steps since the last beginning, which itself has 0."""
    steps = np.arange(len(begins))
    return (steps - np.maximum.accumulate(np.where(begins > 0, steps, 0))).astype(np.float64)


def _soon(marks: FloatArray, reach: int) -> FloatArray:
    """1 for the pieces with a mark among the next ``reach``."""
    ahead = np.concatenate([np.cumsum(marks), np.full(reach, marks.sum())])
    return (ahead[reach : reach + len(marks)] > ahead[: len(marks)]).astype(np.float64)


def _within_words(text: LongText, numbers: Callable[[int, int], np.ndarray]) -> FloatArray:
    of_characters = np.zeros(len(text.text) + 1)
    for one in _WORDS.finditer(text.text):
        of_characters[one.start() : one.end()] = numbers(*one.span())
    return of_characters[np.minimum(text.starts, len(text.text))]
