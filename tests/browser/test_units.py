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


def test_a_span_brushed_in_the_text_of_the_second_model_is_that_of_both(page: Page, app_url: str):
    page.goto(f"{app_url}/units?view=moments&model=shakespeare-lstm&model2=shakespeare-gru")
    boxes = page.locator(".sv-text-box")
    expect(boxes).to_have_count(2, timeout=60_000)
    box = boxes.last
    expect(piece(box, 6)).to_be_visible(timeout=30_000)
    settled(page)
    height = box.bounding_box()
    # Hovering says the value above the text and must not move the text below the hand.
    piece(box, 0).hover()
    expect(page.locator(".sv-text-now").last).to_contain_text("step 1")
    assert box.bounding_box() == height
    piece(box, 0).hover()
    page.mouse.down()
    for step in (3, 6):
        piece(box, step).hover()
    page.mouse.up()
    expect(page).to_have_url(re.compile("span=0-7"), timeout=30_000)
    for one in (boxes.first, boxes.last):
        expect(one.locator(".sv-se")).to_have_count(7, timeout=30_000)


def saturation(page: Page, address: str) -> Locator:
    """Opens the scatters and returns the dots of the first one, in the order of the units."""
    page.goto(address)
    expect(page.locator("[data-ready=true]")).to_be_attached(timeout=60_000)
    settled(page)
    return page.locator('.sv-saturation [data-panel="0"] [data-p=dots] circle')


def centre(dot: Locator) -> tuple[float, float]:
    box = dot.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def farthest_apart(dots: Locator) -> tuple[int, int]:
    """Two units that no other dot hides: the most open one and the most shut one."""
    places = dots.evaluate_all("all => all.map(dot => ['cx', 'cy'].map(name => Number(dot.getAttribute(name))))")
    across, up = [place[0] for place in places], [place[1] for place in places]
    return across.index(max(across)), up.index(min(up))


def test_thresholds_answer_while_they_are_dragged_and_then_stand_in_the_url(page: Page, app_url: str):
    dots = saturation(page, f"{app_url}/units?view=saturation&model=shakespeare-gru")
    before = dots.nth(3).get_attribute("cy")
    slider = page.locator("input[data-limit=left]")
    slider.evaluate("input => { input.value = '0.4'; input.dispatchEvent(new Event('input')); }")
    # In the same moment, by nobody but the browser.
    assert dots.nth(3).get_attribute("cy") != before
    assert page.locator('[data-panel="0"] [data-p=below]').text_content() == "steps below 0.40, %"
    expect(page).to_have_url(re.compile(r"left=0\.4\b"), timeout=30_000)
    settled(page)
    moved = dots.nth(3).get_attribute("cy")
    # A link shows the same.
    again = saturation(page, page.url)
    expect(page.locator('[data-panel="0"] [data-p=below]')).to_have_text("steps below 0.40, %")
    assert again.nth(3).get_attribute("cy") == moved


def test_a_dot_leads_to_its_unit_and_keys_do_so_too(page: Page, app_url: str):
    dots = saturation(page, f"{app_url}/units?view=saturation&model=shakespeare-gru")
    unit, _ = farthest_apart(dots)
    dots.nth(unit).scroll_into_view_if_needed()
    for turn in range(200):  # a hand is never still, and the page may yet move below it
        x, y = centre(dots.nth(unit))
        page.mouse.move(x + turn % 2, y)
        if f"unit {unit}, layer 1" in (page.locator(".sv-tip").text_content() or ""):
            break
    expect(page.locator(".sv-tip")).to_contain_text(f"unit {unit}, layer 1")
    page.mouse.click(*centre(dots.nth(unit)))
    expect(page).to_have_url(re.compile(rf"quantity=reset_gate&unit=0\.forward\.{unit}\b"), timeout=30_000)
    expect(page).not_to_have_url(re.compile("view="))
    expect(page.get_by_label("Unit", exact=True)).to_have_value(str(unit), timeout=60_000)
    saturation(page, f"{app_url}/units?view=saturation&model=shakespeare-gru")
    page.locator(".sv-stage").focus()
    for key in ("ArrowRight", "PageDown", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"quantity=update_gate&unit=0\.forward\.\d+"), timeout=30_000)


def test_of_two_quick_clicks_the_view_ends_at_the_last(page: Page, app_url: str):
    dots = saturation(page, f"{app_url}/units?view=saturation&model=shakespeare-gru")
    first, last = farthest_apart(dots)
    places = centre(dots.nth(first)), centre(dots.nth(last))
    for place in places:
        page.mouse.click(*place)
    expect(page).to_have_url(re.compile(rf"unit=0\.forward\.{last}\b"), timeout=30_000)
    expect(page.get_by_label("Unit", exact=True)).to_have_value(str(last), timeout=60_000)
    settled(page)
    expect(page.locator(".sv-saturation")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("view="))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_it_opens_without_sideways_scrolling(page: Page, app_url: str, viewport):
    opened(page, f"{app_url}/units")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
