"""Example sentences for the translation models, each with a translation by a person."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.i18n import Translator


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationExample:
    """A worked example.

    Args:
        id: of the syllabus.
        title: what it shows, in the reader's language.
        text: the source.
        model: that reads its language.
        reference: a person's translation.
    """

    id: str
    title: str
    text: str
    model: str
    reference: str


JANE = "Jane visite l'Afrique en septembre."


def translation_examples(t: Translator) -> tuple[TranslationExample, ...]:
    """The first one opens a page."""
    return (
        TranslationExample(
            id="S1",
            title=t("Jane in Africa: the lecture's sentence"),
            text=JANE,
            model="fra-eng-attention",
            reference="Jane visits Africa in September.",
        ),
        TranslationExample(
            id="R3",
            title=t("Do you want to sing with me?"),
            text="Voulez-vous chanter avec moi ?",
            model="fra-eng-attention",
            reference="Do you want to sing with me?",
        ),
        TranslationExample(
            id="S3",
            title=t("Two clauses: greedy takes another way"),
            text="Quand j'étais petit, je voulais devenir pilote, mais j'avais peur des avions.",
            model="fra-eng-attention",
            reference="When I was little, I wanted to become a pilot, but I was afraid of planes.",
        ),
        TranslationExample(
            id="A1",
            title=t("A long sentence: what attention is for"),
            text=(
                "Jane s'est rendue en Afrique en septembre dernier, a apprécié la culture et a rencontré beaucoup de "
                "gens merveilleux ; elle est revenue en disant que son voyage était merveilleux."
            ),
            model="fra-eng-attention",
            reference=(
                "Jane went to Africa last September, enjoyed the culture and met many wonderful people; she came "
                "back saying that her trip was wonderful."
            ),
        ),
        TranslationExample(
            id="R3b",
            title=t("A photograph, English to French"),
            text="Two young girls are playing with a brown dog on the beach.",
            model="eng-fra-multi30k",
            reference="Deux jeunes filles jouent avec un chien marron sur la plage.",
        ),
        TranslationExample(
            id="R3c",
            title=t("Chinese to English"),
            text="我们明天去北京。",
            model="cmn-eng-attention",
            reference="We are going to Beijing tomorrow.",
        ),
    )
