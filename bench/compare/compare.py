"""Compares two reports: how each figure changed, and which conditions fail beyond noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import InputError
from ..numbers.figures import FIGURES, Figure
from ..numbers.result import Machine, Report, SubjectResult
from ..numbers.result_file import read_result
from .change import Change
from .checks import Check, changes_of, check_condition
from .conditions import Condition, parse_condition
from .match_names import match_names
from .reference import find_reference
from .same_images import find_other_images

# Shown for every pair of reports, with conditions or without.
SHOWN = (
    "host.p50",
    "host.p90",
    "kernel.p50",
    "file.p50",
    "rate.p50",
    "throughput",
    "drift",
    "abs_rel",
    "delta1",
    "rss",
)
_DECIDES = ("cpu", "cores", "gpu")  # a difference in these makes another machine
_MATTERS = ("memory_mib", "system", "driver", "power")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of comparing two reports.

    Args:
        checks: One for each condition, subject and data set.
        changes: The figures of SHOWN, by subject.
        notes: Other differences: subjects, versions, settings.
    """

    checks: tuple[Check, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.state == "failed")

    @property
    def exit_code(self) -> int:
        """Return 1 if a check failed, else 0."""
        return int(bool(self.failed))

    def lines(self) -> Iterator[str]:
        """Yield the comparison as text: changes by subject, notes, checks that did not pass, the conclusion."""
        for name in dict.fromkeys(change.subject for change in self.changes):
            yield name
            for change in self.changes:
                if change.subject == name:
                    why = change.doubt or "no clear change"
                    yield f"  {change.line()}{'' if change.clear else f' ({why})'}"
        yield from (f"note: {note}" for note in self.notes)
        yield from (check.line() for check in self.checks if check.state != "passed")
        if self.checks:
            yield f"{len(self.failed)} of {len(self.checks)} checks failed"


def compare(
    before: Report | str | Path,
    after: Report | str | Path,
    conditions: Sequence[str | Condition[Figure]] = (),
    *,
    across_machines: bool = False,
    names: Sequence[str] = (),
    by_position: bool = False,
) -> Comparison:
    """Compare two reports subject by subject, matched by name or as `names` and `by_position` have it.

        comparison = compare("main/report.json", "branch/report.json", ["p50>+5%", "drift>0.5%"])
        print(*comparison.lines(), sep="\\n")

    A figure that was measured before and is missing now fails its condition: otherwise a check without a figure would
    pass forever.

    Args:
        before, after: The baseline and the report that is judged, or their files.
        conditions: What must not happen; conditions.py defines their form.
        across_machines: Compare although the machines differ; the times then show nothing about the code.
        names: Pairs OLD=NEW of subjects whose names differ; match_names.py defines their form.
        by_position: Subject n of one report is subject n of the other.

    Raises:
        InputError: A file is not a report, the machines differ, a condition is not understood, or neither report has
            its figure.
    """
    before, after = (report if isinstance(report, Report) else read_result(report) for report in (before, after))
    before = match_names(before, after, names, by_position=by_position)
    notes = [*_machine_notes(before.machine, after.machine, across=across_machines), *_made_notes(before, after)]
    old, new = _by_name(before), _by_name(after)
    if not old.keys() & new.keys():
        raise InputError(
            f"subjects {', '.join(old)} and {', '.join(new)} found, expected at least one name in both reports; "
            "give --name OLD=NEW, or --by-position"
        )
    notes += [f"{name} is only in the first report" for name in old if name not in new]
    notes += [f"{name} is only in the second report" for name in new if name not in old]
    read = [parse_condition(condition) if isinstance(condition, str) else condition for condition in conditions]
    reference, others = find_reference(before, after), find_other_images(before, after)
    notes += [f"not the same images: {line}" for line in dict.fromkeys(others.values())]
    checks = [check for condition in read for check in check_condition(condition, old, new, reference, others)]
    both = [(old[name], new[name]) for name in old if name in new]
    changes = [change for pair in both for figure in SHOWN for change in changes_of(FIGURES[figure], *pair, others)]
    return Comparison(tuple(checks), tuple(changes), tuple(notes))


def _by_name(report: Report) -> Mapping[str, SubjectResult]:
    return {subject.name: subject for subject in report.subjects}


def _machine_notes(before: Machine, after: Machine, *, across: bool) -> list[str]:
    """Return the differences between the machines.

    Raises:
        InputError: They are two machines, and the user does not compare across machines.
    """
    decisive = _differences(before, after, _DECIDES)
    if decisive and not across:
        raise InputError(
            f"the reports are of different machines ({'; '.join(decisive)}), so their times cannot be compared; "
            "measure both on one, or give --across-machines"
        )
    return [f"machine: {difference}" for difference in [*decisive, *_differences(before, after, _MATTERS)]]


def _made_notes(before: Report, after: Report) -> Iterator[str]:
    """Yield the differences in versions, in settings and in the facts of each subject."""
    pairs = [
        ("version of", before.made.versions, after.made.versions),
        ("setting", before.made.settings, after.made.settings),
    ]
    old, new = _by_name(before), _by_name(after)
    pairs += [(f"{name}:", old[name].facts, new[name].facts) for name in old if name in new]
    for what, first, second in pairs:
        for key in dict.fromkeys([*first, *second]):
            if first.get(key) != second.get(key):
                yield f"{what} {key}: {first.get(key, 'not set')} -> {second.get(key, 'not set')}"


def _differences(before: Machine, after: Machine, names: Sequence[str]) -> list[str]:
    return [
        f"{name} {getattr(before, name) or 'none'} -> {getattr(after, name) or 'none'}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
