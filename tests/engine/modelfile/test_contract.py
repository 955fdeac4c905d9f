from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from made import CONTRACT
from onnx import TensorProto, helper

from depthrt import ContractError, ModelFileError
from depthrt.engine.modelfile.contract import METADATA_KEY, Contract, read_contract


def onnx_file(path: Path, metadata: dict[str, str], *, weight_bytes: int = 4) -> Path:
    weight = helper.make_tensor("w", TensorProto.UINT8, [weight_bytes], bytes(weight_bytes), raw=True)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "graph",
        [],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [weight_bytes])],
        [weight],
    )
    model = helper.make_model(graph, producer_name="test", doc_string="é")
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_a_contract_comes_back_from_an_onnx_file(tmp_path: Path) -> None:
    metadata = {"other": "ü" * 300, METADATA_KEY: CONTRACT.to_json()}
    path = onnx_file(tmp_path / "model.onnx", metadata, weight_bytes=3_000_000)
    assert read_contract(path) == CONTRACT


def test_names_and_units_follow_the_kind() -> None:
    metric = replace(CONTRACT, kind="metric", max_depth_m=20.0)
    assert (CONTRACT.model, CONTRACT.unit) == ("depth-anything-v2-vits", "")
    assert (metric.model, metric.unit) == ("depth-anything-v2-vits-metric-20m", "m")


def changed(**changes: object) -> str:
    return json.dumps({**json.loads(CONTRACT.to_json()), **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", r"contract is not JSON \(Expecting value: .*\); export the model again"),
        ("[]", "contract is not a JSON object"),
        (
            changed(format=99),
            r"contract\.format is 99, this depthrt reads 1 \(install the depthrt that wrote the other",
        ),
        (changed(surprise=1), r"contract\.surprise is an unknown key; export the model again"),
        (changed(size=None), r"contract\.size is null, expected an object"),
        (changed(kind="upside-down"), r"contract\.kind is 'upside-down', expected one of inverse, metric"),
        (changed(kind="metric"), r"contract\.max_depth_m is null, expected a number above 0 for kind metric"),
        (changed(max_depth_m=20.0), r"contract\.max_depth_m is 20, expected null for kind inverse"),
        (changed(std=[0.0, 1.0, 1.0]), r"contract\.std\[0\] is 0\.0, expected a finite number from 0\.0001 to 10"),
    ],
)
def test_a_wrong_contract_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ContractError, match=message) as caught:
        Contract.from_json(text)
    assert "\n" not in str(caught.value)


def test_an_onnx_file_of_others_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"carries no depthrt contract.*depthrt export"):
        read_contract(onnx_file(tmp_path / "foreign.onnx", {}))


@pytest.mark.parametrize("keep", [0, 1, 10, 100, 1000])
def test_a_cut_file_is_refused_in_one_line(tmp_path: Path, keep: int) -> None:
    whole = onnx_file(tmp_path / "whole.onnx", {METADATA_KEY: CONTRACT.to_json()}, weight_bytes=2000)
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(ModelFileError, match="not a whole ONNX file") as caught:
        read_contract(cut)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"hello, this is text\n" * 40, b"\x89PNG\r\n\x1a\n" + bytes(500), b"PK\x03\x04" * 99]
)
def test_a_file_of_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a whole ONNX file"):
        read_contract(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"does not exist; give the \.onnx file"):
        read_contract(tmp_path / "nothing.onnx")
