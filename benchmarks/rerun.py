"""What a visitor waits for: the page and a changed sentence, over the websocket that the browser uses."""

from __future__ import annotations

import contextlib
import statistics
import time
from urllib.parse import urlencode

from benchmarks.measure import Table
from benchmarks.visits import PLAIN, serve, visit

VISITS = 5
CHANGES = 15
PAUSE_SECONDS = 0.3  # a person is no faster, and Streamlit's socket delays what follows within 0.1 s
PAGE, BOX = "unroll", ("text", "string_value")

# What a page that imports torch makes of the server's process.
WITH_TORCH = PLAIN.replace("import sys;", "import sys, torch;")

AS_DELIVERED = "as delivered (no torch, no collection after runs)"
WITH_TORCH_TOO = "the same, with torch in the server's process"
VARIANTS = {
    AS_DELIVERED: (PLAIN, "false"),
    "Streamlit's default: collection after every run": (PLAIN, "true"),
    WITH_TORCH_TOO: (WITH_TORCH, "true"),
}


def measure() -> Table:
    """All servers run side by side and take turns."""
    one_worker = {"SEQVIZ_WORKERS": "1"}
    with contextlib.ExitStack() as stack:
        ports = {
            name: stack.enter_context(serve(program, collect=collect, environment=one_worker)).port
            for name, (program, collect) in VARIANTS.items()
        }
        pages: dict[str, list[tuple[float, int]]] = {name: [] for name in ports}
        changes: dict[str, list[tuple[float, int]]] = {name: [] for name in ports}
        for port in ports.values():
            with visit(port, PAGE) as one:
                one.open()  # workers start, models load, modules are imported
        for _ in range(VISITS):
            for name, port in ports.items():
                with visit(port, PAGE, urlencode({"text": _sentence()})) as one:
                    pages[name].append(one.open())
        open_visits = {name: stack.enter_context(visit(port, PAGE)) for name, port in ports.items()}
        for one in open_visits.values():
            one.open()
            one.change(*BOX, _sentence())
        for _ in range(CHANGES):
            for name, one in open_visits.items():
                changes[name].append(one.change(*BOX, _sentence()))
                time.sleep(PAUSE_SECONDS)
    rows = []
    for name in ports:
        page, change = (statistics.median(seconds for seconds, _ in found[name]) for found in (pages, changes))
        sizes = (statistics.median(size for _, size in found[name]) for found in (pages, changes))
        rows.append(
            (name, f"{page * 1000:.0f} ms", f"{change * 1000:.0f} ms", *(f"{size / 1000:.0f} kB" for size in sizes))
        )
    ours, torch = (statistics.median(s for s, _ in changes[name]) for name in (AS_DELIVERED, WITH_TORCH_TOO))
    return Table(
        title="A page and a changed sentence, over the websocket",
        says=(
            "From the message that asks for a run of the script to the one that says it has finished, the Unroll page, "
            "20 characters that were never asked before; on a warm server, servers taking turns. Bytes are those of "
            "the websocket's messages; Streamlit's own scripts and fonts (cached by the browser) come on top."
        ),
        header=("server", "page in a new session", "changed sentence", "bytes, page", "bytes, change"),
        rows=tuple(rows),
        goals=(
            f"A changed sentence within 150 ms of server time: {ours * 1000:.0f} ms.",
            f"The same with torch in the server and Streamlit's default collection: {torch / ours:.1f} times as long.",
        ),
    )


def _sentence() -> str:
    """A sentence of 20 characters that nobody has asked for yet."""
    return f"To be or {time.time_ns() % 10**11:011d}"
