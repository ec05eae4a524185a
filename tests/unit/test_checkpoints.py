"""Checkpoints on disk: what is written is read back; whatever is wrong is said, and the rest stays in the list."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from seqviz.checkpoints import (
    checkpoints_root,
    list_checkpoints,
    read_card,
    read_info,
    verified_files,
    write_checkpoint,
)
from seqviz.errors import CheckpointError, InvalidInputError, SeqvizError, UnknownNameError
from seqviz.models.loading import load_model
from tests.helpers import write_tiny_checkpoint


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("good", "victim"):
        write_tiny_checkpoint(tmp_path, name=name, task="classification")
    return tmp_path


def edit_config(root: Path, **changes: object) -> None:
    path = root / "victim" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rewrite(root: Path, *, weights: bytes | None = None, tokenizer: str | None = None) -> None:
    """Other contents under a hash that fits them: a checkpoint that is wrong, not damaged on the way."""
    folder = root / "victim"
    description = json.loads((folder / "config.json").read_text())
    for key in ("format", "format_version", "sha256"):
        del description[key]
    write_checkpoint(
        "victim",
        description=description,
        weights=(folder / "model.safetensors").read_bytes() if weights is None else weights,
        tokenizer=(folder / "tokenizer.json").read_text() if tokenizer is None else tokenizer,
        card="",
        root=root,
    )


def expect_only_good_is_listed(root: Path, *, reason: str) -> None:
    found, broken = list_checkpoints(root)
    assert [info.name for info in found] == ["good"]
    assert list(broken) == ["victim"]
    assert reason in str(broken["victim"])
    assert load_model("good", root=root).info.name == "good"


def test_a_checkpoint_is_read_back_as_it_was_written(tmp_path):
    write_tiny_checkpoint(
        tmp_path, name="tiny", task="tagging", cell="gru", bidirectional=True, subword_buckets=9, title="Tiny"
    )
    info = read_info("tiny", tmp_path)
    assert (info.name, info.title, info.family) == ("tiny", "Tiny", "tiny-tagging")
    assert (info.config.cell, info.config.bidirectional, info.config.subword_buckets) == ("gru", True, 9)
    assert info.labels == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    loaded = load_model("tiny", root=tmp_path)
    assert loaded.info == info
    assert loaded.model.num_parameters() == info.num_parameters
    weights = load_file(tmp_path / "tiny" / "model.safetensors")
    for name, value in loaded.model.state_dict().items():
        assert torch.equal(value, weights[name]), name
    assert read_card("tiny", tmp_path).startswith("# Tiny\n")


def test_a_loaded_model_is_in_evaluation_mode_and_keeps_no_gradients(root):
    model = load_model("good", root=root).model
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_writing_again_replaces_the_whole_folder_and_leaves_nothing_behind(root):
    (root / "victim" / "stray.txt").write_text("old")
    write_tiny_checkpoint(root, name="victim", cell="gru")
    assert sorted(path.name for path in root.iterdir()) == ["good", "victim"]
    assert not (root / "victim" / "stray.txt").exists()
    assert read_info("victim", root).config.cell == "gru"


@pytest.mark.parametrize("name", ["", "..", "Upper", "a/b", "-a", ".hidden", "a b", "ü"])
def test_a_name_that_is_no_plain_folder_name_is_not_written(tmp_path, name):
    with pytest.raises(InvalidInputError, match="allowed are small letters, digits and hyphens"):
        write_checkpoint(name, description={}, weights=b"", tokenizer="", card="", root=tmp_path / "inside")
    assert not list(tmp_path.rglob("config.json"))


@pytest.mark.parametrize("name", ["", "..", "../victim", "/etc", "missing", "good/../victim", "victim\0"])
def test_a_name_that_is_no_checkpoint_is_refused_with_the_known_ones(root, name):
    with pytest.raises(UnknownNameError, match="known are: good, victim"):
        load_model(name, root=root)


def test_an_absent_folder_of_checkpoints_lists_nothing(tmp_path):
    assert list_checkpoints(tmp_path / "nowhere") == ([], {})


def test_files_and_hidden_folders_beside_the_checkpoints_are_passed_over(root):
    (root / "README.md").write_text("notes")
    (root / ".writing-abc").mkdir()
    found, broken = list_checkpoints(root)
    assert [info.name for info in found] == ["good", "victim"]
    assert broken == {}


def test_the_folder_comes_from_the_environment(monkeypatch, root):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    assert checkpoints_root() == root
    assert [info.name for info in list_checkpoints()[0]] == ["good", "victim"]
    monkeypatch.delenv("SEQVIZ_CHECKPOINTS")
    assert checkpoints_root().name == "checkpoints"


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_single_changed_byte_is_found_before_the_file_is_read(root, file):
    path = root / "victim" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"Checkpoint victim: {file} is damaged"):
        load_model("victim", root=root)
    assert load_model("good", root=root)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(root, file):
    (root / "victim" / file).unlink()
    with pytest.raises(CheckpointError, match=rf"^Checkpoint victim: {file} is missing\.$"):
        verified_files(read_info("victim", root), root)


def test_a_folder_without_a_configuration_is_said_and_the_rest_stays(root):
    (root / "victim" / "config.json").unlink()
    expect_only_good_is_listed(root, reason="Checkpoint victim: config.json cannot be read.")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"null", b"[]", b'"text"', b"{}", b'{"format": "hf"}'])
def test_a_foreign_folder_is_said_and_the_rest_stays(root, content):
    (root / "victim" / "config.json").write_bytes(content)
    expect_only_good_is_listed(root, reason="Checkpoint victim")


def test_a_newer_format_is_said_with_both_versions_and_the_rest_stays(root):
    edit_config(root, format_version=2)
    expect_only_good_is_listed(root, reason="Checkpoint victim has format version 2; this seqviz reads version 1.")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {}},
        {"model": None},
        {"model": {"task": "translation"}},
        {"labels": None},
        {"figures": []},
        {"figures": {"accuracy": "high"}},
        {"sha256": "abc"},
        {"details": 3},
    ],
    ids=str,
)
def test_an_incomplete_or_wrong_configuration_is_said_and_the_rest_stays(root, changes):
    edit_config(root, **changes)
    expect_only_good_is_listed(root, reason="Checkpoint victim: config.json is incomplete or wrong")


@pytest.mark.parametrize("size", [16, 8.5, "8", -1])
def test_sizes_that_do_not_fit_the_weights_are_said(root, size):
    model = json.loads((root / "victim" / "config.json").read_text())["model"]
    edit_config(root, model={**model, "hidden_size": size})
    with pytest.raises(CheckpointError, match="Checkpoint victim: "):
        load_model("victim", root=root)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda weights: {name: value for name, value in weights.items() if name != "output.bias"},
        lambda weights: {**weights, "output.extra": torch.zeros(1)},
        lambda weights: {**weights, "output.bias": torch.zeros(9)},
    ],
    ids=["missing tensor", "extra tensor", "other shape"],
)
def test_weights_of_other_names_or_shapes_are_refused(root, wrong):
    rewrite(root, weights=save(wrong(load_file(root / "victim" / "model.safetensors"))))
    with pytest.raises(CheckpointError, match="Checkpoint victim: the weights do not fit its configuration"):
        load_model("victim", root=root)


@pytest.mark.parametrize("weights", [b"", b"\0" * 40, b"\xff" * 8 + b"{}", b"GIF89a"], ids=repr)
def test_weights_that_are_no_safetensors_are_refused(root, weights):
    rewrite(root, weights=weights)
    with pytest.raises(CheckpointError, match="Checkpoint victim: the weights do not fit"):
        load_model("victim", root=root)


class Bomb:
    """Unpickling this writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.write_text, (self.mark, "boom")


@pytest.mark.parametrize("form", ["pickle", "torch.save"])
def test_a_pickle_in_place_of_the_weights_is_refused_and_never_run(root, tmp_path, form):
    mark = tmp_path / "exploded"
    if form == "pickle":
        weights = pickle.dumps(Bomb(mark))
    else:
        torch.save({"output.bias": Bomb(mark)}, tmp_path / "model.bin")
        weights = (tmp_path / "model.bin").read_bytes()
        (tmp_path / "model.bin").unlink()
    rewrite(root, weights=weights)
    with pytest.raises(CheckpointError, match="Checkpoint victim"):
        load_model("victim", root=root)
    assert not mark.exists()


def test_the_bomb_of_these_tests_would_go_off_if_it_were_unpickled(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "exploded")))
    assert (tmp_path / "exploded").read_text() == "boom"


def test_a_tokenizer_of_another_model_is_refused(root):
    write_tiny_checkpoint(root, name="other", task="language_model")
    rewrite(root, tokenizer=(root / "other" / "tokenizer.json").read_text())
    with pytest.raises(CheckpointError, match=r"the tokenizer has \d+ entries, the model \d+"):
        load_model("victim", root=root)


def test_labels_that_are_fewer_than_the_outputs_are_refused(root):
    edit_config(root, labels=["negative"])
    with pytest.raises(CheckpointError, match=r"^Checkpoint victim has 1 labels for 2 outputs\.$"):
        load_model("victim", root=root)


def test_a_missing_card_is_empty(root):
    (root / "victim" / "README.md").unlink()
    assert read_card("victim", root) == ""


def test_every_fault_is_of_the_one_kind_that_a_page_catches(root):
    edit_config(root, format_version=99)
    with pytest.raises(SeqvizError):
        read_info("victim", root)


def _changed(root, change):
    path = root / "tiny" / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c["details"].update(num_parameters="many"), "num_parameters is 'many'; it must be a number."),
        (lambda c: c["details"].update(training_seconds=None), "training_seconds is None; it must be a number."),
        (lambda c: c["details"].update(data="here"), "data is not a table."),
        (lambda c: c.update(figures={"f1": float("nan")}), "f1 is nan; it must be a number."),
        (lambda c: c["model"].update(hidden_size=-3), "hidden_size is -3; allowed is 1 to 8192."),
    ],
)
def test_a_configuration_with_wrong_values_is_one_sentence(tmp_path, change, sentence):
    write_tiny_checkpoint(tmp_path, name="tiny")
    _changed(tmp_path, change)
    with pytest.raises(CheckpointError) as caught:
        read_info("tiny", tmp_path)
    assert str(caught.value) == f"Checkpoint tiny: config.json is incomplete or wrong: {sentence}"


def test_a_configuration_without_end_leaves_the_other_checkpoints(tmp_path):
    write_tiny_checkpoint(tmp_path, name="tiny")
    write_tiny_checkpoint(tmp_path, name="whole")
    (tmp_path / "tiny" / "config.json").write_text("[" * 100_000)
    found, broken = list_checkpoints(tmp_path)
    assert [info.name for info in found] == ["whole"]
    assert str(broken["tiny"]) == "Checkpoint tiny: config.json cannot be read."


def test_a_folder_of_checkpoints_that_may_not_be_read_is_one_sentence(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refused)
    found, broken = list_checkpoints(tmp_path)
    assert found == []
    assert [str(error) for error in broken.values()] == [f"The folder {tmp_path} cannot be read: Permission denied."]


def test_a_file_that_may_not_be_read_is_not_called_missing(tmp_path, monkeypatch):
    write_tiny_checkpoint(tmp_path, name="tiny")
    info = read_info("tiny", tmp_path)

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(CheckpointError) as caught:
        verified_files(info, tmp_path)
    assert str(caught.value) == "Checkpoint tiny: model.safetensors cannot be read."


def test_a_name_that_no_folder_can_have_is_one_sentence(tmp_path):
    with pytest.raises(SeqvizError, match=r"config\.json cannot be read"):
        read_info("a" * 300, tmp_path)


@pytest.mark.parametrize("card", [None, b"caf\xe9"])
def test_a_card_that_cannot_be_read_is_one_sentence(tmp_path, card):
    write_tiny_checkpoint(tmp_path, name="tiny")
    path = tmp_path / "tiny" / "README.md"
    path.unlink()
    assert read_card("tiny", tmp_path) == ""
    path.mkdir() if card is None else path.write_bytes(card)
    with pytest.raises(CheckpointError) as caught:
        read_card("tiny", tmp_path)
    assert str(caught.value) == "Checkpoint tiny: README.md cannot be read."
