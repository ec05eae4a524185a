"""The pictures of the Gates page: complete, exact, within their size, in both notations."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import altair as alt
import numpy as np
import pytest

from seqviz.charts import memory as memory_charts
from seqviz.charts.figure import Figure, figure_js
from seqviz.charts.gate_cell import (
    THINNEST,
    WIDEST,
    CellOptions,
    chip_number,
    colour_bucket,
    gate_cell_figure,
    gauge_bar,
    line_width,
)
from seqviz.charts.gate_layout import scene
from seqviz.charts.gate_maps import MapOptions, gate_maps_figure, unit_groups
from seqviz.charts.gate_words import convention_lines
from seqviz.charts.intervention_gradients import gradient_norm_chart, gradient_sentence
from seqviz.charts.interventions import change_map, divergence_chart, intervention_sentence, moved_chart
from seqviz.charts.notation import NOTATIONS, Notation
from seqviz.charts.variants import ROLES, role_chart, role_values
from seqviz.config import CELL_NAMES
from seqviz.errors import UnknownNameError
from seqviz.gate_export import gradient_norms_csv, intervened_json
from seqviz.i18n import english, translator
from seqviz.interventions import Intervention
from seqviz.models.loading import LoadedModel, load_model
from seqviz.traces import RecurrentTrace
from seqviz.tracing.forward import trace
from seqviz.tracing.interventions import intervene
from seqviz.tracing.unit_course import unit_course
from tests.helpers import write_tiny_checkpoint

TEXT = "To be, or <b>&"


def made(root: Path, cell: str, *, text: str = TEXT, **options: object) -> tuple[LoadedModel, RecurrentTrace]:
    write_tiny_checkpoint(root, name="tiny", cell=cell, **options)  # type: ignore[arg-type]
    loaded = load_model("tiny", root=root)
    return loaded, trace(loaded, text)


def cell_figure(root: Path, cell: str, notation: Notation = "ng", **options: object) -> tuple[RecurrentTrace, Figure]:
    loaded, found = made(root, cell)
    course = unit_course(loaded, found, layer=0, unit=3)
    return found, gate_cell_figure(found, course, options=CellOptions(notation=notation, **options))  # type: ignore[arg-type]


def chips(figure: Figure) -> dict[str, str]:
    return dict(re.findall(r'data-chip="([\w.]+)">([^<]*)<', figure.svg))


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_numbers_on_the_lines_are_the_unit_s(tmp_path, cell, notation):
    found, figure = cell_figure(tmp_path, cell, notation, step=4)
    ET.fromstring(figure.to_svg())
    part, shown = found.layer(0), chips(figure)
    gates = {"f": "forget_gate", "i": "input_gate", "o": "output_gate", "r": "reset_gate", "g": "candidate"}
    for name, quantity in gates.items():
        if quantity in part.gates:
            assert shown[name] == chip_number(float(part.gates[quantity][4, 3]))
    assert shown["h"] == chip_number(float(part.hidden_state[4, 3]))
    assert shown["h_before"] == chip_number(float(part.hidden_state[3, 3]))
    if "update_gate" in part.gates:
        keep = float(part.gates["update_gate"][4, 3])
        assert shown["u"] == chip_number(1 - keep if notation == "ng" else keep)
        assert shown["rest"] == chip_number(keep if notation == "ng" else 1 - keep)
    for name, values in figure.payload["values"].items():
        assert len(values) == len(found), name
    for signal in figure.payload["signals"].values():
        for name in re.findall(r"\{([\w.]+)\}", signal["says"]):
            assert name in figure.payload["values"]


def test_every_line_box_and_circle_carries_a_number_that_is_known(tmp_path):
    for cell in CELL_NAMES:
        for ng in (True, False):
            _, figure = cell_figure(tmp_path, cell, "ng" if ng else "d2l")
            plan, known = scene(cell, ng=ng), figure.payload["signals"]
            used = [line.signal for line in plan.lines if line.signal]
            used += (
                [box.signal for box in plan.boxes] + [op.signal for op in plan.ops] + list(plan.chips) + list(plan.ends)
            )
            assert set(used) <= set(known), cell


def test_only_the_notation_says_on_which_branch_of_a_gru_the_rest_goes():
    write, keep = scene("gru", ng=True), scene("gru", ng=False)
    place = {
        name: next((op.x, op.y) for op in plan.ops if op.sign == "1−") for name, plan in (("w", write), ("k", keep))
    }
    assert place["w"][0] == next(op.x for op in write.ops if op.signal == "kept")
    assert place["k"][1] == next(op.y for op in keep.ops if op.signal == "written")


def test_the_reset_gate_stands_before_or_behind_the_matrix():
    for cell, before in (("gru_reset_before", True), ("gru", False)):
        plan = scene(cell, ng=True)
        gate = next(op for op in plan.ops if op.signal in ("reset", "from_h"))
        matrix = next(box for box in plan.boxes if box.shape == "matrix")
        assert (gate.y < matrix.y) == before


def test_widths_and_colours_follow_the_value():
    assert line_width(0.0, 1.0) == THINNEST
    assert line_width(-2.0, 2.0) == line_width(5.0, 2.0) == WIDEST
    assert [colour_bucket(value, "share", 1.0) for value in (0.0, 0.5, 1.0)] == [0, 10, 20]
    assert [colour_bucket(value, "signed", 2.0) for value in (-2.0, 0.0, 2.0)] == [0, 15, 30]
    assert gauge_bar(0.25, "share", 1.0, 10, 40) == (40.0, 10.0)
    assert gauge_bar(-1.0, "signed", 2.0, 10, 40) == (30.0, 10.0)
    assert gauge_bar(1.0, "signed", 2.0, 10, 40) == (20.0, 10.0)
    assert [chip_number(value) for value in (-0.001, -1.239, 123.4)] == ["0.00", "−1.24", "123"]


def test_the_text_says_the_moment_and_tokens_cannot_break_out(tmp_path):
    _, figure = cell_figure(tmp_path, "lstm", step=10)
    assert figure.alt.startswith("The cell of unit 3 of tiny at step 11, ‘<’: forget gate ")
    assert "<b>" not in figure.svg
    assert "&lt;" in figure.svg


@pytest.mark.parametrize("cell", ["lstm_peephole", "lstm_linear_output", "gru_simplified"])
def test_the_variants_differ_where_they_should(tmp_path, cell):
    _, figure = cell_figure(tmp_path, cell)
    assert ('data-peephole="' in figure.svg) == (cell == "lstm_peephole")
    assert (">tanh<" in re.sub(r'data-gauge="g".*', "", figure.svg)) == (cell != "none")
    assert ("squashed" in figure.payload["signals"]) == (cell == "lstm_peephole")
    assert ("r" in figure.payload["signals"]) is False


def test_the_page_of_its_own_has_the_module_of_the_cell(tmp_path):
    _, figure = cell_figure(tmp_path, "gru")
    page = figure.to_html(theme="dark")
    assert "class CellPicture extends Stepper" in page
    assert "class Picture extends" not in page
    assert not re.findall(r"https?://|//cdn|@import|<link|src=", page.replace("http://www.w3.org/2000/svg", ""))
    assert figure.to_png(scale=0.5)[:4] == b"\x89PNG"


def test_modules_share_what_is_general():
    for module in ("figure", "gate_cell", "gate_maps"):
        code = figure_js(module)
        assert code.count("class Stepper") == 1
        assert code.count("export default function") == 1
        assert code.count("export function hydrate") == 1


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_conventions_are_always_said_in_both_notations(cell):
    said = " ".join(convention_lines(cell, english))
    if cell.startswith("gru"):
        assert "Z keeps" in said
        assert "Γ_u writes" in said
        places = ("here after the recurrent product", "here before the recurrent product", "no reset gate")
        assert [place in said for place in places] == [
            cell == name for name in ("gru", "gru_reset_before", "gru_simplified")
        ]
    elif cell.startswith("lstm"):
        assert "Γ_f in Ng's notation, F in d2l's" in said
    else:
        assert "no gate" in said


def test_maps_show_every_unit_s_number_their_mean_and_spread(tmp_path):
    _, found = made(tmp_path, "lstm")
    figure = gate_maps_figure(found, options=MapOptions(quantity="forget_gate"))
    ET.fromstring(figure.to_svg())
    (shown,) = figure.payload["maps"]
    values = found.layer(0).gates["forget_gate"].astype(float)
    np.testing.assert_allclose(shown["mean"], values.mean(1), rtol=1e-5)
    np.testing.assert_allclose(shown["low"], np.percentile(values, 10, axis=1), rtol=1e-5)
    np.testing.assert_allclose(shown["high"], np.percentile(values, 90, axis=1), rtol=1e-5)
    assert figure.payload["groups"] == [[unit] for unit in range(8)]
    assert "8 units" in figure.svg
    everything = gate_maps_figure(found)
    names = [each["name"] for each in everything.payload["maps"]]
    assert names == ["input gate", "forget gate", "candidate", "output gate", "cell state", "hidden state"]


def test_many_units_are_drawn_in_groups_that_say_so_and_stay_under_a_megabyte(tmp_path):
    _, found = made(tmp_path, "lstm", text="ab c" * 50, hidden_size=512, num_layers=2)
    for quantity in ("all", "cell_state"):
        figure = gate_maps_figure(found, layer=1, options=MapOptions(quantity=quantity, sort="variance"))
        size = len(figure.svg.encode()) + len(json.dumps(figure.payload).encode())
        assert size < 1_000_000
        rows = len(figure.payload["groups"])
        assert rows < 512
        assert f"in {rows}" in re.sub(r"<[^>]+>", " ", figure.svg).replace("  ", " ")
        assert sorted(unit for group in figure.payload["groups"] for unit in group) == list(range(512))
        (first, *_rest) = figure.payload["maps"]
        assert first["rows"]["count"] == rows


def test_groups_keep_the_order_of_the_units():
    values = np.random.default_rng(0).random((5, 200))
    groups = unit_groups(values, "index", 6)
    assert np.concatenate(groups).tolist() == list(range(200))
    assert len(groups) == 64


def test_an_unknown_quantity_is_refused_with_the_known(tmp_path):
    _, found = made(tmp_path, "gru")
    with pytest.raises(UnknownNameError, match="known are: all, reset_gate, update_gate, candidate, hidden_state"):
        gate_maps_figure(found, options=MapOptions(quantity="forget_gate"))


def valid(chart: alt.TopLevelMixin | None) -> dict:
    assert chart is not None
    specification = chart.to_dict()
    assert specification["description"]
    return specification


def rows_of(specification: dict, layer: int = 0) -> list[dict]:
    """The data of a layer; Altair lifts what all layers share to the top, and names what it lifts."""
    data = specification["layer"][layer].get("data", specification.get("data"))
    return specification["datasets"][data["name"]] if "name" in data else data["values"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_of_memory_are_valid_and_exact(tmp_path, theme):
    _, found = made(tmp_path, "gru")
    part = found.layer(0)
    triangle = valid(memory_charts.carried_triangle(part, found.originals, unit=2, theme=theme))
    rows = rows_of(triangle)
    assert len(rows) == len(found) * (len(found) + 1) // 2
    gates = part.gates["update_gate"][:, 2].astype(float)
    row = next(row for row in rows if (row["s"], row["t"]) == (2, 4))
    assert row["share"] == pytest.approx(gates[3] * gates[4], abs=1e-4)
    valid(memory_charts.carried_units(part, found.originals, step=1, theme=theme))
    bars = rows_of(valid(memory_charts.half_life_chart(part, step=0, theme=theme)))
    assert sum(bar["units"] for bar in bars) == 8
    assert bars[-1]["steps"] == "never"


def test_half_lives_of_two_runs_have_the_same_bars_and_one_scale(tmp_path):
    _, one = made(tmp_path, "gru")
    _, two = made(tmp_path, "lstm", text="abcdefgh" * 3)
    both = [(one.layer(0), 0), (two.layer(0), 0)]
    charts = [valid(memory_charts.half_life_chart(part, step=step, beside=both)) for part, step in both]
    bars = [rows_of(chart) for chart in charts]
    assert [bar["steps"] for bar in bars[0]] == [bar["steps"] for bar in bars[1]]
    tops = [chart["layer"][0]["encoding"]["y"]["scale"]["domain"] for chart in charts]
    assert tops == [[0, max(bar["units"] for rows in bars for bar in rows)]] * 2


def test_a_long_text_s_triangle_draws_every_other_step_and_says_so(tmp_path):
    _, found = made(tmp_path, "lstm", text="abcd" * 50)
    triangle = valid(memory_charts.carried_triangle(found.layer(0), found.originals, unit=0))
    assert "one step in 3 is drawn" in triangle["title"]["subtitle"][-1]
    assert len(json.dumps(triangle)) < 400_000


def test_half_lives_are_said_in_words(tmp_path):
    _, found = made(tmp_path, "lstm")
    part, last = found.layer(0), len(found) - 1
    said = memory_charts.half_life_sentence(part, unit=1, step=last, originals=found.originals)
    assert said == "Unit 1 never loses half of what stood in it after ‘&’ within the text."


def test_roles_of_gates_compare_cells_on_one_scale(tmp_path):
    lstm, gru, rnn = (made(tmp_path, cell)[1] for cell in ("lstm", "gru", "rnn_tanh"))
    np.testing.assert_allclose(
        np.asarray(role_values(gru.layer(0), "keeps")) + np.asarray(role_values(gru.layer(0), "writes")), 1, atol=1e-6
    )
    for role in ROLES:
        chart = role_chart([lstm, gru, rnn], names=["L", "G", "R"], role=role)
        models = {row["model"] for row in rows_of(valid(chart))}
        assert models == {"keeps": {"L", "G"}, "writes": {"L", "G"}, "reset": {"G"}, "shows": {"L"}}[role]
        assert valid(chart)["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, 1]
    assert role_chart([rnn], names=["R"], role="keeps") is None
    with pytest.raises(UnknownNameError, match="known are: keeps, writes, reset, shows"):
        role_values(rnn.layer(0), "opens")


def test_charts_of_an_intervention_are_valid_and_exact(tmp_path):
    loaded, found = made(tmp_path, "lstm")
    one = Intervention(quantity="forget_gate", value=0.0, first=2, last=4, layer=0, direction="forward", unit=1)
    result = intervene(loaded, TEXT, [one])
    bars = rows_of(valid(divergence_chart(result, step=3)))
    np.testing.assert_allclose([bar["value"] for bar in bars], result.divergence, rtol=1e-4)
    assert [bar["step"] for bar in bars if bar["focus"]] == [3]
    points = rows_of(valid(moved_chart(result, step=3)), 1)
    assert len(points) == 2 * min(8, len(result.moved[3]))
    tiles = rows_of(valid(change_map(result, layer=0, direction="forward", quantity="hidden_state")))
    difference = result.layers[0].difference("hidden_state")
    for tile in tiles[:20]:
        assert tile["value"] == pytest.approx(difference[tile["step"], tile["row"]], rel=1e-3)
    said = intervention_sentence(one, steps=len(found), originals=found.originals)
    assert said == "forget gate = 0, unit 1 of layer 1, forward, from ‘␣’ to ‘e’ (steps 3 to 5)"
    everything = Intervention(quantity="cell_state", value=-1.5, first=1, last=1)
    said = intervention_sentence(everything, steps=len(found), originals=found.originals)
    assert said == "cell state = −1.5, all units of all layers, at ‘o’ (step 2)"


def test_gradients_of_an_intervention_are_drawn_as_they_are(tmp_path):
    loaded, _ = made(tmp_path, "lstm")
    forced = [Intervention(quantity=name, value=0.5, first=4, last=4) for name in ("cell_state", "hidden_state")]
    result = intervene(loaded, TEXT, forced, loss_step=8)
    assert result.gradients is not None
    for quantity in ("hidden_state", "cell_state"):
        options = {"layer": 0, "direction": "forward", "quantity": quantity, "step": 3}
        chart = valid(gradient_norm_chart(result, result.gradients, **options))
        before, after = result.gradients.norms(0, "forward", quantity)
        rows = [row for rows in chart["datasets"].values() for row in rows if "side" in row]
        for side, norms in (("before", before), ("after", after)):
            own = {row["step"]: row["norm"] for row in rows if row["side"] == side}
            # What is exactly 0 has no place on a log axis.
            assert own == {step: pytest.approx(norm, rel=1e-5) for step, norm in enumerate(norms) if norm > 0}
        assert {row["step"] for row in rows if row["side"] == "after"} == {4, 5, 6, 7, 8}
    said = gradient_sentence(result, result.gradients)
    assert said.startswith("L = −log P(‘␣’): ")
    assert said.endswith("Where a line ends, nothing goes back any more: 8 norms are exactly 0 now.")
    table = gradient_norms_csv(result).splitlines()
    assert table[0] == "layer,direction,step,token,quantity,before,after"
    assert len(table) == 1 + 2 * len(TEXT)
    told = json.loads(intervened_json(result))["gradients"]
    assert told["losses_nats"] == result.gradients.losses.tolist()
    same = intervene(loaded, TEXT, [])
    assert same.gradients is not None
    assert gradient_sentence(same, same.gradients).endswith("No gradient moved.")


def test_chinese_is_written_where_english_was(tmp_path):
    loaded, found = made(tmp_path, "gru")
    course = unit_course(loaded, found, layer=0, unit=0)
    figure = gate_cell_figure(found, course, t=translator("zh_CN"), language="zh-CN")
    assert "重置门" in figure.svg
    assert 'lang="zh-CN"' in figure.to_html()
