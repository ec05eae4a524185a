"""The checkpoints that come with seqviz: whole, described, and as good as their cards say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqviz.checkpoints import list_checkpoints, read_card
from seqviz.examples import unroll_examples
from seqviz.i18n import english
from seqviz.models.loading import load_model
from seqviz.tracing.forward import trace
from seqviz.training.recipe import recipe_names

ROOT = Path(__file__).resolve().parents[2] / "checkpoints"
FOUND, BROKEN = list_checkpoints(ROOT)
INFOS = pytest.mark.parametrize("info", FOUND, ids=[info.name for info in FOUND])


@pytest.fixture(autouse=True)
def shipped(monkeypatch):
    monkeypatch.delenv("SEQVIZ_CHECKPOINTS", raising=False)


def test_the_three_families_are_there_and_none_is_broken():
    assert BROKEN == {}
    assert {info.config.task for info in FOUND} == {"language_model", "classification", "tagging"}
    assert {info.config.cell for info in FOUND} >= {"rnn_tanh", "gru", "lstm"}


def test_together_they_stay_below_150_megabytes():
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < 150e6


def test_they_hold_weights_as_safetensors_and_nothing_that_could_be_unpickled():
    names = {path.name for path in ROOT.glob("*/*")}
    assert names - {"bleu_by_length.json"} == {"README.md", "config.json", "model.safetensors", "tokenizer.json"}


@INFOS
def test_a_checkpoint_loads_verified_and_runs(info):
    loaded = load_model(info.name)
    result = trace(loaded, "To be, or not to be.")
    assert len(result.labels) == info.config.output_size == result.logits.shape[1]
    assert loaded.model.num_parameters() == info.num_parameters
    assert abs(result.probabilities.sum(-1) - 1).max() < 1e-5


@INFOS
def test_a_checkpoint_can_be_made_again_by_its_recipe(info):
    assert info.details["recipe"] in recipe_names()
    assert info.details["command"].startswith("seqviz train ")


@INFOS
def test_a_card_says_what_one_must_know(info):
    card = read_card(info.name)
    for heading in ("## Measured", "## To be read against", "## Data", "## Training", "## Known weaknesses"):
        assert heading in card, heading
    figure = info.details["figure"]
    assert f"{info.figures[figure]:.4g}" in card
    assert info.details["command"] in card
    assert f"seed {info.details['seed']}" in card


@INFOS
def test_weights_from_restricted_data_say_so_in_the_first_line_of_their_card(info):
    first = read_card(info.name).splitlines()[0]
    assert first.startswith("**") == info.restricted
    corpora = json.dumps(info.details["data"])
    non_commercial = any(name in corpora for name in ("wikineural",))
    assert info.restricted or not non_commercial


@INFOS
def test_the_readme_says_the_measured_figure(info):
    text = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{info.name}` |"))
    figure = info.figures[info.details["figure"]]
    assert (f"{figure:.3f} nats" if figure < 10 else f"{figure:.1f}") in row
    assert f"{info.num_parameters:,}" in row


def test_every_example_of_the_page_has_its_model():
    names = {info.name for info in FOUND}
    for example in unroll_examples(english):
        assert example.model in names
        assert example.compare_model in {"", *names}


def tags(model: str, text: str) -> dict[str, str]:
    result = trace(load_model(model), text)
    best = [result.top(step, 1)[0][0] for step in range(len(result))]
    return {word: tag for word, tag in zip(result.originals, best, strict=True) if tag != "O"}


def test_the_bidirectional_model_finds_the_persons_of_the_syllabus():
    assert tags("entities-bilstm", "Yesterday, Harry Potter met Hermione Granger.") == {
        "Harry": "B-PER",
        "Potter": "I-PER",
        "Hermione": "B-PER",
        "Granger": "I-PER",
    }


def test_sentiment_models_tell_the_plainest_reviews_apart():
    for info in FOUND:
        if info.config.task == "classification":
            loaded = load_model(info.name)
            for text, label in (("a wonderful , moving film", "positive"), ("a dull , lifeless mess", "negative")):
                assert trace(loaded, text).top(len(loaded.encoder.encode(text)) - 1, 1)[0][0] == label, info.name


FLOORS = {"sentiment-lstm": ("accuracy", 80.0)}
CEILINGS = {"shakespeare-lstm-2x512": ("nats_per_token", 1.5)}


@pytest.mark.parametrize(("name", "bound"), FLOORS.items())
def test_floors_are_passed(name, bound):
    figure, floor = bound
    assert {info.name: info for info in FOUND}[name].figures[figure] >= floor


@pytest.mark.parametrize(("name", "bound"), CEILINGS.items())
def test_ceilings_are_kept(name, bound):
    figure, ceiling = bound
    info = {info.name: info for info in FOUND}[name]
    assert info.figures[figure] <= ceiling
    assert info.num_parameters <= 5_000_000


@pytest.mark.parametrize("family", ["sentiment"])
def test_the_measured_figure_comes_out_again_on_the_held_out_data(family, corpus):
    from seqviz.training.recipe import evaluate_file

    info = next(info for info in FOUND if info.family == family)
    corpus(Path(info.details["data"]["valid"]).parts[0])
    path = corpus(Path(info.details["data"]["valid"]).parts[0]).parent / info.details["data"]["valid"]
    measured = evaluate_file(load_model(info.name), path)
    figure = info.details["figure"]
    assert measured[figure] == pytest.approx(info.figures[figure], abs=0.15)
