"""The view Side by side as a reader uses it: searches that answer one by one, BLEU, a link, the files."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tools.screenshots import settle

SENTENCE, REFERENCE = "Voulez-vous chanter avec moi ?", "Would you like to sing with me?"


def open_view(page: Page, app_url: str, **state: str) -> None:
    """Opens the view and waits until every search has answered."""
    query = {"view": "compare", "source": SENTENCE, "reference": REFERENCE, "beams": ["1", "5"], **state}
    page.goto(f"{app_url}/translate?{urlencode(query, doseq=True)}")
    ready(page)


def ready(page: Page) -> None:
    expect(table(page)).to_be_visible(timeout=90_000)
    expect(table(page)).not_to_contain_text("…", timeout=90_000)
    settle(page)


def table(page: Page) -> Locator:
    return page.locator("table.sv-compared:not(.sv-ngrams)")


def row(page: Page, name: str) -> Locator:
    return table(page).locator("tr").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def cell(page: Page, name: str, column: str) -> str:
    return row(page, name).locator(f'[data-label="{column}"]').inner_text()


def test_every_search_has_a_line_and_none_is_more_probable_than_the_proven_optimum(page: Page, app_url: str):
    open_view(page, app_url)
    heads = table(page).get_by_role("rowheader").all_inner_texts()
    assert heads == ["Greedy", "Beam, B = 1", "Beam, B = 5", "Sampling", "Exact"]
    found = {name: float(cell(page, name, "log P").replace("−", "-")) for name in heads}
    assert found["Greedy"] == found["Beam, B = 1"]
    expect(row(page, "Exact")).to_contain_text("proven: of all sequences none scores higher")
    assert max(found.values()) == found["Exact"]


def test_an_alpha_a_search_and_a_reference_stand_in_the_link(page: Page, app_url: str):
    open_view(page, app_url, score_alpha="0.75", row="greedy", against="beam-5")
    expect(page.get_by_text("BLEU of Greedy, n-gram by n-gram")).to_be_visible()
    text = table(page).inner_text()
    page.reload()
    ready(page)
    # The seconds that a search took may be measured anew.
    assert re.sub(r"\d+(\.\d+)? ?m?s", "", table(page).inner_text()) == re.sub(r"\d+(\.\d+)? ?m?s", "", text)
    kept = parse_qs(urlsplit(page.url).query)
    assert kept["reference"] == [REFERENCE]
    assert kept["against"] == ["beam-5"]


def test_the_numbers_download_as_a_table(page: Page, app_url: str):
    open_view(page, app_url)
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Every number, CSV").click()
    lines = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))
    assert len(lines) == 5
    assert {"greedy", "beam-5", "exact"} <= {value for line in lines for value in line.values()}


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_nothing_scrolls_sideways(page: Page, app_url: str, viewport):
    open_view(page, app_url)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_an_empty_sentence_is_said_in_place_and_the_next_one_answered(page: Page, app_url: str):
    open_view(page, app_url)
    box = page.get_by_label("Sentence", exact=True)
    box.fill("")
    box.press("Enter")
    expect(page.get_by_text("There is nothing to translate yet")).to_be_visible()
    box.fill("Il pleut.")
    box.press("Enter")
    ready(page)
    expect(row(page, "Greedy")).to_contain_text("rain")
