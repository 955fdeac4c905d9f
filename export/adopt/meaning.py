"""Settles what the numbers of a file mean: options first, then a checkpoint, its config.json, its name, its layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...engine.errors import InputError
from ...engine.terms import KINDS, Family, Kind
from ..catalog import find
from ..checkpoint.checkpoint import Checkpoint, conventions_of
from ..families.claim import Claim
from ..families.entry import CatalogEntry
from ..families.rules import Conventions
from ..families.table import rules_of
from .claims import claim_of_config, claim_of_layout, claim_of_names
from .conventions import conventions_of_family, multiple_of_family
from .graph.layout import Layout
from .options import Options, claim_of_options
from .source import Source

UNKNOWN = "adopted"  # family in the contract of a file whose family is not known
_TRANSFORMERS = {"depth_anything": "depth-anything"}  # families that transformers does not tell further


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a file is.

    Args:
        family: "depth-anything-v2", ...; of transformers' model_type if depthrt does not know it, else UNKNOWN.
        encoder: "vits" of a published model, else the name of the file.
        kind: Of its output.
        max_depth_m: Upper end of metric depth; None without one.
        licence: Of the published weights, or "unknown".
        conventions: Of the family; None if they are not known.
        multiple_px: What the family's inputs are multiples of; None if it is not known.
        remarks: Where each of these comes from, a sentence each.
    """

    family: str
    encoder: str
    kind: Kind
    max_depth_m: float | None
    licence: str
    conventions: Conventions | None
    multiple_px: int | None
    remarks: tuple[str, ...]


def settle_meaning(
    source: Source,
    layout: Layout,
    options: Options,
    checkpoint: Checkpoint | None = None,
) -> Meaning:
    """Return what a file is.

    Args:
        source: The file.
        layout: Of its graph.
        options: Of the user.
        checkpoint: That it is compared with.

    Raises:
        InputError: Nothing says what its numbers mean.
    """
    said, encoder = claim_of_options(options)
    configured, model_type = claim_of_config(source.folder)
    named, entry = claim_of_names(source.names)
    shown, shown_entry = claim_of_layout(layout)
    compared = None if checkpoint is None else _claim_of(checkpoint)
    claims = [claim for claim in (said, compared, configured, named, shown) if claim is not None]
    family = next((claim.family for claim in claims if claim.family is not None), None)
    claims += _only_kind(family)
    kind, kind_source = _settle_kind(source, layout, claims)
    entry = _entry_of(options.like, encoder) or entry or shown_entry
    if entry is not None and family is not None and entry.family != family:
        entry = None
    if entry is not None and entry.kind != kind:
        entry = None
    found = None if checkpoint is None else conventions_of(checkpoint)
    if found is None and family is not None:
        found = conventions_of_family(family, entry, sky=layout.sky is not None)
    if found is None and model_type == "depth_anything":
        found = conventions_of_family("depth-anything-v2")
    name = family or _TRANSFORMERS.get(model_type) or (model_type or UNKNOWN)
    return Meaning(
        family=name,
        encoder=entry.encoder if entry is not None else source.label,
        kind=kind,
        max_depth_m=_max_depth(claims, kind),
        licence=_licence(claims, Claim("", family, kind)),
        conventions=found,
        multiple_px=multiple_of_family(family or ("depth-anything-v2" if model_type == "depth_anything" else "")),
        remarks=_remarks(claims, family, kind, kind_source),
    )


def _claim_of(checkpoint: Checkpoint) -> Claim:
    return Claim(
        f"the checkpoint {checkpoint.path}",
        checkpoint.family,
        checkpoint.kind,
        checkpoint.max_depth_m,
        checkpoint.licence,
    )


def _settle_kind(source: Source, layout: Layout, claims: Sequence[Claim]) -> tuple[Kind, str]:
    found = next((claim for claim in claims if claim.kind is not None), None)
    if found is None or found.kind is None:
        raise InputError(
            f"{source.path} ({layout.names}) does not say what its numbers mean; say it with --kind "
            f"{', '.join(KINDS[:-1])} or {KINDS[-1]}, or name the published model that it is with --like"
        )
    return found.kind, found.source


def _only_kind(family: Family | None) -> tuple[Claim, ...]:
    """Return the claim of a family whose networks have one kind of output."""
    if family is None or len(kinds := rules_of(family).kinds[family]) > 1:
        return ()
    return (Claim(f"its family, {family}", family, kinds[0]),)


def _licence(claims: Sequence[Claim], settled: Claim) -> str:
    """Return the licence of the first source that has one and says nothing else than what was settled."""
    fitting = (claim.licence for claim in claims if claim.licence and not claim.differences(settled))
    return next(fitting, "unknown")


def _max_depth(claims: Sequence[Claim], kind: Kind) -> float | None:
    """Return the upper end of metric depth: the first that is claimed with that kind."""
    if kind != "metric":
        return None
    known = (claim.max_depth_m for claim in claims if claim.kind in (None, "metric"))
    return next((largest for largest in known if largest is not None), None)


def _entry_of(like: str | None, encoder: str | None) -> CatalogEntry | None:
    return None if like is None or encoder is None else find(like)


def _remarks(claims: Sequence[Claim], family: Family | None, kind: Kind, source: str) -> tuple[str, ...]:
    """Return where family and kind come from, and what other sources say otherwise."""
    found = [f"Its output is {kind} depth, by {source}."]
    teller = next((claim for claim in claims if family is not None and claim.family == family), None)
    if teller is not None and teller.source != source:
        found.insert(0, f"It is {family}, by {teller.source}.")
    elif teller is not None:
        found = [f"It is {family}, and its output is {kind} depth, by {source}."]
    settled = Claim("", family, kind)
    for claim in claims:
        for field in claim.differences(settled):
            found.append(f"warning: {claim.source} says {getattr(claim, field)}, which is not used.")
    return tuple(found)
