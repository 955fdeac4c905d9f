"""The client of NVIDIA's Triton gets depth from the service over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from made_image import crop_of_photo
from numpy.typing import NDArray
from served import PHOTO, PHOTO_PX
from tritonclient import http
from tritonclient.utils import InferenceServerException

from depthrt.bench.load.server_process import ServerProcess
from depthrt.serve.encode.tensors import SERVER


@pytest.fixture(scope="module")
def triton(process: ServerProcess) -> Iterator[http.InferenceServerClient]:
    with http.InferenceServerClient(f"{process.host}:{process.port}", network_timeout=60.0) as client:
        yield client


def file_input(*, binary: bool) -> http.InferInput:
    found = http.InferInput("image", [1], "BYTES")
    found.set_data_from_numpy(np.array([PHOTO], np.object_), binary_data=binary)
    return found


def pixels_input(*, binary: bool) -> http.InferInput:
    found = http.InferInput("image", [*PHOTO_PX, 3], "UINT8")
    found.set_data_from_numpy(np.ascontiguousarray(crop_of_photo()[..., ::-1]), binary_data=binary)
    return found


def depth_of(answer: http.InferResult) -> NDArray[np.float32]:
    values = answer.as_numpy("depth")
    assert values is not None and values.dtype == np.float32
    return np.asarray(values, np.float32)


def test_server_and_models_introduce_themselves(triton: http.InferenceServerClient) -> None:
    assert triton.is_server_live() and triton.is_server_ready()
    assert triton.is_model_ready("metres") and triton.is_model_ready("metres", "1")
    assert not triton.is_model_ready("missing")
    assert triton.get_server_metadata() == SERVER
    found = triton.get_model_metadata("mirror")
    assert found["name"] == "mirror" and found["versions"] == ["1"]
    assert [tensor["datatype"] for tensor in (*found["inputs"], *found["outputs"])] == ["BYTES", "FP32"]


@pytest.mark.parametrize("binary_out", [True, False])
def test_every_form_of_the_image_and_of_the_answer_gives_one_depth(
    triton: http.InferenceServerClient, binary_out: bool
) -> None:
    wanted = [http.InferRequestedOutput("depth", binary_data=binary_out)]
    found = [
        depth_of(triton.infer("mirror", [tensor], outputs=wanted, request_id="seven"))
        for tensor in (file_input(binary=True), pixels_input(binary=True), pixels_input(binary=False))
    ]
    assert found[0].shape == PHOTO_PX and np.ptp(found[0]) > 0
    assert all(np.array_equal(depth, found[0]) for depth in found)


def test_the_answer_names_its_request_and_its_model(triton: http.InferenceServerClient) -> None:
    answer = triton.infer("metres", [file_input(binary=True)], request_id="seven").get_response()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("seven", "metres", "1")
    assert answer["parameters"] == {"kind": "metric", "unit": "m"}


def test_several_requests_run_at_once(process: ServerProcess) -> None:
    with http.InferenceServerClient(f"{process.host}:{process.port}", concurrency=3, network_timeout=60.0) as client:
        waiting = [client.async_infer("mirror", [file_input(binary=True)]) for _ in range(3)]
        depths = [depth_of(one.get_result()) for one in waiting]
    assert all(np.array_equal(depth, depths[0]) for depth in depths)


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("missing", file_input(binary=True), "no such model"),
        ("mirror", http.InferInput("picture", [1], "BYTES"), "the name 'image'"),
        ("mirror", http.InferInput("image", [1, 3, 28, 28], "FP32"), "BYTES or UINT8"),
    ],
)
def test_the_client_reads_why_it_is_refused(
    triton: http.InferenceServerClient, name: str, tensor: http.InferInput, message: str
) -> None:
    if tensor._raw_data is None:
        kind = np.float32 if tensor.datatype() == "FP32" else np.object_
        tensor.set_data_from_numpy(np.full(tensor.shape(), b"x" if kind is np.object_ else 0, kind))
    with pytest.raises(InferenceServerException, match=message) as caught:
        triton.infer(name, [tensor])
    assert caught.value.status() in ("404", "422")
