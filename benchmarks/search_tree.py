"""What a search of 5 beams costs beside its model, and its tree of 300 hypotheses from click to picture in Chromium."""

from __future__ import annotations

import json
import math
import statistics
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.measure import Table, interleaved_medians
from seqviz.charts.figure import Figure, figure_css, figure_js
from seqviz.charts.search_tree import search_tree_figure
from seqviz.config import DecodeConfig
from seqviz.decoding import SearchTrace, StepOutput, search
from tools.serving import find_chromium

VOCABULARY, STEPS, BEAM, UNITS = 8000, 12, 5, 512
ROUNDS, PICTURES = 30, 25
PICTURE = """async ([svg, payload, count]) => {
  const root = document.getElementById('figure');
  const times = [];
  for (let i = 0; i < count; i += 1) {
    const started = performance.now();
    const tree = window.hydrate(root, { svg, payload: JSON.parse(payload) });
    root.getBoundingClientRect();
    await new Promise((done) => requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = done;
      after.port2.postMessage(0);
    }));
    const shown = performance.now();
    for (let j = 0; j < 10; j += 1) tree.rank(j / 5);
    times.push([shown - started, (performance.now() - shown) / 10]);
    tree.destroy();
    root.replaceChildren();
    await new Promise((done) => setTimeout(done, 30));
  }
  return times;
}"""


class Logits:
    """A step function whose answers lie ready: what is measured is the search."""

    vocabulary_size, bos_id, eos_id = VOCABULARY, 2, 3

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        logits = random.normal(size=(STEPS, BEAM, VOCABULARY)).astype(np.float32) * 2
        self.log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def name(self, token: int) -> str:
        return f"word{token}"

    def start(self) -> int:
        return 0

    def step(self, state: int, tokens: np.ndarray[Any, Any]) -> StepOutput[int]:
        count = len(tokens)
        return StepOutput(
            log_probs=self.log_probs[state, :count],
            state=state + 1,
            attention=np.full((count, 12), 1 / 12, np.float32),
            hidden_state=np.zeros((count, UNITS), np.float32),
        )

    def select(self, state: int, rows: np.ndarray[Any, Any]) -> int:  # noqa: ARG002 (every prefix has the same answer)
        return state


def measure() -> Table:
    """The table for docs/benchmarks.md."""
    model, config = Logits(), DecodeConfig(beam_size=BEAM, max_length=STEPS, forbidden=(3,))
    trace = search(model, config)
    times = interleaved_medians(
        {"search": lambda: search(model, config), "draw": lambda: search_tree_figure(trace)}, rounds=ROUNDS
    )
    figure = search_tree_figure(trace)
    payload = json.dumps(figure.payload, ensure_ascii=False, separators=(",", ":"))
    picture, rank = in_chromium(figure, payload)
    kilobytes = (len(figure.svg.encode()) + len(payload.encode())) / 1000
    return Table(
        title="Search tree",
        says=(
            f"A beam of {BEAM} over {STEPS} steps and {VOCABULARY} words, {len(trace)} hypotheses recorded with "
            "attention and hidden states; the log probabilities lie ready, so a model's time comes on top. The picture "
            "is measured in Chromium from the message to the frame that shows it."
        ),
        header=("what", "median"),
        rows=(
            ("search, whole tree kept", f"{1e3 * times['search']:.1f} ms"),
            ("drawing in Python", f"{1e3 * times['draw']:.1f} ms"),
            ("from message to picture in the browser", f"{picture:.0f} ms"),
            ("ranking for another α in the browser", f"{rank:.2f} ms"),
            ("SVG and numbers to the browser", f"{kilobytes:.0f} kB"),
        ),
        goals=(f"300 hypotheses from click to picture in about 60 ms: {_reached(picture, trace)}.",),
    )


def in_chromium(figure: Figure, payload: str) -> tuple[float, float]:
    """Medians in milliseconds: the first picture, and ranking for another α."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page: Page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_content(
            f"<style>{figure_css()}</style><body class='sv-root'><main id='figure' class='sv-root'></main></body>"
        )
        page.evaluate(
            "async (code) => { const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));"
            " window.hydrate = (await import(url)).hydrate; }",
            figure_js("search_tree"),
        )
        times = page.evaluate(PICTURE, [figure.svg, payload, PICTURES])
        browser.close()
    return statistics.median(time[0] for time in times), statistics.median(time[1] for time in times)


def _reached(milliseconds: float, trace: SearchTrace) -> str:
    return f"{math.ceil(milliseconds)} ms for {len(trace)}"
