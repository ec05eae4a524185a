"""BLEU by the length of the source: the bootstrap, the command, the file."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from seqviz.charts.attention_scores import growth_chart, length_chart
from seqviz.cli import app
from seqviz.errors import CheckpointError
from seqviz.growing_sentence import CLAUSES, grown
from seqviz.length_bleu import FILE, read_length_bleu
from seqviz.metrics.bootstrap_bleu import bleu_interval, sentence_counts
from seqviz.metrics.chrf import sentence_chrf
from seqviz.metrics.corpus_bleu import corpus_bleu
from tests.helpers import PAIRS, write_tiny_translator

FOUND = ["The cat is sleeping now .", "A dog barks at me .", "Tom is in France today ."]
KNOWN = [["The cat is sleeping .", "The cat sleeps now ."], ["A dog barks ."], ["Tom is in Paris today ."]]


def test_the_score_is_sacrebleu_s_and_lies_in_its_interval():
    counts = sentence_counts(FOUND, KNOWN)
    measured = bleu_interval(counts, resamples=200, seed=3)
    assert measured.score == pytest.approx(corpus_bleu(FOUND, KNOWN).score, abs=1e-9)
    assert measured.low <= measured.score <= measured.high
    assert measured == bleu_interval(counts, resamples=200, seed=3)


def test_a_perfect_translation_has_no_spread():
    same = ["one two three four five"] * 4
    assert bleu_interval(sentence_counts(same, [[one] for one in same])) == pytest.approx((100, 100, 100))


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    write_tiny_translator(tmp_path, name="tiny")
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS), encoding="utf-8")
    return tmp_path


def test_the_command_writes_the_figures_of_every_bin(tiny: Path):
    done = CliRunner().invoke(app, ["bleu-by-length", "tiny", "--data", str(tiny / "pairs.tsv"), "--resamples", "20"])
    assert done.exit_code == 0, done.output
    found = read_length_bleu("tiny")
    assert found is not None
    assert sum(one.sources for one in found.bins) == len(PAIRS)
    assert all(one.low_bleu <= one.bleu + 1e-9 for one in found.bins)
    assert length_chart([found], titles={"tiny": "Tiny"}).to_dict()["description"].startswith("Tiny: ")


def test_figures_of_other_weights_are_not_shown(tiny: Path):
    CliRunner().invoke(app, ["bleu-by-length", "tiny", "--data", str(tiny / "pairs.tsv"), "--resamples", "20"])
    path = tiny / "tiny" / FILE
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"weights": "0" * 64}))
    assert read_length_bleu("tiny") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "other", "format_version": 1, "bins": []}', '{"bins": 3}']
)
def test_a_damaged_file_is_one_sentence(tiny: Path, text: str):
    (tiny / "tiny" / FILE).write_text(text)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_length_bleu("tiny")


def test_the_growing_sentence_grows_on_both_sides():
    assert grown(1) == ("Jane visite l'Afrique en septembre.", "Jane visits Africa in September.")
    texts = [grown(count) for count in range(1, len(CLAUSES) + 1)]
    assert all(len(a[0]) < len(b[0]) and len(a[1]) < len(b[1]) for a, b in itertools.pairwise(texts))
    chart = growth_chart({"A": [90.0, 50.0]}, chosen=2).to_dict()
    assert chart["description"] == "A: 90, 50"
    assert sentence_chrf("Jane visits Africa.", "Jane visits Africa.") == pytest.approx(100)
    assert np.isclose(sentence_chrf("xyz", "Jane"), 0)
