"""The laboratory's charts: what their specifications hold, and what they say."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from seqviz.charts.activations import activation_chart, slope_sentence
from seqviz.charts.chart_files import chart_html, chart_png, chart_svg
from seqviz.charts.laboratory import magnitude, norm_curve_chart, sentences, spread
from seqviz.charts.product_norms import product_norm_chart
from seqviz.charts.spectra import product_sentence, product_spectrum_chart, step_sentence, step_spectrum_chart
from seqviz.laboratory import ACTIVATIONS, CellCurves, LaboratoryConfig, Spectra
from seqviz.laboratory_examples import laboratory_examples, memory_configs
from seqviz.laboratory_export import laboratory_csv, laboratory_json

NAN, INF = math.nan, math.inf


def curves(rows, *, cell="rnn", log_bound=0.1, cell_state=None, overflow=None) -> CellCurves:
    """Curves with given logarithms, (seed, step)."""
    rows = np.array(rows, float)
    return CellCurves(
        config=LaboratoryConfig(cells=(cell,), num_seeds=len(rows), steps=rows.shape[1] - 1),
        hidden_state=rows,
        cell_state=None if cell_state is None else np.array(cell_state, float),
        overflow_steps=overflow or (0,) * len(rows),
        sigma_max=np.ones(len(rows)),
        log_bound=np.full(len(rows), log_bound) if cell == "rnn" else None,
        seconds=0.0,
    )


def spectra(kind="products", *, pieces=(), log_bound=None, values=None) -> Spectra:
    values = np.array([[0.5, -1.0, -4.0], [0.2, -2.0, NAN], [-0.4, -3.0, NAN]] if values is None else values, float)
    count = len(values)
    return Spectra(
        kind=kind,
        part="state",
        places=np.arange(count) + (1 if kind == "products" else 0),
        log_values=values,
        resolution=np.full(count, -15.0),
        num_steps=count,
        total_steps=count,
        log_bound=log_bound,
        pieces=pieces,
    )


def data(chart) -> list[dict]:
    """All rows that a chart draws."""
    found = chart.to_dict()
    sets = [part["data"]["values"] for part in (found, *found["layer"]) if "values" in part.get("data", {})]
    return [row for values in [*found.get("datasets", {}).values(), *sets] for row in values]


@pytest.mark.parametrize(
    ("log", "text"),
    [(0.0, "1"), (-1.4, "0.04"), (1.08, "12"), (3.2, "1585"), (-8.49, "3.2·10⁻⁹"), (697.8, "6.3·10⁶⁹⁷"),
     (-INF, "0"), (-9.0001, "10⁻⁹"), (-1200.0, "1.0·10⁻¹²⁰⁰")],
)  # fmt: skip
def test_numbers_of_any_size_are_written_in_powers_of_ten(log, text):
    assert magnitude(log) == text


def test_the_spread_is_least_median_and_greatest_of_the_seeds_that_ran():
    found = spread(curves([[0, -1, -INF], [0, -3, -8], [0, -2, NAN]]), "hidden_state")
    np.testing.assert_array_equal(found, [[0, -3, -INF], [0, -2, -INF], [0, -1, -8]])


def test_the_memory_of_an_lstm_is_its_cell_state():
    lstm = curves([[0, -9]], cell="lstm", cell_state=[[-1, -2]])
    assert spread(lstm, "memory")[1].tolist() == [-1, -2]
    assert spread(lstm, "hidden_state")[1].tolist() == [0, -9]


def test_the_sentence_says_what_is_left_in_every_cell():
    found = [curves([[0, -4, -8.49]]), curves([[0, -1, -1.4]], cell="gru")]
    assert sentences(found, names=["RNN", "GRU"]) == [
        "2 steps back, an error of norm 1 has become 3.2·10⁻⁹ (RNN) and 0.04 (GRU)."
    ]


def test_sentences_name_underflow_zeros_and_overflow():
    below = curves([[0, -30, -60, -90]])
    zero = curves([[0, -1, -INF, -INF]])
    over = curves([[0, 99, NAN, NAN], [0, 90, 180, 270]], overflow=(3, 0))
    said = sentences([below, zero, over], names=["A", "B", "C"])
    assert said[1:] == [
        "A: float32 would show 0 from 2 steps back on.",
        "B: exactly 0 from 2 steps back on, because every path is cut.",
        "C: the state overflowed at step 3 in 1 of 2 seeds; there the error enters at the step before.",
    ]


def test_the_chart_has_band_line_bound_and_the_floor_of_float32_when_it_is_in_view():
    chart = norm_curve_chart([curves([[0, -30, -60], [0, -28, -52]])], names=["RNN"], colours=[0])
    rows = data(chart)
    assert {"cell": "RNN", "back": 2, "low": -60.0, "value": -56.0, "high": -52.0} in [
        {key: row[key] for key in ("cell", "back", "low", "value", "high")} for row in rows if "low" in row
    ]
    assert [row["label"] for row in rows if "label" in row and row["value"] < 0][:1] == [
        "float32 would show 0 from here on"
    ]
    assert [row["value"] for row in rows if "back" in row and "low" not in row] == [0.0, 0.2]
    near = data(norm_curve_chart([curves([[0, -3, -6]])], names=["RNN"], colours=[0]))
    assert not [row for row in near if "label" in row]
    free = data(norm_curve_chart([curves([[0, -3, -6]])], names=["RNN"], colours=[0], bounded=False))
    assert not [row for row in free if "back" in row and "low" not in row]


def test_relative_curves_are_shares_of_their_largest():
    chart = norm_curve_chart([curves([[0, 1, 0]])], names=["RNN"], colours=[0], scale="relative")
    assert [row["value"] for row in data(chart) if "low" in row] == [0.1, 1.0, 0.1]


def test_an_exact_zero_has_no_point_and_the_description_says_it():
    chart = norm_curve_chart([curves([[0, -INF, -INF]])], names=["RNN"], colours=[0])
    assert [row["back"] for row in data(chart) if "low" in row] == [0]
    assert "exactly 0 from 1 steps back on" in chart.to_dict()["description"]


def test_long_curves_are_thinned_and_keep_both_ends():
    chart = norm_curve_chart([curves([np.linspace(0, -300, 1001)])], names=["RNN"], colours=[0])
    backs = [row["back"] for row in data(chart) if "low" in row]
    assert (backs[0], backs[-1]) == (0, 1000)
    assert len(backs) <= 240
    assert len(json.dumps(chart.to_dict())) < 80_000


def test_products_keep_no_line_below_the_resolution_and_show_both_bounds():
    steps = spectra("steps", values=[[0.5, 0, 0], [0.3, 0, 0], [0.1, 0, 0]])
    rows = data(product_spectrum_chart(spectra(log_bound=0.6), steps=steps))
    assert [row["length"] for row in rows if row.get("rank") == 3] == [1]
    assert [row["value"] for row in rows if row.get("rank") == 1] == [0.5, 0.2, -0.4]
    bounds = [(row["length"], row["value"]) for row in rows if "bound" in row]
    assert bounds == [(0.0, 0.0), (3.0, 1.8), (1.0, 0.1), (2.0, 0.4), (3.0, 0.9)]


def test_steps_are_banded_by_rank_and_a_text_labels_them():
    chart = step_spectrum_chart(spectra("steps", pieces=("The", "<b>", "猫")))
    row = [row for row in data(chart) if "median" in row][1]
    assert {key: row[key] for key in ("step", "where", "low", "median", "high", "hidden")} == {
        "step": 1, "where": "<b>", "low": -2.0, "median": -2.0, "high": 0.2, "hidden": 1
    }  # fmt: skip


def test_spectra_are_said_in_words():
    assert step_sentence(spectra("steps", pieces=("The", "cat", "was"))) == (
        "The greatest singular value of a step is 3.2, at step ‘The’; the median over all is 0.01, and 22 % of all "
        "are above 1."
    )
    assert product_sentence(spectra()) == (
        "3 steps multiply an error by at most 0.4; 2 of 3 singular values of their product are above the "
        "resolution, the least of these is 0.001."
    )
    zero = spectra(values=[[0.0, -1.0], [-INF, -INF]])
    assert "at most 0; 0 of 2 singular values" in product_sentence(zero)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_is_a_valid_specification_and_has_alt_text(theme):
    from seqviz.tracing.laboratory import activation_curves

    charts = [
        norm_curve_chart([curves([[0, -3, -6]])], names=["RNN"], colours=[0], theme=theme),
        step_spectrum_chart(spectra("steps"), theme=theme),
        step_spectrum_chart(spectra("steps", log_bound=-INF), theme=theme),
        product_spectrum_chart(spectra(values=[[0.0, -1.0], [-INF, -INF]]), theme=theme),
        product_norm_chart([spectra(), spectra()], names=["A", "B"], colours=[0, 2], theme=theme),
        *(activation_chart(activation_curves(), chosen=name, theme=theme) for name in ACTIVATIONS),
    ]
    for chart in charts:
        assert len(chart.to_dict()["description"]) > 20


def test_the_slope_is_said_of_the_chosen_activation():
    assert "never above 1/4" in slope_sentence("logistic")
    assert "slope is 1 everywhere" in slope_sentence("identity")
    assert "slope of ELU is never above 1:" in slope_sentence("elu")


def test_a_chart_becomes_a_picture_and_a_page_that_loads_nothing():
    chart = norm_curve_chart([curves([[0, -3, -6]])], names=["RNN"], colours=[0])
    assert chart_png(chart, theme="light", scale=1.0).startswith(b"\x89PNG")
    assert "What is left of an error of norm 1" in chart_svg(chart, theme="dark")
    assert "<script src=" not in chart_html(chart, theme="light")


def test_exports_keep_zeros_and_unknown_values_apart():
    lstm = curves([[0, -INF, NAN]], cell="lstm", cell_state=[[0, -1.5, NAN]])
    content = json.loads(laboratory_json([lstm], [spectra()]))
    assert content["curves"][0]["log10_hidden_state"] == [[0.0, "-inf", None]]
    assert content["curves"][0]["config"]["cells"] == ["lstm"]
    assert content["spectra"][0]["log10_singular_values"][1] == [0.2, -2.0, None]
    lines = laboratory_csv([lstm], [spectra()]).splitlines()
    assert lines[0] == "what,of,seed_or_rank,step,log10"
    assert lines[2:7] == [
        "gradient_norm_hidden_state,lstm,1,1,-inf",
        "gradient_norm_hidden_state,lstm,1,2,",
        "gradient_norm_cell_state,lstm,1,0,0.0",
        "gradient_norm_cell_state,lstm,1,1,-1.5",
        "gradient_norm_cell_state,lstm,1,2,",
    ]
    assert "singular_value_products,state,3,2," in lines


def test_examples_are_configurations_of_their_own():
    examples = laboratory_examples(str)
    assert examples[0].config == LaboratoryConfig()
    assert len({example.config for example in examples}) == len(examples)
    assert [one.radius for one in memory_configs(0.1, 50)] == [0.9, 1.0, 1.1]
