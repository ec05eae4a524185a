"""The app for tests and screenshots: started headless on a free port, stopped at the end; and the browser to see it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RunningApp:
    """Where a server is: its address without a slash at the end, its port, the id of its process."""

    url: str
    port: int
    pid: int


@contextmanager
def serve_app(*, log: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Runs the app until the block ends.

    Args:
        log: file for what the server says.
        environment: variables on top of the present ones, for example ``SEQVIZ_CHECKPOINTS``.

    Yields:
        Its address, without a slash at the end.

    Raises:
        RuntimeError: the server did not come up; the message holds its log.
    """
    with run_app([sys.executable, "-m", "streamlit"], log=log, environment=environment) as app:
        yield app.url


@contextmanager
def run_app(
    streamlit: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Iterator[RunningApp]:
    """The same for a command of one's own that stands for ``streamlit``, with further options of ``streamlit run``."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [*streamlit, "run", "app/streamlit_app.py"]
    all_options = {
        "server.headless": "true",
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.fileWatcherType": "none",
        **(options or {}),
    }
    command += [part for name, value in all_options.items() for part in (f"--{name}", value)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, url, log)
            yield RunningApp(url, port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def find_chromium() -> str | None:
    """The path of Chromium: ``SEQVIZ_CHROMIUM``, or the first one on the PATH; None if there is none."""
    names = (os.environ.get("SEQVIZ_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310 (its own address)
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)  # a benchmark measures how long the start takes
    raise RuntimeError(f"the app did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")
