"""A Hugging Face folder becomes plain data: its settings, and the weights of its file or shards."""

from __future__ import annotations

from pathlib import Path

from ...engine.errors import ModelFileError
from ..families.hub.settings import CONFIG, FolderSettings, read_settings
from ..families.table import EXPORTED, rules_of_model_type
from .pipeline_folder import is_pipeline, load_pipeline
from .recognise import SINGLE_FILES
from .safe_load import Contents, reading, shown
from .shards import load_shards, shards_of

FOLDER = "Hugging Face folder"
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
        if path.is_dir() and is_pipeline(path):
            return load_pipeline(path)
        folder = path if path.is_dir() else path.parent
        settings = _read_settings(folder)
        weights = _weights_of(folder) if path.is_dir() else path
        shards = shards_of(weights) if weights.name in INDEX_FILES else [weights]
    found = load_shards(shards, FOLDER)
    return Contents(found.data, FOLDER, found.sha256, found.metadata), settings


def _read_settings(folder: Path) -> FolderSettings | None:
    """Read config.json, and preprocessor_config.json if there is one."""
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
