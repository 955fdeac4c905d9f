"""Marigold's folder says that it is depth; E2E-FT's does not, and is told; look-alikes are refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_cases import assert_holds
from made_marigold import SIDE_PX, tiny_architecture, tiny_marigold, write_folder
from safetensors.torch import load_file, save_file

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.engine.terms import PRECISIONS, Precision
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.families.marigold import MarigoldRules
from depthrt.export.network.marigold.architecture import MarigoldArchitecture, Variant
from depthrt.export.to_onnx import export_checkpoint

RULES = MarigoldRules()
ROUNDING = 1e-5  # of [0, 1]: the prompt's embedding is computed here and by transformers


def index_of(folder: Path, **changes: object) -> None:
    """Change what a model_index.json says."""
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def folder(marigold_folder: Path, tmp_path: Path) -> Path:
    """A folder whose files are those of the shared one, but for its index."""
    for part in marigold_folder.iterdir():
        if part.is_dir():
            (tmp_path / part.name).symlink_to(part)
    (tmp_path / "model_index.json").write_text((marigold_folder / "model_index.json").read_text())
    return tmp_path


def test_a_folder_is_read_whole(marigold_folder: Path) -> None:
    found = read_checkpoint(marigold_folder)
    assert (found.family, found.kind, found.max_depth_m, found.licence) == ("marigold", "affine", None, "unknown")
    assert found.architecture == tiny_architecture("v1-1")
    expected = dict(tiny_marigold("v1-1").state_dict()) | {"prompt": found.tensors["prompt"]}
    assert_holds(found, expected)
    assert "The family is marigold, after its model_index.json." in found.remarks
    assert "The graph has 4 steps and starts with the noise of seed 0." in found.remarks
    batch = torch.rand(1, 3, 24, 32)
    with torch.inference_mode():
        difference = load_network(found)(batch) - tiny_marigold("v1-1")(batch)
    assert difference.abs().max() < ROUNDING


@pytest.mark.parametrize("variant", ["v1-0", "lcm"])
def test_each_published_folder_is_known_by_its_steps(variant: Variant, tmp_path: Path) -> None:
    found = read_checkpoint(write_folder(tmp_path, variant))
    assert found.architecture == tiny_architecture(variant)
    slow = "A graph of more than 4 steps is slow to load"
    assert (slow in " ".join(found.remarks)) == (variant == "v1-0")


def test_e2e_ft_needs_its_family_and_its_noise(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "e2e-ft")
    with pytest.raises(InputError, match=r"does not say what it is, and .*normals.*; give --family marigold$"):
        read_checkpoint(folder)
    with pytest.raises(InputError, match=r"the folder does not say how its steps start; .* give --noise zeros"):
        read_checkpoint(folder, family="marigold")
    found = read_checkpoint(folder, family="marigold", noise="zeros")
    assert (found.kind, found.architecture) == ("affine", tiny_architecture("e2e-ft"))
    assert "The graph has 1 step and starts with zeros." in found.remarks


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_class_name": "MarigoldNormalsPipeline"}, "is Marigold for surface normals, which answers no depth"),
        ({"_class_name": "MarigoldIntrinsicsPipeline"}, "is Marigold for intrinsic images, which answers no depth"),
        ({"_class_name": "FluxPipeline"}, "is a FluxPipeline; of diffusers' pipelines this version exports Marigold"),
        ({"_class_name": 3}, r"model_index\.json: index\._class_name is 3, expected"),
        ({"prediction_type": "disparity"}, "is Marigold for disparity; give Marigold for depth"),
    ],
)
def test_other_pipelines_are_refused_by_name(changes: dict[str, Any], message: str, folder: Path) -> None:
    index_of(folder, **changes)
    with pytest.raises(ModelFileError, match=message):
        read_checkpoint(folder)


def test_the_older_name_of_the_pipeline_is_depth_with_the_usual_steps_and_size(folder: Path) -> None:
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "MarigoldPipeline"}))
    found = read_checkpoint(folder).architecture
    assert isinstance(found, MarigoldArchitecture)
    conventions = RULES.conventions(found, "marigold")
    assert (conventions.base_px, conventions.steps) == ((768, 768), 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "inverse"}, "--kind inverse contradicts its model_index.json, which says affine"),
        ({"family": "midas"}, r"--family midas found, its tensors are those of Marigold \(v1-1-16x32\)"),
        ({"max_depth_m": 10.0}, r"--max-depth 10: the output of .* has no upper end"),
        ({"steps": 99}, "--steps 99 found, expected 1 to 50"),
    ],
)
def test_options_that_contradict_the_folder_are_refused(
    options: dict[str, Any], message: str, marigold_folder: Path
) -> None:
    with pytest.raises(InputError, match=message):
        read_checkpoint(marigold_folder, **options)


@pytest.mark.parametrize("precision", [precision for precision in PRECISIONS if precision != "fp32"])
def test_half_precision_is_refused_since_it_was_not_measured(
    precision: Precision, marigold_folder: Path, tmp_path: Path
) -> None:
    message = f"{precision} of Marigold is not exported, since its drift was not measured; use --precision fp32"
    with pytest.raises(InputError, match=message):
        export_checkpoint(marigold_folder, tmp_path / "model.onnx", precision=precision)
    assert not list(tmp_path.iterdir())


def test_a_single_file_is_refused_and_the_folder_asked_for(marigold_folder: Path, tmp_path: Path) -> None:
    unet = marigold_folder / "unet" / "diffusion_pytorch_model.safetensors"
    with pytest.raises(ModelFileError, match="looks like a part of a diffusion model, and Marigold is exported from"):
        read_checkpoint(unet)
    state = {name: tensor.contiguous() for name, tensor in tiny_marigold("v1-1").state_dict().items()}
    save_file(state, tmp_path / "all.safetensors")
    with pytest.raises(ModelFileError, match=r"without its scheduler; give the folder that has a model_index\.json"):
        read_checkpoint(tmp_path / "all.safetensors")


def test_a_folder_that_lost_a_tensor_is_refused_by_its_name(folder: Path) -> None:
    weights = load_file(folder / "vae" / "diffusion_pytorch_model.safetensors")
    config = (folder / "vae" / "config.json").read_text()
    del weights["decoder.conv_in.bias"]
    (folder / "vae").unlink()
    (folder / "vae").mkdir()
    (folder / "vae" / "config.json").write_text(config)
    save_file(weights, folder / "vae" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(ModelFileError, match=r"not a whole Marigold model: it lacks 1 of \d+ tensors: vae\.decod"):
        read_checkpoint(folder)


def test_what_a_folder_shows_without_options(marigold_folder: Path) -> None:
    found = describe_checkpoint(marigold_folder)
    assert (found.file_format, found.family, found.kind) == ("diffusers folder", "marigold", "affine")
    assert found.source == "its model_index.json"


def test_images_are_brought_to_the_official_size() -> None:
    found = RULES.conventions(tiny_architecture("v1-1"), "marigold")
    assert (found.base_px, found.rule, found.pad, found.batch) == ((SIDE_PX, SIDE_PX), "longest_floor", "edge_end", 1)
    assert (found.input_resize, found.final_resize) == ("bilinear_antialias", "bilinear_centres")
    assert (found.steps, found.seed, found.mean, found.std) == (4, 0, (0.5,) * 3, (0.5,) * 3)
