"""The settings of a Hugging Face folder are read strictly, and must be those that the network computes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from official_state import TINY

from depthrt.engine.errors import ModelFileError
from depthrt.export.families.claim import Claim
from depthrt.export.families.hub.depth_anything_config import (
    BackboneConfig,
    FolderConfig,
    claim_of_config,
    read_config,
    scale_output,
)
from depthrt.export.families.hub.settings import read_settings

FOLDER = Path("folder")
# As published with depth-anything/Depth-Anything-V2-Small-hf.
CONFIG = {
    "_commit_hash": None,
    "architectures": ["DepthAnythingForDepthEstimation"],
    "backbone_config": {
        "model_type": "dinov2",
        "out_indices": [3, 6, 9, 12],
        "patch_size": 14,
        "num_attention_heads": 6,
    },
    "depth_estimation_type": "metric",
    "fusion_hidden_size": 64,
    "max_depth": 20,
    "model_type": "depth_anything",
    "reassemble_factors": [4, 2, 1, 0.5],
    "torch_dtype": "float32",
}
HOSTILE = [None, True, -1, 0, 3, 1e308, 10**19, "", "text", "a\nb\x1b[31m", [], [1, 2, 3], ["a"] * 2000, {}, {"a": 1}]
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
FIELDS = [
    ("max_depth",),
    ("depth_estimation_type",),
    ("reassemble_factors",),
    ("model_type",),
    ("backbone_config",),
    *(("backbone_config", name) for name in BackboneConfig.__dataclass_fields__),
]


def with_field(good: dict[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return a copy of an object with another value at a place of one or two keys."""
    if len(place) == 1:
        return good | {place[0]: value}
    return good | {place[0]: good[place[0]] | {place[1]: value}}


def written(folder: Path, found: object) -> Path:
    (folder / "config.json").write_text(json.dumps(found))
    return folder / "config.json"


def read(path: Path) -> FolderConfig | None:
    """Read a config.json as a folder's; None if it names no model."""
    found = read_settings(path.parent)
    return None if found is None else read_config(found)


def check_one_line(path: Path, place: tuple[str, ...]) -> None:
    """Read a config.json, and hold a refusal to one line that names the file and the field."""
    try:
        read(path)
    except ModelFileError as error:
        message = str(error)
        assert "\n" not in message and "\x1b" not in message and len(message) < 600
        assert message.startswith(str(path.parent))
        # NaN and numbers of hundreds of digits are no JSON; another model is named by its model_type.
        assert place[-1] in message or "config.json is not JSON (" in message or " is a " in message


def test_a_published_config_is_read(tmp_path: Path) -> None:
    found = read(written(tmp_path, CONFIG))
    assert found == FolderConfig(
        backbone_config=BackboneConfig(out_indices=(3, 6, 9, 12), num_attention_heads=6),
        depth_estimation_type="metric",
        max_depth=20,
    )


@pytest.mark.parametrize("place", FIELDS, ids=".".join)
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:12])
def test_a_hostile_value_is_refused_in_one_line_or_legal(place: tuple[str, ...], value: object, tmp_path: Path) -> None:
    check_one_line(written(tmp_path, with_field(CONFIG, place, value)), place)


@pytest.mark.parametrize("place", FIELDS, ids=".".join)
def test_any_value_is_refused_in_one_line_or_legal(place: tuple[str, ...], tmp_path: Path) -> None:
    @settings(max_examples=100, derandomize=True, deadline=None, database=None)
    @given(value=anything)
    def check(value: object) -> None:
        check_one_line(written(tmp_path, with_field(CONFIG, place, value)), place)

    check()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("max_depth",), -1, "config.max_depth is -1, expected a finite number of 0 or more or null; correct it"),
        (("max_depth",), "20", "config.max_depth is '20', expected a finite number of 0 or more or null"),
        (("max_depth",), True, "config.max_depth is true, expected a finite number"),
        (("depth_estimation_type",), "absolute", "is 'absolute', expected one of relative, metric"),
        (("model_type",), 3, "config.model_type is 3, expected text"),
        (("backbone_config",), "dinov2", "config.backbone_config is 'dinov2', expected an object"),
        (
            ("backbone_config", "out_indices"),
            [3, "6"],
            "config.backbone_config.out_indices[1] is '6', expected a whole",
        ),
        (("backbone_config", "num_attention_heads"), 0, "num_attention_heads is 0, expected a whole number from 1"),
        (("backbone_config", "qkv_bias"), 1, "config.backbone_config.qkv_bias is 1, expected true or false"),
        (("reassemble_factors",), 4, "config.reassemble_factors is 4, expected a list"),
    ],
)
def test_a_wrong_value_names_the_file_and_the_field(
    place: tuple[str, ...], value: object, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, with_field(CONFIG, place, value))
    with pytest.raises(ModelFileError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: config.") and message in str(caught.value)


def test_what_config_says_is_a_claim() -> None:
    taps = (1, 2, 3, 4)  # of the tiny network, for V1 and V2 alike
    config = FolderConfig(BackboneConfig(out_indices=taps), depth_estimation_type="metric", max_depth=20.0)
    assert claim_of_config(config, TINY, FOLDER) == Claim("config.json", None, "metric", 20.0)
    inverse = replace(config, depth_estimation_type="relative")
    assert claim_of_config(inverse, TINY, FOLDER) == Claim("config.json", None, "inverse", None)
    assert claim_of_config(FolderConfig(max_depth=0.0), TINY, FOLDER).max_depth_m is None


@pytest.mark.parametrize(("factor", "gain"), [(None, 1), (0.0, 1), (1.0, 1), (20.0, 20), (0.25, 0.25)])
def test_an_inverse_model_is_scaled_by_its_maximum(factor: float | None, gain: float) -> None:
    last = "depth_head.scratch.output_conv2.2"
    tensors = {
        f"{last}.weight": torch.tensor([1.5]).half(),
        f"{last}.bias": torch.tensor([-2.0]),
        "other": torch.ones(1),
    }
    remarks = scale_output(tensors, FolderConfig(max_depth=factor))
    assert bool(remarks) == (gain != 1)
    assert [float(tensor) for tensor in tensors.values()] == pytest.approx([1.5 * gain, -2 * gain, 1])


def test_a_metric_model_is_not_scaled() -> None:
    tensors = {"depth_head.scratch.output_conv2.2.weight": torch.ones(1)}
    assert scale_output(tensors, FolderConfig(depth_estimation_type="metric", max_depth=20.0)) == []
    assert math.isclose(float(tensors["depth_head.scratch.output_conv2.2.weight"]), 1)
