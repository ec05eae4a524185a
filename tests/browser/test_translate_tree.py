"""The search tree of a typed sentence as a reader uses it: step, drag α, click a hypothesis, come back by a link."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tools.screenshots import settle

SENTENCE = "Jane visite l'Afrique en septembre."
LONG = (
    "Jane s'est rendue en Afrique en septembre dernier, a apprécié la culture et a rencontré beaucoup de gens "
    "merveilleux ; elle est revenue en disant que son voyage était merveilleux."
)


def open_page(page: Page, app_url: str, **state: str) -> None:
    """Opens the page and waits until the exact search is done, so that nothing is drawn anew later."""
    page.goto(f"{app_url}/translate?{urlencode({'source': SENTENCE, **state})}")
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator(".sv-bar .sv-now")).to_have_count(1, timeout=60_000)  # not the old and the new picture
    expect(page.locator(".sv-bar .sv-now")).to_have_text("the whole search", timeout=60_000)
    expect(page.get_by_text("The exact search is looking")).to_have_count(0, timeout=60_000)
    settle(page)


def hypotheses(page: Page) -> Locator:
    return page.locator(".sv-nodes > g")


def first_rank(page: Page) -> Locator:
    return page.locator(".sv-ranked > g").first


def state_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_the_tree_of_a_sentence_steps_from_its_candidates_to_the_cut(page: Page, app_url: str):
    open_page(page, app_url)
    winner = page.locator(".sv-winner").inner_text()
    assert re.fullmatch(r"Jane .*Africa.*\.", winner)
    expect(first_rank(page)).to_contain_text(winner)
    page.locator(".sv-stage").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".sv-now")).to_have_text("step 1 of 15: 1 × 5000 = 5000 candidates")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".sv-now")).to_have_text("step 1 of 15: 5 go on, 0 finished")


def test_hovering_a_hypothesis_reads_its_beginning_as_words(page: Page, app_url: str):
    open_page(page, app_url)
    # The second step of the winner joins two pieces to a word.
    box = hypotheses(page).filter(has_text=re.compile("^·ane")).first
    box.hover()
    expect(page.locator(".sv-tip .sv-h")).to_have_text("Jane")
    expect(page.locator(".sv-tip table")).to_contain_text("next token")


def test_a_clicked_hypothesis_is_forced_and_undone(page: Page, app_url: str):
    open_page(page, app_url)
    before = page.locator(".sv-winner").inner_text()
    # The second survivor of step 1.
    shown = hypotheses(page).locator("visible=true")
    shown.nth(2).click()
    expect(page).to_have_url(re.compile(r"prefix=\d+"))
    expect(page.get_by_text("Forced beginning:")).to_be_visible()
    expect(page.locator(".sv-winner")).not_to_have_text(before)
    ready(page)
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("prefix="))
    expect(page.locator(".sv-winner")).to_have_text(before)
    page.get_by_role("button", name="Tries (2)").click()
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stDataFrame")).to_be_visible()


def test_dragging_alpha_changes_the_winner_in_the_browser_alone(page: Page, app_url: str):
    page.add_init_script(
        "window.sentMessages = 0; const send = WebSocket.prototype.send;"
        "WebSocket.prototype.send = function (data) { window.sentMessages += 1; return send.call(this, data); };"
    )
    open_page(page, app_url, source=LONG, budget="100")
    crossovers = page.locator(".sv-strip text.ac")
    alpha = float((crossovers.first.text_content() or "").removeprefix("α = "))
    before = first_rank(page).text_content()
    strip = page.locator(".sv-strip")
    strip.scroll_into_view_if_needed()
    boxes = [page.locator(".sv-strip rect").nth(place).bounding_box() for place in (0, 1)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    sent = page.evaluate("window.sentMessages")
    y = boxes[0]["y"] + boxes[0]["height"] / 2
    page.mouse.move(boxes[0]["x"] + boxes[0]["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(boxes[1]["x"] + boxes[1]["width"] / 2, y)
    changed, asked = first_rank(page).evaluate("(line) => [line.textContent, window.sentMessages]")
    assert changed != before
    assert asked == sent
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"alpha=\d"))
    assert float(state_of(page)["alpha"]) > alpha
    expect(page.locator(".sv-winner")).to_be_visible()


def test_a_link_opens_the_same_state_again(page: Page, app_url: str):
    open_page(page, app_url, beam="3", alpha="0.5", lengths="2-40", search="diverse", groups="3")
    label, winner = page.locator(".sv-tree").get_attribute("aria-label"), page.locator(".sv-winner").inner_text()
    assert label is not None
    assert "3 groups" in label
    page.reload()
    ready(page)
    expect(page.locator(".sv-tree")).to_have_attribute("aria-label", label)
    expect(page.locator(".sv-winner")).to_have_text(winner)
    expect(page.locator(".sv-alpha")).to_contain_text("α = 0.50")


def test_a_filter_by_depth_leaves_the_first_steps(page: Page, app_url: str):
    open_page(page, app_url)
    tree = page.locator(".sv-tree")
    whole = float(tree.get_attribute("width") or 0)
    page.get_by_label("Show", exact=True).select_option("until-4")
    assert float(tree.get_attribute("width") or 0) < whole / 2
    page.get_by_label("Show", exact=True).select_option("0")
    assert float(tree.get_attribute("width") or 0) == whole


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_the_tree_scrolls_inside_and_no_two_labels_overlap(page: Page, app_url: str, viewport):
    open_page(page, app_url)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    boxes = page.locator(".sv-nodes text").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).filter((b) => b.width)"
        ".map((b) => [b.left, b.top + 2, b.right, b.bottom - 2])"
    )
    assert len(boxes) > 200
    clashes = [
        (a, b)
        for index, a in enumerate(boxes)
        for b in boxes[index + 1 :]
        if a[0] < b[2] - 0.5 and b[0] < a[2] - 0.5 and a[1] < b[3] and b[1] < a[3]
    ]
    assert clashes == []


def test_the_whole_search_downloads_as_numbers(page: Page, app_url: str):
    open_page(page, app_url)
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Every number, JSON").click()
    content = json.loads(waiting.value.path().read_text(encoding="utf-8"))
    assert content["config"]["beam_size"] == 5
    assert content["vocabulary_size"] == 5000
    assert len(content["hypotheses"]) > 300
    assert len(content["hypotheses"][0]["candidates"]) == 5


def test_a_row_of_the_heatmap_opens_the_tree_at_its_step(page: Page, app_url: str):
    page.goto(f"{app_url}/attention?{urlencode({'source': SENTENCE, 'unit': 'pieces', 'cell': '3.1'})}")
    page.get_by_role("link", name="its search").click(timeout=60_000)
    expect(page.locator(".sv-bar .sv-now")).to_contain_text("step 3 of 15:", timeout=60_000)
    assert state_of(page)["step"] == "3"


def test_a_long_proof_goes_on_in_the_background_survives_a_reload_and_is_cancelled(page: Page, app_url: str):
    open_page(page, app_url, source=LONG, optimum="score")
    page.get_by_role("button", name="Search on, up to 3,000 hypotheses").click()
    expect(page).to_have_url(re.compile("budget=3000"))
    expect(page).to_have_url(re.compile("proof="), timeout=30_000)
    further = page.get_by_role("button", name="Search on, up to 10,000 hypotheses")
    expect(further).to_be_visible(timeout=120_000)
    further.click()
    progress = page.get_by_test_id("stProgress")
    expect(progress).to_contain_text(re.compile(r"(running|starting): [\d,]+ of 10,000"), timeout=60_000)
    job = state_of(page)["proof"]
    page.reload()
    expect(progress).to_contain_text(re.compile(r"of 10,000 hypotheses"), timeout=60_000)
    assert state_of(page)["proof"] == job
    page.get_by_role("button", name="Cancel").click()
    expect(progress).to_contain_text("stopped", timeout=30_000)
    expect(page.get_by_text("Not proven within")).to_be_visible()
    expect(further).to_be_visible()
