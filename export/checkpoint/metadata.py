"""What depthrt writes into the header of a checkpoint, and reads back: family, kind, maximum depth, licence, notes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from ...engine.errors import InputError, ModelFileError
from ...engine.terms import FAMILIES, KINDS
from .recognise import Claim, check_options
from .safe_load import shown

FORMAT = "1"  # version of the keys below; a reader refuses others
_PREFIX = "depthrt."
_NOTE = f"{_PREFIX}note."
_FORMAT, _FAMILY, _KIND, _MAX_DEPTH, _LICENCE = (
    f"{_PREFIX}{key}" for key in ("format", "family", "kind", "max_depth_m", "licence")
)


def write_metadata(claim: Claim, notes: Mapping[str, str]) -> dict[str, str]:
    """Return a record as texts for a safetensors header.

    Args:
        claim: Family and kind are there, and the maximum depth of a metric network.
        notes: Recorded under names of their own.
    """
    max_depth_m = None if claim.max_depth_m is None else repr(float(claim.max_depth_m))
    values = {
        _FORMAT: FORMAT,
        _FAMILY: claim.family,
        _KIND: claim.kind,
        _MAX_DEPTH: max_depth_m,
        _LICENCE: claim.licence,
    }
    record = {key: str(value) for key, value in values.items() if value is not None}
    return record | {f"{_NOTE}{key}": value for key, value in notes.items()}


def read_claim(metadata: Mapping[str, str], path: Path) -> Claim | None:
    """Return what a safetensors header says, or None if depthrt wrote nothing there.

    Raises:
        ModelFileError: Another version wrote it, or it was changed since.
    """
    ours = {key: text for key, text in metadata.items() if key.startswith(_PREFIX)}
    if not ours:
        return None
    if ours.get(_FORMAT) != FORMAT:
        raise ModelFileError(
            f"{path} has a record of format {shown(ours.get(_FORMAT))}, this depthrt reads {FORMAT}; "
            "install the depthrt that wrote it"
        )
    known = {_FORMAT, _FAMILY, _KIND, _MAX_DEPTH, _LICENCE}
    unknown = [key for key in ours if key not in known and not key.startswith(_NOTE)]
    if unknown:
        raise ModelFileError(f"{path} has {shown(unknown[0])} in its record, which is unknown; save it again")
    try:
        max_depth_m = float(ours[_MAX_DEPTH]) if _MAX_DEPTH in ours else None
        check_options(ours.get(_FAMILY), ours.get(_KIND), max_depth_m)
    except ValueError as error:  # InputError is one
        raise ModelFileError(f"{path} has an impossible record ({shown(error)}); save it again") from error
    family, kind = _choice(FAMILIES, ours.get(_FAMILY)), _choice(KINDS, ours.get(_KIND))
    if family is None or kind is None or (kind == "metric" and max_depth_m is None):
        raise ModelFileError(f"{path} has an incomplete record ({shown(', '.join(sorted(ours)))}); save it again")
    return Claim("its own record", family, kind, max_depth_m, ours.get(_LICENCE))


def read_notes(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the notes of a record, by the names they were given."""
    return {key.removeprefix(_NOTE): text for key, text in metadata.items() if key.startswith(_NOTE)}


def check_complete(claim: Claim) -> None:
    """Refuse to record what nobody could read back.

    Raises:
        InputError: The claim is impossible or leaves something open.
    """
    check_options(claim.family, claim.kind, claim.max_depth_m)
    if claim.kind == "metric" and claim.max_depth_m is None:
        raise InputError("a metric checkpoint needs max_depth_m; give the metres that the network was built with")


_Text = TypeVar("_Text", bound=str)


def _choice(choices: tuple[_Text, ...], text: str | None) -> _Text | None:
    return next((choice for choice in choices if choice == text), None)
