from __future__ import annotations

import pytest

from seqviz.checkpoints import list_translators
from seqviz.language_guess import language_of, translator_for


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Jane visite l'Afrique en septembre.", "fra"),
        ("Voulez-vous chanter avec moi ?", "fra"),
        ("J'étais petit.", "fra"),
        ("Il fait froid aujourd'hui.", "fra"),
        ("Two young girls are playing with a brown dog on the beach.", "eng"),
        ("There is nothing to like in this movie.", "eng"),
        ("It's a naïve plan, and that's all.", "eng"),
        ("我们明天去北京。", "cmn"),
        ("", "eng"),
        ("1234 ???", "eng"),
    ],
)
def test_a_sentence_is_known_by_its_script_and_its_small_words(text: str, language: str):
    assert language_of(text) == language


def test_the_model_that_is_offered_reads_the_language(monkeypatch):
    monkeypatch.delenv("SEQVIZ_CHECKPOINTS", raising=False)
    found, _ = list_translators()
    for text, name in (
        ("我们明天去北京。", "cmn-eng"),
        ("Voulez-vous chanter avec moi ?", "fra-eng"),
        ("A dog runs.", "eng-fra"),
    ):
        info = translator_for(text, found)
        assert info is not None
        assert info.name.startswith(name)
    assert translator_for("A dog runs.", []) is None
