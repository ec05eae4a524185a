"""What the tests of a page with a background job share: its line of progress, waiting for it, nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamlit.testing.v1 import AppTest


def query(app: AppTest, name: str) -> str | None:
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def state(app: AppTest) -> str:
    """The line that says how the run is."""
    return next(element.proto.text for element in app.get("progress"))


def until(app: AppTest, true: Callable[[AppTest], bool], *, seconds: float = 40) -> AppTest:
    """Runs the page until something is true of it."""
    end = time.monotonic() + seconds
    while not true(app):
        assert time.monotonic() < end, state(app)
        time.sleep(0.1)
        app.run()
        assert not app.exception
    return app


def stop_all_jobs() -> None:
    """No run goes on behind a test."""
    from app.ui.background import jobs

    registry = jobs()
    for job_id in list(registry._jobs):  # type: ignore[attr-defined]
        registry.stop(job_id)
