"""Images of other libraries on the GPU: their interface, and images on the stand-in for the CUDA driver."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from standin import DEVICE_CASES, run_case
from tiny_model import TinyModel

from depthrt.engine.cuda import device_image
from depthrt.engine.cuda.device_image import DEFAULT_STREAM, DeviceImage, check_place, is_on_device, read_interface
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.errors import InputError
from depthrt.engine.trt.build.build import build_engine
from depthrt.engine.trt.build_options import BuildOptions

RTX = "tensorrt_rtx_bindings"
RANGE = BuildOptions(min_px=(126, 126), opt_px=(126, 168), max_px=(224, 224))

INFERENCES = 400  # 10,000 by hand: python tests/support/device_cases.py many_threads MODEL.onnx 10000
ADDRESS = 0x7F00
EXPECTED = r"expected __cuda_array_interface__ of \(H, W, 3\) uint8; "


class Array:
    """An array of another library with an image of 20x30 px."""

    def __init__(self, **changed: object) -> None:
        interface = {"shape": (20, 30, 3), "typestr": "|u1", "data": (ADDRESS, False), "version": 3, **changed}
        self.__cuda_array_interface__: dict[str, Any] = interface


@pytest.mark.parametrize(
    ("changed", "row_bytes"),
    [
        ({}, 90),
        ({"strides": None}, 90),
        ({"strides": (90, 3, 1)}, 90),
        ({"strides": (512, 3, 1)}, 512),
        ({"shape": (1, 30, 3), "strides": (-7, 3, 1)}, 90),
        ({"shape": (20, 1, 3), "strides": (77, -5, 1)}, 77),
        ({"shape": (1, 1, 3), "strides": (0, 0, 1)}, 3),
        ({"shape": [20, 30, 3], "mask": None}, 90),
    ],
)
def test_rows_may_lie_apart(changed: dict[str, Any], row_bytes: int) -> None:
    array = Array(**changed)
    height, width = array.__cuda_array_interface__["shape"][:2]
    assert read_interface(array) == DeviceImage(ADDRESS, (height, width), row_bytes, None, array)


@pytest.mark.parametrize(
    ("changed", "stream"),
    [
        ({"version": 3}, None),
        ({"version": 3, "stream": None}, None),
        ({"version": 3, "stream": 1}, 1),
        ({"version": 3, "stream": 0x5EED}, 0x5EED),
        ({"version": 2}, DEFAULT_STREAM),
        ({"version": 2, "stream": None}, DEFAULT_STREAM),
    ],
)
def test_the_stream_to_wait_for_depends_on_the_version(changed: dict[str, Any], stream: int | None) -> None:
    assert read_interface(Array(**changed)).stream == stream


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"typestr": "<f4"}, rf"image: Array \(20, 30, 3\) of type <f4 found, {EXPECTED}convert it on the GPU"),
        ({"shape": (3, 20, 30)}, rf"image: Array \(3, 20, 30\) of type \|u1 found, {EXPECTED}"),
        ({"shape": (20, 30)}, rf"image: Array \(20, 30\) of type \|u1 found, {EXPECTED}"),
        ({"shape": (20, 30, 4)}, rf"image: Array \(20, 30, 4\) of type \|u1 found, {EXPECTED}"),
        ({"shape": (0, 30, 3)}, rf"image: Array \(0, 30, 3\) of type \|u1 found, {EXPECTED}"),
        (
            {"strides": (120, 4, 1)},
            rf"with strides \(120, 4, 1\) found, {EXPECTED}rows may lie apart, pixels not: make",
        ),
        ({"strides": (90, 3, -1)}, r"with strides \(90, 3, -1\) found"),
        ({"strides": (-90, 3, 1)}, r"with strides \(-90, 3, 1\) found"),
        ({"strides": (89, 3, 1)}, r"with strides \(89, 3, 1\) found"),
        ({"mask": object()}, rf"image: Array with a mask found, {EXPECTED}give it without the mask"),
        ({"version": 1}, rf"Array with version 1 of the interface found, {EXPECTED}update the library that made it"),
        ({"version": 4}, r"Array with version 4 of the interface found"),
        ({"stream": 0}, rf"Array with stream 0, which the interface forbids found, {EXPECTED}update the library"),
    ],
)
def test_an_array_that_is_not_an_image_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_interface(Array(**changed))


def test_only_arrays_on_a_gpu_have_the_interface() -> None:
    assert is_on_device(Array())
    assert not is_on_device(np.zeros((2, 2, 3), np.uint8)) and not is_on_device(torch.zeros(2))


class FakeGpu:
    """GPU 0 of two."""

    name, index = "NVIDIA L4", 0

    @contextmanager
    def current(self) -> Iterator[None]:
        yield


def pointers_on(device: int | None) -> Callable[..., int]:
    """Return a driver on which every address is on a GPU, or with None on no GPU."""

    def status_of(name: str, result: Any, attribute: int, address: int) -> int:  # noqa: ANN401 (ctypes.byref)
        assert (name, attribute, address) == ("cuPointerGetAttribute", 9, ADDRESS)
        if device is None:
            return 1
        ctypes.cast(result, ctypes.POINTER(ctypes.c_int))[0] = device
        return 0

    return status_of


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (
            None,
            r"image: the address 0x7f00 found, which is on no GPU; expected an address on NVIDIA L4; give an image of",
        ),
        (-1, r"image: the address 0x7f00 found, which is on no GPU"),
        (1, r"image: on GPU 1 found, the model is on GPU 0, NVIDIA L4; copy it to that GPU, or to the host"),
    ],
)
def test_an_image_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch, device: int | None, message: str) -> None:
    monkeypatch.setattr(device_image, "status_of", pointers_on(device))
    with pytest.raises(InputError, match=message):
        check_place(cast(Cuda, FakeGpu()), read_interface(Array()))


def test_an_image_on_the_models_gpu_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_image, "status_of", pointers_on(0))
    check_place(cast(Cuda, FakeGpu()), read_interface(Array()))


@pytest.mark.parametrize(
    "case",
    [
        "answers_like_the_host",
        "a_single_row_or_column_has_any_stride",
        "waits_for_the_stream_that_is_named",
        "what_does_not_fit_is_refused",
    ],
)
def test_images_are_read_where_they_are(foreign: Path, tiny: TinyModel, case: str) -> None:
    run_case(foreign, case, str(tiny.onnx), cases=DEVICE_CASES)


@pytest.mark.parametrize("model", ["tiny_static", "tiny_metric"])
def test_models_of_other_kinds_answer_like_the_host(foreign: Path, model: str, request: pytest.FixtureRequest) -> None:
    run_case(foreign, "answers_like_the_host", str(request.getfixturevalue(model).onnx), cases=DEVICE_CASES)


def test_many_inferences_over_many_threads_do_not_grow(foreign: Path, tiny: TinyModel) -> None:
    output = run_case(foreign, "many_threads", str(tiny.onnx), str(INFERENCES), cases=DEVICE_CASES)
    assert re.match(rf"{INFERENCES} inferences over 8 threads: [+-]\d", output)


@pytest.mark.skipif(find_spec(RTX) is None, reason=f"engines are NOT run: {RTX} has no wheel for this platform")
def test_an_engine_takes_and_leaves_them_on_the_gpu(foreign: Path, tiny: TinyModel, tmp_path: Path) -> None:
    engine = build_engine(tiny.onnx, tmp_path / "model.engine", options=RANGE).path
    run_case(foreign, "an_engine_takes_them", str(engine), str(tiny.onnx), cases=DEVICE_CASES)
