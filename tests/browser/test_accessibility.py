"""No page has a serious or critical finding of axe-core, in light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.test_frame import NAMES, PAGES, title
from tools.screenshots import settle

SERIOUS = ("serious", "critical")


def findings(page: Page) -> list[str]:
    """What axe-core objects to, each with the first element that it is about."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES, ids=NAMES)
def test_a_page_has_no_serious_finding(page: Page, app_url: str, name: str, theme: str):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{app_url}/{name}")
    expect(title(page)).to_be_visible()
    settle(page)
    assert findings(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_revealed_lesson_has_no_serious_finding(page: Page, app_url: str, theme: str):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{app_url}/lessons?lesson=B5")
    page.get_by_text("By value", exact=True).click()
    settle(page)
    assert findings(page) == []
    page.get_by_role("button", name="Reveal").click()
    expect(page.get_by_text("The models say: By norm.")).to_be_visible(timeout=30_000)
    settle(page)
    assert findings(page) == []
