"""No jump of the page: a picture's room is kept before it is there, and a new sentence leaves everything in place."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE

# Page, key of its picture.
PICTURES = [
    ("", "home-figure"),
    ("unroll", "unroll-figure"),
    ("gradients", "gradient-figure"),
    ("gates", "gate-cell-0"),
    ("units", "units-text"),
    ("translate", "translation-tree"),
    ("attention", "attention-map"),
    ("decoding", "search-tree"),
]
# What is typed, and a word of what is drawn then.
FROMAGE, LIVRE = "le chien noir mange du fromage .", "la petite fille lit un livre rouge ."
ENGLISH = (("the old man saw a black dog .", "dog"), ("the young woman reads a red book .", "book"))
SENTENCES = {
    "translate": ((FROMAGE, "cheese"), (LIVRE, "book")),
    "attention": ((FROMAGE, "fromage"), (LIVRE, "livre")),
}

# Every height that the element of a picture has, from the moment it stands on the page.
HEIGHTS = """
    globalThis.heights = [];
    const seen = new WeakSet();
    const look = () => {
      for (const place of document.querySelectorAll('.stElementContainer.st-key-KEY')) {
        if (seen.has(place)) continue;
        seen.add(place);
        globalThis.heights.push(place.getBoundingClientRect().height);
        new ResizeObserver(() => globalThis.heights.push(place.getBoundingClientRect().height)).observe(place);
      }
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""

# What moves without having been moved by the reader; what is typed may move things for half a second.
SHIFTS = """
    globalThis.shifts = [];
    globalThis.watched = new PerformanceObserver((list) => globalThis.shifts.push(...list.getEntries()));
    globalThis.watched.observe({ type: 'layout-shift' });
"""
FOUND = """() => {
    const all = [...globalThis.shifts, ...globalThis.watched.takeRecords()];
    return all.map((one) => ({
      value: one.value,
      what: one.sources.map(({ node, previousRect, currentRect }) => {
        const element = node?.closest ? node : node?.parentElement;
        return `${element?.className} ${element?.textContent?.slice(0, 40)} ${previousRect.y} -> ${currentRect.y}`;
      }),
    }));
}"""


def _opened(page: Page, url: str, key: str) -> None:
    page.goto(url)
    expect(page.locator(f".st-key-{key} .sv-mount > :not(.sv-live)").first).to_be_visible(timeout=60_000)
    page.wait_for_load_state("networkidle")  # the code of every widget is there
    _at_rest(page)


def _at_rest(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
    page.evaluate("() => document.fonts.ready")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
@pytest.mark.parametrize(("name", "key"), PICTURES, ids=[name or "home" for name, _ in PICTURES])
def test_the_room_of_a_picture_is_kept_before_it_is_there(
    page: Page, app_url: str, name: str, key: str, viewport: dict[str, int]
) -> None:
    page.add_init_script(HEIGHTS.replace("KEY", key))
    _opened(page, f"{app_url}/{name}", key)
    heights: list[float] = page.evaluate("() => globalThis.heights")
    final = page.locator(f".stElementContainer.st-key-{key}").first.evaluate("(e) => e.getBoundingClientRect().height")
    assert final > 300
    assert min(heights) > 0.6 * final, heights
    # What the style reserves is as high as the picture, within the line that a bar may have more or less.
    reserved = page.locator(f".stElementContainer.st-key-{key}").first.evaluate(
        "(e) => parseFloat(getComputedStyle(e).minHeight)"
    )
    assert final - 45 <= reserved <= final + 2


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
@pytest.mark.parametrize(
    ("name", "key"),
    [one for one in PICTURES if one[0] not in ("units", "decoding")],
    ids=lambda one: None if "-" in one else one or "home",
)
def test_a_new_sentence_moves_nothing(page: Page, app_url: str, name: str, key: str, viewport: dict[str, int]) -> None:
    _opened(page, f"{app_url}/{name}", key)
    box = page.get_by_role("textbox").first
    stage = page.locator(f".st-key-{key} .sv-stage")
    moved: list[float] = []
    for sentence, word in SENTENCES.get(name, ENGLISH):
        page.evaluate(f"() => {{ {SHIFTS} }}")
        expect(stage).not_to_contain_text(word)
        box.fill(sentence)
        box.press("Enter")
        expect(stage).to_contain_text(word, timeout=60_000)
        _at_rest(page)
        found: list[dict[str, Any]] = page.evaluate(FOUND)
        moved.append(sum(one["value"] for one in found))
    # Web browsers call up to 0.1 good; a picture without its room counts some 0.3, with every sentence.
    assert min(moved) < 0.1, (moved, found)
