"""A preprocessor_config.json gives the input and the depth that transformers' own processor gives, or one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from made import make_contract
from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil
from transformers.models.zoedepth.image_processing_pil_zoedepth import ZoeDepthImageProcessorPil

from depthrt import ModelFileError
from depthrt.engine.images.preprocess import fit_image, make_batch, to_image_size
from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.adopt.preprocessor_config import Preprocessor, read_preprocessor

# transformers divides by 255 and normalises in float32, one after the other: 4e-7 of values up to 2.7.
INPUT_TOLERANCE = 1e-6
DEPTH_TOLERANCE = 3e-5  # of the range: torch computes positions in float32
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
# As onnx-community publishes it for Depth Anything V2 Small.
DEPTH_ANYTHING: dict[str, Any] = {
    "do_normalize": True,
    "do_pad": False,
    "do_rescale": True,
    "do_resize": True,
    "ensure_multiple_of": 14,
    "image_processor_type": "DPTImageProcessor",
    "keep_aspect_ratio": True,
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 518, "width": 518},
    "size_divisor": None,
    **IMAGENET,
}
SMALL = DEPTH_ANYTHING | {"size": {"height": 70, "width": 70}}
ZOEDEPTH: dict[str, Any] = {
    "image_processor_type": "ZoeDepthImageProcessor",
    "ensure_multiple_of": 32,
    "size": {"height": 64, "width": 96},
}
IMAGES_PX = [(60, 80), (80, 60), (300, 200), (71, 70), (37, 200)]


def folder_of(folder: Path, found: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> Path:
    (folder / "preprocessor_config.json").write_text(json.dumps(found))
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def read(folder: Path, found: Mapping[str, Any], **graph: Any) -> Preprocessor:  # noqa: ANN401
    preprocessor = read_preprocessor(folder_of(folder, found), **graph)
    assert preprocessor is not None
    return preprocessor


def contract_of(preprocessor: Preprocessor) -> Contract:
    assert preprocessor.rule is not None
    return replace(
        make_contract(size=preprocessor.rule),
        mean=preprocessor.mean,
        std=preprocessor.std,
        input_resize=preprocessor.input_resize,
        final_resize=preprocessor.final_resize,
    )


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("image_px", IMAGES_PX)
@pytest.mark.parametrize(
    "found",
    [
        SMALL,
        SMALL | {"resample": 2},
        SMALL | {"resample": 1, "keep_aspect_ratio": False},
        SMALL | {"keep_aspect_ratio": False, "size": {"height": 100, "width": 60}, "ensure_multiple_of": 1},
        SMALL | {"do_rescale": False, "image_mean": [100, 110, 120], "image_std": 57.5},
        SMALL | {"do_normalize": False},
        SMALL | {"do_normalize": False, "do_rescale": False},
        {"feature_extractor_type": "DPTFeatureExtractor", "size": 96, "ensure_multiple_of": 32},
    ],
)
def test_input_and_depth_are_those_of_dpts_processor(
    found: dict[str, Any], image_px: tuple[int, int], tmp_path: Path
) -> None:
    contract = contract_of(read(tmp_path, found))
    processor = DPTImageProcessorPil(**{key: value for key, value in found.items() if not key.endswith("_type")})
    image = picture(*image_px)
    fit = fit_image(contract.size, image_px)
    batch = make_batch(image, contract, fit, "rgb")
    expected = processor(images=image, return_tensors="pt")["pixel_values"].numpy()
    assert batch.shape == expected.shape
    assert np.abs(batch - expected).max() <= INPUT_TOLERANCE * max(1, np.abs(expected).max())
    raw = SimpleNamespace(predicted_depth=torch.from_numpy(batch[:, 0]))
    (answer,) = processor.post_process_depth_estimation(raw, [image_px])
    depth = to_image_size(batch[0, 0], contract, fit, image_px)
    assert np.abs(depth - answer["predicted_depth"].numpy()).max() <= DEPTH_TOLERANCE * np.ptp(depth)


@pytest.mark.parametrize("image_px", IMAGES_PX)
@pytest.mark.parametrize("changed", [{}, {"do_pad": False}, {"keep_aspect_ratio": False}])
def test_the_input_is_that_of_zoedepths_processor(
    changed: dict[str, Any], image_px: tuple[int, int], tmp_path: Path
) -> None:
    found = ZOEDEPTH | changed
    contract = contract_of(read(tmp_path, found))
    processor = ZoeDepthImageProcessorPil(**{key: value for key, value in found.items() if not key.endswith("_type")})
    image = picture(*image_px)
    batch = make_batch(image, contract, fit_image(contract.size, image_px), "rgb")
    expected = processor(images=image, return_tensors="pt")["pixel_values"].numpy()
    assert batch.shape == expected.shape and np.abs(batch - expected).max() <= 2 * INPUT_TOLERANCE
    assert contract.final_resize == "bicubic"


def test_the_file_of_depth_anything_is_read_as_it_stands(tmp_path: Path) -> None:
    found = read(tmp_path, DEPTH_ANYTHING)
    assert found == Preprocessor(
        SizeRule((518, 518), 14, "minimal"), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "cubic_uint8", "bicubic"
    )


@pytest.mark.parametrize("key", ["image_processor_type", "size", "resample", "ensure_multiple_of", "image_mean"])
def test_null_is_the_default_of_the_processor(key: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "depth_anything"}')
    square = {"keep_aspect_ratio": False}
    without = {name: value for name, value in (SMALL | square).items() if name != key}
    assert read(tmp_path, SMALL | square | {key: None}) == read(tmp_path, without)


def test_what_a_file_leaves_out_is_the_default_of_its_processor(tmp_path: Path) -> None:
    plain, zoe = DPTImageProcessorPil(), ZoeDepthImageProcessorPil()
    dpt = read(tmp_path, {"image_processor_type": "DPTImageProcessorFast"})
    assert dpt.rule == SizeRule((plain.size["height"], plain.size["width"]), 1, "stretch")
    assert (dpt.mean, dpt.std) == (tuple(plain.image_mean), tuple(plain.image_std))
    found = read(tmp_path, {"image_processor_type": "ZoeDepthImageProcessor"})
    assert found.rule == SizeRule((zoe.size["height"], zoe.size["width"]), 1, "minimal", margin="zoe")


@pytest.mark.parametrize(("model_type", "margin"), [("depth_anything", "none"), ("dpt", "none"), ("zoedepth", "zoe")])
def test_the_config_names_the_processor_where_the_file_does_not(model_type: str, margin: str, tmp_path: Path) -> None:
    found = read_preprocessor(folder_of(tmp_path, {"size": 64}, {"model_type": model_type}))
    assert found is not None and found.rule is not None and found.rule.margin == margin


def test_a_folder_without_the_file_says_nothing(tmp_path: Path) -> None:
    assert read_preprocessor(tmp_path) is None


def test_a_file_that_does_not_resize_leaves_the_size_open(tmp_path: Path) -> None:
    found = read(tmp_path, DEPTH_ANYTHING | {"do_resize": False})
    assert found.rule is None and found.mean == (0.485, 0.456, 0.406)


def test_a_static_graph_is_stretched_to_as_the_processor_does(tmp_path: Path) -> None:
    found = read(tmp_path, SMALL | {"keep_aspect_ratio": False}, static_px=(70, 70), multiple_px=14)
    assert found.rule == SizeRule((70, 70), 14, "stretch") and found.remarks == ()


def test_a_static_graph_keeps_the_aspect_where_the_processor_does_and_that_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, DEPTH_ANYTHING, static_px=(280, 504), multiple_px=14)
    assert found.rule == SizeRule((280, 504), 14, "letterbox")
    (remark,) = found.remarks
    assert remark == (
        "preprocessor_config.json keeps the aspect, and the graph takes 280x504 only: an image is fitted inside it, "
        "and its mirror image fills the rest."
    )


@pytest.mark.parametrize(
    ("changed", "graph", "said"),
    [
        ({"do_pad": True, "size_divisor": 32}, {}, "do_pad is true, and depthrt puts no black border around an image"),
        ({"resample": 0}, {}, r"resample is 0, expected 1 \(Lanczos\), 2 \(bilinear\) or 3 \(bicubic\)"),
        ({"resample": "bicubic"}, {}, "config.resample is 'bicubic', expected a whole number"),
        ({"do_center_crop": True}, {}, "do_center_crop is true, which depthrt does not know"),
        ({"do_flip_channel_order": 1}, {}, "do_flip_channel_order is 1, which depthrt does not know"),
        ({"size": {"shortest_edge": 518}}, {}, "config.size is .*, expected a list of 2"),
        ({"size": {"height": 500, "width": 500}}, {}, r"size.base_px is 500x500, expected multiples of .*14"),
        ({"ensure_multiple_of": 1.5}, {}, "ensure_multiple_of is 1.5, expected a whole number"),
        ({"ensure_multiple_of": 0}, {}, "config.ensure_multiple_of is 0, expected a finite number above 0"),
        ({"image_mean": [0.5, 0.5]}, {}, "config.image_mean is .*, expected a list of 3"),
        ({"image_mean": [123, 116, 103]}, {}, r"of RGB from 0 to 1.mean\[0\] is 123.0, expected"),
        ({"data_format": "channels_last"}, {}, "data_format is 'channels_last', expected 'channels_first'"),
        (
            {"image_processor_type": "GLPNImageProcessor"},
            {},
            "names 'GLPNImageProcessor' as its processor, expected",
        ),
        ({"image_processor_type": None}, {}, "names nothing as its processor, expected DPTImageProcessor or Zoe"),
        ({"ensure_multiple_of": 7}, {"multiple_px": 14}, "multiples of 7 px, and the graph takes multiples of 14 px"),
        (
            {"keep_aspect_ratio": False},
            {"static_px": (504, 504)},
            "asks for 518x518, and the graph takes 504x504 only",
        ),
        ({}, {"static_px": (500, 500)}, r"size.base_px is 500x500, expected multiples of .*14"),
        (ZOEDEPTH | {"resample": 3}, {}, r"resample is 3, expected 2 \(bilinear\) for ZoeDepth"),
    ],
)
def test_what_is_not_done_is_one_line(
    changed: dict[str, Any], graph: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match=said) as refused:
        read(tmp_path, DEPTH_ANYTHING | changed, **graph)
    assert str(refused.value).startswith(f"{tmp_path / 'preprocessor_config.json'}: ")
    assert str(refused.value).endswith("; correct it, or move it away and give --size, --mean and --std")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"size": 1, "size": 2}', '{"rescale_factor": NaN}'])
def test_what_is_no_json_object_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"preprocessor_config\.json is not .*; correct it or download it again"):
        read_preprocessor(tmp_path)
