"""The record of a fine-tuning in its folder: what it began with, so that it only goes on with the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

from ...engine.errors import InputError
from ...engine.system.field_types import Count, Name, NotNegative, Positive, Sha256, Share
from ...engine.system.files import atomic_path, make_folder
from ...engine.system.json_object import parse_object
from ...engine.system.records import read_record, to_json_object

RECORD_NAME = "training.json"
_REMEDY = "choose another folder"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything besides TrainOptions that decides what a training learns.

    Args:
        checkpoint: Name of the file that it began with.
        checkpoint_sha256: Of that file.
        data: Names of the data sets.
        pairs_sha256: Of the names of all training pairs, in their order.
        mix: Shares of the data sets.
        preset: Name of the preset.
        batch, size_px, clean_share, variation, whole: As in Plan.
    """

    FORMAT: ClassVar[int] = 1

    checkpoint: Name
    checkpoint_sha256: Sha256
    data: tuple[Name, ...]
    pairs_sha256: Sha256
    mix: tuple[Positive, ...]
    preset: Name | None
    batch: Count
    size_px: Count
    clean_share: Share | None
    variation: NotNegative
    whole: bool = False


def keep_record(directory: Path, record: RunRecord) -> None:
    """Write the record into a folder, or check that the folder holds the same.

    Raises:
        InputError: The training in the folder began with something else, or the folder cannot be used.
    """
    make_folder(directory)
    path = directory / RECORD_NAME
    if path.is_file():
        _check_same(path, record)
        return
    with atomic_path(path) as unfinished:
        unfinished.write_text(json.dumps(to_json_object(record), indent=1) + "\n", encoding="utf-8")


def names_sha256(names: Iterable[str]) -> str:
    """Return the SHA-256 of names in their order."""
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def _check_same(path: Path, record: RunRecord) -> None:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); {_REMEDY}") from error
    found = parse_object(text, name=str(path), remedy=_REMEDY, failure=InputError)
    before = read_record(RunRecord, found, name=str(path), remedy=_REMEDY, failure=InputError)
    for field in fields(record):
        old, given = getattr(before, field.name), getattr(record, field.name)
        if field.name != "checkpoint" and old != given:
            raise InputError(
                f"{path.parent} holds a training whose {field.name} was {_shown(old)}, {_shown(given)} was given; "
                "give the same, or another folder"
            )


def _shown(value: object) -> str:
    return f"{value}"[:80]
