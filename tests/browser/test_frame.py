"""What holds for every page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE

PAGES = ("", "unroll", "gradients", "gates", "units", "translate", "attention", "decoding", "lessons", "models")
NAMES = ["home", *PAGES[1:]]  # the first page is at the root


def title(page: Page) -> Locator:
    """The page's own heading; a model card below it has one too."""
    return page.get_by_role("heading").first


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES, ids=NAMES)
def test_a_page_opens_without_errors_and_without_sideways_scrolling(page: Page, app_url: str, name: str, viewport):
    page.goto(f"{app_url}/{name}")
    expect(title(page)).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=30_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_nothing_is_fetched_from_another_host(page: Page, app_url: str):
    foreign: list[str] = []
    page.on("request", lambda request: None if _own(request.url, app_url) else foreign.append(request.url))
    for name in PAGES:
        page.goto(f"{app_url}/{name}")
        expect(title(page)).to_be_visible()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=30_000)
    assert foreign == []


def _own(url: str, app_url: str) -> bool:
    return url.startswith((app_url, "data:", "blob:", app_url.replace("http", "ws", 1)))


def test_the_language_is_that_of_the_url_and_travels_with_it(page: Page, app_url: str):
    page.goto(f"{app_url}/models?lang=zh_CN")
    expect(title(page)).to_have_text(re.compile(r"[\u4e00-\u9fff]"))
    page.reload()
    expect(title(page)).to_have_text(re.compile(r"[\u4e00-\u9fff]"))


def test_the_language_can_be_switched_and_then_stands_in_the_url(page: Page, app_url: str):
    page.goto(f"{app_url}/models")
    expect(title(page)).to_have_text("Models")
    page.get_by_text("Display", exact=True).click()
    page.get_by_text("简体中文").click()
    expect(title(page)).to_have_text(re.compile(r"[\u4e00-\u9fff]"))
    expect(page).to_have_url(re.compile("lang=zh_CN"))


class TestAChineseBrowser:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "locale": "zh-CN"}

    def test_the_language_of_the_browser_is_the_first_choice(self, page: Page, app_url: str):
        page.goto(f"{app_url}/models")
        expect(title(page)).to_have_text(re.compile(r"[\u4e00-\u9fff]"))
