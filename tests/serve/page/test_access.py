"""The page can be used by everybody: axe finds nothing, no width makes it scroll sideways, the keyboard reaches all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import open_tab
from page_steps import show

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS_PX = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
SMALL_PX = (700, 500)  # of the window: a processor draws the view in space
SMALLEST_PX = 24  # of what a finger or a pointer meets; WCAG 2.2, success criterion 2.5.8
REACHED = ("views", "probe", "divide", "near", "far", "model", "submit", "save-png", "save-npy")
SMALL = """() => [...document.querySelectorAll('button, select, a, .segments label, .swatches label')]
    .filter(element => element.getClientRects().length && !element.matches('.skip, p a'))
    .filter(element => Math.min(element.offsetWidth, element.offsetHeight) < %d).map(element => element.outerHTML)"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_wrong(browser: Browser, address: str, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install 'depthrt[dev]'").Axe()
    with open_tab(browser, address, dark=dark, size_px=SMALL_PX) as tab:
        wrong = {"welcome": axe.run(tab).response["violations"]}
        show(tab, "metres")
        tab.click("#about summary")
        wrong["depth"] = axe.run(tab).response["violations"]
        tab.select_option("#other", "mirror")
        tab.wait_for_selector("[data-view=models][aria-pressed=true]")
        tab.click("[data-view=difference]")
        wrong["difference"] = axe.run(tab).response["violations"]
        tab.click("[data-view=space]")
        tab.wait_for_selector("#space-label:not(:empty)")
        wrong["space"] = axe.run(tab).response["violations"]
        tab.click("#panel [data-do=camera]")
        wrong["camera"] = axe.run(tab).response["violations"]
    found = {
        view: [(rule["id"], node["html"][:120]) for rule in rules for node in rule["nodes"]]
        for view, rules in wrong.items()
    }
    assert {view: rules for view, rules in found.items() if rules} == {}


@pytest.mark.parametrize("width", WIDTHS_PX)
def test_every_width_fits(browser: Browser, address: str, width: str) -> None:
    with open_tab(browser, address, size_px=WIDTHS_PX[width]) as tab:
        for step in (None, "[data-view=space]"):
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert tab.evaluate(SMALL % SMALLEST_PX) == []
            if step is None:
                show(tab, "metres")
            else:
                tab.click(step)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_reaches_everything_in_order(browser: Browser, address: str) -> None:
    with open_tab(browser, address) as tab:
        tab.keyboard.press("Tab")
        assert tab.inner_text(":focus") == "Skip to the choices"
        show(tab)
        tab.evaluate("document.body.focus()")
        seen: list[str] = []
        for _ in range(60):
            tab.keyboard.press("Tab")
            seen.append(tab.evaluate("document.activeElement.id || document.activeElement.parentElement?.id || ''"))
        places = [seen.index(name) for name in REACHED]
        assert places == sorted(places)
