"""The network alone and the small pictures of cards: their numbers, their words, their size."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import seqviz
from seqviz.charts.glimpses import (
    HEIGHT,
    WIDTH,
    attention_glimpse,
    gate_glimpse,
    progress_glimpse,
    reach_glimpse,
    search_glimpse,
    states_glimpse,
    words_glimpse,
)
from seqviz.charts.network import network_figure
from seqviz.charts.palette import signed_buckets
from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import TableModel
from tests.helpers import write_tiny_checkpoint


@pytest.fixture
def runs(tmp_path, monkeypatch):
    for cell in ("lstm", "gru", "rnn_tanh"):
        name = cell.split("_")[0]
        write_tiny_checkpoint(tmp_path, name=name, task="classification", cell=cell)
    monkeypatch.setenv("SEQVIZ_CHECKPOINTS", str(tmp_path))
    return {name: seqviz.trace(name, "the movie was not very good .") for name in ("lstm", "gru", "rnn")}


def table_search(**options):
    return search(TableModel(PRESETS["syllabus"].table), DecodeConfig(max_length=4, min_length=3, **options))


def test_the_network_alone_has_no_heatmap_and_is_half_as_high(runs):
    alone, whole = network_figure(runs["lstm"]), seqviz.figure(runs["lstm"])
    assert alone.height < whole.height * 0.8
    assert "data-heatmap" not in alone.svg
    assert "heatmap" not in alone.payload["panels"][0]
    assert [panel["tokens"] for panel in alone.payload["panels"]] == [
        ["the", "movie", "was", "not", "very", "good", "."]
    ]
    assert alone.payload["focus"]["step"] == 3
    assert "unrolled over 7 steps: the movie was not very good ." in alone.alt
    assert "Heatmap" not in alone.alt


def test_the_network_alone_is_small_enough_for_the_first_page():
    figure = network_figure(seqviz.trace("sentiment-lstm", "There is nothing to like in this movie."))
    assert len(figure.svg) + len(json.dumps(figure.payload)) < 45_000


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_a_glimpse_is_a_small_svg_with_words_for_it(runs, name: str):
    run = runs[name]
    figures = [states_glimpse(run), words_glimpse(run), reach_glimpse(seqviz.backward(name, run.text))]
    figures += [figure for figure in (gate_glimpse(run),) if figure is not None]
    for figure in figures:
        drawn = ET.fromstring(figure.to_svg(theme="dark"))
        assert drawn.get("aria-label") == figure.alt
        assert drawn.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
        assert len(figure.svg) < 6_000
    assert (gate_glimpse(run) is None) == (name == "rnn")


def test_the_words_are_coloured_by_the_liveliest_unit(runs):
    run = runs["lstm"]
    states = run.layers[-1].hidden_state.astype(np.float64)
    unit = int(states.var(0).argmax())
    buckets = np.clip(signed_buckets(states[:, unit], np.abs(states[:, unit]).max()), 7, 23)
    figure = words_glimpse(run)
    assert figure.alt == f"The text coloured by unit {unit}."
    assert [int(bucket) for bucket in re.findall(r'class="D(\d+)"', figure.svg)] == buckets.tolist()


def test_a_long_text_ends_where_the_glimpse_does(runs):
    run = seqviz.trace("lstm", "the movie was not very good . " * 12)
    shown = re.findall(r"<rect[^>]* y=\"([\d.]+)\"", words_glimpse(run).svg)
    assert len(shown) < len(run)
    assert max(float(y) for y in shown) + 20 <= HEIGHT


def test_the_bars_of_a_gradient_reach_from_the_smallest_to_the_largest(runs):
    backward = seqviz.backward("lstm", runs["lstm"].text)
    norms = np.linalg.norm(backward.layers[0].hidden_state, axis=1)
    heights = [float(height) for height in re.findall(r'height="([\d.]+)" class="l', reach_glimpse(backward).svg)]
    assert np.argsort(heights).tolist() == np.argsort(norms).tolist()
    assert max(heights) == HEIGHT


def test_the_way_of_a_search_goes_through_every_step_of_its_best_hypothesis():
    found = table_search(beam_size=2)
    figure = search_glimpse(found)
    way = re.search(r'<path d="([^"]+)" class="gm"', figure.svg)
    assert way is not None
    assert len(re.findall("[ML]", way[1])) == 5
    assert figure.alt == f"A search over 4 steps: {len(found) - 1} hypotheses were looked at."
    assert attention_glimpse(found) is None, "a table has no attention"


def test_the_attention_of_the_best_hypothesis_has_a_row_a_token():
    from seqviz.backends.translation_requests import SearchRequest
    from seqviz.backends.worker import Worker

    request = SearchRequest(model="cmn-eng-attention", text="我们明天去北京。", config=DecodeConfig(beam_size=2))
    found = Worker().answer(request)
    figure = attention_glimpse(found.search)
    assert figure is not None
    tokens = len(found.search.path(found.search.best))
    assert figure.alt == f"Attention weights: {tokens} tokens written, {len(found.source)} pieces read."


def test_progress_has_a_tile_a_lesson():
    figure = progress_glimpse({"R": [True, False], "B": [None]}, alt="1 of 3")
    assert re.findall(r'class="(\w\w)"', figure.svg)[1:] == ["mu", "ac", "ok", "mu", "tk"]
    assert re.findall(r">(\w)</text>", figure.svg) == ["R", "B"]
