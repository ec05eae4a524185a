"""What a visitor waits for: the page and a changed sentence, over the websocket that the browser uses."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from benchmarks.measure import Table

ROOT = Path(__file__).resolve().parent.parent
VISITS = 5
CHANGES = 15
PAUSE_SECONDS = 0.3  # a person is no faster, and Streamlit's socket delays what follows within 0.1 s
WAIT_SECONDS = 60.0

# The server as `streamlit run` starts it, after other imports: what a page that imports torch makes of the process.
WITH_TORCH = "import sys, torch; from streamlit.web.cli import main; sys.argv[0] = 'streamlit'; main()"
PLAIN = WITH_TORCH.replace("sys, torch", "sys")

AS_DELIVERED = "as delivered (no torch, no collection after runs)"
WITH_TORCH_TOO = "the same, with torch in the server's process"
VARIANTS = {
    AS_DELIVERED: (PLAIN, "false"),
    "Streamlit's default: collection after every run": (PLAIN, "true"),
    WITH_TORCH_TOO: (WITH_TORCH, "true"),
}


@dataclass(slots=True)
class Visit:
    """One browser session: its connection and what it has heard."""

    connection: ClientConnection
    page: str = "unroll"
    sentence_id: str = ""

    def run(self, query: str, sentence: str | None = None) -> tuple[float, int]:
        """Asks for a run of the script, with a changed sentence if one is given: seconds until its end, bytes."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = self.page
        if sentence is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.string_value = self.sentence_id, sentence
        started = time.perf_counter()
        self.connection.send(message.SerializeToString())
        total = 0
        while True:
            data = self.connection.recv(timeout=WAIT_SECONDS)
            total += len(data)
            heard = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            element = heard.delta.new_element
            if element.WhichOneof("type") == "text_input" and not self.sentence_id:
                self.sentence_id = element.text_input.id
            if heard.WhichOneof("type") != "script_finished":
                continue
            if heard.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return time.perf_counter() - started, total
            raise RuntimeError(f"the script ended with {heard.script_finished}")


def measure() -> Table:
    """All servers run side by side and take turns."""
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(serve(program, collect)) for name, (program, collect) in VARIANTS.items()}
        pages: dict[str, list[tuple[float, int]]] = {name: [] for name in ports}
        changes: dict[str, list[tuple[float, int]]] = {name: [] for name in ports}
        for port in ports.values():
            with visit_of(port) as visit:
                visit.run("")  # workers start, models load, modules are imported
        for _ in range(VISITS):
            for name, port in ports.items():
                with visit_of(port) as visit:
                    pages[name].append(visit.run(urlencode({"text": _sentence()})))
        open_visits = {name: stack.enter_context(visit_of(port)) for name, port in ports.items()}
        for visit in open_visits.values():
            visit.run("")
            visit.run("", _sentence())
        for _ in range(CHANGES):
            for name, visit in open_visits.items():
                changes[name].append(visit.run("", _sentence()))
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


@contextlib.contextmanager
def visit_of(port: int, page: str = "unroll") -> Iterator[Visit]:
    """A browser's session on one page of a server."""
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, compression=None
    ) as connection:
        yield Visit(connection, page=page)


@contextlib.contextmanager
def serve(program: str = PLAIN, collect: str = "false") -> Iterator[int]:
    """The app on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = {
        "server.headless": "true",
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.fileWatcherType": "none",
        "runner.postScriptGC": collect,
    }
    command = [sys.executable, "-c", program, "run", "app/streamlit_app.py"]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "SEQVIZ_WORKERS": "1"}, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
            return
        time.sleep(0.1)
    raise RuntimeError("the app did not start")
