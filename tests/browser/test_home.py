"""From the home page into a view, and through a lesson, as a reader does."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.test_frame import title
from tests.browser.test_unroll import main_text, now, state_of
from tools.screenshots import settle


def card(page: Page, name: str):
    """The link of a view's card; the menu has one of that name too."""
    return page.get_by_test_id("stMain").get_by_role("link", name=name, exact=True)


def test_the_sentence_goes_along_into_a_view_with_the_step_in_focus(page: Page, app_url: str):
    page.goto(app_url)
    expect(now(page)).to_contain_text("of 9", timeout=30_000)
    box = page.get_by_label("Sentence", exact=True)
    box.fill("A quiet and moving triumph.")
    expect(now(page)).to_contain_text("of 6", timeout=30_000)
    page.get_by_role("button", name="Last step").click()
    expect(now(page)).to_have_text(re.compile("step 6 of 6"))
    expect(page).to_have_url(re.compile(r"focus=5\."))
    settle(page)
    card(page, "Unroll").click()
    expect(title(page)).to_have_text("Unroll", timeout=30_000)
    expect(now(page)).to_have_text(re.compile("step 6 of 6"), timeout=30_000)
    expect(page.get_by_label("Sentence", exact=True)).to_have_value("A quiet and moving triumph.")
    assert state_of(page)["text"] == "A quiet and moving triumph."


def test_every_card_has_a_small_picture_as_wide_as_itself(page: Page, app_url: str):
    page.goto(app_url)
    settle(page)
    for name in ("unroll", "gradients", "gates", "units", "translate", "decoding", "lessons"):
        place = page.locator(f".st-key-card-{name}")
        drawn = place.locator("svg[role=img]")
        expect(drawn).to_be_visible(timeout=30_000)
        assert drawn.get_attribute("aria-label")
        widths = [where.evaluate("element => element.getBoundingClientRect().width") for where in (drawn, place)]
        assert widths[1] * 0.8 < widths[0] <= widths[1]


def test_the_network_is_pointed_at_without_the_server(page: Page, app_url: str):
    page.goto(app_url)
    expect(now(page)).to_be_visible(timeout=30_000)
    page.locator(".sv-steps").hover(position={"x": 300, "y": 250})
    expect(page.locator(".sv-tip")).to_contain_text("step")


def test_a_lesson_is_predicted_revealed_and_opened_in_its_state(page: Page, app_url: str):
    page.goto(f"{app_url}/lessons?lesson=G2")
    expect(page.get_by_role("heading", name="G2 · A GRU that keeps everything")).to_be_visible()
    expect(page.get_by_role("button", name="Reveal")).to_be_disabled()
    page.get_by_text("It stays exactly as it is").click()
    page.get_by_role("button", name="Reveal").click()
    expect(main_text(page)).to_contain_text("Right: It stays exactly as it is.", timeout=30_000)
    expect(main_text(page)).to_contain_text("no unit moves by more than 0.")
    expect(main_text(page)).to_contain_text("1 of 27 predicted right", timeout=30_000)
    page.get_by_role("button", name="Open this view: Gates").click()
    expect(title(page)).to_have_text("Gates", timeout=30_000)
    settle(page)
    state = state_of(page)
    assert (state["view"], state["do"], state["model"]) == ("intervene", "update_gate=1@5-", "shakespeare-gru")
    page.get_by_role("link", name="Lessons").first.click()
    expect(main_text(page)).to_contain_text("1 of 27 predicted right", timeout=30_000)
