"""Options are checked to the last letter."""

from __future__ import annotations

import pytest

from depthrt.serve.decode.options import OF_DEPTH, OF_POINTS, OPTIONS, Options, read_options
from depthrt.serve.refusal import Refusal


def test_nothing_given_is_nothing_asked() -> None:
    assert read_options([], OF_DEPTH) == Options()


def test_every_option_arrives() -> None:
    given = {
        "model": "m",
        "format": "png",
        "colormap": "turbo",
        "low": "1",
        "high": "2.5",
        "max_side": "640",
        "fov": "60",
    }
    found = Options(model="m", format="png", colormap="turbo", value_range=(1.0, 2.5), max_side_px=640, fov_deg=60.0)
    assert read_options(given.items(), OF_DEPTH) == found
    camera = {"fx": "500", "fy": "510", "cx": "320", "cy": "240"}
    assert read_options(camera.items(), OF_POINTS) == Options(focal_px=500, fy_px=510, cx_px=320, cy_px=240)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([("sise", "1")], "unknown option"),
        ([("fx", "1")], "unknown option"),
        ([("model", "a"), ("model", "b")], "option model was given twice"),
        ([("format", "bmp")], "option format has a wrong value, expected one of npy, npz, png16, png, exr, json"),
        ([("max_side", "1.5")], "a whole number from 32 to 16384"),
        ([("max_side", "٣٢٠")], "a whole number"),
        ([("max_side", "9" * 5000)], "a whole number"),
        ([("focal_px", "nan")], "option focal_px has a wrong value"),
        ([("focal_px", "0")], "a number from 0.001 to 1e+06"),
        ([("fov", "180")], "from 0.1 to 179"),
        ([("fov", "5e-324")], "from 0.1 to 179"),
        ([("low", "1")], "option low and high has a wrong value, expected both"),
        ([("low", "2"), ("high", "2")], "the lower first"),
        ([("focal_px", "500"), ("fov", "60")], "not both"),
        ([("model", "")], "1 to 64 characters"),
    ],
)
def test_a_wrong_option_is_named(given: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_options(given, OF_DEPTH)
    assert caught.value.status == 422 and message in caught.value.message


def test_each_name_of_a_route_is_an_option() -> None:
    assert {*OF_DEPTH, *OF_POINTS} == set(OPTIONS)
