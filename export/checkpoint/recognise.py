"""Options, metadata, names and tensors become a family, a kind and a maximum depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...engine.errors import InputError, ModelFileError
from ...engine.terms import EXPORTED_KINDS, FAMILIES, Family, Kind
from ..catalog import find
from ..families.claim import FIELDS, Claim
from ..families.entry import CatalogEntry
from ..families.rules import FamilyRules
from ..families.table import rules_of
from ..hub_cache import find_snapshot
from ..network.network import AnyArchitecture
from .safe_load import shown

SINGLE_FILES = ("model.safetensors", "pytorch_model.bin")  # named alike in every folder of Hugging Face

_FLAGS = dict(zip(FIELDS, ("--family", "--kind", "--max-depth"), strict=True))
_LABELS = dict(zip(FIELDS, ("The family", "The kind", "The maximum depth"), strict=True))


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a model is, and how that is known.

    Args:
        family, kind, max_depth_m: As in Claim; the maximum is None for inverse models only.
        licence: Of the weights, or "unknown".
        remarks: The source of each value that was not given as an option, one sentence each.
    """

    family: Family
    kind: Kind
    max_depth_m: float | None
    licence: str
    remarks: tuple[str, ...]


def check_options(family: str | None, kind: str | None, max_depth_m: float | None) -> None:
    """Refuse what no model can be.

    Raises:
        InputError: An unknown choice, or a combination that does not exist.
    """
    if family is not None and family not in FAMILIES:
        raise InputError(f"--family {shown(family)} is unknown; choose one of {', '.join(FAMILIES)}")
    if kind is not None and kind not in EXPORTED_KINDS:
        raise InputError(f"--kind {shown(kind)} is unknown; choose one of {', '.join(EXPORTED_KINDS)}")
    if max_depth_m is not None and not (math.isfinite(max_depth_m) and max_depth_m > 0):
        raise InputError(
            f"--max-depth {max_depth_m:g} found, expected metres above 0; give e.g. 20 indoors, 80 outdoors"
        )
    if kind == "inverse" and max_depth_m is not None:
        raise InputError(f"--max-depth {max_depth_m:g} with --kind inverse: only metric models have one; leave one out")
    if family is not None:
        rules_of(family).check_options(family, kind, max_depth_m)


def find_by_path(
    path: Path, architecture: AnyArchitecture, *, model_name: str = ""
) -> tuple[Claim | None, CatalogEntry | None]:
    """Return the published model that a file or folder is named after.

    Args:
        path: Of the file or folder.
        architecture: As its tensors show.
        model_name: That its config.json gives it; "" for none.

    Returns:
        The claim of the name, None if it names another encoder than the tensors show; and the catalog's entry, if any.
        Two names of models of different kinds claim no kind.
    """
    names = [model_name, path.name] if model_name else [path.name]
    if path.name in SINGLE_FILES:
        names.append(path.absolute().parent.name)
    if (snapshot := find_snapshot(path)) is not None:
        names.append(snapshot.repository.rpartition("/")[2])
    entries = [entry for name in names if (entry := find(name))]
    entry = next(iter(entries), None)
    if entry is None or entry.encoder != architecture.encoder:
        return None, entry
    source = f"the name of the published {entry.name}"
    if any(other.kind != entry.kind for other in entries):
        return Claim(source, entry.family), entry
    return Claim(source, entry.family, entry.kind, entry.max_depth_m, entry.licence), entry


def recognise(
    path: Path,
    options: Claim,
    recorded: Claim | None,
    rules: FamilyRules[Any],
    architecture: AnyArchitecture,
    *,
    model_name: str = "",
) -> Recognised:
    """Settle family, kind and maximum depth: options first, then the file's own claim, then its name.

    Args:
        path: For messages, and for the name of a published model.
        options: Given by the user.
        recorded: Claimed by the file's metadata, its config.json or its tensors; None for neither.
        rules: Of the family that the tensors are of.
        architecture: As its tensors show; a name that means another encoder is not believed.
        model_name: As for find_by_path.

    Raises:
        InputError: A value remains unknown, or the options contradict the file's own claim or the tensors.
        ModelFileError: The name is needed and means another encoder, or the file's record contradicts its tensors.
    """
    check_options(options.family, options.kind, options.max_depth_m)
    _refuse_other_family(path, options, recorded, rules, architecture)
    named, entry = find_by_path(path, architecture, model_name=model_name)
    if recorded is not None:
        _refuse_contradiction(path, options, recorded)
    misnamed = entry is not None and named is None
    given = [claim for claim in (options, recorded) if claim is not None]
    known = Claim("", *(first_given(given, name) for name in FIELDS))
    if entry is not None and misnamed and not _is_complete(known, rules, architecture):
        raise ModelFileError(
            f"{path} is named like the published {entry.file_name}, which is {entry.encoder}, but its tensors are "
            f"{architecture.encoder}; give --family and --kind if it is another model"
        )
    sources = [claim for claim in (recorded, named, rules.assumed(architecture)) if claim is not None]
    family, kind, max_depth_m = _settle(path, options, sources, rules, architecture)
    settled = Claim("", family, kind, max_depth_m)
    remarks = _remarks(options, sources, settled)
    licence = next((claim.licence for claim in sources if claim.licence and not claim.differences(settled)), "unknown")
    if entry is not None and misnamed:
        remarks.append(
            f"The name means {entry.encoder}, the tensors are {architecture.encoder}: the name was not used."
        )
    elif entry is not None and licence == entry.licence and entry.licence_note:
        remarks.append(f"The licence is recorded as {licence}: {entry.licence_note}.")
    return Recognised(family, kind, max_depth_m, licence, tuple(remarks))


def first_given(claims: list[Claim], name: str) -> Any:  # noqa: ANN401 (the field's type)
    """Return a field of the first claim that gives it, or None."""
    return next((value for claim in claims if (value := getattr(claim, name)) is not None), None)


def _refuse_contradiction(path: Path, options: Claim, recorded: Claim) -> None:
    for name in options.differences(recorded):
        raise InputError(
            f"{path}: {_FLAGS[name]} {_text(options, name)} contradicts {recorded.source}, which says "
            f"{_text(recorded, name)}; leave the option out"
        )


def _refuse_other_family(
    path: Path, options: Claim, recorded: Claim | None, rules: FamilyRules[Any], architecture: AnyArchitecture
) -> None:
    """Refuse a family whose networks have other tensors."""
    if options.family is not None and options.family not in rules.families:
        raise InputError(
            f"{path}: --family {options.family} found, its tensors are those of {rules.name} ({architecture.encoder}); "
            "leave the option out"
        )
    if recorded is not None and recorded.family is not None and recorded.family not in rules.families:
        raise ModelFileError(f"{path} says {recorded.family}, its tensors are {architecture.encoder}; save it again")


def _is_complete(claim: Claim, rules: FamilyRules[Any], architecture: AnyArchitecture) -> bool:
    """Return whether a claim leaves nothing open."""
    if claim.family is None or claim.kind is None:
        return False
    return claim.max_depth_m is not None or not rules.has_bound(architecture, claim.kind)


def _settle(
    path: Path, options: Claim, sources: list[Claim], rules: FamilyRules[Any], architecture: AnyArchitecture
) -> tuple[Family, Kind, float | None]:
    claims = [options, *sources]
    family, kind = first_given(claims, "family"), first_given(claims, "kind")
    # The maximum of a source counts only if its kind does.
    max_depth_m = first_given([options, *(claim for claim in sources if claim.kind == kind)], "max_depth_m")
    if options.kind is None and kind == "inverse" and options.max_depth_m is not None:
        source = next(claim.source for claim in sources if claim.kind == kind)
        raise InputError(
            f"--max-depth {options.max_depth_m:g}: {path} is an inverse model after {source}, and only metric models "
            "have one; leave it out, or add --kind metric if that is wrong"
        )
    bounded = kind is not None and rules.has_bound(architecture, kind)
    if kind is not None and not bounded and options.max_depth_m is not None:
        raise InputError(
            f"--max-depth {options.max_depth_m:g}: the output of {path} ({architecture.encoder}) has no upper end; "
            "leave the option out"
        )
    if family is None or kind is None or (bounded and max_depth_m is None):
        bounds = rules.has_bound(architecture, "metric")
        raise InputError(_unknown(path, Claim("", family, kind, max_depth_m), rules, bounds=bounds))
    check_options(family, kind, max_depth_m)
    return family, kind, max_depth_m


def _unknown(path: Path, settled: Claim, rules: FamilyRules[Any], *, bounds: bool) -> str:
    """Return the message that names the options to give; `bounds`: whether a metric network needs a maximum depth."""
    kinds = list(dict.fromkeys(kind for kinds in rules.kinds.values() for kind in kinds))
    wanted = []
    if settled.family is None:
        wanted.append(f"--family {'|'.join(rules.families)}")
    if settled.kind is None:
        bounded = " (metric with --max-depth METRES)" if bounds and "metric" in kinds else ""
        wanted.append(f"--kind {'|'.join(kinds)}{bounded}")
    if settled.kind == "metric" and settled.max_depth_m is None and bounds:
        wanted.append("--max-depth METRES (20 for the published indoor models, 80 outdoors)")
    return f"{path} does not say what it is, and {rules.look_alikes}; give {' and '.join(wanted)}"


def _remarks(options: Claim, sources: list[Claim], settled: Claim) -> list[str]:
    """Return the source of each value that no option gave, and which sources were overruled, one sentence each."""
    remarks = []
    for name in FIELDS:
        value = getattr(settled, name)
        if value is not None and getattr(options, name) is None:
            source = next(claim for claim in sources if getattr(claim, name) == value)
            remarks.append(f"{_LABELS[name]} is {_text(settled, name)}, after {source.source}.")
    for source in sources:
        remarks += [
            f"{_LABELS[name]} is {_text(settled, name)}, although {source.source} says {_text(source, name)}."
            for name in source.differences(settled)
        ]
    return remarks


def _text(claim: Claim, name: str) -> str:
    value = getattr(claim, name)
    return f"{value:g} m" if isinstance(value, float) else str(value)
