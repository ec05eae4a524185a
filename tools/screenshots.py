"""``make screenshots``: the pictures of every page in docs/screenshots/, taken from the running app.

Each page is taken at three sizes in light and dark, and once in Chinese; a few states of interest follow at one size.
The files are reduced to 256 colours, so that the repository stays small.
"""

from __future__ import annotations

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
    """

    name: str
    path: str = ""
    size: tuple[int, int] = SIZES["1280x720"]
    theme: Literal["light", "dark"] = "light"
    query: tuple[tuple[str, str], ...] = ()
    whole: bool = False


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
    for view in ("edit", "explain", "good", "scores", "compare"):
        found.append(Shot(name=f"attention-{view}", path="attention", query=(("view", view),), whole=True))
    for view in ("weights", "dependency", "laboratory", "clipping"):
        found.append(Shot(name=f"gradients-{view}", path="gradients", query=(("view", view),), whole=True))
    found.append(Shot(name="gradients-whole", path="gradients", whole=True))
    found.append(Shot(name="unroll-phone", path="unroll", size=SIZES["390x844"], whole=True))
    found.append(Shot(name="unroll-presenter", path="unroll", size=SIZES["1920x1080"], query=(("size", "presenter"),)))
    return found


def main() -> int:
    """Takes the pictures; names on the command line choose those that begin with them."""
    chosen = [shot for shot in shots() if not sys.argv[1:] or shot.name.startswith(tuple(sys.argv[1:]))]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_app(log=Path(folder) / "app.log") as url,
        sync_playwright() as p,
    ):
        browser = p.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for shot in chosen:
            content = _taken(browser, url, shot)
            (FOLDER / f"{shot.name}.png").write_bytes(content)
            print(f"{shot.name}.png  {len(content) / 1000:.0f} kB")
        browser.close()
    total = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{total / 1e6:.1f} MB in {FOLDER.relative_to(ROOT)}")
    return 0


def _taken(browser: Browser, url: str, shot: Shot) -> bytes:
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=shot.theme, locale="en-US", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{url}/{shot.path}?{urlencode(shot.query)}")
    settle(page)
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


def _small(content: bytes) -> bytes:
    image = Image.open(io.BytesIO(content)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
