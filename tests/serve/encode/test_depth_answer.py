"""Bodies hold the depth, and JSON holds nothing that is not JSON."""

from __future__ import annotations

import json
from typing import cast

import numpy as np
import pytest
from made_depth import holed, surface
from served import read_npy

from depthrt.serve.decode.options import ANSWERS, Answer, Options
from depthrt.serve.encode import depth_answer
from depthrt.serve.encode.accept import MEDIA_TYPES
from depthrt.serve.encode.depth_answer import depth_headers, encode_depth, plain_values, to_local_ai
from depthrt.serve.infer.served_model import ServedModel
from depthrt.serve.refusal import Refusal


@pytest.mark.parametrize("answer", ANSWERS)
def test_each_form_has_its_type(answer: Answer) -> None:
    body = encode_depth(holed("metric"), answer, Options())
    assert body.media_type == MEDIA_TYPES[answer] and body.content and body.headers["Vary"] == "Accept"


def test_npy_holds_the_values_and_nan() -> None:
    depth = holed("metric")
    values = read_npy(encode_depth(depth, "npy", Options()).content)
    assert np.array_equal(np.isfinite(values), depth.valid) and np.array_equal(
        values[depth.valid], depth.values[depth.valid]
    )


def test_a_fixed_range_makes_pictures_of_two_images_compare() -> None:
    near, far = surface("metric"), surface("metric", surface("metric").values + 1)
    fixed = Options(value_range=(0.0, 10.0))
    assert encode_depth(near, "png", Options()).content == encode_depth(far, "png", Options()).content
    assert encode_depth(near, "png", fixed).content != encode_depth(far, "png", fixed).content


def test_json_is_that_of_local_ai() -> None:
    depth = holed("metric")
    found = json.loads(encode_depth(depth, "json", Options()).content)
    assert (found["height"], found["width"]) == depth.shape and found["is_metric"] is True
    assert len(found["depth"]) == depth.values.size
    assert [value is not None for value in found["depth"]] == depth.valid.ravel().tolist()
    assert to_local_ai(surface("inverse"))["is_metric"] is False


def test_json_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth_answer, "MOST_IN_JSON", 24 * 37 - 1)
    with pytest.raises(Refusal, match="JSON holds at most 887 values"):
        encode_depth(surface(), "json", Options())


def test_json_keeps_every_bit() -> None:
    depth = surface()
    assert np.array_equal(np.array(plain_values(depth), np.float32), depth.values.ravel())


def test_headers_say_what_the_values_are() -> None:
    class Known:
        sha256 = "cd" * 32

    headers = depth_headers(surface("inverse"), "mirror", cast(ServedModel, Known()))
    assert headers["Depthrt-Kind"] == "inverse" and headers["Depthrt-Unit"] == "none"
    assert headers["Depthrt-Size"] == "24x37" and headers["Depthrt-Model"] == "mirror"
    assert headers["Depthrt-Runner"] == "onnxruntime CPUExecutionProvider" and headers["Depthrt-Precision"] == "fp32"
    assert headers["Depthrt-Source-Sha256"] == "ab" * 32 and headers["Depthrt-Model-Sha256"] == "cd" * 32
