"""The search tree as a picture: nothing overlaps, nothing is lost, every number is the trace's."""

from __future__ import annotations

import itertools
import math
from xml.etree import ElementTree as ET

import pytest

from seqviz.charts.search_tree import SearchPath, SearchTreeOptions, search_tree_figure
from seqviz.charts.search_tree_layout import make_layout
from seqviz.charts.search_tree_parts import GHOST
from seqviz.charts.svg import text_width
from seqviz.config import SEARCHES, DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import ProbabilityTable, TableModel, TableRow
from seqviz.decoding.trace import SearchTrace
from seqviz.errors import InvalidInputError
from seqviz.i18n import translator
from tests.unit.decoding.random_model import RandomModel

NAMESPACE = "{http://www.w3.org/2000/svg}"


def preset_search(name: str, preset: str = "missed", **options) -> SearchTrace:
    chosen = PRESETS[preset]
    settings = {
        "beam_size": chosen.beam_size,
        "min_length": chosen.min_length,
        "max_length": chosen.max_length,
        "candidates": 6,
        "stopping": "all" if chosen.go_on else "n_best",
        **options,
    }
    return search(TableModel(chosen.table), DecodeConfig(search=name, **settings))


def paths_of(preset: str = "missed") -> list[SearchPath]:
    keys = {"greedy": "greedy", "beam": "beam", "exact": "optimum"}
    return [SearchPath.of(preset_search(name, preset), key=key, label=key) for name, key in keys.items()]


def large_search() -> SearchTrace:
    model = RandomModel(60, 3, sharpness=1.2)
    return search(model, DecodeConfig(beam_size=5, max_length=12, min_length=11, stopping="all"))


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def words(svg: str) -> str:
    return " ".join("".join(element.itertext()) for element in parsed(svg).iter(f"{NAMESPACE}text"))


@pytest.mark.parametrize("font_size", [14, 18])
@pytest.mark.parametrize("trace", [preset_search("exact", "jane"), preset_search("brute_force"), large_search()])
def test_no_two_labels_of_a_tree_overlap(trace, font_size):
    options = SearchTreeOptions(font_size=font_size)
    layout = make_layout(trace, [], options, notes={"min_length": "too short"})
    right = 0.0
    for column in layout.columns:
        assert column.x >= right + layout.gap or column.step == 0
        right = column.x + column.width
        shown = [layout.nodes[index] for index in (*column.kept, *column.dropped) if not layout.nodes[index].hidden]
        for above, below in itertools.pairwise(shown):
            assert above.y + above.height <= below.y
        for node in shown[1 if column.step == 0 else 0 :]:
            size = options.font_size if node.kept else options.small
            note = text_width(node.note, options.small) if node.note else 0
            assert text_width(node.label, size) + text_width(node.values, options.small) + note < column.width
            assert node.height >= size * 1.2


def test_three_hundred_hypotheses_are_all_there_and_small_to_send():
    trace = large_search()
    figure = search_tree_figure(trace)
    assert len(trace) > 280
    assert len(figure.payload["nodes"]["parent"]) == len(trace)
    assert len(figure.svg) < 105_000


def test_a_long_column_is_folded_and_says_what_it_hides():
    trace = preset_search("brute_force", "missed", max_length=4)
    layout = make_layout(trace, [], SearchTreeOptions(rows=8), notes={})
    for column in layout.columns:
        members = [layout.nodes[index] for index in (*column.kept, *column.dropped)]
        assert sum(not node.hidden for node in members) <= 8
        hidden = [node for node in members if node.hidden]
        assert column.folded == len(hidden)
        assert column.folded_mass == pytest.approx(sum(math.exp(node.log_prob) for node in hidden), abs=1e-12)
    assert f"+{layout.columns[3].folded} · P =" in words(
        search_tree_figure(trace, options=SearchTreeOptions(rows=8)).svg
    )


def test_what_lies_on_a_marked_path_is_never_folded():
    trace, paths = preset_search("brute_force"), paths_of()
    layout = make_layout(trace, paths, SearchTreeOptions(rows=4, least=0.5), notes={})
    marked = {index for path in layout.paths.values() for index in path}
    assert not any(layout.nodes[index].hidden for index in marked)
    assert sum(node.hidden for node in layout.nodes) > 50


def test_the_optimum_that_fell_out_is_flagged_and_its_rest_drawn_as_never_looked_at():
    trace, paths = preset_search("beam"), paths_of()
    figure = search_tree_figure(trace, paths=paths, follows="beam")
    assert "the optimum is lost here" in words(figure.svg)
    assert "The optimum is lost at step 1: rank 3, 0.182 nats behind the last survivor." in figure.alt
    nodes = figure.payload["nodes"]
    fates = [nodes["fate"][index] for index in figure.payload["paths"]["optimum"]]
    assert fates == ["dropped", GHOST, GHOST]
    wider = search_tree_figure(preset_search("beam", beam_size=3), paths=paths)
    assert "lost" not in words(wider.svg)


def test_the_numbers_of_the_payload_are_those_of_the_trace():
    trace = preset_search("beam", "jane")
    payload = search_tree_figure(trace).payload
    assert payload["nodes"]["logProb"] == [float(f"{value:.10g}") for value in trace.token_log_prob]
    assert payload["nodes"]["token"] == trace.token.tolist()
    rows = [row for row in range(len(trace)) if trace.expansion[row] >= 0]
    assert sorted(map(int, payload["candidates"])) == rows
    first = payload["candidates"]["0"][0]
    assert payload["names"][first[0]] == "Jane"
    assert first[1] == pytest.approx(math.log(0.85), abs=1e-9)


def test_the_strip_shows_every_crossover_and_the_ranking_follows_alpha():
    trace = preset_search("beam", "length")
    figure = search_tree_figure(trace, paths=paths_of("length"), follows="beam")
    assert figure.payload["crossovers"] == [pytest.approx(0.2312, abs=1e-4), pytest.approx(0.7512, abs=1e-4)]
    assert "α = 0.2312" in words(figure.svg)
    at_zero, at_one = (
        search_tree_figure(trace, paths=paths_of("length"), follows="beam", options=SearchTreeOptions(alpha=alpha))
        for alpha in (0.0, 1.0)
    )
    assert "beam: A <eos> (P = 0.2)" in words(at_zero.svg)
    assert "beam: C C C A B <eos> (P = 0.07716)" in words(at_one.svg)
    log_prob = math.log(0.2 * 0.9 * 0.5 * 0.95 * 0.95 * 0.95)
    assert f"{log_prob / 6:.4f}".replace("-", "−") in words(at_one.svg)


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_can_be_drawn_as_file_and_page(name):
    trace = preset_search(name, groups=2 if name == "diverse" else 1)
    figure = search_tree_figure(trace, paths=paths_of())
    parsed(figure.to_svg(theme="dark"))
    assert "class=" not in figure.to_svg()
    page = figure.to_html()
    assert "class SearchTree" in page
    assert "class Picture" not in page
    assert figure.alt in page.replace("&lt;", "<").replace("&gt;", ">")


def test_a_picture_is_a_png():
    assert search_tree_figure(preset_search("greedy")).to_png(scale=1).startswith(b"\x89PNG")


def test_symbols_are_text_whatever_they_hold():
    symbols = ("<b>", '"&', "中文", "<eos>")
    table = ProbabilityTable(symbols=symbols, rows=(TableRow(step=1, after=None, probabilities=(0.4, 0.3, 0.2, 0.1)),))
    trace = search(TableModel(table), DecodeConfig(max_length=2, beam_size=3))
    figure = search_tree_figure(trace, t=translator("zh_CN"), language="zh-CN")
    assert "<b>" in words(figure.svg)
    assert "中文" in words(figure.svg)
    assert "第 1 步" in words(figure.svg)
    assert "<b>" not in figure.svg
    assert "\\u003cb>" in figure.to_html()


def test_presenter_size_has_no_text_below_16_pixels():
    figure = search_tree_figure(preset_search("beam"), paths=paths_of(), options=SearchTreeOptions(font_size=18))
    sizes = [float(element.get("font-size")) for element in parsed(figure.svg).iter() if element.get("font-size")]
    assert min(sizes) >= 16


def test_a_search_without_a_result_says_so():
    trace = search(RandomModel(2, 1), DecodeConfig(min_length=2, max_length=4, forbidden=(1,)))
    figure = search_tree_figure(trace)
    assert "No hypothesis was completed" in figure.alt
    assert "No hypothesis was completed" in words(figure.svg)


def test_a_huge_search_is_drawn_in_part_and_the_rest_counted():
    trace = search(RandomModel(8, 1), DecodeConfig(search="brute_force", max_length=4, max_expansions=5000))
    payload = search_tree_figure(trace).payload
    assert len(payload["nodes"]["parent"]) <= 810
    left_out = sum(column["leftOut"][0] for column in payload["columns"])
    assert left_out + len(payload["nodes"]["parent"]) == len(trace)


def test_an_exact_search_plays_by_its_expansions():
    trace = preset_search("exact")
    payload = search_tree_figure(trace).payload
    assert payload["byExpansion"]
    born = payload["nodes"]["born"]
    for row in range(1, len(trace)):
        assert born[row] >= born[int(trace.parent[row])] or trace.expansion[trace.parent[row]] < 0


@pytest.mark.parametrize(("field", "value"), [("alpha", 2.5), ("rows", 1), ("font_size", 4), ("least", -1)])
def test_options_out_of_range_are_refused_in_a_sentence(field, value):
    with pytest.raises(InvalidInputError, match=f"{field} is {value}; allowed is"):
        SearchTreeOptions(**{field: value})
