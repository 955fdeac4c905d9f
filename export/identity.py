"""Options, records and names become a family, a kind and a maximum depth: what the tensors do not tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from ..engine.contract import KINDS, Kind
from ..engine.errors import InputError, ModelFileError
from .catalog import CatalogEntry, find
from .network import Architecture, Family
from .safe_load import shown

FAMILIES: tuple[Family, ...] = get_args(Family)
METADATA_PREFIX = "depthrt."
NOTE_PREFIX = "depthrt.note."
FORMAT = "1"  # version of the metadata below; a reader refuses others
_KEYS = {f"{METADATA_PREFIX}{key}" for key in ("format", "family", "kind", "max_depth_m", "licence")}


@dataclass(frozen=True, slots=True)
class Claim:
    """What one source says of a model; None where it does not say.

    Args:
        source: Who says it, for people: "--family and --kind", "config.json", "the file's name".
    """

    source: str
    family: Family | None = None
    kind: Kind | None = None
    max_depth_m: float | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a model is, and how that is known.

    Args:
        said: One sentence for each thing that was not given as an option.
    """

    family: Family
    kind: Kind
    max_depth_m: float | None
    licence: str
    said: tuple[str, ...]


def check_options(family: str | None, kind: str | None, max_depth_m: float | None) -> None:
    """Refuse options that no model can have.

    Raises:
        InputError: An unknown choice, or a combination that does not exist.
    """
    if family is not None and family not in FAMILIES:
        raise InputError(f"--family {shown(family)} is unknown; choose one of {', '.join(FAMILIES)}")
    if kind is not None and kind not in KINDS:
        raise InputError(f"--kind {shown(kind)} is unknown; choose one of {', '.join(KINDS)}")
    if max_depth_m is not None and not (math.isfinite(max_depth_m) and max_depth_m > 0):
        raise InputError(f"--max-depth {max_depth_m} is no length; give metres above 0, e.g. 20 indoors, 80 outdoors")
    if kind == "inverse" and max_depth_m is not None:
        raise InputError(f"--max-depth {max_depth_m:g} with --kind inverse: only metric models have one; leave one out")
    if family == "depth-anything-v1" and kind == "metric":
        raise InputError(
            "--family depth-anything-v1 with --kind metric: the metric models of V1 are ZoeDepth networks, "
            "which this version does not export; Depth Anything V2 has metric models"
        )


def claim_of_metadata(metadata: Mapping[str, str], path: Path) -> Claim | None:
    """Return what depthrt recorded in a safetensors header, or None if it wrote nothing there.

    Raises:
        ModelFileError: It was written by another version, or changed since.
    """
    ours = {key: value for key, value in metadata.items() if key.startswith(METADATA_PREFIX)}
    if not ours:
        return None
    if ours.get(f"{METADATA_PREFIX}format") != FORMAT:
        raise ModelFileError(
            f"{path} records format {shown(ours.get(f'{METADATA_PREFIX}format'))}, this depthrt reads {FORMAT}; "
            "install the depthrt that wrote it"
        )
    unknown = [key for key in ours if key not in _KEYS and not key.startswith(NOTE_PREFIX)]
    value = {key: ours.get(f"{METADATA_PREFIX}{key}") for key in ("family", "kind", "max_depth_m", "licence")}
    try:
        max_depth_m = None if value["max_depth_m"] is None else float(value["max_depth_m"])
        check_options(value["family"], value["kind"], max_depth_m)
    except ValueError as error:  # InputError is one
        raise ModelFileError(f"{path} records something impossible ({shown(error)}); save it again") from error
    family, kind = _choice(FAMILIES, value["family"]), _choice(KINDS, value["kind"])
    if unknown or family is None or kind is None or (kind == "metric") != (max_depth_m is not None):
        raise ModelFileError(f"{path} has an incomplete or unknown record ({shown(sorted(ours))}); save it again")
    return Claim("its own record", family, kind, max_depth_m, value["licence"])


def metadata_of(claim: Claim, notes: Mapping[str, str]) -> dict[str, str]:
    """Return what claim_of_metadata reads, as texts for a safetensors header."""
    values = {
        "format": FORMAT,
        "family": claim.family,
        "kind": claim.kind,
        "max_depth_m": None if claim.max_depth_m is None else repr(float(claim.max_depth_m)),
        "licence": claim.licence,
    }
    record = {f"{METADATA_PREFIX}{key}": value for key, value in values.items() if value is not None}
    return record | {f"{NOTE_PREFIX}{key}": value for key, value in notes.items()}


def find_by_path(path: Path) -> CatalogEntry | None:
    """Return the published model that a file, its folder or its Hugging Face cache entry is named after."""
    names = [path.name]
    if path.name in ("model.safetensors", "pytorch_model.bin"):
        names.append(path.absolute().parent.name)
    if "snapshots" in path.parts:  # .../models--depth-anything--Depth-Anything-V2-Small-hf/snapshots/<commit>
        names += [part.rsplit("--", 1)[-1] for part in path.parts if part.startswith("models--")]
    return next((entry for name in names if (entry := find(name))), None)


def identify(path: Path, options: Claim, recorded: Claim | None, architecture: Architecture) -> Identity:
    """Settle family, kind and maximum depth: options over the file's record over its name.

    Args:
        path: For messages, and for the name of a published model.
        options: What the user gave.
        recorded: What the file itself says, or None.
        architecture: A name that means another encoder is not believed.

    Raises:
        InputError: Something remains unknown, or the options contradict the file's record.
        ModelFileError: The name is needed and means another encoder.
    """
    check_options(options.family, options.kind, options.max_depth_m)
    said: list[str] = []
    if recorded is not None:
        _refuse_contradiction(path, options, recorded)
    entry = find_by_path(path)
    named = None
    if entry is not None:
        named = _claim_of_name(path, entry, architecture, needed=not _complete(options) and not _complete(recorded))
        if named is None:
            said.append(f"The name {path.name} means {entry.encoder}, the tensors are {architecture.encoder}: ignored.")
    claims = [claim for claim in (options, recorded, named) if claim is not None]
    family = _first(claims, "family")
    kind = _first(claims, "kind")
    max_depth_m = _first([claim for claim in claims if claim.kind == kind or claim is options], "max_depth_m")
    if family is None or kind is None or (kind == "metric" and max_depth_m is None):
        raise InputError(_unknown(path, family, kind))
    check_options(family, kind, max_depth_m)
    settled = Claim("", family, kind, max_depth_m)
    said += _sentences(options, [claim for claim in (recorded, named) if claim is not None], settled)
    licence = next((c.licence for c in claims if c.licence and not _differences(c, settled)), "unknown")
    if entry is not None and named is not None and licence == entry.licence and entry.licence_note:
        said.append(f"The licence is recorded as {licence}: {entry.licence_note}.")
    return Identity(family, kind, max_depth_m, licence, tuple(said))


def _claim_of_name(path: Path, entry: CatalogEntry, architecture: Architecture, *, needed: bool) -> Claim | None:
    if entry.encoder == architecture.encoder:
        return Claim(
            f"the name of the published {entry.file_name}", entry.family, entry.kind, entry.max_depth_m, entry.licence
        )
    if not needed:
        return None
    raise ModelFileError(
        f"{path} is named like {entry.file_name}, which is {entry.encoder}, but its tensors are {architecture.encoder}; "
        "give --family and --kind if it is another model"
    )


def _complete(claim: Claim | None) -> bool:
    """Return whether a claim leaves nothing open."""
    return bool(claim and claim.family and claim.kind and (claim.kind == "inverse" or claim.max_depth_m is not None))


def _differences(claim: Claim, other: Claim) -> list[str]:
    """Return the names of what both say and say differently."""
    fields = ("family", "kind", "max_depth_m")
    pairs = {name: (getattr(claim, name), getattr(other, name)) for name in fields}
    return [name for name, (one, two) in pairs.items() if None not in (one, two) and one != two]


def _refuse_contradiction(path: Path, options: Claim, recorded: Claim) -> None:
    differences = _differences(options, recorded)
    if options.max_depth_m is not None and recorded.kind == "inverse":
        differences.append("max_depth_m")
    for name in differences:
        raise InputError(
            f"{path}: {_flag(name)} {_text(options, name)} contradicts {recorded.source}, which says "
            f"{_text(recorded, name)}; leave the option out"
        )


def _sentences(options: Claim, sources: list[Claim], settled: Claim) -> list[str]:
    said = []
    for name in ("family", "kind", "max_depth_m"):
        if getattr(settled, name) is None or getattr(options, name) is not None:
            continue
        source = next(s for s in sources if getattr(s, name) == getattr(settled, name))
        said.append(f"{_label(name)} is {_text(settled, name)}, from {source.source}.")
    for source in sources:
        for name in _differences(source, settled):
            said.append(
                f"{_label(name)} is {_text(settled, name)} as given, although {source.source} says {_text(source, name)}."
            )
    return said


def _unknown(path: Path, family: Family | None, kind: Kind | None) -> str:
    wanted = []
    if family is None:
        wanted.append(f"--family {'|'.join(FAMILIES)}")
    if kind is None:
        wanted.append(f"--kind {'|'.join(KINDS)} (metric with --max-depth METRES)")
    if kind == "metric":
        wanted.append("--max-depth METRES (20 for the published indoor models, 80 outdoors)")
    return (
        f"{path} does not say what it is, since V1, V2 and metric checkpoints hold the same tensors; "
        f"give {' and '.join(wanted)}"
    )


_T = TypeVar("_T", bound=str)


def _choice(choices: tuple[_T, ...], value: str | None) -> _T | None:
    return next((choice for choice in choices if choice == value), None)


def _first(claims: list[Claim], name: str) -> Any:
    return next((value for claim in claims if (value := getattr(claim, name)) is not None), None)


def _flag(name: str) -> str:
    return {"family": "--family", "kind": "--kind", "max_depth_m": "--max-depth"}[name]


def _label(name: str) -> str:
    return {"family": "The family", "kind": "The kind", "max_depth_m": "The maximum depth"}[name]


def _text(claim: Claim, name: str) -> str:
    value = getattr(claim, name)
    return f"{value:g} m" if isinstance(value, float) else str(value)
