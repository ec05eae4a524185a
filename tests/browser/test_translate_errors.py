"""The view Error analysis as a reader uses it: the verdict of a pair, a set judged in the background."""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Locator, Page, expect

from tools.screenshots import settle

SENTENCE, REFERENCE = "Ils se sont mariés il y a dix ans.", "They got married ten years ago."


def open_view(page: Page, app_url: str, **state: str) -> None:
    query = {"view": "errors", "source": SENTENCE, "reference": REFERENCE, **state}
    page.goto(f"{app_url}/translate?{urlencode(query)}")


def job_of(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["job"][0]


def progress(page: Page) -> Locator:
    return page.get_by_test_id("stProgress")


def pairs_file(count: int) -> dict[str, object]:
    """Pairs of our own writing, numbered."""
    lines = [f"Le chat numéro {number} dort.\tThe cat number {number} is sleeping." for number in range(count)]
    return {"name": "cats.tsv", "mimeType": "text/tab-separated-values", "buffer": "\n".join(lines).encode()}


def start(page: Page, app_url: str, *, pairs: int, wider: str = "3") -> None:
    """Opens the set of pairs with a file of the reader's own and begins."""
    open_view(page, app_url, errors_part="file", pairs="file", file_beam="1", wider=wider)
    page.locator('input[type="file"]').set_input_files(pairs_file(pairs))
    page.get_by_role("button", name=f"Judge {pairs} pairs").click(timeout=60_000)
    expect(page).to_have_url(re.compile(r"job="), timeout=60_000)


def test_a_pair_has_its_verdict_and_the_candidates_of_a_step(page: Page, app_url: str):
    open_view(page, app_url, errors_beam="1")
    verdict = page.get_by_role("heading", level=4).filter(has_text=re.compile("search|model|same"))
    expect(verdict).to_be_visible(timeout=60_000)
    settle(page)
    slider = page.get_by_role("slider", name="Step that is looked at")
    slider.focus()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("errors_step=1|view=errors"))
    expect(page.get_by_text("y*, after")).to_contain_text("<bos>")
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Every number, JSON").click()
    content = json.loads(waiting.value.path().read_text(encoding="utf-8"))
    assert REFERENCE in json.dumps(content, ensure_ascii=False)


def test_a_run_goes_on_through_a_reload_and_ends_with_a_table(page: Page, app_url: str):
    start(page, app_url, pairs=12)
    job = job_of(page)
    page.reload()
    assert job_of(page) == job
    expect(progress(page)).to_contain_text("finished: pair 12 of 12", timeout=120_000)
    settle(page)
    expect(page.get_by_text("due to the search", exact=True)).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Table, CSV").click()
    lines = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))
    assert [line["source"] for line in lines] == [f"Le chat numéro {number} dort." for number in range(12)]


def test_a_run_is_cancelled_and_keeps_what_it_judged(page: Page, app_url: str):
    start(page, app_url, pairs=400, wider="50")
    expect(progress(page)).to_contain_text(re.compile(r"running: pair [1-9]"), timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(progress(page)).to_contain_text("stopped: pair", timeout=30_000)
    said = progress(page).inner_text()
    page.reload()
    expect(progress(page)).to_contain_text(said.splitlines()[0].split(" · ")[0], timeout=30_000)
    expect(page.get_by_role("button", name="Cancel")).to_be_disabled()


def test_a_file_that_is_none_is_said_in_place(page: Page, app_url: str):
    open_view(page, app_url, errors_part="file", pairs="file")
    chooser = page.locator('input[type="file"]')
    chooser.set_input_files({"name": "pairs.tsv", "mimeType": "text/plain", "buffer": b"\x00\x01\xff\xfe" * 50})
    expect(page.get_by_test_id("stAlert")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Judge the pairs")).to_be_disabled()
