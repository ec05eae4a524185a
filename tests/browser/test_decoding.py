"""The Decoding page as a reader uses it: step through the search, drag α, click a hypothesis."""

from __future__ import annotations

import math
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from seqviz.charts.search_tree import SearchPath, search_tree_figure
from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.presets import PRESETS
from seqviz.decoding.table import TableModel
from tests.browser.conftest import DESKTOP, PHONE
from tests.unit.decoding.random_model import RandomModel
from tools.screenshots import settle

LENGTH = {"table": "length", "beam": "4", "lengths": "0-6", "on": "true"}


def open_page(page: Page, app_url: str, **state: str) -> None:
    page.goto(f"{app_url}/decoding?{urlencode(state)}")
    expect(now(page)).to_have_text("the whole search", timeout=30_000)
    settle(page)


def now(page: Page) -> Locator:
    """The line of the picture that says where in the search it stands."""
    return page.locator(".sv-bar .sv-now")


def hypotheses(page: Page) -> Locator:
    return page.locator(".sv-nodes > g")


def visible(page: Page) -> int:
    """How many hypotheses are shown."""
    return hypotheses(page).evaluate_all(
        "all => all.filter((e) => e.getAttribute('visibility') !== 'hidden'"
        " && e.getAttribute('display') !== 'none').length"
    )


def first_rank(page: Page) -> Locator:
    return page.locator(".sv-ranked > g").first


def state_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_keys_step_through_the_candidates_and_the_cut(page: Page, app_url: str):
    open_page(page, app_url)
    whole = visible(page)
    page.locator(".sv-stage").focus()
    page.keyboard.press("Home")
    expect(now(page)).to_have_text("the empty hypothesis")
    assert visible(page) == 1
    page.keyboard.press("ArrowRight")
    expect(now(page)).to_have_text("step 1 of 4: 1 × 4 = 4 candidates")
    assert visible(page) == 5
    page.keyboard.press("ArrowRight")
    expect(now(page)).to_have_text("step 1 of 4: 2 go on, 0 finished")
    page.keyboard.press("ArrowRight")
    expect(now(page)).to_have_text("step 2 of 4: 2 × 4 = 8 candidates")
    assert visible(page) == 13
    page.keyboard.press("End")
    assert visible(page) == whole


def test_play_ends_with_the_whole_search(page: Page, app_url: str):
    open_page(page, app_url)
    page.locator(".sv-stage").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(now(page)).to_have_text("the whole search")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_dragging_alpha_ranks_anew_in_the_browser_and_the_page_follows(page: Page, app_url: str):
    open_page(page, app_url, **LENGTH)
    expect(first_rank(page)).to_contain_text("A <eos>")
    strip = page.locator(".sv-strip")
    strip.scroll_into_view_if_needed()
    box = page.locator(".sv-strip rect").first.bounding_box()
    total = strip.bounding_box()
    assert box is not None
    assert total is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + total["width"] * 0.2, y)
    expect(first_rank(page)).to_contain_text("B B A <eos>")
    page.mouse.move(box["x"] + total["width"] * 0.5, y)
    expect(first_rank(page)).to_contain_text("C C C A B <eos>")
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"alpha=\d"))
    alpha = float(state_of(page)["alpha"])
    assert 0.7512 < alpha < 1.3
    score = math.log(0.2 * 0.9 * 0.5 * 0.95**3) / 6**alpha
    expect(first_rank(page)).to_contain_text(f"{score:.4f}".replace("-", "−"))
    expect(page.locator("[data-label=beam]")).to_have_text("Beam: C C C A B <eos> (P = 0.07716)")


def test_arrows_on_the_handle_move_alpha_and_page_up_goes_to_the_crossover(page: Page, app_url: str):
    open_page(page, app_url, **LENGTH)
    handle = page.get_by_role("slider", name="Length normalisation α")
    handle.focus()
    page.keyboard.press("PageUp")
    expect(page.locator(".sv-alpha")).to_contain_text("α = 0.23")
    page.keyboard.press("ArrowRight")
    expect(first_rank(page)).to_contain_text("B B A <eos>")
    expect(now(page)).to_have_text("the whole search")


def test_a_clicked_hypothesis_becomes_the_forced_beginning(page: Page, app_url: str):
    open_page(page, app_url)
    # The second hypothesis of step 1 goes on with B.
    hypotheses(page).nth(2).click()
    expect(page).to_have_url(re.compile("prefix=1"))
    expect(page.get_by_text("Forced beginning:")).to_contain_text("B")
    expect(first_rank(page)).to_contain_text("B ")
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("prefix="))
    expect(first_rank(page)).to_contain_text("A C B <eos>")


def test_keys_walk_through_the_hypotheses_of_a_step_and_enter_forces_one(page: Page, app_url: str):
    open_page(page, app_url)
    page.locator(".sv-stage").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(".sv-tip")).to_contain_text("left out: not among the 2 best of its step")
    expect(page.locator(".sv-tip .sv-h")).to_have_text("C")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("prefix=2"))


def test_hovering_shows_the_candidates_without_asking_the_server(page: Page, app_url: str):
    page.add_init_script(
        "window.sentMessages = 0; const send = WebSocket.prototype.send;"
        "WebSocket.prototype.send = function (data) { window.sentMessages += 1; return send.call(this, data); };"
    )
    open_page(page, app_url)
    before = page.evaluate("window.sentMessages")
    hypotheses(page).nth(1).hover()
    tip = page.locator(".sv-tip")
    expect(tip).to_contain_text("kept and extended")
    expect(tip).to_contain_text("log P (nats)−0.693147181")
    expect(tip.locator("table")).to_contain_text("C0.3")
    assert page.evaluate("window.sentMessages") == before


def test_a_link_shows_the_same_search_again(page: Page, app_url: str):
    open_page(page, app_url, table="up,down;1:.2,.7,.1;2:.5,.25,.25;2-1:.1,.1,.8", lengths="0-3", beam="3", alpha="0.5")
    label = page.locator(".sv-tree").get_attribute("aria-label")
    assert label is not None
    assert "down <eos>" in label
    page.reload()
    expect(page.locator(".sv-tree")).to_have_attribute("aria-label", label)
    expect(page.locator(".sv-alpha")).to_contain_text("α = 0.50")


def test_the_table_is_still_there_after_a_visit_to_another_page(page: Page, app_url: str):
    open_page(page, app_url, table="up,down;1:.2,.7,.1", lengths="0-2", alpha="0.5")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    page.get_by_role("link", name="Decoding").click()
    expect(page.locator(".sv-tree")).to_have_attribute("aria-label", re.compile("down"))
    expect(page.locator(".sv-alpha")).to_contain_text("α = 0.50")
    expect(page).to_have_url(re.compile("table=up"))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_the_tree_scrolls_inside_and_the_page_does_not(page: Page, app_url: str, viewport):
    open_page(page, app_url, **LENGTH)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_exported_page_filters_and_unfolds_as_python_laid_it_out(page: Page):
    model = RandomModel(20, 3, sharpness=1.2)
    greedy = search(model, DecodeConfig(search="greedy", max_length=6))
    trace = search(model, DecodeConfig(beam_size=6, max_length=6, candidates=8, stopping="all"))
    path = SearchPath.of(greedy, key="greedy", label="Greedy")
    page.set_content(search_tree_figure(trace, paths=[path]).to_html(theme="light"))
    expect(now(page)).to_have_text("the whole search")
    places = (
        "[...document.querySelectorAll('.sv-nodes > g')].map((e) => [e.getAttribute('transform'), e.style.display])"
    )
    before, shown = page.evaluate(places), visible(page)
    choice = page.get_by_label("Show", exact=True)
    choice.select_option("survivors")
    assert visible(page) < shown
    choice.select_option("0")
    assert visible(page) == shown
    assert hypotheses(page).evaluate_all(places) == before
    more = page.locator(".sv-more:not([display=none])").first
    more.click()
    assert visible(page) > shown


def test_the_syllabus_table_downloads_as_numbers(page: Page, app_url: str):
    open_page(page, app_url)
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Every number, CSV").click()
    lines = waiting.value.path().read_text(encoding="utf-8").splitlines()
    preset = PRESETS["syllabus"]
    config = DecodeConfig(beam_size=2, min_length=3, max_length=4, candidates=4)
    trace = search(TableModel(preset.table), config)
    assert len(lines) == len(trace) + 1
    assert any("A C B <eos>" in line and repr(float(trace.log_prob[trace.best])) in line for line in lines)
