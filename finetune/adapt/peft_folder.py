"""Reads the folder that the package peft writes for updates of LoRA."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import InputError
from ...engine.system.field_types import Count, Positive
from ...engine.system.json_object import parse_object
from ...engine.system.records import read_record
from ...export.checkpoint.safe_load import Contents, load_file

_CONFIG = "adapter_config.json"
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_REMEDY = "save the updates with peft again"


@dataclass(frozen=True, slots=True)
class _Config:
    """The keys of adapter_config.json that the sum of a matrix and its update depends on."""

    r: Count
    lora_alpha: Positive
    use_rslora: bool


def is_peft_folder(path: Path) -> bool:
    """Return whether a path is a folder that peft wrote."""
    return (path / _CONFIG).is_file()


def read_peft_folder(path: Path) -> tuple[Contents, float]:
    """Return the tensors of a folder of peft, and the number that updates are multiplied by.

    Raises:
        InputError: The configuration is damaged, or there are no weights.
        ModelFileError: The weights are damaged.
    """
    name = str(path / _CONFIG)
    try:
        text = (path / _CONFIG).read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror or error}); {_REMEDY}") from error
    found = parse_object(text, name=name, remedy=_REMEDY, failure=InputError)
    keys = {"use_rslora": False, **{key: value for key, value in found.items() if key in _Config.__slots__}}
    config = read_record(_Config, keys, name=name, remedy=_REMEDY, failure=InputError)
    weights = next((path / file for file in _WEIGHTS if (path / file).is_file()), None)
    if weights is None:
        raise InputError(f"{path} has no {_WEIGHTS[0]}; {_REMEDY}")
    root = math.sqrt(config.r) if config.use_rslora else config.r
    return load_file(weights), config.lora_alpha / root
