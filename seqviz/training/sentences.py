"""Judged translations: sentences of our own, what a model makes of them, and what a reader says of that.

``seqviz card NAME`` translates them anew and writes them into the model card; a translation that is no longer the
judged one is marked as not judged.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from seqviz.checkpoints import CARD, CONFIG, TranslatorInfo, checkpoints_root, read_any
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.files import write_atomically
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.training.card import model_card
from seqviz.training.recipe_file import load_recipe
from seqviz.training.translate import translate

VERDICTS = ("right", "understandable", "wrong")
"""What a reader may say: nothing to mend; the meaning arrives but the wording limps; the meaning is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A sentence with its judged translation.

    Args:
        source: what was typed.
        translation: what the model made of it when it was judged (beam 5); empty if nobody has yet.
        verdict: one of ``VERDICTS``.
        note: what is wrong with it.
    """

    source: str
    translation: str
    verdict: str
    note: str = ""


def judged_sentences(name: str) -> list[Judged]:
    """The judged sentences of a translation model; none if there is no file of that name."""
    file = resources.files("seqviz.training") / "sentences" / f"{name}.toml"
    if not file.is_file():
        return []
    sentences = [Judged(**entry) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["sentence"]]
    for sentence in sentences:
        if sentence.translation and sentence.verdict not in VERDICTS:
            raise unknown_name("verdict", sentence.verdict, VERDICTS)
    return sentences


def translations(loaded: LoadedTranslator, texts: Sequence[str], *, beam_size: int = 5) -> list[str]:
    """The best translation of each text.

    Raises:
        InvalidInputError: a text is empty, or ``beam_size`` is below 1.
    """
    if beam_size < 1:
        raise InvalidInputError("beam_size is {value}; allowed is 1 or more.", value=beam_size)
    sources = loaded.encoder.encode_all(texts)
    if not all(sources):
        raise InvalidInputError("There is nothing to translate yet: type at least one word.")
    return [loaded.encoder.decode(ids) for ids in translate(loaded.model, sources, beam_size=beam_size)]


def sentences_section(loaded: LoadedTranslator, sentences: Sequence[Judged]) -> str:
    """The section of a card: how many are right, and the table."""
    found = translations(loaded, [sentence.source for sentence in sentences])
    rows, counts = [], dict.fromkeys(VERDICTS, 0)
    for sentence, translation in zip(sentences, found, strict=True):
        judgement = "not judged"
        if translation == sentence.translation:
            counts[sentence.verdict] += 1
            judgement = f"{sentence.verdict}{': ' if sentence.note else ''}{sentence.note}"
        rows.append(f"| {sentence.source} | {translation} | {judgement} |")
    counted = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    table = "\n".join(rows)
    return (
        f"## {len(sentences)} sentences\n\n"
        f"Not from the data: written for this card or taken from the lessons. Beam 5, judged by a reader: "
        f"{counted}.\n\n"
        f"| source | translation | judgement |\n|---|---|---|\n{table}\n"
    )


def rewrite_card(name: str, *, root: Path | None = None) -> Path:
    """Writes the card of a checkpoint anew from its measured figures and the words of its recipe; returns its path."""
    root = root or checkpoints_root()
    info = read_any(name, root)
    description = json.loads((root / name / CONFIG).read_text(encoding="utf-8"))
    card = model_card(name, description, load_recipe(info.details["recipe"]).card)
    if isinstance(info, TranslatorInfo) and (sentences := judged_sentences(name)):
        card += f"\n{sentences_section(load_translator(name, root=root), sentences)}"
    write_atomically(root / name / CARD, card.encode("utf-8"))
    return root / name / CARD
