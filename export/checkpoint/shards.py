"""Weights in several files, named by an index: their paths and their tensors together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...engine.errors import ModelFileError
from ..foreign_json import REMEDY, read_object
from .safe_load import Contents, load_file, shown

INDEX_ENDING = ".index.json"


def shards_of(index: Path) -> list[Path]:
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


def load_shards(shards: list[Path], what: str) -> Contents:
    """Return the contents of one file as they are, or of several together; `what` they are, for people.

    Raises:
        ModelFileError: A file is damaged, or two hold the same tensor.
    """
    parts = [load_file(shard) for shard in shards]
    if len(parts) == 1:
        return parts[0]
    sha256 = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    return Contents(join_shards(shards, parts), what, sha256)


def join_shards(shards: list[Path], parts: list[Contents]) -> dict[str, Any]:
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
