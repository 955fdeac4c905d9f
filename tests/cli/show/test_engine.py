"""What `depthrt build` and `depthrt info` print of a made engine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_engine import SHAPE, make_header

from depthrt.cli.show.engine import show_built, show_plan
from depthrt.engine.trt.build.build import Built
from depthrt.engine.trt.build_options import Profile
from depthrt.engine.trt.plan_file import PlanTensor

HEADER = make_header()
RANGE = replace(
    HEADER,
    flavour="tensorrt",
    tensors=(
        PlanTensor(
            "image", "input", "float32", (-1, 3, -1, -1), (Profile((1, 3, 14, 28), (2, 3, 28, 28), (4, 3, 42, 56)),)
        ),
        PlanTensor("depth", "output", "float32", (-1, -1, -1)),
    ),
)
BUILT = Built(Path("my [new]/model.engine"), HEADER, 51.26, 12.34, ())


def test_a_build_is_one_line_and_the_input_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_built(BUILT, as_json=False)
    assert capsys.readouterr() == (
        "my [new]/model.engine: depth-anything-v2-vits, fp32, 51.3 MiB in 12.3 s; TensorRT-RTX 1.7.1.116, "
        "compute capability 8.9, 12.0\n"
        "  image 1x3x28x28\n",
        "",
    )


def test_a_range_of_shapes_names_the_least_the_most_and_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    show_built(replace(BUILT, header=RANGE), as_json=False)
    first, second = capsys.readouterr().out.splitlines()
    assert "; TensorRT 1.7.1.116, " in first
    assert second == "  image 1x3x14x28 to 4x3x42x56, best 2x3x28x28"


def test_a_range_whose_least_is_the_best_is_still_a_range(capsys: pytest.CaptureFixture[str]) -> None:
    least, most = (1, 3, 28, 28), (1, 3, 56, 56)
    image = PlanTensor("image", "input", "float32", (1, 3, -1, -1), (Profile(least, least, most),))
    show_built(replace(BUILT, header=replace(RANGE, tensors=(image, RANGE.tensors[1]))), as_json=False)
    assert capsys.readouterr().out.endswith("\n  image 1x3x28x28 to 1x3x56x56, best 1x3x28x28\n")


@pytest.mark.parametrize("as_json", [False, True])
def test_warnings_of_tensorrt_go_to_standard_error(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    show_built(replace(BUILT, warnings=("slow [fp32]", "old driver")), as_json=as_json)
    printed, talk = capsys.readouterr()
    assert talk == "warning: slow [fp32]\nwarning: old driver\n" and "slow" not in printed


def test_the_json_of_a_build_is_one_line_with_the_header(capsys: pytest.CaptureFixture[str]) -> None:
    show_built(replace(BUILT, path=Path("a\nb.engine")), as_json=True)
    printed, talk = capsys.readouterr()
    found = json.loads(printed)
    assert printed.count("\n") == 1 and talk == ""
    assert (found["path"], found["file_mib"], found["seconds"]) == ("a\nb.engine", 51.26, 12.34)
    assert (found["precision"], found["runs_on"]) == ("fp32", "compute capability 8.9, 12.0")
    assert found["plan_sha256"] == HEADER.plan_sha256 and found["options"]["workspace_mib"] == 512


def test_an_engine_is_its_contract_and_its_plan(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(HEADER, Path("model.engine"), as_json=False)
    printed, talk = capsys.readouterr()
    assert talk == ""
    for line in (
        "model.engine",
        "  model        depth-anything-v2-vits",
        f"  input        image {'x'.join(map(str, SHAPE))}",
        "  built by     depthrt test with TensorRT-RTX 1.7.1.116",
        "  runs on      compute capability 8.9, 12.0",
        f"  plan         0.0 MiB, sha256 {HEADER.plan_sha256[:16]}",
        "  onnx         sha256 1111111111111111",
    ):
        assert line in printed.splitlines()


def test_the_json_of_an_engine_names_it_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(RANGE, Path("model.engine"), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["path"], found["file"], found["flavour"]) == ("model.engine", "engine", "tensorrt")
    assert found["precision"] == "fp32" and found["tensorrt_version"] == HEADER.tensorrt_version
