"""The translation checkpoints that come with seqviz: whole, described, judged, and as good as their cards say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from seqviz.checkpoints import list_translators, read_card
from seqviz.models.loading import load_translator
from seqviz.text.piece_encoder import BOS_ID
from seqviz.training.parallel import by_source
from seqviz.training.preparation import pairs_of
from seqviz.training.recipe import recipe_names
from seqviz.training.sentences import judged_sentences, translations
from seqviz.training.translation import bleu

ROOT = Path(__file__).resolve().parents[2] / "checkpoints"
FOUND, BROKEN = list_translators(ROOT)
INFOS = pytest.mark.parametrize("info", FOUND, ids=[info.name for info in FOUND])
NON_COMMERCIAL = ("multi30k",)


@pytest.fixture(autouse=True)
def shipped(monkeypatch):
    monkeypatch.delenv("SEQVIZ_CHECKPOINTS", raising=False)


def test_there_are_translators_and_none_is_broken():
    assert BROKEN == {}
    assert {info.name for info in FOUND} >= {"fra-eng-attention"}


@INFOS
def test_a_translator_loads_verified_and_is_small(info):
    loaded = load_translator(info.name)
    assert loaded.model.num_parameters() == info.num_parameters
    assert (ROOT / info.name / "model.safetensors").stat().st_size < 12e6
    memory = loaded.model.encode(torch.tensor([loaded.encoder.encode("a b c").ids]))
    step = loaded.model.step(memory, memory.first, torch.tensor([BOS_ID]))
    assert abs(step.log_probs.exp().sum().item() - 1) < 1e-5
    assert (step.attention is None) == (info.config.score == "none")


@INFOS
def test_a_translator_can_be_made_again_by_its_recipe(info):
    assert info.details["recipe"] in recipe_names()
    assert info.details["command"].startswith("seqviz train ")


@INFOS
def test_a_card_says_what_one_must_know(info):
    card = read_card(info.name)
    for heading in ("## Measured", "## To be read against", "## Data", "## Training", "## Known weaknesses"):
        assert heading in card, heading
    assert f"{info.figures['bleu']:.4g}" in card
    assert "to be written" not in card
    assert card.splitlines()[0].startswith("**") == info.restricted
    assert info.restricted or not any(name in json.dumps(info.details["data"]) for name in NON_COMMERCIAL)


@INFOS
def test_the_judged_sentences_of_a_card_are_what_the_model_says(info):
    sentences = judged_sentences(info.name)
    assert translations(load_translator(info.name), [s.source for s in sentences]) == [s.translation for s in sentences]
    card = read_card(info.name)
    for sentence in sentences:
        assert f"| {sentence.source} | {sentence.translation} | {sentence.verdict}" in card


@INFOS
def test_the_readme_says_the_measured_figure(info):
    text = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{info.name}` |"))
    assert f"{info.figures['bleu']:.1f}" in row
    assert f"{info.num_parameters:,}" in row


def test_the_sentences_of_the_lessons_keep_their_names_and_their_meaning():
    found = translations(
        load_translator("fra-eng-attention"),
        ["Jane visite l'Afrique en septembre.", "Voulez-vous chanter avec moi ?"],
    )
    # Name, continent and month are right; the tense is not (see the card).
    assert found[0].startswith("Jane visit")
    assert found[0].endswith(" Africa in September.")
    assert found[1] == "Do you want to sing with me?"


@pytest.mark.parametrize(
    ("name", "figure", "floor"), [("fra-eng-attention", "bleu", 50.0), ("eng-fra-multi30k", "bleu_test_2016", 52.0)]
)
def test_floors_are_passed(name, figure, floor):
    assert {info.name: info for info in FOUND}[name].figures[figure] >= floor


@INFOS
def test_the_measured_figure_comes_out_again_on_the_held_out_data(info, corpus):
    folder, file = Path(info.details["data"]["valid"]).parts
    references = by_source(pairs_of(info.details["data"], corpus(folder) / file))
    loaded = load_translator(info.name)
    # Every sixth source with greedy search: the same model, so nearly the same figure.
    part = dict(list(references.items())[::6])
    assert bleu(loaded.model, loaded.encoder, part, beam_size=1).score == pytest.approx(
        info.figures["bleu_greedy"], abs=3.5
    )
