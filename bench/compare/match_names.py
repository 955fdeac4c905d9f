"""Subjects of two reports that have different names are matched: by pairs of names, or by their position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...engine.errors import InputError
from ..numbers.result import Report, SubjectResult


def match_names(before: Report, after: Report, pairs: Sequence[str], *, by_position: bool = False) -> Report:
    """Return the report `before` with the names that its subjects have in `after`.

    Args:
        before, after: Reports.
        pairs: OLD=NEW: names of subjects, or of model files, which stand for all subjects of a file.
        by_position: Subject n of one report is subject n of the other.

    Raises:
        InputError: A pair names nothing in one of the reports, two subjects get one name, or the reports have
            different numbers of subjects.
    """
    names = _by_position(before, after) if by_position else {}
    for pair in pairs:
        names |= _of_pair(pair, [one.name for one in before.subjects], [one.name for one in after.subjects])
    found = [names.get(subject.name, subject.name) for subject in before.subjects]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise InputError(f"two subjects of the first report would be {twice[0]}, expected one; give each its own name")
    subjects = tuple(_renamed(subject, names) for subject in before.subjects)
    return replace(before, subjects=subjects, reference=names.get(before.reference, before.reference))


def _by_position(before: Report, after: Report) -> dict[str, str]:
    if len(before.subjects) != len(after.subjects):
        raise InputError(
            f"{len(before.subjects)} and {len(after.subjects)} subjects found, expected as many in both reports for "
            "--by-position; give --name OLD=NEW"
        )
    return {old.name: new.name for old, new in zip(before.subjects, after.subjects, strict=True)}


def _of_pair(pair: str, old: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """Return the new names of a pair; a name may hold "=", so every place where the pair can be parted is tried."""
    parts = [(pair[:at], pair[at + 1 :]) for at, sign in enumerate(pair) if sign == "="]
    if not parts:
        raise InputError(f"--name {pair!r} found, expected OLD=NEW, names of subjects or of model files")
    for first, second in parts:
        if first in old and second in new:
            return {first: second}
        of_file = {name: second + name[len(first) :] for name in old if name.startswith(f"{first} ")}
        if found := {name: other for name, other in of_file.items() if other in new}:
            return found
    raise InputError(
        f"--name {pair!r} matches no subject of both reports; the first has {', '.join(old)}, "
        f"the second {', '.join(new)}"
    )


def _renamed(subject: SubjectResult, names: Mapping[str, str]) -> SubjectResult:
    drift = subject.drift and replace(
        subject.drift, reference=names.get(subject.drift.reference, subject.drift.reference)
    )
    return replace(subject, name=names.get(subject.name, subject.name), drift=drift)
