"""The Units page in a browser: the coloured text, brushing a span, clicking a unit."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE


def opened(page: Page, address: str) -> Locator:
    """Opens a state of the page and returns the window on its text."""
    page.goto(address)
    box = page.locator(".sv-text-box")
    expect(box.locator("[data-i]").first).to_be_visible(timeout=30_000)
    settled(page)
    return box


def settled(page: Page) -> None:
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=30_000)


def piece(box: Locator, step: int) -> Locator:
    return box.locator(f'[data-i="{step}"]')


def test_the_text_is_coloured_and_says_its_values_on_hover_and_by_keys(page: Page, app_url: str):
    box = opened(page, f"{app_url}/units")
    assert page.get_by_role("heading").first.inner_text() == "Units"
    classes = {piece(box, step).get_attribute("class") for step in range(8, 40)}
    assert len(classes) > 8
    assert all(re.fullmatch(r"d\d+", name or "") for name in classes)
    piece(box, 9).hover()
    now = page.locator(".sv-text-now")
    expect(now).to_contain_text("step 10")
    box.focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(".sv-live").last).to_contain_text(re.compile(r"step \d+: ‘.’ +[−\d]"))
    # Only what is near the window has elements of its own.
    assert 0 < box.locator("[data-i]").count() < 1700
    box.evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(piece(box, 1880)).to_be_visible()


def test_a_brushed_span_finds_its_like_and_stands_in_the_url(page: Page, app_url: str):
    box = opened(page, f"{app_url}/units?view=moments")
    expect(page.get_by_text("BAKER:").first).to_be_visible()
    start, end = piece(box, 0).bounding_box(), piece(box, 6).bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 3, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] - 12, end["y"] + 8, steps=4)
    page.mouse.move(end["x"] + 3, end["y"] + 8)
    page.mouse.up()
    expect(page).to_have_url(re.compile("span=0-7"))
    expect(page.get_by_text("‘MILLER:’").first).to_be_visible()
    settled(page)
    expect(box.locator(".sv-se")).to_have_count(7)
    assert box.locator(".sv-mt").count() > 0
    # By keys: Escape leaves the old span, two more letters from the cursor on make a new one.
    box.focus()
    for key in ("Home", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"span=8-11"))


def test_a_dot_of_the_saturation_leads_to_its_unit(page: Page, app_url: str):
    page.goto(f"{app_url}/units?view=saturation&model=shakespeare-gru")
    chart = page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first
    expect(chart).to_be_visible(timeout=30_000)
    settled(page)
    box = chart.bounding_box()
    assert box is not None
    # Somewhere in the cloud of 300 dots: walk down a column until one is hit.
    for share in (0.35, 0.45, 0.55, 0.65, 0.75):
        for across in (0.3, 0.4, 0.5):
            page.mouse.click(box["x"] + across * box["width"], box["y"] + share * box["height"])
            page.wait_for_timeout(150)
            if "view=saturation" not in page.url:
                break
        if "view=saturation" not in page.url:
            break
    expect(page).to_have_url(re.compile(r"quantity=\w+_gate"))
    expect(page.locator(".sv-text-box [data-i]").first).to_be_visible(timeout=15_000)
    expect(page).not_to_have_url(re.compile("view="))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_it_opens_without_sideways_scrolling(page: Page, app_url: str, viewport):
    opened(page, f"{app_url}/units")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
