"""One clean installation for all tests that need one: the steps of the Dockerfile, in an environment without torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dockerfile import copy_context, texts, variables


@pytest.fixture(scope="session")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with depthrt[serve,cpu], made as the Dockerfile says it."""
    folder = tmp_path_factory.mktemp("clean")
    build, home = folder / "build", folder / "opt"
    copy_context(build)

    def here(text: str) -> str:
        return text.replace("/build", str(build)).replace("/opt/depthrt", str(home))

    env = {**os.environ, **{name: here(value) for name, value in variables(0).items()}, "PIP_RETRIES": "10"}
    env.pop("PIP_NO_CACHE_DIR")  # for the size of a layer; here it costs a minute
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    for step in texts("RUN", 0):
        done = subprocess.run(here(step), shell=True, cwd=build, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return home / "bin"
