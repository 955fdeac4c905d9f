"""The preprocessor_config.json beside a foreign ONNX file: what it says becomes what a contract needs, or is refused.

Meant is what the processors of transformers compute with Pillow and numpy (DPTImageProcessorPil in transformers 5,
DPTImageProcessor in 4). The newer ones on torchvision call torch's kernel for uint8, which differs by up to 2 levels of
255 in 0.4 % of the values (torch 2.13, a photograph of 400x600 px at 518x686).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from ...engine.errors import ModelFileError
from ...engine.modelfile.contract import Deviation, FinalResize, InputResize, Mean
from ...engine.modelfile.size_rule import Side, SizeRule, in_px
from ...engine.system.field_types import Name, Positive
from ...engine.system.records import check_record, read_record, to_json_object
from ..families.hub.settings import CONFIG, PREPROCESSOR, Colour, as_text
from ..families.rules import HALF
from ..foreign_json import read_object

Px = tuple[int, int]  # (h, w)

REMEDY = "correct it, or move it away and give --size, --mean and --std"

_SUFFIXES = ("ImageProcessorFast", "ImageProcessorPil", "ImageProcessor", "FeatureExtractor")
_OF_MODEL_TYPES = {"depth_anything": "DPT", "dpt": "DPT", "zoedepth": "ZoeDepth"}
_PILLOW: dict[int, InputResize] = {1: "lanczos_uint8", 2: "bilinear_uint8", 3: "cubic_uint8"}
_ZOEDEPTH_RESAMPLE = 2
# Keys that change nothing, or nothing while those that would use them are off.
_IDLE = (
    *("image_processor_type", "feature_extractor_type", "processor_class", "_valid_processor_keys", "return_tensors"),
    *("input_data_format", "device", "disable_grouping", "default_to_square", "do_convert_rgb", "do_reduce_labels"),
    *("crop_size", "pad_size", "size_divisor"),
)


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """What a preprocessor_config.json says, as a contract says it.

    Args:
        rule: How an image's size becomes the input's; None if the file leaves it open.
        mean, std: Of RGB in [0, 1].
        input_resize: How the image is resized to the input's size.
        final_resize: How the output is resized to the image's size, as post_process_depth_estimation does.
        remarks: What is done otherwise than the processor does it, a sentence each.
    """

    rule: SizeRule | None
    mean: Colour
    std: Colour
    input_resize: InputResize
    final_resize: FinalResize = "bicubic"
    remarks: tuple[str, ...] = ()


# Source: transformers models/dpt/image_processing_pil_dpt.py (DPTImageProcessorPil), for the defaults
@dataclass(frozen=True, slots=True)
class _Config:
    """The keys that change pixel values."""

    do_resize: bool = True
    size: tuple[Side, Side] = (384, 384)
    keep_aspect_ratio: bool = False
    ensure_multiple_of: Positive = 1
    resample: int = 3
    do_pad: bool = False
    do_rescale: bool = True
    rescale_factor: Positive = 1 / 255
    do_normalize: bool = True
    image_mean: Colour = HALF
    image_std: Colour = HALF
    data_format: Name = "channels_first"


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Mean and deviation as a contract takes them."""

    mean: tuple[Mean, Mean, Mean]
    std: tuple[Deviation, Deviation, Deviation]


# Source: transformers models/zoedepth/image_processing_pil_zoedepth.py (ZoeDepthImageProcessorPil)
_DEFAULTS = {
    "DPT": _Config(),
    "ZoeDepth": _Config(
        size=(384, 512), keep_aspect_ratio=True, ensure_multiple_of=1 / 32, resample=_ZOEDEPTH_RESAMPLE, do_pad=True
    ),
}


def read_preprocessor(folder: Path, *, static_px: Px | None = None, multiple_px: int = 1) -> Preprocessor | None:
    """Read the preprocessor_config.json of a folder; None if it has none.

    Args:
        folder: May have a config.json, whose model_type names the processor if the file itself does not.
        static_px: (h, w) of a graph that takes one size only.
        multiple_px: What the sides of the graph's input must be multiples of.

    Raises:
        ModelFileError: A value is wrong, or something is asked for that depthrt or the graph does not do.
    """
    path = folder / PREPROCESSOR
    if not path.is_file():
        return None
    found = read_object(path)
    processor = _processor(path, found)
    config = _read(path, found, _DEFAULTS[processor])
    _refuse_others(path, processor, config)
    meaning = _meaning(path, config)
    rule, remarks = _rule(path, config, static_px, multiple_px)
    if rule is not None and processor == "ZoeDepth" and config.do_pad:
        rule = replace(rule, margin="zoe")
    resize: InputResize = "bilinear_corners" if processor == "ZoeDepth" else _PILLOW[config.resample]
    return Preprocessor(rule, meaning.mean, meaning.std, resize, remarks=remarks)


def _processor(path: Path, found: dict[str, Any]) -> str:
    """Return which processor a file is of: "DPT" or "ZoeDepth"."""
    named = found.get("image_processor_type") or found.get("feature_extractor_type")
    if named is None:
        config = path.parent / CONFIG
        named = read_object(config).get("model_type") if config.is_file() else None
        name = _OF_MODEL_TYPES.get(named) if isinstance(named, str) else None
    else:
        name = next((str(named).removesuffix(end) for end in _SUFFIXES if str(named).endswith(end)), None)
    if name not in _DEFAULTS:
        what = "nothing" if named is None else as_text(named)
        _refuse(path, f"names {what} as its processor, expected DPTImageProcessor or ZoeDepthImageProcessor")
    return name


def _read(path: Path, found: dict[str, Any], default: _Config) -> _Config:
    """Read the keys that count; refuse those that are not known, unless they are off.

    Raises:
        ModelFileError: A value is wrong.
    """
    given = {key: value for key, value in found.items() if value is not None and key not in _IDLE}
    wanted = to_json_object(default)
    for key in given.keys() - wanted.keys():
        if given[key] is not False:
            _refuse(path, f"{key} is {as_text(given[key])}, which depthrt does not know")
    for key, several in (("size", _sides), ("image_mean", _channels), ("image_std", _channels)):
        if key in given:
            given[key] = several(given[key])
    known = {key: given.get(key, value) for key, value in wanted.items()}
    return read_record(_Config, known, name=f"{path}: config", remedy=REMEDY, failure=ModelFileError)


def _sides(size: object) -> object:
    """Return [h, w] of a size that is one side or names both; anything else as it is."""
    if isinstance(size, dict) and size.keys() == {"height", "width"}:
        return [size["height"], size["width"]]
    return [size, size] if type(size) is int else size


def _channels(value: object) -> object:
    """Return one number for each channel; anything else as it is."""
    return [value] * 3 if type(value) in (int, float) else value


def _refuse_others(path: Path, processor: str, config: _Config) -> None:
    """Refuse what the processor can do and depthrt cannot."""
    if config.data_format != "channels_first":
        _refuse(path, f"data_format is {as_text(config.data_format)}, expected 'channels_first'")
    if processor == "ZoeDepth":
        if config.resample != _ZOEDEPTH_RESAMPLE:
            _refuse(path, f"resample is {config.resample}, expected {_ZOEDEPTH_RESAMPLE} (bilinear) for ZoeDepth")
        return
    if config.resample not in _PILLOW:
        _refuse(path, f"resample is {config.resample}, expected 1 (Lanczos), 2 (bilinear) or 3 (bicubic)")
    if config.do_pad:
        _refuse(path, "do_pad is true, and depthrt puts no black border around an image")


def _meaning(path: Path, config: _Config) -> _Meaning:
    """Return mean and std of RGB in [0, 1] for the processor's arithmetic on uint8."""
    scale = 255 * config.rescale_factor if config.do_rescale else 255.0
    scale = 1.0 if math.isclose(scale, 1.0, rel_tol=1e-6) else scale  # of the digits that JSON has
    mean, std = (config.image_mean, config.image_std) if config.do_normalize else ((0.0,) * 3, (1.0,) * 3)
    meaning = _Meaning(*((values[0] / scale, values[1] / scale, values[2] / scale) for values in (mean, std)))
    check_record(meaning, name=f"{path}: of RGB from 0 to 1", remedy=REMEDY, failure=ModelFileError)
    return meaning


def _rule(
    path: Path, config: _Config, static_px: Px | None, multiple_px: int
) -> tuple[SizeRule | None, tuple[str, ...]]:
    """Return the size rule, and remarks."""
    if not config.do_resize:
        return None, ()
    multiple = _multiple(path, config)
    if not config.keep_aspect_ratio:
        height, width = (round(side / multiple) * multiple for side in config.size)
        if static_px not in (None, (height, width)):
            _refuse(path, f"asks for {in_px((height, width))}, and the graph takes {in_px(static_px)} only")
        return _made(path, SizeRule((height, width), multiple, "stretch"), multiple_px), ()
    if static_px is None:
        return _made(path, SizeRule(config.size, multiple, "minimal"), multiple_px), ()
    remark = (
        f"{PREPROCESSOR} keeps the aspect, and the graph takes {in_px(static_px)} only: an image is fitted inside it, "
        "and its mirror image fills the rest."
    )
    return _made(path, SizeRule(static_px, multiple, "letterbox"), 1), (remark,)


def _multiple(path: Path, config: _Config) -> int:
    """Return what the processor makes sides multiples of; a fraction such as 1/32 leaves whole pixels."""
    multiple = config.ensure_multiple_of
    if multiple != int(multiple) and 1 / multiple != round(1 / multiple):
        _refuse(path, f"ensure_multiple_of is {multiple:g}, expected a whole number")
    return max(1, int(multiple))


def _made(path: Path, rule: SizeRule, multiple_px: int) -> SizeRule:
    """Return a rule that a contract and the graph take."""
    check_record(rule, name=f"{path}: size", remedy=REMEDY, failure=ModelFileError)
    sides = rule.base_px if rule.static else (rule.multiple_px,)
    if any(side % multiple_px for side in sides):
        found = in_px(rule.base_px) if rule.static else f"multiples of {rule.multiple_px} px"
        _refuse(path, f"asks for {found}, and the graph takes multiples of {multiple_px} px")
    return rule


def _refuse(path: Path, what: str) -> NoReturn:
    raise ModelFileError(f"{path}: {what}; {REMEDY}")
