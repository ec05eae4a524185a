"""What ``seqviz export`` writes, in a real Chromium without a network: the picture is there, nothing is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from seqviz.picture_names import PICTURES
from seqviz.pictures.by_name import Asked, picture

JANE, REFERENCE = "Jane visite l'Afrique en septembre.", "Jane visits Africa in September."
LETTERS, TEXT = "shakespeare-lstm", "To be, or not"
PAIR = Asked(name="fra-eng-attention", text=JANE, reference=REFERENCE)
ONE = Asked(name=LETTERS, text=TEXT)
ASKED: dict[str, Asked] = {
    "unroll": Asked(name="entities-bilstm", text="Yesterday, Harry Potter met Hermione Granger."),
    **dict.fromkeys(("gradients", "shared-weights", "jacobians", "gates", "all-gates", "memory", "half-lives"), ONE),
    "dependency": Asked(name="wikitext-gru", text="that already ate"),
    "laboratory": Asked(name="rnn"),
    "projection": Asked(name="2.6,1.2"),
    "number-unit": Asked(name="wikitext-gru"),
    "variants": Asked(name="shakespeare-gru,shakespeare-lstm", text=TEXT),
    "intervention": Asked(name=LETTERS, text=TEXT, force=("forget_gate=0@3",)),
    **dict.fromkeys(("units", "saturation", "moments"), Asked(name="sentiment-gru")),
    "rankings": Asked(name="sentiment-gru,sentiment-lstm"),
    **dict.fromkeys(("search", "side-by-side", "pair-steps", "pair-sums", "network"), PAIR),
    **dict.fromkeys(("attention", "ribbons", "explanation"), PAIR),
    "edit": Asked(name="fra-eng-attention", text=JANE, edits="5f6"),
    "length": Asked(name="fra-eng-attention,fra-eng-plain"),
    "decoding": Asked(name="syllabus"),
}
TRAINED = ("clipping",)
"""It trains for a minute; its picture has tests of its own."""


def test_every_view_of_the_command_is_here():
    assert set(ASKED) | set(TRAINED) == set(PICTURES)


@pytest.mark.parametrize("view", ASKED)
def test_the_page_shows_its_picture_offline(page: Page, tmp_path: Path, view: str):
    path = tmp_path / f"{view}.html"
    path.write_text(picture(view, ASKED[view]).to_html(), encoding="utf-8")
    markup = re.sub(r"<script(?![^>]*src)[^>]*>.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)([^"']+)""", markup) == []
    page.context.set_offline(offline=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    drawn = page.locator("svg[role=img], svg.marks, table, #text").first
    expect(drawn).to_be_visible()
    box = drawn.bounding_box()
    assert box is not None
    assert box["width"] > 250
    assert box["height"] > 100
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
