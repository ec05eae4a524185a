"""The offline page of a figure in a real Chromium: exact numbers, keys, play, clicks, downloads, no network."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from seqviz.charts.unroll import UnrollFocus, UnrollOptions, unroll_figure
from seqviz.traces import LayerTrace, RecurrentTrace

TOKENS = ("A", "truly", "<b>fine</b>", "film")


@pytest.fixture(scope="module")
def trace() -> RecurrentTrace:
    random = np.random.default_rng(5)
    hidden = np.tanh(random.standard_normal((4, 12), np.float32))
    layer = LayerTrace(
        layer=0,
        direction="forward",
        cell="rnn_tanh",
        block_names=("candidate",),
        inputs=np.zeros((4, 3), np.float32),
        pre_activation=np.zeros((4, 1, 12), np.float32),
        gates={},
        cell_state=None,
        hidden_state=hidden,
    )
    return RecurrentTrace(
        model="tiny",
        task="classification",
        structure="many_to_one",
        text=" ".join(TOKENS),
        pieces=TOKENS,
        originals=TOKENS,
        ids=np.arange(4),
        fed_back=4,
        embeddings=random.standard_normal((4, 3), np.float32),
        layers=(layer,),
        labels=("negative", "positive"),
        logits=random.standard_normal((4, 2), np.float32),
        targets=np.full(4, -1),
        seconds=0.0,
    )


@pytest.fixture
def opened(page: Page, trace: RecurrentTrace, tmp_path: Path) -> Page:
    focus = UnrollFocus(step=1, layer=0, direction="forward", unit=7)
    path = tmp_path / "figure.html"
    path.write_text(unroll_figure(trace, options=UnrollOptions(focus=focus)).to_html(), encoding="utf-8")
    page.on("request", lambda request: pytest.fail(request.url) if request.url.startswith("http") else None)
    page.goto(path.as_uri())
    return page


def now(page: Page) -> str:
    return page.locator(".sv-now").inner_text()


def test_arrow_keys_home_and_end_move_the_step(opened: Page) -> None:
    assert now(opened) == "step 2 of 4: ‘truly’"
    opened.locator(".sv-stage").focus()
    opened.keyboard.press("ArrowRight")
    assert now(opened) == "step 3 of 4: ‘<b>fine</b>’"
    opened.keyboard.press("Home")
    opened.keyboard.press("ArrowLeft")
    assert now(opened) == "step 1 of 4: ‘A’"
    opened.keyboard.press("End")
    assert now(opened) == "step 4 of 4: ‘film’"


def test_up_and_down_change_the_unit_and_its_numbers(opened: Page, trace: RecurrentTrace) -> None:
    opened.locator(".sv-stage").focus()
    opened.keyboard.press("ArrowDown")
    expect(opened.locator('[data-strip="unit"]')).to_have_text("Unit 8")
    shown = opened.locator('[data-strip="number"]').all_text_contents()
    assert shown == [f"{value:.2f}".replace("-", "−") for value in trace.layers[0].hidden_state[:, 8].tolist()]


def test_nothing_moves_by_itself_and_space_plays_to_the_end(opened: Page) -> None:
    opened.wait_for_timeout(700)
    assert now(opened).startswith("step 2 of 4")
    opened.locator(".sv-stage").focus()
    opened.keyboard.press("Space")
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    expect(opened.locator(".sv-now")).to_have_text(re.compile("step 4 of 4"), timeout=3000)
    expect(opened.get_by_role("button", name="Play")).to_be_visible()


def test_hovering_shows_the_unit_to_the_last_digit(opened: Page, trace: RecurrentTrace) -> None:
    mark = opened.locator(".sv-mark").first.bounding_box()
    assert mark is not None
    opened.mouse.move(mark["x"] + 6, mark["y"] + 6)
    expect(opened.locator(".sv-tip")).to_contain_text("Unit 7")
    shown = opened.locator(".sv-tip code").inner_text().replace("−", "-")
    assert np.float32(shown) == trace.layers[0].hidden_state[0, 7]
    expect(opened.locator(".sv-lens")).to_have_attribute("visibility", "visible")


def test_a_click_on_a_heatmap_cell_selects_step_and_unit(opened: Page) -> None:
    steps = opened.locator(".sv-steps").bounding_box()
    data = json.loads(opened.locator("#data").text_content() or "")
    assert steps is not None
    scale = steps["height"] / data["bodyHeight"]
    heatmap = data["panels"][0]["heatmap"]
    x = data["left"] - data["label"] + 2.5 * data["column"]
    y = heatmap["top"] + 2.5 * heatmap["rowHeight"]
    opened.mouse.click(steps["x"] + x * scale, steps["y"] + y * scale)
    assert now(opened).startswith("step 3 of 4")
    expect(opened.locator('[data-strip="unit"]')).to_have_text("Unit 2")


@pytest.mark.parametrize("kind", ["SVG", "PNG"])
def test_the_picture_can_be_saved_as_it_is(opened: Page, kind: str, tmp_path: Path) -> None:
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name=f"Save this picture as {kind}").click()
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    assert saved.name == f"tiny-unrolled.{kind.lower()}"
    if kind == "PNG":
        assert saved.read_bytes()[:4] == b"\x89PNG"
    else:
        text = saved.read_text("utf-8")
        ET.fromstring(text)
        assert "var(" not in text
        assert "rgb(75, 63, 196)" in text  # the frame of the step, in the light theme's accent


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}], indirect=True)
def test_on_a_phone_only_the_figure_scrolls_sideways(opened: Page, viewport: dict[str, int]) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert opened.evaluate("(s => s.scrollWidth > s.clientWidth)(document.querySelector('.sv-scroll'))")
