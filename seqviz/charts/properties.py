"""What the properties of a text are called, and which rule each of them follows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from seqviz.i18n import Translator, english, msgid

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "inside_quotes": msgid("inside quotes"),
        "inside_brackets": msgid("inside brackets"),
        "line_position": msgid("position in the line"),
        "line_end_soon": msgid("end of line coming"),
        "line_break": msgid("line break"),
        "word_position": msgid("position in the word"),
        "word_length": msgid("length of the word"),
        "sentence_position": msgid("position in the sentence"),
        "blank": msgid("space"),
        "vowel": msgid("vowel"),
        "capital": msgid("capital letter"),
        "shouted": msgid("word in capitals"),
        "speaker": msgid("speaker's name"),
        "punctuation": msgid("punctuation mark"),
        "digit": msgid("number"),
        "bracket_depth": msgid("bracket depth"),
        "plural": msgid("plural"),
        "negated": msgid("near a negation"),
        "pattern": msgid("your pattern"),
    }
)

_RULES: Mapping[str, str] = MappingProxyType(
    {
        "inside_quotes": msgid(
            "Between quotation marks; single ones, among characters, must close behind a punctuation mark."
        ),
        "inside_brackets": msgid("Between round, square or curly brackets."),
        "line_position": msgid("Pieces since the line began."),
        "line_end_soon": msgid("The line ends within the next 6 pieces."),
        "line_break": msgid("The line break itself."),
        "word_position": msgid("Which letter of its word it is, from 1; 0 between words."),
        "word_length": msgid("Letters of the whole word; 0 between words."),
        "sentence_position": msgid("Pieces since the last . ! ? ; or : or blank line."),
        "blank": msgid("A space."),
        "vowel": msgid("One of a, e, i, o, u."),
        "capital": msgid("A capital letter, or a word that begins with one."),
        "shouted": msgid("Within a word of two or more capitals."),
        "speaker": msgid("Within a line that is a name and a colon."),
        "punctuation": msgid("Neither letter nor digit nor blank."),
        "digit": msgid("With a digit in it."),
        "bracket_depth": msgid("How many brackets are open."),
        "plural": msgid("In lower case, four or more letters, ends in s but not in ss, us or is: a rough rule."),
        "negated": msgid("A negation (not, no, never ...) or one of the three words behind it."),
        "pattern": msgid("What your regular expression matches."),
    }
)


def property_name(name: str, t: Translator = english) -> str:
    """A property for people."""
    return t(_NAMES[name])


def property_rule(name: str, t: Translator = english) -> str:
    """How a property is decided."""
    return t(_RULES[name])
