"""Depth Anything 3 is known by its tensors; mono and metric only by a name or an option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_cases import assert_holds
from random_depth_anything3 import (
    TINY_ANY_VIEW,
    TINY_GATED,
    TINY_SKY,
    official_state,
    shared_da3,
    write_comfy,
    write_folder,
)

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.checkpoint.recognise import find_by_path, recognise
from depthrt.export.families.claim import Claim
from depthrt.export.families.depth_anything3 import DepthAnything3Rules
from depthrt.export.network.depth_anything3.architecture import Da3Architecture, published

RULES = DepthAnything3Rules()
LARGE = published("vitl", any_view=False)
NETWORKS = pytest.mark.parametrize(
    "architecture", [TINY_SKY, TINY_ANY_VIEW, TINY_GATED], ids=["sky", "any view", "gated"]
)


def hollow(path: Path, architecture: Da3Architecture) -> Path:
    """Write a file of a published network whose tensors take no room; only the names and shapes are its own."""
    shapes = RULES.expected_shapes(architecture)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({f"model.{name}": torch.zeros(1).expand(shape) for name, shape in shapes.items()}, path)
    return path


@NETWORKS
def test_the_official_folder_and_the_repack_hold_the_same_network(
    architecture: Da3Architecture, tmp_path: Path
) -> None:
    network = shared_da3(architecture)
    folder = write_folder(tmp_path / "mine", network, model_name="da3-mine")
    repack = write_comfy(tmp_path / "geometry_estimation" / "mine.safetensors", network)
    for path in (folder, folder / "model.safetensors", repack):
        found = read_checkpoint(path, kind="scale")
        assert (found.family, found.kind, found.max_depth_m) == ("depth-anything-3", "scale", None)
        assert found.architecture == architecture
        assert_holds(found, dict(network.state_dict()))
        assert load_network(found).has_sky == architecture.has_sky


def test_parts_for_cameras_and_rays_are_left_out_and_said(tmp_path: Path) -> None:
    said = read_checkpoint(write_folder(tmp_path / "any", shared_da3(TINY_ANY_VIEW), model_name="da3-mine")).remarks
    left_out = "Left out, since the depth of one view does not need it: cam_dec, cam_enc, the rays (*_aux)."
    assert left_out in said
    assert "The kind is scale, after its tensors." in said


@pytest.mark.parametrize(
    ("name", "model_name", "kind"),
    [
        ("DA3METRIC-LARGE/model.safetensors", "", "metric"),
        ("DA3MONO-LARGE/model.safetensors", "", "scale"),
        ("depth_anything_3_metric_large.safetensors", "", "metric"),
        ("depth_anything_3_mono_large_fp16.safetensors", "", "scale"),
        ("mine.safetensors", "da3metric-large", "metric"),
        ("DA3METRIC-LARGE/model.safetensors", "da3metric-large", "metric"),
        ("DA3METRIC-LARGE/model.safetensors", "da3mono-large", None),
        ("mine.safetensors", "", None),
    ],
)
def test_a_name_tells_mono_from_metric_unless_two_names_differ(name: str, model_name: str, kind: str | None) -> None:
    claim, _ = find_by_path(Path(name), LARGE, model_name=model_name)
    assert (claim and claim.kind) == kind


def test_without_a_name_mono_and_metric_are_not_guessed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", shared_da3(TINY_SKY), model_name="da3-mine")
    message = "the mono and the metric network of Depth Anything 3 hold the same tensors; give --kind metric|scale$"
    with pytest.raises(InputError, match=message):
        read_checkpoint(folder)
    assert describe_checkpoint(folder).kind is None


def test_a_mono_file_becomes_metric_by_the_option_alone_and_says_so(tmp_path: Path) -> None:
    path = hollow(tmp_path / "DA3MONO-LARGE" / "model.pth", LARGE)
    path = path.rename(path.with_name("da3mono-large.pth"))
    described = describe_checkpoint(path)
    assert (described.kind, described.licence, described.official_name) == ("scale", "Apache-2.0", "da3mono-large")
    told = recognise(path, Claim("the options", kind="metric"), RULES.shown_by_tensors(LARGE), RULES, LARGE)
    assert (told.kind, told.licence) == ("metric", "unknown")
    assert "The kind is metric, although the name of the published da3mono-large says scale." in told.remarks


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        (TINY_ANY_VIEW, {"kind": "metric"}, "--kind metric contradicts its tensors, which says scale"),
        (TINY_SKY, {"kind": "inverse", "family": "depth-anything-3"}, "its networks answer metric or scale depth"),
        (TINY_SKY, {"kind": "metric", "max_depth_m": 20.0}, r"--max-depth 20: the output of .* has no upper end"),
        (TINY_SKY, {"kind": "metric", "family": "depth-anything-v2"}, "its tensors are those of Depth Anything 3"),
    ],
)
def test_what_it_is_not_is_refused(
    architecture: Da3Architecture, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "mine", shared_da3(architecture), model_name="da3-mine")
    with pytest.raises(InputError, match=message):
        read_checkpoint(folder, **options)


def test_a_file_that_lost_a_tensor_is_refused_by_its_name(tmp_path: Path) -> None:
    state = official_state(shared_da3(TINY_SKY))
    del state["model.head.scratch.refinenet2.out_conv.bias"]
    torch.save(state, tmp_path / "cut.pt")
    lost = r"is not a whole Depth Anything 3 model: it lacks 1 of \d+ tensors: head.scratch.refinenet2.out_conv.bias"
    with pytest.raises(ModelFileError, match=lost):
        read_checkpoint(tmp_path / "cut.pt", kind="scale")


def test_the_nested_networks_are_refused_by_name(tmp_path: Path) -> None:
    state = {
        name.replace("model.", "model.da3_metric."): part for name, part in official_state(shared_da3(TINY_SKY)).items()
    }
    torch.save(state, tmp_path / "nested.pt")
    with pytest.raises(ModelFileError, match="nested networks, whose metric one is published as DA3METRIC-LARGE"):
        read_checkpoint(tmp_path / "nested.pt")


# Source: Depth-Anything-3 src/depth_anything_3/utils/io/input_processor.py and model/da3.py
def test_images_are_brought_to_the_official_size_in_uint8() -> None:
    found = RULES.conventions(LARGE, "depth-anything-3")
    assert (found.base_px, found.rule, found.input_resize) == ((504, 504), "longest_nearest", "area_uint8")
    assert (found.focal_unit_px, found.sky_from) == (300.0, 0.3)
    assert RULES.conventions(TINY_ANY_VIEW, "depth-anything-3").sky_from is None
