"""Manifests: JSON lines that name the image, depth, regions, scene and split of each pair of a data set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from ...engine.errors import InputError
from ...engine.system.field_types import Name, Positive, Text
from ...engine.system.files import atomic_path, open_file
from ...engine.system.json_object import parse_object
from ...engine.system.records import Mismatch, check_record, read_record, to_json_object
from .pairs.scenes import Layout, plain_scene

MANIFEST = "manifest.jsonl"
SUFFIX = ".jsonl"

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

_REMEDY = "correct the line, or write the manifest again (depthrt finetune check DATASET -o MANIFEST)"
_MAY_LACK: dict[str, Any] = {"mask": None, "split": None}

_Path = Annotated[str, Text(1, 4096)]


@dataclass(frozen=True, slots=True)
class Entry:
    """A pair of a manifest; paths are relative to the manifest's folder, with "/" between their parts.

    Args:
        image: Path of the image.
        depth: Path of its depth.
        scene: Pairs of one scene never stand on both sides of a split.
        mask: Path of its region mask, None without one.
        split: None leaves the split to the reader.
        layout: How the depth file is read; None goes by its name.
        units_per_m: Units a metre of a depth file that holds whole numbers and states no unit; None leaves it to the
            reader.
    """

    image: _Path
    depth: _Path
    scene: Name
    mask: _Path | None = None
    split: Split | None = None
    layout: Layout | None = None
    units_per_m: Positive | None = None

    OPTIONAL: ClassVar[tuple[str, ...]] = ("layout", "units_per_m")

    def check(self) -> None:
        """Raise Mismatch if a path is not relative."""
        for name in ("image", "depth", "mask"):
            path = getattr(self, name)
            if path is not None and PurePosixPath(path).is_absolute():
                raise Mismatch(f".{name}", f"is {path[:40]!r}, expected a path relative to the manifest's folder")


def manifest_of(source: Path) -> Path | None:
    """Return the manifest that a path names: a .jsonl file, or the manifest of a folder; None without one."""
    if source.is_dir():
        return source / MANIFEST if (source / MANIFEST).is_file() else None
    return source if source.suffix.lower() == SUFFIX else None


def read_manifest(path: Path) -> tuple[Entry, ...]:
    """Read a manifest; `mask`, `split` and `scene` may be missing, and the scene is then as in a plain folder.

    Raises:
        InputError: It cannot be read, has no entry, or a line of it is not an entry.
    """
    try:
        with open_file(path, expected="a manifest") as file:
            lines = file.read().splitlines()
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected a manifest; check the path") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check its rights") from error
    entries = tuple(
        _entry(line, f"{path}, line {number}: entry") for number, line in enumerate(lines, 1) if line.strip()
    )
    if not entries:
        raise InputError(f"{path} has no entries, expected a JSON object on each line; {_REMEDY}")
    return entries


def write_manifest(path: Path, entries: Iterable[Entry]) -> None:
    """Write a manifest, whole or not at all.

    Raises:
        InputError: An entry holds what read_manifest refuses, or the file cannot be written.
    """
    lines = []
    for entry in entries:
        check_record(entry, name=f"{path}: entry", remedy="name it otherwise", failure=InputError)
        lines.append(json.dumps(to_json_object(entry), ensure_ascii=False) + "\n")
    with atomic_path(path) as unfinished:
        unfinished.write_text("".join(lines), encoding="utf-8")


def _entry(line: bytes, name: str) -> Entry:
    found = {**_MAY_LACK, **parse_object(line, name=name, remedy=_REMEDY, failure=InputError)}
    for key in Entry.OPTIONAL:
        if key in found and found[key] is None:
            del found[key]
    if found.get("scene") is None and isinstance(image := found.get("image"), str):
        found["scene"] = plain_scene(PurePosixPath(image))
    return read_record(Entry, found, name=name, remedy=_REMEDY, failure=InputError)
