"""A browser and a listening service, which the tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import Chromium, chromium, why_no_browser
from page_modules import module_tab
from served import listening
from tiny_model import TinyModel

from depthrt.serve.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def the_chromium() -> Iterator[Chromium]:
    """The browser of the test run; tests ask for `browser`."""
    if (reason := why_no_browser()) is not None:
        pytest.skip(f"the page is NOT tested: {reason}")
    with chromium() as found:
        yield found


@pytest.fixture
def browser(the_chromium: Chromium) -> Iterator[Browser]:
    """The browser, for one test."""
    with the_chromium.awake() as found:
        yield found


@pytest.fixture(scope="session")
def address(tiny_metric: TinyModel) -> Iterator[str]:
    """A listening service of the model that comes with depthrt, as a fine-tuned one, and of a tiny metric model."""
    models: dict[str, Path | str] = {
        "mirror": "default",
        "pretrained-mirror": tiny_metric.onnx,
        "metres": tiny_metric.onnx,
    }
    with listening(Settings(models=models, threads=1, max_body_mib=4)) as found:
        yield found


@pytest.fixture(scope="session")
def _one_tab(the_chromium: Chromium, address: str) -> Iterator[Page]:
    with ExitStack() as stack:
        with the_chromium.awake() as browser:
            tab = stack.enter_context(module_tab(browser, address))
        yield tab
        with the_chromium.awake():
            stack.close()


@pytest.fixture
def modules(the_chromium: Chromium, _one_tab: Page) -> Iterator[Page]:
    """An empty document, for tests of the page's modules; all of them share it."""
    with the_chromium.awake():
        _one_tab.evaluate("document.body.replaceChildren()")
        yield _one_tab
