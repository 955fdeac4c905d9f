"""The page says in plain words why there is no depth, and waits for a busy service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from browser import open_tab
from page_steps import WAIT_S, choose, wait_for_depth
from served import IMAGE, listening
from tiny_model import TinyModel

from depthrt.engine.images.write import encode_image
from depthrt.serve.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KEY = "a key of many letters"
LONG = encode_image(np.zeros((10, 200, 3), np.uint8), ".png")
DAMAGED = encode_image(np.random.default_rng(1).integers(0, 255, (40, 40, 3), np.uint8), ".png")[:900]
SLOW = encode_image(np.zeros((1500, 2000, 3), np.uint8), ".png")  # long enough in the queue to be noticed
NOT_READ, LARGE, NOT_USED = (
    "This file is not an image that the service reads",
    "This image is too large",
    "The service cannot use this",
)
WRONG = (  # (file, title, part of the text), of statuses 415, 413, 422
    (b"not a picture" * 9, NOT_READ, "Choose a JPEG, PNG, WebP"),
    (bytes(5 * 2**20), LARGE, "The file has 5.0 MiB, the service takes 4.0 MiB."),
    (LONG, NOT_USED, "200"),
    (DAMAGED, NOT_USED, "damaged"),
    (b"", NOT_USED, "empty"),
)
REFUSED = "Failed to load resource"  # the browser's line of every status that is not 2xx


@pytest.fixture(scope="module")
def guarded(tiny_metric: TinyModel) -> Iterator[str]:
    """A service with a key, which takes one request at a time."""
    with listening(Settings(models={"one": tiny_metric.onnx}, threads=1, workers=1, waiting=0, api_key=KEY)) as found:
        yield found


def test_an_error_says_what_is_wrong_and_the_next_file_works(browser: Browser, address: str) -> None:
    with open_tab(browser, address, expected=(REFUSED,)) as tab:
        for content, title, text in WRONG:
            choose(tab, content)
            tab.wait_for_selector(f"#error:not([hidden]) #error-text:has-text('{text}')")
            assert tab.inner_text("#error-title") == title
            assert tab.is_disabled("#save-npy") and tab.is_hidden("#progress")
        choose(tab)
        wait_for_depth(tab, "mirror")
        assert tab.is_hidden("#error") and tab.is_enabled("#save-npy")


def test_a_key_is_asked_for_and_a_busy_service_is_waited_for(browser: Browser, guarded: str) -> None:
    done = threading.Event()

    def keep_busy() -> None:
        headers = {**IMAGE, "X-API-Key": KEY}
        while not done.is_set():
            with suppress(HTTPError), urlopen(Request(f"{guarded}/v1/depth", SLOW, headers), timeout=WAIT_S) as answer:
                answer.read()

    with open_tab(browser, guarded, expected=(REFUSED,)) as tab:
        tab.wait_for_selector("#key-row:not([hidden])")
        assert tab.inner_text("#error-title") == "This service asks for a key"
        tab.fill("#key", KEY)
        tab.click("#again")
        tab.wait_for_selector("#error", state="hidden")
        busy = [threading.Thread(target=keep_busy) for _ in range(2)]
        for thread in busy:
            thread.start()
        try:
            choose(tab)
            tab.wait_for_selector("#progress-text:has-text('Trying again in')")
        finally:
            done.set()
            for thread in busy:
                thread.join()
        wait_for_depth(tab, "one")
        assert tab.is_hidden("#error") and tab.is_hidden("#progress")


def test_a_service_that_is_gone_is_named(browser: Browser, address: str) -> None:
    with open_tab(browser, address, expected=("ERR_INTERNET_DISCONNECTED",)) as tab:
        tab.wait_for_function("() => document.getElementById('other').options.length > 0")
        tab.context.set_offline(True)
        choose(tab)
        tab.wait_for_selector("#error:not([hidden])")
        assert tab.inner_text("#error-title") == "The service does not answer"
        tab.context.set_offline(False)
        tab.click("#again")
        wait_for_depth(tab, "mirror")
