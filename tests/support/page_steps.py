"""What tests do on the page in a browser, step by step, and what the service answers to the same photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import numpy as np
from browser import WAIT_MS
from numpy.typing import NDArray
from served import IMAGE, PHOTO, read_npy

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_SIDE_PX = 1600  # of the depth that the page asks for
WAIT_S = WAIT_MS / 1000


def choose(tab: Page, content: bytes = PHOTO, *, name: str = "photo.png") -> None:
    """Choose a file without waiting for its depth."""
    tab.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})


def wait_for_depth(tab: Page, model: str) -> None:
    """Wait until the depth by a model is shown."""
    tab.wait_for_function(
        "model => document.getElementById('reading').textContent.startsWith(`Depth by ${model} is shown`)", arg=model
    )


def show(tab: Page, model: str = "mirror") -> None:
    """Choose the photograph, and the model by its name unless it is the first."""
    choose(tab)
    wait_for_depth(tab, "mirror")
    if model != "mirror":
        tab.select_option("#model", model)
        wait_for_depth(tab, model)


def hover(tab: Page, shape: tuple[int, int], row: int, column: int) -> str:
    """Point at the middle of a pixel; return what the page says of it."""
    box = tab.locator("#view").bounding_box()
    assert box is not None
    height, width = shape
    tab.mouse.move(box["x"] + box["width"] * (column + 0.5) / width, box["y"] + box["height"] * (row + 0.5) / height)
    return tab.locator("#chip").inner_text()


def picture_of(tab: Page, canvas: str = "#over") -> str:
    """Return what stands on a canvas."""
    return str(tab.eval_on_selector(canvas, "canvas => canvas.toDataURL()"))


def post(address: str, path: str, body: bytes = PHOTO) -> bytes:
    """Return the service's answer."""
    with urlopen(Request(f"{address}/{path}", body, IMAGE), timeout=WAIT_S) as answer:
        found: bytes = answer.read()
    return found


def depth_of(address: str, model: str) -> NDArray[np.float32]:
    """Return the depth that the service finds in the photograph."""
    return read_npy(post(address, f"v1/depth?format=npy&max_side={MOST_SIDE_PX}&model={model}"))
