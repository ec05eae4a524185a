"""The charts and the coloured text of the Units page: their numbers are those of the results."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest

from seqviz.charts import colored_text
from seqviz.charts.colored_text import coloured_text, text_css
from seqviz.charts.palette import COLOURS, sequential_ramp, signed_ramp
from seqviz.charts.saturation import gates_of, saturation_chart, saturation_sentence
from seqviz.charts.tracking import MAX_POINTS, series_chart, tracked_sentence, values_chart
from seqviz.errors import UnknownNameError
from seqviz.unit_export import moments_csv, moments_json, saturation_csv, series_csv, tracking_json
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_scatter_has_a_dot_for_every_unit(theme):
    (rows,) = data_of(saturation_chart(saturation(), "forget_gate", theme=theme))
    assert len(rows) == 6
    assert rows[0] == {"layer": "layer 1", "unit": 0, "place": "0.forward.0", "left": 0.75, "right": 0.0}
    assert rows[4] == {"layer": "layer 2", "unit": 1, "place": "1.forward.1", "left": 0.0, "right": 1.0}
    assert gates_of(saturation()) == ["forget_gate"]
    says = "forget gate: of 6 units, 2 are shut and 2 are open at more than half of the steps."
    assert saturation_sentence(saturation(), "forget_gate") == says
    assert saturation_chart(saturation(), "forget_gate").to_dict()["description"] == says
    with pytest.raises(UnknownNameError, match="forget_gate"):
        saturation_chart(saturation(), "input_gate")


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
