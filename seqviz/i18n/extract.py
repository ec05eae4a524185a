"""Brings the catalogues up to date with the code: ``python -m seqviz.i18n.extract``.

Message ids are the first argument of ``t("...")`` and ``msgid("...")``, the template of every seqviz error, and the
field that ``unknown_name`` is given. Sentences that the code no longer has are dropped, new ones are added empty.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from seqviz import __version__, errors
from seqviz.i18n import LANGUAGES, SOURCE_LANGUAGE, catalogue_path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "seqviz")
ERROR_NAMES = tuple(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.SeqvizError)
)
KEYWORDS = frozenset(("t", "msgid", "unknown_name", *ERROR_NAMES))


def extracted(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Every message id in the code with the file that it stands in, relative to ``root``.

    Babel's own extraction reads tokens, and what an f-string holds is a token of its own only from Python 3.12 on; the
    syntax tree is the same everywhere.
    """
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                message = _message(node)
                if message is not None:
                    yield message, path.relative_to(root).as_posix()


def _message(node: ast.AST) -> str | None:
    """The literal first argument of a call of one of the keywords."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    first = node.args[0]
    literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return first.value if literal and name in KEYWORDS else None  # type: ignore[attr-defined]


def updated(language: str, root: Path = ROOT) -> Catalog:
    """The catalogue of a language with exactly the message ids of the code and the translations that it has."""
    path = catalogue_path(language)
    old = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale=language)
    new = Catalog(
        locale=language,
        project="seqviz",
        version=__version__,
        msgid_bugs_address="the project's issue tracker",
        last_translator="seqviz",
        language_team=LANGUAGES[language],
        header_comment="# seqviz: sentences of the product. Written by hand, message ids by seqviz.i18n.extract.",
        # Dates that change at every run would make a difference where there is none.
        creation_date=old.creation_date,
        revision_date=old.revision_date if isinstance(old.revision_date, datetime) else old.creation_date,
        fuzzy=False,
    )
    for message, file_name in extracted(root):
        known = old.get(message)
        new.add(message, string=known.string if known is not None else "", locations=[(file_name, 0)])
    return new


def to_text(catalogue: Catalog) -> str:
    """The text of a .po file, sorted by message id, so that two people's changes rarely meet."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=118, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return buffer.getvalue().decode("utf-8")


def missing(catalogue: Catalog) -> list[str]:
    """Message ids without a translation."""
    return sorted(str(message.id) for message in catalogue if message.id and not message.string)


def main(arguments: list[str] | None = None) -> int:
    """Writes the catalogues, or only compares them; the exit status is 1 if something is left to do."""
    parser = argparse.ArgumentParser(description="Bring the catalogues up to date with the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a catalogue is out of date")
    check = parser.parse_args(arguments).check
    complete = True
    for language in LANGUAGES:
        if language == SOURCE_LANGUAGE:
            continue
        path, catalogue = catalogue_path(language), updated(language)
        text, open_ids = to_text(catalogue), missing(catalogue)
        current = path.exists() and path.read_text("utf-8") == text
        if not check and not current:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        complete = complete and not open_ids and (current or not check)
        lines = [f"{language}: {len(catalogue)} sentences, {len(open_ids)} without a translation"]
        sys.stdout.write("\n".join([*lines, *(f"  {message!r}" for message in open_ids)]) + "\n")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
