"""What a user wants to know of a published model, as a record for tables and JSON; quick, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine.modelfile.size_rule import Rule
from ..engine.terms import Family, Kind
from .download.fetched import find_fetched, recall
from .families.entry import CatalogEntry, HubSource, Verified
from .licences import licence_of, was_accepted


@dataclass(frozen=True, slots=True)
class Listed:
    """A published model.

    Args:
        name, family, kind, max_depth_m, parameters, licence_note: As in CatalogEntry.
        default_px: (h, w) that it is exported with if the user asks for no size.
        rule: How an image's size becomes the input's size.
        licence, licence_link: Of the weights.
        restriction: What the licence forbids, in few words; "" for any use.
        accepted: Whether it was accepted on this machine, or needs not be.
        page: Where its publisher keeps it.
        files: Which files of it are fetched.
        sha256: Of the file, or its first digits, if its publisher states it; of the first download on this machine;
            "" if unknown. The hub's are asked for when a file is fetched.
        other_names: By which it is known, too.
        path: Where it lies on this machine; None if it was not fetched.
        verified: What was run.
    """

    name: str
    family: Family
    kind: Kind
    max_depth_m: float | None
    parameters: int
    default_px: tuple[int, int]
    rule: Rule
    licence: str
    licence_link: str
    licence_note: str
    restriction: str
    accepted: bool
    page: str
    files: tuple[str, ...]
    sha256: str
    other_names: tuple[str, ...]
    path: str | None
    verified: Verified


def describe(entry: CatalogEntry) -> Listed:
    """Return what the catalog and this machine know of a model that is published and was run."""
    assert entry.source is not None and entry.verified is not None and entry.base_px is not None
    licence, path = licence_of(entry), find_fetched(entry)
    return Listed(
        name=entry.name,
        family=entry.family,
        kind=entry.kind,
        max_depth_m=entry.max_depth_m,
        parameters=entry.parameters,
        default_px=entry.base_px,
        rule=entry.rule,
        licence=licence.name,
        licence_link=licence.link,
        licence_note=entry.licence_note,
        restriction=licence.restriction,
        accepted=not licence.restriction or was_accepted(entry),
        page=entry.source.page,
        files=entry.source.files if isinstance(entry.source, HubSource) else (entry.source.file,),
        sha256=_sha256(entry),
        other_names=tuple(name for name in entry.names if name != entry.name),
        path=None if path is None else str(path),
        verified=entry.verified,
    )


def _sha256(entry: CatalogEntry) -> str:
    """Return the hash of a model of one file, as far as it is known."""
    first = recall(entry)
    return first.files[0].sha256 if first is not None and len(first.files) == 1 else entry.sha256
