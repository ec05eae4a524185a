"""The Gates page as a reader uses it: the cell steps with the sentence, its numbers are the model's."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

import seqviz
from seqviz.charts.gate_cell import chip_number, colour_bucket, line_width

TEXT = "To be, or not to be"
MODEL = "shakespeare-lstm"


def open_page(page: Page, app_url: str, **state: str) -> None:
    page.goto(f"{app_url}/gates?{urlencode(state)}")
    expect(page.locator(".sv-now").first).to_be_visible(timeout=60_000)


def chip(page: Page, signal: str) -> Locator:
    return page.locator(f'.sv-cell [data-chip="{signal}"]')


def test_the_cell_steps_with_the_sentence_and_carries_the_model_s_numbers(page: Page, app_url: str):
    open_page(page, app_url, model=MODEL, text=TEXT, focus="3.0.forward.17")
    part = seqviz.trace(MODEL, TEXT).layer(0)
    stage = page.locator(".sv-flow")
    stage.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".sv-now").first).to_have_text("step 5 of 19: ‘e’")
    expect(page).to_have_url(re.compile(r"focus=4\.0\.forward\.17"), timeout=30_000)
    for signal, quantity in (("f", "forget_gate"), ("i", "input_gate"), ("o", "output_gate"), ("c", "cell_state")):
        expect(chip(page, signal)).to_have_text(chip_number(float(part.quantities()[quantity][4, 17])))
    # Python's and the browser's rules for widths and colours are one.
    forget = float(part.gates["forget_gate"][4, 17])
    line = page.locator('.sv-cell [data-line="f"]').first
    expect(line).to_have_class(f"fl s{colour_bucket(forget, 'share', 1.0)}")
    assert abs(float(line.get_attribute("stroke-width") or 0) - line_width(forget, 1.0)) < 0.01
    # Pointing at a line says its arithmetic.
    chip(page, "c").hover()
    kept = forget * float(part.cell_state[3, 17])
    expect(page.locator(".sv-tip:visible")).to_contain_text(f"{kept:.4f}".replace("-", "−")[:5])
    # The maps below follow at once, and the equations after a moment.
    expect(page.get_by_test_id("stMain")).to_contain_text(re.compile(r"Step 5 of 19"), timeout=30_000)


def test_a_click_on_a_row_follows_another_unit(page: Page, app_url: str):
    open_page(page, app_url, model=MODEL, text=TEXT, focus="3.0.forward.17", maps="forget_gate")
    maps = page.locator(".sv-stage").nth(1)
    maps.scroll_into_view_if_needed()
    box = maps.locator("svg.sv-steps").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(page).not_to_have_url(re.compile(r"forward\.17\b"), timeout=30_000)
    unit = re.search(r"focus=\d+\.0\.forward\.(\d+)", page.url)
    assert unit is not None
    expect(page.get_by_label("Unit", exact=True)).to_have_value(unit[1], timeout=30_000)
    expect(page.locator(".sv-cell").first).to_have_attribute("aria-label", re.compile(rf"unit {unit[1]} of {MODEL}"))


def test_sentence_model_notation_and_step_go_along_to_another_page(page: Page, app_url: str):
    open_page(page, app_url, model="shakespeare-gru", text=TEXT, focus="4.0.forward.22", notation="d2l")
    page.locator('a[href*="/gradients"]').first.click()
    expect(page.get_by_role("heading").first).to_have_text("Gradients", timeout=30_000)
    expect(page).to_have_url(re.compile(r"gradients\?.*model=shakespeare-gru"), timeout=30_000)
    expect(page).to_have_url(re.compile(r"notation=d2l"))
    expect(page.get_by_label("Sentence", exact=True)).to_have_value(TEXT)
    page.locator('a[href*="/gates"]').first.click()
    expect(page.locator(".sv-now").first).to_have_text("step 5 of 19: ‘e’", timeout=60_000)
    expect(page).to_have_url(re.compile(r"focus=4\.0\.forward\.22"), timeout=30_000)
