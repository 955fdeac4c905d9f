"""The browser opens the page of a listening service, and leaves asyncio to other tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from browser import open_tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_an_error_of_a_script_is_refused(browser: Browser, address: str) -> None:
    tab_of = open_tab(browser, address)
    with pytest.raises(AssertionError, match="planted"), tab_of as tab, tab.expect_event("pageerror"):
        tab.evaluate("setTimeout(() => { throw new Error('planted'); })")


def test_a_request_to_another_host_is_refused(browser: Browser, address: str) -> None:
    tab_of = open_tab(browser, address)
    with pytest.raises(AssertionError, match="Content Security Policy"), tab_of as tab:
        tab.evaluate("fetch('https://example.org/').catch(() => null)")


def test_asyncio_is_free_between_tests() -> None:
    asyncio.run(asyncio.sleep(0))
