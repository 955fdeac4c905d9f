"""Depth in, the body of an Open Inference Protocol v2 answer out; and what the protocol tells about a model.

Source: kserve/open-inference-protocol, specification/protocol (inference_rest.md, extension_binary_data.md)
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ...engine.depth.depth import Depth
from ...engine.terms import INPUT, OUTPUT
from ...engine.version import __version__
from ..decode.tensors import HEADER
from ..infer.lineup import ModelFacts
from .depth_answer import Body, plain_values

VERSION = "1"  # of every model: one file is served under one name
SERVER = {"name": "depthrt", "version": __version__, "extensions": ["binary_tensor_data"]}


def encode_tensors(depth: Depth, *, name: str, id: str | None, binary: bool) -> Body:
    """Return depth as the tensor FP32 [H, W]; NaN, in JSON null, has no depth.

    Args:
        depth: Of the image.
        name: Of the model.
        id: Of the request, which comes back.
        binary: Whether the values stand after the JSON, little-endian.
    """
    tensor: dict[str, Any] = {"name": OUTPUT, "datatype": "FP32", "shape": list(depth.shape)}
    answer = {
        "model_name": name,
        "model_version": VERSION,
        **({} if id is None else {"id": id}),
        "parameters": {"kind": depth.kind, "unit": depth.unit},
        "outputs": [tensor],
    }
    if not binary:
        tensor["data"] = plain_values(depth)
        return Body(json.dumps(answer, allow_nan=False).encode(), "application/json")
    values = np.where(depth.valid, depth.values, np.float32(np.nan)).astype("<f4").tobytes()
    tensor["parameters"] = {"binary_data_size": len(values)}
    head = json.dumps(answer, allow_nan=False).encode()
    return Body(head + values, "application/octet-stream", {HEADER: str(len(head))})


def model_metadata(name: str, facts: ModelFacts) -> dict[str, Any]:
    """Return what the protocol tells about a model."""
    return {
        "name": name,
        "versions": [VERSION],
        "platform": f"depthrt_{facts.runner}",
        "inputs": [
            {
                "name": INPUT,
                "datatype": "BYTES",
                "shape": [1],
                "parameters": {"also": "UINT8 [H, W, 3], RGB", "content": "a file: JPEG, PNG, WebP, ..."},
            }
        ],
        "outputs": [
            {"name": OUTPUT, "datatype": "FP32", "shape": [-1, -1], "parameters": {"kind": facts.kind}},
        ],
    }
