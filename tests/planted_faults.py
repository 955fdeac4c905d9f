"""Plants faults in the package, one at a time, and counts those that its tests notice: python tests/planted_faults.py.

A fault is a change of one place in the code, drawn from a seed: a comparison turned around, a constant moved, two
arguments swapped, a condition dropped. It is noticed if a test fails that passes without it: those of the module's own
file first, then those that name the module, those of its folder, and those that use the names around the fault. Works
in copies of a commit; run by hand, as it takes an hour.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from made_faults import ROOMS, ROOT, Fault, draw_faults, faults_of
from warm_tests import Outcome, run_tests, warm_up

_MOST = 8  # files of tests that name a module or use what its fault concerns: the nearest
_TRACED = ("export", "engine/modelfile/contract.py")  # what the graph of a network depends on
_KEEPING = ["--setup-only", "tests/engine/model/test_depth_model.py"]  # exports most of the tiny networks


def read_faults(lines: Iterable[str]) -> list[Fault]:
    """Return the faults that an earlier run printed as not noticed; their lines may have moved since."""
    found = []
    for line in lines:
        if match := re.fullmatch(r"NOT NOTICED: ([^:]+):(\d+): (.*?)( \(\d+ s\))?\n?", line):
            path, at, what = match[1], int(match[2]), match[3]
            same = [fault for fault in faults_of(ROOT / path) if _shown(fault) == what]
            found += sorted(same, key=lambda fault: abs(fault.line - at))[:1]
    return found


class Copy:
    """A copy of the repository in which faults are planted.

    Args:
        home: Its folder.
        traces: Of networks, kept between the runs of tests.
        longest_s: Of the tests of a fault; a hang is noticed too.
    """

    def __init__(self, home: Path, traces: Path, longest_s: float) -> None:
        self._home, self._traces, self._longest_s = home, traces, longest_s
        self._planted = 0

    def noticing(self, fault: Fault) -> str | None:
        """Return the test that notices a fault, None if none does; the fault is taken out again."""
        path = self._home / fault.path
        good, times = path.read_text(), path.stat()
        self._planted += 1
        try:
            for tests in _tests_of(fault, self._home):
                path.write_text(fault.text)
                os.utime(path, (times.st_atime, times.st_mtime + self._planted))  # else Python takes the compiled code
                found = self._run(tests, fault)
                path.write_text(good)
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
                if found.what != "passed":
                    if self.passes(*([found.first] if found.first else tests)):
                        return found.first or f"{tests[0]} {found.what}"
                    print(f"{found.first or tests} {found.what}, and does not pass without the fault", file=sys.stderr)
        finally:
            path.write_text(good)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        return None

    @functools.cache  # noqa: B019 (a copy lives as long as the program)
    def passes(self, *tests: str) -> bool:
        """Whether tests pass without a fault, in half the time."""
        return self._run(list(tests), None).what == "passed"

    def _run(self, tests: list[str], fault: Fault | None) -> Outcome:
        traces = self._traces
        if fault and any(Path(fault.path).is_relative_to(part) for part in _TRACED):
            traces = traces / "none"
        longest_s = self._longest_s if fault else self._longest_s / 2
        return run_tests(self._home, tests, traces=traces, is_whole=fault is None, longest_s=longest_s)


def _tests_of(fault: Fault, root: Path) -> list[list[str]]:
    """Return the tests to try, the nearest first."""
    path = Path(fault.path)
    folder = root / "tests" / path.parent
    own = folder / f"test_{path.name}"
    dotted = f"depthrt.{'.'.join(path.with_suffix('').parts)}"
    naming = [
        test for test in _all_tests(root) if test != own and re.search(rf"{re.escape(dotted)}\b", test.read_text())
    ]
    beside = [test for test in _all_tests(root) if test.parent == folder]
    names = re.compile(rf"\b({'|'.join(fault.names)})\b") if fault.names else None
    using = [test for test in _all_tests(root) if names and names.search(test.read_text())]
    others = dict.fromkeys(test for tests in (naming, beside, using) for test in _nearest(tests, folder) if test != own)
    parts = [[own] if own.exists() else [], list(others)]
    return [[str(test.relative_to(root)) for test in tests] for tests in parts if tests]


def _nearest(tests: list[Path], folder: Path) -> list[Path]:
    return sorted(tests, key=lambda test: len(Path(os.path.relpath(test, folder)).parts))[:_MOST]


@functools.cache
def _all_tests(root: Path) -> list[Path]:
    return sorted((root / "tests").rglob("test_*.py"))


def _shown(fault: Fault) -> str:
    return fault.what[:150].replace("\n", " ")


def main() -> None:
    """Plant faults and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", nargs="+", default=list(ROOMS), help="folders")
    parser.add_argument("--skip", nargs="+", default=[], help="folders or modules among the rooms")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--longest-s", type=float, default=240.0, help="of tests that hang; more on a busy machine")
    parser.add_argument("--commit", default="HEAD", help="whose tests and package are tried")
    parser.add_argument("--list", action="store_true", help="print the faults and plant none")
    parser.add_argument("--again", type=Path, help="plant what this output of an earlier run says was not noticed")
    options = parser.parse_args()
    if options.again:
        faults = read_faults(options.again.read_text().splitlines())
    else:
        faults = draw_faults(options.seed, options.faults, options.rooms, options.skip)
    if options.list:
        print(*(f"{fault.path}:{fault.line}: {_shown(fault)}" for fault in faults), sep="\n")
        return
    noticed = plant(faults, options.jobs, options.commit, options.longest_s)
    print(f"{noticed} of {len(faults)} faults were noticed")


def plant(faults: Sequence[Fault], jobs: int, commit: str, longest_s: float) -> int:
    """Plant faults, print what became of each and return the number noticed."""
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        traces = Path(folder) / "traces"
        traces.mkdir()
        homes = [Path(folder) / str(job) for job in range(jobs)]
        for home in homes:
            subprocess.run(["git", "worktree", "add", "-q", "--detach", home, commit], cwd=ROOT, check=True)
        try:
            Copy(homes[0], traces, longest_s).passes(*_KEEPING)
            with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
                shares = [(faults[job::jobs], Copy(home, traces, longest_s)) for job, home in enumerate(homes)]
                return sum(pool.map(report_faults, *zip(*shares, strict=True)))
        finally:
            for home in homes:
                subprocess.run(["git", "worktree", "remove", "--force", home], cwd=ROOT, check=True)


def report_faults(faults: Sequence[Fault], copy_of_root: Copy) -> int:
    """Plant the faults of a job; print each, and return the number noticed."""
    noticed = 0
    for fault in faults:
        start = time.monotonic()
        test = copy_of_root.noticing(fault)
        noticed += test is not None
        verdict, by = ("noticed", f", by {test}") if test else ("NOT NOTICED", "")
        took = f" ({time.monotonic() - start:.0f} s{by})"
        print(f"{verdict}: {fault.path}:{fault.line}: {_shown(fault)}{took}", flush=True)
    return noticed


if __name__ == "__main__":
    main()
