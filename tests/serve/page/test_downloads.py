"""The files that the page gives hold what the service answers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from browser import open_tab
from page_steps import WAIT_S, depth_of, post, show
from served import PHOTO, PHOTO_PX

from depthrt.engine.depth.colour import colorize

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

GAP_PX = 50


def save(tab: Page, button: str) -> tuple[str, bytes]:
    """Click; return name and content of the file."""
    with tab.expect_download() as found:
        tab.click(button)
    return found.value.suggested_filename, Path(found.value.path()).read_bytes()


def studys_picture(address: str, **fields: str) -> bytes:
    """Return what the study's form answers to a plain client."""
    import httpx2

    files = {"file": ("photo.png", PHOTO, "image/png")}
    answer = httpx2.post(f"{address}/infer", files=files, data=fields, timeout=WAIT_S)
    assert answer.status_code == 200
    content: bytes = answer.content
    return content


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Page]:
    with open_tab(browser, address) as found:
        yield found


def test_files_of_a_relative_model(tab: Page, address: str) -> None:
    show(tab)
    assert tab.is_disabled("#save-ply") and "Points need metres" in tab.inner_text("#ply-why")
    name, values = save(tab, "#save-npy")
    depth = np.load(io.BytesIO(values))
    assert name == "photo-depth.npy" and np.array_equal(depth, depth_of(address, "mirror"))
    tab.click("[data-range=full]")
    tab.wait_for_timeout(100)
    name, picture = save(tab, "#save-png")
    found = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert name == "photo-depth.png" and found is not None and found.shape == (*PHOTO_PX, 3)
    ends = sorted(float(tab.inner_text(place).split()[0]) for place in ("#near-value", "#far-value"))
    engine = colorize(depth, np.isfinite(depth), larger_is_nearer=True, value_range=(ends[0], ends[1]))
    assert np.abs(found.astype(int) - engine).mean() < 1, "the ends are rounded to 4 digits"


def test_points_of_a_metric_model(tab: Page, address: str) -> None:
    show(tab, "metres")
    tab.fill("#fov", "70")
    name, points = save(tab, "#save-ply")
    assert name == "photo-points.ply" and points == post(address, "v1/pointcloud?model=metres&max_side=1600&fov=70")


@pytest.mark.parametrize("pretrained", ["false", "true"])
def test_the_form_of_the_page_gives_the_studys_picture(tab: Page, address: str, pretrained: str) -> None:
    show(tab)
    tab.click(f"label[for=pretrained-{pretrained}]")
    tab.click("label[for=otype-grayscale]")
    name, picture = save(tab, "#submit")
    assert name == "photo-output.png"
    assert picture == studys_picture(address, pretrained=pretrained, augment="mirror", otype="grayscale")


def test_a_model_of_no_role_has_the_same_picture_made_here(tab: Page) -> None:
    show(tab, "metres")
    _, picture = save(tab, "#submit")
    found = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    height, width = PHOTO_PX
    assert found is not None and found.shape == (height, 2 * width + GAP_PX, 3)
    assert (found[:, width : width + GAP_PX] == 255).all()


def test_the_form_works_without_scripts(browser: Browser, address: str) -> None:
    with open_tab(browser, address, script=False) as tab:
        tab.set_input_files("#file", {"name": "photo.png", "mimeType": "image/png", "buffer": PHOTO})
        tab.click("label[for=pretrained-true]")
        name, picture = save(tab, "#submit")
        assert name == "output.png"
        assert picture == studys_picture(address, pretrained="true", augment="mirror", otype="colormap")
