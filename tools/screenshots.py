"""``make screenshots``: the pictures of every page in docs/screenshots/, taken from the running app.

Each page is taken at three sizes in light and dark, and once in Chinese; every view of a page and a few states of
interest follow at one size. The files are reduced to 256 colours, so that the repository stays small.

    python -m tools.screenshots translate          # only those whose names begin so
    python -m tools.screenshots --look /tmp/look   # every view at every size, light, dark and Chinese, to be looked at
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from seqviz.examples import TEDDY_BEARS, TEDDY_ROOSEVELT
from tools.serving import ROOT, find_chromium, serve_app

FOLDER = ROOT / "docs" / "screenshots"
SIZES = {"1920x1080": (1920, 1080), "1280x720": (1280, 720), "390x844": (390, 844)}
_PAGES = ("unroll", "gradients", "gates", "units", "translate", "attention", "decoding", "lessons", "models")
PAGES = {name: name for name in _PAGES} | {"home": ""}
VIEWS = {
    "gradients": ("weights", "dependency", "laboratory", "clipping"),
    "gates": ("memory", "variants", "intervene"),
    "units": ("saturation", "moments"),
    "translate": ("compare", "errors", "network"),
    "attention": ("edit", "explain", "good", "scores", "compare"),
}
"""The views of a page beside the one that it opens with."""
LESSON = "S3a"
"""Which lesson is also taken with its answer: the greedy symbol and the most probable sequence."""
SENTIMENT = {"text": "There is nothing to like in this movie.", "model": "sentiment-lstm"}
COMPARED = {"text": TEDDY_BEARS, "model": "entities-bilstm", "compare": "text", "text2": TEDDY_ROOSEVELT}
WRITING = {"text": "T", "model": "shakespeare-lstm-2x512", "structure": "one_to_many"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture.

    Args:
        name: of the file, without its ending.
        path: of the page, without the slash.
        size: width and height of the window in CSS pixels.
        theme: colours that the browser asks for.
        query: the state of the page.
        whole: the full length of the page instead of one window.
        predict: on the lessons' page, choose the first answer and reveal.
    """

    name: str
    path: str = ""
    size: tuple[int, int] = SIZES["1280x720"]
    theme: Literal["light", "dark"] = "light"
    query: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    predict: bool = False


def shots() -> list[Shot]:
    """Everything that is taken."""
    found = [
        Shot(name=f"{page}-{size_name}-{theme}", path=path, size=size, theme=theme)
        for page, path in PAGES.items()
        for size_name, size in SIZES.items()
        for theme in ("light", "dark")
    ]
    found += [Shot(name=f"{page}-chinese", path=path, query=(("lang", "zh_CN"),)) for page, path in PAGES.items()]
    for name, query in (("sentiment", SENTIMENT), ("compared", COMPARED), ("writing", WRITING)):
        found.append(Shot(name=f"unroll-{name}", path="unroll", query=tuple(query.items()), whole=True))
    found += [
        Shot(name=f"{page}-{view}", path=page, query=(("view", view),), whole=True)
        for page, names in VIEWS.items()
        for view in names
    ]
    found.append(Shot(name="lessons-answer", path="lessons", query=(("lesson", LESSON),), predict=True))
    found.append(Shot(name="home-whole", whole=True))
    found.append(Shot(name="gradients-whole", path="gradients", whole=True))
    found.append(Shot(name="unroll-phone", path="unroll", size=SIZES["390x844"], whole=True))
    found.append(Shot(name="unroll-presenter", path="unroll", size=SIZES["1920x1080"], query=(("size", "presenter"),)))
    return found


def looks() -> list[Shot]:
    """Every view of every page at full length: three sizes, light and dark, both languages, presenter."""
    states: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [(page, path, ()) for page, path in PAGES.items()]
    states += [(f"{page}-{view}", page, (("view", view),)) for page, names in VIEWS.items() for view in names]
    found = []
    for name, path, query in states:
        found += [
            Shot(name=f"{name}-{size_name}-{theme}", path=path, size=size, theme=theme, query=query, whole=True)
            for size_name, size in SIZES.items()
            for theme in ("light", "dark")
        ]
        for suffix, more in (("chinese", ("lang", "zh_CN")), ("presenter", ("size", "presenter"))):
            found.append(Shot(name=f"{name}-{suffix}", path=path, query=(*query, more), whole=True))
    return found


def main() -> int:
    """Takes the pictures; names on the command line choose those that begin with them."""
    parser = argparse.ArgumentParser(description="Takes pictures of the running app.")
    parser.add_argument("names", nargs="*", help="beginnings of the names of pictures")
    parser.add_argument("--look", type=Path, help="folder for every view at every size, instead of docs/screenshots")
    given = parser.parse_args()
    folder = given.look or FOLDER
    all_shots = looks() if given.look else shots()
    chosen = [shot for shot in all_shots if not given.names or shot.name.startswith(tuple(given.names))]
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as logs,
        serve_app(log=Path(logs) / "app.log") as url,
        sync_playwright() as p,
    ):
        browser = p.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        _warm_up(browser, url)
        for shot in chosen:
            content = _taken(browser, url, shot)
            (folder / f"{shot.name}.png").write_bytes(content)
            print(f"{shot.name}.png  {len(content) / 1000:.0f} kB")
        browser.close()
    total = sum(path.stat().st_size for path in folder.glob("*.png"))
    print(f"{total / 1e6:.1f} MB in {folder}")
    return 0


def _warm_up(browser: Browser, url: str) -> None:
    """Asks until the workers are there: on a busy machine the very first answer may come too late for its page."""
    page = browser.new_page()
    page.goto(url)
    shown = page.locator(".sv-stage svg").first
    for _ in range(5):
        shown.or_(page.get_by_test_id("stAlert").first).first.wait_for(timeout=60_000)
        if shown.is_visible():
            break
        page.goto(url)
        settle(page)
    page.close()


def _taken(browser: Browser, url: str, shot: Shot) -> bytes:
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=shot.theme, locale="en-US", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{url}/{shot.path}?{urlencode(shot.query)}")
    settle(page)
    if shot.predict:
        page.get_by_role("radio").first.check(force=True)
        page.get_by_role("button", name="Reveal").click()
        expect(page.get_by_role("radio")).to_have_count(0, timeout=60_000)
        settle(page)
    finished(page)
    if shot.whole:
        # Streamlit scrolls inside its main block, so the window has to grow to show all of it.
        length = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": int(length)})
        settle(page)
    content = page.screenshot()
    context.close()
    return _small(content)


def settle(page: Page) -> None:
    """Waits until the app has run and its fonts are there."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=60_000)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=60_000)
    page.evaluate("document.fonts.ready")
    page.wait_for_load_state("networkidle")


def finished(page: Page) -> None:
    """Waits until nothing goes on beside the page: an exact search, searches that come in one by one."""
    expect(page.get_by_text("hourglass_top", exact=True)).to_have_count(0, timeout=120_000)
    expect(page.locator(".sv-compared .wait")).to_have_count(0, timeout=120_000)
    settle(page)


def _small(content: bytes) -> bytes:
    image = Image.open(io.BytesIO(content)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
