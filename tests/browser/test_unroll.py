"""The Unroll page as a reader uses it."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

import seqviz
from seqviz.backends.requests import MAX_PIECES
from tests.browser.conftest import DESKTOP, PHONE
from tools.screenshots import settle

SENTENCE = "Yesterday, Harry Potter met Hermione Granger."
MODEL = "entities-bilstm"


def open_page(page: Page, app_url: str, **state: str) -> None:
    page.goto(f"{app_url}/unroll?{urlencode(state)}")
    expect(now(page)).to_be_visible(timeout=30_000)


def now(page: Page) -> Locator:
    """The line of the picture that says which step is in focus."""
    return page.locator(".sv-now").first


def picture(page: Page) -> Locator:
    return page.locator(".sv-stage svg[role=img]").first


def main_text(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def state_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def type_sentence(page: Page, text: str, *, label: str = "Sentence") -> None:
    box = page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")


def shown_sum(page: Page) -> None:
    """The sum on the page is the model's own number, computed anew here."""
    expect(page).to_have_url(re.compile(r"focus=\d+\.\d+\.\w+\.\d+"))
    state = state_of(page)
    step, layer, direction, unit = state["focus"].split(".")
    trace = seqviz.trace(state.get("model", MODEL), state.get("text", SENTENCE))
    part = trace.layer(int(layer), direction)
    value = part.pre_activation[int(step), 0, int(unit)]
    number = f"{value:.4f}".replace("-", "−")
    expect(main_text(page)).to_contain_text(re.compile(rf"Unit {unit}, step {int(step) + 1}: .*{re.escape(number)}"))


def test_the_page_opens_on_a_worked_example(page: Page, app_url: str):
    open_page(page, app_url)
    expect(page.get_by_label("Sentence", exact=True)).to_have_value(SENTENCE)
    expect(picture(page)).to_have_attribute("aria-label", re.compile(r"Harry Potter met Hermione Granger.*B-PER I-PER"))
    expect(now(page)).to_have_text(re.compile(r"step \d of 8"))
    shown_sum(page)


def test_a_typed_sentence_flows_through_the_model(page: Page, app_url: str):
    open_page(page, app_url)
    type_sentence(page, "Marie Curie lived in Paris .")
    expect(picture(page)).to_have_attribute("aria-label", re.compile(r"Marie Curie lived in Paris"))
    expect(now(page)).to_contain_text("of 6")
    assert state_of(page)["text"] == "Marie Curie lived in Paris ."
    shown_sum(page)


def test_arrow_keys_step_through_the_sentence_and_the_numbers_follow(page: Page, app_url: str):
    open_page(page, app_url, focus="2.0.forward.7")
    expect(now(page)).to_have_text("step 3 of 8: ‘Harry’")
    page.locator(".sv-stage").focus()
    page.keyboard.press("ArrowRight")
    expect(now(page)).to_have_text("step 4 of 8: ‘Potter’")
    expect(page).to_have_url(re.compile(r"focus=3\.0\.forward\.7"))
    shown_sum(page)
    page.keyboard.press("Home")
    expect(now(page)).to_have_text("step 1 of 8: ‘Yesterday’")
    page.keyboard.press("ArrowLeft")
    expect(now(page)).to_have_text("step 1 of 8: ‘Yesterday’")
    page.keyboard.press("End")
    expect(now(page)).to_have_text("step 8 of 8: ‘.’")
    expect(page).to_have_url(re.compile(r"focus=7\.0\.forward\.7"))


def test_play_runs_to_the_last_step_and_stops_there(page: Page, app_url: str):
    open_page(page, app_url, focus="5.0.forward.7")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(now(page)).to_have_text("step 8 of 8: ‘.’")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_clicking_a_unit_shows_the_sum_behind_it(page: Page, app_url: str):
    open_page(page, app_url, focus="0.0.forward.0")
    tiles = page.locator(".sv-steps")
    box = tiles.bounding_box()
    assert box is not None
    before = state_of(page)["focus"]
    # The middle of the fourth column: a tile of a hidden state, whichever it is.
    for height in (0.3, 0.35, 0.4, 0.45):
        tiles.click(position={"x": box["width"] * 3.5 / 8.6, "y": box["height"] * height})
        if not state_of(page)["focus"].endswith(".0"):
            break
    expect(page).not_to_have_url(re.compile(re.escape(before)))
    shown_sum(page)


def test_two_sentences_stand_side_by_side(page: Page, app_url: str):
    open_page(page, app_url, text='He said, "Teddy bears are on sale!"')
    page.get_by_role("radio", name="a sentence").click()
    type_sentence(page, 'He said, "Teddy Roosevelt was a great President!"', label="Second sentence")
    label = re.compile(r"Teddy bears[\s\S]*Teddy Roosevelt")
    expect(picture(page)).to_have_attribute("aria-label", label)
    assert state_of(page)["compare"] == "text"


def test_a_link_shows_the_same_state_again(page: Page, app_url: str):
    open_page(page, app_url)
    type_sentence(page, "Marie Curie lived in Paris .")
    expect(now(page)).to_contain_text("of 6")
    page.get_by_role("radio", name="a sentence").click()
    type_sentence(page, "Marie Curie lived here", label="Second sentence")
    expect(picture(page)).to_have_attribute("aria-label", re.compile("Marie Curie lived here"))
    page.locator(".sv-stage").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(now(page)).to_contain_text("step 2 of 6: ‘Curie’")
    expect(page).to_have_url(re.compile(r"focus=1\."))
    link, said = page.url, picture(page).get_attribute("aria-label")
    page.goto("about:blank")
    page.goto(link)
    expect(now(page)).to_contain_text("step 2 of 6: ‘Curie’", timeout=30_000)
    expect(page.get_by_label("Sentence", exact=True)).to_have_value("Marie Curie lived in Paris .")
    expect(page.get_by_label("Second sentence", exact=True)).to_have_value("Marie Curie lived here")
    assert picture(page).get_attribute("aria-label") == said
    assert state_of(page) == {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_markup_in_a_sentence_is_text_like_any_other(page: Page, app_url: str):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_page(page, app_url)
    type_sentence(page, '<script>alert(1)</script> <img src=x onerror="alert(2)"> $x$ **b** {count}')
    expect(now(page)).not_to_contain_text("of 8")
    expect(picture(page)).to_have_attribute("aria-label", re.compile(r"< script > alert"))
    page.locator(".sv-steps").hover()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.locator("img[src=x]").count() == 0
    assert dialogs == []


def test_an_empty_sentence_is_answered_in_place_and_the_last_good_picture_stays(page: Page, app_url: str):
    open_page(page, app_url)
    type_sentence(page, "   ")
    expect(page.get_by_test_id("stAlert")).to_contain_text("There is nothing to read yet")
    expect(picture(page)).to_have_attribute("aria-label", re.compile("Hermione Granger"))


def test_a_text_that_is_too_long_is_refused_with_both_numbers_and_kept(page: Page, app_url: str):
    open_page(page, app_url)
    text = "abcd " * 1000
    type_sentence(page, text.strip())
    expect(page.get_by_test_id("stAlert")).to_contain_text(f"The text has 1000 pieces; the limit is {MAX_PIECES}.")
    expect(page.get_by_label("Sentence", exact=True)).to_have_value(text.strip())
    expect(picture(page)).to_have_attribute("aria-label", re.compile("Hermione Granger"))


@pytest.mark.parametrize(
    "state",
    [
        {"model": "no-such-model"},
        {"structure": "sideways", "compare": "everything"},
        {"focus": "999.9.backward.99999"},
        {"focus": "<script>", "lang": "xx", "notation": "?", "size": "huge"},
        {"model": "sentiment-lstm", "structure": "one_to_many", "layer": "7.forward", "quantity": "soul"},
    ],
    ids=["model", "structure", "far focus", "nonsense", "unfit"],
)
def test_a_broken_link_still_opens_a_picture(page: Page, app_url: str, state: dict[str, str]):
    open_page(page, app_url, **state)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_the_language_of_page_and_picture_changes_and_the_state_stays(page: Page, app_url: str):
    open_page(page, app_url, text="Marie Curie lived in Paris .", focus="1.0.forward.7")
    page.get_by_role("button", name="Display").click()
    page.get_by_text("简体中文").click()
    expect(page.get_by_role("heading").first).to_have_text(re.compile(r"[\u4e00-\u9fff]"))
    expect(now(page)).to_have_text(re.compile(r"[\u4e00-\u9fff].*Curie"))
    assert state_of(page)["lang"] == "zh_CN"
    assert state_of(page)["focus"] == "1.0.forward.7"


def test_the_sentence_travels_from_page_to_page(page: Page, app_url: str):
    open_page(page, app_url)
    type_sentence(page, "Marie Curie lived in Paris .")
    expect(now(page)).to_contain_text("of 6")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    page.get_by_role("link", name="Unroll").click()
    expect(now(page)).to_contain_text("of 6")
    expect(page.get_by_label("Sentence", exact=True)).to_have_value("Marie Curie lived in Paris .")


def test_hovering_lights_a_step_everywhere_without_asking_the_server(page: Page, app_url: str):
    page.add_init_script(
        "window.sentMessages = 0; const send = WebSocket.prototype.send;"
        "WebSocket.prototype.send = function (data) { window.sentMessages += 1; return send.call(this, data); };"
    )
    open_page(page, app_url)
    token = page.locator(".sv-steps").get_by_text("Yesterday")
    token.scroll_into_view_if_needed()
    box = token.bounding_box()
    assert box is not None
    before = page.evaluate("window.sentMessages")
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".sv-hover").first).to_have_attribute("visibility", "visible")
    expect(page.locator(".sv-tip").first).to_contain_text("Yesterday")
    assert page.evaluate("window.sentMessages") == before
    assert before > 0


def test_every_number_can_be_downloaded(page: Page, app_url: str):
    open_page(page, app_url)
    # The menu stays where it opens: not before the charts above it have their height.
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").nth(1)).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Every number, JSON").click()
    content = json.loads(waiting.value.path().read_text(encoding="utf-8"))
    assert content["text"] == SENTENCE
    trace = seqviz.trace(MODEL, SENTENCE)
    assert content["layers"][0]["hidden_state"][3][5] == pytest.approx(
        float(trace.layer(0).hidden_state[3, 5]), abs=1e-6
    )
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Picture, PNG").click()
    assert waiting.value.path().read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_the_picture_scrolls_inside_and_the_page_does_not(page: Page, app_url: str, viewport):
    open_page(page, app_url, text="the film was not very good " * 5, model="sentiment-lstm")
    expect(now(page)).to_contain_text("of 30")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.locator(".sv-stage").focus()
    page.keyboard.press("End")
    expect(now(page)).to_contain_text("step 30 of 30")
    expect(page.locator(".sv-band").first).to_be_in_viewport()
