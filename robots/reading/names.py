"""The names that the files of bags have; light to import."""

from __future__ import annotations

from pathlib import Path

METADATA = "metadata.yaml"
ROS1_SUFFIX = ".bag"
STORAGE_SUFFIXES = (".mcap", ".db3", ROS1_SUFFIX)
ZSTD_SUFFIX = ".zstd"
SUFFIXES = (*STORAGE_SUFFIXES, *(f"{suffix}{ZSTD_SUFFIX}" for suffix in STORAGE_SUFFIXES[:2]))


def is_bag(path: Path) -> bool:
    """Whether a path is named as a bag: a file with the suffix of one, or a folder that holds such files."""
    if path.is_dir():
        return any(is_storage(file) for file in path.iterdir())
    return path.name.endswith(SUFFIXES)


def is_storage(file: Path) -> bool:
    """Whether a file is named as the file of a bag is; hidden ones are unfinished."""
    return file.name.endswith(SUFFIXES) and not file.name.startswith(".")
