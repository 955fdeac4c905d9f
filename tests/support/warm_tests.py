"""Runs tests in processes forked from one that has imported what they need, all but depthrt."""

from __future__ import annotations

import gc
import importlib
import io
import multiprocessing
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

_SLOW = (  # to import
    *("numpy", "scipy", "PIL.Image", "torch", "torch._dynamo", "torch.onnx._internal.exporter._core", "onnx"),
    *("onnxscript", "av", "pydantic", "h5py", "hypothesis", "anyio", "matplotlib.figure", "rich.console"),
)
_NOTHING_SELECTED = 5  # exit status of pytest
KEPT = "DEPTHRT_TESTS_TRACES"  # as in shared_traces, which imports depthrt


@dataclass(frozen=True)
class Outcome:
    """What became of some tests.

    Args:
        what: "hung" if they took too long.
        first: The first test that failed, or the file that could not be collected; "" if the process died.
    """

    what: Literal["passed", "failed", "hung"]
    first: str = ""


def warm_up() -> None:
    """Import what the tests need."""
    for name in _SLOW:
        with suppress(ImportError):  # the tests that need it are skipped
            importlib.import_module(name)
    _export_something()
    gc.collect()
    gc.freeze()  # forked processes neither look through these objects nor copy their pages


def _export_something() -> None:
    """Let torch's exporter fill its tables; on one thread, as a fork loses the others."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.GELU())
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        torch.onnx.export(network.eval(), (torch.zeros(1, 3, 8, 8),), dynamo=True, verbose=False)
    torch.set_num_threads(threads)


def run_tests(home: Path, tests: list[str], *, traces: Path, is_whole: bool, longest_s: float) -> Outcome:
    """Run tests until one fails; blocks.

    Args:
        home: A copy of the repository in a folder of its own; its package is the one that is imported.
        tests: Files, folders or names of tests, relative to `home`.
        traces: Of networks, from one run to the next: read if they exist.
        is_whole: The copy is as the repository, so that its traces are kept.
        longest_s: After that the tests are killed, with what they started.
    """
    verdict = home.parent / f"{home.name}.verdict"
    verdict.unlink(missing_ok=True)
    arguments = (home, tests, traces, is_whole, verdict)
    process = multiprocessing.get_context("fork").Process(target=_run, args=arguments)
    process.start()
    process.join(longest_s)
    has_ended = process.exitcode is not None
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid or 0, signal.SIGKILL)  # also what the tests left behind
    process.join()
    if not has_ended:
        return Outcome("hung")
    status, _, first = verdict.read_text().partition("\n") if verdict.exists() else ("1", "", "")
    return Outcome("passed") if int(status) in {0, _NOTHING_SELECTED} else Outcome("failed", first)


class _FirstFailure:
    """A plugin that keeps the name of the first test that fails, or of the file that cannot be collected."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


def _run(home: Path, tests: list[str], traces: Path, is_whole: bool, verdict: Path) -> None:
    os.setsid()
    os.chdir(home)
    os.environ["PYTHONPATH"] = str(home / ".dev")  # for the programs that tests start
    os.environ[KEPT] = str(traces)
    sys.path.insert(0, str(home / ".dev"))
    first = _FirstFailure()
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={verdict.with_suffix('.tmp')}", f"--rootdir={home}"]
    options += ["--assert=plain"]  # nobody reads the messages
    with verdict.with_suffix(".output").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        with redirect_stdout(output), redirect_stderr(output):
            status = pytest.main([*options, *tests], plugins=[first])
    if is_whole and "shared_traces" in sys.modules:
        sys.modules["shared_traces"].keep_traces(traces)
    verdict.write_text(f"{int(status)}\n{first.name}")
    os._exit(0)
