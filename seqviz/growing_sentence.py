"""A sentence that grows clause by clause, French and English, of our own writing (syllabus A1)."""

from __future__ import annotations

from collections.abc import Sequence

from seqviz.backends.translation_requests import SearchRequest
from seqviz.metrics.chrf import sentence_chrf
from seqviz.translation_searches import attention_search
from seqviz.translations import TranslationSearch

CLAUSES: tuple[tuple[str, str], ...] = (
    ("Jane visite l'Afrique en septembre", "Jane visits Africa in September"),
    (", parce qu'elle aime les animaux", ", because she likes animals"),
    (", et son frère reste à la maison", ", and her brother stays at home"),
    (", car il doit travailler demain", ", because he has to work tomorrow"),
    (", mais sa mère est très contente", ", but her mother is very happy"),
    (", et son père achète une voiture rouge", ", and her father buys a red car"),
    (", pendant que les enfants jouent dans le jardin", ", while the children play in the garden"),
    (", et le chat noir dort sur le canapé", ", and the black cat sleeps on the sofa"),
)
"""Each clause with a person's translation."""

FAMILIES = ("tatoeba-fra-eng",)
"""Families of models that read its language."""


def grown(count: int) -> tuple[str, str]:
    """The sentence of the first ``count`` clauses, and its translation by a person."""
    source, target = ("".join(parts) for parts in zip(*CLAUSES[:count], strict=True))
    return f"{source}.", f"{target}."


def growth_requests(model: str) -> list[SearchRequest]:
    """Asks a model for its translation of the sentence at every length, the shortest first."""
    texts = [grown(count)[0] for count in range(1, len(CLAUSES) + 1)]
    return [SearchRequest(model=model, text=text, config=attention_search(text)) for text in texts]


def growth_scores(found: Sequence[TranslationSearch]) -> list[float]:
    """chrF of the answers to ``growth_requests`` against a person's translation, in percent."""
    return [sentence_chrf(best_text(one), grown(count)[1]) for count, one in enumerate(found, start=1)]


def best_text(found: TranslationSearch) -> str:
    """The best translation that a search found; a dash where it found none."""
    return "–" if found.best is None else found.best.text
