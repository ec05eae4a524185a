"""The picture of a backward pass against the pass itself."""

from __future__ import annotations

import base64
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from seqviz.charts.backflow import Run, backflow_figure
from seqviz.charts.backflow_curves import Curve
from seqviz.charts.unroll_layout import UnrollFocus, UnrollOptions
from seqviz.errors import UnknownNameError
from seqviz.models.loading import load_model
from seqviz.tracing import forward
from seqviz.tracing.gradients import backward
from tests.helpers import write_tiny_checkpoint

TEXT = "the cat sat"
CELLS = UnrollOptions(show_cell_state=True)


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    def made(text: str = TEXT, *, loss_step: int | None = 5, multiplier: float = 1.0, **options) -> Run:
        root = tmp_path_factory.mktemp("models")
        write_tiny_checkpoint(root, name="tiny", **options)
        loaded = load_model("tiny", root=root)
        return Run(
            forward=forward.trace(loaded, text),
            backward=backward(loaded, text, loss_step=loss_step, multiplier=multiplier),
        )

    return made


def texts(figure) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(figure.svg).iter() if element.tag.endswith("text")]


def numbers(row) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(row["values"]), "<f4").astype(float)
    powers = np.array(row["scales"])
    return np.ldexp(values.reshape(len(powers), -1), powers[:, None])


def test_every_row_of_tiles_carries_its_gradients(make):
    run = make(cell="lstm", num_layers=2)
    rows = {(row["kind"], row.get("layer")): row for row in backflow_figure(run, options=CELLS).payload["rows"]}
    for layer in (0, 1):
        part = run.backward.layer(layer)
        np.testing.assert_allclose(numbers(rows["gradient.hidden_state", layer]), part.hidden_state, rtol=1e-6)
        np.testing.assert_allclose(numbers(rows["gradient.cell_state", layer]), part.cell_state, rtol=1e-6)
    np.testing.assert_allclose(numbers(rows["gradient.embedding", None]), run.backward.embeddings, rtol=1e-6)


def test_heatmaps_of_states_and_gradients_have_the_same_order_of_units(make):
    run = make(cell="gru")
    options = UnrollOptions(sort="variance", quantity="update_gate")
    above, below = (panel["heatmap"] for panel in backflow_figure(run, options=options).payload["panels"])
    assert above["order"] == below["order"]
    assert (above["quantity"], below["quantity"]) == ("update_gate", "gradient.update_gate")
    index = run.backward.layer(0).block_names.index("update_gate")
    np.testing.assert_allclose(numbers(below), run.backward.layer(0).pre_activation[:, index], rtol=1e-6)


def test_a_loss_that_goes_back_stands_in_a_box_with_its_target(make):
    run = make(cell="rnn_tanh")
    said = texts(backflow_figure(run))
    assert f"{run.backward.losses[5]:.2f}" in said
    assert "t" in said  # the target behind "the ca"


def test_nothing_flows_behind_the_loss(make):
    figure = backflow_figure(make(cell="rnn_tanh", loss_step=2))
    dotted = re.findall(r'<path d="([^"]*)" class="lf"', figure.svg)
    # 8 steps behind the loss that nothing comes down to from a loss, into the layer, and below it.
    assert sum(data.count("M") for data in dotted) > 3 * 8


def test_the_strongest_arrow_has_the_darkest_colour(make):
    figure = backflow_figure(make(cell="rnn_tanh"))
    assert 'class="l20"' in figure.svg
    assert 'class="l2"' not in figure.svg.partition("sv-foot")[0]


def test_curves_of_other_models_stand_beside_in_the_colour_of_their_cell(make):
    runs = {cell: make(cell=cell) for cell in ("lstm", "gru", "rnn_tanh")}
    others = [Curve(trace=runs[cell].backward, name=f"the {cell}") for cell in ("gru", "rnn_tanh")]
    svg = backflow_figure(runs["lstm"], curves=others).svg
    for colour in ("c0", "c1", "c2"):
        assert f'class="{colour}"' in svg
    assert {"the gru"} <= set(texts(backflow_figure(runs["lstm"], curves=others)))


def test_cell_states_have_curves_only_where_there_are_some(make):
    lstm, gru = make(cell="lstm"), make(cell="gru")
    figure = backflow_figure(lstm, curves=[Curve(trace=gru.backward, name="gru")], curve="cell_state")
    assert "gru" not in texts(figure)
    with pytest.raises(UnknownNameError):
        backflow_figure(gru, curve="cell_state")


def test_a_gradient_below_the_range_of_float32_is_drawn_with_its_number_and_the_floor(make):
    run = make("the cat " * 12, cell="rnn_logistic", loss_step=90)
    figure = backflow_figure(run)
    row = figure.payload["rows"][0]
    assert 0 < np.abs(run.backward.layer(0).hidden_state[0]).max() < 1e-45
    np.testing.assert_allclose(numbers(row)[0], run.backward.layer(0).hidden_state[0], rtol=1e-6)
    assert "below this line float32 holds only 0" in texts(figure)


def test_two_runs_share_their_scales(make):
    one, two = make(cell="lstm"), make("a dog", cell="lstm", loss_step=1)
    figure = backflow_figure(one, compare=two, options=CELLS)
    codes = [panel["strip"]["code"] for panel in figure.payload["panels"] if "code" in panel["strip"]]
    assert len(codes) == 2
    assert codes[0] == codes[1]
    assert [panel["letter"] for panel in figure.payload["panels"]] == ["A", "A", "B", "B"]


def test_the_picture_starts_at_the_loss_or_where_it_is_told_to(make):
    run = make(cell="lstm")
    assert backflow_figure(run).payload["focus"]["step"] == 5
    focus = UnrollFocus(step=2, layer=0, direction="forward", unit=3)
    assert backflow_figure(run, options=UnrollOptions(focus=focus)).payload["focus"] == focus.to_dict()


@pytest.mark.parametrize("task", ["tagging", "classification"])
def test_both_directions_are_drawn(make, task):
    run = make("the movie was good", task=task, bidirectional=True, loss_step=None)
    figure = backflow_figure(run, options=CELLS)
    assert "read backward, gradient" in " ".join(texts(figure))
    assert len(figure.payload["rows"]) == 5


@pytest.mark.parametrize("scale", ["log", "relative"])
@pytest.mark.parametrize("notation", ["ng", "d2l"])
def test_every_scale_and_notation_is_a_whole_picture(make, scale, notation):
    figure = backflow_figure(make(cell="gru"), scale=scale, options=UnrollOptions(notation=notation, font_size=18))
    letter = {"ng": "a<t>", "d2l": "Ht"}[notation]
    assert f"∂L/∂{letter}" in texts(figure)
    assert figure.alt.startswith("Gradients of tiny on: t h e")
    assert figure.to_png(scale=0.3).startswith(b"\x89PNG")


def test_no_text_of_the_margin_stands_on_another(make):
    figure = backflow_figure(make(cell="lstm", num_layers=2), options=CELLS)
    root = ET.fromstring(figure.svg)
    labels = next(element for element in root.iter() if element.get("class") == "sv-labels")
    lines = [e for e in labels.iter() if e.tag.endswith("text") and e.get("x") == "8"]
    heights = sorted(float(e.get("y")) for e in lines)
    assert min(b - a for a, b in itertools.pairwise(heights)) > 10
