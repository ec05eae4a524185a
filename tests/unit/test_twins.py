"""Twins: which models differ in one thing only, their maps beside each other, how evenly they attend."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from seqviz.attention_export import compared_csv, compared_json, growth_csv, growth_json
from seqviz.charts.attention_map import MapPanel, attention_figure
from seqviz.checkpoints import TranslatorInfo, list_translators
from seqviz.cli import app
from seqviz.config import SCORE_NAMES, TranslationConfig
from seqviz.errors import InvalidInputError
from seqviz.models.attention import make_score
from seqviz.models.loading import load_translator
from seqviz.training.evenness import measure_evenness
from seqviz.twins import fine_tuned, penalty, regularised, score_parameters, score_twins, target
from tests.helpers import PAIRS, write_tiny_translator, write_tiny_tuned
from tests.unit.test_attention import translation


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_tiny_translator(folder, name="base")
    write_tiny_translator(folder, name="plain", score="none")
    write_tiny_tuned(folder, name="even", base="base", penalty=2.0)
    write_tiny_tuned(folder, name="control", base="base")
    write_tiny_tuned(folder, name="cosine", base="base", score="cosine")
    return folder


def models(root: Path) -> dict[str, TranslatorInfo]:
    return {info.name: info for info in list_translators(root)[0]}


@pytest.mark.parametrize("name", ["base", "plain", "even", "control", "cosine"])
def test_every_model_of_a_family_leads_to_the_same_comparisons(root: Path, name: str):
    known = models(root)
    assert [info.name for info in regularised(known, name)] == ["base", "control", "even"]
    assert [info.name for info in score_twins(known, name)] == ["base", "cosine"]
    base, tuned = fine_tuned(known, name)
    assert base is known["base"]
    assert [info.name for info in tuned] == ["control", "cosine", "even"]


def test_without_a_control_the_base_takes_its_place(root: Path):
    known = {name: info for name, info in models(root).items() if name != "control"}
    assert [info.name for info in regularised(known, "base")] == ["base", "even"]


def test_where_a_twin_or_the_base_is_missing_there_is_no_comparison(root: Path):
    known = models(root)
    without_base = {name: info for name, info in known.items() if name != "base"}
    assert regularised(without_base, "plain") == score_twins(without_base, "plain") == []
    alone = {name: known[name] for name in ("base", "plain")}
    assert regularised(alone, "base") == score_twins(alone, "base") == []


def test_the_regularisers_settings_are_those_of_the_training(root: Path):
    known = models(root)
    assert (penalty(known["even"]), target(known["even"])) == (2.0, 1.0)
    assert (penalty(known["control"]), penalty(known["base"]), target(known["base"])) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("score", [name for name in SCORE_NAMES if name != "none"])
def test_the_number_of_a_scores_parameters_is_that_of_the_model(score: str):
    config = TranslationConfig(
        cell="gru", vocabulary_size=9, embedding_size=2, encoder_size=3, decoder_size=6, attention_size=5, score=score
    )
    built = make_score(score, 6, 6, 5)
    assert score_parameters(config) == sum(parameter.numel() for parameter in built.parameters())


def panel(title: str, columns: int = 3, *, marginals: bool = True) -> MapPanel:
    weights = np.full((2, columns), 1 / columns)
    words = tuple(f"mot{index}" for index in range(columns))
    return MapPanel(title=title, rows=("a", "b"), columns=words, values=weights, marginals=marginals)


def test_maps_stand_in_rows_and_each_says_its_own_regulariser():
    figure = attention_figure([panel("one"), panel("two"), panel("three")], name="tiny", per_row=2)
    first, second, third = figure.payload["panels"]
    assert first["y"] == second["y"] < third["y"]
    assert first["x"] == third["x"] < second["x"]
    assert figure.svg.count('data-p="value"') == figure.svg.count('data-p="flags"') == 3
    assert figure.svg.count("Σᵢ (τ − Σₜ αₜⁱ)² = 0.333 for τ = 1.00.") == 6  # each map, and in the alt text
    assert third["marginals"]["foot"] < figure.height


def test_a_list_of_words_that_would_run_into_the_next_map_is_cut():
    long = panel("one", 20)
    figure = attention_figure([long, long], name="tiny", per_row=2)
    assert "… (20)" in figure.svg
    assert figure.payload["panels"][0]["marginals"]["names"] < 8
    assert "mot19" in figure.alt


def test_maps_whose_cells_would_be_too_small_to_read_go_below_each_other():
    first, second = attention_figure([panel("one", 30)] * 2, name="tiny", per_row=2).payload["panels"]
    assert (first["x"], first["cell"]) == (second["x"], second["cell"])
    assert first["y"] < second["y"]
    few = attention_figure([panel("one", 7, marginals=False)] * 4, name="tiny", font_size=18)
    assert few.width <= 1150
    assert len({one["y"] for one in few.payload["panels"]}) == 1


def test_the_weights_of_several_models_are_written_one_after_another():
    one = translation()
    content = json.loads(compared_json([one, one], tau=0.5))
    assert [model["tau"] for model in content["models"]] == [0.5, 0.5]
    np.testing.assert_array_equal(content["models"][1]["pieces"]["weights"], one.attention)
    rows = list(csv.DictReader(compared_csv([one, one]).splitlines()))
    assert len(rows) % 2 == 0
    assert rows[0] == rows[len(rows) // 2]
    assert rows[0]["model"] == one.model


def test_the_growing_sentence_is_written_with_every_number():
    curves = {"A": [90.0, 100 / 3], "B": [1.0, 2.0]}
    rows = list(csv.DictReader(growth_csv(curves).splitlines()))
    assert [(row["model"], row["clauses"], float(row["chrf"])) for row in rows][1] == ("A", "2", 100 / 3)
    content = json.loads(growth_json(curves, [("un", "one"), ("un deux", "one two")]))
    assert content["models"][0] == {"model": "A", "chrf": curves["A"]}
    assert content["stages"][1] == {"source": "un deux", "reference": "one two"}


def test_evenness_is_recomputed_pair_by_pair(root: Path, tmp_path: Path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{s}\t{t}\n" for s, t in PAIRS))
    loaded = load_translator("even", root=root)
    found = measure_evenness(loaded, path, tau=0.7)
    penalties, received, entropies = [], [], []
    for source, text in PAIRS:
        ids = loaded.encoder.encode(source).ids
        inputs = torch.tensor([[2, *loaded.encoder.encode(text).ids]])
        _, weights = loaded.model(torch.tensor([ids]), None, inputs)
        alpha = weights[0].double().numpy()
        coverage = alpha.sum(0)
        penalties.append(((0.7 - coverage) ** 2).sum() / len(ids))
        received += coverage.tolist()
        entropies += [-sum(a * math.log2(a) for a in row if a > 0) for row in alpha.tolist()]
    assert found.pairs == len(PAIRS)
    assert found.penalty == pytest.approx(np.mean(penalties), abs=1e-5)
    assert found.entropy == pytest.approx(np.mean(entropies), abs=1e-5)
    assert found.never == pytest.approx(np.mean([value < 0.25 * 0.7 for value in received]))
    assert found.often == pytest.approx(np.mean([value > 2 * 0.7 for value in received]))
    with pytest.raises(InvalidInputError, match="plain has no attention"):
        measure_evenness(load_translator("plain", root=root), path)


def test_the_command_prints_how_evenly_a_model_attends(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{s}\t{t}\n" for s, t in PAIRS))
    said = CliRunner().invoke(app, ["evenness", "even", "--data", str(path)])
    assert said.exit_code == 0, said.output
    assert f"mean over {len(PAIRS)} pairs" in said.stdout
    assert "hardly attended" in said.stdout


def test_the_alignment_error_of_a_model_without_aligned_pairs_is_a_sentence(root: Path, monkeypatch):
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(root))
    said = CliRunner().invoke(app, ["alignment-error", "base"])
    assert said.exit_code == 2
    assert "No pairs of the languages of base have been aligned by hand." in said.stderr
