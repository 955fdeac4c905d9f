"""A Hugging Face folder becomes plain data: its settings, and the weights of its file or shards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...engine.errors import ModelFileError
from ..families.hub.settings import CONFIG, FolderSettings, read_settings
from ..families.table import EXPORTED, rules_of_model_type
from ..foreign_json import REMEDY, read_object
from .recognise import SINGLE_FILES
from .safe_load import Contents, load_file, reading, shown

INDEX_FILES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")


def is_folder_model(path: Path) -> bool:
    """Return whether a path is a folder, or the weights file of a folder with a config.json."""
    with reading(path):
        beside = path.name in SINGLE_FILES and (path.parent / CONFIG).is_file()
        return path.is_dir() or path.name in INDEX_FILES or beside


def load_folder(path: Path) -> tuple[Contents, FolderSettings | None]:
    """Read a Hugging Face folder as plain data.

    Args:
        path: The folder, or the weights file or index to use in it.

    Returns:
        Its contents, and its settings; None if transformers did not write them.

    Raises:
        ModelFileError: A file is missing or damaged, or it is another kind of model.
    """
    with reading(path):
        folder = path if path.is_dir() else path.parent
        settings = _read_settings(folder)
        weights = _weights_of(folder) if path.is_dir() else path
        shards = _shards(weights) if weights.name in INDEX_FILES else [weights]
    parts = [load_file(shard) for shard in shards]
    if len(parts) == 1:
        return Contents(parts[0].data, "Hugging Face folder", parts[0].sha256, parts[0].metadata), settings
    sha256 = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    return Contents(_joined(shards, parts), "Hugging Face folder", sha256), settings


def _read_settings(folder: Path) -> FolderSettings | None:
    """Read config.json, and preprocessor_config.json if there is one."""
    if (folder / "model_index.json").is_file():
        raise ModelFileError(f"{folder} is a diffusers pipeline (Marigold is one); {EXPORTED}")
    if not (folder / CONFIG).is_file():
        files = sorted(entry.name for entry in folder.iterdir() if entry.suffix in (".pth", ".pt", ".safetensors"))
        instead = f"give the file itself, e.g. {shown(files[0])}" if files else "give a weights file"
        raise ModelFileError(f"{folder} is a folder without config.json, so not a Hugging Face model; {instead}")
    settings = read_settings(folder)
    if settings is not None and rules_of_model_type(settings.model_type) is None:
        raise ModelFileError(f"{folder} is a {shown(settings.model_type)} model; {EXPORTED}")
    return settings


def _weights_of(folder: Path) -> Path:
    for name in SINGLE_FILES + INDEX_FILES:
        if (folder / name).is_file():
            return folder / name
    raise ModelFileError(f"{folder} holds none of {', '.join(SINGLE_FILES + INDEX_FILES)}; download it again")


def _shards(index: Path) -> list[Path]:
    """Return the files that an index names, sorted; only files of the index's folder."""
    weight_map = read_object(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        found = "is missing" if weight_map is None else f"is {shown(repr(weight_map))}"
        raise ModelFileError(f"{index}: weight_map {found}, expected an object of tensor names and files; {REMEDY}")
    for tensor, name in weight_map.items():
        if not isinstance(name, str):
            raise ModelFileError(
                f"{index}: weight_map of {shown(tensor)} is {shown(repr(name))}, expected a file name; {REMEDY}"
            )
        if Path(name).name != name:
            raise ModelFileError(f"{index} names a file outside its folder, {shown(name)}; do not use it")
    names = sorted(set(weight_map.values()))
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        raise ModelFileError(
            f"{index} names {len(names)} shards and {len(missing)} are missing, e.g. {shown(missing[0])}; "
            "download them into the same folder"
        )
    return [index.parent / name for name in names]


def _joined(shards: list[Path], parts: list[Contents]) -> dict[str, Any]:
    """Return the tensors of all shards."""
    data: dict[str, Any] = {}
    for shard, part in zip(shards, parts, strict=True):
        if not isinstance(part.data, Mapping):
            raise ModelFileError(f"{shard} holds a {type(part.data).__name__}, expected named tensors")
        twice = data.keys() & part.data.keys()
        if twice:
            raise ModelFileError(f"{shard} holds {shown(min(twice))}, as another shard does; download them again")
        data.update(part.data)
    return data
