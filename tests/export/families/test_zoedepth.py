"""ZoeDepth is known by its tensors; K has a maximum depth, N and NK have none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from checkpoint_cases import assert_holds
from random_zoedepth import TINY_ZOE_DEPTH_ANYTHING, random_zoe, shared_zoe, tiny_zoe

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.families.rules import IMAGENET_MEAN, IMAGENET_STD
from depthrt.export.families.zoedepth import ZoeDepthRules
from depthrt.export.network.zoedepth.architecture import ON_DEPTH_ANYTHING, Variant, published
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth

RULES = ZoeDepthRules()
VARIANTS: tuple[Variant, ...] = get_args(Variant)
State = dict[str, torch.Tensor]


def official_zoe(variant: Variant) -> State:
    """Return what an official file of a tiny network holds, with constants that the network computes."""
    state: State = dict(shared_zoe(variant).state_dict())
    binomial = "conditional_log_binomial.nyu" if variant == "NK" else "conditional_log_binomial"
    constants = {
        f"{binomial}.log_binomial_transform.k_idx": torch.arange(64).view(1, -1, 1, 1),
        f"{binomial}.log_binomial_transform.K_minus_1": torch.full((1, 1, 1, 1), 63.0),
        "core.core.pretrained.model.blocks.0.attn.relative_position_index": torch.zeros(17, 17, dtype=torch.int64),
    }
    return state | constants


def written(folder: Path, variant: Variant) -> Path:
    torch.save({"model": official_zoe(variant), "epoch": 5}, folder / "mine.pt")
    return folder / "mine.pt"


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_official_file_is_read_whole(variant: Variant, tmp_path: Path) -> None:
    found = read_checkpoint(written(tmp_path, variant))
    assert (found.family, found.kind, found.licence) == ("zoedepth", "metric", "unknown")
    assert found.architecture == tiny_zoe(variant)
    assert_holds(found, dict(shared_zoe(variant).state_dict()))
    network = load_network(found)
    assert isinstance(network, ZoeDepth) and network.mirrored and not load_network(found, mirror=False).mirrored


def test_an_official_file_on_depth_anything_is_read_whole_and_told_apart(tmp_path: Path) -> None:
    state: State = dict(random_zoe(TINY_ZOE_DEPTH_ANYTHING).state_dict())
    constants = {name: tensor for name, tensor in official_zoe("N").items() if "log_binomial_transform" in name}
    torch.save({"model": state | constants}, tmp_path / "mine.pt")
    found = read_checkpoint(tmp_path / "mine.pt")
    assert (found.family, found.kind, found.max_depth_m) == ("zoedepth", "metric", None)
    assert found.architecture == TINY_ZOE_DEPTH_ANYTHING
    assert found.architecture.encoder == "zoe-n-vit64x8"
    assert_holds(found, state)
    network = load_network(found)
    assert isinstance(network, ZoeDepth) and network.mirrored and not load_network(found, mirror=False).mirrored
    core = {name.removeprefix("core.core."): tensor for name, tensor in state.items() if name.startswith("core.")}
    torch.save(core, tmp_path / "core.pt")
    assert read_checkpoint(tmp_path / "core.pt", family="depth-anything-v1", kind="inverse").kind == "inverse"
    with pytest.raises(InputError, match="its tensors are those of ZoeDepth"):
        read_checkpoint(tmp_path / "mine.pt", family="depth-anything-v1", kind="inverse")


@pytest.mark.parametrize("variant", ["K", "NK"])
def test_other_variants_on_depth_anything_are_refused(variant: Variant, tmp_path: Path) -> None:
    core = {n: t for n, t in random_zoe(TINY_ZOE_DEPTH_ANYTHING).state_dict().items() if n.startswith("core.")}
    bins = {name: tensor for name, tensor in official_zoe(variant).items() if not name.startswith("core.")}
    torch.save(core | bins, tmp_path / "mine.pt")
    with pytest.raises(ModelFileError, match=f"holds variant {variant} of ZoeDepth on Depth Anything, expected N, the"):
        read_checkpoint(tmp_path / "mine.pt")


@pytest.mark.parametrize("place", ["indoor", "outdoor"])
def test_a_published_file_on_depth_anything_is_known_by_its_name(place: str, tmp_path: Path) -> None:
    hollow = {name: torch.zeros(1).expand(shape) for name, shape in RULES.expected_shapes(ON_DEPTH_ANYTHING).items()}
    name = f"depth_anything_metric_depth_{place}"
    torch.save({"model": hollow}, tmp_path / f"{name}.pt")
    found = describe_checkpoint(tmp_path / f"{name}.pt")
    assert (found.architecture, found.official_name) == (ON_DEPTH_ANYTHING, name)
    assert (found.family, found.kind, found.max_depth_m, found.licence) == ("zoedepth", "metric", None, "Apache-2.0")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_published_file_is_known_by_its_name(variant: Variant, tmp_path: Path) -> None:
    hollow = {name: torch.zeros(1).expand(shape) for name, shape in RULES.expected_shapes(published(variant)).items()}
    torch.save({"model": hollow}, tmp_path / f"ZoeD_M12_{variant}.pt")
    found = describe_checkpoint(tmp_path / f"ZoeD_M12_{variant}.pt")
    assert (found.architecture, found.official_name) == (published(variant), f"ZoeD_M12_{variant}")
    assert (found.family, found.kind, found.licence) == ("zoedepth", "metric", "MIT")
    assert found.max_depth_m == (80.0 if variant == "K" else None)


@pytest.mark.parametrize(("given", "expected"), [(None, 80.0), (10.0, 10.0)])
def test_k_has_the_maximum_of_its_training_unless_another_is_given_and_says_so(
    given: float | None, expected: float, tmp_path: Path
) -> None:
    found = read_checkpoint(written(tmp_path, "K"), max_depth_m=given)
    assert found.max_depth_m == load_network(found).max_depth_m == expected
    said = {80.0: "The maximum depth is 80 m, after its training.", 10.0: "is 10 m, although its training says 80 m."}
    assert said[expected] in " ".join(found.remarks)
    assert "--max-depth 10 gives the numbers of the folder at Hugging Face." in " ".join(found.remarks)


@pytest.mark.parametrize("variant", ["N", "NK"])
def test_a_maximum_for_bins_without_an_upper_end_is_refused(variant: Variant, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"--max-depth 10: the output of .*mine\.pt \(zoe-.*\) has no upper end; leave"
    ):
        read_checkpoint(written(tmp_path, variant), max_depth_m=10.0)
    assert read_checkpoint(written(tmp_path, variant)).max_depth_m is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "inverse"}, "--kind inverse contradicts its tensors, which says metric"),
        ({"family": "midas"}, r"--family midas found, its tensors are those of ZoeDepth \(zoe-n-beit64x4-64\)"),
        ({"family": "depth-anything-v1", "kind": "inverse"}, "its tensors are those of ZoeDepth"),
        (
            {"family": "zoedepth", "kind": "inverse"},
            "--family zoedepth with --kind inverse: its networks answer metric",
        ),
    ],
)
def test_what_it_is_not_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_checkpoint(written(tmp_path, "N"), **options)


@pytest.mark.parametrize(
    "part", ["attractors.2._net.2.bias", "conv2.bias", "core.core.scratch.refinenet1.out_conv.bias"]
)
def test_a_file_that_lost_a_tensor_is_refused_by_its_name(part: str, tmp_path: Path) -> None:
    state = official_zoe("N")
    torch.save({name: tensor for name, tensor in state.items() if name != part}, tmp_path / "cut.pt")
    with pytest.raises(ModelFileError, match=rf"is not a whole ZoeDepth model: it lacks 1 of \d+ tensors: {part}"):
        read_checkpoint(tmp_path / "cut.pt")


def test_a_tensor_beside_the_network_that_is_not_its_own_is_refused(tmp_path: Path) -> None:
    torch.save(official_zoe("N") | {"refiner.conv2.weight": torch.ones(2)}, tmp_path / "more.pt")
    with pytest.raises(
        ModelFileError, match=r"tensors beside the network that this version does not know \(1\): refin"
    ):
        read_checkpoint(tmp_path / "more.pt")


def test_the_relative_network_without_its_bins_is_refused(tmp_path: Path) -> None:
    core = {name: tensor for name, tensor in official_zoe("N").items() if name.startswith("core.")}
    torch.save(core, tmp_path / "core.pt")
    with pytest.raises(ModelFileError, match="holds only the encoder, without conditional_log_binomial"):
        read_checkpoint(tmp_path / "core.pt")


# Source: LiheYoung/Depth-Anything, metric_depth: config_zoedepth.json, evaluate.py, base_models/depth_anything.py
def test_images_are_stretched_to_the_official_size_on_depth_anything() -> None:
    found = RULES.conventions(ON_DEPTH_ANYTHING, "zoedepth")
    assert (found.base_px, found.rule, found.margin, found.mirrored) == ((392, 518), "stretch", "none", True)
    assert (found.input_resize, found.final_resize) == ("bilinear_corners", "bilinear_corners")
    assert (found.mean, found.std) == (IMAGENET_MEAN, IMAGENET_STD)


# Source: isl-org/ZoeDepth zoedepth/models/zoedepth/config_zoedepth.json, config_zoedepth_kitti.json
@pytest.mark.parametrize(("variant", "base_px"), [("N", (384, 512)), ("NK", (384, 512)), ("K", (384, 768))])
def test_images_are_brought_to_the_official_size_with_a_margin(variant: Variant, base_px: tuple[int, int]) -> None:
    found = RULES.conventions(published(variant), "zoedepth")
    assert (found.base_px, found.rule, found.margin, found.mirrored) == (base_px, "minimal", "zoe", True)
    assert (found.input_resize, found.final_resize) == ("bilinear_corners", "bicubic")
