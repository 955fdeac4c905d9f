"""Makes docs/page.jpg, and pictures of the page in every width: python docs/page_pictures.py [FOLDER [NAME=FILE ...]].

It needs Chromium and the extra `dev`. The files are models to serve instead of the default one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from depthrt.serve.settings import Settings

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from browser import chromium, open_tab  # noqa: E402
from served import listening  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS_PX = {"phone": (390, 900), "tablet": (820, 1180), "desktop": (1440, 900)}
VIEWS = ("welcome", "depth", "models", "difference", "space")
SAMPLES = {"space": "room"}  # else launch
POINT = (0.705, 0.46)  # where the picture is read, as shares of its width and height
SETTLE_MS = 1500  # after which nothing moves
GAP_PX = 36
PAPER_BGR = (240, 244, 245)  # of the page in the light
WIDTH_PX = 1600  # of page.jpg
JPEG_QUALITY = 84


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    models: dict[str, Path | str] = {}
    for argument in sys.argv[2:]:
        name, _, path = argument.partition("=")
        models[name] = path
    settings = Settings(models=models) if models else Settings()
    with listening(settings) as address, chromium() as found, found.awake() as browser:
        desktop = picture(browser, address, "desktop", "depth", dark=False)
        phone = picture(browser, address, "phone", "space", dark=True)
        cv2.imwrite(str(HERE / "page.jpg"), beside(desktop, phone), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for view in VIEWS:
                for width in WIDTHS_PX:
                    for light in ("light", "dark"):
                        seen = picture(browser, address, width, view, dark=light == "dark", whole=True)
                        cv2.imwrite(str(folder / f"{view}-{width}-{light}.png"), seen)


def picture(
    browser: Browser, address: str, width: str, view: str, *, dark: bool, whole: bool = False
) -> NDArray[np.uint8]:
    """Return what a window shows, (H, W, 3) uint8 BGR."""
    with open_tab(browser, address, size_px=WIDTHS_PX[width], dark=dark) as tab:
        if view != "welcome":
            show(tab, view)
        tab.wait_for_timeout(SETTLE_MS)
        if view == "depth":
            point(tab)
        shot = np.frombuffer(tab.screenshot(full_page=whole), np.uint8)
    return np.asarray(cv2.imdecode(shot, cv2.IMREAD_COLOR), np.uint8)


def show(tab: Page, view: str) -> None:
    """Choose the sample and a view; two models where the view needs them and they are served."""
    tab.click(f"[data-sample={SAMPLES.get(view, 'launch')}]")
    tab.wait_for_selector("#save-npy:not(:disabled)")
    if view in ("models", "difference") and tab.is_enabled("#pretrained-both"):
        tab.click("label[for=pretrained-both]")
        tab.wait_for_selector("[data-view=models]:not(:disabled)")
    if tab.is_enabled(f"[data-view={view}]"):
        tab.click(f"[data-view={view}]")


def point(tab: Page) -> None:
    """Move the pointer to where the reading is shown."""
    box = tab.locator("#view").bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + POINT[0] * box["width"], box["y"] + POINT[1] * box["height"])
    tab.wait_for_timeout(100)


def beside(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return two pictures on one sheet of WIDTH_PX."""
    sheet = np.full((max(len(left), len(right)), left.shape[1] + GAP_PX + right.shape[1], 3), PAPER_BGR, np.uint8)
    for part, column in ((left, 0), (right, left.shape[1] + GAP_PX)):
        sheet[: len(part), column : column + part.shape[1]] = part
    height_px = round(WIDTH_PX * len(sheet) / sheet.shape[1])
    return np.asarray(cv2.resize(sheet, (WIDTH_PX, height_px), interpolation=cv2.INTER_AREA), np.uint8)  # (w, h)


if __name__ == "__main__":
    main()
