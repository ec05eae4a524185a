"""The Gradients page as a reader uses it."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

import seqviz
from seqviz.examples import LONG_CAT

MODEL = "wikitext-lstm"
WAS = LONG_CAT.split().index("was") - 1


def open_page(page: Page, app_url: str, **state: str) -> None:
    page.goto(f"{app_url}/gradients?{urlencode(state)}")
    expect(now(page)).to_be_visible(timeout=30_000)


def now(page: Page) -> Locator:
    return page.locator(".sv-now").first


def token(page: Page, word: str) -> Locator:
    return page.locator(".sv-steps .sv-token").get_by_text(word, exact=True).first


def focus_of(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("focus", [""])[0]


def test_the_loss_of_was_is_followed_back_to_cat(page: Page, app_url: str):
    open_page(page, app_url)
    expect(now(page)).to_contain_text(f"step {WAS + 1} of 16")
    token(page, "cat").click()
    expect(now(page)).to_contain_text("step 2 of 16: ‘cat’")
    norm = float((seqviz.backward(MODEL, LONG_CAT, loss_step=WAS).layer(0).hidden_state[1] ** 2).sum() ** 0.5)
    expect(page.get_by_text("‖∂L/∂h‖ at ‘cat’")).to_contain_text(f"{norm:.4g}"[:6])
    expect(page).to_have_url(re.compile(r"focus=1\.0\.forward"))
    page.reload()
    expect(now(page)).to_contain_text("‘cat’")


def test_it_plays_from_the_loss_to_the_first_word_and_the_keys_step(page: Page, app_url: str):
    open_page(page, app_url, focus="3.0.forward.5")
    page.locator(".sv-stage").focus()
    page.keyboard.press("ArrowLeft")
    expect(now(page)).to_contain_text("step 3 of 16")
    page.keyboard.press(" ")
    expect(now(page)).to_contain_text("step 1 of 16")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".sv-stick")).to_contain_text("Unit 6")


def test_hovering_says_the_norms_without_asking_the_server(page: Page, app_url: str):
    page.add_init_script(
        "window.sentMessages = 0; const send = WebSocket.prototype.send;"
        "WebSocket.prototype.send = function (data) { window.sentMessages += 1; return send.call(this, data); };"
    )
    open_page(page, app_url)
    word = token(page, "cat")
    word.scroll_into_view_if_needed()
    box = word.bounding_box()
    assert box is not None
    before = page.evaluate("window.sentMessages")
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".sv-tip").first).to_contain_text("‖∂L/∂c‖")
    assert page.evaluate("window.sentMessages") == before


def test_another_loss_moves_the_box_and_stands_in_the_address(page: Page, app_url: str):
    open_page(page, app_url)
    page.get_by_label("Loss that goes back").click()
    page.get_by_role("option", name="the sum over all steps").click()
    expect(page.get_by_text("the sum over 15 steps")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["loss"] == ["sum"]
    page.go_back()
    expect(page.get_by_text("L = −log P(‘was’)")).to_be_visible()


def test_every_number_of_the_pass_can_be_downloaded(page: Page, app_url: str):
    open_page(page, app_url, beside="none")
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Every number, JSON").click()
    content = json.loads(waiting.value.path().read_text(encoding="utf-8"))
    expected = seqviz.backward(MODEL, LONG_CAT, loss_step=WAS)
    assert content["layers"][0]["hidden_state"][1] == pytest.approx(
        expected.layer(0).hidden_state[1].tolist(), rel=1e-9
    )
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Picture, SVG").click()
    assert b"<svg" in waiting.value.path().read_bytes()


@pytest.mark.parametrize("view", ["weights", "dependency"])
def test_the_other_views_have_their_charts(page: Page, app_url: str, view: str):
    page.goto(f"{app_url}/gradients?view={view}")
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").nth(1)).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_text_that_cannot_be_read_is_said_and_the_last_picture_stays(page: Page, app_url: str):
    open_page(page, app_url)
    sentence = page.get_by_label("Sentence", exact=True)
    sentence.fill("cat")
    sentence.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("type at least two")
    expect(now(page)).to_contain_text("of 16")
