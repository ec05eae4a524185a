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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTING_SECONDS = 60.0


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
    url = f"http://127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "streamlit", "run", "app/streamlit_app.py"]
    options = {
        "server.headless": "true",
        "server.address": "127.0.0.1",
        "server.port": url.rsplit(":", 1)[1],
        "server.fileWatcherType": "none",
    }
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, url, log)
            yield url
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
            time.sleep(0.1)
    raise RuntimeError(f"the app did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")
