"""The kernels on the CPU, compiled once a test run."""

from __future__ import annotations

import pytest
from kernels_on_host import NO_COMPILER, SOURCE, HostKernels, compile_library, find_compiler


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> HostKernels:
    """The kernels of kernels.cu, compiled by the machine's C++ compiler; skipped if there is none."""
    if find_compiler() is None:
        pytest.skip(NO_COMPILER)
    return HostKernels(compile_library(tmp_path_factory.mktemp("kernels") / "kernels.so", SOURCE))
