"""Recipes: read with changes, refused by name when something is wrong, run to a checkpoint that measures the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqviz.checkpoints import read_card
from seqviz.errors import DataFormatError, InvalidInputError, UnknownNameError
from seqviz.models.loading import load_model
from seqviz.training.card import model_card
from seqviz.training.preparation import with_copies
from seqviz.training.recipe import RecipeRun, data_root, evaluate_file, load_recipe, recipe_names

CARD = """
[card]
summary = "reads."
restricted = false
licence = "none"
data_notes = ["made up"]
published = ["nothing"]
weaknesses = ["knows nothing"]
"""

TINY = {
    "language_model": ("abcab cabba abc\n" * 20, "character", 'embedding_size = 4\nhidden_size = 5\ncell = "gru"'),
    "classification": (
        "1\ta fine story\n0\ta dull story\n1\tfine and good\n0\tdull and bad\n",
        "word",
        'embedding_size = 4\nhidden_size = 5\ncell = "lstm"\nsubword_buckets = 7',
    ),
    "tagging": (
        "Jane\tB-PER\nsleeps\tO\n\nParis\tB-LOC\nsleeps\tO\n\n",
        "word",
        'embedding_size = 4\nhidden_size = 5\ncell = "lstm"\nbidirectional = true\nsubword_buckets = 7',
    ),
}


def tiny_recipe(folder: Path, task: str, *, more: str = "") -> Path:
    """A recipe file with its data beside it."""
    text, kind, model = TINY[task]
    (folder / "train.txt").write_text(text)
    held_out = {"classification": "1\ta good and long tale of old\n0\ta bad tale of an old and tired man\n"}
    (folder / "valid.txt").write_text(held_out.get(task, text))
    path = folder / "tiny.toml"
    path.write_text(
        f'name = "tiny-{task.replace("_", "-")}"\ntitle = "Tiny"\nfamily = "tiny"\n'
        f'[data]\ntrain = ["train.txt"]\nvalid = "valid.txt"\nlabels = ["negative", "positive"]\n'
        f'[tokenizer]\nkind = "{kind}"\n[model]\ntask = "{task}"\n{model}\n'
        f"[train]\nbatch_size = 2\nmax_epochs = 2\nunroll_steps = 4\n{more}{CARD}"
    )
    return path


def test_every_packaged_recipe_loads_under_its_own_name() -> None:
    names = recipe_names()
    assert {"shakespeare-lstm", "sentiment-lstm", "entities-bilstm"} <= set(names)
    assert [load_recipe(name).name for name in names] == names
    assert not any(name.startswith("_") for name in names)


def test_recipe_takes_what_it_does_not_say_from_the_one_it_extends() -> None:
    recipe = load_recipe("shakespeare-gru")
    assert recipe.model["cell"] == "gru"
    assert recipe.model["task"] == "language_model"
    assert recipe.data["valid"] == "tiny_shakespeare/valid.txt"


def test_changes_replace_the_settings_of_the_file() -> None:
    recipe = load_recipe("shakespeare-gru", changes=["train.seed=7", 'data.valid = "other.txt"', "model.dropout=0.25"])
    assert (recipe.train.seed, recipe.data["valid"], recipe.model["dropout"]) == (7, "other.txt", 0.25)


@pytest.mark.parametrize("change", ["seed=7", "train.seed", "nowhere.seed=7", "train.=7", "name.x=7"])
def test_change_of_another_form_is_refused(change: str) -> None:
    with pytest.raises(InvalidInputError, match=r"expected table\.key=value"):
        load_recipe("shakespeare-gru", changes=[change])


def test_change_whose_value_is_not_toml_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'data\.valid=other': the value is not TOML \(texts need quotes\)"):
        load_recipe("shakespeare-gru", changes=["data.valid=other"])


def test_unknown_recipe_is_refused_with_the_known_names() -> None:
    with pytest.raises(UnknownNameError, match=r"'sentimental' is not known; known are: .*shakespeare-lstm"):
        load_recipe("sentimental")


def test_unknown_training_setting_is_refused_by_name() -> None:
    with pytest.raises(UnknownNameError, match="'learning_speed' is not known"):
        load_recipe("shakespeare-gru", changes=["train.learning_speed=1"])


def test_missing_recipe_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"absent\.toml cannot be read"):
        load_recipe(str(tmp_path / "absent.toml"))


def test_base_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text('extends = "nowhere"')
    with pytest.raises(UnknownNameError, match="'nowhere' is not known"):
        load_recipe(str(tmp_path / "some.toml"))


def test_recipe_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(InvalidInputError, match=r"bad\.toml is not TOML"):
        load_recipe(str(tmp_path / "bad.toml"))


def test_what_a_recipe_lacks_is_listed(tmp_path: Path) -> None:
    path = tiny_recipe(tmp_path, "tagging")
    path.write_text(path.read_text().replace('licence = "none"', "").replace("restricted = false", "restricted = true"))
    with pytest.raises(InvalidInputError, match=r"lacks card\.licence, card\.restriction\."):
        load_recipe(str(path))


def test_unknown_table_of_a_recipe_is_refused(tmp_path: Path) -> None:
    path = tiny_recipe(tmp_path, "tagging")
    path.write_text(path.read_text() + "[cards]\nx = 1\n")
    with pytest.raises(UnknownNameError, match="'cards' is not known"):
        load_recipe(str(path))


def test_unknown_task_is_refused(tmp_path: Path) -> None:
    recipe = load_recipe(str(tiny_recipe(tmp_path, "tagging")), changes=['model.task="parsing"'])
    with pytest.raises(UnknownNameError, match="'parsing' is not known; known are: language_model"):
        RecipeRun(recipe, data=tmp_path, folder=tmp_path / "run")


def test_unknown_label_of_a_row_is_refused(tmp_path: Path) -> None:
    path = tiny_recipe(tmp_path, "classification")
    (tmp_path / "train.txt").write_text("2\tsomething else\n")
    with pytest.raises(UnknownNameError, match="label '2' is not known; known are: 0, 1"):
        RecipeRun(load_recipe(str(path)), data=tmp_path, folder=tmp_path / "run")


def test_missing_data_is_named(tmp_path: Path) -> None:
    path = tiny_recipe(tmp_path, "tagging")
    with pytest.raises(DataFormatError, match="There is no data file"):
        RecipeRun(load_recipe(str(path)), data=tmp_path / "elsewhere", folder=tmp_path / "run")


def test_data_root_is_the_environment_variable_or_the_folder_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQVIZ_DATA", "/somewhere")
    assert data_root() == Path("/somewhere")
    monkeypatch.delenv("SEQVIZ_DATA")
    assert data_root() == Path("data")


@pytest.mark.parametrize("task", ["language_model", "classification", "tagging"])
def test_checkpoint_of_a_recipe_measures_on_its_file_what_the_trainer_measured(task: str, tmp_path: Path) -> None:
    run = RecipeRun(load_recipe(str(tiny_recipe(tmp_path, task))), data=tmp_path, folder=tmp_path / "run")
    last = [step for step in run.steps() if step.figures][-1]
    assert last.step == last.total_steps
    folder = run.write(root=tmp_path / "checkpoints", command="seqviz train tiny", hardware="a test")
    loaded = load_model(folder.name, root=tmp_path / "checkpoints")
    assert evaluate_file(loaded, tmp_path / "valid.txt") == loaded.info.figures
    card = read_card(folder.name, tmp_path / "checkpoints")
    assert card.startswith("# Tiny\n")
    assert "`seqviz train tiny`, seed 1" in card


def test_card_of_restricted_data_says_so_in_its_first_line(tmp_path: Path) -> None:
    path = tiny_recipe(tmp_path, "tagging")
    text = path.read_text().replace("restricted = false", 'restricted = true\nrestriction = "For research only."')
    path.write_text(text)
    run = RecipeRun(load_recipe(str(path)), data=tmp_path, folder=tmp_path / "run")
    next(run.steps())
    folder = run.write(root=tmp_path / "checkpoints", command="c", hardware="h")
    assert (folder / "README.md").read_text().splitlines()[0] == "**For research only.**"
    assert load_model(folder.name, root=tmp_path / "checkpoints").info.restricted


def test_card_writes_figures_counts_and_times_for_people() -> None:
    description = {
        "title": "Some model",
        "family": "some",
        "restricted": False,
        "model": {"task": "tagging", "cell": "gru"},
        "figures": {"f1": 71.23456, "f1_PER": 80.0, "nats_per_token": 1.48546, "tokens": 55824.0},
        "details": {
            "data": {"valid": "some/valid.txt"},
            "num_parameters": 350914,
            "command": "seqviz train some",
            "seed": 4,
            "training_seconds": 407,
            "hardware": "one core",
            "versions": {"torch": "2.0"},
            "train": {"batch_size": 3},
        },
    }
    card = {"summary": "s.", "published": ["p"], "data_notes": ["d"], "licence": "l", "weaknesses": ["w1", "w2"]}
    text = model_card("some", description, card)
    for line in (
        "| entity-level F1, % | 71.23 |",
        "| F1 of PER, % | 80 |",
        "| cross-entropy, nats per token | 1.485 |",
        "| predicted tokens | 55,824 |",
        "350,914 parameters: cell gru.",
        "`seqviz train some`, seed 4, 7 minutes on one core, torch 2.0.",
        "- w1",
        "- w2",
    ):
        assert line in text.splitlines()


def test_tags_are_numbered_with_o_first_and_types_in_order(tmp_path: Path) -> None:
    run = RecipeRun(load_recipe(str(tiny_recipe(tmp_path, "tagging"))), data=tmp_path, folder=tmp_path / "run")
    assert run.prepared.labels == ("O", "B-LOC", "B-PER")


SENTENCES = [
    (("Yes", "."), ("O", "O")),
    (("Jane", "Austen"), ("B-PER", "I-PER")),
    (("In", "Bath", "."), ("O", "B-LOC", "O")),
]


def test_bare_copies_lose_the_full_stop_and_its_tag() -> None:
    assert with_copies(SENTENCES, bare_every=1, lowercase_every=0)[3:] == [
        (("Yes",), ("O",)),
        (("In", "Bath"), ("O", "B-LOC")),
    ]


def test_lowercase_copies_keep_their_tags() -> None:
    assert with_copies(SENTENCES, bare_every=0, lowercase_every=2)[3:] == [
        (("yes", "."), ("O", "O")),
        (("in", "bath", "."), ("O", "B-LOC", "O")),
    ]


def test_no_copies_are_made_unless_the_recipe_wants_them() -> None:
    assert with_copies(SENTENCES, bare_every=0, lowercase_every=0) == SENTENCES


def test_evaluation_of_an_empty_file_is_refused(tmp_path: Path) -> None:
    run = RecipeRun(load_recipe(str(tiny_recipe(tmp_path, "tagging"))), data=tmp_path, folder=tmp_path / "run")
    folder = run.write(root=tmp_path / "checkpoints", command="c", hardware="h")
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(InvalidInputError, match=r"empty\.txt has no examples"):
        evaluate_file(load_model(folder.name, root=tmp_path / "checkpoints"), tmp_path / "empty.txt")


def test_word_vectors_of_the_embeddings_table_are_where_training_starts(tmp_path: Path) -> None:
    path = tiny_recipe(
        tmp_path, "classification", more='[embeddings]\ntexts = ["train.txt"]\nwindow = 2\nscale = 0.5\n'
    )
    first, second = (
        RecipeRun(load_recipe(str(path)), data=tmp_path, folder=tmp_path / f"run{i}").model.embedding.word.weight
        for i in range(2)
    )
    assert torch.equal(first, second)
    assert first.std().item() == pytest.approx(0.5, abs=1e-5)
    assert torch.count_nonzero(first[0]) == 0
