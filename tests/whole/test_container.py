"""What the image runs, run from the Dockerfile's own steps: another user, no folder to write to but /tmp, PORT."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dockerfile import command, texts, variables
from served import PHOTO, PHOTO_PX, read_npy
from started import Started, started

CHECK_S = 20


def as_user(uid: str) -> tuple[str, ...]:
    """The words before a program that give it to another user, who may read everything, as images are for all."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return ()
    rights = [f"--{kind}-caps=-all,+dac_read_search" for kind in ("inh", "ambient")]
    return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *rights)


@pytest.fixture(scope="module")
def environment(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of the image, with a folder in place of /tmp, and a free PORT."""
    tmp = tmp_path_factory.mktemp("tmp")
    tmp.chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    here = {"/tmp": str(tmp), "/opt/depthrt": str(binaries.parent), "$PATH": os.environ["PATH"]}
    found = {"TMPDIR": "/tmp", "PORT": port, **variables(1)}
    for name, place in here.items():
        found = {key: value.replace(name, place) for key, value in found.items()}
    return found


@pytest.fixture(scope="module")
def container(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("container")
    (folder / "work").mkdir(mode=0o555)
    uid = texts("USER", 1)[0].partition(":")[0]
    program = (*as_user(uid), *command("ENTRYPOINT"))
    _, *options = command("CMD")
    with started(
        folder / "errors", *options, program=program, port=None, env=environment, cwd=folder / "work"
    ) as found:
        yield found


def healthy(environment: dict[str, str]) -> bool:
    done = subprocess.run(command("HEALTHCHECK"), env=environment, capture_output=True, timeout=CHECK_S, check=False)
    return done.returncode == 0


def test_it_answers_as_another_user_who_can_write_to_tmp_only(container: Started, environment: dict[str, str]) -> None:
    assert container.address.endswith(":" + environment["PORT"])
    assert container.get("/readyz")[0] == 200 and healthy(environment)
    status, body, headers = container.post(PHOTO)
    assert status == 200 and read_npy(body).shape == PHOTO_PX and np.isfinite(read_npy(body)).all()
    assert headers["depthrt-model"] == "default"


def test_the_page_and_all_that_it_names_is_in_the_wheel(container: Started) -> None:
    status, page, _ = container.get("/")
    assert status == 200
    named = re.findall(r'(?:src|href)="(?!data:|#)([^"]+)"', page.decode())
    assert named and {name: container.get("/" + name.lstrip("./"))[0] for name in named} == dict.fromkeys(named, 200)


def test_sigterm_ends_it_and_its_health(container: Started, environment: dict[str, str]) -> None:
    assert container.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    assert container.lines()[-1]["message"] == "stopped" and not healthy(environment)
