"""Answers of the Open Inference Protocol hold the depth in both of their forms."""

from __future__ import annotations

import json

import numpy as np
from made_depth import holed, surface

from depthrt.serve.decode.tensors import HEADER
from depthrt.serve.encode.tensors import SERVER, encode_tensors, model_metadata
from depthrt.serve.infer.lineup import ModelFacts


def test_json_holds_the_values_row_by_row() -> None:
    depth = surface()
    found = json.loads(encode_tensors(depth, name="m", id="7", binary=False).content)
    (tensor,) = found["outputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("depth", "FP32", list(depth.shape))
    assert np.array_equal(np.array(tensor["data"], np.float32), depth.values.ravel())
    assert found["id"] == "7" and found["model_name"] == "m" and found["parameters"] == {"kind": "inverse", "unit": ""}


def test_binary_values_follow_the_json() -> None:
    depth = holed("metric")
    body = encode_tensors(depth, name="m", id=None, binary=True)
    length = int(body.headers[HEADER])
    found = json.loads(body.content[:length])
    values = np.frombuffer(body.content[length:], "<f4").reshape(depth.shape)
    assert found["outputs"][0]["parameters"]["binary_data_size"] == values.nbytes and "id" not in found
    assert np.array_equal(np.isnan(values), ~depth.valid)


def test_the_metadata_name_both_tensors() -> None:
    facts = ModelFacts(kind="metric", kind_with_lens="metric", takes_focal=False, runner="onnxruntime", told={})
    found = model_metadata("m", facts)
    assert (found["inputs"][0]["name"], found["outputs"][0]["name"]) == ("image", "depth")
    assert found["platform"] == "depthrt_onnxruntime" and "binary_tensor_data" in SERVER["extensions"]
