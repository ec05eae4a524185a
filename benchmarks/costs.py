"""What every view costs: server, bytes, picture in Chromium, memory, first page. ``python -m benchmarks.run costs``."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlencode

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from benchmarks.measure import Table
from benchmarks.visits import Server, Visit, serve, visit
from seqviz.checkpoints import list_all
from tools.serving import find_chromium

SERVER_MS, PICTURE_MS, SENT_BYTES = 150, 300, 1_000_000
CHANGES, PICTURES, COLD_STARTS, SESSIONS = 20, 5, 3, 10
PAUSE_SECONDS = 0.3  # a person is no faster, and Streamlit's socket delays what follows within 0.1 s
UNTIL_PICTURE_MS = 60_000

# Notes what the picture says, then waits for the first frame in which it says something else. Time counts from the
# reader's last event before that. Pictures are components, so the text of shadow roots counts too; spinners do not.
WATCH = """(selector) => {
  const text = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.dataset && node.dataset.testid === 'stSpinner') return '';
    if (node.nodeName === 'STYLE') return '';
    const within = [...(node.shadowRoot ? node.shadowRoot.childNodes : []), ...node.childNodes];
    return within.map(text).join(' ');
  };
  const says = () => [...document.querySelectorAll(selector)].map(text).join('|');
  let before = says();
  let begun = 0;
  const note = (event) => { begun = event.timeStamp; };
  for (const kind of ['keydown', 'click']) document.addEventListener(kind, note, { capture: true });
  window.seqvizCost = new Promise((done) => {
    const look = () => {
      const now = says();
      if (begun === 0) before = now;
      if (begun === 0 || now === before || now === '') { requestAnimationFrame(look); return; }
      for (const kind of ['keydown', 'click']) document.removeEventListener(kind, note, { capture: true });
      const after = new MessageChannel();
      after.port1.onmessage = () => done(performance.now() - begun);
      after.port2.postMessage(0);
    };
    requestAnimationFrame(look);
  });
}"""

_numbers = count(1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that a reader changes.

    Args:
        key: of the widget.
        kind: ``"line"`` and ``"lines"`` of text, ``"number"``, ``"option"`` of a list or ``"button"``.
        value: makes what stands in it next.
    """

    key: str
    kind: str
    value: Callable[[], str | int]

    def over_websocket(self, session: Visit) -> tuple[float, int]:
        """Seconds until the run has ended, bytes."""
        fields = {"number": "int_value", "button": "trigger_value"}
        value = True if self.kind == "button" else self.value()
        return session.change(self.key, fields.get(self.kind, "string_value"), value)

    def by_hand(self, page: Page) -> None:
        """In the browser; the last event is the one that asks the server."""
        name = "".join(char if char.isalnum() or char in "-_" else "-" for char in self.key)
        place = page.locator(f".st-key-{name}")
        if self.kind == "button":
            place.get_by_role("button").click()
            return
        field: Locator = place.locator("textarea" if self.kind == "lines" else "input").first
        field.fill(str(self.value()))
        if self.kind == "option":
            page.get_by_role("option").first.wait_for()
        field.press("Control+Enter" if self.kind == "lines" else "Enter")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view and its standard interaction.

    Args:
        name: in the table.
        page, query: where it is.
        says: what is changed, for the table.
        change: the same.
        picture: CSS selector of what has to change in the browser.
        first: what is changed before each time, unmeasured.
        busy: selector of what is there as long as more is to come; the next change waits until it is gone.
    """

    name: str
    says: str
    change: Change
    picture: str
    page: str = ""
    query: str = ""
    first: Change | None = None
    busy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one view costs.

    Args:
        seconds: of every change, over the websocket.
        cpu: processor seconds of server and workers for one change, mean.
        sent: bytes to the browser for a change, median.
        page_seconds, page_sent: of the page in a new session, warm, median.
        pictures: milliseconds from the change to the new picture in Chromium.
    """

    seconds: list[float]
    cpu: float
    sent: float
    page_seconds: float
    page_sent: float
    pictures: list[float]


def _sentence() -> str:
    return f"Harry met Hermione in {next(_numbers)}."


def _source() -> str:
    return f"Jane visite l'Afrique en {next(_numbers)}."


def _cycle(*values: str | int) -> Callable[[], str | int]:
    """The values in turn, again and again."""
    turns = count()
    return lambda: values[next(turns) % len(values)]


def views() -> list[View]:
    """Every view of the app, in the order of its pages."""
    text = Change(key="text", kind="line", value=_sentence)
    source = Change(key="source", kind="line", value=_source)
    reference = Change(key="reference", kind="lines", value=lambda: f"Jane visits Africa in {next(_numbers)}.")
    sentence = "another sentence"
    found = [
        View(name="Home", says=sentence, change=text, picture=".st-key-home-figure"),
        View(name="Unroll", page="unroll", says=sentence, change=text, picture=".st-key-unroll-figure"),
        View(name="Gradients", page="gradients", says=sentence, change=text, picture=".st-key-gradient-figure"),
        View(name="Gates", page="gates", says=sentence, change=text, picture=".st-key-gate-cell-0"),
        View(
            name="Units",
            page="units",
            says="another unit over 10,000 characters",
            change=Change(key="unit-index", kind="number", value=_cycle(*range(40, 140, 3))),
            picture="[data-testid=stVegaLiteChart]",
        ),
    ]
    # Of the table only lines that have their translation: an empty one is no picture.
    lines = ".sv-compared tr:not(:has(.wait)):has(td)"
    for view, title, change, says, picture, busy in (
        ("tree", "search tree", source, sentence, ".st-key-translation-tree", 'text="hourglass_top"'),
        ("compare", "side by side", source, sentence, lines, ".sv-compared .wait"),
        ("errors", "error analysis", reference, "another human translation", "[data-testid=stVegaLiteChart]", ""),
        ("network", "encoder and decoder", source, sentence, ".st-key-pair-figure", ""),
    ):
        query = urlencode({"view": view})
        name = f"Translate: {title}"
        one = View(name=name, page="translate", query=query, says=says, change=change, picture=picture, busy=busy)
        found.append(one)
    force = Change(key="force", kind="button", value=lambda: "")
    for view, title, change, says, picture, first in (
        ("heatmap", "heatmap", source, sentence, ".st-key-attention-map", None),
        ("edit", "edit", force, "all weight of a row forced to one word", ".st-key-attention-edited", source),
        ("explain", "explanation", source, sentence, ".st-key-attention-readings", None),
        ("compare", "against no attention", source, sentence, "[data-testid=stMain]", None),
    ):
        query = urlencode({"view": view})
        name = f"Attention: {title}"
        one = View(name=name, page="attention", query=query, says=says, change=change, picture=picture, first=first)
        found.append(one)
    beam = Change(key="beam", kind="number", value=_cycle(3, 4, 5, 2))
    forward = Change(key="way-:material/arrow_forward:", kind="button", value=lambda: "")
    cards = Change(key="card", kind="option", value=_cycle(*(info.title for info in list_all()[0][1:6])))
    main = "[data-testid=stMain]"
    return [
        *found,
        View(name="Decoding", page="decoding", says="another beam", change=beam, picture=".st-key-search-tree"),
        View(name="Lessons", page="lessons", says="the next lesson", change=forward, picture=main),
        View(name="Models", page="models", says="another card", change=cards, picture=main),
    ]


def measure(*, changes: int = CHANGES, pictures: int = PICTURES, only: str = "") -> Table:
    """Measures every view, or those whose name contains ``only``, on one server, and a few cold servers before.

    Args:
        changes: over the websocket, for each view.
        pictures: in Chromium, for each view.
        only: a part of a name.
    """
    chosen = [view for view in views() if only.lower() in view.name.lower()]
    with _browser() as browser:
        starts, cold = zip(*(_cold_start(browser) for _ in range(COLD_STARTS)), strict=True)
        with serve() as server:
            _first_picture(browser, server)
            warm = statistics.median(_first_picture(browser, server) for _ in range(COLD_STARTS))
            costs = {view.name: _cost(view, server, browser, changes, pictures) for view in chosen}
        memory = _memory()
    return Table(
        title="What every view costs",
        says=(
            "The standard interaction of each view, every time with something that was never asked before, on a warm "
            "server with its own number of workers. Server: over the browser's websocket, from the message to the end "
            f"of the run ({changes} changes, median and 95th percentile). Processor: of server and workers, which "
            "other load on the machine hardly moves. Sent: bytes of the websocket's messages. Picture: in Chromium, "
            f"from the key or click to the frame that shows the new picture ({pictures} changes, median). New page: "
            "the whole page in a new session, warm. Searches that go on in the background (exact search) come later "
            f"and hold nothing up. **Bold**: more than {SERVER_MS} ms of server, {PICTURE_MS} ms to the picture, or "
            "1 MB."
        ),
        header=("view", "changed", "server", "95 %", "processor", "sent", "picture", "new page", "sent, page"),
        rows=tuple(_row(view, costs[view.name]) for view in chosen),
        goals=(*_goals(chosen, costs), *_first_pages(starts, cold, warm), memory),
    )


def _row(view: View, cost: Cost) -> tuple[str, ...]:
    return (
        view.name,
        view.says,
        _mark(1e3 * statistics.median(cost.seconds), SERVER_MS),
        f"{1e3 * _high(cost.seconds):.0f} ms",
        f"{1e3 * cost.cpu:.0f} ms",
        _size(cost.sent),
        _mark(statistics.median(cost.pictures), PICTURE_MS),
        f"{1e3 * cost.page_seconds:.0f} ms",
        _size(cost.page_sent),
    )


def _mark(milliseconds: float, limit: float) -> str:
    text = f"{milliseconds:.0f} ms"
    return f"**{text}**" if milliseconds > limit else text


def _size(sent: float) -> str:
    text = f"{sent / 1000:.0f} kB"
    return f"**{text}**" if sent > SENT_BYTES else text


def _high(seconds: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]


def _goals(chosen: list[View], costs: dict[str, Cost]) -> list[str]:
    checks = {
        f"At most {SERVER_MS} ms of server time (median)": lambda c: 1e3 * statistics.median(c.seconds) <= SERVER_MS,
        f"The same in processor time of server and workers (at most {SERVER_MS} ms)": lambda c: (
            1e3 * c.cpu <= SERVER_MS
        ),
        f"At most {PICTURE_MS} ms to the picture": lambda c: statistics.median(c.pictures) <= PICTURE_MS,
        "At most 1 MB for a change, and for a page": lambda c: max(c.sent, c.page_sent) <= SENT_BYTES,
    }
    found = []
    for says, holds in checks.items():
        misses = [view.name for view in chosen if not holds(costs[view.name])]
        more = f"; not: {', '.join(misses)}" if misses else ""
        found.append(f"{says}: {len(chosen) - len(misses)} of {len(chosen)} views{more}.")
    return found


def _first_pages(starts: tuple[float, ...], cold: tuple[float, ...], warm: float) -> list[str]:
    says = (
        f"From the command to a server that answers: {statistics.median(starts):.1f} s. First picture of the home page "
        f"in a new Chromium window: {statistics.median(cold):.1f} s on a server that has just come up, {warm:.1f} s on "
        "a warm one."
    )
    return [says]


def _memory() -> str:
    """Server and workers after one session went through every view, and after ten did, all still open."""
    held = []
    with serve() as server, contextlib.ExitStack() as stack:
        for number in range(SESSIONS):
            for view in views():
                session = stack.enter_context(visit(server.port, view.page, view.query))
                session.open()
                if number:  # everyone has their own sentences
                    for change in (view.first, view.change):
                        if change is not None:
                            change.over_websocket(session)
            held.append(server.memory_bytes())
    return (
        f"Memory of server and workers together, after every view was opened: {held[0] / 1e6:.0f} MB with 1 session, "
        f"{held[-1] / 1e6:.0f} MB with {SESSIONS}, each with sentences of its own."
    )


def _cost(view: View, server: Server, browser: Browser, changes: int, pictures: int) -> Cost:
    with visit(server.port, view.page, view.query) as session:
        session.open()  # models load
    pages = []
    for _ in range(3):
        with visit(server.port, view.page, view.query) as session:
            pages.append(session.open())
    spent, cpu = [], 0.0
    with visit(server.port, view.page, view.query) as session:
        session.open()
        for turn in range(-2, changes):  # the first two are for practice
            if view.first is not None:
                view.first.over_websocket(session)
            time.sleep(PAUSE_SECONDS)
            before = server.cpu_seconds()
            one = view.change.over_websocket(session)
            if turn >= 0:
                spent.append(one)
                cpu += server.cpu_seconds() - before
    shown = _pictures(view, server, browser, pictures)
    cost = Cost(
        seconds=[seconds for seconds, _ in spent],
        cpu=cpu / len(spent),
        sent=statistics.median(size for _, size in spent),
        page_seconds=statistics.median(seconds for seconds, _ in pages),
        page_sent=statistics.median(size for _, size in pages),
        pictures=shown,
    )
    print(" | ".join(_row(view, cost)), flush=True)
    return cost


@contextlib.contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def _window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(UNTIL_PICTURE_MS)
    yield page
    context.close()


def _pictures(view: View, server: Server, browser: Browser, pictures: int) -> list[float]:
    found = []
    with _window(browser) as page:
        page.goto(f"{server.url}/{view.page}?{view.query}")
        _settle(page, view)
        for turn in range(-1, pictures):
            if view.first is not None:
                view.first.by_hand(page)
                _settle(page, view)
            page.evaluate(WATCH, view.picture)
            view.change.by_hand(page)
            milliseconds = float(page.evaluate("window.seqvizCost"))
            if turn >= 0:
                found.append(milliseconds)
            _settle(page, view)
    return found


def _settle(page: Page, view: View) -> None:
    """Until the run has ended and its pictures are there, and as long as a reader looks at one."""
    page.locator(view.picture).first.wait_for(state="attached")
    if view.busy:
        expect(page.locator(view.busy)).to_have_count(0, timeout=UNTIL_PICTURE_MS)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(1000 * PAUSE_SECONDS)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def _cold_start(browser: Browser) -> tuple[float, float]:
    """Seconds until a new server answers, and from there to the first picture."""
    started = time.perf_counter()
    with serve() as server:
        return time.perf_counter() - started, _first_picture(browser, server)


def _first_picture(browser: Browser, server: Server) -> float:
    """Seconds from the address to the home page's picture."""
    with _window(browser) as page:
        started = time.perf_counter()
        page.goto(server.url)
        found = page.locator(".st-key-home-figure svg[role=img]").first
        while True:
            # On a machine that others keep busy a cold worker may pass its deadline; the page then says: try again.
            found.or_(page.get_by_test_id("stAlert").first).first.wait_for()
            if found.is_visible():
                return time.perf_counter() - started
            page.reload()
            page.get_by_test_id("stAlert").wait_for(state="detached")
