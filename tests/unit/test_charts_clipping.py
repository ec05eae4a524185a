"""The pictures of a clipping run: what is drawn is what the run said, in every form that they go out in."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from torch import nn

from seqviz.charts.cliff import cliff_chart, cliff_lines, cliff_surface
from seqviz.charts.clipping_curves import POINTS, clipping_figure, kept_points, running_median
from seqviz.charts.clipping_projection import Projection, projection_figure
from seqviz.charts.clipping_text import variant_name, variant_state
from seqviz.charts.scales import AxisScale, log_limits
from seqviz.clipping import Cliff, ClippingConfig, Divergence, Variant, VariantCurve
from seqviz.errors import InvalidInputError
from seqviz.export import clipping_csv, clipping_json
from seqviz.i18n import english, translator
from seqviz.training.cliff import cliff
from seqviz.training.clipping import ClippingRun

CONFIG = ClippingConfig(steps=100)


def curve(number: int = 0, *, losses: list[float], clipping: str = "none", **options) -> VariantCurve:
    variant = Variant(
        number=number, clipping=clipping, threshold=0.0 if clipping == "none" else 0.5,
        parent=options.pop("parent", None), begins=options.pop("begins", 0),
    )  # fmt: skip
    values = np.array([[loss, 2 * loss, loss, 1.0, float(i % 2)] for i, loss in enumerate(losses)]).reshape(-1, 5)
    return VariantCurve(variant=variant, divergence=options.pop("divergence", None), jump=None, values=values)


DIVERGED = curve(losses=[0.5, 0.2, math.inf], divergence=Divergence(step=3, what="loss", value="inf"))
TAME = curve(1, losses=[0.5, 0.4, 0.3, 0.2], clipping="norm")
FORK = curve(2, losses=[0.3, 0.1], clipping="value", parent=1, begins=2)


@pytest.fixture(scope="module")
def measured() -> Cliff:
    run = ClippingRun(ClippingConfig(hidden_size=6, length=8, batch_size=4, steps=20))
    while run.advance():
        pass
    return cliff(run, 1)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def test_the_curves_are_well_formed_in_both_layouts_and_every_form():
    figure = clipping_figure([DIVERGED, TAME, FORK], CONFIG)
    for svg in (figure.svg, figure.payload["narrow"], figure.to_svg(theme="dark")):
        assert parsed(svg).tag.endswith("svg")
    assert "class=" not in figure.to_svg()
    assert figure.to_png(scale=0.5).startswith(b"\x89PNG")
    page = figure.to_html()
    assert "class Curves" in page
    assert json.loads(json.dumps(figure.payload)) == figure.payload


def test_the_curves_say_how_every_variant_stands():
    figure = clipping_figure([DIVERGED, TAME, FORK], CONFIG)
    for text in (
        "diverged at step 3: loss is inf",
        "by norm, θ = 0.5",
        "step 4, loss 0.2",
        "by value, θ = 0.5, forked at step 3",
    ):
        assert text in figure.svg
        assert text in figure.alt
    assert "50 % of its steps clipped" in figure.alt


def test_a_line_goes_through_the_pixels_of_its_values():
    figure = clipping_figure([TAME], CONFIG)
    x = AxisScale(**figure.payload["geometry"]["x"])
    panel = figure.payload["geometry"]["panels"][0]
    data = re.search(r'<path d="M([^"]+)" class="cr1"', figure.svg)
    assert data is not None
    points = np.array([[float(v) for v in pair.split()] for pair in data[1].split("L")])
    assert np.allclose(points[:, 0], x(TAME.steps.astype(float)), atol=0.06)
    low, high = log_limits(TAME.measure("loss"))
    y = AxisScale(low=low, high=high, start=panel["top"] + panel["height"], end=panel["top"], log=True)
    assert np.allclose(points[:, 1], y(TAME.measure("loss")), atol=0.06)


def test_a_divergence_is_crossed_out_at_its_step():
    figure = clipping_figure([DIVERGED, TAME], CONFIG)
    place = float(AxisScale(**figure.payload["geometry"]["x"])(3.0))
    marks = re.findall(r'<path d="M([\d.]+) [\d.]+V', figure.svg)
    assert len(marks) == 3
    assert all(abs(float(mark) - place) < 0.01 for mark in marks)
    assert clipping_figure([TAME], CONFIG).svg.count("V") == 0


def test_a_blow_up_does_not_flatten_the_other_curves():
    wild = curve(losses=[0.5, 1e30, math.inf], divergence=Divergence(step=3, what="loss", value="inf"))
    svg = clipping_figure([wild, TAME], CONFIG).svg
    assert "10⁵" not in svg
    assert "100" in svg


def test_the_numbers_beside_the_pointer_are_those_of_the_run():
    first, second = clipping_figure([DIVERGED, FORK], CONFIG).payload["variants"]
    assert first["loss"] == ["0.5", "0.2", "∞"]
    assert second["steps"] == [3, 4]
    assert second["grad_norm"] == ["0.6", "0.2"]
    assert second["clipped_share"] == ["0 %", "50 %"]


def test_long_runs_are_thinned_and_keep_their_spikes_and_the_browser_gets_little():
    random = np.random.default_rng(1)
    losses = random.uniform(0.1, 0.2, 5000)
    losses[2345] = 50.0
    long = [curve(i, losses=losses.tolist(), clipping="norm") for i in range(6)]
    kept = kept_points(long[0], POINTS)
    assert len(kept) <= 1.2 * POINTS
    assert {0, 1, 2345, 4999} <= set(kept.tolist())
    figure = clipping_figure(long, ClippingConfig(steps=5000))
    assert "of 5000 steps the" in figure.svg
    assert len(figure.svg) + len(json.dumps(figure.payload)) < 1_000_000


def test_the_thick_line_is_the_median_of_the_steps_before():
    values = np.array([1.0, 9.0, 2.0, 8.0, 3.0])
    assert running_median(values, 3).tolist() == [1.0, 5.0, 2.0, 8.0, 3.0]
    assert running_median(np.zeros(0)).tolist() == []


def test_a_log_axis_of_steps_gives_the_first_steps_room():
    x = AxisScale(**clipping_figure([TAME], CONFIG, log_steps=True).payload["geometry"]["x"])
    assert float(x(10.0)) == pytest.approx((x.start + x.end) / 2)


def test_a_run_without_a_step_is_drawn():
    figure = clipping_figure([curve(losses=[])], CONFIG)
    assert "no step yet" in figure.svg


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.05, 200.0, ["0.1", "1", "10", "100"]),
        (0.15, 0.9, ["0.2", "0.5"]),
        (1e-6, 1e6, ["10⁻⁶", "10⁻³", "1", "1000", "10⁶"]),
    ],
)
def test_a_log_axis_is_marked_at_round_numbers(low: float, high: float, labels: list[str]):
    scale = AxisScale(low=low, high=high, start=0, end=100, log=True)
    assert [label for _, label in scale.ticks(5)] == labels


@pytest.mark.parametrize("gradient", [(3.0, 4.0), (0.1, -0.2), (-7.0, 0.01), (0.0, 0.0)])
def test_the_projection_is_what_torch_does(gradient: tuple[float, float]):
    projection = Projection(gradient=gradient, threshold=1.5, value_threshold=0.8)
    for ours, clip, threshold in (
        (projection.by_norm, nn.utils.clip_grad_norm_, 1.5),
        (projection.by_value, nn.utils.clip_grad_value_, 0.8),
    ):
        parameter = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        clip([parameter], threshold)
        assert parameter.grad.tolist() == pytest.approx(ours, rel=2e-6)  # torch adds 1e-6 to the norm


def test_clipping_by_value_turns_the_gradient():
    assert Projection(gradient=(3.0, 1.0), threshold=1.0, value_threshold=1.0).turned == pytest.approx(
        45 - math.degrees(math.atan2(1, 3))
    )
    assert Projection(gradient=(2.0, 2.0), threshold=1.0, value_threshold=1.0).turned == pytest.approx(0.0)
    assert Projection(gradient=(0.0, 0.0), threshold=1.0, value_threshold=1.0).turned == 0.0


def test_the_picture_of_one_gradient_holds_its_arithmetic():
    figure = projection_figure(Projection(gradient=(3.0, 4.0), threshold=1.0, value_threshold=0.5))
    for text in ("norm ||g|| = 5.000", "min(1, θ / ||g||) = min(1, 1.000 / 5.000) = 0.200", "(0.600, 0.800)", "8.1°"):
        assert text in figure.alt
        assert text in figure.svg
    for name in ("gradient", "by_norm", "by_value", "ball", "box", "handle", "plane", "to_by_norm", "line-turned"):
        assert figure.svg.count(f'data-p="{name}"') == figure.payload["narrow"].count(f'data-p="{name}"') == 1
    assert parsed(figure.to_svg()).tag.endswith("svg")
    assert "class Projection" in figure.to_html()


@pytest.mark.parametrize("bad", [{"threshold": 0.0}, {"value_threshold": -1.0}, {"gradient": (math.nan, 1.0)}])
def test_a_projection_that_cannot_be_is_refused(bad: dict):
    with pytest.raises(InvalidInputError):
        Projection(**{"gradient": (1.0, 1.0), "threshold": 1.0, "value_threshold": 1.0, **bad})


@pytest.mark.parametrize("near", [False, True])
def test_the_cliff_is_drawn_through_its_numbers(measured: Cliff, near: bool):
    spec = cliff_chart(measured, near=near).to_dict()
    _, rows, marks = (spec["datasets"][layer["data"]["name"]] for layer in spec["layer"])
    distances = measured.near_distances if near else measured.distances
    assert [row["s"] for row in rows] == distances.tolist()
    places = {row["step"]: row["s"] for row in marks}
    taken = next(step for step in measured.steps if step.taken)
    assert places["by norm, θ = 0.25 (the step that was taken)"] == taken.along
    assert f"Before step {measured.step} " in spec["description"]


def test_the_surface_is_the_one_that_was_measured(measured: Cliff):
    figure = cliff_surface(measured)
    surface, *ways = figure["data"]
    assert np.allclose(surface["z"], measured.surface, atol=1e-6)
    assert [way["x"][1] for way in ways] == [step.along for step in measured.steps if step.along <= measured.along[-1]]
    assert json.dumps(figure)


def test_the_cliff_is_said_in_words(measured: Cliff):
    lines = cliff_lines(measured, english)
    assert len(lines) == 5
    assert f"{measured.next_loss:.4g}" in lines[-1]


def test_files_have_every_number():
    table = clipping_csv([DIVERGED, FORK]).splitlines()
    assert table[0].startswith("variant,clipping,threshold,parent,step,loss,grad_norm")
    assert table[3].startswith("0,none,0.0,,3,inf,inf")
    assert table[4].startswith("2,value,0.5,1,3,0.3,0.6")
    content = json.loads(clipping_json([DIVERGED, FORK], CONFIG))
    assert content["config"]["steps"] == 100
    assert content["variants"][0]["loss"] == [0.5, 0.2, None]
    assert content["variants"][0]["divergence"] == {"step": 3, "what": "loss", "value": "inf"}
    assert content["variants"][1]["steps"] == [3, 4]


def test_variants_are_named_in_chinese():
    t = translator("zh_CN")
    assert variant_name(FORK.variant, t) == "按值, θ = 0.5，在第 3 步分支"
    assert variant_state(DIVERGED, t) == "在第 3 步发散：损失为 inf"
