"""Text of a reader or of a model inside Markdown: shown as it is."""

from __future__ import annotations

import re

_SHORTCODE = re.compile(r":(?=[\w+-]+:)")
# Emphasis, code, links, HTML, formulas, entities, tables; colours (:red[...]), addresses; and what makes a heading or a
# list of a line that begins with it.
_MARKS = re.compile(r"[\\`*\[\]<$~&|]|(?<!\w)_|_(?!\w)|:(?=[\w\[/])|^[#+>-]|(?<=^\d)[.)]", re.MULTILINE)
_LONGEST = 120
_WHOLE = ("known", "reason", "files")
"""Parameters of errors that are said in full: what is allowed, and why something went wrong."""


def as_text(text: str) -> str:
    """Any text, so that Markdown shows its characters and makes nothing of them."""
    # Nothing but another character keeps a shortcode from becoming a picture: this one has no width and no break.
    return _MARKS.sub(r"\\\g<0>", _SHORTCODE.sub(":\u2060", text))


def in_code(text: str) -> str:
    """Any text within a code span, where only the mark of its end would be read."""
    return text.replace("`", "ˋ")


def shortened(name: str, value: object) -> object:
    """A parameter of an error, short enough for a sentence; what a reader typed may be a whole text."""
    if isinstance(value, str) and name not in _WHOLE and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}…"
    return value
