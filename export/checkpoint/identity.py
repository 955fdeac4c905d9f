"""Options, records and names become a family, a kind and a maximum depth: what the tensors do not tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ...engine.errors import InputError, ModelFileError
from ...engine.terms import KINDS, Kind
from ..catalog import CatalogEntry, find
from ..network.architecture import ConvArchitecture, Family
from ..network.make_network import AnyArchitecture
from .safe_load import shown

FAMILIES: tuple[Family, ...] = get_args(Family)
ALIKE: tuple[Family, ...] = ("depth-anything-v1", "depth-anything-v2")  # of the same tensors
SINGLE_FILES = ("model.safetensors", "pytorch_model.bin")  # named alike in every folder of Hugging Face

_FIELDS = ("family", "kind", "max_depth_m")
_FLAGS = dict(zip(_FIELDS, ("--family", "--kind", "--max-depth"), strict=True))
_LABELS = dict(zip(_FIELDS, ("The family", "The kind", "The maximum depth"), strict=True))


@dataclass(frozen=True, slots=True)
class Claim:
    """What one source says of a model; None where it does not say.

    Args:
        source: Who says it, for people: "config.json", "its own record".
        family: "depth-anything-v1", "depth-anything-v2" or "depthrt".
        kind: "inverse" or "metric".
        max_depth_m: Upper end of a metric model's output.
        licence: Of the weights.
    """

    source: str
    family: Family | None = None
    kind: Kind | None = None
    max_depth_m: float | None = None
    licence: str | None = None

    @property
    def complete(self) -> bool:
        """Whether it leaves nothing open."""
        return None not in (self.family, self.kind) and (self.kind == "inverse" or self.max_depth_m is not None)

    def differences(self, other: Claim) -> list[str]:
        """Return the names of what both say and say differently."""
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in _FIELDS}
        return [name for name, (one, two) in pairs.items() if None not in (one, two) and one != two]


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
    """Refuse what no model can be.

    Raises:
        InputError: An unknown choice, or a combination that does not exist.
    """
    if family is not None and family not in FAMILIES:
        raise InputError(f"--family {shown(family)} is unknown; choose one of {', '.join(FAMILIES)}")
    if kind is not None and kind not in KINDS:
        raise InputError(f"--kind {shown(kind)} is unknown; choose one of {', '.join(KINDS)}")
    if max_depth_m is not None and not (math.isfinite(max_depth_m) and max_depth_m > 0):
        raise InputError(f"--max-depth {max_depth_m:g} is no depth; give metres above 0, e.g. 20 indoors, 80 outdoors")
    if kind == "inverse" and max_depth_m is not None:
        raise InputError(f"--max-depth {max_depth_m:g} with --kind inverse: only metric models have one; leave one out")
    if family == "depth-anything-v1" and kind == "metric":
        raise InputError(
            "--family depth-anything-v1 with --kind metric: the metric models of V1 are ZoeDepth networks, "
            "which this version does not export; Depth Anything V2 has metric models"
        )


def find_by_path(path: Path, architecture: AnyArchitecture) -> tuple[Claim | None, CatalogEntry | None]:
    """Return the published model that a file or folder is named after.

    Returns:
        What the name says, None if the encoder is not the tensors' one; and the entry, if any.
    """
    names = [path.name]
    if path.name in SINGLE_FILES:
        names.append(path.absolute().parent.name)
    if "snapshots" in path.parts:  # .../models--depth-anything--Depth-Anything-V2-Small-hf/snapshots/<commit>
        names += [part.rsplit("--", 1)[-1] for part in path.parts if part.startswith("models--")]
    entry = next((entry for name in names if (entry := find(name))), None)
    if entry is None or entry.encoder != architecture.encoder:
        return None, entry
    source = f"the name of the published {entry.name}"
    return Claim(source, entry.family, entry.kind, entry.max_depth_m, entry.licence), entry


def identify(path: Path, options: Claim, recorded: Claim | None, architecture: AnyArchitecture) -> Identity:
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
    named, entry = find_by_path(path, architecture)
    if recorded is not None:
        _refuse_contradiction(path, options, recorded)
    if entry is not None and named is None and not options.complete and not (recorded and recorded.complete):
        raise ModelFileError(
            f"{path} is named like the published {entry.file_name}, which is {entry.encoder}, but its tensors are "
            f"{architecture.encoder}; give --family and --kind if it is another model"
        )
    sources = [claim for claim in (recorded, named) if claim is not None]
    settled = _settle(path, options, sources)
    said = _sentences(options, sources, settled)
    licence = next((c.licence for c in sources if c.licence and not c.differences(settled)), "unknown")
    if entry is not None and named is None:
        said.append(f"The name means {entry.encoder}, the tensors are {architecture.encoder}: the name was not used.")
    elif entry is not None and licence == entry.licence and entry.licence_note:
        said.append(f"The licence is recorded as {licence}: {entry.licence_note}.")
    assert settled.family is not None
    assert settled.kind is not None
    if (settled.family == "depthrt") != isinstance(architecture, ConvArchitecture):
        raise ModelFileError(f"{path} says {settled.family}, its tensors are {architecture.encoder}; save it again")
    return Identity(settled.family, settled.kind, settled.max_depth_m, licence, tuple(said))


def first_said(claims: list[Claim], name: str) -> Any:  # noqa: ANN401 (of the field's own type)
    """Return a field from the first claim that says it, or None."""
    return next((value for claim in claims if (value := getattr(claim, name)) is not None), None)


def _refuse_contradiction(path: Path, options: Claim, recorded: Claim) -> None:
    for name in options.differences(recorded):
        raise InputError(
            f"{path}: {_FLAGS[name]} {_text(options, name)} contradicts {recorded.source}, which says "
            f"{_text(recorded, name)}; leave the option out"
        )


def _settle(path: Path, options: Claim, sources: list[Claim]) -> Claim:
    claims = [options, *sources]
    family, kind = first_said(claims, "family"), first_said(claims, "kind")
    # A source that was overruled in the kind has nothing to say about its maximum.
    max_depth_m = first_said([options, *(claim for claim in sources if claim.kind == kind)], "max_depth_m")
    if options.kind is None and kind == "inverse" and options.max_depth_m is not None:
        source = next(claim.source for claim in sources if claim.kind == kind)
        raise InputError(
            f"--max-depth {options.max_depth_m:g}: {path} is an inverse model after {source}, and only metric models "
            "have one; leave it out, or add --kind metric if that is not so"
        )
    settled = Claim("", family, kind, max_depth_m)
    if not settled.complete:
        raise InputError(_unknown(path, settled))
    check_options(family, kind, max_depth_m)
    return settled


def _unknown(path: Path, settled: Claim) -> str:
    wanted = []
    if settled.family is None:
        wanted.append(f"--family {'|'.join(ALIKE)}")
    if settled.kind is None:
        wanted.append(f"--kind {'|'.join(KINDS)} (metric with --max-depth METRES)")
    if settled.kind == "metric" and settled.max_depth_m is None:
        wanted.append("--max-depth METRES (20 for the published indoor models, 80 outdoors)")
    return (
        f"{path} does not say what it is, and V1, V2 and metric checkpoints hold the same tensors; "
        f"give {' and '.join(wanted)}"
    )


def _sentences(options: Claim, sources: list[Claim], settled: Claim) -> list[str]:
    """Say where each thing came from that was not given, and which sources were overruled."""
    said = []
    for name in _FIELDS:
        value = getattr(settled, name)
        if value is not None and getattr(options, name) is None:
            source = next(claim for claim in sources if getattr(claim, name) == value)
            said.append(f"{_LABELS[name]} is {_text(settled, name)}, after {source.source}.")
    for source in sources:
        said += [
            f"{_LABELS[name]} is {_text(settled, name)}, although {source.source} says {_text(source, name)}."
            for name in source.differences(settled)
        ]
    return said


def _text(claim: Claim, name: str) -> str:
    value = getattr(claim, name)
    return f"{value:g} m" if isinstance(value, float) else str(value)
