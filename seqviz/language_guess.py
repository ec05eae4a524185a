"""Which language a sentence is in, as far as it takes to offer a translation model that reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from seqviz.checkpoints import TranslatorInfo

_FRENCH = (
    "au aux avec ce ces cette dans de des du elle en est et il ils je la le les ma mais mes mon ne nous où par pas "
    "pour que qui sa ses son sont sur tu un une vous"
)
_ENGLISH = (
    "an and are at but by for from he her his i in is it my not of our she that the their there they this to was we "
    "were who with you your"
)


def language_of(text: str) -> str:
    """``"cmn"``, ``"fra"`` or ``"eng"``: by its script, else by its small words and accents; English where in doubt."""
    if re.search(r"[\u4e00-\u9fff]", text):
        return "cmn"
    words = re.findall(r"[^\W\d_]+", text.lower())
    french = sum(word in _FRENCH.split() for word in words) + 2 * len(
        re.findall(r"\b[cdjlmnst]['’](?=\w)", text.lower())
    )
    french -= 2 * len(re.findall(r"\w['’][stdm]\b", text.lower()))
    french += len(re.findall(r"[àâçèéêëîïôùûœ]", text.lower()))
    return "fra" if french > sum(word in _ENGLISH.split() for word in words) else "eng"


def translator_for(text: str, translators: Iterable[TranslatorInfo]) -> TranslatorInfo | None:
    """The first translation model that reads the sentence's language; the family's name says ``-source-target``."""
    language = language_of(text)
    return next((info for info in translators if info.family.split("-")[-2:-1] == [language]), None)
