"""Fixtures of all tests of finetune: a single thread, and a run of two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import two_processes as program
from one_thread import one_thread
from two_processes import Ranks

_LIMIT_S = 300  # it takes 10 s on a free machine; a process that waits for the other would wait for hours


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread: on tiny arrays threads cost more than they save, and wait for each other."""
    with one_thread():
        yield


@pytest.fixture(scope="session")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ranks]:
    """Run every scenario of tests/support/two_processes.py under torchrun: its folder, and the results by rank."""
    folder = tmp_path_factory.mktemp("two")
    program.prepare(folder)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with subprocess.Popen(
        [*command, program.__file__, str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        try:
            _, errors = process.communicate(timeout=_LIMIT_S)
        finally:
            process.terminate()  # if it still runs, torchrun ends its processes; after a kill they would stay
    assert process.returncode == 0, errors
    ranks = [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in (0, 1)]
    return folder, (ranks[0], ranks[1])
