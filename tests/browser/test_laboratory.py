"""The laboratory in a real Chromium: an example, its link, a reload; and no sideways scrolling on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE


def headline(page: Page):
    return page.get_by_text(re.compile("an error of norm 1 has become"))


def test_an_example_is_run_stands_in_the_url_and_survives_a_reload(page: Page, app_url: str):
    page.goto(f"{app_url}/gradients?view=laboratory&units=16&seeds=2")
    expect(headline(page)).to_contain_text("(RNN, tanh)", timeout=60_000)
    page.get_by_role("button", name="Examples").click()
    page.get_by_role("button", name="Orthogonal weights keep, without an activation").click()
    expect(headline(page)).to_contain_text("has become 1 (RNN, none (identity))", timeout=30_000)
    expect(page).to_have_url(re.compile("start=orthogonal"), timeout=30_000)
    expect(page).to_have_url(re.compile("radius=1"))
    page.reload()
    expect(headline(page)).to_contain_text("has become 1 (RNN, none (identity))", timeout=30_000)
    # Every chart has drawn a picture.
    pictures = page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)")
    expect(pictures.nth(2)).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.parametrize("viewport", [PHONE], indirect=True, ids=["phone"])
def test_a_trained_models_jacobians_fit_a_phone(page: Page, app_url: str, viewport):
    page.goto(f"{app_url}/gradients?view=laboratory&lab=trained&model=sentiment-rnn&beside=none&text=not+good")
    expect(page.get_by_text(re.compile("2 steps multiply an error by at most"))).to_be_visible(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
