"""The view Clipping in Chromium: a run grows, outlives a reload, is the same in a second tab; a gradient is dragged."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

RUN = "view=clipping&part=training&clip_hidden_size=6&clip_length=8&clip_batch_size=4&clip_steps=5000"


def last_place(line: Locator) -> float:
    """Where a line ends, to the right."""
    return line.evaluate("(path) => Number(path.getAttribute('d').split('L').at(-1).split(' ')[0])")


def shown_step(page: Page) -> int:
    found = re.search(r"step (\d+) of 5000", page.get_by_test_id("stProgress").inner_text())
    assert found is not None
    return int(found[1])


def test_a_run_grows_survives_a_reload_and_is_the_same_in_a_second_tab(page: Page, app_url: str):
    page.goto(f"{app_url}/gradients?{RUN}")
    page.get_by_role("button", name="Start the run").click()
    curves = page.locator(".sv-curves svg")
    expect(curves).to_be_visible(timeout=60_000)
    expect(page).to_have_url(re.compile("run=[-_A-Za-z0-9]{16}"))
    expect(page.get_by_test_id("stProgress")).to_have_text(re.compile(r"step \d+ of"))
    line = page.locator(".sv-curves path[class^=cr]").first
    before, place, drawn = shown_step(page), last_place(line), line.get_attribute("d") or ""
    expect(line).not_to_have_attribute("d", drawn, timeout=15_000)
    assert last_place(line) > place
    page.reload()
    expect(curves).to_be_visible(timeout=30_000)
    assert shown_step(page) >= before
    expect(page).to_have_url(re.compile("clip_hidden_size=6"))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_test_id("stProgress")).to_contain_text("paused")
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_test_id("stProgress")).to_have_text(page.get_by_test_id("stProgress").inner_text())
    second.close()
    page.locator(".sv-curves").hover(position={"x": 300, "y": 200})
    expect(page.locator(".sv-tip").last).to_contain_text("gradient norm")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_test_id("stProgress")).to_contain_text("stopped")


def test_a_gradient_is_dragged_and_moved_by_keys(page: Page, app_url: str):
    page.goto(f"{app_url}/gradients?view=clipping&gradient=2_1_1.5_1")
    line = page.locator("[data-p=line-gradient]")
    expect(line).to_have_text("g = (2.000, 1.000), norm ||g|| = 2.236", timeout=30_000)
    plane = page.locator("[data-p=plane]").bounding_box()
    assert plane is not None
    x, y = plane["x"] + 0.6 * plane["width"], plane["y"] + 0.25 * plane["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, plane["y"] + 0.2 * plane["height"], steps=3)
    page.mouse.up()
    expect(line).to_have_text(re.compile(r"g = \(0\.[56]\d\d, 1\.\d{3}\)"))
    expect(page.locator("[data-p=line-by_value]")).to_have_text(re.compile(r"\(0\.[56]\d\d, 1\.000\), norm 1\.1\d\d"))
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    expect(line).to_have_text(re.compile(r"g = \(1\.[45]\d\d, "))
    expect(page).to_have_url(re.compile(r"gradient=1\.[45]\d+_1\.\d+_1\.5_1"))
    dragged = line.text_content() or ""
    page.reload()
    expect(line).to_have_text(re.compile(re.escape(dragged[:9])))
