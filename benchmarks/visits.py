"""Servers and their visitors, measured from outside: the browser's websocket, and the processes behind it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

from tools.serving import run_app

WAIT_SECONDS = 120.0

# The server as `streamlit run` starts it.
PLAIN = "import sys; from streamlit.web.cli import main; sys.argv[0] = 'streamlit'; main()"


@dataclass(frozen=True, slots=True)
class Widget:
    """An input that the server has drawn: its id, and the fragment whose run a change of it asks for."""

    id: str
    fragment: str


@dataclass(slots=True)
class Visit:
    """One browser session: its connection, its page, the inputs that it has seen and what stands in them."""

    connection: ClientConnection
    page: str = ""
    query: str = ""
    widgets: dict[str, Widget] = field(default_factory=dict)
    values: dict[str, WidgetState] = field(default_factory=dict)

    def open(self) -> tuple[float, int]:
        """Asks for the page: seconds until the end of the script's run, bytes."""
        return self._run("")

    def change(self, key: str, kind: str, value: Any) -> tuple[float, int]:
        """Changes an input and asks for the run that follows; seconds and bytes, as ``open``.

        Args:
            key: of the widget.
            kind: field of the widget's state: ``"string_value"``, ``"int_value"``, ``"trigger_value"`` ...
            value: what it is changed to.
        """
        widget = self.widgets[key]
        state = WidgetState(id=widget.id)
        setattr(state, kind, value)
        self.values[widget.id] = state
        spent = self._run(widget.fragment)
        if kind == "trigger_value":  # a button is pressed once
            del self.values[widget.id]
        return spent

    def _run(self, fragment: str) -> tuple[float, int]:
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend(self.values.values())
        started = time.perf_counter()
        self.connection.send(message.SerializeToString())
        total = 0
        while True:
            data = self.connection.recv(timeout=WAIT_SECONDS)
            total += len(data)
            heard = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            self._note(heard)
            if heard.WhichOneof("type") != "script_finished":
                continue
            good = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
            if heard.script_finished in good:
                return time.perf_counter() - started, total
            if heard.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                raise RuntimeError(f"the script ended with {heard.script_finished}")

    def _note(self, heard: ForwardMsg) -> None:
        if heard.WhichOneof("type") == "page_info_changed":
            self.query = heard.page_info_changed.query_string
        element = heard.delta.new_element
        kind = element.WhichOneof("type")
        identity = str(getattr(getattr(element, kind), "id", "")) if kind else ""
        if identity.count("-") >= 2:
            self.widgets[identity.split("-", 2)[2]] = Widget(identity, heard.delta.fragment_id)


@contextlib.contextmanager
def visit(port: int, page: str = "", query: str = "") -> Iterator[Visit]:
    """A session with the server of a port."""
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, compression=None
    ) as connection:
        yield Visit(connection, page=page, query=query)


@dataclass(frozen=True, slots=True)
class Server:
    """A running app."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Processor time of the server and its workers since their start."""
        ticks = 0
        for pid in _family(self.pid):
            with contextlib.suppress(OSError):
                after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
                ticks += int(after_name[11]) + int(after_name[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self) -> int:
        """Memory of the server and its workers; a page that several share counts once (proportional set size)."""
        total = 0
        for pid in _family(self.pid):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text().rpartition(") ")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found, open_ends = [], [pid]
    while open_ends:
        one = open_ends.pop()
        found.append(one)
        open_ends += children.get(one, [])
    return found


@contextlib.contextmanager
def serve(
    program: str = PLAIN, *, collect: str = "false", environment: dict[str, str] | None = None
) -> Iterator[Server]:
    """Runs the app until the block ends; waits until it answers."""
    streamlit, options = [sys.executable, "-c", program], {"runner.postScriptGC": collect}
    with run_app(streamlit, log=Path(os.devnull), environment=environment, options=options) as app:
        yield Server(app.port, app.pid)
