"""Translation checkpoints beside the others: listed apart, loaded verified, refused where they do not fit."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from seqviz.checkpoints import list_all, list_checkpoints, list_translators, read_info, read_translator
from seqviz.cli import app
from seqviz.config import SCORE_NAMES, TranslationConfig
from seqviz.errors import CheckpointError, InvalidInputError, UnknownNameError
from seqviz.models.attention import SCORES, make_score
from seqviz.models.loading import load_model, load_translator
from seqviz.training.sentences import Judged, translations
from tests.helpers import PAIRS, write_tiny_checkpoint, write_tiny_translator


@pytest.fixture
def root(tmp_path):
    write_tiny_checkpoint(tmp_path, name="letters")
    write_tiny_translator(tmp_path, name="fra-eng")
    return tmp_path


def test_pages_of_one_sequence_do_not_list_translators(root):
    assert [info.name for info in list_checkpoints(root)[0]] == ["letters"]
    assert [info.name for info in list_translators(root)[0]] == ["fra-eng"]
    assert [info.name for info in list_all(root)[0]] == ["fra-eng", "letters"]


def test_a_translator_loads_with_its_encoder(root):
    loaded = load_translator("fra-eng", root=root)
    assert loaded.model.num_parameters() == loaded.info.num_parameters
    assert not loaded.model.training
    assert len(loaded.encoder.vocabulary) == loaded.info.config.vocabulary_size
    text = PAIRS[0][0]
    assert loaded.encoder.decode(loaded.encoder.encode(text).ids) == text


def test_a_model_of_the_other_kind_is_refused_in_one_sentence(root):
    with pytest.raises(InvalidInputError, match="fra-eng is a translation model; a language model"):
        load_model("fra-eng", root=root)
    with pytest.raises(InvalidInputError, match="fra-eng is a translation model"):
        read_info("fra-eng", root)
    with pytest.raises(InvalidInputError, match="letters is not a translation model"):
        load_translator("letters", root=root)
    with pytest.raises(UnknownNameError, match="known are: fra-eng, letters"):
        read_translator("nothing", root)


@pytest.mark.parametrize(
    ("field", "value"),
    [("task", "summary"), ("score", "guess"), ("decoder_layers", 0), ("vocabulary_size", 3), ("surprise", 1)],
)
def test_a_wrong_configuration_is_said_and_the_rest_stays(root, field, value):
    path = root / "fra-eng" / "config.json"
    raw = json.loads(path.read_text())
    raw["model"][field] = value
    path.write_text(json.dumps(raw))
    found, broken = list_all(root)
    assert [info.name for info in found] == ["letters"]
    assert isinstance(broken["fra-eng"], CheckpointError)


@pytest.mark.parametrize("change", [{"decoder_size": 9}, {"vocabulary_size": 300}])
def test_sizes_that_do_not_fit_the_weights_are_said(root, change):
    path = root / "fra-eng" / "config.json"
    raw = json.loads(path.read_text())
    raw["model"].update(change)
    path.write_text(json.dumps(raw))
    with pytest.raises(CheckpointError, match="the weights do not fit"):
        load_translator("fra-eng", root=root)


def test_the_command_lists_and_measures_a_translator(root, tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    listed = CliRunner().invoke(app, ["models"])
    assert "translation" in listed.stdout
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"{s}\t{t}\n" for s, t in PAIRS))
    measured = CliRunner().invoke(app, ["evaluate", "fra-eng", "--data", str(pairs)])
    assert measured.exit_code == 0
    names = [line.split()[0] for line in measured.stdout.splitlines()]
    assert names == ["bleu", "bleu_greedy", "sources", "sacrebleu"]
    assert "tok:13a" in measured.stdout


def test_score_functions_have_the_names_of_the_configuration():
    assert {*SCORES, "none"} == set(SCORE_NAMES)
    with pytest.raises(UnknownNameError, match="known are: additive, dot"):
        make_score("guess", 2, 2, 2)


def test_dot_needs_states_of_one_size():
    with pytest.raises(InvalidInputError, match="must be 2 x encoder_size"):
        TranslationConfig(cell="gru", vocabulary_size=9, embedding_size=2, encoder_size=3, decoder_size=5, score="dot")


def test_a_card_is_written_anew_with_its_judged_sentences(root, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    path = root / "fra-eng" / "config.json"
    raw = json.loads(path.read_text())
    raw["details"] |= {
        "recipe": "fra-eng-attention",
        "command": "seqviz train fra-eng-attention",
        "training_seconds": 60,
        "hardware": "a test",
        "versions": {"torch": "2"},
        "train": {},
    }
    raw["details"]["data"]["valid"] = "pairs.tsv"
    path.write_text(json.dumps(raw))
    loaded = load_translator("fra-eng", root=root)
    sources = ["Le chat dort.", "Tom est en France."]
    first, second = translations(loaded, sources)
    judged = [
        Judged(source=sources[0], translation=first, verdict="wrong", note="random weights"),
        Judged(source=sources[1], translation=f"{second} no more", verdict="right"),
    ]
    monkeypatch.setattr("seqviz.training.sentences.judged_sentences", lambda name: judged)
    written = CliRunner().invoke(app, ["card", "fra-eng"])
    assert written.exit_code == 0, written.output
    card = (root / "fra-eng" / "README.md").read_text()
    assert "## 2 sentences" in card
    assert "judged by a reader: 0 right, 0 understandable, 1 wrong." in card
    assert f"| Le chat dort. | {first} | wrong: random weights |" in card
    assert f"| Tom est en France. | {second} | not judged |" in card


def test_the_command_translates_a_sentence_a_line(root, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    answer = CliRunner().invoke(app, ["translate", "fra-eng", "-", "--beam", "2"], input="Le chat dort.\n\nTom\n")
    assert answer.exit_code == 0
    assert len(answer.stdout.splitlines()) == 2
    empty = CliRunner().invoke(app, ["translate", "fra-eng", " "])
    assert empty.exit_code == 2
    assert "nothing to translate yet" in empty.stderr
