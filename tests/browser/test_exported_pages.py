"""What ``seqviz export`` writes, in a real Chromium without a network: the picture is there, nothing is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from seqviz import pictures
from seqviz.clipping import ClippingConfig
from seqviz.pair_files import SentencePair
from seqviz.picture_names import PICTURES
from seqviz.pictures.base import Picture
from seqviz.pictures.by_name import Asked, picture

JANE, REFERENCE = "Jane visite l'Afrique en septembre.", "Jane visits Africa in September."
LETTERS, TEXT = "shakespeare-lstm", "To be, or not"
FRENCH = "fra-eng-attention"
ONE = Asked(name=LETTERS, text=TEXT)
SOURCE = Asked(name=FRENCH, text=JANE)
PAIR = Asked(name=FRENCH, text=JANE, reference=REFERENCE)
FORCED = Asked(name=LETTERS, text=TEXT, force=("forget_gate=0@3",))
FEW = Asked(name=FRENCH, pairs=(SentencePair(source=JANE, reference=REFERENCE),))
LONG = Asked(name="sentiment-gru")
ASKED: dict[str, Asked] = {
    **dict.fromkeys(("home", "unroll"), Asked(name="entities-bilstm", text="Yesterday, Harry met Hermione Granger.")),
    **dict.fromkeys(("unit-sum", "output", "gradients", "gradient-sum", "shared-weights", "weight-tiles"), ONE),
    **dict.fromkeys(("dependency", "dependency-gradient"), Asked(name="wikitext-gru", text="that already ate")),
    **dict.fromkeys(("jacobians", "step-jacobians"), ONE),
    "product-norms": Asked(name="shakespeare-gru,shakespeare-lstm", text=TEXT),
    "laboratory": Asked(name="rnn"),
    "memory-cell": Asked(name="0.1"),
    "activations": Asked(name="tanh"),
    "projection": Asked(name="2.6,1.2"),
    **dict.fromkeys(("gates", "all-gates", "memory", "all-memory", "half-lives"), ONE),
    "number-unit": Asked(name="wikitext-gru"),
    "variants": Asked(name="shakespeare-gru,shakespeare-lstm", text=TEXT),
    **dict.fromkeys(
        ("intervention", "intervention-output", "intervention-moved", "intervention-gradients"),
        FORCED,
    ),
    **dict.fromkeys(("units", "unit-series", "unit-values", "saturation", "moments"), LONG),
    "rankings": Asked(name="sentiment-gru,sentiment-lstm"),
    **dict.fromkeys(("search", "beam-sizes"), SOURCE),
    **dict.fromkeys(("network", "network-sum", "side-by-side", "beam-bleu", "pair-steps", "pair-sums"), PAIR),
    "bleu": Asked(name="The cat the cat on the mat.", reference="The cat is on the mat."),
    **dict.fromkeys(("error-shares", "error-scores"), FEW),
    **dict.fromkeys(("attention", "ribbons", "attention-step", "next-pieces", "explanation"), PAIR),
    **dict.fromkeys(("edit", "edited-step"), Asked(name=FRENCH, text=JANE, edits="5f6")),
    "alignment-error": Asked(name=FRENCH),
    "growing-sentence": Asked(name=FRENCH),
    "length": Asked(name="fra-eng-attention,fra-eng-plain"),
    **dict.fromkeys(("good-attention", "score-functions"), SOURCE),
    "decoding": Asked(name="syllabus"),
}
TRAINED = ("clipping", "cliff", "cliff-near", "cliff-surface")
"""They train for a minute; a smaller run is drawn below."""


def test_every_view_of_the_command_is_here():
    assert set(ASKED) | set(TRAINED) == set(PICTURES)


@pytest.mark.parametrize("view", ASKED)
def test_the_page_shows_its_picture_offline(page: Page, tmp_path: Path, view: str):
    drawn = picture(view, ASKED[view])
    assert hasattr(drawn, "to_png") is hasattr(drawn, "to_svg") is not PICTURES[view].only_html
    opened_offline(page, tmp_path / f"{view}.html", drawn)


def test_the_cliff_of_a_small_run_is_shown_offline_as_curve_and_as_surface(page: Page, tmp_path: Path):
    found = pictures.find_cliff(ClippingConfig(hidden_size=6, length=8, batch_size=4, steps=40))
    opened_offline(page, tmp_path / "cliff.html", pictures.cliff(found))
    opened_offline(page, tmp_path / "surface.html", pictures.cliff_surface(found))
    expect(page.locator("#surface .gl-container canvas").first).to_be_visible()
    expect(page.locator("#surface .legendtext").first).to_contain_text("no clipping")


def opened_offline(page: Page, path: Path, drawn: Picture) -> None:
    """Writes the page, opens it without a network, and looks whether the picture is there."""
    path.write_text(drawn.to_html(), encoding="utf-8")
    markup = re.sub(r"<script(?![^>]*src)[^>]*>.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)([^"']+)""", markup) == []
    page.context.set_offline(offline=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    shown = page.locator("svg[role=img], svg.marks, table, #text, #surface").first
    expect(shown).to_be_visible()
    box = shown.bounding_box()
    assert box is not None
    assert box["width"] > 250
    assert box["height"] > 100
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
