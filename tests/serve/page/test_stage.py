"""The page shows a photograph and its depth, and says of every pixel what the service's values say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from browser import open_tab
from page_steps import depth_of, hover, picture_of, show, wait_for_depth

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHOWN_REL = 6e-4  # readings have 4 significant digits
PIXELS = ((7, 11), (30, 45), (58, 88))  # (row, column)
SMALL_PX = (480, 360)
LEAST_COLOURS = 100  # of a view in space that shows something


@pytest.mark.parametrize(("model", "unit"), [("mirror", " relative, larger is nearer"), ("metres", " m")])
def test_the_reading_under_the_pointer_is_the_services_value(
    browser: Browser, address: str, model: str, unit: str
) -> None:
    values = depth_of(address, model)
    with open_tab(browser, address) as tab:
        show(tab, model)
        for row, column in PIXELS:
            number, _, rest = hover(tab, values.shape, row, column).partition(" ")
            assert float(number) == pytest.approx(values[row, column], rel=SHOWN_REL) and f" {rest}" == unit


def test_colours_and_their_range_change_without_a_request(browser: Browser, address: str) -> None:
    with open_tab(browser, address) as tab:
        show(tab)
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        seen = [picture_of(tab)]
        for step in ("label[for=otype-grayscale]", "label[for=otype-turbo]", "[data-range=full]"):
            tab.click(step)
            seen.append(changed(tab, seen[-1]))
        tab.press("#near", "PageUp")
        seen.append(changed(tab, seen[-1]))
        assert len(set(seen)) == len(seen) and asked == []
        assert tab.get_attribute("#near", "aria-valuetext") == tab.inner_text("#near-value")


def test_the_divider_and_the_reading_point_obey_the_keyboard(browser: Browser, address: str) -> None:
    values = depth_of(address, "mirror")
    with open_tab(browser, address) as tab:
        show(tab)
        before = tab.eval_on_selector("#over", "canvas => canvas.style.clipPath")
        tab.press("#divide", "ArrowRight")
        assert tab.get_attribute("#divide", "aria-valuetext") == "51 % Photograph"
        assert tab.eval_on_selector("#over", "canvas => canvas.style.clipPath") != before
        tab.keyboard.press("Shift+Tab")
        assert tab.evaluate("document.activeElement.id") == "probe"
        tab.keyboard.press("Shift+ArrowUp")
        row, column = int(0.4 * values.shape[0]), int(0.5 * values.shape[1])
        tab.wait_for_selector("#reading:has-text('relative')")
        assert float(tab.inner_text("#reading").split()[0]) == pytest.approx(values[row, column], rel=SHOWN_REL)


def test_two_models_stand_beside_each_other_and_their_difference_is_told(browser: Browser, address: str) -> None:
    with open_tab(browser, address) as tab:
        show(tab)
        assert tab.is_disabled("[data-view=models]") and "choose Both" in tab.inner_text("#views-why")
        tab.click("label[for=pretrained-both]")
        tab.wait_for_selector("[data-view=models][aria-pressed=true]")
        tab.wait_for_selector("#left-label:has-text('Pre-trained')")
        assert tab.inner_text("#right-label") == "Fine-tuned"
        assert picture_of(tab, "#under") != picture_of(tab, "#over")
        assert "Pre-trained" in hover(tab, (60, 90), 20, 30) and tab.is_visible(".grip")
        tab.click("[data-view=difference]")
        tab.wait_for_selector("#scale-note:has-text('least squares')")
        assert tab.inner_text("#farther") == "Fine-tuned sees it farther than Pre-trained" and tab.is_hidden(".grip")
        assert hover(tab, (60, 90), 21, 30).endswith(("farther", "nearer"))
        before = picture_of(tab)
        tab.press("#strength", "Home")
        assert changed(tab, before) != before
        tab.click("label[for=pretrained-true]")
        wait_for_depth(tab, "pretrained-mirror")
        assert tab.get_attribute("[data-view=depth]", "aria-pressed") == "true"


def test_the_view_in_space_says_whether_it_has_metres(browser: Browser, address: str) -> None:
    with open_tab(browser, address, size_px=SMALL_PX) as tab:  # a processor draws it
        show(tab)
        tab.click("[data-view=space]")
        tab.wait_for_selector("#space-label:has-text('Relief without scale')")
        tab.select_option("#model", "metres")
        tab.wait_for_selector("#space-label:has-text('Points in metres')")
        tab.wait_for_timeout(100)  # two frames
        shot = np.frombuffer(tab.locator("#cloud").screenshot(), np.uint8)
        seen = cv2.imdecode(shot, cv2.IMREAD_COLOR)
        assert seen is not None and len(np.unique(seen.reshape(-1, 3), axis=0)) > LEAST_COLOURS


def changed(tab: Page, before: str) -> str:
    """Return the picture once it differs."""
    tab.wait_for_function("before => document.getElementById('over').toDataURL() !== before", arg=before)
    return picture_of(tab)
