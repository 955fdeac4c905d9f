"""Memory that is freed stays: what is allocated again costs no page faults, as it does without being told."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PAGES = 768  # of 4 KiB in one of the arrays
TIMES = 20
CHILD = f"""
import ctypes, resource, sys
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: a huge page is one fault
import numpy as np
from depthrt.bench.machine.heap import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones({PAGES} * 512) for _ in range(3)]
    del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(sum(faults() for _ in range({TIMES})))
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", CHILD, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this C library has no such switch")
def test_kept_memory_is_used_again_without_a_page_fault() -> None:
    assert faults("keep") < PAGES < faults("as it is")
