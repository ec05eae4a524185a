"""The view Encoder and decoder as a reader uses it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from seqviz.models.loading import load_translator
from seqviz.tracing.translation_network import translation_network
from seqviz.translation_network import TranslationNetwork
from tests.browser.conftest import DESKTOP, PHONE
from tools.screenshots import settle

TEXT, REFERENCE = "Jane visite l'Afrique en septembre.", "Jane visits Africa in September."


@pytest.fixture(scope="module")
def network() -> TranslationNetwork:
    return translation_network(load_translator("fra-eng-attention"), TEXT, reference=REFERENCE)


def open_view(page: Page, app_url: str, **state: str) -> None:
    page.goto(f"{app_url}/translate?{urlencode({'view': 'network', **state})}")
    expect(now(page)).to_be_visible(timeout=60_000)


def now(page: Page) -> Locator:
    """The line that says which moment is in focus."""
    return page.locator(".sv-now").first


def stage(page: Page) -> Locator:
    return page.locator(".sv-stage").first


def moment(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query)["moment"][0].split(".")


def shown_ribbons(page: Page) -> list[str]:
    return page.locator("[data-ribbons]:not([visibility=hidden])").evaluate_all(
        "found => found.map((each) => each.dataset.ribbons)"
    )


def focused_row(page: Page) -> int:
    """The number of the row of states in focus among all strips of tiles."""
    marks = page.locator(".sv-mark:not([visibility=hidden])").evaluate_all(
        "found => found.map((each) => Number(each.dataset.row))"
    )
    return min(marks)


def test_keys_walk_from_the_source_over_the_hand_over_into_the_target(page: Page, app_url: str, network):
    sources = len(network.source)
    open_view(page, app_url, moment=f"{sources - 1}.0.forward.3")
    expect(now(page)).to_contain_text(f"Encoder reads piece {sources} of {sources}")
    stage(page).focus()
    page.keyboard.press("ArrowRight")
    expect(now(page)).to_contain_text("Hand-over to the decoder")
    expect(page.get_by_test_id("stMain")).to_contain_text("The encoder has no output of its own")
    assert shown_ribbons(page) == []
    page.keyboard.press("ArrowRight")
    expect(now(page)).to_contain_text(f"Decoder, step 1 of {len(network.free)}: ‘J’")
    assert shown_ribbons(page) == ["0", "0"]
    expect(page).to_have_url(re.compile(rf"moment={sources + 1}\."))
    page.keyboard.press("PageUp")
    expect(page).to_have_url(re.compile(rf"moment={sources + 1}\.\d\.(free|forced)\.3"))
    page.keyboard.press("Home")
    expect(now(page)).to_contain_text("Encoder reads piece 1")


def test_space_plays_and_stops(page: Page, app_url: str, network):
    open_view(page, app_url, moment="0.0.forward.3")
    # Every line is kept: on a busy machine a step may be over before anybody asks for it.
    now(page).evaluate(
        "(line) => { window.seen = [];"
        " new MutationObserver(() => window.seen.push(line.textContent))"
        ".observe(line, { childList: true, characterData: true, subtree: true }); }"
    )
    stage(page).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_function("window.seen.some((text) => text.includes('Encoder reads piece 3'))")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_pointing_at_a_step_shows_its_attention_and_both_distributions(page: Page, app_url: str, network):
    open_view(page, app_url, moment=f"{len(network.source) + 4}.1.free.3")
    settle(page)
    box = page.locator(".sv-band").first.bounding_box()
    assert box is not None
    # One column to the left of the step in focus, and a little below the picture's top, which is in sight.
    page.mouse.move(box["x"] - box["width"] / 2, box["y"] + 20)
    tip = page.locator(".sv-tip").first
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("Teacher forcing")
    expect(tip).to_contain_text("Free running")
    expect(tip).to_contain_text("distance of the states")
    assert shown_ribbons(page) == ["2", "2"]
    page.keyboard.press("Escape")


def test_a_click_on_a_tile_shows_the_arithmetic_of_its_unit(page: Page, app_url: str, network):
    step = len(network.source) + 3
    open_view(page, app_url, moment=f"{step}.1.free.3")
    settle(page)
    # The top layer's states of the free run, in the middle of the step in focus.
    states = page.locator("[data-tiles]").nth(focused_row(page))
    states.scroll_into_view_if_needed()
    band, tiles = page.locator(".sv-band").first.bounding_box(), states.bounding_box()
    assert band is not None
    assert tiles is not None
    place = (band["x"] + band["width"] / 2, tiles["y"] + tiles["height"] / 2)
    page.mouse.click(*place)
    expect(page).to_have_url(re.compile(rf"moment={step}\.\d\.(free|forced)\.(?!3&|3$)\d+"))
    _, layer, name, unit = moment(page)
    run = network.run("forced" if name == "forced" else "free")
    value = run.layers[int(layer)].hidden_state[2, int(unit)]
    expect(page.get_by_test_id("stMain")).to_contain_text(f"unit {unit}")
    block = run.layers[int(layer)].pre_activation[2, 0, int(unit)]
    number = f"{block:.4f}".replace("-", "−")
    expect(page.get_by_test_id("stMain")).to_contain_text(f"addends is {number}")
    assert abs(value) <= 1


def test_a_new_reference_moves_the_parting(page: Page, app_url: str, network):
    open_view(page, app_url)
    main = page.get_by_test_id("stMain")
    box = page.get_by_label("Reference, fed by teacher forcing")
    box.fill("Jane is going to Africa in September.")
    box.press("Control+Enter")
    expect(main).to_contain_text("The runs part at step 3", timeout=30_000)
    expect(page).to_have_url(re.compile("reference="))
    box.fill(network.free.target.text)
    box.press("Control+Enter")
    expect(main).to_contain_text("Left to itself the model writes the reference, piece by piece", timeout=30_000)


def test_the_picture_is_saved_as_svg_with_its_colours(page: Page, app_url: str):
    open_view(page, app_url)
    settle(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save this picture as SVG").click()
    content = saved.value.path().read_text("utf-8")
    assert saved.value.suggested_filename == "fra-eng-attention-encoder-decoder.svg"
    assert 'class="' not in content
    assert 'visibility="hidden"' not in content


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"], indirect=True)
def test_the_page_never_scrolls_sideways(page: Page, app_url: str, viewport: dict[str, int]):
    open_view(page, app_url)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    band, room = (page.locator(name).first.bounding_box() for name in (".sv-band", ".sv-scroll"))
    assert band is not None
    assert room is not None
    assert room["x"] - 1 <= band["x"], "the step in focus is in sight"
    assert band["x"] + band["width"] <= room["x"] + room["width"] + 1
