"""The charts and the coloured text of the Units page: their numbers are those of the results."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest

from seqviz.charts import colored_text
from seqviz.charts.colored_text import coloured_text, text_css
from seqviz.charts.palette import COLOURS, sequential_ramp, signed_ramp
from seqviz.charts.rankings import rankings_chart, rankings_sentence
from seqviz.charts.saturation import (
    SaturatedRun,
    gates_of,
    packed_counts,
    saturation_figure,
    saturation_sentence,
)
from seqviz.charts.tracking import MAX_POINTS, series_chart, tracked_sentence, values_chart
from seqviz.errors import UnknownNameError
from seqviz.unit_export import moments_csv, moments_json, rankings_csv, saturation_csv, series_csv, tracking_json
from seqviz.units import (
    GateCounts,
    LongText,
    Match,
    Moments,
    PatternUnit,
    Saturation,
    Score,
    Tracked,
    Tracking,
    UnitPlace,
    UnitSeries,
)

PLACE = UnitPlace(layer=1, direction="forward", unit=7)


def text_of(text: str, kind: str = "character", pieces: list[tuple[int, int]] | None = None) -> LongText:
    spans = np.array(pieces or [(i, i + 1) for i in range(len(text))], np.int32)
    return LongText(
        model="m",
        task="language_model",
        kind=kind,
        text=text,
        starts=spans[:, 0],
        ends=spans[:, 1],
        unknown=(np.arange(len(spans)) == 1).astype(np.uint8),
        first_written=len(spans),
        layers=(),
    )


def saturation() -> Saturation:
    counts = np.zeros((3, 100), np.int64)
    counts[0, 5], counts[0, 50] = 30, 10  # shut at 75 %
    counts[1, 95], counts[1, 99] = 39, 1  # always open
    counts[2, 10], counts[2, 89] = 20, 20  # neither
    gates = tuple(
        GateCounts(layer=layer, direction="forward", gate="forget_gate", counts=counts.copy()) for layer in (0, 1)
    )
    return Saturation(steps=40, gates=gates)


def series(steps: int, *, binary: bool | None = True) -> UnitSeries:
    values = np.sin(np.arange(steps) / 5).astype(np.float32)
    holds = None if binary is None else (values > 0.5).astype(np.float32) if binary else np.arange(steps) % 7
    return UnitSeries(place=PLACE, quantity="cell_state", values=values, property=holds, binary=bool(binary), scores=())


def data_of(chart) -> list[list[dict]]:
    """The rows of a chart, of each of its data sets."""
    return list(chart.to_dict()["datasets"].values())


def test_shares_of_saturated_steps():
    left, right = saturation().gates[0].saturation()
    assert left.tolist() == [0.75, 0.0, 0.0]
    assert right.tolist() == [0.0, 1.0, 0.0]
    left, right = saturation().gates[0].saturation(0.11, 0.89)
    assert (left.tolist(), right.tolist()) == ([0.75, 0.0, 0.5], [0.0, 1.0, 0.5])


def circles(svg: str) -> list[tuple[float, float]]:
    """Centres of the dots, without those of the legend."""
    dots = svg.split('data-p="dots">')[1].split("<text", maxsplit=1)[0]
    return [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', dots)]


def runs(*names: str) -> list[SaturatedRun]:
    return [SaturatedRun(saturation=saturation(), name=name, titles={}) for name in names or ("",)]


def test_the_scatter_has_a_dot_for_every_unit():
    figure = saturation_figure(runs())
    geometry = figure.payload["geometry"]
    x, y, side = geometry["x"], geometry["y"], geometry["side"]
    # Shut at 75 % of the steps, always open, neither; in both layers.
    expected = [(x, y + side / 4), (x + side, y + side), (x, y + side)] * 2
    assert circles(figure.svg) == [pytest.approx(place) for place in expected]
    assert gates_of(saturation()) == ["forget_gate"]
    says = "forget gate: of 6 units, 2 are shut and 2 are open at more than half of the steps."
    assert saturation_sentence(saturation(), "forget_gate") == says
    assert figure.alt == says
    assert "6 units; mostly shut: 2, mostly open: 2" in figure.svg
    assert [layer["name"] for layer in figure.payload["panels"][0]["layers"]] == ["layer 1", "layer 2"]


def test_thresholds_move_the_dots_as_they_do_in_the_browser():
    figure = saturation_figure(runs(), left=0.11, right=0.5)
    geometry = figure.payload["geometry"]
    # 10 of 40 steps of the first unit and half of those of the third are from 0.5 on.
    across = [(place[0] - geometry["x"]) / geometry["side"] for place in circles(figure.svg)[:3]]
    up = [1 - (place[1] - geometry["y"]) / geometry["side"] for place in circles(figure.svg)[:3]]
    assert across == pytest.approx([0.25, 1.0, 0.5])
    assert up == pytest.approx([0.75, 0.0, 0.5])
    assert "steps below 0.11, %" in figure.svg
    assert "steps above 0.50, %" in figure.svg


def test_the_counts_travel_whole_and_small():
    counts = np.random.default_rng(3).integers(0, 20_000, (512, 100))
    one = GateCounts(layer=0, direction="forward", gate="forget_gate", counts=counts)
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed_counts([one, one]))), np.uint8).reshape(2, -1)
    assert np.array_equal((planes[0] + 256 * planes[1].astype(int)).reshape(2, 512, 100), np.stack([counts, counts]))
    assert packed_counts(saturation().gates) == saturation_figure(runs()).payload["counts"]


def test_two_models_stand_below_each_other_and_the_page_needs_no_dots():
    figure = saturation_figure(runs("A · one", "B <two>"), dots=False)
    ET.fromstring(figure.to_svg())
    assert circles(figure.svg) == []
    assert [panel["run"] for panel in figure.payload["panels"]] == [0, 1]
    assert "B &lt;two&gt;" in figure.svg
    assert figure.height > 1.9 * saturation_figure(runs()).height
    page = figure.to_html()
    assert "DecompressionStream" in page
    assert "B <two>" not in page
    assert "<circle" in saturation_figure(runs()).to_svg(theme="dark")


def test_rankings_of_two_models_share_their_rows():
    one, other = (
        Tracking(quantity="cell_state", num_units=4, tracked=tuple(tracked), rare=(), seconds=0.0)
        for tracked in ([tracked_by("capital", -0.8), tracked_by("vowel", 0.1)], [tracked_by("vowel", 0.6)])
    )
    chart = rankings_chart([one, other], names=["A", "B"])
    (rows,) = data_of(chart)
    assert [(row["row"], row["model"], row["r"]) for row in rows] == [(0, "A", 0.8), (1, "A", 0.1), (1, "B", 0.6)]
    says = rankings_sentence([one, other], names=["A", "B"])
    assert says == "A: better than chance at 1 of 2 properties. B: better than chance at 1 of 1 properties."
    assert says in chart.to_dict()["description"]
    assert rankings_csv([one, other], ["a", "b"]).splitlines()[1] == "a,cell_state,capital,1.forward.7,-0.8,,0.2"


def tracked_by(name: str, held_out: float) -> Tracked:
    score = Score(place=PLACE, property=name, chosen=0.9, held_out=held_out, auc=float("nan"))
    return Tracked(property=name, binary=True, steps=9, positives=4, best=(score,), chance=0.2)


def test_a_short_stretch_is_drawn_as_it_is():
    one = series(300)
    band, line = sorted(data_of(series_chart(one, unit_name="u", property_name="p", start=100, end=200)), key=len)
    rows = line if "low" in line[0] else band
    assert [row["step"] for row in rows] == list(range(101, 201))
    np.testing.assert_allclose([row["value"] for row in rows], one.values[100:200], rtol=1e-4)


def test_a_long_one_is_averaged_and_says_so():
    one = series(3 * MAX_POINTS, binary=None)
    chart = series_chart(one, unit_name="u")
    (rows,) = data_of(chart)
    assert len(rows) == MAX_POINTS
    assert rows[2]["value"] == pytest.approx(float(one.values[6:9].mean()), abs=1e-4)
    assert (rows[2]["low"], rows[2]["high"]) == pytest.approx((one.values[6:9].min(), one.values[6:9].max()), abs=1e-4)
    assert "mean of 3 steps" in json.dumps(chart.to_dict())


def test_values_by_a_yes_or_no_property_are_two_histograms():
    (rows,) = data_of(values_chart(series(500), unit_name="u", property_name="quotes"))
    for where in ("quotes", "elsewhere"):
        assert sum(row["share"] for row in rows if row["where"] == where) == pytest.approx(1.0, abs=1e-3)
    assert all(row["low"] >= 0.4 for row in rows if row["where"] == "quotes" and row["share"])


def test_values_by_a_number_are_means():
    one = series(700, binary=False)
    rows = data_of(values_chart(one, unit_name="u", property_name="place"))[0]
    assert [row["number"] for row in rows] == list(range(7))
    assert rows[3]["mean"] == pytest.approx(float(one.values[3::7].mean()), abs=1e-4)
    assert sum(row["count"] for row in rows) == 700


def score(held_out: float, auc: float = float("nan")) -> Score:
    return Score(place=PLACE, property="vowel", chosen=0.9, held_out=held_out, auc=auc)


def test_the_sentence_says_what_the_score_rests_on_and_when_it_is_chance():
    strong = Tracked(property="vowel", binary=True, steps=1000, positives=300, best=(score(-0.8, 0.97),), chance=0.1)
    says = tracked_sentence(strong, unit_name="unit 7", property_name="vowel", num_units=2048)
    assert "unit 7, r = −0.80, AUC 0.97, measured on 1,000 pieces" in says
    assert "among 2,048 units. The property holds at 300 of them." in says
    assert "by chance." in says
    assert "no unit of the model" not in says
    weak = Tracked(property="vowel", binary=False, steps=10, positives=3, best=(score(0.2),), chance=0.3)
    assert "no more than chance" in tracked_sentence(weak, unit_name="u", property_name="v", num_units=2)


def test_the_coloured_text_carries_exact_numbers():
    values = np.array([0.1, -2.5, 3.25], np.float32)
    shown = coloured_text(text_of("a\nb"), values=values, quantity="cell_state", name="unit 7").payload
    assert np.frombuffer(base64.b64decode(shown["values"]), "<f4").tolist() == values.tolist()
    assert (shown["limit"], shown["letter"], shown["pieces"], shown["unknown"]) == (3.25, "d", None, [1])
    cut = coloured_text(text_of("a\nb"), values=values, quantity="cell_state", limit=2.0).payload["texts"]
    assert (cut["low"], cut["high"], shown["texts"]["high"]) == ("≤ −2", "≥ 2", "3.25")
    gate = coloured_text(text_of("a\nb"), values=np.abs(values) / 4, quantity="forget_gate", limit=1.0).payload
    assert (gate["letter"], gate["texts"]["low"], gate["texts"]["high"]) == ("s", "0", "1")


def test_words_carry_their_places():
    shown = coloured_text(text_of(" ab  c", "word", [(1, 3), (5, 6)])).payload
    assert shown["pieces"] == [1, 2, 2, 1]


def test_the_same_text_keeps_its_name_and_other_numbers_are_another_version():
    text = text_of("abc")
    one = coloured_text(text, values=np.zeros(3, np.float32)).payload
    other = coloured_text(text, values=np.ones(3, np.float32)).payload
    assert one["id"] == other["id"]
    assert one["version"] != other["version"]


def test_twenty_thousand_characters_stay_under_a_megabyte():
    text = text_of("The quick “brown” fox.\n" * 870)
    random = np.random.default_rng(1)
    shown = coloured_text(
        text,
        values=random.normal(size=len(text)).astype(np.float32),
        binary=random.random(len(text)) < 0.5,
        marks=[(i, i + 5) for i in range(0, 19_000, 100)],
    )
    assert len(text) > 20_000
    assert len(json.dumps(shown.payload).encode()) < 300_000


def test_the_page_of_its_own_needs_nothing_and_nothing_leaves_its_element():
    text = text_of("</script><b>\n&amp;")
    page = coloured_text(text, values=np.zeros(len(text), np.float32), name="<i>").to_html(theme="dark")
    assert not re.findall(r"https?://(?!www\.w3\.org)|//cdn|@import|<link|src=", page)
    assert "</script><b>" not in page
    assert "<i>" not in page.replace("&lt;i&gt;", "")
    with pytest.raises(UnknownNameError):
        coloured_text(text).to_html(theme="sepia")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_letters_can_be_read_on_every_colour(theme):
    inks = COLOURS["text"][theme], COLOURS["surface"][theme]
    for colour in (*signed_ramp(theme), *sequential_ramp("share", theme)):
        assert max(colored_text._contrast(ink, colour) for ink in inks) >= 3.9, colour
    assert f"--sv-d0-ink:{inks[0]}" in text_css() or f"--sv-d0-ink:{inks[1]}" in text_css()


def test_exports():
    text = text_of("ab,c")
    one = UnitSeries(
        place=PLACE,
        quantity="cell_state",
        values=np.array([0.1, 0.2, 0.3, -1], np.float32),
        property=np.array([0, 1, 0, 1], np.float32),
        binary=True,
        scores=(),
    )
    assert series_csv(text, one).splitlines()[:4] == [
        "step,piece,value,property",
        "0,a,0.1,0",
        "1,b,0.2,1",
        '2,",",0.3,0',
    ]
    found = Moments(
        quantity="hidden_state",
        start=0,
        end=1,
        threshold=0.5,
        slack=1,
        units=(PatternUnit(place=PLACE, sign=-1, mean=-0.75),),
        num_units=1,
        on=3,
        units_on=np.zeros(4, np.uint8),
        matches=(Match(start=2, end=4, exact=1, on=1),),
        seconds=0.0,
    )
    assert moments_csv(text, found).splitlines() == ["start,end,exact,on,text", '2,4,1,1,",c"']
    assert json.loads(moments_json(text, found))["units"] == [{"unit": "1.forward.7", "sign": -1, "mean": -0.75}]
    tracked = Tracked(property="v", binary=False, steps=4, positives=2, best=(score(0.5),), chance=0.1)
    told = json.loads(tracking_json(Tracking(quantity="q", num_units=9, tracked=(tracked,), rare=("w",), seconds=0.0)))
    assert told["tracked"][0]["best"][0] == {"unit": "1.forward.7", "chosen": 0.9, "held_out": 0.5, "auc": None}
    assert saturation_csv(saturation()).splitlines()[1] == "0,forward,forget_gate,0,0.75,0.0"


def test_code_points_are_found_among_the_steps():
    found = text_of("The cat sat .", "word", [(0, 3), (4, 7), (8, 11), (12, 13)])
    for step in range(len(found)):
        assert found.steps(int(found.starts[step]), int(found.ends[step])) == (step, step + 1)
    assert found.steps(0, len(found.text)) == (0, len(found))
    assert found.steps(len(found.text) + 9, len(found.text) + 9) == (len(found) - 1, len(found))
