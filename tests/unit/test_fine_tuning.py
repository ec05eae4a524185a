"""Fine-tuning: a part of a checkpoint is trained on, only that part is stored, and the rest is read from the base."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seqviz.checkpoints import WEIGHTS, list_translators, read_translator
from seqviz.config import TrainConfig
from seqviz.errors import CheckpointError, InvalidInputError, UnknownNameError
from seqviz.models.loading import load_translator
from seqviz.training.evaluation import evaluate_translator
from seqviz.training.recipe import RecipeRun, load_recipe
from seqviz.training.translation import attention_penalty, pair_batch
from tests.unit.test_translation_training import RECIPE, recipe_with_data, task, trainer_for

WHOLE = RECIPE.replace('score = "dot"', 'score = "additive"').replace('name = "tiny-translation"', 'name = "whole"')
TUNED = (
    WHOLE.replace('name = "whole"', 'name = "tuned"')
    .replace("[model]", '[start]\ncheckpoint = "whole"\ntrain = ["score."]\n[model]')
    .replace("[train]", "[train]\nlearning_rate = 0.05\nwarmup_steps = 0")
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of checkpoints with the base."""
    run = RecipeRun(load_recipe(str(recipe_with_data(tmp_path, WHOLE))), data=tmp_path, folder=tmp_path / "whole")
    list(run.steps())
    run.write(root=tmp_path / "checkpoints", command="c", hardware="h")
    return tmp_path / "checkpoints"


def tuned_run(root: Path, text: str = TUNED, *, folder: str = "run") -> RecipeRun:
    data = root.parent
    recipe = load_recipe(str(recipe_with_data(data, text)))
    return RecipeRun(recipe, data=data, folder=data / folder, root=root)


def tuned(root: Path, text: str = TUNED) -> Path:
    run = tuned_run(root, text)
    list(run.steps())
    return run.write(root=root, command="seqviz train tuned", hardware="h")


def test_only_what_was_trained_is_stored_and_the_rest_is_the_base(root: Path) -> None:
    folder = tuned(root)
    assert sorted(file.name for file in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    stored = load_file(folder / WEIGHTS)
    assert {name.split(".")[0] for name in stored} == {"score"}
    loaded, base = load_translator("tuned", root=root), load_translator("whole", root=root)
    known = dict(base.model.named_parameters())
    for name, parameter in loaded.model.named_parameters():
        assert torch.equal(parameter, stored[name].float() if name in stored else known[name]), name
    assert not torch.equal(stored["score.query.weight"].float(), known["score.query.weight"])
    assert loaded.encoder.vocabulary == base.encoder.vocabulary
    assert loaded.info.num_parameters == loaded.model.num_parameters()
    assert loaded.info.details["trained_parameters"] == sum(weights.numel() for weights in stored.values())


def test_its_figures_are_those_of_the_merged_weights(root: Path) -> None:
    tuned(root)
    loaded = load_translator("tuned", root=root)
    figures, _ = evaluate_translator(loaded, root.parent / "valid.tsv")
    assert figures == {name: loaded.info.figures[name] for name in ("bleu", "bleu_greedy", "sources")}


def test_another_score_function_begins_with_weights_of_its_own(root: Path) -> None:
    text = TUNED.replace('score = "additive"', 'score = "cosine"')
    start = tuned_run(root, text).model
    base = load_translator("whole", root=root).model
    assert start.score is not None
    assert base.score is not None
    assert not torch.equal(start.score.query.weight, base.score.query.weight)
    assert torch.equal(start.readout.weight, base.readout.weight)
    tuned(root, text)
    loaded = load_translator("tuned", root=root)
    assert loaded.info.config.score == "cosine"
    assert set(load_file(root / "tuned" / WEIGHTS)) == {
        "score.query.weight",
        "score.key.weight",
        "score.log_sharpness",
    }


def test_frozen_parameters_get_no_gradient_and_no_weight_decay(root: Path) -> None:
    run = tuned_run(root, TUNED.replace("[train]", "[train]\nweight_decay = 5.0"))
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    list(run.steps())
    for name, parameter in run.model.named_parameters():
        assert parameter.requires_grad == name.startswith("score.")
        assert torch.equal(parameter, before[name]) != name.startswith("score."), name
    assert all(p.grad is None for name, p in run.model.named_parameters() if not name.startswith("score."))


def test_a_run_goes_on_after_a_stop_to_equal_weights(root: Path) -> None:
    whole = tuned_run(root, folder="never-stopped")
    losses = [step.loss for step in whole.steps()]
    stopped = tuned_run(root)
    stopped._trainer._save_seconds = 0.0
    steps = stopped.steps()
    next(steps), next(steps)
    del steps
    resumed = tuned_run(root)
    assert [step.loss for step in resumed.steps()] == losses[2:]
    for name, value in whole._trainer.best_weights.items():
        assert torch.equal(value, resumed._trainer.best_weights[name]), name


def test_a_state_of_a_run_from_other_weights_is_refused(root: Path) -> None:
    run = tuned_run(root)
    list(run.steps())
    other = RecipeRun(
        load_recipe(str(recipe_with_data(root.parent, WHOLE)), changes=["train.seed=8"]),
        data=root.parent,
        folder=root.parent / "other",
    )
    list(other.steps())
    other.write(root=root, command="c", hardware="h")
    with pytest.raises(CheckpointError, match="belongs to a run with other settings"):
        list(tuned_run(root).steps())


def test_a_missing_base_is_said_and_the_checkpoint_stays_listed(root: Path) -> None:
    tuned(root)
    (root / "whole").rename(root / ".gone")
    assert [info.name for info in list_translators(root)[0]] == ["tuned"]
    with pytest.raises(
        CheckpointError, match=r"^Checkpoint tuned holds only what differs from whole, which is missing"
    ):
        load_translator("tuned", root=root)


def test_a_base_with_other_weights_is_refused(root: Path) -> None:
    tuned(root)
    path = root / "whole" / "config.json"
    raw = json.loads(path.read_text())
    raw["sha256"][WEIGHTS] = "0" * 64
    path.write_text(json.dumps(raw))
    with pytest.raises(CheckpointError, match="fine-tuned from other weights than those that whole has now"):
        load_translator("tuned", root=root)


def test_damaged_weights_of_the_base_are_found(root: Path) -> None:
    tuned(root)
    path = root / "whole" / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"Checkpoint whole: model\.safetensors is damaged"):
        load_translator("tuned", root=root)


@pytest.mark.parametrize("base", ["whole", {"name": "whole"}, {"name": "whole", "weights": "a", "more": 1}])
def test_a_base_that_is_no_base_is_an_unreadable_checkpoint(root: Path, base: object) -> None:
    tuned(root)
    path = root / "tuned" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "base": base}))
    assert isinstance(list_translators(root)[1]["tuned"], CheckpointError)
    with pytest.raises(CheckpointError, match=r"config\.json is incomplete or wrong"):
        read_translator("tuned", root)


def test_a_fine_tuned_checkpoint_is_no_start_for_another(root: Path) -> None:
    tuned(root)
    text = TUNED.replace('checkpoint = "whole"', 'checkpoint = "tuned"').replace('name = "tuned"', 'name = "again"')
    with pytest.raises(InvalidInputError, match="starts from tuned, which is itself fine-tuned; start from whole"):
        tuned_run(root, text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (['start.train=["scores."]'], r"start\.train has 'scores\.'; no parameter's name begins so"),
        (
            ['start.train=["readout."]', 'model.score="bilinear"'],
            r"does not train score\.key\.weight, and whole has no such weights",
        ),
        (["model.decoder_size=7"], r"does not train decoder\.0\.layers\.0\.forward_cell\.weight_input"),
    ],
)
def test_a_recipe_that_cannot_start_is_refused_before_training(root: Path, changes: list[str], message: str) -> None:
    recipe = load_recipe(str(recipe_with_data(root.parent, TUNED)), changes=changes)
    with pytest.raises(InvalidInputError, match=message):
        RecipeRun(recipe, data=root.parent, folder=root.parent / "run", root=root)


def test_a_recipe_that_trains_nothing_is_refused(root: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"lacks start\.train"):
        tuned_run(root, TUNED.replace('train = ["score."]', "train = []"))


def test_a_start_that_does_not_exist_is_refused_with_the_known_names(root: Path) -> None:
    with pytest.raises(UnknownNameError, match="known are: whole"):
        tuned_run(root, TUNED.replace('checkpoint = "whole"', 'checkpoint = "hole"'))


def test_a_card_names_the_base_and_what_was_trained(root: Path) -> None:
    card = (tuned(root) / "README.md").read_text()
    assert "Fine-tuned from `whole`: " in card
    assert "(`score.*`)" in card


def test_the_penalty_is_the_regulariser_over_real_steps_and_pieces() -> None:
    batch = pair_batch([([7, 8, 9], [10, 11]), ([7], [12])])
    weights = torch.softmax(torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(1)), -1)
    weights[1] = torch.tensor([1.0, 0.0, 0.0])
    found = attention_penalty(weights, batch, 0.8).item()
    first = sum((0.8 - weights[0, :, i].double().sum().item()) ** 2 for i in range(3)) / 3
    second = (0.8 - 2.0) ** 2  # one piece, two real steps
    assert found == pytest.approx((first + second) / 2, abs=1e-6)
    uniform = torch.full((1, 2, 2), 0.5)
    assert attention_penalty(uniform, pair_batch([([7, 8], [10])]), 1.0).item() == 0.0


def test_the_penalty_is_added_to_the_loss_with_its_factor() -> None:
    chosen, model = task(), trainer_for().model.eval()
    batch = pair_batch([([7, 8, 9], [10, 11]), ([7], [12])])
    plain, _ = chosen.loss(model, batch, None, TrainConfig())
    _, weights = model.forced(model.encode(batch.sources, batch.lengths), batch.inputs)
    assert weights is not None
    more, _ = chosen.loss(model, batch, None, TrainConfig(attention_penalty=0.5, attention_target=0.9))
    expected = plain.item() + 0.5 * attention_penalty(weights, batch, 0.9).item()
    np.testing.assert_allclose(more.item(), expected, rtol=1e-6)


def test_a_penalty_without_attention_is_refused(tmp_path: Path) -> None:
    text = RECIPE.replace('score = "dot"', 'score = "none"').replace("[train]", "[train]\nattention_penalty = 1.0")
    with pytest.raises(InvalidInputError, match=r"train\.attention_penalty needs a model with attention"):
        load_recipe(str(recipe_with_data(tmp_path, text)))
