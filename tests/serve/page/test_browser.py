"""The browser opens the page of a listening service, and leaves asyncio to other tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from browser import open_tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_the_page_opens(browser: Browser, address: str) -> None:
    with open_tab(browser, address) as tab:
        assert "depthrt" in tab.title()


def test_an_error_of_a_script_is_refused(browser: Browser, address: str) -> None:
    with pytest.raises(AssertionError, match="planted"), open_tab(browser, address) as tab:
        tab.evaluate("setTimeout(() => { throw new Error('planted'); })")
        tab.wait_for_timeout(50)


def test_asyncio_is_free_between_tests() -> None:
    asyncio.run(asyncio.sleep(0))
