"""The app in a real Chromium: started once, driven page by page; console errors fail a test.

Chromium is found in SEQVIZ_CHROMIUM or on the PATH. Without one the tests skip on a developer's machine and fail in
CI. Screenshots of failed tests are left in test-results/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tools.serving import find_chromium, serve_app

ROOT = Path(__file__).resolve().parents[2]
DESKTOP, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
NO_CHROMIUM = (
    "no Chromium found: install it (Debian: apt install chromium; elsewhere: playwright install chromium) "
    "and set SEQVIZ_CHROMIUM to its path if it is not on the PATH"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # One app and one browser: all of these tests go to the same process of pytest-xdist.
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium."""
    path = find_chromium()
    if path:
        return path
    if os.environ.get("CI"):
        pytest.fail(NO_CHROMIUM, pytrace=False)
    pytest.skip(NO_CHROMIUM)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: str) -> dict[str, Any]:
    # In a container Chromium runs as root, which its sandbox refuses.
    return {**browser_type_launch_args, "executable_path": chromium, "args": ["--no-sandbox"]}


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """An English reader at a small laptop, or at the ``viewport`` that the test is parametrized with."""
    viewport = request.getfixturevalue("viewport") if "viewport" in request.fixturenames else DESKTOP
    return {**browser_context_args, "viewport": viewport, "locale": "en-US", "reduced_motion": "reduce"}


@pytest.fixture
def viewport(request: pytest.FixtureRequest) -> dict[str, int]:
    return getattr(request, "param", DESKTOP)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, with the checkpoints that come with seqviz."""
    with serve_app(log=tmp_path_factory.mktemp("app") / "app.log") as url:
        yield url


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page whose console must stay clean."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        source = message.location.get("url", "")
        # On a page's own address Streamlit's client first looks for the server below that address, in vain.
        if message.type == "error" and not source.endswith(("/_stcore/health", "/_stcore/host-config")):
            said.append(f"console: {message.text} ({source})")

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(f"page: {error}"))
    page.set_default_timeout(15_000)
    yield page
    assert said == []
