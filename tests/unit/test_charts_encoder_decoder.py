"""The encoder-decoder's picture: what stands in it, how many bytes it has, what it says in words."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from seqviz.charts.encoder_decoder import PairFocus, encoder_decoder_figure
from seqviz.charts.encoder_decoder_layout import LEAST_TILE, MAX_TILES, coarse_grid, ground_plan, resolved_pair_focus
from seqviz.charts.encoder_decoder_links import SHARE_SHOWN, largest_left_out
from seqviz.charts.encoder_decoder_tiles import furthest
from seqviz.charts.encoder_decoder_words import decoder_symbol, pair_sentence
from seqviz.charts.figure import Figure
from seqviz.charts.network_sums import (
    context_equation,
    hand_over_equation,
    network_sum_chart,
    readout_equation,
    softmax_equation,
    sum_rows,
    sum_sentence,
)
from seqviz.charts.numbers import shown_number
from seqviz.charts.piece_words import long_words, piece_label, piece_labels
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.network_export import network_csv, network_json, network_sum_csv
from seqviz.tracing.translation_network import translation_network
from seqviz.tracing.translation_sums import network_sum
from seqviz.translation_network import TranslationNetwork
from seqviz.translations import PieceText
from tests.helpers import PAIRS, write_tiny_translator

TEXT, REFERENCE = PAIRS[0]
LONG = "Quand j'étais petit, je voulais devenir pilote, mais j'avais peur des avions, des trains et des chats."
LONG_REFERENCE = "When I was little, I wanted to become a pilot, but I was afraid of planes, trains and cats."


@pytest.fixture(scope="module")
def loaded() -> LoadedTranslator:
    return load_translator("fra-eng-attention")


@pytest.fixture(scope="module")
def network(loaded: LoadedTranslator) -> TranslationNetwork:
    return translation_network(loaded, TEXT, reference="Jane visited Africa in September.")


@pytest.fixture(scope="module")
def figure(network: TranslationNetwork) -> Figure:
    return encoder_decoder_figure(network)


@pytest.fixture
def plain(tmp_path: Path) -> TranslationNetwork:
    """Without attention, and with cell states."""
    write_tiny_translator(tmp_path, name="plain", score="none", cell="lstm")
    return translation_network(load_translator("plain", root=tmp_path), TEXT, reference=REFERENCE)


def elements(figure: Figure, attribute: str) -> list[ET.Element]:
    return [each for each in ET.fromstring(figure.svg).iter() if attribute in each.attrib]


def texts(figure: Figure) -> list[str]:
    root = ET.fromstring(figure.svg)
    return ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_pieces_read_without_the_marks_of_the_tokenizer():
    pieces = ("▁Afri", "▁l'‿", "▁", "<0xF0>", "<eos>")
    assert [piece_label(piece) for piece in pieces] == ["Afri", "l'", "␣", "0xF0", "<eos>"]
    assert piece_label("que", continues=True) == "·que"
    assert [piece_label(piece) for piece in ("s", "▁in", ".", "-‿", "é", "7")] == ["·s", "in", ".", "-", "·é", "7"]
    assert [piece_label(piece) for piece in ("机", "▁机", "'‿", "<pad>")] == ["机", "机", "'", "<pad>"]
    text = PieceText(
        text="Afrique.", ids=(1, 2, 3), pieces=("▁Afri", "que", "."), words=((0, 2), (2, 3)), labels=("Afrique", ".")
    )
    assert piece_labels(text) == ("Afri", "·que", ".")
    assert long_words(text) == ((0, 2, "Afrique"),)


def test_an_emoji_is_bytes_under_one_word(loaded):
    network = translation_network(loaded, "Tom 🙂 dort.")
    labels = piece_labels(network.source)
    assert [label for label in labels if label.startswith("0x")] == ["0xF0", "0x9F", "0x99", "0x82"]
    assert any("🙂" in text for text in texts(encoder_decoder_figure(network)))


def test_a_tile_shows_the_unit_of_its_group_that_is_furthest_from_zero():
    values = np.array([[0.1, -0.9, 0.3, 0.2, -0.5]], np.float32)
    assert furthest(values, 2).tolist() == [[1, 0, 0]]
    assert furthest(values, 4).tolist() == [[1, 0]]


def test_tiles_are_never_smaller_than_can_be_seen():
    for units in (8, 96, 384, 512, 2000):
        grid = coarse_grid(units, 48, 42)
        assert grid.tile >= LEAST_TILE
        assert grid.width <= 48
        assert grid.height <= 42
        assert grid.columns * grid.rows * grid.per_tile >= units


def test_every_step_has_its_tiles_and_their_exact_values(network, figure):
    rows = figure.payload["rows"]
    states = [row for row in rows if row["kind"] == "state"]
    assert [(row["part"], row["direction"], row["layer"]) for row in states] == [
        ("encoder", "backward", 0),
        ("encoder", "forward", 0),
        ("decoder", "forced", 1),
        ("decoder", "forced", 0),
        ("decoder", "free", 1),
        ("decoder", "free", 0),
    ]
    row = states[4]
    shown = np.frombuffer(base64.b64decode(row["values"]), "<f4").reshape(row["steps"], row["tiles"])
    which = np.frombuffer(base64.b64decode(row["which"]), np.uint8).reshape(row["steps"], row["tiles"])
    units = np.arange(row["tiles"]) * row["perTile"] + which
    state = network.free.layers[1].hidden_state
    assert np.array_equal(shown, np.take_along_axis(state, units, 1))
    assert [row["kind"] for row in rows if row["kind"] in ("last", "start")] == ["start"] * 4 + ["last"]


def test_the_hand_over_is_drawn_in_colour_with_its_equation(figure):
    assert len(elements(figure, "data-bridge")) == 1
    assert len(elements(figure, "data-start")) == 4, "two layers, two runs"
    assert len(elements(figure, "data-hand-over")) == 2
    assert "s<0> = tanh(W v + b)" in texts(figure)
    given = figure.payload["handOver"]
    assert len(base64.b64decode(given["sums"])) == 4 * 2 * given["units"]


def test_ribbons_are_as_wide_as_their_weight_and_one_step_is_shown(network, figure):
    groups = elements(figure, "data-ribbons")
    assert len(groups) == len(network.forced) + len(network.free)
    visible = [each for each in groups if each.get("visibility") != "hidden"]
    assert [(each.get("data-ribbons"), each.get("data-run")) for each in visible] == [
        (str(network.parted), "forced"),
        (str(network.parted), "free"),
    ]
    weights = network.free.attention[network.parted]
    widths = sorted(float(path.get("stroke-width")) for path in visible[1].iter("{http://www.w3.org/2000/svg}path"))
    expected = sorted(max(13 * float(weight), 0.7) for weight in weights if weight >= SHARE_SHOWN)
    assert widths == pytest.approx(expected, abs=0.006)
    assert 0 < largest_left_out(network) < 0.4
    assert any(f"below {SHARE_SHOWN}" in text or "weights below" in text for text in texts(figure))


def test_without_attention_there_is_no_ribbon_and_no_context(plain):
    figure = encoder_decoder_figure(plain)
    assert not elements(figure, "data-ribbons")
    assert "context" not in {row["kind"] for row in figure.payload["rows"]}
    assert figure.payload["runs"]["free"]["attention"] is None
    assert "Without attention" in figure.alt
    assert not any("Ribbons" in text for text in texts(figure))


def test_each_step_says_what_is_fed_what_is_written_and_the_likeliest(network, figure):
    run = figure.payload["runs"]["free"]
    assert run["fed"] == ["<bos>", *run["written"][:-1]]
    assert run["written"][-1] == "<eos>"
    assert run["shares"] == pytest.approx(np.exp(network.free.log_probs))
    for step, top in enumerate(run["top"]):
        assert [share for _, share in top] == sorted((share for _, share in top), reverse=True)
        assert top[0][0].lstrip("·") == run["written"][step].lstrip("·"), "greedy writes the most probable"
    assert {each.get("data-feedback") for each in elements(figure, "data-feedback")} == {"forced", "free"}
    assert len(elements(figure, "data-differs")) == sum(
        one != other for one, other in zip(network.forced.target.ids, network.free.target.ids, strict=True)
    )


def test_below_both_runs_are_compared_step_by_step(network, figure):
    bars = elements(figure, "data-cost")
    assert len(bars) == 2 * len(network.forced)
    heights = [float(bar.get("height")) for bar in bars if bar.get("data-cost") == "free"]
    costs = -network.free.right_log_probs
    assert heights == pytest.approx(40 * costs / max(costs.max(), 2.0), abs=0.81)
    assert len(elements(figure, "data-parted")) == 1
    distances = network.distances()
    assert figure.payload["distances"] == distances.tolist()
    assert len(elements(figure, "data-distance")) == (distances > distances.max() / 68).sum()


def test_a_plain_sentence_says_what_happened(loaded, network):
    said = pair_sentence(network)
    assert said.startswith(
        "The runs part at step 4: the reference goes on with ‘·ed’ (P = 0.0121), the model by itself"
    )
    assert f"up to {network.distances()[4:].max():.2f} away" in said
    same = translation_network(loaded, "Voulez-vous chanter avec moi ?", reference="Do you want to sing with me?")
    assert same.parted is None
    assert "writes the reference, piece by piece" in pair_sentence(same)
    assert "A reference is missing" in pair_sentence(translation_network(loaded, TEXT))


def test_twenty_five_pieces_are_below_400_kilobytes(loaded):
    network = translation_network(loaded, LONG, reference=LONG_REFERENCE)
    assert len(network.source) >= 25
    figure = encoder_decoder_figure(network)
    size = len(figure.svg.encode()) + len(json.dumps(figure.payload, separators=(",", ":")).encode())
    assert size < 400_000
    plan = ground_plan(network, UnrollOptions())
    assert plan.tiles(network) <= MAX_TILES
    assert any(f"{plan.decoder_grid.per_tile} of the decoder" in text for text in [" ".join(texts(figure))])


def test_the_focus_is_kept_within_the_runs(network):
    count = len(network.source)
    start = resolved_pair_focus(network, None)
    assert (start.step, start.row, start.layer) == (count + 1 + network.parted, "free", 1)
    far = resolved_pair_focus(network, PairFocus(step=999, layer=9, row="backward", unit=99999))
    assert far == PairFocus(step=count + len(network.free), layer=1, row="free", unit=383)
    early = resolved_pair_focus(network, PairFocus(step=2, layer=1, row="forced", unit=300))
    assert early == PairFocus(step=2, layer=0, row="forward", unit=255)


@pytest.mark.parametrize(("notation", "expected"), [("ng", ("s[2]⟨3⟩", "c⟨t−1⟩")), ("d2l", ("S(2)₃", "Cₜ₋₁"))])
def test_symbols_of_both_notations(notation, expected):
    state = decoder_symbol("s", notation=notation, time=3, layer=1)
    assert (state.text, decoder_symbol("c", notation=notation, time="t-1").text) == expected


@pytest.mark.parametrize("notation", ["ng", "d2l"])
def test_equations_end_with_the_models_own_numbers(loaded, network, notation):
    taken = {
        name: network_sum(loaded, network, name, unit=unit, step=3, layer=1)
        for name, unit in [("hand_over", 7), ("context", 7), ("readout", 7), ("logit", network.free.target.ids[3])]
    }
    hand_over = hand_over_equation(network, taken["hand_over"], notation=notation)
    assert shown_number(float(network.hand_over.hidden_state[1, 7])).latex in hand_over
    assert shown_number(float(network.hand_over.pre_activation[1, 7])).latex in hand_over
    assert f"{network.free.context[3, 7]:.4f}" in context_equation(taken["context"], notation=notation)
    assert f"{network.free.readout[3, 7]:.4f}" in readout_equation(network, taken["readout"], notation=notation)
    probability = np.exp(network.free.log_probs[3])
    normaliser = float(network.free.log_normaliser[3])
    assert f"{probability:.4f}" in softmax_equation(network, taken["logit"], normaliser, notation=notation)


def test_a_sum_is_a_waterfall_that_ends_at_its_total(loaded, network):
    for quantity in ("encoder", "hand_over", "state", "context", "readout", "logit"):
        block = "candidate" if quantity in ("encoder", "state") else ""
        layer = 0 if quantity == "encoder" else 1
        taken = network_sum(loaded, network, quantity, unit=5, step=2, layer=layer, block=block)
        rows = sum_rows(network, taken)
        assert rows[-1].product == taken.total
        assert sum(row.product for row in rows[:-1]) == pytest.approx(taken.total, abs=1e-9)
        spec = network_sum_chart(network, taken).to_dict()
        assert spec["description"] == sum_sentence(network, taken)
        assert len(network_sum_csv(taken).splitlines()) == 1 + len(taken.terms)


def test_exports_hold_every_number(network, plain):
    for each in (network, plain):
        content = json.loads(network_json(each))
        assert content["runs"]["free"]["pieces"] == list(each.free.target.pieces)
        assert np.array_equal(np.float32(content["runs"]["forced"]["readout"]), each.forced.readout)
        assert np.array_equal(np.float32(content["hand_over"]["last"]), each.hand_over.last)
        assert (content["hand_over"]["cell_state"] is None) == (each.hand_over.cell_state is None)
    lines = network_csv(plain).splitlines()
    assert lines[0] == "part,layer,direction,step,piece,quantity,index,value"
    assert sum(line.startswith("hand_over,") for line in lines) == 2 * 2 * 8, "two layers, h and c"
    assert not any(",attention," in line for line in lines)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_goes_out_as_png_svg_and_html(figure, theme):
    assert figure.to_png(theme=theme, scale=0.5).startswith(b"\x89PNG")
    assert 'class="' not in figure.to_svg(theme=theme)
    page = figure.to_html(theme=theme)
    assert "class PairPicture" in page
    assert re.search(r"https?://(?!www\.w3\.org)", page) is None


def test_hostile_text_stays_text(loaded):
    text = '<script>alert(1)</script> & "Tom"'
    figure = encoder_decoder_figure(translation_network(loaded, text, reference="</script><b>"))
    ET.fromstring(figure.svg)
    assert "<script>alert" not in figure.svg
    assert "<script>alert" not in figure.to_html()


def test_presenter_size_and_chinese(loaded, network):
    figure = encoder_decoder_figure(network, options=UnrollOptions(font_size=18))
    root = ET.fromstring(figure.svg)
    sizes = [float(each.get("font-size")) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert min(sizes) >= 15.2
    chinese = translation_network(load_translator("cmn-eng-attention"), "我们明天去北京。", reference="We go.")
    assert {"我", "京"} <= set(piece_labels(chinese.source))
