"""A folder's settings are read strictly, and its pixel values must be those of the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthrt.engine.errors import ModelFileError
from depthrt.export.families.hub.settings import check_preprocessor, read_settings
from depthrt.export.families.rules import IMAGENET_MEAN, IMAGENET_STD

# As published with depth-anything/Depth-Anything-V2-Small-hf.
PREPROCESSOR = {
    "do_normalize": True,
    "do_pad": False,
    "do_rescale": True,
    "do_resize": True,
    "ensure_multiple_of": 14,
    "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "DPTImageProcessor",
    "image_std": [0.229, 0.224, 0.225],
    "keep_aspect_ratio": True,
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 518, "width": 518},
    "size_divisor": None,
}


def written(folder: Path, preprocessor: object) -> Path:
    (folder / "config.json").write_text('{"model_type": "depth_anything"}')
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder / "preprocessor_config.json"


def check(path: Path) -> None:
    settings = read_settings(path.parent)
    assert settings is not None
    check_preprocessor(settings, IMAGENET_MEAN, IMAGENET_STD)


def test_a_config_of_the_hub_mixin_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"encoder": "vits", "features": 64}')
    assert read_settings(tmp_path) is None


def test_a_folder_without_a_preprocessor_asks_for_nothing(tmp_path: Path) -> None:
    written(tmp_path, {}).unlink()
    check(tmp_path / "preprocessor_config.json")


def test_the_published_preprocessor_is_that_of_the_contract(tmp_path: Path) -> None:
    check(written(tmp_path, PREPROCESSOR))
    check(written(tmp_path, {}))
    check(written(tmp_path, PREPROCESSOR | {"image_mean": None, "size": "any"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"image_mean": [0.5, 0.5, 0.5]},
            "image_mean is [0.5, 0.5, 0.5], this version exports [0.485, 0.456, 0.406] only",
        ),
        ({"image_std": [1, 1, 1]}, "image_std is [1, 1, 1], this version exports [0.229, 0.224, 0.225] only"),
        ({"do_rescale": False}, "do_rescale is false, this version exports true only"),
        ({"do_normalize": False}, "do_normalize is false, this version exports true only"),
        ({"rescale_factor": 1.0}, "rescale_factor is 1, this version exports 0.00392157 only"),
        ({"image_mean": 0.5}, "config.image_mean is 0.5, expected a list of 3 or null"),
        ({"image_mean": [0.5, 0.5]}, "config.image_mean is a list of 2, expected a list of 3"),
        ({"image_std": [0.2, None, 0.2]}, "config.image_std[1] is null, expected a finite number"),
        ({"do_rescale": "yes"}, "config.do_rescale is 'yes', expected true or false or null"),
    ],
)
def test_other_pixel_values_than_the_contracts_are_refused(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, PREPROCESSOR | changes)
    with pytest.raises(ModelFileError) as caught:
        check(path)
    assert str(caught.value).startswith(f"{path}: ") and message in str(caught.value)
