"""The unrolled network as SVG: what is drawn, where, and in which words."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from seqviz.charts.unroll import UnrollFocus, UnrollOptions, unroll_figure
from seqviz.charts.unroll_layout import Grid, grouped, tile_grid, unit_order
from seqviz.charts.unroll_network import token_lines
from seqviz.errors import InvalidInputError, UnknownNameError
from seqviz.traces import LayerTrace, RecurrentTrace

LABELS = {
    "tagging": ("O", "B-PER", "I-PER", "B-LOC"),
    "classification": ("negative", "positive"),
    "language_model": ("<unk>", " ", "a", "b", "c", "\n"),
}
SENTENCE = ("Yesterday", ",", "Harry", "Potter", "met", "Hermione", "Granger", ".")


def make_trace(
    tokens=SENTENCE,
    *,
    task="tagging",
    cell="lstm",
    units=16,
    layers=1,
    bidirectional=False,
    structure=None,
    fed_back=None,
    unknown=(),
    targets=None,
    seed=0,
):
    random = np.random.default_rng(seed)
    steps, labels = len(tokens), LABELS[task]
    parts = []
    for layer in range(layers):
        for direction in ("forward", "backward") if bidirectional else ("forward",):
            gates = {} if cell.startswith("rnn") else {"forget_gate": random.random((steps, units), np.float32)}
            parts.append(
                LayerTrace(
                    layer=layer,
                    direction=direction,
                    cell=cell,
                    block_names=("candidate",),
                    inputs=np.zeros((steps, 4), np.float32),
                    pre_activation=np.zeros((steps, 1, units), np.float32),
                    gates=gates,
                    cell_state=2 * random.standard_normal((steps, units), np.float32) if cell == "lstm" else None,
                    hidden_state=np.tanh(random.standard_normal((steps, units), np.float32)),
                )
            )
    known = np.full(steps, -1)
    if targets is not None:
        known[: len(targets)] = [labels.index(target) for target in targets]
    natural = {"classification": "many_to_one"}.get(task, "many_to_many")
    return RecurrentTrace(
        model="test-model",
        task=task,
        structure=structure or natural,
        text=" ".join(tokens),
        pieces=tuple("<unk>" if step in unknown else token for step, token in enumerate(tokens)),
        originals=tuple(tokens),
        ids=np.arange(steps),
        fed_back=steps if fed_back is None else fed_back,
        embeddings=random.standard_normal((steps, 6), np.float32),
        layers=tuple(parts),
        labels=labels,
        logits=random.standard_normal((steps, len(labels)), np.float32),
        targets=known,
        seconds=0.0,
    )


def parse(figure):
    # The namespace is dropped so that the searches below stay readable.
    return ET.fromstring(figure.svg.replace(' xmlns="http://www.w3.org/2000/svg"', ""))


def with_class(root, name):
    return [element for element in root.iter() if name in (element.get("class") or "").split()]


def texts(root):
    return ["".join(element.itertext()) for element in root.iter("text")]


def drawn_tiles(group, tile):
    """Tiles of a row: the lengths of all strokes in units of one tile."""
    strokes = [float(length) for path in group.iter("path") for length in re.findall(r"h([\d.]+)", path.get("d"))]
    return len(strokes) if tile is None else round(sum(strokes) / tile)


def decoded(values, shape):
    return np.frombuffer(base64.b64decode(values), "<f4").reshape(shape)


def test_every_step_has_a_box_in_every_layer_and_a_token():
    root = parse(unroll_figure(make_trace(layers=2)))
    boxes = [box for box in with_class(root, "bx") if box.get("stroke-dasharray") is None]
    assert len(boxes) == 2 * 8
    assert [element.text for element in with_class(root, "sv-token")] == list(SENTENCE)


def test_every_unit_is_a_tile_in_every_step():
    figure = unroll_figure(make_trace(units=16))
    root = parse(figure)
    states = next(row for row in figure.payload["rows"] if row["kind"] == "hidden_state")
    group = next(g for g in root.iter("g") if g.get("data-tiles") == "0")
    tile = None if states["draw"] < states["tile"] else states["tile"]
    assert drawn_tiles(group, tile) == 8 * 16


def test_the_heatmap_has_every_unit_and_step_once():
    root = parse(unroll_figure(make_trace(units=20)))
    group = next(g for g in root.iter("g") if g.get("data-heatmap"))
    assert group.get("data-heatmap") == "20"
    assert drawn_tiles(group, 1) == 8 * 20


def test_a_bidirectional_network_has_a_row_and_an_initial_state_for_each_direction():
    figure = unroll_figure(make_trace(bidirectional=True))
    directions = [row["direction"] for row in figure.payload["rows"] if row["kind"] == "hidden_state"]
    assert directions == ["backward", "forward"]
    assert texts(parse(figure)).count("0") >= 2
    zeros = [box for box in with_class(parse(figure), "bx") if box.get("stroke-dasharray")]
    columns = figure.payload
    assert len(zeros) == 2
    assert float(zeros[0].get("x")) > columns["left"] + 8 * columns["column"]  # backward starts at the right
    assert float(zeros[1].get("x")) < columns["left"]


@pytest.mark.parametrize("token", ["<script>alert(1)</script>", "\"&'", "a\u202eb", "\x00\x1b", "\ud800"])
def test_hostile_tokens_are_text_and_nothing_else(token):
    figure = unroll_figure(make_trace((token, "b")))
    root = parse(figure)
    assert not list(root.iter("script"))
    page = figure.to_html()
    assert "<script>alert" not in page
    assert "\u202e" not in page
    page.encode("utf-8")


def test_emoji_chinese_and_right_to_left_tokens_stay_whole():
    tokens = ("机器", "学习", "🙂", "שלום")
    root = parse(unroll_figure(make_trace(tokens)))
    assert [element.text for element in with_class(root, "sv-token")] == list(tokens)


def test_blanks_and_line_ends_of_character_models_are_visible():
    root = parse(unroll_figure(make_trace(("a", " ", "\n", "b"), task="language_model")))
    assert [element.text for element in with_class(root, "sv-token")] == ["a", "␣", "⏎", "b"]


def test_an_unknown_piece_shows_unk_and_what_was_typed_dimmed():
    root = parse(unroll_figure(make_trace(unknown=(3,))))
    unk = next(element for element in with_class(root, "sv-token") if element.text == "<unk>")
    typed = next(element for element in with_class(root, "sv-token") if element.text == "Potter")
    assert "it" in unk.get("class").split()
    assert "mu" in typed.get("class").split()


def test_long_words_break_in_two_lines_and_longer_ones_are_cut():
    assert token_lines("surprisingly", "surprisingly", 12, 50) == (["surpris-", "ingly"], "")
    first, second = token_lines("x" * 60, "x" * 60, 12, 50)[0]
    assert first.endswith("-")
    assert second.endswith("…")


def test_generated_inputs_have_a_dashed_arrow_from_the_output_before():
    root = parse(unroll_figure(make_trace(tuple("abcab"), task="language_model", structure="one_to_many", fed_back=1)))
    arrows = next(element for element in root.iter("path") if element.get("data-feedback"))
    assert arrows.get("d").count("M") == 4


def test_nothing_is_fed_back_in_a_read_text():
    root = parse(unroll_figure(make_trace(tuple("abc"), task="language_model")))
    assert not [element for element in root.iter("path") if element.get("data-feedback")]


def test_tags_stand_above_their_tokens_with_their_probability():
    trace = make_trace()
    root = parse(unroll_figure(trace))
    chips = [element for element in root.iter("rect") if element.get("data-tag")]
    assert len(chips) == 8
    best = trace.probabilities.max(-1)
    assert f"{best[0]:.3f}" in texts(root)


def test_a_wrong_tag_names_the_right_one():
    trace = make_trace(("a", "b"), targets=["O", "B-LOC"])
    trace = replace(trace, logits=np.array([[9, 0, 0, 0], [9, 0, 0, 0]], np.float32))
    found = texts(parse(unroll_figure(trace)))
    assert "✓" in found
    assert "✗ B-LOC" in found


def test_the_verdict_is_a_point_after_every_word_and_the_last_is_the_answer():
    trace = replace(
        make_trace(("a", "b"), task="classification"), logits=np.array([[1, 0], [0, np.log(3)]], np.float32)
    )
    root = parse(unroll_figure(trace))
    points = [element for element in root.iter("circle") if element.get("data-point")]
    assert len(points) == 2
    assert float(points[1].get("r")) > float(points[0].get("r"))
    assert "answer: positive, 0.750" in texts(root)
    assert "P(positive)" in texts(root)


def test_the_token_that_came_is_outlined_among_the_likeliest_and_its_surprisal_is_its_loss():
    trace = make_trace(("a", "b", "c"), task="language_model", targets=["b", "c"])
    logits = np.zeros((3, 6), np.float32)
    logits[0, 3] = 5
    trace = replace(trace, logits=logits)
    root = parse(unroll_figure(trace))
    assert any(element.get("data-right") for element in root.iter("rect"))
    assert len([element for element in root.iter("rect") if element.get("data-loss")]) == 2
    assert f"{trace.losses[0]:.2f}" in texts(root)
    assert f"{np.log(6):.2f}" in texts(root)


def test_only_the_last_output_of_many_to_one_has_a_solid_arrow():
    root = parse(unroll_figure(make_trace(("a", "b", "c"), task="classification")))
    dotted = [element for element in with_class(root, "lf") if element.tag == "path"]
    assert [element.get("d").count("M") for element in dotted] == [2]


@pytest.mark.parametrize(("notation", "expected"), [("ng", {"a<1>", "x<1>"}), ("d2l", {"H1", "X1"})])
def test_symbols_follow_the_notation(notation, expected):
    found = set(texts(parse(unroll_figure(make_trace(SENTENCE[:3]), options=UnrollOptions(notation=notation)))))
    assert expected <= found


def test_payload_holds_the_exact_float32_numbers():
    trace = make_trace()
    figure = unroll_figure(trace, options=UnrollOptions(quantity="forget_gate"))
    payload = json.loads(json.dumps(figure.payload))
    states = next(row for row in payload["rows"] if row["kind"] == "hidden_state")
    assert np.array_equal(decoded(states["values"], (8, 16)), trace.layers[0].hidden_state)
    gates = payload["panels"][0]["heatmap"]["values"]
    assert np.array_equal(decoded(gates, (8, 16)), trace.layers[0].gates["forget_gate"])


def test_compared_traces_share_columns_and_colour_scale():
    small, large = make_trace(seed=1), make_trace(SENTENCE[:5], seed=2)
    large = replace(large, layers=(replace(large.layers[0], hidden_state=large.layers[0].hidden_state * 3),))
    alone = unroll_figure(small)
    both = unroll_figure(small, compare=large)
    assert len(both.payload["panels"]) == 2
    assert both.payload["panels"][0]["strip"]["limit"] == pytest.approx(np.abs(large.layers[0].hidden_state).max())
    assert alone.payload["panels"][0]["strip"]["limit"] == pytest.approx(np.abs(small.layers[0].hidden_state).max())
    assert "A and B have the same colour scales and the same columns." in " ".join(texts(parse(both)))


def test_a_compared_cell_without_the_chosen_gate_shows_its_hidden_state():
    figure = unroll_figure(
        make_trace(), compare=make_trace(cell="rnn_tanh"), options=UnrollOptions(quantity="forget_gate")
    )
    assert [panel["heatmap"]["quantity"] for panel in figure.payload["panels"]] == ["forget_gate", "hidden_state"]


def test_an_unknown_quantity_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="forget_gate"):
        unroll_figure(make_trace(cell="rnn_tanh"), options=UnrollOptions(quantity="forget_gate"))


def test_twenty_words_fit_the_width_and_a_long_text_is_wider():
    assert unroll_figure(make_trace(("word",) * 20)).width <= 1200
    assert unroll_figure(make_trace(("word",) * 6)).width > 1150
    assert unroll_figure(make_trace(("word",) * 20), options=UnrollOptions(width=1280)).width <= 1280
    assert unroll_figure(make_trace(("word",) * 120)).width > 120 * 40


def test_no_text_is_below_16_pixels_in_presenter_size():
    svg = unroll_figure(make_trace(layers=2, unknown=(1,)), options=UnrollOptions(font_size=18)).svg
    sizes = [float(size) for size in re.findall(r'<text[^>]* font-size="([\d.]+)"', svg)]
    assert min(sizes) >= 16


def test_the_cell_state_gets_its_own_tiles_and_scale_when_it_is_asked_for():
    trace = make_trace()
    figure = unroll_figure(trace, options=UnrollOptions(show_cell_state=True))
    assert [row["kind"] for row in figure.payload["rows"]] == ["hidden_state", "cell_state", "embedding"]
    assert "cell state" in texts(parse(figure))


def test_the_alternative_text_says_model_tokens_outputs_and_heatmap():
    trace = replace(
        make_trace(("good", "film"), task="classification"), logits=np.array([[0, 0], [0, np.log(9)]], np.float32)
    )
    figure = unroll_figure(trace)
    assert figure.alt == (
        "test-model (LSTM, 1 layer · many-to-one) unrolled over 2 steps: good film. "
        "Answer: positive with probability 0.900. Heatmap of hidden state, layer 1, forward: 16 units by 2 steps."
    )
    assert parse(figure).get("aria-label") == figure.alt


def test_texts_go_through_the_translator():
    root = parse(unroll_figure(make_trace(), t=lambda message: {"Tokens": "词元"}.get(message, message)))
    assert "词元" in texts(root)


def test_the_focus_of_the_options_is_kept_within_the_trace():
    options = UnrollOptions(focus=UnrollFocus(step=99, layer=7, direction="backward", unit=999))
    assert unroll_figure(make_trace(), options=options).payload["focus"] == {
        "step": 7,
        "layer": 0,
        "direction": "forward",
        "unit": 15,
    }


def test_options_outside_their_range_are_refused():
    with pytest.raises(InvalidInputError, match="width is 10"):
        UnrollOptions(width=10)
    with pytest.raises(UnknownNameError, match="sort"):
        UnrollOptions(sort="colour")


def test_units_sorted_by_variance_and_by_similarity():
    steps = np.arange(6.0)
    values = np.stack([0.1 * steps, np.sin(steps), 5 * steps, -5.1 * np.sin(steps), 4 * steps], 1)
    assert unit_order(values, "index").tolist() == [0, 1, 2, 3, 4]
    assert unit_order(values, "variance").tolist()[:2] == [2, 4]
    order = unit_order(values, "similarity").tolist()
    assert order[0] == 2
    assert set(order[:3]) == {0, 2, 4}  # what rises together stands together


def test_tiles_are_shared_only_where_two_pixels_each_are_too_many():
    assert tile_grid(256, 96, 100) == Grid(tile=6, draw=5, columns=16, rows=16, per_tile=1, units=256)
    assert (tile_grid(64, 66, 100).columns, tile_grid(64, 66, 100).rows) == (8, 8)  # not 7 with one left over
    shared = tile_grid(4096, 20, 60)
    assert shared.per_tile > 1
    assert shared.height <= 60


def test_a_shared_tile_shows_the_value_furthest_from_zero():
    values = np.array([[0.1, -0.9, 0.3, 0.2, 0.5]])
    assert grouped(values, 2).tolist() == [[-0.9, 0.3, 0.5]]


def test_twenty_words_of_two_layers_of_256_units_stay_below_300_kilobytes():
    figure = unroll_figure(make_trace(("word",) * 20, units=256, layers=2))
    assert len(figure.svg) + len(json.dumps(figure.payload)) < 300_000
