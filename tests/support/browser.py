"""Headless Chromium for tests of the page: launched once a test run; a tab notices what a user must never meet."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
WAIT_MS = 20_000  # for anything that a test waits for; two busy cores draw slowly
_FLAGS = (
    "--disable-quic",
    "--disable-background-networking",  # a browser that looks for updates waits for a closed network
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",  # WebGL2 without a GPU
    "--enable-unsafe-swiftshader",
    "--use-fake-device-for-media-stream",  # a camera with a moving test picture
    "--use-fake-ui-for-media-stream",
)


def why_no_browser() -> str | None:
    """Return what is missing for tests in a browser, and the command that installs it; None if nothing is."""
    if find_spec("playwright") is None:
        return "playwright is not installed; pip install 'depthrt[dev]'"
    if not any(map(shutil.which, PROGRAMS)):
        return f"none of {', '.join(PROGRAMS)} is on PATH; on Debian and Ubuntu: apt-get install chromium"
    return None


class Chromium:
    """A browser and the event loop of its driver, which counts as running only inside `awake`.

    The synchronous interface of playwright leaves the thread with a running loop, in which asyncio.run fails.
    """

    def __init__(self, browser: Browser, loop: AbstractEventLoop | None) -> None:
        self.browser, self._loop = browser, loop

    @contextmanager
    def awake(self) -> Iterator[Browser]:
        """Let the browser be used in the block."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self.browser
        finally:
            asyncio._set_running_loop(None)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Run a browser."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, PROGRAMS)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program,
            args=_FLAGS,
            chromium_sandbox=hasattr(os, "geteuid") and os.geteuid() != 0,  # it refuses to sandbox root
        )
        found = Chromium(browser, asyncio._get_running_loop())
        asyncio._set_running_loop(None)
        yield found
        with found.awake():
            browser.close()
        asyncio._set_running_loop(found._loop)


@contextmanager
def open_tab(
    browser: Browser,
    address: str,
    *,
    size_px: tuple[int, int] = (1280, 900),
    dark: bool = False,
    script: bool = True,
    expected: tuple[str, ...] = (),
) -> Iterator[Page]:
    """Open an address in a new window without history; at the end refuse errors and requests to other hosts.

    Args:
        browser: Of `Chromium.awake`.
        address: Of the service or of a page of it.
        size_px: Width and height of the window.
        dark: Whether the user prefers dark pages.
        script: Whether JavaScript is on.
        expected: Parts of lines of the console that are not refused.
    """
    width, height = size_px
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        accept_downloads=True,
        reduced_motion="reduce",
    ) as context:
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        wrong: list[str] = []

        def hear(line: ConsoleMessage) -> None:
            if line.type in ("error", "warning") and not any(part in line.text for part in expected):
                wrong.append(line.text)

        def look(request: Request) -> None:
            if not request.url.startswith((address, "blob:", "data:")):
                wrong.append(f"request to {request.url}")

        page.on("console", hear)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", look)
        page.goto(address)
        yield page
        assert not wrong, wrong
