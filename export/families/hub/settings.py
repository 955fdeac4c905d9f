"""The settings of a Hugging Face folder, whichever its family: what they are, and refusals of what is not computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....engine.errors import ModelFileError
from ....engine.system.field_types import Name
from ...checkpoint.safe_load import shown
from ...foreign_json import read_known, read_object

DA3 = "da3"  # begins the model_name that Depth Anything 3's own code writes
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """The settings of a folder that transformers wrote, or Depth Anything 3's own code.

    Args:
        folder: The folder.
        model_type: Of its config.json; DA3 if that is one of Depth Anything 3's own code, which writes none.
        config: Its config.json.
        preprocessor: Its preprocessor_config.json; None if it has none.
        model_name: Of the published model that Depth Anything 3's own code says it is, or "".
    """

    folder: Path
    model_type: str
    config: Mapping[str, Any]
    preprocessor: Mapping[str, Any] | None
    model_name: str = ""

    @property
    def config_name(self) -> str:
        """Return the name of the config for errors about its fields."""
        return f"{self.folder / CONFIG}: config"


@dataclass(frozen=True, slots=True)
class PreprocessorConfig:
    """The part of a preprocessor_config.json that changes pixel values; None means the default."""

    do_rescale: bool | None = True
    rescale_factor: float | None = 1 / 255
    do_normalize: bool | None = True
    image_mean: Colour | None = None
    image_std: Colour | None = None


@dataclass(frozen=True, slots=True)
class _AnyConfig:
    """A config.json of any model."""

    model_type: Name | None = None
    model_name: Name | None = None


def read_settings(folder: Path) -> FolderSettings | None:
    """Read a folder's settings; None if nobody known wrote them (PyTorchModelHubMixin names no model_type).

    Raises:
        ModelFileError: A file is not JSON, or its model_type is not a text.
        OSError: config.json cannot be read.
    """
    config = read_object(folder / CONFIG)
    found = read_known(_AnyConfig, config, name=f"{folder / CONFIG}: config")
    preprocessor = read_object(folder / PREPROCESSOR) if (folder / PREPROCESSOR).is_file() else None
    if found.model_type is not None:
        return FolderSettings(folder, found.model_type, config, preprocessor)
    if found.model_name is not None and found.model_name.lower().startswith(DA3):
        return FolderSettings(folder, DA3, config, preprocessor, found.model_name)
    return None


def check_preprocessor(settings: FolderSettings, mean: Colour, std: Colour) -> None:
    """Refuse a preprocessor_config.json that asks for other pixel values than a model file gets.

    Its sizes and its resampling are not read: images are resized by the official rule.

    Raises:
        ModelFileError: A value is wrong, or another value is asked for.
    """
    if settings.preprocessor is None:
        return
    path = settings.folder / PREPROCESSOR
    found = read_known(PreprocessorConfig, dict(settings.preprocessor), name=f"{path}: config")
    usual = PreprocessorConfig()
    refuse_other_settings(
        f"{path}:",
        (
            ("do_rescale", found.do_rescale, usual.do_rescale),
            ("rescale_factor", found.rescale_factor, usual.rescale_factor),
            ("do_normalize", found.do_normalize, usual.do_normalize),
            ("image_mean", found.image_mean, mean),
            ("image_std", found.image_std, std),
        ),
    )


def refuse_other_settings(where: str, settings: Iterable[tuple[str, object, object]]) -> None:
    """Raise ModelFileError for the first (name, asked value, only possible value) whose values differ."""
    for name, asked, fixed in settings:
        if asked is not None and not _equal(asked, fixed):
            raise ModelFileError(f"{where} {name} is {as_text(asked)}, this version exports {as_text(fixed)} only")


def as_text(value: object) -> str:
    """Return a setting as it stands in JSON, shortened."""
    if isinstance(value, tuple):
        return shown(f"[{', '.join(map(as_text, value))}]")
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else shown(repr(value))


def _equal(asked: object, fixed: object) -> bool:
    """Return whether two settings are equal, except for digits that a JSON file may have dropped."""
    if isinstance(asked, tuple) and isinstance(fixed, tuple):
        return len(asked) == len(fixed) and all(map(_equal, asked, fixed))
    if isinstance(asked, float) and isinstance(fixed, float):
        return math.isclose(asked, fixed, rel_tol=1e-6)
    return asked == fixed
