"""The figure's forms and the product's palettes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from seqviz.charts import palette
from seqviz.charts.figure import Figure, figure_css, figure_js
from seqviz.charts.svg import STYLES, clean, fit, num, text_width, tile_paths, with_literal_styles, wrap
from seqviz.errors import InvalidInputError, UnknownNameError

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" class="sv" role="img" aria-label="A box." viewBox="0 0 20 10" width="20" '
    'height="10"><rect class="bg" width="20" height="10"/><g class="sv-body"><path class="d30" d="M0 5h9"/></g>'
    '<g class="sv-labels"/><g class="sv-foot"/></svg>'
)


@pytest.fixture
def figure():
    return Figure(svg=SVG, payload={"token": "</script><b>"}, alt="A box.", width=20, height=10, title='a <"b">')


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_static_picture_has_literal_colours_only(figure, theme):
    svg = figure.to_svg(theme=theme)
    ET.fromstring(svg)
    assert "class=" not in svg
    assert "var(" not in svg
    assert palette.signed_ramp(theme)[30] in svg
    assert palette.COLOURS["surface"][theme] in svg


def test_png_follows_the_scale(figure):
    png = figure.to_png(scale=3)
    assert png[:4] == b"\x89PNG"
    assert int.from_bytes(png[16:20]) == 60


def test_scales_and_themes_outside_the_known_are_refused(figure):
    with pytest.raises(InvalidInputError, match="scale is 50"):
        figure.to_png(scale=50)
    with pytest.raises(UnknownNameError, match="light, dark"):
        figure.to_svg(theme="sepia")


def test_the_page_needs_nothing_from_outside(figure):
    page = figure.to_html()
    without_names = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"https?://|//cdn|@import|<link|src=", without_names)


def test_payload_and_title_cannot_leave_their_elements(figure):
    page = figure.to_html()
    assert "</script><b>" not in page
    assert "\\u003c/script>\\u003cb>" in page
    assert "<title>a &lt;&quot;b&quot;&gt;</title>" in page


def test_a_page_can_be_light_dark_or_as_the_system_is(figure):
    assert 'id="figure" class="sv-root sv-auto"' in figure.to_html()
    assert 'id="figure" class="sv-root sv-dark"' in figure.to_html(theme="dark")
    assert 'id="figure" class="sv-root "' in figure.to_html(theme="light")


def test_a_notebook_gets_a_frame_of_its_own(figure):
    frame = figure._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert 'height="100"' in frame


def test_component_code_has_several_lines_so_that_streamlit_takes_it_as_code():
    assert figure_js().count("\n") > 100
    assert figure_css().count("\n") > 20


def test_every_class_has_a_rule_and_every_colour_a_value():
    for name in STYLES:
        assert f".sv-root .{name}{{" in figure_css()
    for used in set(re.findall(r"var\((--sv-\w+)", figure_css())) - {"--sv-size"}:
        assert f"{used}:" in figure_css()


def test_an_unknown_class_is_dropped_from_a_static_picture():
    assert with_literal_styles('<g class="nowhere"/>', "light") == "<g/>"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_signed_palette_is_symmetric_around_a_neutral_middle(theme):
    ramp = palette.signed_ramp(theme)
    assert len(ramp) == 31
    lightness = [palette._to_oklab(colour)[0] for colour in ramp]
    for distance in range(1, 16):
        assert lightness[15 - distance] == pytest.approx(lightness[15 + distance], abs=0.02)
    chroma = np.hypot(*palette._to_oklab(ramp[15])[1:])
    assert chroma < 0.02
    # Orange below, blue above: b of OKLab is yellow against blue.
    assert palette._to_oklab(ramp[4])[2] > 0.05
    assert palette._to_oklab(ramp[26])[2] < -0.05


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["share", "loss"])
def test_sequential_palettes_go_one_way_in_lightness(theme, name):
    lightness = [palette._to_oklab(colour)[0] for colour in palette.sequential_ramp(name, theme)]
    steps = np.diff(lightness)
    assert len(lightness) == 21
    assert (steps < 0).all() if theme == "light" else (steps > 0).all()


def test_signed_buckets_mirror_and_keep_zero_neutral():
    values = np.array([-2.0, -1.0, -0.03, 0.0, 0.03, 1.0, 2.0])
    assert palette.signed_buckets(values, 1.0).tolist() == [0, 0, 15, 15, 15, 30, 30]
    random = np.random.default_rng(0).standard_normal(200)
    assert np.array_equal(palette.signed_buckets(-random, 2.0), 30 - palette.signed_buckets(random, 2.0))
    assert palette.signed_buckets(np.zeros(2), 0.0).tolist() == [15, 15]


def test_share_buckets_span_zero_to_one():
    assert palette.share_buckets(np.array([-0.1, 0.0, 0.5, 1.0, 1.2])).tolist() == [0, 0, 10, 20, 20]


def contrast(first, second):
    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_tags_have_enough_contrast(theme):
    colours = {name: by_theme[theme] for name, by_theme in palette.COLOURS.items()}
    for ground in ("surface", "cell", "tint", "hover", "track"):
        assert contrast(colours["text"], colours[ground]) > 7
        assert contrast(colours["muted"], colours[ground]) > 4.5
    for category in palette.category_colours(theme):
        assert contrast(colours["on_category"], category) > 4.5


def test_tiles_that_touch_and_have_one_colour_are_one_stroke():
    columns, rows = np.array([0, 2, 4, 0]), np.array([0, 0, 0, 2])
    drawn = tile_paths(columns, rows, np.array([3, 3, 1, 3]), prefix="d", step=2, draw=2)
    assert drawn == '<path class="d1" d="m4 0h2"/><path class="d3" d="m0 0h4m-4 2h2"/>'


def test_tiles_with_gaps_stay_apart():
    drawn = tile_paths(np.array([0, 6]), np.array([0, 0]), np.array([3, 3]), prefix="s", step=6, draw=5)
    assert drawn == '<path class="s3" d="m0 0h5m1 0h5"/>'


def test_numbers_carry_no_noise():
    assert [num(value) for value in (1.0, 0.126, -0.001, 12.5)] == ["1", "0.13", "0", "12.5"]


def test_control_characters_and_surrogates_become_visible():
    assert clean("a\x00b\x1b\ud800\u202ec") == "a␀b␛\ufffd\ufffdc"


def test_text_is_cut_and_wrapped_to_its_width():
    assert fit("short", 10, 100) == "short"
    assert fit("much too long for this", 10, 40).endswith("…")
    assert text_width(fit("much too long for this", 10, 40), 10) <= 40
    assert wrap("one two three", 10, 45, lines=3) == ["one two", "three"]
    assert wrap("隐藏状态隐藏状态", 10, 45, lines=3) == ["隐藏状态", "隐藏状态"]
