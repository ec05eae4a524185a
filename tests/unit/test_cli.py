"""The command ``seqviz`` as it is typed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seqviz import __version__
from seqviz.cli import app
from seqviz.picture_names import PICTURES, pictures_help
from seqviz.training.recipe_file import load_recipe
from tests.helpers import write_tiny_checkpoint, write_tiny_translator

RUNNER = CliRunner()
TEXT = "to be or not to be that is the question\n"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    write_tiny_checkpoint(root, name="tiny-reader")
    write_tiny_checkpoint(root, name="tiny-critic", task="classification", cell="gru")
    write_tiny_checkpoint(root, name="tiny-tagger", task="tagging", bidirectional=True)
    return root


def run(*arguments: object, code: int = 0, given: str | None = None) -> str:
    result = RUNNER.invoke(app, [str(argument) for argument in arguments], input=given)
    assert result.exit_code == code, result.output
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout if code == 0 else result.stderr


def test_the_version_is_that_of_the_package():
    assert run("--version").strip() == __version__


@pytest.mark.parametrize(
    "command", ["models", "train", "evaluate", "translate", "bleu-by-length", "card", "trace", "export"]
)
def test_every_command_explains_itself(command):
    assert "Usage" in run(command, "--help")


def test_models_lists_every_checkpoint(tiny):
    table = run("models")
    for name in ("tiny-reader", "tiny-critic", "tiny-tagger"):
        assert name in table
    rows = json.loads(run("models", "--json"))
    assert [(row["name"], row["model"]["cell"]) for row in rows] == [
        ("tiny-critic", "gru"),
        ("tiny-reader", "lstm"),
        ("tiny-tagger", "lstm"),
    ]


def test_a_damaged_checkpoint_is_said_and_the_rest_is_listed(tiny):
    (tiny / "tiny-critic" / "config.json").write_text("{")
    result = RUNNER.invoke(app, ["models"])
    assert result.exit_code == 0
    assert "tiny-reader" in result.stdout
    assert "Checkpoint tiny-critic: config.json cannot be read." in result.stderr.replace("\n", " ")


def test_trace_prints_every_number_as_json(tiny):
    content = json.loads(run("trace", "tiny-reader", "To be"))
    assert content["text"] == "To be"
    assert len(content["layers"][0]["forget_gate"]) == 5


def test_trace_writes_csv_to_a_file_and_reads_standard_input(tiny, tmp_path):
    output = tmp_path / "trace.csv"
    assert run("trace", "tiny-reader", "-", "--format", "csv", "-o", output, given="To be") == ""
    assert output.read_text().startswith("layer,direction,step,token,quantity,unit,value\n0,forward,0,T,")


def test_trace_shows_another_structure_when_asked(tiny):
    assert json.loads(run("trace", "tiny-reader", "To be", "--structure", "one_to_one"))["originals"] == ["T"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["trace", "tiny-writer", "To be"], "Model 'tiny-writer' is not known; known are: tiny-critic, "),
        (["trace", "tiny-critic", ""], "There is nothing to read yet"),
        (["trace", "tiny-critic", "a", "--structure", "sideways"], "structure 'sideways' is not known"),
        (["export", "tiny-critic", "a", "-o", "a.bmp"], "A file ending in '.bmp' cannot be written"),
        (["export", "tiny-critic", "a"], "Say where the picture goes: -o picture.html, .svg or .png."),
        (
            ["export", "tiny-critic", "a", "-o", "no/folder.html"],
            "no/folder.html cannot be written: No such file or directory.",
        ),
        (["export", "tiny-critic", "a", "-o", "a.html", "--view", "inside"], "view 'inside' is not known; known are: "),
        (["export", "tiny-critic", "a", "-o", "a.html", "--language", "fr"], "language 'fr' is not known"),
        (["export", "tiny-critic", "a", "-o", "a.html", "--view", "attention"], "is not a translation model"),
        (["export", "tiny-critic", "a", "-o", "a.html", "--view", "gates", "--unit", "99"], "unit is 99; allowed is 0"),
        (["export", "tiny-critic", "a", "-o", "a.html", "--view", "gates", "--layer", "3"], "has no layer 3, counted"),
        (["export", "tiny-critic", "a", "-o", "a.html", "--view", "intervention"], "needs something that is forced"),
        (["export", "tiny-critic", "a", "-o", "a.html", "--view", "intervention", "--force", "x"], "'x' is no interv"),
        (["export", "rnn,cnn", "-o", "a.html", "--view", "laboratory"], "cell 'cnn' is not known; known are: rnn, gru"),
        (["export", "a,b", "-o", "a.html", "--view", "projection"], "'a,b' is no gradient"),
        (["export", "nothing", "-o", "a.html", "--view", "decoding"], "table 'nothing' is not known; known are: "),
        (["export", "tiny-reader", "a " * 2500, "-o", "a.html"], "The text has 5000 pieces; the limit is 200."),
        (["export", "tiny-reader", "to be", "-o", "a.svg", "--view", "units"], "is a page: only .html can be written."),
        (
            ["trace", "tiny-critic", "a", "-o", "no/folder.json"],
            "no/folder.json cannot be written: No such file or directory.",
        ),
        (["translate", "tiny-critic", "a"], "tiny-critic is not a translation model"),
        (["card", "tiny-writer"], "Model 'tiny-writer' is not known"),
        (["bleu-by-length", "tiny-critic", "--data", "x.tsv"], "tiny-critic is not a translation model"),
        (["evaluate", "tiny-critic", "--data", "missing.tsv"], "There is no data file missing.tsv."),
        (["train", "no-such-recipe"], "Recipe 'no-such-recipe' is not known"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_status_2(tiny, arguments, sentence):
    said = run(*arguments, code=2)
    assert sentence in " ".join(said.split())
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("a --view gate", "view 'gate' is not known; near it are: gates, "),
        (
            "tiny-critic a --view gates --force forget_gate=0@3",
            "The view gates does not take --force; beside NAME it takes TEXT, --layer, --unit, --step.",
        ),
        ("a a --view number-unit", "The view number-unit does not take TEXT; beside NAME it takes nothing."),
        ("tiny-critic a --view home --unit 1", "The view home does not take --unit; beside NAME it takes TEXT."),
        ("tiny-critic a --view unit-sum --quantity x", "quantity 'x' is not known; known are: reset_gate, "),
        ("tiny-critic a --view output --step 7", "There is no step 7; steps count from 1 to 1."),
        ("tiny-reader Tea --view gradients --loss-step 9", "loss_step is 9; allowed is 1 to 2."),
        ("tiny-reader Tea --view jacobians --layer 2", "tiny-reader has no layer 2, counted from 1,"),
        ("tiny-reader Tea --view shared-weights --quantity x", "matrix 'x' is not known; known are: weight_hidden, "),
        (
            "tiny-reader Tea --view intervention --force input_gate=0@0 --quantity x",
            "quantity 'x' is not known; known ",
        ),
        ("tiny-critic a --view units --layer 1", "A layer alone is no unit; give --unit too."),
        ("far --view memory-cell", "'far' is no number; how far the other weights are from 1 is written as 0.1."),
        ("0.9 --view memory-cell", "difference is 0.9; allowed is 0.01 to 0.5."),
        ("sine --view activations", "activation 'sine' is not known; known are: logistic, "),
        ("text --view cliff", "task 'text' is not known; known are: adding, copy."),
        ("Cat --view bleu", "A candidate and at least one reference are needed."),
        ("tiny-critic --view error-shares", "Our pairs are French and English, which this model does not read;"),
        ("x --view error-shares --pairs no.tsv", "no.tsv: No such file or directory."),
        ("tiny-critic --view growing-sentence", "tiny-critic is not a translation model; one is needed here."),
        ("tiny-critic --view alignment-error", "tiny-critic is not a translation model; one is needed here."),
    ],
)
def test_a_mistake_in_what_a_view_takes_is_one_sentence(tiny, typed, sentence):
    said = run("export", *typed.split(), "-o", "a.html", code=2)
    assert sentence in " ".join(said.split())
    assert said.count("\n") == 1


def test_the_help_names_every_view_with_what_it_takes():
    said = " ".join(pictures_help(80).split())
    assert [name for name in PICTURES if f" {name} " not in said] == []
    assert "intervention-moved which probabilities it moves at a step TEXT --force --step" in said
    assert max(len(line) for line in pictures_help(80).splitlines()) <= 80
    assert "intervention-moved" in run("export", "--help")


def test_a_surface_that_cannot_be_a_still_picture_is_said_before_anything_is_trained(tmp_path):
    said = run("export", "adding", "--view", "cliff-surface", "-o", tmp_path / "cliff.png", code=2)
    assert "The view cliff-surface is a page: only .html can be written." in said


def sizes(svg: str) -> float:
    """Of its smallest letters, in pixels."""
    return min(float(size) for size in re.findall(r'font-size="([\d.]+)"', svg))


def test_size_and_notation_are_those_of_the_pages(tiny, tmp_path):
    files = []
    for options in ((), ("--size", "presenter"), ("--notation", "d2l")):
        files.append(tmp_path / f"{len(files)}.svg")
        run("export", "tiny-reader", "To be", "--view", "gates", *options, "-o", files[-1])
    normal, large, d2l = (file.read_text() for file in files)
    assert normal.count("Γ") > 2 * d2l.count("Γ")
    assert "Γ_f in Ng" in d2l  # what it is called elsewhere
    assert sizes(normal) < sizes(large)


@pytest.mark.parametrize("view", ["home", "unit-sum", "output", "gradient-sum", "weight-tiles", "all-memory"])
def test_export_draws_by_name(tiny, tmp_path, view):
    output = tmp_path / "picture.svg"
    run("export", "tiny-reader", "To be", "--view", view, "-o", output)
    assert output.read_text().startswith("<svg")


def test_a_file_of_pairs_is_judged(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    write_tiny_translator(tmp_path, name="tiny-translator")
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("Le chat dort.\tThe cat is sleeping.\n")
    run("export", "tiny-translator", "--view", "error-scores", "--pairs", pairs, "-o", tmp_path / "scores.svg")
    assert "Both scores of every pair" in (tmp_path / "scores.svg").read_text()


@pytest.mark.parametrize(("suffix", "start"), [(".html", b"<!"), (".svg", b"<svg"), (".png", b"\x89PNG")])
def test_export_writes_a_self_contained_picture(tiny, tmp_path, suffix, start):
    output = tmp_path / f"picture{suffix}"
    run("export", "tiny-tagger", "Harry met Hermione", "-o", output)
    content = output.read_bytes()
    assert content[: len(start)].lower() == start.lower()
    if suffix != ".png":
        linked = re.findall(r"""(?:src|href)=["'](?!#|data:)([^"']+)""", content.decode("utf-8"))
        assert linked == []


def test_a_folder_with_a_strange_name_is_said_and_is_none_of_the_known(tiny):
    (tiny / "tiny-critic").rename(tiny / "tiny <b>critic")
    said = RUNNER.invoke(app, ["models"]).stderr
    assert "Checkpoint 'tiny <b>critic': the name of its folder may hold letters, digits, hyphens" in said
    assert "known are: tiny-reader, tiny-tagger." in run("trace", "tiny-critic", "a", code=2)


def test_an_empty_folder_of_checkpoints_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path / "nowhere"))
    assert f"There is no checkpoint in {tmp_path / 'nowhere'}" in RUNNER.invoke(app, ["models"]).stderr
    assert "There is no model 'a'; the folder" in run("trace", "a", "text", code=2)


def test_a_file_that_may_not_be_written_is_said(tiny, tmp_path):
    output = tmp_path / "taken.html"
    output.mkdir()
    assert run("export", "tiny-reader", "a", "-o", output, code=2).startswith(
        f"seqviz: {output} cannot be written: Is a directory."
    )


@pytest.mark.parametrize("text", ["🎉🤯", "<script>alert(1)</script>", r"\frac{1}{2} $x$", "你好", "\t \u202e a"])
def test_odd_texts_are_drawn_as_they_are(tiny, tmp_path, text):
    output = tmp_path / "odd.html"
    run("export", "tiny-reader", "-", "-o", output, given=text)
    assert "<script>alert" not in output.read_text(encoding="utf-8")


@pytest.mark.parametrize("view", ["unroll", "gradients", "gates", "all-gates", "memory", "half-lives", "jacobians"])
def test_export_draws_the_views_of_one_sequence(tiny, tmp_path, view):
    output = tmp_path / f"{view}.svg"
    run("export", "tiny-reader", "to be or not", "--view", view, "--layer", "1", "-o", output)
    assert output.read_text(encoding="utf-8").lstrip().startswith("<svg")


def test_export_speaks_chinese_when_asked(tiny, tmp_path):
    output = tmp_path / "unroll.html"
    run("export", "tiny-reader", "to be", "-o", output, "--language", "zh_CN")
    assert '<html lang="zh-CN">' in output.read_text(encoding="utf-8")


def test_export_writes_the_gradients_of_the_loss_of_a_step(tiny, tmp_path):
    output = tmp_path / "gradients.svg"
    run("export", "tiny-reader", "the cat", "--view", "gradients", "--loss-step", "3", "-o", output)
    assert "Gradients of tiny-reader on: t h e" in output.read_text(encoding="utf-8")
    assert "From ‘e’ to ‘t’, 2 steps" in output.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "figures"),
    [
        ("tiny-reader", TEXT, ["nats_per_token", "perplexity", "tokens"]),
        ("tiny-critic", "1\ta good film\n0\tnot very good\n", ["accuracy", "examples"]),
        ("tiny-tagger", "Harry\tB-PER\nmet\tO\n\n", ["f1", "tag_accuracy", "examples"]),
    ],
)
def test_evaluate_prints_the_standard_figures_of_the_task(tiny, tmp_path, name, content, figures):
    path = tmp_path / "data.txt"
    path.write_text(content, encoding="utf-8")
    measured = json.loads(run("evaluate", name, "--data", path, "--json"))
    assert set(figures) <= set(measured)
    plain = run("evaluate", name, "--data", path)
    assert re.search(rf"^{figures[0]} [\d.e+-]+$", plain, re.MULTILINE)


RECIPE = """
name = "tiny-trained"
title = "Tiny"
family = "tiny"
[data]
train = ["train.txt"]
valid = "valid.txt"
[tokenizer]
kind = "character"
[model]
task = "language_model"
cell = "gru"
embedding_size = 4
hidden_size = 8
[train]
batch_size = 4
max_epochs = 2
unroll_steps = 10
warmup_steps = 2
[card]
summary = "reads one line."
restricted = false
licence = "public domain"
data_notes = ["One line of Hamlet, many times."]
published = ["None."]
weaknesses = ["It is tiny."]
"""


@pytest.fixture
def recipe(tmp_path):
    """A recipe that is trained in a second, its data beside it."""
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    (tmp_path / "train.txt").write_text(TEXT * 20)
    (tmp_path / "valid.txt").write_text(TEXT)
    return path


def test_train_makes_a_checkpoint_that_can_be_traced(recipe, tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    options = ["--data", tmp_path, "--runs", tmp_path / "runs", "--output", root, "--threads", 1]
    printed = run("train", recipe, *options, "--set", "train.seed=3")
    assert "".join(printed.split()).endswith("checkpoints/tiny-trained")
    config = json.loads((root / "tiny-trained" / "config.json").read_text())
    assert config["details"]["seed"] == 3
    assert config["figures"]["nats_per_token"] > 0
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    assert json.loads(run("trace", "tiny-trained", "to be"))["model"] == "tiny-trained"


@pytest.mark.parametrize("folder", ["runs", "output"])
def test_train_says_at_once_that_its_folders_cannot_be_written(recipe, tmp_path, folder):
    (tmp_path / "file").touch()
    places = {"runs": tmp_path / "runs", "output": tmp_path / "checkpoints", folder: tmp_path / "file" / "x"}
    options = ["--data", tmp_path, "--runs", places["runs"], "--output", places["output"], "--threads", 1]
    said = run("train", recipe, *options, code=2)
    blocked = places[folder] / "tiny-trained" if folder == "runs" else places[folder]
    assert said == f"seqviz: {blocked} cannot be written: Not a directory.\n"  # nothing was trained before


def test_an_output_that_cannot_be_written_is_one_line(tiny, tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "x"
    assert run("trace", "tiny-reader", "to be", "-o", path, code=2) == (
        f"seqviz: {path} cannot be written: Not a directory.\n"
    )
    for ending in ("svg", "png", "html"):
        picture = path.with_suffix(f".{ending}")
        assert run("export", "tiny-reader", "to be", "-o", picture, code=2) == (
            f"seqviz: {picture} cannot be written: Not a directory.\n"
        )


def test_a_card_that_cannot_be_written_is_one_line(recipe, tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    run("train", recipe, "--data", tmp_path, "--runs", tmp_path / "runs", "--output", root, "--threads", 1)
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    monkeypatch.setattr("seqviz.training.sentences.load_recipe", lambda name: load_recipe(str(recipe)))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    card = root / "tiny-trained" / "README.md"
    before = card.read_text()
    assert run("card", "tiny-trained", code=2) == f"seqviz: {card} cannot be written: No space left on device.\n"
    assert card.read_text() == before


def test_a_recipe_without_its_card_is_refused_before_the_training(tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('name = "a"\ntitle = "A"\nfamily = "a"\n[data]\n[tokenizer]\n[model]\n[train]\n')
    said = " ".join(run("train", recipe, "--data", tmp_path, code=2).split())
    assert "lacks card, data.train, data.valid, tokenizer.kind, model.task," in said


def test_the_installed_command_is_this_one():
    script = Path(sys.executable).parent / "seqviz"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == __version__
    metadata = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert metadata["project"]["scripts"] == {"seqviz": "seqviz.cli:main"}
