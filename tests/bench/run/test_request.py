"""Requests: a wrong value is refused in one line that names the field, and a request can be written down."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from depthrt.bench.run.request import QUICK, BenchRequest, TuneRequest, as_call
from depthrt.engine.errors import InputError

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("models", [], "models is empty, expected one model file or checkpoint, or more"),
        ("models", "a.onnx", "models 'a.onnx' found, expected a list, such as ['a.onnx']"),
        ("images", Path("a.jpg"), "images 'a.jpg' found, expected a list, such as ['a.jpg']"),
        ("ground_truth", "nyu.mat", "ground_truth 'nyu.mat' found, expected a list"),
        ("alignment", "shift", "alignment 'shift' found, expected among none, scale, scale-and-shift, log"),
        ("crop", "nyu", "crop 'nyu' found, expected among none, eigen, garg"),
        ("devices", ["cpu", "gpu"], "devices 'gpu' found, expected among cpu, cuda"),
        ("runners", ["torch"], "runners 'torch' found, expected among onnxruntime, openvino"),
        ("scopes", ["rate"], "scopes 'rate' found, expected among kernel, host, file"),
        ("precisions", ["int8"], "precisions 'int8' found, expected among fp32, fp16, bf16"),
        ("family", "midas2", "family 'midas2' found, expected among depth-anything-v1"),
        ("kind", "depth", "kind 'depth' found, expected among inverse, metric"),
        ("rounds", 1, "rounds 1 found, expected a whole number of 2 or more"),
        ("rounds", 8.0, "rounds 8.0 found, expected a whole number of 2 or more"),
        ("rounds", True, "rounds True found, expected a whole number of 2 or more"),
        ("threads", True, "threads True found, expected a whole number of 1 or more"),
        ("threads", 0, "threads 0 found, expected a whole number of 1 or more"),
        ("count", 0, "count 0 found, expected a whole number of 1 or more"),
        ("bursts", 0, "bursts 0 found, expected a whole number of 1 or more"),
        ("cold", -1, "cold -1 found, expected a whole number of 0 or more"),
        ("builds", -1, "builds -1 found, expected a whole number of 0 or more"),
        ("rate_hz", -1.0, "rate_hz -1.0 found, expected a finite number of 0 or more"),
        ("rate_hz", NAN, "rate_hz nan found, expected a finite number of 0 or more"),
        ("drift_budget", INF, "drift_budget inf found, expected a finite number of 0 or more"),
        ("units_per_m", 0.0, "units_per_m 0.0 found, expected a finite number above 0"),
        ("cap_m", 0.0, "cap_m 0.0 found, expected a finite number above 0"),
        ("max_depth_m", -20.0, "max_depth_m -20.0 found, expected a finite number above 0"),
    ],
)
def test_a_wrong_value_of_a_benchmark_is_refused_by_its_field(field: str, value: Any, expected: str) -> None:  # noqa: ANN401
    with pytest.raises(InputError) as caught:
        replace(BenchRequest(["a.onnx"]), **{field: value})
    assert str(caught.value).startswith(expected) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"images": "a.jpg"}, "images 'a.jpg' found, expected a list"),
        ({"rounds": 1}, "rounds 1 found, expected a whole number of 2 or more"),
        ({"threads": 0}, "threads 0 found, expected a whole number of 1 or more"),
        ({"drift_budget": 1.0}, "drift_budget 1.0 found, expected a share from 0 to below 1, such as 0.005"),
        ({"drift_budget": -0.1}, "drift_budget -0.1 found, expected a share"),
        ({"drift_budget": NAN}, "drift_budget nan found, expected a share"),
    ],
)
def test_a_wrong_value_of_tuning_is_refused_by_its_field(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        TuneRequest("a.onnx", **options)
    assert str(caught.value).startswith(expected)


def test_limits_themselves_are_taken() -> None:
    BenchRequest(["a.onnx"], rounds=2, threads=1, count=1, bursts=1, cold=0, builds=0, rate_hz=0, drift_budget=0)
    TuneRequest("a.onnx", rounds=2, threads=1, drift_budget=0)


def test_a_request_is_written_down_without_its_defaults_and_read_back() -> None:
    request = BenchRequest([Path("a.onnx"), "b.pth"], images=["photos/"], size=(252, 336), cap_m=10.0, **QUICK)
    call = as_call(request)
    assert call.startswith("bench(BenchRequest(models=['a.onnx', 'b.pth'], images=['photos/'], cap_m=10.0, ")
    assert "count" not in call and "PosixPath" not in call
    again = eval(call, {"BenchRequest": BenchRequest, "bench": lambda request: request})
    assert as_call(again) == call and again.rounds == QUICK["rounds"]


def test_requests_import_neither_numpy_nor_a_runtime() -> None:
    code = (
        "import depthrt.bench.run.request, sys; "
        "print([name for name in ('numpy', 'cv2', 'onnxruntime', 'torch', 'pydantic') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
