"""A photograph comes to the page by every way; the name of a file is never more than a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import open_tab
from page_steps import choose, wait_for_depth

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>.png'
FILE = """async name => {
    const blob = await (await fetch('page/samples/cat.jpg')).blob();
    const transfer = new DataTransfer();
    transfer.items.add(new File([blob], name, {type: 'image/jpeg'}));
    return transfer;
}"""

PASTE = "data => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, cancelable: true}))"


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_file_is_dropped_or_pasted(browser: Browser, address: str, event: str) -> None:
    with open_tab(browser, address) as tab:
        transfer = tab.evaluate_handle(FILE, "cat.jpg")
        if event == "drop":
            tab.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
            assert tab.is_visible("#drop")
            tab.dispatch_event("body", "drop", {"dataTransfer": transfer})
        else:
            tab.evaluate(
                "t => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: t, cancelable: true}))",
                transfer,
            )
        wait_for_depth(tab, "mirror")
        assert tab.inner_text("#file-name") == "cat.jpg" and tab.is_hidden("#drop")


def test_a_sample_and_then_the_camera(browser: Browser, address: str) -> None:
    with open_tab(browser, address) as tab:
        tab.click("[data-sample=room]")
        wait_for_depth(tab, "mirror")
        tab.click("#panel [data-do=camera]")
        tab.click("#camera-take:not(:disabled)")
        tab.wait_for_function("() => document.getElementById('file-name').textContent === 'camera.jpg'")
        wait_for_depth(tab, "mirror")
        assert tab.is_hidden("#camera") and tab.evaluate("document.getElementById('camera-video').srcObject") is None


def test_html_in_the_name_of_a_file_is_inert(browser: Browser, address: str) -> None:
    with open_tab(browser, address) as tab:
        title, pictures = tab.title(), tab.locator("img").count()
        choose(tab, name=HOSTILE)
        wait_for_depth(tab, "mirror")
        assert tab.inner_text("#file-name") == HOSTILE
        assert (tab.title(), tab.locator("img").count()) == (title, pictures)
        with tab.expect_download() as found:
            tab.click("#save-npy")
        assert not set(found.value.suggested_filename) & set("<>\"'/\\=")
