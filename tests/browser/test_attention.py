"""The Attention page as a reader uses it: hover, keys, growth, τ, ribbons, a dragged weight."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from seqviz.charts.attention_map import MapPanel, attention_figure
from tests.browser.conftest import PHONE
from tools.screenshots import settle

SLOW = 60_000


def open_page(page: Page, app_url: str, **state: str) -> None:
    page.goto(f"{app_url}/attention?{urlencode(state)}")
    expect(page.locator(".sv-attention svg").first).to_be_visible(timeout=SLOW)
    settle(page)


def now(page: Page) -> Locator:
    return page.locator(".sv-bar .sv-now").first


def state_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def row_label(page: Page, word: str) -> Locator:
    return page.locator(".sv-rows > text", has_text=re.compile(f"^{re.escape(word)}$")).first


def test_hover_links_the_words_of_both_sides_and_says_the_numbers(page: Page, app_url: str):
    open_page(page, app_url)
    africa, afrique = row_label(page, "Africa"), page.locator(".sv-columns > text", has_text="Afrique")
    row, column = africa.bounding_box(), afrique.bounding_box()
    assert row is not None
    assert column is not None
    page.mouse.move(column["x"] + 4, row["y"] + row["height"] / 2)
    expect(page.locator(".sv-tip")).to_contain_text("writes Africa")
    expect(page.locator(".sv-tip")).to_contain_text("reads Afrique")
    expect(africa).to_have_class(re.compile(r"\bac\b"))
    expect(afrique).to_have_class(re.compile(r"\bac\b"))
    page.mouse.move(2, 2)
    expect(page.locator(".sv-tip")).to_be_hidden()


def test_arrows_move_the_cell_and_the_numbers_follow(page: Page, app_url: str):
    open_page(page, app_url, cell="1.1")
    expect(page.get_by_text("of its attention to").first).to_be_visible(timeout=SLOW)
    page.locator(".sv-stage").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile(r"cell=3\.7"), timeout=SLOW)


def test_rows_appear_word_by_word_and_the_regulariser_follows(page: Page, app_url: str):
    open_page(page, app_url)
    expect(now(page)).to_have_text("7 of 7 written")
    value = page.locator('[data-p="value"]').text_content()
    page.get_by_role("button", name="First word").click()
    expect(now(page)).to_have_text("1 of 7 written")
    expect(row_label(page, "Jane")).to_be_visible()
    expect(row_label(page, "Africa")).to_be_hidden()
    assert page.locator('[data-p="value"]').text_content() != value
    page.locator(".sv-stage").focus()
    page.keyboard.press("Space")
    expect(now(page)).to_have_text("7 of 7 written", timeout=SLOW)
    expect(page.locator('[data-p="value"]')).to_have_text(value or "")


def test_dragging_tau_weighs_anew_in_the_browser(page: Page, app_url: str):
    open_page(page, app_url)
    slider = page.get_by_role("slider", name="τ: what every source word should receive in all")
    slider.fill("2")
    expect(page.locator('[data-p="value"]')).to_contain_text("τ = 2.00")


def test_ribbons_below_the_threshold_are_hidden(page: Page, app_url: str):
    open_page(page, app_url, reading="ribbons")
    shown = page.locator('.sv-ribbons > path:not([display="none"])')
    before = shown.count()
    page.get_by_role("slider", name="Ribbons below this weight are hidden").fill("0.4")
    assert 0 < shown.count() < before
    expect(page.get_by_text(re.compile(r"shown: \d+\.\d % of the weight"))).to_be_visible()


def test_a_typed_weight_is_renormalised_and_the_translation_goes_on_from_there(page: Page, app_url: str):
    open_page(page, app_url, view="edit")
    field = page.get_by_label("weight of Jane")
    expect(field).to_be_visible(timeout=SLOW)
    field.fill("0.5")
    field.press("Enter")
    expect(page).to_have_url(re.compile(r"edits=5w\d+"), timeout=SLOW)
    weights = [int(part) for part in state_of(page)["edits"].removeprefix("5w").split("-")]
    assert sum(weights) == pytest.approx(1000, abs=4)
    assert weights[0] == 500
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("edits="), timeout=SLOW)


def test_two_models_share_hover_and_tau_and_each_says_its_own_regulariser(page: Page, app_url: str):
    open_page(page, app_url, view="good")
    values = page.locator('[data-p="value"]')
    expect(values).to_have_count(2)
    before = values.all_text_contents()
    page.get_by_role("slider", name="τ: what every source word should receive in all").fill("0.5")
    for index in range(2):
        expect(values.nth(index)).to_contain_text("τ = 0.50")
        assert values.nth(index).text_content() != before[index]
    row_label(page, "Africa").hover()
    lit = page.locator(".sv-rows > text.ac")
    expect(lit).to_have_text(["Africa", "Africa"])


@pytest.mark.parametrize("viewport", [PHONE], indirect=True, ids=["phone"])
@pytest.mark.parametrize("view", ["heatmap", "edit", "explain", "good", "scores"])
def test_a_phone_has_no_sideways_scrolling(page: Page, app_url: str, viewport, view: str):
    open_page(page, app_url, view=view)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_saved_page_of_60_by_60_words_answers_a_hover_within_a_frame(page: Page, tmp_path):
    words = tuple(f"mot{index}" for index in range(60))
    weights = np.random.default_rng(1).dirichlet(np.full(60, 0.1), 60)
    panel = MapPanel(title="", rows=words, columns=words, values=weights, marginals=True)
    path = tmp_path / "map.html"
    path.write_text(attention_figure([panel], name="tiny").to_html(), encoding="utf-8")
    page.goto(path.as_uri())
    expect(page.locator(".sv-bar")).to_be_visible()
    median = page.evaluate(
        """() => {
          const svg = document.querySelector('.sv-attention svg');
          const box = svg.getBoundingClientRect();
          const times = [];
          for (let i = 0; i < 200; i += 1) {
            const start = performance.now();
            svg.dispatchEvent(new PointerEvent('pointermove', {
              clientX: box.left + 100 + 3 * i, clientY: box.top + 100 + 3 * i, pointerType: 'mouse',
            }));
            void svg.getBoundingClientRect().width;
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b)[100];
        }"""
    )
    assert median < 16
